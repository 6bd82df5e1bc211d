//! Fabricated notes, each with one thing wrong, which must be found; and the same without, where nothing may be found.

use super::*;

/// Notes in the making, and what was found wrong with them so far.
#[derive(Default)]
struct Told {
    world: World,
    found: Vec<Violation>,
    seconds: u64,
    number: u64,
}

impl Told {
    fn at(&self) -> Moment {
        Moment::from_unix_seconds(1_000_000 + self.seconds)
    }

    fn begin(&mut self) -> &mut Self {
        let round = self.world.round + 1;
        self.take(Note::Began { round })
    }

    fn take(&mut self, note: Note) -> &mut Self {
        self.found.extend(self.world.take(note));
        self
    }

    fn pass(&mut self, seconds: u64) -> &mut Self {
        self.seconds += seconds;
        self
    }

    /// Asked, and not answered.
    fn ask(&mut self, deed: Deed) -> u64 {
        self.number += 1;
        let (number, at) = (self.number, self.at());
        self.take(Note::Intent { number, at, deed });
        number
    }

    fn hear(&mut self, number: u64, answer: Answer, token: Option<&str>) -> &mut Self {
        let cookies = Cookies { session: token.map(str::to_owned), elevated: None };
        let at = self.at();
        self.take(Note::Answer { number, at, answer, cookies })
    }

    fn done(&mut self, deed: Deed, answer: Answer) -> &mut Self {
        let number = self.ask(deed);
        self.hear(number, answer, None)
    }

    fn sign_in(&mut self, id: &str, user: u32) -> &mut Self {
        let number = self.ask(Deed::SignIn { user, replaces: None });
        self.hear(number, Answer::SignedIn { session: id.to_owned() }, Some("first"));
        self.looked(id, user, 0)
    }

    fn looked(&mut self, id: &str, user: u32, counter: u64) -> &mut Self {
        let accepted = Answer::Accepted { user, session: id.to_owned(), counter, elevated: false };
        self.done(look(id), accepted)
    }

    fn dead(&mut self, id: &str) -> &mut Self {
        self.done(look(id), Answer::Refused)
    }

    fn counted(&mut self, id: &str, counter: u64) -> &mut Self {
        self.done(Deed::Count { session: id.to_owned() }, Answer::Counted { counter })
    }
}

fn look(id: &str) -> Deed {
    Deed::Use { session: id.to_owned(), token: 0 }
}

fn sign_out() -> Deed {
    Deed::SignOut { session: "a".to_owned() }
}

/// Asks whether the store knows that it ended.
fn remember() -> Deed {
    Deed::Remember { session: "a".to_owned() }
}

/// Two sessions of user 1 and one of user 2, in use.
fn told() -> Told {
    let mut told = Told::default();
    told.begin().sign_in("a", 1).sign_in("b", 1).sign_in("c", 2);
    told
}

fn kinds(found: &[Violation]) -> Vec<&'static str> {
    let kind = |violation: &Violation| match violation {
        Violation::Lost { .. } => "lost",
        Violation::Revived { superseded: false, .. } => "revived",
        Violation::Revived { superseded: true, .. } => "superseded",
        Violation::Counter { .. } => "counter",
        Violation::Other { .. } => "other",
        Violation::Half { .. } => "half",
        Violation::Elevated { .. } => "elevated",
        Violation::Failed { .. } => "failed",
        Violation::Unexpected { .. } => "unexpected",
        Violation::Unasked { .. } => "unasked",
    };
    found.iter().map(kind).collect()
}

type Story = fn(&mut Told);

fn hold(rows: &[(&str, Story, &[&str])]) {
    for (name, story, expected) in rows {
        let mut told = told();
        story(&mut told);
        assert_eq!(kinds(&told.found), *expected, "{name}");
    }
}

#[test]
fn what_was_acknowledged_is_there() {
    #[rustfmt::skip]
    hold(&[
        ("a sign-in, there",                |told| { told.begin().looked("a", 1, 0); },                          &[]),
        ("a sign-in, lost",                 |told| { told.begin().dead("a"); },                                  &["lost"]),
        ("a change, there",                 |told| { told.counted("a", 1).begin().looked("a", 1, 1); },          &[]),
        ("a change, lost",                  |told| { told.counted("a", 1).begin().looked("a", 1, 0); },          &["counter"]),
        ("a change nobody made",            |told| { told.begin().looked("a", 1, 1); },                          &["counter"]),
        ("another user's",                  |told| { told.begin().looked("a", 2, 0); },                          &["other"]),
        ("an error",                        |told| { told.done(look("a"), Answer::Failed { error: "x".into() }); }, &["failed"]),
        ("an answer to nothing",            |told| { told.hear(99, Answer::Done, None); },                       &["unasked"]),
        ("refused to an operator",          |told| { told.done(Deed::EndAll, Answer::Refused); },                &["unexpected"]),
    ]);
}

