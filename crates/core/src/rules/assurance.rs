//! What a request may rely on: factors and the assurance derived from them.

use crate::moment::Moment;

/// What a request may rely on right now. Ordered: each level includes those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Assurance {
    /// Nobody is signed in.
    Anonymous,
    /// We know who this probably is: pages may greet, anything that matters asks for sign-in.
    Remembered,
    /// Signed in.
    Authenticated,
    /// Stepped up a moment ago.
    Elevated,
}

impl Assurance {
    /// The stable name used in APIs, events and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Anonymous => "anonymous",
            Self::Remembered => "remembered",
            Self::Authenticated => "authenticated",
            Self::Elevated => "elevated",
        }
    }
}

/// How somebody was authenticated: an authentication method reference (RFC 8176).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Amr {
    /// A password.
    Pwd,
    /// A one-time password.
    Otp,
    /// A key held in hardware, such as a passkey on a security key.
    Hwk,
    /// A key held in software.
    Swk,
    /// A PIN or pattern.
    Pin,
    /// A fingerprint.
    Fpt,
    /// Face recognition.
    Face,
    /// A confirmation by text message.
    Sms,
    /// A confirmation by telephone.
    Tel,
    /// A smart card.
    Sc,
    /// Somebody else vouched for it: an identity provider.
    Fed,
}

impl Amr {
    /// The registered name (RFC 8176; `fed` is ours, for a sign-in somebody else vouched for).
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pwd => "pwd",
            Self::Otp => "otp",
            Self::Hwk => "hwk",
            Self::Swk => "swk",
            Self::Pin => "pin",
            Self::Fpt => "fpt",
            Self::Face => "face",
            Self::Sms => "sms",
            Self::Tel => "tel",
            Self::Sc => "sc",
            Self::Fed => "fed",
        }
    }
}

/// One verified authentication.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Factor {
    /// How.
    pub amr: Amr,
    /// When.
    pub verified_at: Moment,
}

/// When somebody last proved who they are: the OIDC `auth_time`.
pub fn auth_time(factors: &[Factor]) -> Option<Moment> {
    factors.iter().map(|factor| factor.verified_at).max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_others_rely_on() {
        use Amr::{Face, Fed, Fpt, Hwk, Otp, Pin, Pwd, Sc, Sms, Swk, Tel};
        use Assurance::{Anonymous, Authenticated, Elevated, Remembered};

        let levels = [Anonymous, Remembered, Authenticated, Elevated].map(Assurance::as_str);
        assert_eq!(levels, ["anonymous", "remembered", "authenticated", "elevated"]);
        let methods = [Pwd, Otp, Hwk, Swk, Pin, Fpt, Face, Sms, Tel, Sc, Fed].map(Amr::as_str);
        assert_eq!(methods, ["pwd", "otp", "hwk", "swk", "pin", "fpt", "face", "sms", "tel", "sc", "fed"]);
    }

    #[test]
    fn the_latest_factor_says_when_somebody_proved_who_they_are() {
        let factor = |second| Factor { amr: Amr::Pwd, verified_at: Moment::from_unix_seconds(second) };
        for (seconds, expected) in [(&[][..], None), (&[7], Some(7)), (&[7, 9, 8], Some(9))] {
            let factors: Vec<_> = seconds.iter().copied().map(factor).collect();
            assert_eq!(auth_time(&factors), expected.map(Moment::from_unix_seconds));
        }
    }
}
