//! Proof that the races can fail: fabricated observations with one violation each, and clean ones with none.

use std::{collections::BTreeSet, time::Duration};

use http::StatusCode;

use crate::{
    scenario::{
        counter, limit, password,
        rotation::{self, Bounds, Exchange, History, Verdict},
        sign_out,
    },
    verdict::Violation,
};

/// One fabricated observation and what the verdict says of it.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    /// The kind that must be reported, alone; none for an observation that breaks nothing.
    pub(crate) expected: Option<&'static str>,
    pub(crate) reported: Vec<Violation>,
}

impl Case {
    /// Whether the verdict is what it has to be.
    pub(crate) fn holds(&self) -> bool {
        self.reported.iter().map(Violation::kind).collect::<BTreeSet<_>>() == self.expected.into_iter().collect()
    }
}

/// All cases: at least one for each of [`Violation::KINDS`].
pub(crate) fn cases() -> Vec<Case> {
    [sign_outs(), rotations(), counters(), limits(), passwords()].into_iter().flatten().collect()
}

/// The kinds of violation that no case produces.
pub(crate) fn untried(cases: &[Case]) -> Vec<&'static str> {
    let is_tried = |kind: &&'static str| cases.iter().any(|case| case.expected == Some(*kind));
    Violation::KINDS.into_iter().filter(|kind| !is_tried(kind)).collect()
}

fn sign_outs() -> Vec<Case> {
    let clean = sign_out::Observation {
        session: 7,
        sign_out: StatusCode::SEE_OTHER,
        right_after: vec![NO, NO],
        when_all_ended: vec![NO, NO, NO],
        cookies_after: 0,
    };
    let case = |name, expected, change: fn(&mut sign_out::Observation)| {
        let mut seen = clean.clone();
        change(&mut seen);
        Case { name, expected, reported: sign_out::judge(&seen) }
    };
    vec![
        case("all tokens dead", None, |_| {}),
        case("a token alive right after", Some("revived"), |seen| {
            seen.right_after = vec![NO, OK];
        }),
        case("a late token alive in the end", Some("revived"), |seen| {
            seen.when_all_ended = vec![NO, NO, OK];
        }),
        case("a dead token answered 503", Some("revived"), |seen| {
            seen.when_all_ended = vec![DOWN, NO];
        }),
        case("a slow answer sets a cookie", Some("cookie-after-sign-out"), |seen| {
            seen.cookies_after = 1;
        }),
        case("sign-out refused", Some("sign-out-failed"), |seen| {
            seen.sign_out = StatusCode::FORBIDDEN;
        }),
    ]
}

fn rotations() -> Vec<Case> {
    let refused_and_late = |late: fn(&mut Exchange)| {
        move |first: &mut Exchange, last: &mut Exchange| {
            late(first);
            last.status = Some(NO);
        }
    };
    let late_request = refused_and_late(|first| first.request_late = Duration::from_secs(2));
    let late_response = refused_and_late(|first| first.response_late = Duration::from_secs(3));
    vec![
        rotation("late within the bounds", None, |_, _| {}),
        rotation("refused within the bounds", Some("honest-sign-out"), |_, last| {
            last.status = Some(NO);
        }),
        rotation("refused after a request later than the bound", None, late_request),
        rotation("refused after a response later than the bound", None, late_response),
        rotation("no answer at all is a lost response", None, |first, _| {
            first.status = None;
        }),
        rotation("a cookie removed", Some("cookie-removed"), |_, last| {
            last.removed = true;
        }),
        rotation("removed, although slow", Some("cookie-removed"), |first, last| {
            first.request_late = Duration::from_secs(2);
            last.removed = true;
        }),
        rotation("two successors", Some("second-successor"), |_, last| {
            last.second_successor = true;
        }),
        rotation("another session", Some("other-session"), |_, last| {
            last.other_session = true;
        }),
        rotation("a server error", Some("unexpected"), |first, _| {
            first.status = Some(DOWN);
        }),
    ]
}

