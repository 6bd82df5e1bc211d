//! The section that compares with the bare server: what was measured, how, and what came out.

use std::fmt::Write as _;

use crate::machine::Machine;
use crate::measure::{Compared, Contender, Placement, Run, Size, median};
use crate::modes::{BARE, PARTS, Part, Target};
use crate::profile::Share;

/// One piece's figures, as far as they were measured.
#[derive(Debug, Clone)]
pub struct PieceCost {
    /// Which.
    pub name: &'static str,
    /// Median time, by criterion.
    pub nanoseconds: Option<f64>,
    /// Counted by callgrind.
    pub instructions: Option<u64>,
}

/// Everything in the section.
#[derive(Debug, Clone)]
pub struct SideBySide {
    /// What it was measured on.
    pub machine: Machine,
    /// How much.
    pub size: Size,
    /// Where server and load ran.
    pub placement: Placement,
    /// The modes beside the bare server.
    pub compared: Vec<Compared>,
    /// The pieces.
    pub pieces: Vec<PieceCost>,
    /// Where the instructions go that an authenticated request takes more than a bare one; empty if they were not counted.
    pub shares: Vec<Share>,
    /// Other middleware, where it was asked for.
    pub peers: Vec<Contender>,
}

impl SideBySide {
    /// The section as Markdown.
    pub fn markdown(&self) -> String {
        let (table, parts, peers) = (self.table(), self.parts(), self.peers());
        let (costs, shares, conditions) = (self.costs(), self.shares(), self.conditions());
        format!("{HEAD}\n{conditions}\n{table}\n{parts}\n{peers}{costs}\n{shares}{}", METHOD.trim_start())
    }

    fn conditions(&self) -> String {
        let (machine, Size { runs, requests }) = (&self.machine, self.size);
        let placement = match self.placement {
            Placement::Apart => "server and load pinned to one core each",
            Placement::Anywhere => "server and load not pinned",
        };
        format!("Measured {machine}; {placement}; {runs} runs of {requests} requests for each row.\n")
    }

    fn table(&self) -> String {
        let bare = self.compared.first().map(|compared| compared.bare.as_slice()).unwrap_or_default();
        let mut text = format!(
            "| request | requests/s | ratio | lowest – highest | target | CPU per request | added | target | server busy |\n\
             |---|---|---|---|---|---|---|---|---|\n\
             | {} | {:.0} | 1 | | | {:.2} µs | | | {:.0} % |\n",
            BARE.name,
            median_of(bare, Run::rate),
            median_of(bare, Run::cpu_each),
            median_of(bare, Run::busy) * 100.0,
        );
        self.compared.iter().for_each(|compared| text.push_str(&row(compared)));
        text
    }

    fn parts(&self) -> String {
        let mut text = "### Optional parts, each by itself\n\n\
             | part | added | target | requests/s with and without | instructions | target |\n|---|---|---|---|---|---|\n"
            .to_owned();
        for Part { name, modes, pieces } in PARTS {
            let time = self.more(modes).map_or("not measured".to_owned(), |more| format!("{more:.2} µs"));
            let count = pieces
                .and_then(|pieces| self.more_instructions(pieces))
                .map_or("not counted".to_owned(), |more| more.to_string());
            let ratio = self.ratio(modes).map_or("not measured".to_owned(), |ratio| format!("{ratio:.2}"));
            let _ = writeln!(text, "| {name} | {time} | ≤ 0.15 µs | {ratio} | {count} | ≤ 600 |");
        }
        text
    }

    /// Nothing where none were asked for.
    fn peers(&self) -> String {
        let rows: String = self.peers.iter().map(peer_row).collect();
        if rows.is_empty() { rows } else { format!("{PEERS_HEAD}{rows}\n") }
    }

    /// Nothing where nothing was counted.
    fn shares(&self) -> String {
        let sum: i64 = self.shares.iter().map(|share| share.instructions).sum();
        if sum <= 0 {
            return String::new();
        }
        let mut text = format!("{SHARES_HEAD}| all of it | {sum} | 100 % |\n");
        for Share { area, instructions } in &self.shares {
            let percent = (instructions * 1_000 / sum + 5) / 10;
            let _ = writeln!(text, "| {area} | {instructions} | {percent} % |");
        }
        text.push('\n');
        text
    }

    /// Microseconds of CPU that the first mode costs more than the second, round by round.
    fn more(&self, (with, without): (&str, &str)) -> Option<f64> {
        let added = |name| self.compared.iter().find(|compared| compared.mode.name == name).map(Compared::added);
        let more: Vec<_> = added(with)?.iter().zip(&added(without)?).map(|(with, without)| with - without).collect();
        Some(median(&more))
    }

