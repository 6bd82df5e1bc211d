//! Nothing that authenticates anybody, no password and no address is told to anybody: not in a log at its most talkative, not in
//! events, webhooks, metrics or the audit trail.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::thread;

use super::demo::{ADDRESS, Demo, LAPTOP, SCRIPT, cookies_of};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const WRONG: &str = "not-the-password-of-ada";

/// Whoever is told by webhook: all that comes, for as long as the test runs.
fn receiver(into: &Path) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/in", listener.local_addr().unwrap());
    let into = into.to_owned();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, into) = (stream.unwrap(), into.clone());
            thread::spawn(move || take_all(&mut stream, &into));
        }
    });
    url
}

/// Takes each request of a connection, and answers it once its body is whole.
fn take_all(stream: &mut TcpStream, into: &Path) {
    let (mut read, mut some) = (Vec::new(), [0; 4_096]);
    while let Ok(count @ 1..) = stream.read(&mut some) {
        read.extend_from_slice(&some[..count]);
        let text = String::from_utf8_lossy(&read).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        if body.len() < length.parse().unwrap() {
            continue;
        }
        let mut file = fs::File::options().create(true).append(true).open(into).unwrap();
        writeln!(file, "{text}").unwrap();
        stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").unwrap();
        read.clear();
    }
}

fn metrics(demo: &Demo) -> String {
    let line = demo.banner.iter().find(|line| line.contains("/metrics")).unwrap();
    let address = line.trim().strip_prefix("http://").unwrap().split('/').next().unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(b"GET /metrics HTTP/1.1\r\nhost: watch\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// Everything that happens to a session and its copies. All that must not be told: values of cookies and tokens of forms.
fn a_bad_day(demo: &Demo) -> Vec<String> {
    let mut secrets = Vec::new();
    let mut ask = |head: &str, client: &str, cookie: &str, body: &str| {
        let answer = demo.whole(head, client, cookie, body);
        let set: Vec<_> = cookies_of(&answer).collect();
        secrets.extend(set.iter().map(|pair| pair.split_once('=').unwrap().1.to_owned()));
        let forms = answer.split("name=\"csrf_token\" value=\"").skip(1);
        secrets.extend(forms.map(|rest| rest.split('"').next().unwrap().to_owned()));
        let status: u16 = answer.split(' ').nth(1).unwrap().parse().unwrap();
        (status, set)
    };
    let of = |set: &[String], name: &str| set.iter().find(|pair| pair.starts_with(name)).cloned();
    ask("POST /login", LAPTOP, "", &format!("username=ada&password={WRONG}"));
    let (_, set) = ask("POST /login", LAPTOP, "", "username=ada&password=ada-demo-1");
    let id = of(&set, "dev-id=").unwrap();
    assert_eq!(ask("GET /transfer", LAPTOP, &id, "").0, 200);
    ask("POST /step-up", LAPTOP, &id, &format!("password={WRONG}"));
    let (_, set) = ask("POST /step-up", LAPTOP, &id, "password=ada-demo-1");
    let elevated = of(&set, "dev-el=").unwrap();
    ask("POST /transfer", LAPTOP, &format!("{id}; {elevated}"), "to=grace&amount=1");
    // Stolen, forged, tossed, signed out, and tried again.
    ask("GET /me", SCRIPT, &id, "");
    ask("GET /transfer", SCRIPT, &id, "");
    ask("GET /me", SCRIPT, &format!("{}A", id.trim_end_matches(char::is_alphanumeric)), "");
    ask("GET /me", LAPTOP, &format!("{id}; {id}"), "");
    ask(&format!("GET /?token={}", id.split_once('=').unwrap().1), LAPTOP, "", "");
    ask("POST /password", LAPTOP, &format!("{id}; {elevated}"), "current=ada-demo-1&new=another-password-of-ada");
    ask("POST /logout", LAPTOP, &id, "");
    ask("GET /me", SCRIPT, &id, "");
    secrets.retain(|value| !value.is_empty());
    secrets
}

/// What of it must not be told. A token begins with its session's public id, which may be; of what follows no part.
fn parts(secret: &str) -> Vec<&str> {
    let token = secret.strip_prefix("cfoil1_").and_then(|rest| Some(rest.split_once('_')?.1));
    let Some(rest) = token.and_then(|token| token.get(ID_AND_GENERATION..)) else { return vec![secret] };
    (0..rest.len() / PART).filter_map(|number| rest.get(number * PART..(number + 1) * PART)).collect()
}

/// Of 22 bytes, in base64url, and the beginning of what follows.
const ID_AND_GENERATION: usize = 30;
/// Nobody guesses the rest, and none of these stands in a log by chance.
const PART: usize = 12;

#[test]
fn nobody_is_told_what_would_let_them_in_or_where_somebody_is() {
    let heard = tempfile::tempdir().unwrap();
    let webhooks = heard.path().join("webhooks");
    let policy = format!(
        "[events.trail]\nfolder = \"trail\"\n[events.lines]\nfile = \"events.jsonl\"\n\
         [[events.webhooks]]\nname = \"siem\"\nurl = \"{}\"\nsecrets = [\"{SECRET}\"]\n",
        receiver(&webhooks)
    );
    let options = [
        "--trusted-proxy",
        "127.0.0.1",
        "--metrics",
        "127.0.0.1:0",
        "--log",
        "trace",
        "--rotate-every",
        "1s",
        "--grace",
        "500ms",
    ];
    let mut demo = Demo::with(&policy, &options);
    let secrets = a_bad_day(&demo);
    assert!(secrets.len() >= 4, "cookies were set, and forms had tokens: {}", secrets.len());
    let metrics = metrics(&demo);
    demo.stop();

    let data = demo.folder.path().join("data");
    let trail = fs::read_dir(data.join("trail"))
        .unwrap()
        .map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap_or_default());
    let told = [
        ("log", fs::read_to_string(demo.folder.path().join("log")).unwrap()),
        ("lines", fs::read_to_string(data.join("events.jsonl")).unwrap()),
        ("trail", trail.collect()),
        ("webhooks", fs::read_to_string(&webhooks).unwrap()),
        ("metrics", metrics),
        ("banner", demo.banner.join("\n")),
    ];
    // That nothing was found must not be because nothing was told.
    for (place, text) in &told[..4] {
        for event in ["session.created", "risk.signal", "step_up.done", "session.ended"] {
            assert!(text.contains(event), "{place} has no {event}");
        }
    }
    assert!(told[0].1.lines().count() > 50, "the log is talkative");
    // The banner is there to show the passwords with which anybody may try the demo.
    let passwords = [WRONG, "ada-demo-1", "another-password-of-ada", SECRET.trim_start_matches("whsec_"), ADDRESS];
    for (place, text) in &told {
        let texts = passwords.into_iter().filter(|text| (*place, *text) != ("banner", "ada-demo-1"));
        for (number, secret) in secrets.iter().map(String::as_str).chain(texts).enumerate() {
            for part in parts(secret) {
                assert!(!text.contains(part), "{place} tells secret {number} of {}", secrets.len());
            }
        }
    }
}