/// Three exchanges well within the bounds, but for what `change` does to the first and the last.
fn rotation(name: &'static str, expected: Option<&'static str>, change: impl Fn(&mut Exchange, &mut Exchange)) -> Case {
    let usual = Exchange {
        request_late: Duration::from_millis(900),
        response_late: Duration::from_millis(1900),
        status: Some(OK),
        removed: false,
        second_successor: false,
        other_session: false,
    };
    let bounds = Bounds { request: Duration::from_secs(1), response: Duration::from_secs(2) };
    let (mut first, mut last) = (usual.clone(), usual.clone());
    change(&mut first, &mut last);
    let history = History { browser: 7, rotations: 2, exchanges: vec![first, usual, last] };
    let reported = match rotation::judge(&history, bounds) {
        Verdict::Broken(violations) => violations,
        Verdict::Kept | Verdict::TooSlow => Vec::new(),
    };
    Case { name, expected, reported }
}

fn counters() -> Vec<Case> {
    let case = |name, expected, replies: &[Option<u64>], end| Case {
        name,
        expected,
        reported: counter::judge(&counter::Observation { round: 7, replies: replies.to_vec(), end }),
    };
    vec![
        case("each once, in any order", None, &[Some(3), Some(1), Some(2)], Some(3)),
        case("one number twice", Some("counter-replies"), &[Some(1), Some(2), Some(2)], Some(3)),
        case("a number beyond", Some("counter-replies"), &[Some(1), Some(2), Some(4)], Some(3)),
        case("one without a number", Some("counter-replies"), &[Some(1), Some(2), None], Some(3)),
        case("an update lost in the end", Some("counter-end"), &[Some(1), Some(2), Some(3)], Some(2)),
        case("no number in the end", Some("counter-end"), &[Some(1)], None),
    ]
}

fn limits() -> Vec<Case> {
    let case = |name, expected, first: &[usize], second: &[usize]| {
        let alive = [first, second].map(|places| places.iter().copied().collect());
        Case { name, expected, reported: limit::judge(&limit::Observation { round: 7, limit: 3, alive }) }
    };
    vec![
        case("three, and the same three", None, &[4, 9, 60], &[4, 9, 60]),
        case("four alive", Some("limit-broken"), &[1, 4, 9, 60], &[1, 4, 9, 60]),
        case("two alive", Some("limit-broken"), &[4, 9], &[4, 9]),
        case("other three in the second check", Some("limit-unsteady"), &[4, 9, 60], &[4, 9, 61]),
    ]
}

fn passwords() -> Vec<Case> {
    let clean = password::Observation {
        round: 7,
        old_sessions: vec![NO, NO, NO],
        changer: OK,
        new_password_signs_in: true,
        old_password_signs_in: false,
    };
    let case = |name, expected, change: fn(&mut password::Observation)| {
        let mut seen = clean.clone();
        change(&mut seen);
        Case { name, expected, reported: password::judge(&seen) }
    };
    vec![
        case("only the changer stays", None, |_| {}),
        case("an old sign-in lives", Some("old-password-lives"), |seen| {
            seen.old_sessions = vec![NO, OK];
        }),
        case("the changer is out", Some("changer-ended"), |seen| seen.changer = NO),
        case("the new password fails", Some("new-password-refused"), |seen| {
            seen.new_password_signs_in = false;
        }),
        case("the old password works", Some("old-password-accepted"), |seen| {
            seen.old_password_signs_in = true;
        }),
    ]
}

const OK: StatusCode = StatusCode::OK;
const NO: StatusCode = StatusCode::UNAUTHORIZED;
const DOWN: StatusCode = StatusCode::SERVICE_UNAVAILABLE;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fabricated_violation_is_reported_and_nothing_else() {
        for case in cases() {
            assert!(case.holds(), "{}: {:?}", case.name, case.reported);
        }
    }

    #[test]
    fn there_is_a_case_for_every_kind() {
        assert_eq!(untried(&cases()), Vec::<&str>::new());
    }
}
