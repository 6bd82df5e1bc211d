//! What is planted where: the table, read once and trusted.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::house::PEOPLE;
use crate::plan::Plan;

/// The whole table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Corpus {
    /// Rules about which every site is left alone: they say how the world is.
    pub(crate) unjudged: Vec<String>,
    /// The same where a site has no TLS.
    pub(crate) of_tls: Vec<String>,
    /// Rules that are read off answers; all others take several requests and a state.
    pub(crate) passive: Vec<String>,
    /// What holds wherever something else does.
    pub(crate) implies: BTreeMap<String, Vec<String>>,
    /// Profiles that several pairs share.
    profiles: BTreeMap<String, String>,
    /// Twins.
    #[serde(rename = "pair")]
    pub(crate) pairs: Vec<Pair>,
}

/// A vulnerable site and the same without its flaws.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Pair {
    /// One word.
    pub(crate) name: String,
    /// How it works, in a line.
    pub(crate) works: String,
    /// How it is called.
    #[serde(default = "loopback")]
    pub(crate) host: String,
    /// Whether it speaks TLS, at the same port as plain http.
    #[serde(default)]
    pub(crate) tls: bool,
    /// The cookies that are the session, on either twin.
    #[serde(default)]
    pub(crate) session: Vec<String>,
    /// What is wrong with the vulnerable twin, and must be found.
    pub(crate) planted: Vec<String>,
    /// What is true of the vulnerable twin because of that, and may be found.
    #[serde(default)]
    pub(crate) implied: Vec<String>,
    /// What is true of both twins and beside the point.
    #[serde(default)]
    pub(crate) background: Vec<String>,
    /// What looks wrong on either twin and is not.
    #[serde(default)]
    pub(crate) negatives: Vec<String>,
    /// A profile others share.
    #[serde(default)]
    like: Option<String>,
    /// A profile of its own, or what it has beyond the shared one.
    #[serde(default)]
    profile: String,
}

impl Pair {
    /// Whether somebody who looks has to wait for sessions to end.
    pub(crate) fn waits(&self) -> bool {
        self.profile.contains("[limits]") || self.planted.iter().any(|rule| rule == "token-expiry-ignored")
    }
}

/// What is wrong with the table.
#[derive(Debug, thiserror::Error)]
#[error("corpus.toml: {0}")]
pub(crate) struct Wrong(#[from] toml::de::Error);

impl Corpus {
    /// The table of this crate.
    pub(crate) fn read() -> Result<Self, Wrong> {
        Ok(toml::from_str(include_str!("../corpus.toml"))?)
    }

    /// The pair of that name.
    pub(crate) fn pair(&self, name: &str) -> Option<&Pair> {
        self.pairs.iter().find(|pair| pair.name == name)
    }

    /// A pair's profile, for a site that listens there.
    pub(crate) fn profile(&self, pair: &Pair, port: u16) -> String {
        let shared = pair.like.as_ref().and_then(|name| self.profiles.get(name)).map_or("", String::as_str);
        let address = format!("{}:{port}", pair.host);
        let site = if pair.tls {
            format!("https://{address}\"\nplain_http = \"http://{address}")
        } else {
            format!("http://{address}")
        };
        profile(&site, &format!("{shared}{}", pair.profile))
    }

    /// The same for exploits.
    pub(crate) fn plan(&self, pair: &Pair) -> Result<Plan, Wrong> {
        Ok(toml::from_str(&self.profile(pair, 1))?)
    }

    /// Whether the twin has that flaw, planted or not.
    pub(crate) fn holds(&self, pair: &Pair, fixed: bool, rule: &str) -> bool {
        let is = |list: &[String]| list.iter().any(|id| id == rule);
        let follows = |id: &String| self.implies.get(id).is_some_and(|list| is(list));
        let everywhere = is(&pair.background) || is(&self.unjudged) || (!pair.tls && is(&self.of_tls));
        let flawed = is(&pair.planted) || is(&pair.implied) || pair.planted.iter().any(follows);
        everywhere || (!fixed && flawed)
    }
}

/// A profile with the site's address and its accounts.
pub(crate) fn profile(site: &str, text: &str) -> String {
    let [(alice, first), (bob, second)] = PEOPLE;
    format!(
        "site = \"{site}\"\n{text}\n[account]\nuser = \"{alice}\"\npassword = \"{first}\"\n\
         [second_account]\nuser = \"{bob}\"\npassword = \"{second}\"\n"
    )
}

fn loopback() -> String {
    "127.0.0.1".to_owned()
}
