//! Which other origins' scripts may read our responses.

use crate::origin::{Origin, OriginError, TrustedOrigins};

/// Whether other origins' scripts may read responses made for the signed-in user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Credentials {
    /// Cookies are not sent along, and a response to one that bears them cannot be read.
    #[default]
    Omit,
    /// They are, and it can.
    Include,
}

/// A CORS policy: everybody without credentials, or exact origins with or without.
///
/// # Security
/// Credentials for everybody cannot be written down: [`Cors::anyone`] takes none, and no constructor reflects the
/// request's origin. What is answered is always an origin of the list, never the text that came in.
///
/// # Examples
/// ```
/// use counterfoil_core::headers::{Cors, CorsError, Credentials};
///
/// let cors = Cors::from_config(&["https://app.example"], Credentials::Include)?;
/// assert_eq!(cors.headers(b"https://app.example").next(), Some(("access-control-allow-origin", "https://app.example")));
/// assert_eq!(Cors::from_config(&["*"], Credentials::Include), Err(CorsError::WildcardWithCredentials));
/// # Ok::<_, CorsError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cors(Allow);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Allow {
    Anyone,
    Listed { origins: TrustedOrigins, credentials: Credentials },
}

impl Cors {
    /// Everybody may read, nobody's cookies are sent: for public data.
    pub const fn anyone() -> Self {
        Self(Allow::Anyone)
    }

    /// These origins may read.
    ///
    /// # Errors
    /// [`CorsError::NoOrigin`] if there is none: leave CORS out instead.
    pub fn listed(origins: impl IntoIterator<Item = Origin>, credentials: Credentials) -> Result<Self, CorsError> {
        let origins = TrustedOrigins::new(origins);
        if origins.is_empty() { Err(CorsError::NoOrigin) } else { Ok(Self(Allow::Listed { origins, credentials })) }
    }

    /// From configuration: `*` alone, or exact origins.
    ///
    /// # Errors
    /// [`CorsError`], whose text says what to write instead.
    pub fn from_config(origins: &[&str], credentials: Credentials) -> Result<Self, CorsError> {
        match (origins, credentials) {
            (["*"], Credentials::Omit) => Ok(Self::anyone()),
            (["*"], Credentials::Include) => Err(CorsError::WildcardWithCredentials),
            _ => {
                let parsed = origins.iter().map(|text| Origin::parse(text)).collect::<Result<Vec<_>, _>>()?;
                Self::listed(parsed, credentials)
            }
        }
    }

    /// What a response to a request with this `Origin` says. A list adds `Vary: Origin` to every response, also to one
    /// that allows nothing, or a cache would hand one origin's answer to another.
    pub fn headers(&self, origin: &[u8]) -> impl Iterator<Item = (&'static str, &str)> {
        let (allowed, credentials, vary) = match &self.0 {
            Allow::Anyone => (Some("*"), Credentials::Omit, None),
            Allow::Listed { origins, credentials } => {
                (origins.find_header(origin).map(Origin::as_str), *credentials, Some(("vary", "Origin")))
            }
        };
        let with_credentials = allowed.is_some() && credentials == Credentials::Include;
        [
            allowed.map(|origin| ("access-control-allow-origin", origin)),
            with_credentials.then_some(("access-control-allow-credentials", "true")),
            vary,
        ]
        .into_iter()
        .flatten()
    }
}

/// A CORS policy that does not build.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CorsError {
    /// Everybody's scripts could act and read as the signed-in user.
    #[error("CORS with credentials must list exact origins; `*` would let every site read as the signed-in user")]
    WildcardWithCredentials,
    /// An empty list.
    #[error("CORS lists no origin; name at least one, or leave it out")]
    NoOrigin,
    /// One of the list is not an exact origin; `null` and wildcards among others are such.
    #[error(transparent)]
    Origin(#[from] OriginError),
}
