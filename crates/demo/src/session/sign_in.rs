//! Signing in with a name and a password, and a code where the account has a second factor.

use counterfoil::{Amr, Error, SignIn, SignInError, SigningIn, Subject};

use crate::accounts::{HashingFailed, Verified};

/// Why nobody was signed in.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignInRefused {
    /// The name and the password do not belong together.
    #[error("wrong name or password")]
    WrongPassword,
    /// The password was not looked at.
    #[error(transparent)]
    Hashing(#[from] HashingFailed),
    /// The subject's sessions were ended meanwhile, or there are as many as there may be.
    #[error(transparent)]
    Refused(SignInError),
    /// As every session operation.
    #[error(transparent)]
    Session(Error),
}

/// Whether who signs in asked to be known on this browser afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(try_from = "Ticked")]
pub enum Remember {
    /// They did.
    Yes,
    /// They did not.
    #[default]
    No,
}

/// What forms and scripts send for it.
#[derive(serde::Deserialize)]
#[serde(untagged)]
enum Ticked {
    Flag(bool),
    Text(String),
}

impl TryFrom<Ticked> for Remember {
    type Error = &'static str;

    fn try_from(ticked: Ticked) -> Result<Self, &'static str> {
        match ticked {
            Ticked::Flag(true) => Ok(Self::Yes),
            Ticked::Flag(false) => Ok(Self::No),
            Ticked::Text(text) => match text.as_str() {
                "on" | "true" | "1" => Ok(Self::Yes),
                "off" | "false" | "0" | "" => Ok(Self::No),
                _ => Err("remember is `on` or left out"),
            },
        }
    }
}

/// Signs `name` in if `verified` says so, or half-way where a code is wanted as well. The subject's epoch is noted before
/// anybody looks at the password, so that a change of password in between wins.
///
/// # Errors
/// [`SignInRefused`]: nobody is signed in by it.
pub async fn sign_in(
    gate: SignIn,
    name: &str,
    remember: Remember,
    verified: impl Future<Output = Result<Verified, HashingFailed>>,
    takes_a_code: impl FnOnce(&str) -> bool,
) -> Result<Entered, SignInRefused> {
    let Ok(subject) = Subject::new(name) else {
        // No account has such a name; it costs what any other wrong one costs.
        let _ = verified.await?;
        return Err(SignInRefused::WrongPassword);
    };
    let mut attempt = gate.begin(subject).await?;
    if verified.await? == Verified::No {
        return Err(SignInRefused::WrongPassword);
    }
    attempt.factor(Amr::Pwd);
    if remember == Remember::Yes {
        attempt.remember();
    }
    if takes_a_code(name) {
        attempt.hold().await?;
        return Ok(Entered::HalfWay);
    }
    attempt.complete().await?;
    Ok(Entered::Inside)
}

/// How far a right password led.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entered {
    /// Somebody is signed in.
    Inside,
    /// Nobody is: a code is wanted as well. The browser keeps the half that is done.
    HalfWay,
}

/// A sign-in that wants its second factor. Nobody is signed in by it.
#[derive(Debug)]
#[must_use = "nobody is signed in before `complete`"]
pub struct HalfWay(SigningIn);

impl HalfWay {
    /// The sign-in that this browser left half done, unless that was too long ago.
    ///
    /// # Errors
    /// [`SignInRefused::Session`]: return it, and the reply fits.
    pub async fn of(gate: &SignIn) -> Result<Option<Self>, SignInRefused> {
        Ok(gate.resume().await?.map(Self))
    }

    /// Who it would be.
    pub fn name(&self) -> &str {
        self.0.subject().as_str()
    }

    /// Completes it, once the code was found to be right.
    ///
    /// # Errors
    /// [`SignInRefused`]: nobody is signed in by it.
    pub async fn complete(mut self) -> Result<(), SignInRefused> {
        self.0.factor(Amr::Otp);
        self.0.complete().await?;
        Ok(())
    }
}

impl From<Error> for SignInRefused {
    fn from(error: Error) -> Self {
        match error {
            Error::SignIn(refusal @ (SignInError::SubjectMoved | SignInError::OverLimit | SignInError::Refused)) => {
                Self::Refused(refusal)
            }
            other => Self::Session(other),
        }
    }
}
