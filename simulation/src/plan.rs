//! Which experiments a run has, and how many histories each.

use std::num::{NonZeroU64, NonZeroUsize};
use std::time::Duration;

use counterfoil_core::keys::BadKeyId;

use crate::conditions::{Conditions, Crashes, Follows, Late, Resemblance, Thief};
use crate::experiment::run;
use crate::rules::{Counterfoil, PreviousAllowed, Siblings, SingleUse, Timing};
use crate::tally::Tally;

/// The experiments of a run.
#[derive(Debug)]
pub struct Plan {
    /// In the order in which they run.
    pub experiments: Vec<Experiment>,
}

/// One rule under one set of conditions.
#[derive(Debug, Clone)]
pub struct Experiment {
    /// What it belongs to.
    pub group: Group,
    /// What its row is called.
    pub row: String,
    /// Where it stands on its group's axis, if that has one.
    pub at: f64,
    /// The rule.
    pub rule: RuleName,
    /// The world.
    pub conditions: Conditions,
    /// How many days.
    pub histories: u64,
}

/// What experiments are about; each is a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// All that may happen to an honest browser but crashes, and many days of it.
    Bar,
    /// Crashes.
    Crashes,
    /// By the share of messages lost.
    Loss,
    /// By the number of tabs.
    Tabs,
    /// By how late messages are.
    Late,
    /// Thieves with a copy that look like the browser, by how often they use it.
    AlikeThieves,
    /// The same, from elsewhere.
    OtherThieves,
    /// Thieves that keep up.
    Followers,
}

/// A way to rotate, by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RuleName {
    /// Ours.
    Counterfoil,
    /// Strict single use.
    SingleUse,
    /// A new sibling within grace.
    Siblings,
    /// The previous token is always allowed.
    PreviousAllowed,
}

impl Plan {
    /// Everything that is published, with one in so many of its days.
    pub fn of(one_in: NonZeroU64) -> Self {
        let mut experiments = bar();
        experiments.extend(crashes());
        experiments.extend(loss());
        experiments.extend(tabs());
        experiments.extend(late());
        experiments.extend(thieves());
        experiments.extend(followers());
        for experiment in &mut experiments {
            experiment.histories = (experiment.histories / one_in).max(8);
        }
        Self { experiments }
    }

    /// All histories together.
    pub fn histories(&self) -> u64 {
        self.experiments.iter().map(|experiment| experiment.histories).sum()
    }
}

impl Experiment {
    /// Runs it.
    ///
    /// # Errors
    /// Never: see [`Counterfoil::new`].
    pub fn run(
        &self,
        timing: Timing,
        first_seed: u64,
        threads: NonZeroUsize,
        progress: &(impl Fn(u64) + Sync),
    ) -> Result<Tally, BadKeyId> {
        let Self { conditions, histories, .. } = self;
        Ok(match self.rule {
            RuleName::Counterfoil => {
                run(&Counterfoil::new(timing)?, conditions, *histories, first_seed, threads, progress)
            }
            RuleName::SingleUse => run(&SingleUse::new(timing), conditions, *histories, first_seed, threads, progress),
            RuleName::Siblings => run(&Siblings::new(timing), conditions, *histories, first_seed, threads, progress),
            RuleName::PreviousAllowed => {
                run(&PreviousAllowed::new(timing), conditions, *histories, first_seed, threads, progress)
            }
        })
    }
}

impl RuleName {
    /// All, ours first.
    pub const ALL: [Self; 4] = [Self::Counterfoil, Self::SingleUse, Self::Siblings, Self::PreviousAllowed];

    /// The name in tables and plots.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Counterfoil => "Counterfoil",
            Self::SingleUse => "strict single use",
            Self::Siblings => "new sibling within grace",
            Self::PreviousAllowed => "previous always allowed",
        }
    }
}

/// One row under all rules; ours gets more days.
fn row(group: Group, row: &str, at: f64, conditions: &Conditions, (ours, others): (u64, u64)) -> Vec<Experiment> {
    let of = |rule| Experiment {
        group,
        row: row.to_owned(),
        at,
        rule,
        conditions: conditions.clone(),
        histories: if rule == RuleName::Counterfoil { ours } else { others },
    };
    RuleName::ALL.map(of).into()
}

fn bar() -> Vec<Experiment> {
    row(Group::Bar, "a bad day", 0.0, &Conditions::bad_day(), (100_000, 5_000))
}

