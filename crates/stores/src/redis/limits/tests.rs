//! The count in Redis beside the reference, and shared by several nodes.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use counterfoil_core::keys::{GeneratedKeys, SharedRing};
use counterfoil_core::limits::{Answer, Ask, Asker, Ledger, LimitSettings, SharedLimits as _, SignInRates};
use counterfoil_core::seal::Sealer;
use counterfoil_core::{FakeClock, Moment, SessionId};
use counterfoil_servers::{Redis, RedisCluster};
use tokio::sync::Barrier;

use super::super::{RedisStore, Settings};
use super::RedisLimits;

async fn node(url: &str, prefix: &str, ring: &SharedRing) -> (RedisStore, Arc<RedisLimits>) {
    let settings = Settings { prefix: prefix.into(), ..Settings::default() };
    let clock = FakeClock::at(Moment::from_unix_seconds(1_700_000_000));
    let store = RedisStore::open(url, Sealer::new(ring.clone()), clock, settings).await.unwrap();
    let limits = Arc::new(store.limits());
    (store, limits)
}

fn ring() -> SharedRing {
    SharedRing::from_source(&GeneratedKeys).unwrap()
}

fn from(n: u32) -> Asker {
    Asker { client: Some(IpAddr::from((0x0a00_0000 + n).to_be_bytes())), ..Asker::default() }
}

/// So slow that none recovers while a test runs.
fn slow() -> LimitSettings {
    let rate = |text: &str| text.parse().unwrap();
    let sign_in = SignInRates {
        address: rate("10 per day"),
        network: None,
        subject: rate("20 per day"),
        place: rate("9 per day"),
    };
    LimitSettings { sign_in, ..LimitSettings::default() }
}

fn is_granted(answer: &Answer) -> bool {
    matches!(answer, Answer::Granted(_))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "takes a Redis: run in the stage that installs it"]
async fn of_64_at_once_on_three_nodes_as_many_are_admitted_as_the_limit_says_and_not_one_more() {
    let server = Redis::start().await.unwrap();
    let (ring, settings) = (ring(), Arc::new(slow()));
    let mut nodes = Vec::new();
    for _ in 0..3 {
        nodes.push(node(&server.url(), "race:", &ring).await);
    }
    for round in 0..20_u32 {
        let begin = Arc::new(Barrier::new(64));
        let tries = (0..64_u32).map(|n| {
            let (limits, begin) = (Arc::clone(&nodes[n as usize % 3].1), Arc::clone(&begin));
            let (ring, settings) = (ring.clone(), Arc::clone(&settings));
            tokio::spawn(async move {
                let one_address = n % 2 == 0;
                let (client, name) = if one_address {
                    (from(round), format!("name-{round}-{n}"))
                } else {
                    (from(1_000 + round * 64 + n), format!("ada-{round}"))
                };
                let ask = settings.sign_in(&ring, client, &name);
                begin.wait().await;
                (one_address, is_granted(&limits.ask(&ask).await.unwrap()))
            })
        });
        let (mut from_one, mut at_one) = (0, 0);
        for tried in tries.collect::<Vec<_>>() {
            match tried.await.unwrap() {
                (true, granted) => from_one += u32::from(granted),
                (false, granted) => at_one += u32::from(granted),
            }
        }
        assert_eq!((from_one, at_one), (10, 20), "round {round}");
    }
}

#[tokio::test]
#[ignore = "takes a Redis: run in the stage that installs it"]
async fn what_one_node_learns_all_know_and_what_one_gives_back_all_have() {
    let server = Redis::start().await.unwrap();
    let (ring, settings) = (ring(), slow());
    let [(_one, one), (_two, two)] =
        [node(&server.url(), "known:", &ring).await, node(&server.url(), "known:", &ring).await];
    let home = settings.sign_in(&ring, from(1), "ada");
    for _ in 0..30 {
        let Answer::Granted(granted) = one.ask(&home).await.unwrap() else { panic!("it was given back") };
        one.give_back(&home, granted.familiar, true).await.unwrap();
    }
    for n in 100..140 {
        let granted = is_granted(&two.ask(&settings.sign_in(&ring, from(n), "ada")).await.unwrap());
        assert_eq!(granted, n < 120, "strangers share what there is: {n}");
    }
    assert!(is_granted(&two.ask(&home).await.unwrap()), "the other node knows the place");
    let other_keys = SharedRing::from_source(&GeneratedKeys).unwrap();
    assert!(is_granted(&two.ask(&settings.sign_in(&other_keys, from(200), "ada")).await.unwrap()), "another site's");
}

