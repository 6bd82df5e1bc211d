//! What a collector gets, and what becomes of events when it does not take them.

use std::future::Future;

use counterfoil_core::agent::{Agent, Browser, Platform};
use counterfoil_core::rules::{Decision, EndReason, Evidence, Glimpse, Place, Signal};
use counterfoil_core::{Event, EventKind, Moment, SessionId, SubjectRef};
use opentelemetry_proto::tonic::collector::logs::v1::{ExportLogsPartialSuccess, ExportLogsServiceRequest};
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value::Value as Any};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::sync::mpsc::UnboundedReceiver;

use super::*;
use crate::client::{Limits, PlainHttp, memory};
use crate::told::EventId;

const SESSION: SessionId = SessionId::from_bytes([7; 18]);
const SUBJECT: SubjectRef = SubjectRef::from_bytes([9; 16]);

fn told(kind: EventKind) -> Told {
    let at = Moment::from_unix_millis(1_700_000_000_123);
    let event = Event { at, session: Some(SESSION), subject: Some(SUBJECT), kind };
    Told::new(EventId::from_bytes([1; 16]), Some("wiki".into()), event)
}

fn ended() -> Told {
    told(EventKind::SessionEnded { reason: EndReason::SignOut })
}

fn service() -> Service {
    Service { name: "shop".to_owned(), version: "1.2.3".to_owned(), instance: "node-1".to_owned() }
}

fn export() -> Export {
    let to = Endpoint::checked("http://127.0.0.1:4318/v1/logs", PlainHttp::Loopback).unwrap();
    let headers = [(http::header::AUTHORIZATION, HeaderValue::from_static("Bearer s3cret"))].into_iter().collect();
    Export { headers, ..Export::to(to, service()) }
}

/// An export whose work goes on beside the test, and the connections that come out of it.
fn otlp(export: Export) -> (Otlp, impl Sink, UnboundedReceiver<DuplexStream>) {
    let (client, connections) = memory::client(Limits::default());
    let (otlp, sink, work) = Otlp::new(client, export);
    tokio::spawn(work);
    (otlp, sink, connections)
}

fn run<F: Future>(test: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(test)
}

/// The head of the next request and the records in it, once it is answered so.
async fn collect(
    connections: &mut UnboundedReceiver<DuplexStream>,
    status: &str,
    body: &[u8],
) -> (String, ExportLogsServiceRequest) {
    let mut connection = connections.recv().await.unwrap();
    let (mut read, mut chunk) = (Vec::new(), vec![0; 64 * 1024]);
    let (head, sent) = loop {
        let some = connection.read(&mut chunk).await.unwrap();
        read.extend_from_slice(&chunk[..some]);
        let Some(end) = read.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&read[..end]).to_lowercase();
        let length: usize = head.split("content-length: ").nth(1).unwrap().lines().next().unwrap().parse().unwrap();
        if read.len() >= end + 4 + length {
            break (head, read[end + 4..].to_vec());
        }
    };
    let answer = format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
    connection.write_all(&[answer.as_bytes(), body].concat()).await.unwrap();
    (head, ExportLogsServiceRequest::decode(&*sent).unwrap())
}

fn records(request: &ExportLogsServiceRequest) -> &[LogRecord] {
    assert_eq!((request.resource_logs.len(), request.resource_logs[0].scope_logs.len()), (1, 1));
    &request.resource_logs[0].scope_logs[0].log_records
}

fn shown(attributes: &[KeyValue]) -> Vec<String> {
    let value = |value: &Any| match value {
        Any::StringValue(text) => format!("{text:?}"),
        Any::IntValue(number) => number.to_string(),
        Any::BoolValue(value) => value.to_string(),
        other => panic!("{other:?}"),
    };
    let mut all: Vec<_> = attributes
        .iter()
        .map(|KeyValue { key, value: any, .. }| {
            format!("{key}={}", value(any.as_ref().unwrap().value.as_ref().unwrap()))
        })
        .collect();
    all.sort();
    all
}

