//! A stage: steps that belong together and are timed together.

use std::io;
use std::time::{Duration, Instant};

use crate::advisories;
use crate::invocation::Invocation;
use crate::overheard;
use crate::packages::{Package, Rights};
use crate::tally::{Tally, closing_line};
use crate::tools::Tool;
use crate::wheels;

/// Steps under one name.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) name: &'static str,
    pub(crate) steps: Vec<Step>,
    pub(crate) then: Then,
}

/// What a failure means for the stages that follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    /// They run all the same, so that one run tells everything.
    GoOn,
    /// They could only fail as well.
    Stop,
}

/// One step of a stage.
#[derive(Debug)]
pub(crate) enum Step {
    /// Run in the foreground.
    Run(Invocation),
    /// Run tests, count them; none at all is a failure.
    Count(Invocation),
    /// Install a tool where it is missing.
    Install(Tool),
    /// The same, for what the system's package manager has.
    InstallPackage(Package),
    /// The same, for the proxies from the Python package index.
    InstallWheels,
    /// Look for known advisories, where their database can be reached.
    Advisories,
    /// From now on keep what the program of this folder logs.
    Listen(&'static str),
    /// Look through all that was kept for what may not be told.
    Overheard,
}

/// What a stage came to.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) name: &'static str,
    pub(crate) took: Duration,
    pub(crate) tally: Tally,
    /// Nextest's own closing line.
    pub(crate) closing: Option<String>,
    /// What a reader must not miss although nothing failed.
    pub(crate) notes: Vec<String>,
    /// For each failed step, the command that repeats it.
    pub(crate) failed: Vec<String>,
}

impl Stage {
    pub(crate) fn new(name: &'static str, steps: Vec<Step>) -> Self {
        Self { name, steps, then: Then::GoOn }
    }

    pub(crate) fn or_stop(self) -> Self {
        Self { then: Then::Stop, ..self }
    }

    /// Runs all steps, also after one has failed, unless the stage is one to stop at.
    pub(crate) fn run(self) -> Outcome {
        println!("\n━━ {} ━━", self.name);
        let began = Instant::now();
        let mut outcome = Outcome {
            name: self.name,
            took: Duration::ZERO,
            tally: Tally::default(),
            closing: None,
            notes: Vec::new(),
            failed: Vec::new(),
        };
        for step in &self.steps {
            println!("── {step}");
            let succeeded = step.run(&mut outcome).unwrap_or_else(|error| {
                eprintln!("{step}: {error}");
                false
            });
            if !succeeded {
                outcome.failed.push(step.to_string());
                if self.then == Then::Stop {
                    break;
                }
            }
        }
        outcome.took = began.elapsed();
        outcome
    }
}

impl Step {
    fn run(&self, outcome: &mut Outcome) -> io::Result<bool> {
        match self {
            Self::Run(invocation) => invocation.run(),
            Self::Count(invocation) => count(invocation, outcome),
            Self::Install(tool) => tool.install(),
            Self::InstallPackage(package) => package.install(),
            Self::InstallWheels => wheels::install(),
            Self::Listen(programs) => overheard::begin(programs),
            Self::Overheard => overheard::look(),
            Self::Advisories => {
                let checked = advisories::check()?;
                outcome.notes.extend(checked.note());
                Ok(checked.is_fine())
            }
        }
    }
}

fn count(invocation: &Invocation, outcome: &mut Outcome) -> io::Result<bool> {
    let heard = invocation.run_heard()?;
    let tally = Tally::read(&heard.text).unwrap_or_default();
    outcome.tally += tally;
    if let Some(line) = closing_line(&heard.text) {
        outcome.closing = Some(line.to_owned());
    }
    if heard.succeeded && tally.passed == 0 {
        eprintln!("no test ran");
    }
    Ok(heard.succeeded && tally.passed > 0)
}

/// The command that repeats the step.
impl std::fmt::Display for Step {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Run(invocation) | Self::Count(invocation) => invocation.fmt(out),
            Self::Install(tool) => tool.installation().fmt(out),
            Self::InstallPackage(package) => package.installation(Rights::Root).fmt(out),
            Self::InstallWheels => wheels::installation().fmt(out),
            Self::Advisories => advisories::invocation().fmt(out),
            Self::Listen(programs) => write!(out, "keep what {programs}/counterfoil logs in {}", overheard::FOLDER),
            Self::Overheard => write!(out, "look for tokens, secrets and addresses in {}", overheard::FOLDER),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(then: Then) -> Outcome {
        let says = |words: &str| Step::Count(Invocation::program("echo", words));
        let steps = vec![
            says("test result: ok. 2 passed; 0 failed; 0 ignored"),
            Step::Run(Invocation::program("false", "")),
            Step::Run(Invocation::program("no-such-program-anywhere", "")),
            says("test result: ok. 3 passed; 0 failed; 0 ignored"),
            says("nothing to test here"),
        ];
        Stage { name: "try", steps, then }.run()
    }

    #[test]
    fn a_stage_counts_its_tests_and_names_every_failure() {
        let outcome = run(Then::GoOn);
        assert_eq!(outcome.tally, Tally { passed: 5, failed: 0 });
        assert_eq!(outcome.failed, ["false", "no-such-program-anywhere", "echo nothing to test here"]);
    }

    #[test]
    fn a_stage_that_others_need_ends_at_its_first_failure() {
        let outcome = run(Then::Stop);
        assert_eq!(outcome.tally, Tally { passed: 2, failed: 0 });
        assert_eq!(outcome.failed, ["false"]);
    }
}
