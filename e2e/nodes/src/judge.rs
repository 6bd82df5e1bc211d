//! What is held against the promise, and what breaks it. Pure: moments come from the one clock of this process.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use tokio::time::Instant;

/// What a node made of one request with one session's cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Seen {
    /// Let in.
    Admitted,
    /// Nobody is signed in.
    SignedOut,
    /// The store cannot be asked.
    Unavailable,
    /// No answer, or one that is none of these.
    Nothing,
}

impl Seen {
    /// Neither let in nor signed out.
    pub(crate) const fn is_neither(self) -> bool {
        matches!(self, Self::Unavailable | Self::Nothing)
    }
}

/// One look at a session, through one node.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Look {
    pub(crate) node: usize,
    pub(crate) session: usize,
    /// Just before the request left.
    pub(crate) sent: Instant,
    /// When its answer was here.
    pub(crate) received: Instant,
    pub(crate) seen: Seen,
}

/// What became of a session.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fate {
    /// Nobody ended it.
    Kept,
    /// From `asked` on it may have ended, at `acknowledged` somebody was told that it has.
    Revoked { asked: Instant, acknowledged: Instant },
    /// It may have ended from then on; nobody was told.
    InDoubt { asked: Instant },
}

/// A promise that was broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Violation {
    /// Let in by a request that left later than the bound after the revocation was acknowledged.
    BeyondBound { node: usize, session: usize, after: Duration },
    /// Let in, at any node, after that node had refused.
    CameBack { node: usize, session: usize },
    /// Let in by the node that had acknowledged the revocation.
    OwnNode { node: usize, session: usize },
    /// Still let in when everything had long been well again.
    NeverRefused { node: usize, session: usize },
    /// Signed out although nobody had asked for that.
    HonestSignOut { node: usize, session: usize },
    /// A session that nobody ended is of no use at this node after what was broken was mended.
    NotGoodAgain { node: usize },
}

/// What is known of the looks at one session and one node, in the order in which they were sent.
pub(crate) fn judge(bound: Duration, fate: Fate, looks: &[Look]) -> Vec<Violation> {
    let mut violations: Vec<_> = looks.iter().filter_map(|look| judge_one(bound, fate, look)).collect();
    let refused = looks.iter().filter(|look| look.seen == Seen::SignedOut).map(|look| look.received).min();
    let again = looks.iter().find(|look| look.seen == Seen::Admitted && refused.is_some_and(|at| look.sent > at));
    violations.extend(again.map(|look| Violation::CameBack { node: look.node, session: look.session }));
    violations
}

fn judge_one(bound: Duration, fate: Fate, look: &Look) -> Option<Violation> {
    let Look { node, session, sent, received, seen } = *look;
    match (fate, seen) {
        (Fate::Revoked { acknowledged, .. }, Seen::Admitted) if sent > acknowledged + bound => {
            Some(Violation::BeyondBound { node, session, after: sent - acknowledged })
        }
        (Fate::Kept, Seen::SignedOut) => Some(Violation::HonestSignOut { node, session }),
        (Fate::Revoked { asked, .. } | Fate::InDoubt { asked }, Seen::SignedOut) if received < asked => {
            Some(Violation::HonestSignOut { node, session })
        }
        _ => None,
    }
}

/// How long after its acknowledgement a revoked session was let in for the last time, by when the request left.
pub(crate) fn longest_admitted<'a>(fate: Fate, looks: impl IntoIterator<Item = &'a Look>) -> Duration {
    let Fate::Revoked { acknowledged, .. } = fate else { return Duration::ZERO };
    let admitted = looks.into_iter().filter(|look| look.seen == Seen::Admitted);
    admitted.map(|look| look.sent.saturating_duration_since(acknowledged)).max().unwrap_or_default()
}

/// All violations, counted by kind, the first few in words.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    first: Vec<Violation>,
    counts: BTreeMap<&'static str, usize>,
}

impl Findings {
    pub(crate) fn add(&mut self, violations: impl IntoIterator<Item = Violation>) {
        for violation in violations {
            *self.counts.entry(violation.kind()).or_default() += 1;
            if self.first.len() < SHOWN {
                self.first.push(violation);
            }
        }
    }

    /// With what somebody else found.
    pub(crate) fn merge(&mut self, other: Self) {
        for (kind, count) in other.counts {
            *self.counts.entry(kind).or_default() += count;
        }
        self.first.extend(other.first);
        self.first.truncate(SHOWN);
    }

    /// How many there are.
    pub(crate) fn total(&self) -> usize {
        self.counts.values().sum()
    }

