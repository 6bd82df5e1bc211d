//! The section of the page.

use std::fmt::Write as _;

use counterfoil_benches::machine::Machine;
use counterfoil_benches::measure::{Run, Size, median};

use crate::rows::{Behind, Row};
use crate::sizes::{DATA, SESSIONS, Sizes};

/// All that was measured.
#[derive(Debug)]
pub(crate) struct Section {
    pub(crate) machine: Machine,
    pub(crate) size: Size,
    /// Whether sites and load had a core each.
    pub(crate) apart: bool,
    pub(crate) rows: Vec<Row>,
    pub(crate) sizes: Sizes,
}

impl Section {
    pub(crate) fn markdown(&self) -> String {
        let Self { machine, size: Size { runs, requests }, apart, rows, sizes } = self;
        let placement = if *apart {
            "sites pinned to one core, the load and the servers that keep the sessions to the other"
        } else {
            "nothing pinned"
        };
        let mut text = format!(
            "{HEAD}\nMeasured {machine}; {placement}; {runs} runs of {requests} requests for each row, of a tenth of them for \
             sign-ins, and of less still for what waits for PostgreSQL.\n"
        );
        for behind in Behind::ALL {
            let _ = write!(text, "\n### {}\n\n{COLUMNS}", behind.name());
            rows.iter().filter(|row| row.behind == behind).for_each(|row| text.push_str(&line(row)));
        }
        let Sizes { redis, rows, indexes } = sizes;
        format!(
            "{text}\n### How large a session is\n\n\
             With {DATA} bytes of data, everything around it included; {SESSIONS} sessions, each of a subject of its own.\n\n\
             | store | bytes |\n|---|---|\n\
             | Redis, by its own count of memory | {redis} |\n\
             | PostgreSQL, the row | {rows} |\n\
             | PostgreSQL, its indexes | {indexes} |\n\n{METHOD}"
        )
    }
}

fn line(Row { compared, commands, .. }: &Row) -> String {
    let (mode, ratios, target) = (compared.mode, compared.ratios(), compared.mode.target);
    let each = |of: fn(&Run) -> f64| median(&compared.runs.iter().map(of).collect::<Vec<_>>());
    let ratio_target = target.ratio.map_or(String::new(), |ratio| format!("≥ {ratio:.2}"));
    let added_target = target.added.map_or(String::new(), |added| format!("≤ {added:.1} µs"));
    let (sent, requests) = commands.iter().fold((0, 0), |(sent, all), (more, of)| (sent + more, all + *of as u64));
    let commands = if requests == 0 { String::new() } else { hundredths(sent, requests) };
    format!(
        "| {} | {:.0} | {:.2} | {:.2} – {:.2} | {ratio_target} | {:.2} µs | {:.2} µs | {added_target} | {:.0} % | {commands} |\n",
        mode.name,
        each(Run::rate),
        median(&ratios),
        ratios.iter().copied().fold(f64::INFINITY, f64::min),
        ratios.iter().copied().fold(0.0, f64::max),
        each(Run::cpu_each),
        median(&compared.added()),
        each(Run::busy) * 100.0,
    )
}

fn hundredths(count: u64, of: u64) -> String {
    let hundredths = (count * 100 + of / 2) / of;
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

const HEAD: &str = "\
## Stores that nodes share

Sessions in Redis and in PostgreSQL, asked each time or with this node's memory before them, beside the same server without
sessions.
";

const COLUMNS: &str = "\
| request | requests/s | ratio | lowest – highest | target | CPU per request | added | target | site busy | commands per request |
|---|---|---|---|---|---|---|---|---|---|
";

const METHOD: &str = "\
* The site is that of the measurement beside the bare server (`benches/src/site.rs`), on one thread, with the settings that the
  demo and the gateway use: in front of Redis the node keeps its journal on the disk. Ratios and added CPU are to the bare
  server's run in the same round; CPU is the site's own, not that of Redis or PostgreSQL.
* Redis and PostgreSQL run beside the load, on the core that the site does not use. Where the site is busy for much less than
  100 %, they were the bottleneck or the disk was: believe the CPU.
* Redis: `appendonly yes`, `appendfsync everysec`, without replicas. PostgreSQL: as it comes, so that each write waits for the
  disk; 256 MB of shared buffers.
* Commands are those that Redis counted, a script as one. What a node asks once a second is among them.
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_told_to_a_hundredth() {
        assert_eq!(hundredths(1_000, 1_000), "1.00");
        assert_eq!(hundredths(3, 1_000), "0.00");
        assert_eq!(hundredths(1_996, 1_000), "2.00");
        assert_eq!(hundredths(17, 100), "0.17");
    }
}