fn crashes() -> Vec<Experiment> {
    let one = Conditions { second_network: 0.0, crashes: Crashes::InPlace, ..Conditions::bad_day() };
    let assumed = Late::as_assumed(0.01);
    #[rustfmt::skip]
    let rows = [
        ("back on the same network, requests at most 33 s late", Conditions { late: assumed.clone(), ..one.clone() }),
        ("back on the same network, requests up to 60 s late",   one.clone()),
        ("back on another network, requests at most 33 s late",  Conditions { crashes: Crashes::Moving, late: assumed, ..one.clone() }),
        ("back on another network, requests up to 60 s late",    Conditions { crashes: Crashes::Moving, ..one.clone() }),
        ("back on the same, 30 % of requests over a second one", Conditions { second_network: 0.3, ..one }),
    ];
    rows.iter().flat_map(|(name, conditions)| row(Group::Crashes, name, 0.0, conditions, (10_000, 2_000))).collect()
}

fn loss() -> Vec<Experiment> {
    let at = |share: f64| {
        let conditions = Conditions { loss: share..=share, ..Conditions::bad_day() };
        let percent = share * 100.0;
        row(Group::Loss, &format!("{percent:.0} %"), percent, &conditions, (5_000, 2_000))
    };
    [0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3].into_iter().flat_map(at).collect()
}

fn tabs() -> Vec<Experiment> {
    let at = |tabs: u8| {
        let conditions = Conditions { tabs, ..Conditions::bad_day() };
        row(Group::Tabs, &tabs.to_string(), tabs.into(), &conditions, (5_000, 2_000))
    };
    [1, 2, 4, 8].into_iter().flat_map(at).collect()
}

fn late() -> Vec<Experiment> {
    #[rustfmt::skip]
    let rows = [
        ("none",                                   Late::up_to_a_minute(0.0)),
        ("1 %; requests at most 33 s",             Late::as_assumed(0.01)),
        ("1 %",                                    Late::up_to_a_minute(0.01)),
        ("5 %",                                    Late::up_to_a_minute(0.05)),
        ("1 %, all of them 55–60 s",               Late { share: 0.01, requests: 55..=60, responses: 55..=60 }),
        ("5 %, all of them 55–60 s",               Late { share: 0.05, requests: 55..=60, responses: 55..=60 }),
    ];
    let conditions = |late: &Late| Conditions { late: late.clone(), loss: 0.05..=0.05, ..Conditions::bad_day() };
    rows.iter().flat_map(|(name, late)| row(Group::Late, name, 0.0, &conditions(late), (5_000, 2_000))).collect()
}

fn thieves() -> Vec<Experiment> {
    let looks = [(Group::AlikeThieves, Resemblance::Same), (Group::OtherThieves, Resemblance::Other)];
    let of = |(group, resemblance)| {
        CADENCES.into_iter().flat_map(move |(name, every)| {
            let thief = Some(Thief { every, resemblance, follows: Follows::No });
            let minutes = Duration::from_millis(every).as_secs_f64() / 60.0;
            row(group, name, minutes, &Conditions { thief, ..Conditions::good_day() }, (3_000, 1_000))
        })
    };
    looks.into_iter().flat_map(of).collect()
}

fn followers() -> Vec<Experiment> {
    #[rustfmt::skip]
    let rows = [
        ("uses what it is sent, every second", 1_000,  Follows::AtOnce),
        ("uses what it is sent, every minute", 60_000, Follows::AtOnce),
        ("waits before it does, every second", 1_000,  Follows::Patiently),
        ("waits before it does, every minute", 60_000, Follows::Patiently),
        ("reads the jar anew, every minute",   60_000, Follows::ReadsJar),
    ];
    let conditions = |every, follows| {
        let thief = Some(Thief { every, resemblance: Resemblance::Same, follows });
        Conditions { thief, ..Conditions::good_day() }
    };
    let of = |(name, every, follows)| row(Group::Followers, name, 0.0, &conditions(every, follows), (2_000, 1_000));
    rows.into_iter().flat_map(of).collect()
}

/// From a script that never rests to somebody who looks in once an hour; in milliseconds.
const CADENCES: [(&str, u64); 6] =
    [("100 ms", 100), ("1 s", 1_000), ("10 s", 10_000), ("1 min", 60_000), ("10 min", 600_000), ("1 h", 3_600_000)];
