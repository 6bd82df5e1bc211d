//! A profile as it stands in a file: every key, and no other.

use std::collections::BTreeMap;
use std::mem::take;

use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    pub(super) site: String,
    pub(super) sign_in: WrittenSignIn,
    pub(super) account: WrittenAccount,
    pub(super) second_account: Option<WrittenAccount>,
    pub(super) signed_in: WrittenMarker,
    pub(super) anonymous: Option<WrittenAnonymous>,
    pub(super) sign_out: Option<WrittenStep>,
    #[serde(default)]
    pub(super) changes: Vec<WrittenChange>,
    #[serde(default)]
    pub(super) raises: Vec<WrittenRaise>,
    pub(super) password_change: Option<WrittenSignIn>,
    pub(super) sessions: Option<WrittenSessions>,
    pub(super) tokens: Option<WrittenTokens>,
    pub(super) slow: Option<WrittenStep>,
    pub(super) socket: Option<WrittenSocket>,
    #[serde(default)]
    pub(super) pending: Vec<WrittenPending>,
    #[serde(default)]
    pub(super) limits: WrittenLimits,
    pub(super) plain_http: Option<String>,
    pub(super) token_field: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenStep {
    pub(super) page: Option<String>,
    pub(super) request: Option<String>,
    #[serde(default)]
    pub(super) form: BTreeMap<String, String>,
    pub(super) json: Option<serde_json::Value>,
    #[serde(default)]
    pub(super) headers: BTreeMap<String, String>,
    pub(super) submit: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenAccount {
    pub(super) user: String,
    /// Better from the environment or a prompt than in a file.
    #[serde(default)]
    pub(super) password: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenMarker {
    pub(super) url: String,
    pub(super) marker: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenAnonymous {
    pub(super) marker: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenSessions {
    pub(super) url: String,
    pub(super) each: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenTokens {
    pub(super) access_field: String,
    pub(super) refresh_field: Option<String>,
    pub(super) refresh: Option<WrittenStep>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenSocket {
    pub(super) url: String,
    pub(super) send: Option<String>,
    pub(super) expects: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenPending {
    pub(super) kind: WrittenKind,
    pub(super) steps: Vec<WrittenStep>,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "kebab-case")]
pub(super) enum WrittenKind {
    SecondFactor,
    Reset,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenLimits {
    pub(super) idle_seconds: Option<u64>,
    pub(super) absolute_seconds: Option<u64>,
    pub(super) sessions: Option<u32>,
}

/// What is a step and more. An unknown key is refused with a list of those there are, which a flattened step would not do.
macro_rules! with_step {
    ($($name:ident { $($(#[$attribute:meta])? $field:ident: $kind:ty),* })*) => {$(
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(super) struct $name {
            pub(super) page: Option<String>,
            request: Option<String>,
            #[serde(default)]
            form: BTreeMap<String, String>,
            json: Option<serde_json::Value>,
            #[serde(default)]
            headers: BTreeMap<String, String>,
            $($(#[$attribute])? pub(super) $field: $kind,)*
        }

        impl $name {
            /// The step of it, which is no longer in it.
            pub(super) fn step(&mut self) -> WrittenStep {
                WrittenStep {
                    page: self.page.take(),
                    request: self.request.take(),
                    form: take(&mut self.form),
                    json: self.json.take(),
                    headers: take(&mut self.headers),
                    submit: None,
                }
            }
        }
    )*};
}

with_step! {
    WrittenSignIn { #[serde(default)] then: Vec<WrittenStep>, #[serde(default)] browser: bool, submit: Option<String> }
    WrittenChange { read: String }
    WrittenRaise { reaches: WrittenMarker }
}
