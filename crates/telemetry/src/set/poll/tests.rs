//! What is polled comes in order, comes again until it is confirmed, and waits for nobody but who wants to wait.

use std::future::Future;

use counterfoil_core::{EventKind, FakeClock, Moment, rules::EndReason};
use serde_json::{Value, json};

use super::super::Stream;
use super::super::tests::{NOW, SESSION, SUBJECT, eddsa, event, settings};
use super::*;
use crate::told::EventId;

const SECRET: &str = "correct-horse-battery";

fn shown() -> HeaderMap {
    [(http::header::AUTHORIZATION, HeaderValue::from_static("Bearer correct-horse-battery"))].into_iter().collect()
}

fn stream(limits: PollLimits) -> (PollStream, impl Sink) {
    let writer = Writer::new(Stream::try_from(settings()).unwrap(), Arc::new(eddsa("k")), None);
    PollStream::new(writer, Arc::new(FakeClock::at(NOW)), Bearer::new(SECRET).unwrap(), limits)
}

fn told(number: u8) -> Told {
    let kind = EventKind::SessionEnded { reason: EndReason::SignOut };
    Told::new(EventId::from_bytes([number; 16]), None, event(Some(SESSION), Some(SUBJECT), kind))
}

fn jti(number: u8) -> String {
    EventId::from_bytes([number; 16]).to_string()
}

fn run<F: Future>(test: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(test)
}

/// The numbers of the tokens that this poll gets, and whether there are more.
async fn poll(stream: &PollStream, ask: Value) -> (Vec<u8>, bool) {
    let given: Value = serde_json::from_str(&stream.poll(&shown(), ask.to_string().as_bytes()).await.unwrap()).unwrap();
    let sets = given["sets"].as_object().unwrap();
    let numbers = (0..=255).filter(|number| sets.contains_key(&jti(*number))).collect::<Vec<_>>();
    assert_eq!(numbers.len(), sets.len());
    (numbers, given["moreAvailable"].as_bool().unwrap())
}

fn now() -> Value {
    json!({ "returnImmediately": true })
}

#[test]
fn what_is_not_confirmed_comes_again_and_what_is_does_not() {
    run(async {
        let (stream, mut sink) = stream(PollLimits::default());
        (1..=3).for_each(|number| sink.take(&told(number)));
        assert_eq!(poll(&stream, now()).await, (vec![1, 2, 3], false));
        assert_eq!(poll(&stream, now()).await, (vec![1, 2, 3], false));
        let ask = json!({ "returnImmediately": true, "ack": [jti(2), "of-nobody"] });
        assert_eq!(poll(&stream, ask.clone()).await, (vec![1, 3], false));
        assert_eq!(poll(&stream, ask).await, (vec![1, 3], false), "twice is fine");
        let ask = json!({ "returnImmediately": true, "ack": [jti(1)],
            "setErrs": { jti(3): { "err": "invalid_key", "description": "…" }, "of-nobody": { "err": "x" } } });
        assert_eq!(poll(&stream, ask).await, (vec![], false));
        let expected = Figures { delivered: 2, given_up: 1, ..Figures::default() };
        assert_eq!(stream.figures(), expected);
    });
}

#[test]
fn the_oldest_come_first_and_never_more_than_were_asked_for_or_are_given_at_once() {
    run(async {
        let (stream, mut sink) = stream(PollLimits { at_once: 4, ..PollLimits::default() });
        (1..=6).for_each(|number| sink.take(&told(number)));
        #[rustfmt::skip]
        let rows = [
            (json!({ "maxEvents": 1 }),                 (vec![1], true)),
            (json!({ "maxEvents": 4 }),                 (vec![1, 2, 3, 4], true)),
            (json!({ "maxEvents": 1_000_000 }),         (vec![1, 2, 3, 4], true)),
            (json!({}),                                 (vec![1, 2, 3, 4], true)),
            (json!({ "maxEvents": 0 }),                 (vec![], true)),
            (json!({ "unknown": { "a": [1] } }),        (vec![1, 2, 3, 4], true)),
            (json!({ "ack": [jti(1), jti(2)] }),        (vec![3, 4, 5, 6], false)),
        ];
        for (ask, expected) in rows {
            assert_eq!(poll(&stream, ask.clone()).await, expected, "{ask}");
        }
    });
}

#[test]
fn where_there_is_no_room_the_oldest_are_lost_and_counted() {
    run(async {
        let (stream, mut sink) = stream(PollLimits { kept: 3, ..PollLimits::default() });
        (1..=5).for_each(|number| sink.take(&told(number)));
        assert_eq!(poll(&stream, now()).await, (vec![3, 4, 5], false));
        assert_eq!(stream.figures(), Figures { lost: 2, waiting: 3, ..Figures::default() });
        assert_eq!(poll(&stream, json!({ "returnImmediately": true, "ack": [jti(1), jti(3)] })).await.0, [4, 5]);
        assert_eq!(stream.figures().delivered, 1, "what was lost is not delivered");
        assert_eq!(stream.0.kept.lock().places.len(), 2);
    });
}

