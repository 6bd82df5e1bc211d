//! How long sessions last, how many there may be, and what ends them, in words.

use std::time::Duration;

use super::{Deviation, Statement, millis, span};
use crate::policy::{OnReuse, Policy, Preset};
use crate::rules::{Limits, Reaction, Trigger};
use crate::store::{Limit, OverLimit};

/// What NIST SP 800-63B-4 asks of sessions at one of its levels.
struct Level {
    name: &'static str,
    standard: &'static str,
    verb: &'static str,
    overall: Duration,
    inactivity: Option<Duration>,
}

pub(super) fn lifetimes(policy: &Policy) -> Vec<Statement> {
    let Limits { idle, absolute, remember_for } = *policy.limits();
    let (level, step) = (Level::of(policy.preset), policy.limits().touch_step());
    vec![
        Statement::new("preset", policy.preset.to_string(), kept_to(idle, absolute))
            .about(&["NIST SP 800-63B-4, 2.1.3, 2.2.3, 2.3.3", "ASVS 7.1.1"])
            .of_strength([i64::from(policy.preset as u8)]),
        Statement::new(
            "timeouts.idle",
            span(idle),
            format!("A session ends when its user did nothing for this long. It may come {} early.", span(step)),
        )
        .about(&["ASVS 7.1.1", "ASVS 7.3.1"])
        .of_strength([-millis(idle)])
        .short_of(level.inactivity_beyond(idle)),
        Statement::new(
            "timeouts.absolute",
            span(absolute),
            "A session ends this long after signing in, whatever its user does. Nothing extends it.",
        )
        .about(&["ASVS 7.1.1", "ASVS 7.3.2"])
        .of_strength([-millis(absolute)])
        .short_of(level.overall_beyond(absolute)),
        remember(remember_for),
        Statement::new(
            "timeouts.elevated_for",
            span(policy.elevated_for),
            "A step-up, which sensitive routes ask for, lasts this long.",
        )
        .about(&["ASVS 7.5.1", "ASVS 7.5.3"])
        .of_strength([-millis(policy.elevated_for)]),
        Statement::new(
            "timeouts.rotate_every",
            span(policy.rotate_every),
            "The token in the cookie is replaced this often while the session is used. A copy of an old one gives itself away.",
        )
        .about(&["ASVS 7.2.2", "ASVS 7.2.4"])
        .of_strength([-millis(policy.rotate_every)]),
        Statement::new(
            "timeouts.grace",
            span(policy.grace),
            "The token before stays good for this long once its successor was used, for requests that were under way.",
        )
        .of_strength([-millis(policy.grace)]),
    ]
}

fn remember(remember_for: Option<Duration>) -> Statement {
    let value = remember_for.map_or_else(|| "off".into(), span);
    let meaning = match remember_for {
        None => "Nobody is remembered: past its limits a session is over.",
        Some(_) => {
            "Whoever asked for it is greeted by name for this long after signing in. Being remembered is not being signed \
             in: what demands a sign-in asks for one."
        }
    };
    let strength = remember_for.map_or(0, |time| -millis(time));
    Statement::new("timeouts.remember_for", value, meaning).about(&["ASVS 7.1.1"]).of_strength([strength])
}

pub(super) fn sessions(policy: &Policy) -> Vec<Statement> {
    let (count, over, happens) = match policy.session_limit {
        None => ("none".into(), "not reached", "There is no limit, so none is ever reached."),
        Some(Limit { max, over }) => match over {
            OverLimit::EndOldest => {
                (max.to_string(), "end_oldest", "One more sign-in ends the account's oldest session, which is told.")
            }
            OverLimit::Refuse => (max.to_string(), "refuse", "One more sign-in is refused until a session has ended."),
        },
    };
    let most = policy.session_limit.map_or(i64::from(u32::MAX) + 1, |limit| limit.max.get().into());
    let (reuse, reused) = match policy.on_reuse {
        OnReuse::Revoke => {
            ("revoke", "When a copy of a superseded token comes back, the session ends for everybody who holds it.")
        }
        OnReuse::Report => {
            ("report", "When a copy of a superseded token comes back, it is refused and told. The session lives on.")
        }
    };
    vec![
        Statement::new("sessions.limit", count, "How many sessions an account may have at once, on all its devices.")
            .about(&["ASVS 7.1.2"])
            .of_strength([-most]),
        Statement::new("sessions.over_limit", over, happens).about(&["ASVS 7.1.2"]),
        Statement::new("sessions.on_reuse", reuse, reused)
            .about(&["ASVS 7.2.4"])
            .of_strength([i64::from(policy.on_reuse == OnReuse::Revoke)]),
    ]
}

pub(super) fn triggers(policy: &Policy) -> Vec<Statement> {
    Trigger::ALL.into_iter().map(|trigger| reaction(trigger, policy.reaction(trigger))).collect()
}

