//! Receivers that are well, slow, down, gone and hostile, on a clock that stands still until nobody has anything to do.

use std::collections::HashMap;

use counterfoil_core::{Event, EventKind, Moment};
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};

use super::*;
use crate::client::{Limits, memory};
use crate::told::EventId;

mod judged;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const NOBODY_WAITS: Duration = Duration::from_hours(24 * 7);

fn settings(url: &str) -> WebhookSettings {
    let text = format!(r#"{{"name": "siem", "url": "{url}", "secrets": ["{SECRET}"]}}"#);
    serde_json::from_str(&text).unwrap()
}

fn told(number: u128) -> Told {
    let at = Moment::from_unix_millis(1_700_000_000_123);
    let event = Event { at, session: None, subject: None, kind: EventKind::SteppedUp };
    Told::new(EventId::from_bytes(number.to_be_bytes()), None, event)
}

fn number(id: &str) -> u128 {
    u128::from_str_radix(id.strip_prefix("evt_").unwrap(), 16).unwrap()
}

/// The wall clock of a test: that of its runtime, from a day in 2023.
struct Wall(Instant);

impl Clock for Wall {
    fn now(&self) -> Moment {
        Moment::from_unix_seconds(1_700_000_000) + self.0.elapsed()
    }
}

/// A request as it came.
#[derive(Debug, Clone)]
struct Request {
    /// In seconds since the test began.
    second: u64,
    fields: HashMap<String, String>,
    body: String,
}

impl Request {
    fn number(&self) -> u128 {
        number(&self.fields["webhook-id"])
    }
}

/// What a receiver does with a request.
#[derive(Clone, Copy)]
enum Reply {
    Status(u16),
    RetryAfter(u16, u64),
    /// Success, and a body without end.
    Pour,
    /// Half a status line.
    Cut,
    Hang,
}

/// What came to a receiver, and how much of it at once.
#[derive(Default)]
struct Log {
    requests: Vec<Request>,
    under_way: usize,
    most_under_way: usize,
}

/// A receiver and the webhook that brings it events.
struct Bench {
    webhook: Webhook,
    sink: Filling,
    log: Arc<Mutex<Log>>,
}

impl Bench {
    fn new(settings: WebhookSettings, answer: impl FnMut(&Request) -> Reply + Send + 'static) -> Self {
        let (client, mut connections) = memory::client(Limits::default());
        let began = Instant::now();
        let receiver = settings.check().unwrap();
        let (webhook, sink, work) = Webhook::with(receiver, Arc::new(Wall(began)), client, Box::new(|| 128));
        tokio::spawn(work);
        let (log, answer) = (Arc::new(Mutex::new(Log::default())), Arc::new(Mutex::new(answer)));
        let seen = Arc::clone(&log);
        tokio::spawn(async move {
            while let Some(connection) = connections.recv().await {
                tokio::spawn(serve(connection, began, Arc::clone(&seen), Arc::clone(&answer)));
            }
        });
        Self { webhook, sink, log }
    }

    fn tell(&mut self, numbers: impl IntoIterator<Item = u128>) {
        numbers.into_iter().for_each(|number| self.sink.take(&told(number)));
    }

    async fn drained(&self) -> Figures {
        tokio::time::timeout(NOBODY_WAITS, self.webhook.drained()).await.unwrap();
        self.webhook.figures()
    }

    /// Since it was last asked.
    fn most_under_way(&self) -> usize {
        std::mem::take(&mut self.log.lock().most_under_way)
    }

    fn seconds(&self) -> Vec<u64> {
        self.log.lock().requests.iter().map(|request| request.second).collect()
    }

    fn numbers(&self) -> Vec<u128> {
        self.log.lock().requests.iter().map(Request::number).collect()
    }
}

async fn serve(
    mut connection: DuplexStream,
    began: Instant,
    log: Arc<Mutex<Log>>,
    answer: Arc<Mutex<impl FnMut(&Request) -> Reply>>,
) {
    while let Some((fields, body)) = request(&mut connection).await {
        let request = Request { second: began.elapsed().as_secs(), fields, body };
        {
            let mut log = log.lock();
            log.under_way += 1;
            log.most_under_way = log.most_under_way.max(log.under_way);
            log.requests.push(request.clone());
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
        let reply = (answer.lock())(&request);
        let text = match reply {
            Reply::Status(status) => format!("HTTP/1.1 {status} x\r\nlocation: /\r\ncontent-length: 0\r\n\r\n"),
            Reply::RetryAfter(status, seconds) => {
                format!("HTTP/1.1 {status} x\r\nretry-after: {seconds}\r\ncontent-length: 0\r\n\r\n")
            }
            Reply::Pour => "HTTP/1.1 200 x\r\n\r\n".to_owned(),
            Reply::Cut => "HTTP/1.1 20".to_owned(),
            Reply::Hang => {
                // Until the other end has had enough.
                let _ = connection.read_u8().await;
                String::new()
            }
        };
        let _ = connection.write_all(text.as_bytes()).await;
        log.lock().under_way -= 1;
        match reply {
            Reply::Status(_) | Reply::RetryAfter(..) => {}
            Reply::Pour => while connection.write_all(&[b'x'; 8_192]).await.is_ok() {},
            Reply::Cut | Reply::Hang => return,
        }
    }
}

async fn request(connection: &mut (impl AsyncRead + Unpin)) -> Option<(HashMap<String, String>, String)> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(connection.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).unwrap();
    let field = |line: &str| line.split_once(": ").map(|(name, value)| (name.to_lowercase(), value.to_owned()));
    let fields: HashMap<_, _> = head.lines().skip(1).filter_map(field).collect();
    let mut body = vec![0; fields["content-length"].parse().unwrap()];
    connection.read_exact(&mut body).await.ok()?;
    Some((fields, String::from_utf8(body).unwrap()))
}

#[tokio::test(start_paused = true)]
async fn an_event_is_one_signed_request_that_says_what_and_when() {
    let mut bench = Bench::new(settings("https://siem.example/in"), |_| Reply::Status(204));
    bench.tell([7]);
    assert_eq!(bench.drained().await, Figures { delivered: 1, ..Figures::default() });
    let request = bench.log.lock().requests[0].clone();
    let id = "evt_00000000000000000000000000000007";
    assert_eq!((&*request.fields["webhook-id"], &*request.fields["webhook-timestamp"]), (id, "1700000000"));
    assert_eq!(request.fields["content-type"], "application/json");
    let signature = Secret::read(SECRET).unwrap().sign(id, 1_700_000_000, request.body.as_bytes());
    assert_eq!(request.fields["webhook-signature"], signature);
    let data = told(7).json().to_string();
    assert_eq!(
        request.body,
        format!(r#"{{"type":"step_up.done","timestamp":"2023-11-14T22:13:20.123Z","data":{data}}}"#)
    );
}

#[tokio::test(start_paused = true)]
async fn with_one_at_once_events_come_in_their_order_and_with_four_sooner() {
    for (at_once, most, second) in [(1, 1, 1), (4, 4, 0)] {
        let settings = WebhookSettings { at_once, ..settings("https://siem.example/in") };
        let mut bench = Bench::new(settings, |_| Reply::Status(200));
        bench.tell(0..200);
        assert_eq!(bench.drained().await.delivered, 200);
        assert_eq!((bench.most_under_way(), bench.seconds()[199]), (most, second), "{at_once}");
        if at_once == 1 {
            assert!(bench.numbers().into_iter().eq(0..200));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn only_the_events_that_are_asked_for_are_sent() {
    let only = WebhookSettings { events: Only::new(["session.*"]).unwrap(), ..settings("https://siem.example/in") };
    let mut bench = Bench::new(only, |_| Reply::Status(200));
    bench.tell(0..3);
    assert_eq!((bench.drained().await, bench.seconds().len()), (Figures::default(), 0));
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_fails_for_an_hour_holds_up_nobody_and_gets_everything_afterwards() {
    let hour = 60 * 60;
    let mut down = Bench::new(settings("https://down.example/in"), move |request| {
        Reply::Status(if request.second < hour { 500 } else { 200 })
    });
    let mut well = Bench::new(settings("https://well.example/in"), |_| Reply::Status(200));
    for round in 0..60 {
        down.tell(round * 10..round * 10 + 10);
        well.tell(round * 10..round * 10 + 10);
        tokio::time::sleep(Duration::from_mins(1)).await;
    }
    assert_eq!(well.webhook.figures(), Figures { delivered: 600, ..Figures::default() });
    let meanwhile = down.webhook.figures();
    assert_eq!((meanwhile.delivered, meanwhile.waiting, meanwhile.lost), (0, 600, 0));
    assert!((30..80).contains(&meanwhile.failed_attempts), "{meanwhile:?}: somebody looks, and now and then");
    assert!(down.most_under_way() <= 4);
    tokio::time::sleep(Duration::from_mins(2)).await;
    assert!(down.webhook.figures().delivered > 500, "{:?}", down.webhook.figures());
    let end = down.drained().await;
    assert_eq!((end.delivered, end.given_up, end.lost, end.waiting), (600, 0, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn while_a_receiver_fails_only_one_request_is_under_way() {
    let mut bench = Bench::new(settings("https://siem.example/in"), |_| Reply::Status(500));
    bench.tell(0..100);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(bench.most_under_way(), 4);
    tokio::time::sleep(Duration::from_hours(1)).await;
    assert_eq!(bench.most_under_way(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_event_is_tried_for_a_day_and_then_given_up() {
    let mut bench = Bench::new(settings("https://siem.example/in"), |_| Reply::Status(500));
    bench.tell([1]);
    let end = bench.drained().await;
    assert_eq!(bench.seconds(), [0, 5, 305, 2_105, 9_305, 27_305, 63_305]);
    assert_eq!(end, Figures { failed_attempts: 7, given_up: 1, ..Figures::default() });
    let stamps: Vec<_> = bench.log.lock().requests.iter().map(|one| one.fields["webhook-timestamp"].clone()).collect();
    assert_eq!((&*stamps[0], &*stamps[1]), ("1700000000", "1700000005"), "each is signed anew");
}

#[tokio::test(start_paused = true)]
async fn every_kind_of_failure_is_one_and_is_tried_again() {
    #[rustfmt::skip]
    let kinds = [
        ("redirect",  Reply::Status(307), 5),
        ("error",     Reply::Status(500), 5),
        ("not found", Reply::Status(404), 5),
        ("cut off",   Reply::Cut,         5),
        ("silent",    Reply::Hang,        15),
        ("too many",  Reply::RetryAfter(429, 100), 100),
        ("for ever",  Reply::RetryAfter(503, 999_999_999), 3_600),
    ];
    for (name, kind, second) in kinds {
        let mut first = true;
        let mut bench = Bench::new(settings("https://siem.example/in"), move |_| {
            if std::mem::take(&mut first) { kind } else { Reply::Status(200) }
        });
        bench.tell([1]);
        let end = bench.drained().await;
        assert_eq!((end.delivered, end.failed_attempts, bench.seconds()), (1, 1, vec![0, second]), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_asks_to_wait_is_not_asked_by_another_event_either() {
    let mut bench = Bench::new(settings("https://siem.example/in"), |request| match request.second {
        0..100 => Reply::RetryAfter(429, 100),
        _ => Reply::Status(200),
    });
    bench.tell([1]);
    tokio::time::sleep(Duration::from_secs(10)).await;
    bench.tell([2, 3]);
    assert_eq!(bench.drained().await.delivered, 3);
    assert_eq!(bench.seconds(), [0, 100, 100, 100]);
}

#[tokio::test(start_paused = true)]
async fn an_answer_without_end_is_a_success_all_the_same() {
    let mut bench = Bench::new(settings("https://siem.example/in"), |_| Reply::Pour);
    bench.tell(0..3);
    assert_eq!(bench.drained().await, Figures { delivered: 3, ..Figures::default() });
    assert!(bench.seconds().iter().all(|second| *second == 0));
}

#[tokio::test(start_paused = true)]
async fn one_event_that_is_never_taken_does_not_hold_up_the_others() {
    let mut bench = Bench::new(settings("https://siem.example/in"), |request| {
        Reply::Status(if request.number().is_multiple_of(100) { 400 } else { 200 })
    });
    bench.tell(0..1_000);
    tokio::time::sleep(Duration::from_mins(1)).await;
    let found = bench.webhook.figures();
    assert_eq!((found.delivered, found.waiting), (990, 10), "{found:?}");
    let end = bench.drained().await;
    assert_eq!((end.delivered, end.given_up), (990, 10));
}

#[tokio::test(start_paused = true)]
async fn who_is_gone_gets_nothing_more() {
    let mut bench = Bench::new(settings("https://siem.example/in"), |request| {
        Reply::Status(if request.second < 60 { 500 } else { 410 })
    });
    bench.tell(0..50);
    let end = bench.drained().await;
    assert_eq!((end.given_up, end.lost, bench.webhook.is_gone()), (50, 0, true));
    let count = bench.seconds().len();
    bench.tell(50..60);
    assert_eq!((bench.drained().await.lost, bench.seconds().len()), (10, count));
}

#[tokio::test(start_paused = true)]
async fn what_finds_no_place_is_lost_and_counted_and_so_is_what_waits_when_all_ends() {
    let small = WebhookSettings { waiting: 10, ..settings("https://siem.example/in") };
    let mut bench = Bench::new(small.clone(), |_| Reply::Status(500));
    bench.tell(0..100);
    tokio::time::sleep(Duration::from_mins(10)).await;
    bench.tell(0..100);
    let found = bench.webhook.figures();
    assert_eq!((found.lost, found.waiting), (190, 10), "what is tried again keeps its place");
    let (client, _connections) = memory::client(Limits::default());
    let clock = Arc::new(Wall(Instant::now()));
    let (webhook, mut sink, work) = Webhook::new(small.check().unwrap(), clock, client);
    (0..5).for_each(|number| sink.take(&told(number)));
    assert!(tokio::time::timeout(Duration::from_secs(1), work).await.is_err());
    webhook.drained().await;
    assert_eq!((webhook.figures().lost, webhook.figures().waiting), (5, 0));
}

#[tokio::test(start_paused = true)]
async fn the_work_ends_with_the_sink_once_everything_is_delivered() {
    let mut bench = Bench::new(settings("https://siem.example/in"), |request| {
        Reply::Status(if request.second < 5 { 500 } else { 200 })
    });
    bench.tell(0..3);
    drop(bench.sink);
    tokio::time::timeout(NOBODY_WAITS, bench.webhook.drained()).await.unwrap();
    assert_eq!(bench.webhook.figures().delivered, 3);
}

#[test]
fn settings_that_send_nothing_or_to_everybody_are_refused_and_shown_without_what_is_secret() {
    let good = || settings("https://siem.example/s3cret?key=s3cret");
    let error = |settings: WebhookSettings| settings.check().unwrap_err().to_string();
    assert_eq!(error(WebhookSettings { at_once: 0, ..good() }), "webhook `siem`: at_once (0) must be at least 1");
    let none = WebhookSettings { secrets: vec![], ..good() };
    assert_eq!(error(none), "webhook `siem`: secrets and secret_files must hold at least one together");
    let plain = error(settings("http://siem.example/s3cret"));
    assert!(plain.starts_with("webhook `siem`, url: http:// reaches this machine alone"), "{plain}");
    assert!(WebhookSettings { plain_http: true, ..settings("http://siem.example/") }.check().is_ok());
    assert!(settings("http://127.0.0.1:9/").check().is_ok());
    let shown = format!("{:?} {:?} {plain}", good(), good().check().unwrap());
    assert!(shown.contains("siem") && !shown.contains("s3cret") && !shown.contains("MfKQ"), "{shown}");
    let typo = r#"{"name": "a", "url": "https://a.example", "secret": []}"#;
    assert!(serde_json::from_str::<WebhookSettings>(typo).is_err());
}

#[test]
fn a_secret_may_lie_in_a_file_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("siem");
    let by_file =
        || WebhookSettings { secrets: vec![], secret_files: vec![file.clone()], ..settings("https://siem.example/") };
    let error = |settings: WebhookSettings| settings.check().unwrap_err().to_string();
    assert!(error(by_file()).ends_with("siem: cannot be read"), "{}", error(by_file()));
    std::fs::write(&file, "whsec_short\n").unwrap();
    std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    assert!(error(by_file()).contains("siem: not a secret of a webhook"), "{}", error(by_file()));
    assert!(!error(by_file()).contains("short"));
    std::fs::write(&file, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n").unwrap();
    let receiver = by_file().check().unwrap();
    assert_eq!(receiver.secrets.len(), 1);
    assert!(receiver.secrets[0] == Secret::read("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap());
}