#[test]
fn what_was_not_acknowledged_may_be_there_or_not() {
    let count = || Deed::Count { session: "a".to_owned() };
    let mut world = told();
    world.ask(count());
    world.begin();
    world.ask(count());
    world.begin().looked("a", 1, 1);
    assert!(world.found.is_empty(), "{:?}", world.found);
    // Once it was seen, it stays what it was.
    assert_eq!(kinds(&world.looked("a", 1, 2).found), ["counter"]);
    let mut world = told();
    world.ask(count());
    world.begin().counted("a", 3);
    assert_eq!(kinds(&world.found), ["counter"]);
}

#[test]
fn what_ended_stays_over() {
    let device = || Deed::EndDevice { session: "b".to_owned(), other: "a".to_owned() };
    let others = || Deed::EndOthers { session: "b".to_owned() };
    let anew = || Deed::SignIn { user: 1, replaces: Some("a".to_owned()) };
    for deed in [sign_out(), device(), others(), Deed::EndUser { user: 1 }, Deed::EndAll, anew()] {
        let answer = match deed {
            Deed::SignIn { .. } => Answer::SignedIn { session: "d".to_owned() },
            _ => Answer::Done,
        };
        let mut world = told();
        world.done(deed.clone(), answer.clone()).begin().dead("a");
        assert!(world.found.is_empty(), "{deed:?} {:?}", world.found);
        let mut world = told();
        world.done(deed.clone(), answer).begin().looked("a", 1, 0);
        assert_eq!(kinds(&world.found), ["revived"], "{deed:?}");
        // Not acknowledged: either, but for good.
        let mut world = told();
        world.ask(deed.clone());
        world.begin().dead("a");
        assert!(world.found.is_empty(), "{deed:?} {:?}", world.found);
        assert_eq!(kinds(&world.looked("a", 1, 0).found), ["revived"], "{deed:?}");
        let mut world = told();
        world.ask(deed.clone());
        world.begin().looked("a", 1, 0);
        assert!(world.found.is_empty(), "{deed:?} {:?}", world.found);
        assert_eq!(kinds(&world.dead("a").found), ["lost"], "{deed:?}");
    }
}

#[test]
fn that_it_ended_is_known_until_nothing_could_be_alive() {
    #[rustfmt::skip]
    hold(&[
        ("known",               |told| { told.done(sign_out(), Answer::Done).begin().done(remember(), Answer::Done); },                    &[]),
        ("forgotten",           |told| { told.done(sign_out(), Answer::Done).begin().done(remember(), Answer::Refused); },                 &["lost"]),
        ("just before its end", |told| { told.done(sign_out(), Answer::Done).pass(14_399).done(remember(), Answer::Refused); },            &["lost"]),
        ("forgotten later",     |told| { told.done(sign_out(), Answer::Done).pass(14_400).done(remember(), Answer::Refused); },            &[]),
        ("idle before that",    |told| { told.pass(1_790).done(sign_out(), Answer::Done).done(remember(), Answer::Refused); },             &[]),
        ("ended with others",   |told| { told.done(Deed::EndUser { user: 1 }, Answer::Done).done(remember(), Answer::Refused); },          &[]),
    ]);
}

#[test]
fn only_what_was_meant_ends() {
    let device = || Deed::EndDevice { session: "b".to_owned(), other: "a".to_owned() };
    let others = || Deed::EndOthers { session: "b".to_owned() };
    for (deed, spared) in [(device(), "b"), (others(), "b"), (Deed::EndUser { user: 1 }, "c")] {
        let mut world = told();
        world.done(deed.clone(), Answer::Done).begin().dead(spared);
        assert_eq!(kinds(&world.found), ["lost"], "{deed:?}");
    }
}

#[test]
fn an_ending_is_not_done_by_halves() {
    let mut world = told();
    world.ask(Deed::EndUser { user: 1 });
    world.begin().dead("a").looked("b", 1, 0);
    assert_eq!(kinds(&world.found), ["half"]);
    let mut world = told();
    world.ask(Deed::EndAll);
    world.begin().looked("c", 2, 0).dead("a");
    assert_eq!(kinds(&world.found), ["half"]);
    let mut world = told();
    world.ask(Deed::EndUser { user: 1 });
    world.begin().dead("a").dead("b").looked("c", 2, 0);
    assert!(world.found.is_empty(), "{:?}", world.found);
}

