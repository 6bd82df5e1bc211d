//! A password change is a border: whoever signed in with the old password is out, even while both run at once.

use std::{sync::Arc, time::Duration};

use fastrand::Rng;
use http::StatusCode;
use tokio::{task::JoinSet, time::sleep};

use super::{Stage, up_to};
use crate::{
    ask::{ACCOUNTS, Account, Ask},
    browser::{Browser, Target},
    client::Reply,
    jar::{Jar, Token},
    verdict::{Findings, Halt, Outcome, Violation},
};

/// What was seen after one password change.
#[derive(Debug, Clone)]
pub(crate) struct Observation {
    pub(crate) round: u64,
    /// How each session signed in with the old password was answered afterwards.
    pub(crate) old_sessions: Vec<StatusCode>,
    /// How the session that changed it was answered afterwards.
    pub(crate) changer: StatusCode,
    pub(crate) new_password_signs_in: bool,
    pub(crate) old_password_signs_in: bool,
}

/// What the observation breaks.
pub(crate) fn judge(seen: &Observation) -> Vec<Violation> {
    let round = seen.round;
    let alive = seen.old_sessions.iter().filter(|status| **status != StatusCode::UNAUTHORIZED).count();
    let found = [
        (alive > 0).then_some(Violation::OldPasswordLives { round, alive }),
        (!seen.changer.is_success()).then_some(Violation::ChangerEnded { round, status: seen.changer }),
        (!seen.new_password_signs_in).then_some(Violation::NewPasswordRefused { round }),
        seen.old_password_signs_in.then_some(Violation::OldPasswordAccepted { round }),
    ];
    found.into_iter().flatten().collect()
}

/// Runs `stage.count` rounds; the password goes back and forth.
pub(crate) async fn run(stage: Stage) -> Result<Outcome, Halt> {
    let mut findings = Findings::default();
    let (mut signed_in, mut refused) = (0, 0);
    let [mut old, _] = ACCOUNTS;
    let mut new = Account { password: OTHER_PASSWORD, ..old };
    for round in 0..stage.count {
        let race = race(&stage, old, new, round).await?;
        signed_in += race.old.len();
        refused += race.refused;
        findings.add(judge(&look(&stage.target, &race, old, new, round).await?));
        if findings.total() > 0 {
            break;
        }
        (old, new) = (new, old);
        stage.bar.inc(1);
    }
    let doubt = (stage.count > 3 && (signed_in == 0 || refused == 0) && findings.total() == 0)
        .then(|| "every sign-in fell on the same side of the change: nothing was raced".to_owned());
    let counted = format!(
        "{} password changes under {WAYS} parallel sign-ins each, {} after which an old one lived; \
         {signed_in} sign-ins got a cookie and lost it, {refused} were refused",
        stage.count,
        findings.of("old-password-lives"),
    );
    Ok(Outcome { counted, findings, doubt })
}

/// What came out of one race: the session that changed the password and the tokens of the others.
#[derive(Debug)]
struct Race {
    changer: Browser,
    before: Vec<Token>,
    old: Vec<Token>,
    refused: usize,
}

async fn race(stage: &Stage, old: Account, new: Account, round: u64) -> Result<Race, Halt> {
    let mut dice = stage.dice(round);
    let changer = Browser::sign_in(&stage.target, old).await?;
    let csrf_token = csrf_token(&changer).await?;
    let mut before = Vec::new();
    for _ in 0..SIGNED_IN_BEFORE {
        before.extend(Browser::sign_in(&stage.target, old).await?.seen());
    }
    let mut sign_ins = start_sign_ins(&stage.target, old, &mut dice);
    sleep(up_to(&mut dice, WITHIN)).await;
    let change = Ask::change_password(old.password, new.password, csrf_token.as_deref());
    let answer = changer.ask(&change).await?;
    if !answer.is_done() {
        return Err(Halt::Setup { step: "POST /password", status: answer.status });
    }
    let (mut tokens, mut refused) = (Vec::new(), 0);
    while let Some(done) = sign_ins.join_next().await {
        let reply = done??;
        match reply.session() {
            Some(token) => tokens.push(token.clone()),
            None if reply.is_refusal() => refused += 1,
            None => return Err(Halt::SignIn(reply.status)),
        }
    }
    Ok(Race { changer, before, old: tokens, refused })
}

fn start_sign_ins(target: &Arc<Target>, account: Account, dice: &mut Rng) -> JoinSet<Result<Reply, Halt>> {
    let mut sign_ins = JoinSet::new();
    for _ in 0..WAYS {
        let (target, wait) = (Arc::clone(target), up_to(dice, WITHIN));
        sign_ins.spawn(async move {
            sleep(wait).await;
            Ok(target.home().send(&Ask::log_in(account), &Jar::default()).await?)
        });
    }
    sign_ins
}

/// Tries everything once the dust has settled, and signs out what the round leaves.
async fn look(target: &Arc<Target>, race: &Race, old: Account, new: Account, round: u64) -> Result<Observation, Halt> {
    let mut old_sessions = Vec::new();
    for token in race.before.iter().chain(&race.old) {
        old_sessions.push(target.status_of(token).await?);
    }
    let changer = race.changer.ask(&Ask::me()).await?.status;
    let with_old = target.home().send(&Ask::log_in(old), &Jar::default()).await?;
    let with_new = target.home().send(&Ask::log_in(new), &Jar::default()).await?;
    let new_password_signs_in = match with_new.session() {
        Some(token) => target.is_alive(token).await?,
        None => false,
    };
    for token in race.changer.seen().iter().chain(with_new.session()) {
        target.home().send(&Ask::log_out(), &Jar::only(token.clone())).await?;
    }
    let old_password_signs_in = with_old.session().is_some();
    Ok(Observation { round, old_sessions, changer, new_password_signs_in, old_password_signs_in })
}

/// The token of any form on the home page, where there is one: a sensitive route may want it.
async fn csrf_token(browser: &Browser) -> Result<Option<String>, Halt> {
    let page = browser.ask(&Ask::home_page()).await?;
    Ok(csrf_token_in(&String::from_utf8_lossy(&page.body)))
}

fn csrf_token_in(page: &str) -> Option<String> {
    let tag = page.split('<').find(|tag| tag.starts_with("input") && tag.contains("name=\"csrf_token\""))?;
    let (_, value) = tag.split_once("value=\"")?;
    Some(value.split_once('"')?.0.to_owned())
}

const WAYS: usize = 16;
const SIGNED_IN_BEFORE: usize = 2;
const WITHIN: Duration = Duration::from_millis(40);
const OTHER_PASSWORD: &str = "another-long-password-2";

#[cfg(test)]
mod tests {
    use super::csrf_token_in;

    #[test]
    fn the_csrf_token_is_found_wherever_the_form_puts_it() {
        for (page, token) in [
            (r#"<form><input type="hidden" name="csrf_token" value="a-b_1"></form>"#, Some("a-b_1")),
            (r#"<input value="xyz" name="csrf_token" type="hidden"/>"#, Some("xyz")),
            (r#"<input name="other" value="no"><p>csrf_token</p>"#, None),
            (r#"<input name="csrf_token">"#, None),
            ("", None),
        ] {
            assert_eq!(csrf_token_in(page).as_deref(), token, "{page}");
        }
    }
}
