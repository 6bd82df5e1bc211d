//! Real detectors over real sockets: what they are told, what they answer, and all that can go wrong on the way.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

use counterfoil::detector::{Occasion, Occasions, Outcome};
use counterfoil::{Decision, Moment, SessionId, SubjectRef};
use counterfoil_core::agent::{Agent, Browser, Platform};
use counterfoil_core::rules::{Evidence, Glimpse, NetworkKind, Place, Sensitivity, Signal, Signals};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::*;

const SECRET: &str = "s3cret-s3cret-s3cret";
const KNOWN_BOT: &str = r#"{"signals":[{"signal":"known_bot","decision":"step_up"}]}"#;

/// What a receiver does once it was asked.
#[derive(Clone)]
enum Then {
    Answer(String),
    Pour,
    Hold,
    Close,
}

/// A receiver, and what it was sent.
struct Receiver {
    url: String,
    got: Arc<Mutex<Vec<String>>>,
}

impl Receiver {
    async fn new(then: Then) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/judge?key=s3cret", listener.local_addr().unwrap());
        let got = Arc::<Mutex<Vec<String>>>::default();
        let noted = Arc::clone(&got);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, then.clone(), Arc::clone(&noted)));
            }
        });
        Self { url, got }
    }

    async fn answering(status: &str, body: &str) -> Self {
        let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n", body.len());
        Self::new(Then::Answer(head + body)).await
    }

    fn asked_by(&self, more: &Value) -> CalledOut {
        let mut all = json!({ "url": self.url, "timeout": "2s" });
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value::<DetectorSettings>(all).unwrap().open().unwrap()
    }

    fn got(&self) -> Vec<String> {
        std::mem::take(&mut *self.got.lock())
    }
}

async fn serve(mut stream: TcpStream, then: Then, noted: Arc<Mutex<Vec<String>>>) {
    while let Some(request) = request(&mut stream).await {
        noted.lock().push(request);
        match &then {
            Then::Answer(text) => stream.write_all(text.as_bytes()).await.unwrap(),
            Then::Close => return,
            Then::Hold => std::future::pending().await,
            Then::Pour => {
                stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n{\"signals\":[").await.unwrap();
                while stream.write_all(&[b' '; 16 * 1024]).await.is_ok() {}
                return;
            }
        }
    }
}

/// One request, head and body; `None` where the connection is over.
async fn request(stream: &mut TcpStream) -> Option<String> {
    let mut read = Vec::new();
    loop {
        read.push(stream.read_u8().await.ok()?);
        let text = String::from_utf8_lossy(&read);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
        if body.len() >= length.unwrap_or(0) {
            return Some(text.into_owned());
        }
    }
}

fn question() -> Question {
    let place = |country: [u8; 2], asn, kind| Place { country: Some(country), asn: Some(asn), kind, ..Place::UNKNOWN };
    let agent = |platform, browser| Agent { platform, browser };
    let seen =
        Glimpse { agent: agent(Platform::Linux, Browser::Curl), place: place(*b"PE", 6_147, NetworkKind::Hosting) };
    let expected =
        Glimpse { agent: agent(Platform::Ios, Browser::Safari), place: place(*b"DE", 3_320, NetworkKind::Ordinary) };
    let after = Some(Duration::from_hours(1));
    let evidence = Evidence { seen, expected: Some(expected), gap_km: Some(10_900), after };
    let mut question =
        Question::new(Moment::from_unix_millis(1_795_000_000_123), SubjectRef::from_bytes([7; 16]), evidence);
    question.session = Some(SessionId::from_bytes([1; SessionId::LENGTH]));
    question.asked_on = Occasions::NONE.with(Occasion::NewContext).with(Occasion::Signal);
    question.sensitivity = Sensitivity::Sensitive;
    question.changes_state = true;
    question.signals = Signals::NONE.with(Signal::UserAgentChanged).with(Signal::CountryChanged);
    question.decision = Decision::StepUp;
    question
}

async fn ask(detector: &CalledOut) -> Result<Verdict, NoVerdict> {
    Detector::judge(&detector.on_site(Some("wiki")), question()).await
}

/// The document that tells operators what they are sent.
const MANUAL: &str = include_str!("../../../../docs/detectors.md");

#[tokio::test]
async fn a_question_and_an_answer_are_as_the_manual_has_them() {
    let blocks: Vec<Value> = MANUAL
        .split("```json\n")
        .skip(1)
        .map(|block| serde_json::from_str(block.split("```").next().unwrap()).unwrap())
        .collect();
    let [asked, answered] = blocks.as_slice() else { panic!("{blocks:?}") };
    let receiver = Receiver::answering("200 OK", &answered.to_string()).await;
    let folder = tempfile::tempdir().unwrap();
    let secret = secret_in(folder.path(), &format!("{SECRET}\n"));
    let detector = receiver.asked_by(&json!({ "secret_file": secret }));
    let verdict = ask(&detector).await.unwrap();
    let said: Vec<_> = verdict.signals().iter().map(|named| (named.signal.to_string(), named.decision)).collect();
    assert_eq!(said, [("known_bot".to_owned(), Decision::StepUp)]);
    let got = receiver.got();
    let (head, body) = got[0].split_once("\r\n\r\n").unwrap();
    assert_eq!(&serde_json::from_str::<Value>(body).unwrap(), asked);
    assert!(head.starts_with("POST /judge?key=s3cret HTTP/1.1\r\n"), "{head}");
    for line in [
        "content-type: application/json",
        "accept: application/json",
        &format!("authorization: Bearer {SECRET}"),
        concat!("user-agent: Counterfoil/", env!("CARGO_PKG_VERSION")),
    ] {
        assert!(head.lines().any(|found| found == line), "{line} in {head}");
    }
    assert!(!format!("{detector:?}").contains("s3cret"), "{detector:?}");
}

