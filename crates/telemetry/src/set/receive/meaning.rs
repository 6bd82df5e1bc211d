//! What a token of others means to us: whom it is about, what happened, and which of our triggers that is. Pure.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use counterfoil_core::rules::Trigger;
use counterfoil_core::{SessionId, SubjectRef};
use serde_json::{Map, Value};

use super::{Code, Refused};

/// Whom a token is about. Where a session is named, it is about that session; else about the user. Where neither is, it is about
/// nobody whom we could know: a device, or a user by a name of another kind.
///
/// # Security
/// A transmitter may name whomever it wants. Whoever acts on it decides whether a user at another issuer, or an address, is a
/// user of whom this transmitter may speak.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct About {
    /// Which session.
    pub session: Option<SessionName>,
    /// Which user.
    pub user: Option<UserName>,
}

/// By what a transmitter knows a session.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SessionName {
    /// Our own id, as we told it.
    Ours(SessionId),
    /// An id of theirs, as the `sid` of a single sign-on.
    Theirs(String),
    /// A name of another kind. It is one session still, and not all of a user's.
    Unknown,
}

/// By what a transmitter knows a user.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum UserName {
    /// Our own keyed reference, as we told it.
    Reference(SubjectRef),
    /// The user's id at an issuer.
    At {
        /// The issuer.
        issuer: String,
        /// The id there.
        subject: String,
    },
    /// The address that reaches the user. It may be written in another way than where the user signed up.
    Email(String),
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum What {
    /// One or several sessions are over.
    SessionRevoked {
        /// The session that goes on, where all others of a user ended.
        except: Option<SessionId>,
    },
    /// A credential was changed, revoked or deleted.
    CredentialChanged {
        /// Whether it is the password, and not another factor.
        is_password: bool,
    },
    /// There is one more credential; those from before are as good as they were.
    CredentialCreated,
    /// Somebody else may know a credential, or the user has to set a new one.
    CredentialUnsafe,
    /// The user proved more than before, or what was proved is good for less.
    AssuranceChanged {
        /// Whether it is good for less now.
        is_lower: bool,
    },
    /// Nobody may sign in as this user any more, or the account is gone.
    AccountDisabled,
    /// The account may be used again.
    AccountEnabled,
    /// The user is reached elsewhere.
    IdentifierChanged,
    /// What the issuer says of the user changed.
    TokenClaimsChanged,
    /// The risk is judged to be high, or no longer.
    RiskChanged {
        /// Whether it is high.
        is_high: bool,
    },
    /// The stream works.
    Verification {
        /// What we gave when we asked for it.
        state: Option<String>,
    },
    /// Something that ends or changes nothing here.
    Other,
}

impl About {
    /// Of `sub_id` (RFC 9493; SSF 1.0, section 3).
    pub(super) fn of(subject: Option<&Value>, is_wanted: bool) -> Result<Self, Refused> {
        let Some(Value::Object(subject)) = subject else {
            if is_wanted || subject.is_some() {
                return Err(Code::InvalidRequest.because("sub_id is not an object that says whom the event is about"));
            }
            return Ok(Self::default());
        };
        if text(subject, "format")? != "complex" {
            return simple(subject);
        }
        let member = |name| match subject.get(name) {
            Some(Value::Object(member)) => simple(member).map(Some),
            Some(_) => Err(Code::InvalidRequest.because("a member of sub_id is not an object")),
            None => Ok(None),
        };
        let (session, user) = (member("session")?, member("user")?);
        let session = session.map(|about| about.session.unwrap_or(SessionName::Unknown));
        Ok(Self { session, user: user.and_then(|about| about.user) })
    }

    /// Whether no name in it is of a kind that we could know.
    pub const fn is_nobody(&self) -> bool {
        self.session.is_none() && self.user.is_none()
    }
}

/// A simple subject. An opaque id is ours where it has our form.
fn simple(subject: &Map<String, Value>) -> Result<About, Refused> {
    let user = |user| About { session: None, user: Some(user) };
    Ok(match text(subject, "format")? {
        "opaque" => {
            let id = text(subject, "id")?;
            match (id.parse(), reference(id)) {
                (Ok(id), _) => About { session: Some(SessionName::Ours(id)), user: None },
                (_, Some(reference)) => user(UserName::Reference(reference)),
                _ => About { session: Some(SessionName::Theirs(id.to_owned())), user: None },
            }
        }
        "iss_sub" => {
            let (issuer, subject) = (text(subject, "iss")?.to_owned(), text(subject, "sub")?.to_owned());
            user(UserName::At { issuer, subject })
        }
        "email" => user(UserName::Email(text(subject, "email")?.to_owned())),
        _ => About::default(),
    })
}

fn reference(id: &str) -> Option<SubjectRef> {
    BASE64.decode(id).ok()?.try_into().ok().map(SubjectRef::from_bytes)
}

fn text<'a>(object: &'a Map<String, Value>, name: &str) -> Result<&'a str, Refused> {
    let text = object.get(name).and_then(Value::as_str).filter(|text| (1..=MOST_TEXT).contains(&text.len()));
    text.ok_or(
        Code::InvalidRequest.because("a member that has to be there is not, or is not a text of 1 to 1024 bytes"),
    )
}

