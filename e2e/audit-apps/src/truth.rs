//! What is true of an application's sessions: seen by requests of our own, and in what it stores.

mod forgery;
mod life;

use crate::app::Standing;
use crate::house::Failure;

/// About one rule of the auditor's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Truth {
    pub(crate) rule: &'static str,
    /// Whether what the rule says is so.
    pub(crate) wrong: bool,
    pub(crate) seen: String,
}

impl Truth {
    fn new(rule: &'static str, wrong: bool, seen: impl Into<String>) -> Self {
        Self { rule, wrong, seen: seen.into() }
    }
}

/// All there is to say. The session's cookies are checked first: the rest relies on them.
pub(crate) fn of(standing: &Standing) -> Result<Vec<Truth>, Failure> {
    session(standing)?;
    let several = standing.session.len() > 1;
    let mut all = vec![
        Truth::new("session-not-a-cookie", false, "with its cookies somebody is signed in, without them not"),
        Truth::new("session-in-storage", several, format!("{} together are the session", standing.session.join(", "))),
    ];
    all.extend(life::all(standing)?);
    all.extend(forgery::all(standing)?);
    Ok(all)
}

/// They are the session: alone they sign in, without any of them nobody is, and the store knows the first of them.
fn session(standing: &Standing) -> Result<(), Failure> {
    let member = standing.member()?;
    let account = &standing.profile.account;
    let held = standing.values(&member);
    if held.len() < standing.session.len() || !standing.knows(&member.only(&standing.session), account)? {
        let all: Vec<_> = member.jar.keys().cloned().collect();
        return unfit(format!("{} do not sign in; there are {}", standing.session.join(", "), all.join(", ")));
    }
    let first = held.first().map(|(_, value)| value.as_str()).unwrap_or_default();
    if standing.app.holds(standing.folder(), first)? == Some(false) {
        return unfit("the store does not know the session".to_owned());
    }
    for name in &standing.session {
        // One each: without one of them a session may be ended.
        let mut less = standing.member()?;
        less.jar.remove(name);
        if standing.knows(&less, account)? {
            return unfit(format!("without {name} somebody is signed in all the same"));
        }
    }
    if standing.knows(&standing.stranger(), account)? {
        return unfit("strangers see what members see".to_owned());
    }
    Ok(())
}

fn unfit<T>(what: String) -> Result<T, Failure> {
    Err(Failure::Unfit(what))
}