#[test]
fn what_runs_beside_an_ending_of_all_may_come_before_or_after() {
    let mut world = told();
    let all = world.ask(Deed::EndAll);
    let signing_in = world.ask(Deed::SignIn { user: 3, replaces: None });
    world.looked("a", 1, 0).dead("b");
    world.hear(signing_in, Answer::SignedIn { session: "d".to_owned() }, None).hear(all, Answer::Done, None);
    assert!(world.found.is_empty(), "{:?}", world.found);
    world.dead("d").dead("a");
    assert!(world.found.is_empty(), "{:?}", world.found);
    assert_eq!(kinds(&world.looked("c", 2, 0).found), ["revived"]);
    // One that began after it is another matter.
    let mut world = told();
    world.done(Deed::EndAll, Answer::Done).sign_in("d", 3).dead("d");
    assert_eq!(kinds(&world.found), ["lost"]);
}

#[test]
fn time_ends_sessions_and_no_sooner() {
    #[rustfmt::skip]
    hold(&[
        ("nearly idle",              |told| { told.pass(1_700).dead("a"); },                                     &["lost"]),
        ("within the touch step",    |told| { told.pass(1_750).dead("a"); },                                     &[]),
        ("alive there, too",         |told| { told.pass(1_750).looked("a", 1, 0); },                             &[]),
        ("idle",                     |told| { told.pass(1_800).looked("a", 1, 0); },                             &["revived"]),
        ("used, but not written",    |told| { told.pass(1_600).looked("a", 1, 0).pass(1_600).begin().dead("a"); }, &[]),
        ("used and written",         |told| { told.pass(1_600).counted("a", 1).pass(1_600).begin().dead("a"); }, &["lost"]),
    ]);
    let mut world = told();
    for counter in 1..=6 {
        world.pass(1_600).counted("a", counter);
    }
    assert!(world.found.is_empty(), "{:?}", world.found);
    assert_eq!(kinds(&world.pass(1_200).looked("a", 1, 6).found), ["revived"], "at three hours");
}

#[test]
fn a_session_nobody_presented_ends_soon() {
    let begun = || {
        let mut world = told();
        let number = world.ask(Deed::SignIn { user: 3, replaces: None });
        world.hear(number, Answer::SignedIn { session: "d".to_owned() }, Some("first"));
        world
    };
    let mut world = begun();
    assert_eq!(kinds(&world.begin().pass(299).dead("d").found), ["lost"]);
    let mut world = begun();
    assert_eq!(kinds(&world.begin().pass(300).looked("d", 3, 0).found), ["revived"]);
    // It may have been presented just before the crash.
    let mut world = begun();
    world.ask(look("d"));
    assert!(world.begin().pass(300).looked("d", 3, 0).found.is_empty());
}

#[test]
fn a_superseded_token_is_dead_after_its_grace() {
    let rotated = |used_again: u64| {
        let mut world = told();
        let number = world.ask(look("a"));
        let accepted = Answer::Accepted { user: 1, session: "a".to_owned(), counter: 0, elevated: false };
        world.hear(number, accepted, Some("second")).pass(10).looked("a", 1, 0).pass(used_again).looked("a", 1, 0);
        world
    };
    assert!(rotated(65).world.sessions["a"].superseded(Moment::from_unix_seconds(2_000_000)).is_empty());
    let mut world = rotated(66);
    let closed = |world: &Told| world.world.sessions["a"].superseded(world.at()).len();
    assert_eq!((closed(&world), closed(world.pass(65)), closed(world.pass(1))), (0, 0, 1));
    let theft = Deed::Steal { session: "a".to_owned(), token: 0 };
    let accepted = Answer::Accepted { user: 1, session: "a".to_owned(), counter: 0, elevated: false };
    assert_eq!(kinds(&world.done(theft.clone(), accepted).found), ["superseded"]);
    let mut world = rotated(66);
    world.pass(66).done(theft, Answer::Refused).dead("a");
    assert!(world.found.is_empty(), "{:?}", world.found);
    assert_eq!(kinds(&world.looked("a", 1, 0).found), ["revived"]);
}

#[test]
fn a_step_up_lasts_as_long_as_it_was_granted() {
    let look_up = |seconds: u64, elevated: bool| {
        let mut world = told();
        let (number, at) = (world.ask(Deed::StepUp { session: "a".to_owned() }), world.at());
        let cookies = Cookies { session: None, elevated: Some("up".to_owned()) };
        world.take(Note::Answer { number, at, answer: Answer::Done, cookies });
        let accepted = Answer::Accepted { user: 1, session: "a".to_owned(), counter: 0, elevated };
        world.begin().pass(seconds).done(look("a"), accepted);
        kinds(&world.found)
    };
    assert_eq!((look_up(299, true), look_up(300, false)), (vec![], vec![]));
    assert_eq!((look_up(299, false), look_up(300, true)), (vec!["lost"], vec!["elevated"]));
}