    /// How many requests the server answers in the first mode for each in the second, round by round.
    fn ratio(&self, (with, without): (&str, &str)) -> Option<f64> {
        let rates = |name| self.compared.iter().find(|compared| compared.mode.name == name).map(|found| &found.runs);
        let ratios: Vec<_> =
            rates(with)?.iter().zip(rates(without)?).map(|(with, without)| with.rate() / without.rate()).collect();
        Some(median(&ratios))
    }

    fn more_instructions(&self, (with, without): (&str, &str)) -> Option<i64> {
        let count = |name| self.pieces.iter().find(|piece| piece.name == name).and_then(|piece| piece.instructions);
        Some(count(with)?.cast_signed() - count(without)?.cast_signed())
    }

    fn costs(&self) -> String {
        let mut text = "### Pieces\n\n| piece | time | instructions |\n|---|---|---|\n".to_owned();
        for PieceCost { name, nanoseconds, instructions } in &self.pieces {
            let time = nanoseconds.map_or("not measured".to_owned(), |time| format!("{time:.0} ns"));
            let count = instructions.map_or("not counted".to_owned(), |count| count.to_string());
            let _ = writeln!(text, "| {name} | {time} | {count} |");
        }
        text
    }
}

fn row(compared: &Compared) -> String {
    let (ratios, added) = (compared.ratios(), compared.added());
    let Target { ratio, added: added_target } = compared.mode.target;
    let ratio_target = ratio.map_or(String::new(), |ratio| format!("≥ {ratio:.2}"));
    let added_target = added_target.map_or(String::new(), |added| format!("≤ {added:.1} µs"));
    format!(
        "| {} | {:.0} | {:.2} | {:.2} – {:.2} | {ratio_target} | {:.2} µs | {:.2} µs | {added_target} | {:.0} % |\n",
        compared.mode.name,
        median_of(&compared.runs, Run::rate),
        median(&ratios),
        ratios.iter().copied().fold(f64::INFINITY, f64::min),
        ratios.iter().copied().fold(0.0, f64::max),
        median_of(&compared.runs, Run::cpu_each),
        median(&added),
        median_of(&compared.runs, Run::busy) * 100.0,
    )
}

fn peer_row(Contender { peer, outcome }: &Contender) -> String {
    let name = peer.name;
    match outcome {
        Err(reason) => format!("| {name} | skipped: {reason} | | | |\n"),
        Ok(compared) => format!(
            "| {name} | {:.0} | {:.2} | {:.2} µs | {:.2} µs |\n",
            median_of(&compared.runs, Run::rate),
            median(&compared.ratios()),
            median_of(&compared.runs, Run::cpu_each),
            median(&compared.added()),
        ),
    }
}

fn median_of(runs: &[Run], of: impl Fn(&Run) -> f64) -> f64 {
    median(&runs.iter().map(of).collect::<Vec<_>>())
}

const HEAD: &str = "\
## Beside the bare server

Ratios compare with the same server without Counterfoil: one route, the same body, nothing else. A ratio rewards a slow bare
server, so the added CPU stands beside it.
";

const PEERS_HEAD: &str = "\
### Beside other session middleware

An authenticated read after a sign-in, each with its store in memory and all else as it comes; the ratio is to the bare
server of the same runtime. What each of them does for a request differs: this compares the cost, not what is had for it.

| middleware | requests/s | ratio to its bare server | CPU per request | added |
|---|---|---|---|---|
";

const SHARES_HEAD: &str = "\
### Where it goes

What \"router, authenticated\" does more than \"router, bare\", by the source the instructions were written in. Inlined code
counts where it was written, the standard library's where it was inlined. SHA-256 is emulated with the instructions of an older
processor: of the time it takes the share is several times smaller; \"token, genuine, with its hash\" above has the time.

| code | instructions | share |
|---|---|---|
";

const METHOD: &str = "
### How

* The servers are `benches/bare.rs` and `benches/sessions.rs`: axum on one worker thread, HTTP/1.1 over loopback, and in
  the second one Counterfoil as in the quick start, all defaults on (tag, hash, lifetimes, CSRF decision, events), the
  memory store, and no log subscriber. Rows called \"embedded\": the same with the embedded store, whose writes are on the
  disk before the answer. The bare server's requests are GET without a cookie, so reading the longer request
  counts as ours, and so does writing the longer answer; the row \"sent such a cookie\" says what the first of them costs.
* \"Tag, hash and one look into a table, nothing else\" is `benches/least.rs`: a layer that finds the cookie, checks its tag
  and compares its hash, and knows neither lifetimes nor rotation, CSRF, revocation or events. Nothing with such tokens can
  cost less on this stack: the difference between that row and an authenticated read is what those cost.
* \"One data change\" and \"sign-in\" are POST with `Origin`. A sign-in carries the cookie of the sign-in before it, whose
  session it ends; it is sent a tenth as often as the others, as is what waits for the disk. How many such writes the disk
  takes is in the section about durable writes: here 32 connections wait for it, and the processor is idle meanwhile.