#[test]
fn a_poll_waits_until_something_comes_or_its_time_is_over() {
    run(async {
        let (stream, mut sink) = stream(PollLimits { waiting_polls: 1, ..PollLimits::default() });
        let began = tokio::time::Instant::now();
        assert_eq!(poll(&stream, json!({})).await, (vec![], false));
        assert_eq!(began.elapsed(), Duration::from_secs(30));
        let waiting = poll(&stream, json!({}));
        let others = async {
            tokio::time::sleep(Duration::from_secs(7)).await;
            // One waits already; this one, and who does not want to or wants nothing, is answered at once.
            for ask in [json!({}), now(), json!({ "maxEvents": 0 })] {
                assert_eq!(poll(&stream, ask).await, (vec![], false));
            }
            assert_eq!(began.elapsed(), Duration::from_secs(37));
            sink.take(&told(1));
        };
        assert_eq!(tokio::join!(waiting, others).0, (vec![1], false));
        assert_eq!(began.elapsed(), Duration::from_secs(37));
    });
}

#[test]
fn whoever_hangs_up_loses_nothing_and_leaves_its_place() {
    run(async {
        let (stream, mut sink) = stream(PollLimits { waiting_polls: 1, ..PollLimits::default() });
        for _ in 0..3 {
            let hung_up = tokio::time::timeout(Duration::from_secs(1), poll(&stream, json!({}))).await;
            assert!(hung_up.is_err(), "it waits each time: the place is free again");
        }
        sink.take(&told(1));
        assert_eq!(poll(&stream, json!({})).await, (vec![1], false));
    });
}

#[test]
fn what_is_no_poll_of_the_receiver_s_is_refused_and_changes_nothing() {
    run(async {
        let (stream, mut sink) = stream(PollLimits::default());
        sink.take(&told(1));
        let ack = json!({ "returnImmediately": true, "ack": [jti(1)] }).to_string();
        let deep = format!("{{\"a\":{}", "[".repeat(100_000));
        let large = format!("{{\"ack\":[\"{}\"]}}", "x".repeat(PollStream::MOST_BYTES));
        let empty = HeaderMap::new();
        #[rustfmt::skip]
        let rows = [
            (&empty,   ack.as_str(),                    401),
            (&empty,   "[",                             401),
            (&shown(), "",                              400),
            (&shown(), "null",                          400),
            (&shown(), "{\"ack\":\"evt\"}",             400),
            (&shown(), "{\"maxEvents\":-1}",            400),
            (&shown(), "{\"setErrs\":{\"a\":{}}}",      400),
            (&shown(), deep.as_str(),                   400),
            (&shown(), large.as_str(),                  413),
        ];
        for (headers, body, status) in rows {
            let answer = stream.answer(headers, body.as_bytes()).await;
            assert_eq!(answer.status(), status, "{}", body.get(..40).unwrap_or(body));
            assert_eq!(answer.headers()[CONTENT_TYPE], "application/json");
            assert_eq!(answer.headers().contains_key(WWW_AUTHENTICATE), status == 401);
        }
        assert_eq!(stream.figures(), Figures { failed_attempts: 2, waiting: 1, ..Figures::default() });
        let answer = stream.answer(&shown(), ack.as_bytes()).await;
        assert_eq!((answer.status(), answer.headers()[CACHE_CONTROL].to_str().unwrap()), (StatusCode::OK, "no-store"));
        assert_eq!(answer.body(), r#"{"sets":{},"moreAvailable":false}"#);
    });
}

#[test]
fn what_nobody_can_sign_is_lost_and_counted_and_what_says_nothing_is_not() {
    struct NoKeys;
    impl super::super::Signer for NoKeys {
        fn sign(&self, _: &[u8], _: Moment) -> Result<String, super::super::Unsigned> {
            Err(super::super::Unsigned)
        }
    }
    let writer = Writer::new(Stream::try_from(settings()).unwrap(), Arc::new(NoKeys), None);
    let clock = Arc::new(FakeClock::at(NOW));
    let (stream, mut sink) = PollStream::new(writer, clock, Bearer::new(SECRET).unwrap(), PollLimits::default());
    sink.take(&told(1));
    sink.take(&Told::new(EventId::from_bytes([2; 16]), None, event(None, None, EventKind::TokenForged)));
    assert_eq!(stream.figures(), Figures { lost: 1, ..Figures::default() });
}

#[test]
fn a_receiver_s_words_reach_no_log_but_for_a_code() {
    for (text, code) in [("invalid_key", "invalid_key"), ("", "other"), ("a\nb", "other"), ("Bearer x", "other")] {
        assert_eq!(as_a_code(text), code);
    }
    assert_eq!(as_a_code(&"x".repeat(41)), "other");
}