impl What {
    /// Of the event's type and its object.
    pub(super) fn of(uri: &str, body: &Map<String, Value>) -> Result<Self, Refused> {
        let (family, name) =
            uri.strip_prefix(BASE).and_then(|rest| rest.split_once("/event-type/")).unwrap_or_default();
        Ok(match (family, name) {
            ("caep", "session-revoked") => Self::SessionRevoked { except: except(body)? },
            ("risc", "sessions-revoked") => Self::SessionRevoked { except: None },
            ("caep", "credential-change") => credential(body)?,
            ("risc", "credential-compromise" | "account-credential-change-required") => Self::CredentialUnsafe,
            ("caep", "assurance-level-change") => Self::AssuranceChanged { is_lower: is_lower(body)? },
            ("caep", "token-claims-change") => Self::TokenClaimsChanged,
            ("caep", "risk-level-change") => Self::RiskChanged { is_high: is_high(body)? },
            ("risc", "account-disabled" | "account-purged") => Self::AccountDisabled,
            ("risc", "account-enabled") => Self::AccountEnabled,
            ("risc", "identifier-changed" | "identifier-recycled" | "recovery-information-changed") => {
                Self::IdentifierChanged
            }
            ("ssf", "verification") => Self::Verification { state: state(body)? },
            _ => Self::Other,
        })
    }

    /// Its name in settings; `None` where a transmitter needs no permission to say it.
    pub const fn name(&self) -> Option<&'static str> {
        Some(match self {
            Self::SessionRevoked { .. } => "session_revoked",
            Self::CredentialChanged { .. } | Self::CredentialCreated => "credential_changed",
            Self::CredentialUnsafe => "credential_unsafe",
            Self::AssuranceChanged { .. } => "assurance_changed",
            Self::AccountDisabled => "account_disabled",
            Self::AccountEnabled => "account_enabled",
            Self::IdentifierChanged => "identifier_changed",
            Self::TokenClaimsChanged => "token_claims_changed",
            Self::RiskChanged { .. } => "risk_changed",
            Self::Verification { .. } | Self::Other => return None,
        })
    }

    /// Each name in settings.
    pub const NAMES: [&'static str; 9] = [
        "session_revoked",
        "credential_changed",
        "credential_unsafe",
        "assurance_changed",
        "account_disabled",
        "account_enabled",
        "identifier_changed",
        "token_claims_changed",
        "risk_changed",
    ];

    pub(super) const fn wants_a_subject(&self) -> bool {
        self.name().is_some()
    }

    /// Which change of the account it is, for the engine to react to. `None` for what is none: then the session or the user's
    /// sessions end ([`What::SessionRevoked`]), or nothing does.
    ///
    /// No session of ours asked for it, so all of the user's end by each of these.
    pub const fn trigger(&self) -> Option<Trigger> {
        match self {
            Self::CredentialChanged { is_password: true } => Some(Trigger::PasswordChanged),
            Self::CredentialChanged { is_password: false } => Some(Trigger::MfaChanged),
            Self::CredentialUnsafe => Some(Trigger::PasswordReset),
            Self::AccountDisabled => Some(Trigger::AccountDisabled),
            Self::IdentifierChanged => Some(Trigger::EmailChanged),
            Self::TokenClaimsChanged => Some(Trigger::RoleChanged),
            _ => None,
        }
    }
}

fn except(body: &Map<String, Value>) -> Result<Option<SessionId>, Refused> {
    let Some(subject) = body.get("except_session").and_then(Value::as_object) else { return Ok(None) };
    match simple(subject)?.session {
        Some(SessionName::Ours(id)) => Ok(Some(id)),
        _ => Ok(None),
    }
}

/// CAEP 1.0, section 3.3.1.
fn credential(body: &Map<String, Value>) -> Result<What, Refused> {
    let is_password = matches!(text(body, "credential_type")?, "password" | "pin");
    match text(body, "change_type")? {
        "create" => Ok(What::CredentialCreated),
        "revoke" | "update" | "delete" => Ok(What::CredentialChanged { is_password }),
        _ => Err(Code::InvalidRequest.because("change_type is none of those of CAEP 1.0")),
    }
}

/// CAEP 1.0, section 3.4.1. Where the direction is not said, it is not known to be lower.
fn is_lower(body: &Map<String, Value>) -> Result<bool, Refused> {
    match body.get("change_direction").map(Value::as_str) {
        None | Some(Some("increase")) => Ok(false),
        Some(Some("decrease")) => Ok(true),
        Some(_) => Err(Code::InvalidRequest.because("change_direction is neither increase nor decrease")),
    }
}

/// CAEP 1.0, section 3.8.1.
fn is_high(body: &Map<String, Value>) -> Result<bool, Refused> {
    match text(body, "current_level")? {
        "HIGH" => Ok(true),
        "LOW" | "MEDIUM" => Ok(false),
        _ => Err(Code::InvalidRequest.because("current_level is none of LOW, MEDIUM and HIGH")),
    }
}

fn state(body: &Map<String, Value>) -> Result<Option<String>, Refused> {
    body.contains_key("state").then(|| text(body, "state").map(str::to_owned)).transpose()
}

const BASE: &str = "https://schemas.openid.net/secevent/";
const MOST_TEXT: usize = 1_024;

#[cfg(test)]
mod tests;