    /// How many there are of one kind.
    pub(crate) fn of(&self, kind: &str) -> usize {
        self.counts.get(kind).copied().unwrap_or_default()
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for violation in &self.first {
            writeln!(out, "  {violation}")?;
        }
        match self.total().saturating_sub(self.first.len()) {
            0 => Ok(()),
            more => writeln!(out, "  and {more} more"),
        }
    }
}

impl Violation {
    /// One word for the kind.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::BeyondBound { .. } => "beyond-bound",
            Self::CameBack { .. } => "came-back",
            Self::OwnNode { .. } => "own-node",
            Self::NeverRefused { .. } => "never-refused",
            Self::HonestSignOut { .. } => "honest-sign-out",
            Self::NotGoodAgain { .. } => "not-good-again",
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BeyondBound { node, session, after } => {
                write!(out, "node {node} let session {session} in {after:.1?} after its end was acknowledged")
            }
            Self::CameBack { node, session } => write!(out, "node {node} let session {session} in after refusing it"),
            Self::OwnNode { node, session } => {
                write!(out, "node {node} acknowledged the end of session {session}, and let it in afterwards")
            }
            Self::NeverRefused { node, session } => write!(out, "node {node} never refused session {session}"),
            Self::HonestSignOut { node, session } => {
                write!(out, "node {node} signed session {session} out, which nobody had asked for")
            }
            Self::NotGoodAgain { node } => write!(out, "node {node} is of no use any more, although all is mended"),
        }
    }
}

const SHOWN: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;

    const BOUND: Duration = Duration::from_secs(3);

    /// A name, what became of the session, looks by when they were sent (in milliseconds), and what they break.
    type Row<'a> = (&'a str, Fate, &'a [(u64, Seen)], &'a [&'a str]);

    fn look(began: Instant, (sent, seen): (u64, Seen)) -> Look {
        let sent = began + Duration::from_millis(sent);
        Look { node: 1, session: 7, sent, received: sent + Duration::from_millis(10), seen }
    }

    #[test]
    fn each_promise_that_is_broken_is_found_and_nothing_else() {
        use Seen::{Admitted, Nothing, SignedOut, Unavailable};
        let began = Instant::now();
        let at = |milliseconds| began + Duration::from_millis(milliseconds);
        let revoked = Fate::Revoked { asked: at(1_000), acknowledged: at(1_100) };
        let in_doubt = Fate::InDoubt { asked: at(1_000) };
        #[rustfmt::skip]
        let table: [Row<'_>; 12] = [
            ("refused at once",               revoked,    &[(500, Admitted), (1_101, SignedOut)],                     &[]),
            ("let in up to the bound",        revoked,    &[(4_100, Admitted), (4_101, SignedOut)],                   &[]),
            ("let in beyond it",              revoked,    &[(4_101, Admitted)],                                       &["beyond-bound"]),
            ("unavailable beyond it",         revoked,    &[(4_101, Unavailable), (9_000, Nothing)],                  &[]),
            ("let in after a refusal",        revoked,    &[(1_200, SignedOut), (1_300, Admitted)],                   &["came-back"]),
            ("the two answers overtook",      revoked,    &[(1_200, SignedOut), (1_205, Admitted)],                   &[]),
            ("refused while it is being asked", revoked,  &[(995, SignedOut)],                                        &[]),
            ("refused before anybody asked",  revoked,    &[(900, SignedOut)],                                        &["honest-sign-out"]),
            ("kept",                          Fate::Kept, &[(1, Admitted), (9_000, Admitted), (9_001, Unavailable)],  &[]),
            ("kept, and signed out",          Fate::Kept, &[(1, SignedOut)],                                          &["honest-sign-out"]),
            ("in doubt, and it has ended",    in_doubt,   &[(2_000, SignedOut)],                                      &[]),
            ("in doubt, and it has not",      in_doubt,   &[(9_000, Admitted)],                                       &[]),
        ];
        for (name, fate, looks, expected) in table {
            let looks: Vec<_> = looks.iter().map(|one| look(began, *one)).collect();
            let found: Vec<_> = judge(BOUND, fate, &looks).iter().map(Violation::kind).collect();
            assert_eq!(found, expected, "{name}");
        }
    }

    #[test]
    fn the_longest_admission_counts_from_the_acknowledgement() {
        let began = Instant::now();
        let fate = Fate::Revoked { asked: began, acknowledged: began + Duration::from_millis(100) };
        let longest = |looks: &[(u64, Seen)]| {
            let looks: Vec<_> = looks.iter().map(|one| look(began, *one)).collect();
            longest_admitted(fate, &looks).as_millis()
        };
        assert_eq!(longest(&[(50, Seen::Admitted)]), 0);
        assert_eq!(longest(&[(50, Seen::Admitted), (350, Seen::Admitted), (900, Seen::SignedOut)]), 250);
    }
}
