//! The simulation sees what is wrong with a rule: each alternative's flaw shows in a small run, so does a fault put into
//! ours, and ours without one has none.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::num::{NonZeroU64, NonZeroUsize};
use std::time::Duration;

use counterfoil_core::keys::KeyId;
use counterfoil_core::rules::family::{Context, Family, Renewal, Verdict};
use counterfoil_core::token::Nonce;
use counterfoil_core::{Moment, Policy};
use counterfoil_simulation::page::{Results, tables};
use counterfoil_simulation::{
    Conditions, Counterfoil, Crashes, Follows, Late, Plan, PreviousAllowed, Resemblance, Rule, Siblings, SingleUse,
    Tally, Thief, Timing, Token, run,
};
use fastrand::Rng;

fn days<R: Rule>(rule: &R, conditions: &Conditions, histories: u64) -> Tally {
    run(rule, conditions, histories, 1, threads(2), &|_| ())
}

fn threads(count: usize) -> NonZeroUsize {
    NonZeroUsize::new(count).unwrap()
}

fn ours() -> Counterfoil {
    Counterfoil::new(Timing::default()).unwrap()
}

fn stolen(follows: Follows) -> Conditions {
    let thief = Thief { every: 10_000, resemblance: Resemblance::Other, follows };
    Conditions { thief: Some(thief), ..Conditions::good_day() }
}

#[test]
fn ours_ends_no_honest_session_on_a_bad_day() {
    let tally = days(&ours(), &Conditions::bad_day(), 150);
    assert_eq!(tally.refusals, []);
    // The days were real ones: used for hours, and rotated all along.
    assert!(tally.requests > 150 * 3_000 && tally.rotations > 150 * 15, "{tally:?}");
}

/// Grace, less what the clocks of two nodes may be apart, is what a late request has. What is later than that, and comes by
/// another network than the successor was used from, looks like a copy. That is why the default is 65 s.
#[test]
fn without_a_crash_only_a_request_later_than_grace_ends_an_honest_session() {
    let late = Late { share: 0.2, requests: 55..=60, responses: 10..=60 };
    let conditions = Conditions { late, ..Conditions::bad_day() };
    let shorter = Timing { grace: Duration::from_mins(1), ..Timing::default() };
    let tally = days(&Counterfoil::new(shorter).unwrap(), &conditions, 150);
    assert!(!tally.refusals.is_empty());
    for (seed, refusal) in &tally.refusals {
        assert!(refusal.late > 58_000, "{seed}: {refusal:?}");
    }
    assert_eq!(days(&ours(), &conditions, 150).refusals, []);
}

/// One crash for a link is what the rules forgive. These days have two: the token that the first forgot is forgotten again.
#[test]
fn after_a_crash_on_one_network_it_takes_a_second_one_to_end_an_honest_session() {
    let late = Late::as_assumed(0.01);
    let conditions = Conditions { crashes: Crashes::InPlace, second_network: 0.0, late, ..Conditions::bad_day() };
    for seed in [2_136, 2_186, 2_650, 3_598, 9_187] {
        let tally = run(&ours(), &conditions, 1, seed, threads(1), &|_| ());
        let [(_, refusal)] = tally.refusals.as_slice() else { panic!("{seed}: {:?}", tally.refusals) };
        let (apart, since) = (refusal.between_crashes.unwrap(), refusal.since_crash.unwrap());
        assert!(apart < 3_600_000 && since < 600_000, "{seed}: {refusal:?}");
    }
}

#[test]
fn what_is_simulated_is_the_default() {
    let policy = Policy::aal2("https://shop.example").unwrap();
    let Timing { grace, rotate_every } = Timing::default();
    assert_eq!((grace, rotate_every), (policy.grace(), policy.rotate_every()));
}

#[test]
fn ours_ends_no_honest_session_after_a_crash_on_one_network() {
    let late = Late::as_assumed(0.01);
    let conditions = Conditions { crashes: Crashes::InPlace, second_network: 0.0, late, ..Conditions::bad_day() };
    let tally = days(&ours(), &conditions, 150);
    assert_eq!(tally.refusals, []);
    assert!(tally.crashes > 150 * 2, "{}", tally.crashes);
}

#[test]
fn a_crash_that_moves_the_browser_shows() {
    let conditions = Conditions { crashes: Crashes::Moving, second_network: 0.0, ..Conditions::bad_day() };
    assert!(days(&ours(), &conditions, 100).ended() > 0);
}

#[test]
fn ours_finds_every_thief_who_goes_on_with_its_copy() {
    let tally = days(&ours(), &stolen(Follows::No), 200);
    let (thieves, found) = tally.thieves();
    assert!(found == thieves && found > 190, "{found} of {thieves}");
}

#[test]
fn a_thief_who_reads_the_jar_is_not_found_by_rotation() {
    let (thieves, found) = days(&ours(), &stolen(Follows::ReadsJar), 50).thieves();
    assert!(found == 0 && thieves > 40, "{found} of {thieves}");
}

#[test]
fn strict_single_use_ends_honest_sessions_also_on_a_good_day() {
    let tally = days(&SingleUse::default(), &Conditions::good_day(), 50);
    assert!(tally.ended() > 40, "{}", tally.ended());
}

