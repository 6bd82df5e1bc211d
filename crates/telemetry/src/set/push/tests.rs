//! Tokens arrive as the RFC wants them, again while nobody is there, and never twice once they were judged.

use std::future::Future;

use counterfoil_core::{EventKind, FakeClock, rules::EndReason};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::sync::mpsc::UnboundedReceiver;

use super::super::Stream;
use super::super::tests::{NOW, SESSION, SUBJECT, eddsa, event, settings};
use super::*;
use crate::client::{Limits, PlainHttp, memory};
use crate::told::EventId;

const ACCEPTED: &str = "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

fn delivery() -> Delivery {
    let to = Endpoint::checked("http://127.0.0.1/events?key=s3cret", PlainHttp::Loopback).unwrap();
    Delivery { bearer: Some(Bearer::new("correct-horse-battery").unwrap()), ..Delivery::to(to) }
}

fn told(number: u8) -> Told {
    let kind = EventKind::SessionEnded { reason: EndReason::SignOut };
    Told::new(EventId::from_bytes([number; 16]), None, event(Some(SESSION), Some(SUBJECT), kind))
}

fn jti(number: u8) -> String {
    EventId::from_bytes([number; 16]).to_string()
}

/// A stream whose work goes on beside the test, and the connections that come out of it.
fn stream(delivery: Delivery) -> (PushStream, impl Sink, UnboundedReceiver<DuplexStream>) {
    let writer = Writer::new(Stream::try_from(settings()).unwrap(), Arc::new(eddsa("k")), None);
    let (client, connections) = memory::client(Limits::default());
    let (stream, sink, work) = PushStream::new(writer, Arc::new(FakeClock::at(NOW)), client, delivery);
    tokio::spawn(work);
    (stream, sink, connections)
}

fn run<F: Future>(test: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(test)
}

/// The next request as it came, once it is answered so.
async fn answer(connections: &mut UnboundedReceiver<DuplexStream>, with: &str) -> String {
    let mut connection = connections.recv().await.unwrap();
    let mut read = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let some = connection.read(&mut chunk).await.unwrap();
        read.extend_from_slice(&chunk[..some]);
        let text = String::from_utf8_lossy(&read).to_lowercase();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length: usize = head.split("content-length: ").nth(1).unwrap().lines().next().unwrap().parse().unwrap();
        if body.len() >= length {
            break;
        }
    }
    connection.write_all(with.as_bytes()).await.unwrap();
    String::from_utf8(read).unwrap()
}

/// Which token a request brings.
fn brings(request: &str) -> String {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
    let payload = request.split("\r\n\r\n").nth(1).unwrap().split('.').nth(1).unwrap();
    let claims: serde_json::Value = serde_json::from_slice(&BASE64.decode(payload).unwrap()).unwrap();
    claims["jti"].as_str().unwrap().to_owned()
}

#[test]
fn a_token_is_posted_as_the_rfc_wants_it() {
    run(async {
        let (stream, mut sink, mut connections) = stream(delivery());
        sink.take(&told(1));
        assert_eq!(stream.figures(), Figures { waiting: 1, ..Figures::default() });
        let request = answer(&mut connections, ACCEPTED).await;
        let (head, body) = request.split_once("\r\n\r\n").unwrap();
        let head = head.to_lowercase();
        assert!(head.starts_with("post /events?key=s3cret http/1.1\r\n"), "{head}");
        for line in [
            "content-type: application/secevent+jwt",
            "accept: application/json",
            "authorization: bearer correct-horse-battery",
        ] {
            assert!(head.lines().any(|own| own == line), "{line}: {head}");
        }
        assert_eq!((body.split('.').count(), brings(&request)), (3, jti(1)));
        stream.drained().await;
        assert_eq!(stream.figures(), Figures { delivered: 1, ..Figures::default() });
    });
}

