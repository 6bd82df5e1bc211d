//! Any auditor over all twins: what it finds, misses and makes up, and what that costs.

use std::path::PathBuf;
use std::process::ExitCode;
use std::thread;

use parking_lot::Mutex;

use crate::Failure;
use crate::corpus::{Corpus, Pair};
use crate::exploit::Stage;
use crate::judge::{Judge, Subject};
use crate::odd::{self, Expects, Odd};
use crate::score::{Look, Totals};
use crate::visitor::Visitor;
use crate::web::tls;
use crate::{site, write};

/// What is to be measured.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) judge: Judge,
    pub(crate) runs: usize,
    pub(crate) only: Vec<String>,
    pub(crate) at_a_time: usize,
    pub(crate) least: bool,
    pub(crate) odd: bool,
    pub(crate) write: Option<PathBuf>,
}

/// Measures; 1 where it falls short of what was asked for.
pub(crate) fn run(corpus: &Corpus, plan: &Plan) -> Result<ExitCode, Failure> {
    if plan.odd {
        return Ok(if odd_sites(plan)? { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    let known = |name: &&String| corpus.pair(name).is_some();
    if let Some(unknown) = plan.only.iter().find(|name| !known(name)) {
        return Err(Failure::Unknown(unknown.clone()));
    }
    let chosen: Vec<_> = corpus.pairs.iter().filter(|pair| wanted(plan, &pair.name) && plan.judge.can(pair)).collect();
    let mut runs = Vec::new();
    for _ in 0..plan.runs {
        runs.push(looks(corpus, plan, &chosen)?);
    }
    let mut well = true;
    let totals = Totals::of(corpus, &runs);
    print!("{}", write::totals(&totals));
    if let Some(file) = &plan.write {
        let before = std::fs::read_to_string(file).unwrap_or_default();
        let looks = runs.into_iter().next().unwrap_or_default();
        std::fs::write(file, write::document(corpus, plan.judge.name(), &totals, &looks, &before))?;
    }
    if plan.least {
        let shortfalls = totals.shortfalls();
        for line in &shortfalls {
            println!("short: {line}");
        }
        well &= shortfalls.is_empty();
    }
    Ok(if well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn wanted(plan: &Plan, name: &str) -> bool {
    plan.only.is_empty() || plan.only.iter().any(|one| one == name)
}

/// Every twin once, several at a time, in the order of the table.
fn looks(corpus: &Corpus, plan: &Plan, pairs: &[&Pair]) -> Result<Vec<Look>, Failure> {
    let twins: Vec<_> = pairs.iter().flat_map(|pair| [(*pair, false), (*pair, true)]).collect();
    let next = Mutex::new(twins.iter().enumerate());
    let done = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..plan.at_a_time.max(1) {
            scope.spawn(|| {
                loop {
                    let Some((index, (pair, fixed))) = next.lock().next() else { return };
                    let look = look(corpus, &plan.judge, pair, *fixed);
                    if let Ok(look) = &look {
                        print!("{}", write::look(corpus, look));
                    }
                    done.lock().push((index, look));
                }
            });
        }
    });
    let mut done = done.into_inner();
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, look)| look).collect()
}

fn look(corpus: &Corpus, judge: &Judge, pair: &Pair, fixed: bool) -> Result<Look, Failure> {
    let folder = tempfile::tempdir()?;
    let standing = site::open(&pair.name, fixed, 0)?;
    let before = standing.state();
    let plan = corpus.plan(pair)?;
    let stage = Stage { host: &pair.host, port: standing.port, tls: pair.tls, plan: &plan, session: &pair.session };
    let visitor = if matches!(judge, Judge::Rival(_)) { Some(stage.signed_in("alice")?) } else { None };
    let of_visitors = standing.requests().unwrap_or(0);
    let mut report = judge.ask(&Subject {
        host: &pair.host,
        port: standing.port,
        certificate: if pair.tls { Some(tls::certificate()?) } else { None },
        page: format!("{}{}", stage.visitor().origin(), plan.signed_in.url),
        profile: corpus.profile(pair, standing.port),
        signed_in: visitor.as_ref().and_then(Visitor::header),
        folder: folder.path(),
        holds: &|rule| corpus.holds(pair, fixed, rule),
    })?;
    // The port is another in each run, and is not what a verdict is about.
    for one in &mut report.findings {
        one.place = one.place.replace(&format!(":{}", standing.port), "");
    }
    let harmless = standing.state() == before;
    let requests = standing.requests().map(|all| all - of_visitors).or(report.requests).unwrap_or(0);
    Ok(Look { pair: pair.clone(), fixed, report, requests, harmless })
}

/// Whether every odd site was met as it has to be.
fn odd_sites(plan: &Plan) -> Result<bool, Failure> {
    let mut well = true;
    for odd in odd::read()?.iter().filter(|odd| wanted(plan, &odd.name)) {
        let wrong = odd_site(&plan.judge, odd)?;
        println!("{:12} {}", odd.name, if wrong.is_empty() { "as it has to be" } else { &wrong });
        well &= wrong.is_empty();
    }
    Ok(well)
}

/// What is wrong with how one was met; empty where nothing is.
fn odd_site(judge: &Judge, odd: &Odd) -> Result<String, Failure> {
    let folder = tempfile::tempdir()?;
    let standing = site::open(&odd.name, true, 0)?;
    let before = standing.state();
    let report = judge.ask(&Subject {
        host: "127.0.0.1",
        port: standing.port,
        certificate: None,
        page: format!("http://127.0.0.1:{}/", standing.port),
        profile: odd.profile(standing.port),
        signed_in: None,
        folder: folder.path(),
        holds: &|_| false,
    })?;
    let met = match (report.status, odd.expects) {
        (Some(2), Expects::Inconclusive) if report.said.trim().is_empty() => "no words say why".to_owned(),
        (Some(0 | 1), Expects::Judges) | (Some(2), Expects::Inconclusive | Expects::InPart) => String::new(),
        (Some(0), Expects::InPart) if report.findings.iter().any(|one| one.verdict == "inconclusive") => String::new(),
        (status, expected) => {
            format!("ended with {status:?} where {expected:?} was expected: {}", last_line(&report.said))
        }
    };
    let mut wrong = vec![met];
    let requests = standing.requests().unwrap_or(0);
    if requests > 300 {
        wrong.push(format!("{requests} requests"));
    }
    if standing.state() != before {
        wrong.push("what lasts was changed".to_owned());
    }
    wrong.retain(|words| !words.is_empty());
    Ok(wrong.join("; "))
}

fn last_line(text: &str) -> &str {
    text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("nothing was said")
}
