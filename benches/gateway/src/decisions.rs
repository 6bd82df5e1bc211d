//! Decisions beside an empty answer: the gateway asked as a proxy asks, without a proxy.

use std::path::Path;

use counterfoil_benches::Failed;
use counterfoil_benches::server::{Server, on};
use counterfoil_proxies::house::at;
use counterfoil_proxies::kind::Kind;
use counterfoil_proxies::process::Process;

use crate::arranged::{Arranged, program};
use crate::questions::{CONNECTIONS, Paths, SESSIONS, answered_empty, members, strangers};
use crate::sample::{Row, Size, sample};

/// One contract: the empty answer first.
#[derive(Debug)]
pub(crate) struct Decisions {
    pub(crate) kind: Kind,
    pub(crate) empty: Row,
    pub(crate) rows: Vec<Row>,
}

/// The runs of one contract.
pub(crate) fn runs(size: Size) -> usize {
    size.runs * 4
}

/// Gateway and empty server on `core`; the rows take turns, run by run.
pub(crate) fn measure(
    kind: Kind,
    counterfoil: &Path,
    size: Size,
    core: Option<usize>,
    step: impl Fn(),
) -> Result<Decisions, Failed> {
    let arranged = Arranged::new(kind, counterfoil, at(9), None, CONNECTIONS * SESSIONS)?;
    let gateway: Process = arranged.gateway(counterfoil, core)?;
    let empty = on(core, Empty::start)?;
    let mut measured = Decisions {
        kind,
        empty: Row::new("an empty 200, asked the same"),
        rows: [
            "a stranger, on a public page",
            "a member, on the same page again",
            "a member, on another page each time",
        ]
        .map(Row::new)
        .into(),
    };
    for run in 0..size.runs {
        let same = || members(&arranged, Paths::Same, run, SESSIONS);
        let asked = sample(empty.0.address(), answered_empty(same()), size.requests, &[empty.0.id()])?;
        measured.empty.samples.push(asked);
        step();
        let other = members(&arranged, Paths::Other, run, size.requests * 12 / 10 / CONNECTIONS + 1);
        for (row, scripts) in measured.rows.iter_mut().zip([strangers(&arranged), same(), other]) {
            row.samples.push(sample(arranged.decision, scripts, size.requests, &[gateway.id()])?);
            step();
        }
    }
    Ok(measured)
}

/// The server that answers nothing but 200.
pub(crate) struct Empty(pub(crate) Server);

impl Empty {
    pub(crate) fn start() -> Result<Self, Failed> {
        Server::start(program("empty")?, None).map(Self)
    }
}
