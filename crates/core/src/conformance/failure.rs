//! Why a case did not hold: one sentence.

use std::fmt;

use crate::store::BoxError;

/// Why a case did not hold.
///
/// Any error becomes one by `?`, with its causes.
pub struct Failure(Box<str>);

impl Failure {
    /// A failure in words.
    pub fn new(sentence: impl Into<Box<str>>) -> Self {
        Self(sentence.into())
    }

    /// From the error of something the stage does.
    pub(super) fn of(error: &BoxError) -> Self {
        Self::new(error.to_string())
    }

    /// The same failure, with what was being done when it happened.
    pub fn during(self, what: impl fmt::Display) -> Self {
        Self(format!("{what}: {}", self.0).into())
    }
}

impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        let mut sentence = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            sentence.push_str(": ");
            sentence.push_str(&error.to_string());
            cause = error.source();
        }
        Self(sentence.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Failure({:?})", self.0)
    }
}

/// How a case ends.
pub(super) type Verdict<T = ()> = Result<T, Failure>;

/// Fails the case with a sentence unless the condition holds.
macro_rules! ensure {
    ($holds:expr, $($sentence:tt)+) => {
        if !$holds {
            return Err($crate::conformance::Failure::new(format!($($sentence)+)));
        }
    };
}

/// Fails the case unless a value has this form.
macro_rules! ensure_is {
    ($value:expr, $form:pat $(if $guard:expr)?, $($sentence:tt)+) => {
        match $value {
            $form $(if $guard)? => {}
            other => {
                let sentence = format!($($sentence)+);
                return Err($crate::conformance::Failure::new(format!("{sentence}, not {other:?}")));
            }
        }
    };
}

pub(super) use ensure;
pub(super) use ensure_is;
