//! The races against the mock: silent where it is sound, and each fault is found as what it is.

use std::{sync::Arc, time::Duration};

use indicatif::ProgressBar;

use super::{Fault, Mock};
use crate::{
    browser::Target,
    scenario::{Scenario, Stage},
    verdict::Outcome,
};

const ROTATE_EVERY: Duration = Duration::from_millis(600);
const GRACE: Duration = Duration::from_millis(500);
const LIMIT: u32 = 3;

async fn race(scenario: Scenario, fault: Fault, count: u64) -> Outcome {
    let limit = if scenario == Scenario::Limit { LIMIT } else { 10_000 };
    let mock = Mock::start(fault, ROTATE_EVERY, GRACE, usize::try_from(limit).unwrap()).await;
    let stage = Stage {
        target: Arc::new(Target::new(mock.address, 400).await.unwrap()),
        rotate_every: ROTATE_EVERY,
        grace: GRACE,
        limit,
        count,
        seed: 1,
        bar: ProgressBar::hidden(),
    };
    scenario.run(stage).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sound_server_breaks_nothing() {
    for (scenario, count) in [
        (Scenario::SignOut, 60),
        (Scenario::Rotation, 30),
        (Scenario::Counter, 6),
        (Scenario::Limit, 3),
        (Scenario::Password, 8),
    ] {
        let outcome = race(scenario, Fault::None, count).await;
        assert_eq!(outcome.findings.total(), 0, "{}: {outcome}", scenario.name());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_fault_is_found_as_what_it_is() {
    for (scenario, fault, count, kind) in [
        (Scenario::SignOut, Fault::SlowWriteRevives, 40, "revived"),
        (Scenario::SignOut, Fault::SlowAnswerSetsCookie, 40, "cookie-after-sign-out"),
        (Scenario::Rotation, Fault::NoGrace, 400, "honest-sign-out"),
        (Scenario::Rotation, Fault::NewSuccessorEachTime, 400, "second-successor"),
        (Scenario::Rotation, Fault::ClearsDeadCookies, 400, "cookie-removed"),
        (Scenario::Counter, Fault::LosesUpdates, 3, "counter-replies"),
        (Scenario::Limit, Fault::LimitForgotten, 2, "limit-broken"),
        (Scenario::Password, Fault::EpochForgotten, 20, "old-password-lives"),
    ] {
        let outcome = race(scenario, fault, count).await;
        assert!(outcome.findings.of(kind) > 0, "{fault:?}: {outcome}");
    }
}
