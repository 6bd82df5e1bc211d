//! What silence means, what happens while a detector is asked, and what the policy says of its answers.

use super::*;

#[test]
fn a_session_may_be_shortened_where_it_is_used_and_where_it_begins() {
    let ends_in = |site: &Site, jar: &mut Jar, from| {
        let identity = site.send(jar, from, USUAL, async |exchange| exchange.identity().await.unwrap().unwrap());
        (identity.expires_in.as_secs() / 60, identity.ends_in.as_secs() / 60)
    };
    let (site, mut jar) = Site::usual(Mood::Says(Decision::Shorten));
    assert_eq!(ends_in(&site, &mut jar, AT_HOME), (60, 24 * 60));
    assert_eq!(ends_in(&site, &mut jar, MOVED), (15, 60));
    assert_eq!(ends_in(&site, &mut jar, AT_HOME), (15, 60), "it stays short");
    let mut another = Jar::default();
    site.sign_in(&mut another, AT_HOME).unwrap();
    assert_eq!(ends_in(&site, &mut another, AT_HOME), (15, 60));
}

#[test]
fn silence_means_what_the_operator_says_and_ends_with_the_next_answer() {
    let (site, mut jar) = Site::usual(Mood::Fails);
    site.look(&mut jar, MOVED, SENSITIVE).unwrap();
    site.sign_in(&mut Jar::default(), AT_HOME).unwrap();
    assert_eq!(site.signals(), [], "open: our own rules decide alone");

    let on = [Occasion::SignIn, Occasion::NewContext];
    let site = Site::new(&on, OnSilence::Closed, |_| {});
    let mut jar = site.member();
    site.is(Mood::Fails);
    let silent = (Signal::DetectorSilent, Decision::Note, None);
    site.look(&mut jar, MOVED, USUAL).unwrap();
    assert_eq!(site.signals(), [silent], "closed: reading goes on");
    for _ in 0..2 {
        assert!(waits(&site.look(&mut jar, MOVED, SENSITIVE)), "and what is sensitive waits");
        site.look(&mut jar, AT_HOME, SENSITIVE).unwrap();
    }
    assert_eq!(site.signals(), [], "told once for each context");
    let mut another = Jar::default();
    site.sign_in(&mut another, AT_HOME).unwrap();
    assert_eq!(site.signals(), [silent]);
    assert!(waits(&site.look(&mut another, AT_HOME, SENSITIVE)));
    let mut proved = another.clone();
    site.step_up(&mut proved, AT_HOME);
    site.look(&mut proved, AT_HOME, SENSITIVE).unwrap();
    site.asked();
    site.look(&mut proved, AT_HOME, SENSITIVE).unwrap();
    assert_eq!(site.asked(), [], "whoever proved who they are is not asked about again");
    site.is(Mood::Says(Decision::None));
    site.look(&mut jar, MOVED, SENSITIVE).unwrap();
    assert_eq!(site.asked().len(), 1);
    site.look(&mut jar, MOVED, SENSITIVE).unwrap();
    assert_eq!(site.asked(), [], "the answer is remembered");
}

#[test]
fn a_client_that_hangs_up_leaves_nothing_behind_and_is_asked_about_again() {
    let (site, mut jar) = Site::usual(Mood::Hangs);
    let exchange = site.receive(&jar, MOVED, USUAL, &Method::GET);
    let mut waiting = Box::pin(exchange.open());
    let poll = waiting.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(poll, Poll::Pending));
    drop(waiting);
    drop(exchange);
    let verbs = std::mem::take(&mut *site.verbs.lock());
    assert!(!verbs.contains(&Verb::Commit), "{verbs:?}");
    site.is(Mood::Says(Decision::StepUp));
    assert!(waits(&site.look(&mut jar, MOVED, USUAL)));
    assert_eq!(site.asked().len(), 2);
}

#[test]
fn whoever_changes_the_session_meanwhile_makes_us_judge_again_and_not_ask_again() {
    let (site, mut jar) = Site::usual(Mood::Meddles);
    site.look(&mut jar, MOVED, USUAL).unwrap();
    assert_eq!(site.asked().len(), 1);
    let commits = site.verbs.lock().iter().filter(|verb| **verb == Verb::Commit).count();
    assert_eq!(commits, 3, "the detector's, ours that came too late, and ours");
    site.look(&mut jar, MOVED, USUAL).unwrap();
    assert_eq!(site.asked(), [], "it was written that this place is known");
}

#[test]
fn the_policy_says_what_a_step_up_holds_back() {
    let softer = GradeSetting::ByRoute { ordinary: Decision::Notify, sensitive: Decision::StepUp };
    let on = [Occasion::NewContext];
    let site = Site::new(&on, OnSilence::Open, |settings| {
        settings.detection.decisions.insert(Signal::Detector, softer);
    });
    let mut jar = site.member();
    site.is(Mood::Says(Decision::StepUp));
    site.look(&mut jar, MOVED, USUAL).unwrap();
    assert_eq!(site.signals(), [(Signal::Detector, Decision::Notify, Some(own()))]);
    assert!(waits(&site.look(&mut jar, MOVED, SENSITIVE)), "it is remembered for what matters");
    site.clock.advance(Duration::from_mins(1));
    site.look(&mut jar, MOVED, USUAL).unwrap();
}
