//! Who is there, and what an app may be told of them.

use std::fmt;

use counterfoil::{Assurance, Identity};
use counterfoil_core::store::StoreError;

/// Who is there, as far as somebody could be asked.
pub(crate) enum Who {
    /// The store did not answer, on a public path.
    Unknown,
    Nobody,
    /// Somebody, perhaps only remembered.
    Somebody(Box<Identity>),
}

impl Who {
    pub(super) fn of(identity: Result<Option<Identity>, StoreError>) -> Self {
        match identity {
            Ok(None) => Self::Nobody,
            Ok(Some(identity)) => Self::Somebody(Box::new(identity)),
            Err(error) => {
                tracing::error!(error = %error, "who is there is not known; the path is public");
                Self::Unknown
            }
        }
    }

    /// Who is signed in now; a remembered user is not.
    pub(crate) fn signed_in(&self) -> Option<&Identity> {
        match self {
            Self::Somebody(identity) if identity.assurance >= Assurance::Authenticated => Some(identity),
            _ => None,
        }
    }

    /// What the request may rely on. That nobody could be asked is not that nobody is there.
    pub(crate) const fn assurance(&self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Nobody => Assurance::Anonymous.as_str(),
            Self::Somebody(identity) => identity.assurance.as_str(),
        }
    }
}

impl fmt::Debug for Who {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Who({})", self.assurance())
    }
}