#[test]
fn a_record_says_all_that_the_event_says_under_the_names_of_opentelemetry() {
    let glimpse = |country: &[u8; 2], browser| Glimpse {
        agent: Agent { platform: Platform::Linux, browser },
        place: Place { country: Some(*country), asn: Some(64_496), ..Place::UNKNOWN },
    };
    let evidence = Evidence {
        seen: glimpse(b"BR", Browser::Curl),
        expected: Some(glimpse(b"DE", Browser::Firefox)),
        gap_km: Some(9_000),
        after: Some(Duration::from_mins(1)),
    };
    let signal = Signal::ImpossibleTravel;
    let kind = EventKind::Signalled { signal, decision: Decision::StepUp, evidence: Some(evidence), own: None };
    let request = record::request(&service(), [told(kind)].iter());
    let resource = request.resource_logs[0].resource.as_ref().unwrap();
    assert_eq!(
        shown(&resource.attributes),
        ["service.instance.id=\"node-1\"", "service.name=\"shop\"", "service.version=\"1.2.3\"",]
    );
    let [record] = records(&request) else { panic!("one event, one record") };
    assert_eq!(record.event_name, "counterfoil.risk.signal");
    assert_eq!(record.time_unix_nano, 1_700_000_000_123_000_000);
    assert_eq!(record.observed_time_unix_nano, record.time_unix_nano);
    assert_eq!(record.body.as_ref().unwrap().value, Some(Any::StringValue("risk.signal".to_owned())));
    assert_eq!(
        shown(&record.attributes),
        [
            "counterfoil.decision=\"step_up\"",
            "counterfoil.evidence.after_seconds=60",
            "counterfoil.evidence.expected.asn=64496",
            "counterfoil.evidence.expected.client=\"Firefox on Linux\"",
            "counterfoil.evidence.expected.country=\"DE\"",
            "counterfoil.evidence.expected.network=\"ordinary\"",
            "counterfoil.evidence.gap_km=9000",
            "counterfoil.evidence.seen.asn=64496",
            "counterfoil.evidence.seen.client=\"curl on Linux\"",
            "counterfoil.evidence.seen.country=\"BR\"",
            "counterfoil.evidence.seen.network=\"ordinary\"",
            "counterfoil.id=\"evt_01010101010101010101010101010101\"",
            "counterfoil.reason=\"impossible_travel\"",
            "counterfoil.signal=\"impossible_travel\"",
            "counterfoil.site=\"wiki\"",
            "counterfoil.version=1",
            "session.id=\"ses_BwcHBwcHBwcHBwcHBwcHBwcH\"",
            "user.hash=\"CQkJCQkJCQkJCQkJCQkJCQ\"",
        ]
    );
    let created = told(EventKind::SessionCreated { previous: Some(SESSION) });
    let request = record::request(&service(), [created].iter());
    let previous = format!("session.previous_id=\"{SESSION}\"");
    assert!(shown(&records(&request)[0].attributes).contains(&previous));
}

#[test]
fn the_more_an_event_asks_for_attention_the_higher_its_severity() {
    #[rustfmt::skip]
    let rows = [
        (EventKind::SessionRotated,                 9,  "info"),
        (EventKind::LimitReached,                   10, "notice"),
        (EventKind::TokenForged,                    13, "warning"),
        (EventKind::TokenReused { ended: true },    17, "alert"),
    ];
    for (kind, number, text) in rows {
        let request = record::request(&service(), [told(kind)].iter());
        let LogRecord { severity_number, severity_text, .. } = &records(&request)[0];
        assert_eq!((*severity_number, severity_text.as_str()), (number, text));
    }
}

#[test]
fn events_are_gathered_for_a_second_or_until_there_are_enough() {
    run(async {
        let (otlp, mut sink, mut connections) = otlp(Export { at_once: 3, ..export() });
        let began = Instant::now();
        (0..4).for_each(|_| sink.take(&ended()));
        let (head, request) = collect(&mut connections, "200 OK", b"").await;
        assert_eq!((records(&request).len(), began.elapsed()), (3, Duration::ZERO));
        assert!(head.starts_with("post /v1/logs http/1.1\r\n"), "{head}");
        for line in ["content-type: application/x-protobuf", "authorization: bearer s3cret"] {
            assert!(head.lines().any(|own| own == line), "{line}: {head}");
        }
        let (_, request) = collect(&mut connections, "200 OK", b"").await;
        assert_eq!(records(&request).len(), 1);
        assert!((1_000..1_100).contains(&began.elapsed().as_millis()), "{:?}", began.elapsed());
        otlp.drained().await;
        assert_eq!(otlp.figures(), Figures { delivered: 4, ..Figures::default() });
    });
}

