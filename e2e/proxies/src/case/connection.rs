//! Connections to the decision endpoint.

use super::allow::reached;
use crate::chain::Chain;
use counterfoil_proxies::verdict::{Shown, promise};

pub(super) fn decisions_share_connections(chain: &Chain) -> Shown {
    let before = chain.decision.connections();
    for number in 0..60 {
        reached(&chain.get(&format!("/page/{number}"), ""))?;
    }
    let made = chain.decision.connections() - before;
    promise("decisions do not open a connection each", made <= 15, || format!("{made} connections for 60 decisions"))?;
    Ok(format!("{made} new ones for 60 decisions"))
}
