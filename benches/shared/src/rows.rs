//! What is measured, and what we promise of it.

use counterfoil_benches::measure::Compared;
use counterfoil_benches::modes::{ANONYMOUS, CHANGE, FORGED, Mode, READ, SIGN_IN, Target};

/// Where a site has its sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Behind {
    /// In Redis, with the node's memory before it.
    CachedRedis,
    /// In Redis, asked each time.
    Redis,
    /// In PostgreSQL, with the node's memory before it.
    CachedPostgres,
    /// In PostgreSQL, asked each time.
    Postgres,
}

/// One kind of request to one site.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) behind: Behind,
    pub(crate) compared: Compared,
    /// How many commands the store was sent, and for how many requests, in each run.
    pub(crate) commands: Vec<(u64, usize)>,
}

impl Behind {
    pub(crate) const ALL: [Self; 4] = [Self::CachedRedis, Self::Redis, Self::CachedPostgres, Self::Postgres];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::CachedRedis => "Redis, memory before it",
            Self::Redis => "Redis",
            Self::CachedPostgres => "PostgreSQL, memory before it",
            Self::Postgres => "PostgreSQL",
        }
    }

    /// What is measured of it: what waits for a disk is sent less often.
    fn modes(self) -> Vec<Mode> {
        let ratio = |ratio| Target { ratio: Some(ratio), added: None };
        let (none, promised) = (Target::default(), Target { ratio: Some(0.85), added: Some(1.0) });
        let rarely = |mode: Mode| mode.promising(none).sent_less(100);
        match self {
            Self::CachedRedis => vec![
                READ.promising(promised),
                ANONYMOUS,
                FORGED,
                CHANGE.promising(ratio(0.55)),
                SIGN_IN.promising(ratio(0.45)),
            ],
            Self::Redis => vec![
                READ.promising(ratio(0.60)),
                ANONYMOUS,
                FORGED,
                CHANGE.promising(ratio(0.50)),
                SIGN_IN.promising(ratio(0.45)),
            ],
            Self::CachedPostgres => {
                vec![READ.promising(promised), ANONYMOUS, FORGED, rarely(CHANGE), rarely(SIGN_IN)]
            }
            Self::Postgres => vec![READ.promising(none).sent_less(10), rarely(CHANGE), rarely(SIGN_IN)],
        }
    }
}

/// All of them, with nothing measured yet.
pub(crate) fn rows() -> Vec<Row> {
    let each = |behind: Behind| behind.modes().into_iter().map(move |mode| (behind, mode));
    let all = Behind::ALL.into_iter().flat_map(each);
    let row = |(behind, mode)| Row {
        behind,
        compared: Compared { mode, runs: Vec::new(), bare: Vec::new() },
        commands: Vec::new(),
    };
    all.map(row).collect()
}