#[test]
fn only_the_events_that_are_asked_for_are_sent() {
    run(async {
        let (otlp, mut sink, mut connections) = otlp(Export { events: Only::new(["token.*"]).unwrap(), ..export() });
        sink.take(&ended());
        sink.take(&told(EventKind::TokenForged));
        let (_, request) = collect(&mut connections, "200 OK", b"").await;
        assert_eq!(records(&request)[0].event_name, "counterfoil.token.forged");
        otlp.drained().await;
        assert_eq!(otlp.figures(), Figures { delivered: 1, ..Figures::default() });
    });
}

#[test]
fn each_answer_means_what_the_table_says() {
    use Outcome::{Failed, Refused, Taken};
    let partial = |rejected_log_records| {
        let partial_success = Some(ExportLogsPartialSuccess { rejected_log_records, error_message: "full".to_owned() });
        ExportLogsServiceResponse { partial_success }.encode_to_vec()
    };
    let failed = |why: &str, asked: Option<u64>| Failed { why: why.to_owned(), asked: asked.map(Duration::from_secs) };
    #[rustfmt::skip]
    let rows = [
        (200, None,       Vec::new(),               Taken { refused: 0 }),
        (200, None,       partial(3),               Taken { refused: 3 }),
        (200, None,       partial(-1),              Taken { refused: 0 }),
        (200, None,       b"<html>".to_vec(),       Taken { refused: 0 }),
        (202, None,       Vec::new(),               Taken { refused: 0 }),
        (400, None,       Vec::new(),               Refused("400".to_owned())),
        (401, Some("30"), Vec::new(),               Refused("401".to_owned())),
        (308, None,       Vec::new(),               Refused("308".to_owned())),
        (413, None,       Vec::new(),               Refused("413".to_owned())),
        (500, None,       Vec::new(),               Refused("500".to_owned())),
        (429, Some("30"), Vec::new(),               failed("429", Some(30))),
        (502, None,       Vec::new(),               failed("502", None)),
        (503, Some("7"),  Vec::new(),               failed("503", Some(7))),
        (504, None,       Vec::new(),               failed("504", None)),
    ];
    for (status, retry, body, expected) in rows {
        let fields = retry.map(|value| (http::header::RETRY_AFTER, HeaderValue::from_static(value)));
        let answer = Answer {
            status: StatusCode::from_u16(status).unwrap(),
            headers: fields.into_iter().collect(),
            body: body.into(),
            is_whole: true,
        };
        assert_eq!(judged(&answer), expected, "{status}");
    }
}

#[test]
fn what_is_not_taken_comes_again_and_what_is_refused_does_not() {
    run(async {
        let (otlp, mut sink, mut connections) = otlp(export());
        sink.take(&ended());
        sink.take(&ended());
        let (_, first) = collect(&mut connections, "503 Busy\r\nRetry-After: 60", b"").await;
        let failed = Instant::now();
        let partial_success = Some(ExportLogsPartialSuccess { rejected_log_records: 1, error_message: String::new() });
        let partial = ExportLogsServiceResponse { partial_success }.encode_to_vec();
        let (_, again) = collect(&mut connections, "200 OK", &partial).await;
        assert!(again == first && failed.elapsed() >= Duration::from_mins(1));
        sink.take(&ended());
        collect(&mut connections, "400 Bad", b"").await;
        otlp.drained().await;
        assert_eq!(otlp.figures(), Figures { delivered: 1, failed_attempts: 1, given_up: 2, ..Figures::default() });
    });
}

#[test]
fn while_nobody_is_there_the_queue_is_bounded_and_batches_are_given_up() {
    run(async {
        let (otlp, mut sink, mut connections) = otlp(Export { waiting: 3, at_once: 1, ..export() });
        sink.take(&ended());
        drop(connections.recv().await.unwrap());
        (0..5).for_each(|_| sink.take(&ended()));
        assert_eq!(otlp.figures(), Figures { lost: 2, waiting: 4, ..otlp.figures() });
        let began = Instant::now();
        let gone = async {
            while let Some(connection) = connections.recv().await {
                drop(connection);
            }
        };
        tokio::select! {
            () = gone => unreachable!(),
            () = otlp.drained() => {}
        }
        let Figures { delivered, given_up, lost, waiting, .. } = otlp.figures();
        assert_eq!((delivered, given_up, lost, waiting), (0, 4, 2, 0));
        assert!((10..16).contains(&(began.elapsed().as_secs() / 60)), "{:?}", began.elapsed());
        sink.take(&ended());
        collect(&mut connections, "200 OK", b"").await;
        otlp.drained().await;
        assert_eq!(otlp.figures().delivered, 1);
    });
}

