//! The section of the page.

use std::fmt::{Display, Write as _};

use counterfoil_benches::machine::Machine;
use counterfoil_benches::measure::median;
use counterfoil_proxies::kind::Kind;

use crate::chain::Chain;
use crate::decisions::Decisions;
use crate::idle::Idle;
use crate::sample::{Row, Size, count};

/// All that was measured.
pub(crate) struct Section {
    pub(crate) machine: Machine,
    pub(crate) size: Size,
    pub(crate) decisions: Vec<Decisions>,
    pub(crate) chain: Chain,
    pub(crate) idle: Idle,
}

impl Section {
    /// As it stands in the page.
    pub(crate) fn markdown(&self) -> String {
        let Self { machine, size, decisions, chain, idle } = self;
        let mut text = format!(
            "{HEAD}\nMeasured {machine}; {} runs of {} requests for each row, 28,000 behind nginx at most.\n",
            size.runs, size.requests
        );
        text += DECISIONS;
        for contract in decisions {
            text += &contract_rows(contract);
        }
        text += CHAIN;
        let [alone, ..] = chain;
        for row in chain {
            let cpu = [0, 1, 2].map(|process| row.cpu(process));
            let ratio = if std::ptr::eq(row, alone) { "1".to_owned() } else { ratio(row, alone) };
            let [nginx, decides, app] = cpu.map(micros);
            let all = micros(cpu.iter().sum());
            let _ =
                writeln!(text, "| {} | {:.0} | {ratio} | {nginx} | {decides} | {app} | {all} |", row.name, row.rate());
        }
        text + &idle_rows(idle) + METHOD
    }
}

fn contract_rows(contract: &Decisions) -> String {
    let Decisions { kind, empty, rows } = contract;
    let name = if *kind == Kind::Nginx { "nginx's" } else { "that of Caddy, Traefik, HAProxy" };
    let own = empty.cpu(0);
    let mut text = format!("| {name}: {} | {:.0} | 1 | | {} | |\n", empty.name, empty.rate(), micros(own));
    for row in rows {
        let (rate, ratio, cpu) = (row.rate(), ratio(row, empty), row.cpu(0));
        let added = micros(cpu - own);
        let _ = writeln!(text, "| {name}: {} | {rate:.0} | {ratio} | ≥ 0.83 | {} | {added} |", row.name, micros(cpu));
    }
    text
}

fn idle_rows(idle: &Idle) -> String {
    let Idle { sessions, started, connected, cpu, watched } = idle;
    let each = count(usize::try_from(connected - started.min(connected)).unwrap_or(usize::MAX)) / count(*sessions);
    let share = cpu.as_secs_f64() / watched.as_secs_f64() * 100.0;
    format!(
        "{IDLE}| {sessions} | {} MiB | {} MiB | {each:.1} KiB | {:.1} ms | {share:.2} % |\n",
        started / 1024,
        connected / 1024,
        cpu.as_secs_f64() * 1e3 / watched.as_secs_f64(),
    )
}

/// The middle of the runs, and how far they lie apart.
fn ratio(row: &Row, other: &Row) -> String {
    let ratios = row.ratios(other);
    let (lowest, highest) =
        ratios.iter().fold((f64::MAX, 0.0_f64), |(low, high), ratio| (low.min(*ratio), high.max(*ratio)));
    format!("{:.2} ({lowest:.2} – {highest:.2})", median(&ratios))
}

fn micros(value: f64) -> impl Display {
    format!("{value:.1} µs")
}

const HEAD: &str = "\
## The gateway

What a decision costs: beside an empty answer of the same server stack, in the whole chain, and while nobody asks.
";

const DECISIONS: &str = "
### Decisions

The gateway is asked as the proxy asks, without the proxy. An assertion is part of every answer that allows.

| contract and request | requests/s | ratio (lowest – highest) | target | CPU per request | added |
|---|---|---|---|---|---|
";

const CHAIN: &str = "
### The whole chain

A real nginx with the configuration that `counterfoil proxy-config` writes, before an app that answers a line of text. All on
one core, the load on the other; the processor time of each process for one request.

| chain | requests/s | ratio (lowest – highest) | nginx | decides | app | all |
|---|---|---|---|---|---|---|
";

const IDLE: &str = "
### While nobody asks

| sessions, a connection each | resident once started | with the connections | for each | CPU in a second | of a core |
|---|---|---|---|---|---|
";

const METHOD: &str = "
* The gateway is `counterfoil serve` as it is shipped, with the embedded store and everything on (events to a log file,
  metrics). \"An empty 200\" is `benches/gateway/empty.rs`: the listener that takes questions, and a handler that answers
  nothing. It is sent the same questions, so reading them is in both.
* 32 connections, each with 32 sessions in turn. Questions carry what a browser sends for a page, a foreign cookie included.
* On the same page again, the assertion was signed less than half a minute ago and is handed out again; the decision itself
  is made anew. On another page each time it is signed (ES256), because an assertion is good for one request target only.
* Gateway, nginx and app run on one core and the load on the other. CPU is what the scheduler counts for all threads of a
  process. Memory is what the system counts as resident.
";

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::sample::Sample;

    fn row(name: &str, rate: f64, cpu: &[f64]) -> Row {
        Row { samples: vec![Sample { rate, cpu: cpu.to_vec() }], ..Row::new(name) }
    }

    #[test]
    fn a_contract_is_compared_with_its_empty_answer() {
        let contract = Decisions {
            kind: Kind::Nginx,
            empty: row("an empty 200", 100_000.0, &[8.0]),
            rows: vec![row("a member", 50_000.0, &[14.0])],
        };
        assert_eq!(
            contract_rows(&contract),
            "| nginx's: an empty 200 | 100000 | 1 | | 8.0 µs | |\n\
             | nginx's: a member | 50000 | 0.50 (0.50 – 0.50) | ≥ 0.83 | 14.0 µs | 6.0 µs |\n"
        );
    }

    #[test]
    fn what_idles_is_told_for_each_and_by_the_second() {
        let idle = Idle {
            sessions: 10_000,
            started: 20 * 1024,
            connected: 120 * 1024,
            cpu: Duration::from_millis(60),
            watched: Duration::from_secs(30),
        };
        let told = idle_rows(&idle);
        assert!(told.ends_with("| 10000 | 20 MiB | 120 MiB | 10.2 KiB | 2.0 ms | 0.20 % |\n"), "{told}");
    }
}
