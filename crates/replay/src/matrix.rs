//! How many thefts were found and how many honest people were left alone, by preset.

use std::collections::BTreeMap;
use std::fmt;

use counterfoil_core::policy::Preset;

use crate::Sequence;
use crate::label::Kind;
use crate::score::{Finding, What};

/// The outcomes of many sequences, by preset.
#[derive(Debug, Clone, Default)]
pub struct Matrix {
    rows: BTreeMap<&'static str, Row>,
    /// Sequences that wait for device-bound sessions.
    waiting: u32,
}

/// The outcomes of those of one preset.
#[derive(Debug, Clone, Default)]
struct Row {
    honest: Honest,
    thefts: Thefts,
    /// Copies that nobody stole, and thefts beside sessions that must live.
    mixed: u32,
    weight: u32,
}

#[derive(Debug, Clone, Default)]
struct Honest {
    all: u32,
    signed_out: u32,
    asked: u32,
    otherwise: u32,
}

#[derive(Debug, Clone, Default)]
struct Thefts {
    all: u32,
    in_time: u32,
    late: u32,
    /// Nothing reaches the server that could tell.
    undetectable: u32,
    dead_admitted: u32,
}

impl Matrix {
    /// Counts one sequence and what was not as expected of it.
    pub fn count(&mut self, sequence: &Sequence, findings: &[Finding]) {
        let label = &sequence.label;
        if label.is_device_bound() {
            self.waiting += 1;
            return;
        }
        let row = self.rows.entry(name(sequence.scene.policy.preset)).or_default();
        let any = |is: fn(&What) -> bool| u32::from(findings.iter().any(|finding| is(&finding.what)));
        row.weight += findings.iter().map(Finding::weight).sum::<u32>();
        row.thefts.dead_admitted += any(|what| *what == What::DeadAdmitted);
        match label.kind {
            Kind::Honest => {
                let (signed_out, asked) =
                    (any(|what| *what == What::FalseSignOut), any(|what| *what == What::Nuisance));
                row.honest.all += 1;
                row.honest.signed_out += signed_out;
                row.honest.asked += asked;
                row.honest.otherwise += u32::from(signed_out + asked == 0 && !findings.is_empty());
            }
            Kind::Theft if label.has("undetectable") => row.thefts.undetectable += 1,
            Kind::Theft | Kind::Mixed if !label.expect.detect.is_empty() => {
                let late = any(|what| matches!(what, What::Missed(_)));
                row.thefts.all += 1;
                row.thefts.late += late;
                row.thefts.in_time += 1 - late;
            }
            Kind::Theft | Kind::Mixed => row.mixed += 1,
        }
    }

    /// How grave all that was not as expected is, added up.
    pub fn weight(&self) -> u32 {
        self.rows.values().map(|row| row.weight).sum()
    }
}

impl fmt::Display for Matrix {
    /// A table in Markdown.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            out,
            "| preset | thefts to be found | in time | late or never | nothing to be seen | dead tokens admitted | honest | signed out | a reader asked to step up | otherwise not as expected | others | weight |"
        )?;
        writeln!(out, "|---|---|---|---|---|---|---|---|---|---|---|---|")?;
        for (preset, Row { honest, thefts, mixed, weight }) in &self.rows {
            let Thefts { all, in_time, late, undetectable, dead_admitted } = thefts;
            write!(out, "| `{preset}` | {all} | {in_time} | {late} | {undetectable} | {dead_admitted} ")?;
            let Honest { all, signed_out, asked, otherwise } = honest;
            writeln!(out, "| {all} | {signed_out} | {asked} | {otherwise} | {mixed} | {weight} |")?;
        }
        writeln!(out)?;
        writeln!(out, "{} more wait for device-bound sessions.", self.waiting)
    }
}

const fn name(preset: Preset) -> &'static str {
    match preset {
        Preset::Aal1 => "aal1",
        Preset::Aal2 => "aal2",
        Preset::Aal3 => "aal3",
    }
}