#[tokio::test]
async fn what_is_no_answer_is_a_failure_that_repeats_nothing_of_it() {
    let target = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let there = target.local_addr().unwrap();
    let redirect = format!("HTTP/1.1 307 No\r\nLocation: http://{there}/\r\nContent-Length: 0\r\n\r\n");
    let cut_off = format!("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{KNOWN_BOT}");
    let padded = format!("{KNOWN_BOT}{}", " ".repeat(4_096));
    let long = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{padded}", padded.len());
    let with = |status: &str, body: &str| {
        Then::Answer(format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len()))
    };
    #[rustfmt::skip]
    let rows = [
        ("an error",             with("500 Oops", KNOWN_BOT),        "it answered with status 500"),
        ("too many",             with("429 Slow", "{}"),             "it answered with status 429"),
        ("not allowed",          with("401 Who", "s3cret"),          "it answered with status 401"),
        ("another success",      with("202 Later", KNOWN_BOT),       "it answered with status 202"),
        ("a redirect",           Then::Answer(redirect),             "it answered with status 307"),
        ("a page",               with("200 OK", "<p>s3cret</p>"),    "its answer is not what docs/detectors.md says"),
        ("an empty answer",      with("200 OK", ""),                 "its answer is not what docs/detectors.md says"),
        ("another answer",       with("200 OK", r#"{"allow":1}"#),   "its answer is not what docs/detectors.md says"),
        ("a long one",           Then::Answer(long),                 "its answer is longer than 4096 bytes, or broke off"),
        ("one without end",      Then::Pour,                         "its answer is longer than 4096 bytes, or broke off"),
        ("no HTTP",              Then::Answer("hello\r\n\r\n".into()), "the connection broke"),
        ("nothing",              Then::Close,                        "the connection broke"),
    ];
    for (name, then, expected) in rows {
        let detector = Receiver::new(then).await.asked_by(&json!({}));
        let error = ask(&detector).await.expect_err(name);
        let NoVerdict::Failed(cause) = &error else { panic!("{name}: {error:?}") };
        assert!(cause.to_string().starts_with(expected), "{name}: {cause}");
        assert!(!format!("{error:?}{cause}").contains("s3cret"), "{name}: {error:?}");
        assert_eq!(detector.figures().of(Outcome::Failed), 1);
    }
    let came = tokio::time::timeout(Duration::from_millis(50), target.accept()).await;
    assert!(came.is_err(), "no redirect is followed");
    // What is cut off is known to be so when the connection ends.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        request(&mut stream).await;
        stream.write_all(cut_off.as_bytes()).await.unwrap();
    });
    let detector = Receiver { url, got: Arc::default() }.asked_by(&json!({}));
    assert!(matches!(ask(&detector).await, Err(NoVerdict::Failed(_))));
}

#[tokio::test]
async fn nothing_to_say_is_an_answer() {
    for (status, body) in [("204 Nothing", ""), ("200 OK", "{}"), ("200 OK", r#"{"signals":[]}"#)] {
        let receiver = Receiver::answering(status, body).await;
        let detector = receiver.asked_by(&json!({}));
        assert_eq!(ask(&detector).await.unwrap(), Verdict::NOTHING, "{status}");
        assert!(!receiver.got()[0].to_lowercase().contains("authorization"));
        assert_eq!(detector.figures().of(Outcome::Nothing), 1);
    }
}

#[tokio::test]
async fn one_that_hangs_and_one_that_is_not_there_hold_up_nobody_for_long() {
    let receiver = Receiver::new(Then::Hold).await;
    let detector = receiver.asked_by(&json!({ "timeout": "100ms" }));
    for _ in 0..5 {
        let begin = Instant::now();
        ask(&detector).await.unwrap_err();
        assert!(begin.elapsed() < Duration::from_secs(1), "{:?}", begin.elapsed());
    }
    let begin = Instant::now();
    for _ in 0..1_000 {
        assert!(matches!(ask(&detector).await, Err(NoVerdict::Resting)));
    }
    assert!(begin.elapsed() < Duration::from_secs(1), "it is left alone: {:?}", begin.elapsed());
    assert_eq!(receiver.got().len(), 5);

    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let detector = Receiver { url: format!("http://{gone}/"), got: Arc::default() }.asked_by(&json!({}));
    assert!(matches!(ask(&detector).await, Err(NoVerdict::Failed(_))));
}

#[tokio::test]
async fn all_sites_share_the_bounds() {
    let receiver = Receiver::answering("500 Oops", "").await;
    let detector = receiver.asked_by(&json!({}));
    let (wiki, shop) = (detector.on_site(Some("wiki")), detector.on_site(Some("shop")));
    for _ in 0..5 {
        assert!(matches!(Detector::judge(&wiki, question()).await, Err(NoVerdict::Failed(_))));
    }
    assert!(matches!(Detector::judge(&shop, question()).await, Err(NoVerdict::Resting)));
    assert!(receiver.got()[0].contains(r#""site":"wiki""#));
    let figures = detector.figures();
    assert_eq!((figures.of(Outcome::Failed), figures.of(Outcome::Resting)), (5, 1));
}

pub(super) fn secret_in(folder: &std::path::Path, text: &str) -> std::path::PathBuf {
    let path = folder.join("secret");
    let mut file = std::fs::File::create(&path).unwrap();
    file.set_permissions(std::fs::Permissions::from_mode(0o600)).unwrap();
    file.write_all(text.as_bytes()).unwrap();
    path
}
