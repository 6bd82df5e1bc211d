//! What becomes of sessions when the account behind them changes. Pure: no clock, store or network.

use serde::Deserialize;

use super::EndReason;

/// A change of the account behind a session, which the application reports once it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Trigger {
    /// The user set a new password, knowing the old one.
    PasswordChanged,
    /// A password was set by somebody who did not know the old one.
    PasswordReset,
    /// The address that reaches the user changed, by which passwords are reset.
    EmailChanged,
    /// A second factor was added, replaced or removed.
    MfaChanged,
    /// What the user may do changed.
    RoleChanged,
    /// Nobody may sign in as this user any more.
    AccountDisabled,
}

/// What is done to the subject's sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reaction {
    /// All sessions end, also the one that asks.
    EndAll,
    /// The session that asks goes on, all others end.
    EndOthers,
    /// The session that asks gets a new token as soon as its family may; the others go on.
    Rotate,
    /// The session that asks loses its step-up, so that sensitive routes ask again; the others go on.
    StepUp,
}

impl Trigger {
    /// Each of them.
    pub const ALL: [Self; 6] = [
        Self::PasswordChanged,
        Self::PasswordReset,
        Self::EmailChanged,
        Self::MfaChanged,
        Self::RoleChanged,
        Self::AccountDisabled,
    ];

    /// The stable name used in settings, APIs, events and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PasswordChanged => "password_changed",
            Self::PasswordReset => "password_reset",
            Self::EmailChanged => "email_changed",
            Self::MfaChanged => "mfa_changed",
            Self::RoleChanged => "role_changed",
            Self::AccountDisabled => "account_disabled",
        }
    }

    /// What is done unless the policy says otherwise.
    ///
    /// | trigger | reaction | why |
    /// |---|---|---|
    /// | `password_changed` | end others | ASVS 7.4.3; whoever asks has just proved the old password |
    /// | `password_reset` | end all | ASVS 7.4.3; whoever asks has proved nothing to this session, and signs in with the new one |
    /// | `email_changed` | step up | ASVS 7.5.1: each such change wants a confirmation, and the one that allowed it is spent |
    /// | `mfa_changed` | end others | ASVS 7.4.3 names it beside the password |
    /// | `role_changed` | rotate | ASVS 8.3.2, and OWASP Session Management: a new token after a change of privilege |
    /// | `account_disabled` | end all | ASVS 7.4.2 |
    pub const fn reaction(self) -> Reaction {
        match self {
            Self::PasswordReset | Self::AccountDisabled => Reaction::EndAll,
            Self::PasswordChanged | Self::MfaChanged => Reaction::EndOthers,
            Self::EmailChanged => Reaction::StepUp,
            Self::RoleChanged => Reaction::Rotate,
        }
    }

    /// The least that may be done without weakening (ASVS 7.4.2, 7.4.3); `None` where every reaction is strong enough.
    pub const fn least(self) -> Option<Reaction> {
        match self {
            Self::AccountDisabled => Some(Reaction::EndAll),
            Self::PasswordChanged | Self::PasswordReset | Self::MfaChanged => Some(Reaction::EndOthers),
            Self::EmailChanged | Self::RoleChanged => None,
        }
    }

    /// Why sessions end by it.
    pub const fn end_reason(self) -> EndReason {
        match self {
            Self::PasswordChanged | Self::PasswordReset | Self::MfaChanged => EndReason::CredentialChanged,
            Self::EmailChanged | Self::RoleChanged => EndReason::AccountChanged,
            Self::AccountDisabled => EndReason::AccountDisabled,
        }
    }
}

impl Reaction {
    /// Each of them.
    pub const ALL: [Self; 4] = [Self::EndAll, Self::EndOthers, Self::Rotate, Self::StepUp];

    /// The stable name used in settings, APIs, events and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EndAll => "end_all",
            Self::EndOthers => "end_others",
            Self::Rotate => "rotate",
            Self::StepUp => "step_up",
        }
    }

    /// What is done where no session asks, as when an operator acts: there is none to spare, rotate or question, so all
    /// end. Nothing less would be certain in one step.
    pub const fn without_a_session(self) -> Self {
        Self::EndAll
    }

    /// Whether it does at least what `least` does.
    pub const fn covers(self, least: Self) -> bool {
        matches!(
            (self, least),
            (Self::EndAll, _)
                | (Self::EndOthers, Self::EndOthers)
                | (Self::Rotate, Self::Rotate)
                | (Self::StepUp, Self::StepUp)
        )
    }
}

impl std::fmt::Display for Reaction {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_trigger_has_its_reaction_its_floor_and_its_reason() {
        use {EndReason as E, Reaction as R, Trigger as T};
        #[rustfmt::skip]
        let rows = [
            //  trigger             name                default       at least            sessions end because
            (T::PasswordChanged,  "password_changed", R::EndOthers, Some(R::EndOthers), E::CredentialChanged),
            (T::PasswordReset,    "password_reset",   R::EndAll,    Some(R::EndOthers), E::CredentialChanged),
            (T::EmailChanged,     "email_changed",    R::StepUp,    None,               E::AccountChanged),
            (T::MfaChanged,       "mfa_changed",      R::EndOthers, Some(R::EndOthers), E::CredentialChanged),
            (T::RoleChanged,      "role_changed",     R::Rotate,    None,               E::AccountChanged),
            (T::AccountDisabled,  "account_disabled", R::EndAll,    Some(R::EndAll),    E::AccountDisabled),
        ];
        assert_eq!(rows.map(|row| row.0), Trigger::ALL);
        for (trigger, name, default, least, reason) in rows {
            assert_eq!(trigger.as_str(), name);
            assert_eq!((trigger.reaction(), trigger.least(), trigger.end_reason()), (default, least, reason), "{name}");
            assert!(least.is_none_or(|least| trigger.reaction().covers(least)), "{name}");
        }
    }

    #[test]
    fn ending_more_covers_ending_less_and_nothing_covers_what_it_does_not_do() {
        use Reaction::{EndAll, EndOthers, Rotate, StepUp};
        #[rustfmt::skip]
        let rows = [
            //  reaction    covers: EndAll EndOthers Rotate StepUp
            (EndAll,        [true,  true,  true,  true]),
            (EndOthers,     [false, true,  false, false]),
            (Rotate,        [false, false, true,  false]),
            (StepUp,        [false, false, false, true]),
        ];
        for (reaction, expected) in rows {
            assert_eq!([EndAll, EndOthers, Rotate, StepUp].map(|least| reaction.covers(least)), expected, "{reaction}");
        }
    }
}