fn reaction(trigger: Trigger, reaction: Reaction) -> Statement {
    let (when, sources): (_, &[&str]) = match trigger {
        Trigger::PasswordChanged => ("When somebody sets a new password, knowing the old one", &["ASVS 7.4.3"]),
        Trigger::PasswordReset => ("When a password is set without the old one", &["ASVS 7.4.3"]),
        Trigger::EmailChanged => ("When the address that reaches somebody changes", &["ASVS 7.5.1"]),
        Trigger::MfaChanged => ("When a second factor is added, replaced or removed", &["ASVS 7.4.3"]),
        Trigger::RoleChanged => ("When what somebody may do changes", &["ASVS 8.3.2"]),
        Trigger::AccountDisabled => ("When an account is disabled", &["ASVS 7.4.2"]),
    };
    let (then, strength) = match reaction {
        Reaction::EndAll => ("all the account's sessions end.", 2),
        Reaction::EndOthers => ("the session that did it goes on, and the account's others end.", 1),
        Reaction::Rotate => ("the session that did it gets a new token, and the others go on.", 0),
        Reaction::StepUp => ("the session that did it loses its step-up, and the others go on.", 0),
    };
    let spared = if reaction == Reaction::EndAll { "" } else { WITHOUT_A_SESSION };
    Statement::new(format!("triggers.{}", trigger.as_str()), reaction.as_str(), format!("{when}, {then}{spared}"))
        .about(sources)
        .of_strength([strength])
        .short_of(too_weak(trigger, reaction))
}

fn too_weak(trigger: Trigger, reaction: Reaction) -> Option<Deviation> {
    let least = trigger.least().filter(|least| !reaction.covers(*least))?;
    let (standard, says) = match least {
        Reaction::EndAll => ("ASVS 7.4.2", "all sessions of a disabled account end"),
        _ => ("ASVS 7.4.3", "after a factor changed, all other sessions can be ended"),
    };
    Some(Deviation::from(standard, says, format!("set triggers.{} to \"{least}\" or remove it", trigger.as_str())))
}

/// Which levels these lifetimes keep to.
fn kept_to(idle: Duration, absolute: Duration) -> String {
    let keeps = |level: &&Level| level.overall_beyond(absolute).is_none() && level.inactivity_beyond(idle).is_none();
    let levels = [Level::AAL1, Level::AAL2, Level::AAL3];
    let kept: Vec<_> = levels.iter().filter(keeps).map(|level| level.name).collect();
    let kept = if kept.is_empty() { "none of its levels".into() } else { kept.join(", ") };
    format!(
        "What is not set follows this level of NIST SP 800-63B-4. The lifetimes in force keep to: {kept}. Which factors \
         people sign in with, and so the level that is reached, is the application's."
    )
}

impl Level {
    const AAL1: Self = Self {
        name: "AAL1",
        standard: "NIST SP 800-63B-4, 2.1.3 (AAL1)",
        verb: "should",
        overall: Duration::from_hours(30 * 24),
        inactivity: None,
    };
    const AAL2: Self = Self {
        name: "AAL2",
        standard: "NIST SP 800-63B-4, 2.2.3 (AAL2)",
        verb: "should",
        overall: Duration::from_hours(24),
        inactivity: Some(Duration::from_hours(1)),
    };
    const AAL3: Self = Self {
        name: "AAL3",
        standard: "NIST SP 800-63B-4, 2.3.3 (AAL3)",
        verb: "shall",
        overall: Duration::from_hours(12),
        inactivity: Some(Duration::from_mins(15)),
    };

    const fn of(preset: Preset) -> Self {
        match preset {
            Preset::Aal1 => Self::AAL1,
            Preset::Aal2 => Self::AAL2,
            Preset::Aal3 => Self::AAL3,
        }
    }

    fn overall_beyond(&self, absolute: Duration) -> Option<Deviation> {
        let says = || format!("the time until people sign in again {} be {} or less", self.verb, span(self.overall));
        (absolute > self.overall)
            .then(|| Deviation::from(self.standard, says(), to_meet("timeouts.absolute", self.overall)))
    }

    fn inactivity_beyond(&self, idle: Duration) -> Option<Deviation> {
        let most = self.inactivity.filter(|most| idle > *most)?;
        let says = format!("inactivity should be {} or less", span(most));
        Some(Deviation::from(self.standard, says, to_meet("timeouts.idle", most)))
    }
}

fn to_meet(key: &str, most: Duration) -> String {
    format!("set {key} to {} or less, or write down why it is more (ASVS 7.1.1)", span(most))
}

/// [`Reaction::without_a_session`].
const WITHOUT_A_SESSION: &str = " Where no session did it, as when an operator acts, all end.";
