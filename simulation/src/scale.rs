//! What many nodes ask of one store, and of each other: the arithmetic, and a small simulation of how often memory answers.

use std::collections::HashMap;
use std::fmt::Write as _;

/// What is assumed.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// Sessions that live.
    pub sessions: f64,
    /// Nodes, each with its near cache.
    pub nodes: f64,
    /// Requests of one session, each second, on average.
    pub requests: f64,
    /// Changes of one session (rotation, data), each second, on average.
    pub changes: f64,
    /// What one master of Redis answers each second, of one command for each look-up.
    pub shard: f64,
    /// For how long revocations are gathered before they are told, in seconds.
    pub window: f64,
}

impl Load {
    /// One request of each session in 50 s and one change in 100 minutes; 105,000 look-ups a second as measured; 20 ms.
    pub const fn of(sessions: f64, nodes: f64) -> Self {
        Self { sessions, nodes, requests: 1.0 / 50.0, changes: 1.0 / 6_000.0, shard: 105_000.0, window: 0.020 }
    }

    /// Masters of Redis, where memory answers this share of the requests.
    pub fn shards(&self, hits: f64) -> f64 {
        (self.sessions * self.requests * (1.0 - hits) / self.shard).ceil().max(1.0)
    }

    /// Messages a second, if every change of a session is told to every node.
    pub fn pushed(&self) -> f64 {
        self.sessions * self.changes * self.nodes
    }

    /// The same, if only revocations are, gathered: however many there are.
    pub fn batched(&self) -> f64 {
        self.nodes / self.window
    }
}

/// The share of requests that memory answers, if people come in visits of so many requests, two seconds apart, further
/// apart than the lease. With affinity a session's requests all go to one node, else to any.
pub fn hits(nodes: usize, in_a_visit: u32, affinity: bool, seed: u64) -> f64 {
    let mut random = fastrand::Rng::with_seed(seed);
    let (mut hits, mut requests) = (0_u32, 0_u32);
    for _ in 0..VISITS {
        let mut filled: HashMap<usize, u32> = HashMap::new();
        let home = random.usize(..nodes);
        for request in 0..in_a_visit {
            let node = if affinity { home } else { random.usize(..nodes) };
            let now = request * 2;
            let known = filled.get(&node).is_some_and(|at| now - at < LEASE);
            hits += u32::from(known);
            if !known {
                filled.insert(node, now);
            }
            requests += 1;
        }
    }
    f64::from(hits) / f64::from(requests.max(1))
}

/// The table for three sizes, and how often memory answers.
pub fn table() -> String {
    let loads = [Load::of(1e6, 10.0), Load::of(1e8, 1_000.0), Load::of(1e9, 1_000.0)];
    let mut text = "| | 1e6 sessions, 10 nodes | 1e8, 1,000 nodes | 1e9, 1,000 nodes |\n|---|---|---|---|\n".to_owned();
    let mut row = |name: &str, figure: &dyn Fn(&Load) -> String| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "| {name} | {} |", loads.each_ref().map(figure).join(" | "));
    };
    row("masters, if each request asks", &|load| format!("{}", load.shards(0.0)));
    row("masters, if memory answers 97 %", &|load| format!("{}", load.shards(0.97)));
    row("messages a second, if every change is told to every node", &|load| format!("{:.0}", load.pushed()));
    row("messages a second, revocations only, gathered for 20 ms", &|load| format!("{:.0}", load.batched()));
    let share = |nodes, affinity| 100.0 * hits(nodes, 40, affinity, 1);
    let (with, without) = (share(1_000, true), share(1_000, false));
    let _ = writeln!(
        text,
        "\nIn visits of 40 requests over 80 s memory answers {with:.1} % if a session stays on its node, {without:.1} % if its \
         requests go to any of 1,000."
    );
    text
}

/// In seconds, as the near cache has it.
const LEASE: u32 = 60;
const VISITS: u32 = 5_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sizes_come_to_what_the_design_says() {
        let shards = |sessions, hits| Load::of(sessions, 1_000.0).shards(hits);
        #[rustfmt::skip]
        let table = [
            // sessions  hits  at least  at most
            (1e6,        0.0,  1.0,      1.0),
            (1e8,        0.0,  19.0,     20.0),
            (1e9,        0.0,  190.0,    200.0),
            (1e8,        0.97, 1.0,      1.0),
            (1e9,        0.97, 6.0,      6.0),
        ];
        for (sessions, hits, least, most) in table {
            let found = shards(sessions, hits);
            assert!((least..=most).contains(&found), "{sessions} at {hits}: {found}");
        }
        let load = Load::of(1e8, 1_000.0);
        assert!((16.5e6..17.5e6).contains(&load.pushed()) && (load.batched() - 50_000.0).abs() < 1.0);
    }

    #[test]
    fn memory_is_of_use_where_a_session_stays_on_its_node() {
        let (with, without) = (hits(1_000, 40, true, 1), hits(1_000, 40, false, 1));
        assert!(with > 0.94 && without < 0.03, "{with}, {without}");
        assert!(hits(1, 40, false, 1) > 0.94, "one node is always the right one");
    }
}
