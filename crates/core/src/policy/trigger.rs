//! Which reaction follows which trigger: the policy's table, from what an operator writes.

use serde::Deserialize;

use super::PolicyError;
use crate::rules::{Reaction, Trigger};

/// What is done to a subject's sessions when the account changes. What is not set is [`Trigger::reaction`].
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TriggerSettings {
    /// The user set a new password, knowing the old one: the others end.
    pub password_changed: Option<Reaction>,
    /// A password was set without the old one: all end.
    pub password_reset: Option<Reaction>,
    /// The address that reaches the user changed: the step-up is spent.
    pub email_changed: Option<Reaction>,
    /// A second factor was added, replaced or removed: the others end.
    pub mfa_changed: Option<Reaction>,
    /// What the user may do changed: a new token.
    pub role_changed: Option<Reaction>,
    /// Nobody may sign in as this user any more: all end.
    pub account_disabled: Option<Reaction>,
}

/// A reaction for each trigger.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reactions {
    password_changed: Reaction,
    password_reset: Reaction,
    email_changed: Reaction,
    mfa_changed: Reaction,
    role_changed: Reaction,
    account_disabled: Reaction,
}

impl Reactions {
    pub(super) fn checked(settings: &TriggerSettings, weak_allowed: bool) -> Result<Self, PolicyError> {
        let reaction = |trigger: Trigger, key, given: Option<Reaction>| {
            let reaction = given.unwrap_or(trigger.reaction());
            match trigger.least() {
                Some(least) if !weak_allowed && !reaction.covers(least) => {
                    Err(PolicyError::WeakReaction { key, reaction, least })
                }
                _ => Ok(reaction),
            }
        };
        Ok(Self {
            password_changed: reaction(
                Trigger::PasswordChanged,
                "triggers.password_changed",
                settings.password_changed,
            )?,
            password_reset: reaction(Trigger::PasswordReset, "triggers.password_reset", settings.password_reset)?,
            email_changed: reaction(Trigger::EmailChanged, "triggers.email_changed", settings.email_changed)?,
            mfa_changed: reaction(Trigger::MfaChanged, "triggers.mfa_changed", settings.mfa_changed)?,
            role_changed: reaction(Trigger::RoleChanged, "triggers.role_changed", settings.role_changed)?,
            account_disabled: reaction(
                Trigger::AccountDisabled,
                "triggers.account_disabled",
                settings.account_disabled,
            )?,
        })
    }

    pub(super) const fn of(self, trigger: Trigger) -> Reaction {
        match trigger {
            Trigger::PasswordChanged => self.password_changed,
            Trigger::PasswordReset => self.password_reset,
            Trigger::EmailChanged => self.email_changed,
            Trigger::MfaChanged => self.mfa_changed,
            Trigger::RoleChanged => self.role_changed,
            Trigger::AccountDisabled => self.account_disabled,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_sets_its_own_trigger_and_only_that() {
        for changed in Trigger::ALL {
            let text = format!(r#"{{"{}":"end_all"}}"#, changed.as_str());
            let settings: TriggerSettings = serde_json::from_str(&text).unwrap();
            let reactions = Reactions::checked(&settings, false).unwrap();
            for trigger in Trigger::ALL {
                let expected = if trigger == changed { Reaction::EndAll } else { trigger.reaction() };
                assert_eq!(reactions.of(trigger), expected, "{text}: {}", trigger.as_str());
            }
        }
    }

    #[test]
    fn a_reaction_that_is_too_weak_is_refused_unless_weakening_was_asked_for() {
        #[rustfmt::skip]
        let rows = [
            (r#"{"account_disabled":"end_others"}"#, Some("triggers.account_disabled (end_others) does less than end_all")),
            (r#"{"password_changed":"rotate"}"#,     Some("triggers.password_changed (rotate) does less than end_others")),
            (r#"{"password_reset":"step_up"}"#,      Some("triggers.password_reset (step_up) does less than end_others")),
            (r#"{"mfa_changed":"rotate"}"#,          Some("triggers.mfa_changed (rotate) does less than end_others")),
            (r#"{"password_reset":"end_others"}"#,   None),
            (r#"{"role_changed":"step_up"}"#,        None),
            (r#"{"email_changed":"rotate"}"#,        None),
        ];
        for (text, expected) in rows {
            let settings: TriggerSettings = serde_json::from_str(text).unwrap();
            let refused = Reactions::checked(&settings, false).err().map(|error| error.to_string());
            assert_eq!(refused.is_some(), expected.is_some(), "{text}: {refused:?}");
            assert!(refused.unwrap_or_default().starts_with(expected.unwrap_or_default()), "{text}");
            assert!(Reactions::checked(&settings, true).is_ok(), "{text}");
        }
    }
}