#[test]
fn each_answer_means_what_the_table_says() {
    use Outcome::{Delivered, Failed, Refused};
    let refused = |code: &str| Refused(code.to_owned());
    let failed = |why: &str, asked: Option<u64>| Failed { why: why.to_owned(), asked: asked.map(Duration::from_secs) };
    let known = r#"{"err":"invalid_key","description":"expired"}"#;
    #[rustfmt::skip]
    let rows = [
        (202, None,       "",                              Delivered),
        (200, None,       "thanks",                        Delivered),
        (204, None,       "",                              Delivered),
        (400, None,       known,                           refused("invalid_key")),
        (400, None,       r#"{"err":"Bearer s3cret\n"}"#,  refused("other")),
        (400, Some("30"), known,                           refused("invalid_key")),
        // Not said of the token: a proxy's page, perhaps.
        (400, None,       "<h1>Bad Request</h1>",          failed("400", None)),
        (400, None,       r#"{"error":"x"}"#,              failed("400", None)),
        (401, None,       known,                           failed("401", None)),
        (404, None,       known,                           failed("404", None)),
        (307, None,       "",                              failed("307", None)),
        (429, Some("30"), "",                              failed("429", Some(30))),
        (500, None,       known,                           failed("500", None)),
        (503, Some("7"),  "",                              failed("503", Some(7))),
    ];
    for (status, retry, body, expected) in rows {
        let fields = retry.map(|value| (http::header::RETRY_AFTER, HeaderValue::from_static(value)));
        let answer = Answer {
            status: StatusCode::from_u16(status).unwrap(),
            headers: fields.into_iter().collect(),
            body: body.into(),
            is_whole: true,
        };
        assert_eq!(judged(&answer), expected, "{status} {body}");
    }
}

#[test]
fn what_is_not_taken_comes_again_the_same_and_those_behind_it_wait() {
    run(async {
        let (stream, mut sink, mut connections) = stream(delivery());
        sink.take(&told(1));
        sink.take(&told(2));
        let busy = "HTTP/1.1 503 Busy\r\nRetry-After: 60\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        let first = answer(&mut connections, busy).await;
        let failed = tokio::time::Instant::now();
        // Nobody answers: the client gives up.
        let hung = connections.recv().await.unwrap();
        assert!(failed.elapsed() >= Duration::from_mins(1));
        let again = answer(&mut connections, ACCEPTED).await;
        assert_eq!(again, first, "the same token, byte for byte");
        assert_eq!(brings(&answer(&mut connections, ACCEPTED).await), jti(2));
        drop(hung);
        stream.drained().await;
        assert_eq!(stream.figures(), Figures { delivered: 2, failed_attempts: 2, ..Figures::default() });
    });
}

#[test]
fn what_waited_for_a_receiver_that_is_there_again_is_tried_however_old_it_is() {
    run(async {
        let (stream, mut sink, mut connections) =
            stream(Delivery { give_up_after: Duration::from_secs(10), ..delivery() });
        sink.take(&told(1));
        sink.take(&told(2));
        let busy = "HTTP/1.1 503 Busy\r\nRetry-After: 8\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        answer(&mut connections, busy).await;
        // It takes the first, slowly.
        let mut connection = connections.recv().await.unwrap();
        tokio::time::sleep(Duration::from_secs(5)).await;
        connection.write_all(ACCEPTED.as_bytes()).await.unwrap();
        assert_eq!(brings(&answer(&mut connections, ACCEPTED).await), jti(2));
        stream.drained().await;
        assert_eq!(stream.figures(), Figures { delivered: 2, failed_attempts: 1, ..Figures::default() });
    });
}

#[test]
fn a_token_that_the_receiver_refuses_does_not_come_again() {
    run(async {
        let (stream, mut sink, mut connections) = stream(delivery());
        sink.take(&told(1));
        sink.take(&told(2));
        let refusal =
            "HTTP/1.1 400 No\r\nConnection: close\r\nContent-Length: 26\r\n\r\n{\"err\":\"invalid_audience\"}";
        assert_eq!(brings(&answer(&mut connections, refusal).await), jti(1));
        assert_eq!(brings(&answer(&mut connections, ACCEPTED).await), jti(2));
        stream.drained().await;
        assert_eq!(stream.figures(), Figures { delivered: 1, given_up: 1, ..Figures::default() });
    });
}

#[test]
fn while_nobody_is_there_the_queue_is_bounded_and_what_is_too_old_is_given_up_untried() {
    run(async {
        let (stream, mut sink, mut connections) = stream(Delivery { waiting: 3, ..delivery() });
        sink.take(&told(0));
        let began = tokio::time::Instant::now();
        // The work has taken the first when its connection comes.
        drop(connections.recv().await.unwrap());
        (1..=5).for_each(|number| sink.take(&told(number)));
        assert_eq!(stream.figures(), Figures { lost: 2, waiting: 4, ..stream.figures() });
        let gone = async {
            while let Some(connection) = connections.recv().await {
                drop(connection);
            }
        };
        tokio::select! {
            () = gone => unreachable!(),
            () = stream.drained() => {}
        }
        let Figures { delivered, failed_attempts, given_up, lost, waiting } = stream.figures();
        assert_eq!((delivered, given_up, lost, waiting), (0, 4, 2, 0));
        assert!((15..40).contains(&failed_attempts), "{failed_attempts} in an hour");
        assert!((60..70).contains(&(began.elapsed().as_secs() / 60)), "{:?}", began.elapsed());
        // It is there again, and everything is as before.
        sink.take(&told(9));
        assert_eq!(brings(&answer(&mut connections, ACCEPTED).await), jti(9));
        stream.drained().await;
        assert_eq!(stream.figures().delivered, 1);
    });
}

#[test]
fn the_work_ends_with_the_sink_and_a_sink_without_it_loses_and_counts() {
    run(async {
        let writer = || Writer::new(Stream::try_from(settings()).unwrap(), Arc::new(eddsa("k")), None);
        let (client, mut connections) = memory::client(Limits::default());
        let clock = Arc::new(FakeClock::at(NOW));
        let (stream, mut sink, work) = PushStream::new(writer(), clock.clone(), client.clone(), delivery());
        let work = tokio::spawn(work);
        sink.take(&told(1));
        drop(sink);
        answer(&mut connections, ACCEPTED).await;
        work.await.unwrap();
        assert_eq!(stream.figures(), Figures { delivered: 1, ..Figures::default() });
        let (stream, mut sink, work) = PushStream::new(writer(), clock, client, delivery());
        drop(work);
        sink.take(&told(2));
        assert_eq!(stream.figures(), Figures { lost: 1, ..Figures::default() });
        stream.drained().await;
    });
}

#[test]
fn what_waits_when_the_work_is_stopped_is_lost_and_counted() {
    run(async {
        let writer = Writer::new(Stream::try_from(settings()).unwrap(), Arc::new(eddsa("k")), None);
        let (client, mut connections) = memory::client(Limits::default());
        let (stream, mut sink, work) = PushStream::new(writer, Arc::new(FakeClock::at(NOW)), client, delivery());
        let work = tokio::spawn(work);
        (1..=3).for_each(|number| sink.take(&told(number)));
        let _under_way = connections.recv().await.unwrap();
        work.abort();
        stream.drained().await;
        assert_eq!(stream.figures(), Figures { lost: 3, ..Figures::default() });
    });
}

#[test]
fn what_is_secret_is_not_printed() {
    run(async {
        let (stream, _sink, _connections) = stream(delivery());
        let printed = format!("{stream:?} {:?}", delivery());
        assert!(!printed.contains("s3cret") && !printed.contains("correct"), "{printed}");
    });
}
