//! The truth, tested: each planted flaw is exploited on the vulnerable twin and on the fixed one, and every other
//! exploit is tried on both.

use std::process::ExitCode;
use std::thread;

use crate::Failure;
use crate::corpus::{Corpus, Pair};
use crate::exploit::{self, Exploit, Stage};
use crate::site;

/// Checks the pairs named, or all; 1 where the table and a site disagree.
pub(crate) fn run(corpus: &Corpus, names: &[String]) -> Result<ExitCode, Failure> {
    if let Some(unknown) = names.iter().find(|name| corpus.pair(name).is_none()) {
        return Err(Failure::Unknown(unknown.clone()));
    }
    let chosen: Vec<_> = corpus.pairs.iter().filter(|pair| names.is_empty() || names.contains(&pair.name)).collect();
    let (mut wrong, mut tried) = (Vec::new(), 0);
    for (pair, found) in chosen.iter().zip(all(corpus, &chosen)) {
        let found = found?;
        println!("{:12} {} exploits, {} wrong", pair.name, found.tried, found.wrong.len());
        tried += found.tried;
        wrong.extend(found.wrong);
    }
    for line in &wrong {
        println!("{line}");
    }
    println!("{} pairs, {tried} exploits, {} not as the table says", chosen.len(), wrong.len());
    Ok(if wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// All pairs at once: most of the time is spent waiting for sessions to end.
fn all(corpus: &Corpus, pairs: &[&Pair]) -> Vec<Result<Found, Failure>> {
    thread::scope(|scope| {
        let started: Vec<_> = pairs.iter().map(|pair| scope.spawn(|| of_pair(corpus, pair))).collect();
        let broken = |_| Err(Failure::Unknown("reason, but a check broke off".to_owned()));
        started.into_iter().map(|one| one.join().unwrap_or_else(broken)).collect()
    })
}

/// What the exploits of one pair came to.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// How many were tried.
    pub(crate) tried: usize,
    /// Where table and site disagree.
    pub(crate) wrong: Vec<String>,
}

/// Every exploit that applies, on both twins.
pub(crate) fn of_pair(corpus: &Corpus, pair: &Pair) -> Result<Found, Failure> {
    let plan = corpus.plan(pair)?;
    let mut found = Found::default();
    for fixed in [false, true] {
        let standing = site::open(&pair.name, fixed, 0)?;
        let before = standing.state();
        let stage = Stage { host: &pair.host, port: standing.port, tls: pair.tls, plan: &plan, session: &pair.session };
        let twin = if fixed { "fixed" } else { "vulnerable" };
        for (rule, exploit) in applying(pair) {
            found.tried += 1;
            let expected = corpus.holds(pair, fixed, rule);
            let loose = !pair.planted.iter().any(|id| id == rule) && expected;
            match exploit(&stage) {
                Ok(shown) if shown == expected || loose => {}
                Ok(shown) => {
                    let said = if shown { "is there" } else { "is not there" };
                    found.wrong.push(format!("{} ({twin}): {rule} {said}", pair.name));
                }
                Err(error) => found.wrong.push(format!("{} ({twin}): {rule}: {error}", pair.name)),
            }
        }
        if standing.state() != before {
            found.wrong.push(format!("{} ({twin}): the exploits changed what lasts", pair.name));
        }
    }
    let missing = pair.planted.iter().filter(|rule| exploit::of(&pair.name, rule).is_none());
    found.wrong.extend(missing.map(|rule| format!("{}: {rule} is planted and nothing shows it", pair.name)));
    Ok(found)
}

fn applying(pair: &Pair) -> Vec<(&str, Exploit)> {
    let mut all: Vec<_> =
        exploit::everywhere().filter(|(rule, _)| exploit::special(&pair.name, rule).is_none()).collect();
    let own = pair.planted.iter().filter_map(|rule| Some((rule.as_str(), exploit::of(&pair.name, rule)?)));
    for (rule, exploit) in own {
        if !all.iter().any(|(id, _)| *id == rule) {
            all.push((rule, exploit));
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::foreign;

    #[test]
    fn every_pair_has_a_site_and_a_name_of_its_own() {
        let corpus = Corpus::read().unwrap();
        for (index, pair) in corpus.pairs.iter().enumerate() {
            assert!(foreign::is(&pair.name) || site::open(&pair.name, true, 0).is_ok(), "{}", pair.name);
            assert!(corpus.pairs.iter().skip(index + 1).all(|other| other.name != pair.name), "{} twice", pair.name);
        }
    }
}