#[test]
fn the_work_ends_with_the_sink_and_what_waits_when_it_is_stopped_is_lost_and_counted() {
    run(async {
        let (client, mut connections) = memory::client(Limits::default());
        let (first, mut sink, work) = Otlp::new(client.clone(), export());
        let work = tokio::spawn(work);
        sink.take(&ended());
        drop(sink);
        collect(&mut connections, "200 OK", b"").await;
        work.await.unwrap();
        assert_eq!(first.figures(), Figures { delivered: 1, ..Figures::default() });
        let (second, mut sink, work) = Otlp::new(client, Export { at_once: 2, ..export() });
        let work = tokio::spawn(work);
        (0..5).for_each(|_| sink.take(&ended()));
        let _under_way = connections.recv().await.unwrap();
        work.abort();
        second.drained().await;
        sink.take(&ended());
        assert_eq!(second.figures(), Figures { lost: 6, ..Figures::default() });
    });
}

#[test]
fn settings_become_an_export_or_name_what_does_not_fit() {
    let settings = |toml: serde_json::Value| serde_json::from_value::<OtlpSettings>(toml).unwrap();
    let check = |all| settings(all).check("node-1").map_err(|error| error.to_string());
    let url = "https://collector.example/v1/logs";
    let checked = check(serde_json::json!({ "url": url })).unwrap();
    assert_eq!((checked.waiting, checked.give_up_after), (16_384, Duration::from_mins(10)));
    assert_eq!((checked.service.name.as_str(), checked.service.instance.as_str()), ("counterfoil", "node-1"));
    #[rustfmt::skip]
    let rows = [
        (serde_json::json!({ "url": "collector" }),                     "url: not a URL of the form https://host/path"),
        (serde_json::json!({ "url": "http://collector.example/" }),     "url: http:// reaches this machine alone"),
        (serde_json::json!({ "url": url, "waiting": 0 }),               "waiting = 0 must be 1 to 1000000"),
        (serde_json::json!({ "url": url, "give_up_minutes": 1_441 }),   "give_up_minutes = 1441 must be 1 to 1440"),
        (serde_json::json!({ "url": url, "service_name": "" }),         "service_name = \"\" must be 1 to 255 characters"),
    ];
    for (all, start) in rows {
        let error = check(all).unwrap_err();
        assert!(error.starts_with(start), "{error}");
    }
    assert!(serde_json::from_value::<OtlpSettings>(serde_json::json!({ "url": url, "uri": url })).is_err());
    assert!(check(serde_json::json!({ "url": "http://collector.example/", "plain_http": true })).is_ok());
}

#[test]
fn what_a_collector_wants_to_know_us_by_lies_in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("fields");
    let settings = || serde_json::json!({ "url": "https://collector.example/v1/logs", "headers_file": file });
    let check = || serde_json::from_value::<OtlpSettings>(settings()).unwrap().check("node-1");
    assert!(check().unwrap_err().to_string().ends_with("fields: cannot be read"));
    std::fs::write(&file, "authorization: Bearer s3cret\n\n x-scope: a:b \n").unwrap();
    std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let export = check().unwrap();
    assert_eq!(
        (&export.headers["authorization"], &export.headers["x-scope"]),
        (&"Bearer s3cret".parse().unwrap(), &"a:b".parse().unwrap())
    );
    assert!(!format!("{export:?}").contains("s3cret"));
    std::fs::write(&file, "x-scope: a\ns3cret\n").unwrap();
    let error = check().unwrap_err().to_string();
    assert!(error.ends_with("line 2 is no field: write `name: value`") && !error.contains("s3cret"), "{error}");
}

#[test]
fn what_is_secret_is_not_printed() {
    run(async {
        let (otlp, _sink, _connections) = otlp(export());
        let printed = format!("{otlp:?} {:?}", export());
        assert!(!printed.contains("s3cret"), "{printed}");
    });
}
