//! What a browser keeps of the cookies it is shown, and what it sends of them.

use std::collections::BTreeSet;
use std::fmt;

use url::{Host, Url};

use super::read::{Prefix, SameSite, SetCookie};
use super::scope::{default_path, domain_matches, is_public_suffix, is_trustworthy, path_matches};

/// The cookies of one client.
///
/// Where browsers differ it does as RFC 6265bis says: `SameSite=None` without `Secure` is kept.
#[derive(Clone, Default)]
pub struct Jar {
    kept: Vec<Kept>,
    /// Ever kept, for the order in which they came.
    count: u64,
}

/// A cookie in a jar.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Kept {
    /// May be empty.
    pub name: String,
    /// As it will be sent.
    pub value: String,
    /// Where it goes.
    pub domain: String,
    /// Whether it goes there alone, and not below.
    pub host_only: bool,
    /// Where it goes there.
    pub path: String,
    /// Only over TLS, or to loopback.
    pub secure: bool,
    /// Not for scripts.
    pub http_only: bool,
    /// As it was said.
    pub same_site: Option<SameSite>,
    /// In milliseconds since 1970; without it, it lasts as long as the browser.
    pub until_millis: Option<u64>,
    order: u64,
}

/// Why browsers do not keep a cookie that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotKept {
    /// Of addresses that have none, cookies cannot be kept.
    #[error("the address has no host")]
    NoHost,
    /// Neither the host's own nor above it.
    #[error("its Domain is not the host's")]
    ForeignDomain,
    /// Everybody's.
    #[error("its Domain is a public suffix")]
    PublicSuffix,
    /// Secure, and came without TLS.
    #[error("it is Secure and came over plain http")]
    SecureOverHttp,
    /// Its attributes are not what its prefix demands.
    #[error("its attributes are not what its prefix demands")]
    PrefixBroken,
    /// Partitioned cookies have to be Secure.
    #[error("it is Partitioned and not Secure")]
    PartitionedNotSecure,
    /// Plain http may not cover up what came over TLS.
    #[error("it came over plain http and there is a Secure one of that name")]
    CoversSecure,
}

impl Jar {
    /// Keeps what a browser would keep of a response from `url`, in the order of its Set-Cookie lines.
    pub fn take<'a>(&mut self, url: &Url, lines: impl IntoIterator<Item = &'a [u8]>, now_millis: u64) {
        for cookie in lines.into_iter().filter_map(|line| SetCookie::read(line).ok()) {
            // What browsers drop is for the passive rules to say.
            let _dropped = self.keep(url, &cookie, now_millis);
        }
        self.kept.retain(|one| one.lives(now_millis));
    }

    /// Keeps one cookie, or removes the one it replaces where it has expired.
    ///
    /// # Errors
    /// [`NotKept`] where browsers ignore it.
    pub fn keep(&mut self, url: &Url, cookie: &SetCookie, now_millis: u64) -> Result<(), NotKept> {
        let mut new = Kept::of(url, cookie, now_millis)?;
        if !new.secure && !is_trustworthy(url) && self.kept.iter().any(|old| old.is_covered_by(&new)) {
            return Err(NotKept::CoversSecure);
        }
        self.count += 1;
        new.order = self.count;
        match self.kept.iter_mut().find(|old| old.is_same(&new)) {
            Some(old) => {
                new.order = old.order;
                *old = new;
            }
            None => self.kept.push(new),
        }
        self.kept.retain(|one| one.lives(now_millis));
        self.forget_most();
        Ok(())
    }

    /// The Cookie header of a request to `url`: longer paths first, then older ones.
    pub fn header(&self, url: &Url, now_millis: u64) -> Option<String> {
        let mut sent: Vec<_> = self.kept.iter().filter(|one| one.lives(now_millis) && one.goes_to(url)).collect();
        sent.sort_by_key(|one| (std::cmp::Reverse(one.path.len()), one.order));
        let pairs: Vec<_> = sent.into_iter().map(Kept::pair).collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }

    /// The value of the cookie of that name that came last.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.kept.iter().filter(|one| one.name == name).max_by_key(|one| one.order).map(|one| one.value.as_str())
    }

    /// Gives every cookie of that name another value; where there is none, `url`'s host alone gets one.
    pub fn set(&mut self, url: &Url, name: &str, value: &str) {
        let mut found = false;
        for one in self.kept.iter_mut().filter(|one| one.name == name) {
            value.clone_into(&mut one.value);
            found = true;
        }
        if !found && let Some(host) = url.host_str() {
            self.count += 1;
            self.kept.push(Kept {
                name: name.to_owned(),
                value: value.to_owned(),
                domain: host.to_owned(),
                host_only: true,
                path: "/".to_owned(),
                secure: false,
                http_only: false,
                same_site: None,
                until_millis: None,
                order: self.count,
            });
        }
    }

    /// Removes every cookie of that name, and says whether there was one.
    pub fn remove(&mut self, name: &str) -> bool {
        let before = self.kept.len();
        self.kept.retain(|one| one.name != name);
        self.kept.len() < before
    }

    /// Each name once, in their order.
    pub fn names(&self) -> Vec<String> {
        let mut seen = BTreeSet::new();
        self.kept.iter().filter(|one| seen.insert(&one.name)).map(|one| one.name.clone()).collect()
    }

    /// Whatever is in it, expired or not.
    pub fn iter(&self) -> std::slice::Iter<'_, Kept> {
        self.kept.iter()
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// Chromium keeps 180 per domain, and forgets those that are not Secure first; a site that sets more can still be
    /// judged, so more are kept here.
    fn forget_most(&mut self) {
        while self.kept.len() > MOST_KEPT {
            let Some(at) = (0..self.kept.len()).min_by_key(|at| self.kept.get(*at).map(|one| (one.secure, one.order)))
            else {
                return;
            };
            self.kept.remove(at);
        }
    }
}

