//! One run of requests, and what each process used for it.

use std::net::SocketAddr;
use std::time::Duration;

use counterfoil_benches::Failed;
use counterfoil_benches::load::{Load, Script};
use counterfoil_benches::measure::median;

use crate::usage::cpu;

/// How much is measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    pub(crate) runs: usize,
    pub(crate) requests: usize,
    /// Sessions and connections that idle.
    pub(crate) idle: usize,
    pub(crate) idle_for: Duration,
}

/// One run.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    /// Requests per second.
    pub(crate) rate: f64,
    /// Microseconds of each process for one request.
    pub(crate) cpu: Vec<f64>,
}

/// Sends `requests` after a warm-up of a tenth.
pub(crate) fn sample(
    address: SocketAddr,
    scripts: Vec<Script>,
    requests: usize,
    processes: &[u32],
) -> Result<Sample, Failed> {
    let mut load = Load::open(address, scripts)?;
    load.run(requests / 10)?;
    let used = || processes.iter().map(|process| cpu(*process)).collect::<Result<Vec<_>, _>>();
    let before = used()?;
    let (sent, elapsed) = load.run(requests)?;
    let each =
        |(after, before): (&Duration, &Duration)| after.saturating_sub(*before).as_secs_f64() * 1e6 / count(sent);
    let cpu = used()?.iter().zip(&before).map(each).collect();
    Ok(Sample { rate: count(sent) / elapsed.as_secs_f64(), cpu })
}

impl Sample {
    /// With the processor time of one process more, after the first.
    pub(crate) fn between(mut self, cpu: f64) -> Self {
        self.cpu.insert(1.min(self.cpu.len()), cpu);
        self
    }
}

/// All runs of one kind of request.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) samples: Vec<Sample>,
}

impl Row {
    pub(crate) fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), samples: Vec::new() }
    }

    /// Requests per second, the middle run's.
    pub(crate) fn rate(&self) -> f64 {
        median(&self.samples.iter().map(|sample| sample.rate).collect::<Vec<_>>())
    }

    /// Beside another row, run by run: what is as fast is 1.
    pub(crate) fn ratios(&self, other: &Self) -> Vec<f64> {
        self.samples.iter().zip(&other.samples).map(|(own, other)| own.rate / other.rate).collect()
    }

    /// Microseconds of one process for one request.
    pub(crate) fn cpu(&self, process: usize) -> f64 {
        median(&self.samples.iter().filter_map(|sample| sample.cpu.get(process).copied()).collect::<Vec<_>>())
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of requests are far below 2^52")]
pub(crate) fn count(requests: usize) -> f64 {
    requests as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_compared_run_by_run() {
        let row = |rates: [f64; 3]| {
            let samples = rates.map(|rate| Sample { rate, cpu: vec![1e6 / rate, 0.0] });
            Row { samples: samples.into(), ..Row::new("a row") }
        };
        let (bare, ours) = (row([100.0, 50.0, 200.0]), row([50.0, 40.0, 50.0]));
        assert_eq!(ours.ratios(&bare), [0.5, 0.8, 0.25]);
        assert!((ours.rate() - 50.0).abs() < 1e-9 && (ours.cpu(0) - 20_000.0).abs() < 1e-9);
        assert!(ours.cpu(7).is_nan(), "no such process");
    }
}