#[test]
fn siblings_end_honest_sessions_whose_answer_was_lost_and_keep_thieves_who_follow() {
    let lossy = Conditions { tabs: 1, loss: 0.3..=0.3, ..Conditions::bad_day() };
    assert!(days(&Siblings::default(), &lossy, 100).ended() > 5);
    assert_eq!(days(&ours(), &lossy, 100).ended(), 0);

    let missed = |tally: Tally| tally.missed;
    assert!(missed(days(&Siblings::default(), &stolen(Follows::AtOnce), 100)) > 30);
    assert_eq!(missed(days(&ours(), &stolen(Follows::AtOnce), 100)), 0);
}

#[test]
fn a_previous_token_that_is_always_allowed_doubles_what_a_thief_has() {
    let tally = days(&PreviousAllowed::default(), &stolen(Follows::No), 200);
    let (theirs, ours) =
        (tally.within_use(50).unwrap(), days(&ours(), &stolen(Follows::No), 200).within_use(50).unwrap());
    assert!(theirs * 2 > ours * 3, "{theirs} and {ours} ms");
}

#[test]
fn ours_without_grace_ends_honest_sessions() {
    let timing = Timing { grace: Duration::ZERO, ..Timing::default() };
    let tally = days(&Counterfoil::new(timing).unwrap(), &Conditions::bad_day(), 50);
    assert!(tally.ended() > 5, "{}", tally.ended());
}

#[test]
fn a_successor_that_is_made_anew_ends_honest_sessions() {
    let tally = days(&MadeAnew(ours()), &Conditions::bad_day(), 50);
    assert!(tally.ended() > 25, "{}", tally.ended());
}

#[test]
fn a_predecessor_that_never_dies_hides_the_thief() {
    let (thieves, found) = days(&NeverCloses(ours()), &stolen(Follows::No), 50).thieves();
    assert!(found < thieves / 2, "{found} of {thieves}");
}

#[test]
fn neither_threads_nor_repetition_change_a_figure() {
    let conditions = Conditions { crashes: Crashes::Moving, ..Conditions::bad_day() };
    let of = |count| run(&ours(), &conditions, 60, 7, threads(count), &|_| ());
    let one = of(1);
    assert!(one.ended() > 0);
    assert_eq!(one, of(1));
    assert_eq!(one, of(3));
    let other = run(&ours(), &conditions, 60, 1_007, threads(1), &|_| ());
    assert_ne!(one, other, "the seed counts");
}

#[test]
fn a_short_run_of_the_whole_plan_is_without_fault_and_fills_every_table() {
    let plan = Plan::of(NonZeroU64::new(500).unwrap());
    let all = plan.experiments.into_iter().map(|mut experiment| {
        experiment.histories = experiment.histories.min(8);
        let tally = experiment.run(Timing::default(), 1, threads(2), &|_| ()).unwrap();
        (experiment, tally)
    });
    let results = Results { all: all.collect() };
    assert_eq!(results.faults(), Vec::<String>::new());
    for section in tables(&results) {
        let least = match section.name {
            "run" => 1,
            "refusals" => 3, // two lines of head, and one day at least of those after a change of network
            _ => 5,
        };
        assert!(section.text.lines().count() >= least, "{}: {}", section.name, section.text);
    }
}

/// The real rules, but whoever shows the predecessor is sent another successor than the last one.
struct MadeAnew(Counterfoil);

impl Rule for MadeAnew {
    type State = Family;

    fn begin(&self, first: Token, now: Moment) -> Family {
        self.0.begin(first, now)
    }

    fn judge(&self, family: &mut Family, token: &Token, context: Context, now: Moment) -> Verdict {
        self.0.judge(family, token, context, now)
    }

    fn conclude(
        &self,
        family: &mut Family,
        token: &Token,
        verdict: Verdict,
        now: Moment,
        random: &mut Rng,
    ) -> Option<Token> {
        let renewal = family.conclude(&token.presented(), verdict, now, Timing::default().rotate_every);
        if let Renewal::Keep = renewal {
            return None;
        }
        let nonce = Nonce::from_bytes(random.u128(..).to_be_bytes());
        let anew = token.successor(&nonce);
        let unlinked = Family { next: None, ..family.settled(now) };
        *family = unlinked.offering(anew.hash(), KeyId::new("chain").unwrap(), nonce, now)?;
        Some(anew)
    }
}

/// The real rules, but a use of the successor never dates the predecessor's end, and the network is not looked at.
struct NeverCloses(Counterfoil);

impl Rule for NeverCloses {
    type State = Family;

    fn begin(&self, first: Token, now: Moment) -> Family {
        self.0.begin(first, now)
    }

    fn judge(&self, family: &mut Family, token: &Token, _context: Context, now: Moment) -> Verdict {
        let verdict = self.0.judge(family, token, Context::UNSEEN, now);
        if let Some(link) = &mut family.next {
            link.until = None;
        }
        verdict
    }

    fn conclude(
        &self,
        family: &mut Family,
        token: &Token,
        verdict: Verdict,
        now: Moment,
        random: &mut Rng,
    ) -> Option<Token> {
        self.0.conclude(family, token, verdict, now, random)
    }
}