/// The same calls on the script and on the reference, in steps long enough that their clocks agree.
#[tokio::test]
#[ignore = "takes a Redis: run in the stage that installs it"]
async fn the_script_decides_as_the_reference_does() {
    let server = Redis::start().await.unwrap();
    let (ring, settings) = (ring(), slow());
    let (_store, limits) = node(&server.url(), "reference:", &ring).await;
    let mut ledger = Ledger::of(65_536);
    let mut chance = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = |below: u64| {
        chance ^= chance << 13;
        chance ^= chance >> 7;
        chance ^= chance << 17;
        chance % below
    };
    let session = |n: u64| SessionId::from_bytes([u8::try_from(n).unwrap(); 18]);
    let mut refused = 0;
    for step in 0..3_000 {
        let (client, name) = (from(u32::try_from(next(8)).unwrap()), format!("name-{}", next(4)));
        let device = Asker { session: Some(session(next(3))), is_theirs: true, ..client };
        let ask: Ask = match next(8) {
            0 => settings.sign_in(&ring, device, &name),
            1 => settings.code(&ring, client, &name),
            2 => settings.step_up(&ring, session(next(3))),
            3 => settings.sign_in(&ring, Asker::default(), &name),
            _ => settings.sign_in(&ring, client, &name),
        };
        // A day has 86,400 seconds: nothing recovers by the clock here.
        let (theirs, ours) = (limits.ask(&ask).await.unwrap(), ledger.ask(&ask, 1_000));
        match (theirs, ours) {
            (Answer::Granted(theirs), Answer::Granted(ours)) => {
                assert_eq!((theirs.familiar, theirs.left), (ours.familiar, ours.left), "{step}: {ask:?}");
                let (back, learn) = (next(2) == 0, next(6) == 0);
                if back {
                    limits.give_back(&ask, theirs.familiar, learn).await.unwrap();
                    ledger.give_back(&ask, ours.familiar, 1_000);
                    if learn {
                        ledger.learn(&ask, 1_000);
                    }
                }
            }
            (Answer::Refused(theirs), Answer::Refused(ours)) => {
                assert_eq!((theirs.per, theirs.pace), (ours.per, ours.pace), "{step}");
                let apart = theirs.wait.abs_diff(ours.wait);
                assert!(apart < Duration::from_mins(2), "{step}: {theirs:?} {ours:?}");
                refused += 1;
            }
            (theirs, ours) => panic!("{step}: {theirs:?}, and the reference {ours:?}: {ask:?}"),
        }
    }
    assert!(refused > 300, "only {refused} were refused: the test asks too little");
}

#[tokio::test]
#[ignore = "takes a Redis: run in the stage that installs it"]
async fn a_clock_of_the_server_that_was_set_back_locks_nobody_out_and_nothing_is_kept_for_long() {
    let server = Redis::start().await.unwrap();
    let (ring, settings) = (ring(), LimitSettings::default());
    let (_store, limits) = node(&server.url(), "clock:", &ring).await;
    let session = SessionId::from_bytes([1; 18]);
    let ask = settings.refresh(&ring, session);
    assert!(is_granted(&limits.ask(&ask).await.unwrap()));
    // As though it had been written by a clock a year ahead.
    let key = limits.key('q', ask.own.unwrap().key);
    let far = redis::cmd("SET").arg(&key).arg("9999999999999").to_owned();
    let mut line = limits.link.line().await.unwrap();
    redis::aio::ConnectionLike::req_packed_command(&mut line, &far).await.unwrap();
    let Answer::Refused(refused) = limits.ask(&ask).await.unwrap() else { panic!() };
    assert!(refused.wait <= refused.pace.every(), "one step at most: {:?}", refused.wait);
    limits.give_back(&ask, false, false).await.unwrap();
    assert!(is_granted(&limits.ask(&ask).await.unwrap()), "and it is put right with the first change");
    let left = redis::cmd("PTTL").arg(&key).to_owned();
    let left = redis::aio::ConnectionLike::req_packed_command(&mut line, &left).await.unwrap();
    assert!(matches!(left, redis::Value::Int(1..=60_000)), "{left:?}");
}

#[tokio::test]
#[ignore = "takes a Redis: run in the stage that installs it"]
async fn a_cluster_counts_in_one_step_too() {
    let cluster = RedisCluster::start().await.unwrap();
    let (ring, settings) = (ring(), slow());
    let (_store, limits) = node(&cluster.url(), "cluster:", &ring).await;
    for n in 0..40 {
        let granted = is_granted(&limits.ask(&settings.sign_in(&ring, from(n), "ada")).await.unwrap());
        assert_eq!(granted, n < 20, "{n}");
    }
}

#[tokio::test]
#[ignore = "takes a Redis: run in the stage that installs it"]
async fn a_server_that_is_gone_or_holds_still_is_an_error_in_time_and_one_that_forgot_the_script_is_told_again() {
    let mut server = Redis::start().await.unwrap();
    let (ring, settings) = (ring(), slow());
    let (_store, limits) = node(&server.url(), "gone:", &ring).await;
    let ask = settings.sign_in(&ring, from(1), "ada");
    assert!(is_granted(&limits.ask(&ask).await.unwrap()));
    server.tell("SCRIPT FLUSH").await.unwrap();
    assert!(is_granted(&limits.ask(&ask).await.unwrap()));
    server.hold().unwrap();
    let begin = Instant::now();
    assert!(limits.ask(&ask).await.is_err());
    assert!(begin.elapsed() < limits.timeout + Duration::from_secs(2), "{:?}", begin.elapsed());
    server.go_on().unwrap();
    server.kill().await.unwrap();
    assert!(limits.ask(&ask).await.is_err());
}