* The load comes from one thread over 32 connections that are always waiting for an answer; every answer is checked for
  status and body. The modes take turns, run by run. Figures are medians over the runs; a ratio is taken within its round.
* CPU per request is `getrusage` of the server's process, user and kernel, over one run after a warm-up.
* \"All telemetry\" is metrics of events, the audit trail, JSON lines, a webhook and OpenTelemetry, whose receivers are in the server's
  process (`benches/src/watched.rs`). A read by itself is no event: what is measured is what being watched costs whoever does nothing.
* Each connection uses 32 sessions in turn, signed in before its run. The forged token differs from a genuine one in one
  character of its secret, so that only its tag tells.
* Where the server is busy for much less than 100 %, the load was the bottleneck, and the ratio flatters: believe the CPU.
* Pieces: time by criterion, instructions by callgrind (the difference of two runs, so that start and set-up fall out).
  \"engine\" is a request from its head to the effects on its response; \"router\" is the whole server without its
  connection, the making of the request included. Valgrind does not know the processor's SHA instructions, so tag and hash
  count several times what really runs: compare these counts with each other and over time, not with the times.
";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modes::{CONNECTIONS, MODES, SESSIONS};
    use crate::peers::PEERS;

    fn page() -> SideBySide {
        let machine = Machine {
            cores: 2,
            memory: 23,
            model: "Some CPU".to_owned(),
            compiler: "rustc 1.95.0".to_owned(),
            load: "0.10".to_owned(),
            date: "2026-11-21".to_owned(),
        };
        let size = Size { runs: 9, requests: 1_000_000 };
        let pieces = vec![PieceCost { name: "token hash", nanoseconds: Some(71.4), instructions: None }];
        SideBySide {
            machine,
            size,
            placement: Placement::Apart,
            compared: Vec::new(),
            pieces,
            shares: Vec::new(),
            peers: Vec::new(),
        }
    }

    #[test]
    fn the_page_says_on_what_and_how_it_was_measured() {
        let text = page().markdown();
        for part in ["2 cores, 23 GiB of memory, Some CPU", "9 runs of 1000000 requests", "on 2026-11-21", "### How"] {
            assert!(text.contains(part), "{part} is not in {text}");
        }
        assert!(METHOD.contains(&format!("over {CONNECTIONS} connections")));
        assert!(METHOD.contains(&format!("uses {SESSIONS} sessions")));
    }

    #[test]
    fn an_optional_part_costs_what_it_adds() {
        let count = |name, instructions| PieceCost { name, nanoseconds: None, instructions: Some(instructions) };
        let pieces = vec![count("router, authenticated", 400), count("router, authenticated + headers", 1_000)];
        let text = SideBySide { pieces, ..page() }.markdown();
        for row in [
            "| security headers | not measured | ≤ 0.15 µs | not measured | 600 | ≤ 600 |",
            "| CSRF decision, of a POST | not measured | ≤ 0.15 µs | not measured | not counted | ≤ 600 |",
        ] {
            assert!(text.contains(row), "{row} is not in {text}");
        }
    }

    #[test]
    fn an_optional_part_is_held_against_the_same_without_it_round_by_round() {
        let of = |name: &str, runs| {
            let mode = *MODES.iter().find(|mode| mode.name == name).unwrap();
            Compared { mode, runs, bare: vec![Run::of(200_000, 5); 3] }
        };
        let with = of("authenticated read, all telemetry", vec![Run::of(95, 11), Run::of(48, 21), Run::of(99, 11)]);
        // In the second round the machine was slow for both.
        let without = of("authenticated read", vec![Run::of(100, 10), Run::of(50, 20), Run::of(100, 10)]);
        let text = SideBySide { compared: vec![without, with], ..page() }.markdown();
        assert!(text.contains("| all telemetry | 1.00 µs | ≤ 0.15 µs | 0.96 | not counted | ≤ 600 |"), "{text}");
    }

    #[test]
    fn peers_are_told_where_they_were_asked_for() {
        assert!(!page().markdown().contains("other session middleware"));
        let peers = PEERS.map(|peer| Contender { peer, outcome: Err("no Node") });
        let text = SideBySide { peers: peers.into(), ..page() }.markdown();
        assert!(text.contains("| express-session 1.19 (Node) | skipped: no Node | | | |"), "{text}");
    }

    #[test]
    fn where_it_goes_is_told_in_shares_of_the_whole() {
        assert!(!page().markdown().contains("Where it goes"));
        let shares = vec![Share { area: "base64", instructions: 750 }, Share { area: "the rest", instructions: 250 }];
        let text = SideBySide { shares, ..page() }.markdown();
        for row in ["| all of it | 1000 | 100 % |", "| base64 | 750 | 75 % |", "| the rest | 250 | 25 % |"] {
            assert!(text.contains(row), "{text}");
        }
    }

    #[test]
    fn what_was_not_measured_is_not_made_up() {
        assert!(page().markdown().contains("| token hash | 71 ns | not counted |"));
    }
}