impl Kept {
    /// RFC 6265bis, 5.7.
    fn of(url: &Url, cookie: &SetCookie, now_millis: u64) -> Result<Self, NotKept> {
        let host = url.host_str().ok_or(NotKept::NoHost)?;
        let domain = domain_of(url, host, cookie.domain.as_deref())?;
        if cookie.secure && !is_trustworthy(url) {
            return Err(NotKept::SecureOverHttp);
        }
        if cookie.partitioned && !cookie.secure {
            return Err(NotKept::PartitionedNotSecure);
        }
        let path = cookie.path.as_deref().filter(|path| path.starts_with('/'));
        let kept = Self {
            name: cookie.name.clone(),
            value: cookie.value.clone(),
            host_only: domain.is_none(),
            domain: domain.unwrap_or(host).to_owned(),
            path: path.map_or_else(|| default_path(url), str::to_owned),
            secure: cookie.secure,
            http_only: cookie.http_only,
            same_site: cookie.same_site,
            until_millis: until(cookie, now_millis),
            order: 0,
        };
        kept.keeps_prefix(cookie).then_some(kept).ok_or(NotKept::PrefixBroken)
    }

    fn keeps_prefix(&self, cookie: &SetCookie) -> bool {
        // The path has to be said, not derived.
        let host = || self.host_only && cookie.path.as_deref() == Some("/");
        match cookie.prefix() {
            None => true,
            Some(Prefix::Secure) => self.secure,
            Some(Prefix::Http) => self.secure && self.http_only,
            Some(Prefix::Host) => self.secure && host(),
            Some(Prefix::HostHttp) => self.secure && self.http_only && host(),
        }
    }

    /// As in the Cookie header.
    fn pair(&self) -> String {
        if self.name.is_empty() { self.value.clone() } else { format!("{}={}", self.name, self.value) }
    }

    fn lives(&self, now_millis: u64) -> bool {
        self.until_millis.is_none_or(|until| now_millis < until)
    }

    fn goes_to(&self, url: &Url) -> bool {
        let Some(host) = url.host_str() else { return false };
        let matches =
            if self.host_only { host == self.domain } else { domain_matches(host, is_name(url), &self.domain) };
        matches && path_matches(url.path(), &self.path) && (!self.secure || is_trustworthy(url))
    }

    fn is_same(&self, other: &Self) -> bool {
        self.name == other.name
            && self.domain == other.domain
            && self.host_only == other.host_only
            && self.path == other.path
    }

    /// RFC 6265bis, 5.7: "leave secure cookies alone".
    fn is_covered_by(&self, new: &Self) -> bool {
        let domains =
            domain_matches(&self.domain, true, &new.domain) || domain_matches(&new.domain, true, &self.domain);
        self.secure && self.name == new.name && domains && path_matches(&new.path, &self.path)
    }
}

impl<'a> IntoIterator for &'a Jar {
    type Item = &'a Kept;
    type IntoIter = std::slice::Iter<'a, Kept>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Debug for Jar {
    /// Names alone: values are secrets.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_list().entries(self.kept.iter().map(|one| &one.name)).finish()
    }
}

impl fmt::Debug for Kept {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Kept({} for {}{}, value redacted)", self.name, self.domain, self.path)
    }
}

/// What the Domain attribute comes to; nothing where the cookie is the host's alone.
fn domain_of<'a>(url: &Url, host: &str, domain: Option<&'a str>) -> Result<Option<&'a str>, NotKept> {
    match domain.filter(|domain| !domain.is_empty()) {
        Some(domain) if is_name(url) && is_public_suffix(domain) => {
            if domain == host {
                Ok(None)
            } else {
                Err(NotKept::PublicSuffix)
            }
        }
        Some(domain) if domain_matches(host, is_name(url), domain) => Ok(Some(domain)),
        Some(_) => Err(NotKept::ForeignDomain),
        None => Ok(None),
    }
}

fn is_name(url: &Url) -> bool {
    matches!(url.host(), Some(Host::Domain(_)))
}

/// `Max-Age` before `Expires`, and neither beyond 400 days.
fn until(cookie: &SetCookie, now_millis: u64) -> Option<u64> {
    let until = match (cookie.max_age, cookie.expires) {
        (Some(age), _) => now_millis.saturating_add(millis(age)),
        (None, Some(at)) => millis(at),
        (None, None) => return None,
    };
    // What has no time left is over now, whatever its date was.
    Some(if cookie.max_age.is_some_and(|age| age <= 0) { 0 } else { until.min(now_millis.saturating_add(MOST_MILLIS)) })
}

fn millis(seconds: i64) -> u64 {
    u64::try_from(seconds).unwrap_or(0).saturating_mul(1000)
}

/// 400 days, RFC 6265bis, 5.5.
const MOST_MILLIS: u64 = 400 * 86_400_000;
const MOST_KEPT: usize = 2_000;
