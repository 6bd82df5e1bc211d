//! Content security policies as browsers read them (CSP level 3), and which scripts they let run.

use std::collections::BTreeSet;

use crate::exchange::Exchange;
use crate::finding::Finding;
use crate::html::Page;
use crate::rule::{self, Severity};

use super::Seen;

/// One policy: directives by name, the first of each.
#[derive(Debug, Clone, Default)]
pub(super) struct Policy {
    directives: Vec<(String, Vec<String>)>,
}

/// What a policy does about scripts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Scripts {
    /// It says nothing about them.
    Anything,
    /// It lets any run, because of what is said here.
    Weak(String),
    /// One that somebody can find a way around.
    Bent(String),
    /// Those the site chose; the text says how.
    Chosen(&'static str),
}

/// Two verdicts about the site: whether there is a policy for scripts, and whether it holds.
pub(super) fn judge(seen: &Seen<'_>) -> Vec<Finding> {
    let (missing, weak) = (&rule::CSP_MISSING, &rule::CSP_WEAK);
    let pages = seen.pages();
    let worst = pages.iter().map(|page| (scripts(page), *page)).min_by(|one, other| one.0.cmp(&other.0));
    let Some((found, page)) = worst else {
        let skipped = |rule| Finding::skipped(rule, seen.host(), "no page was read that a browser would show");
        return vec![skipped(missing), skipped(weak)];
    };
    let said = || Finding::sound(missing, seen.host(), "pages limit which scripts run");
    match found {
        Scripts::Anything => {
            let reports = page.answer.first("content-security-policy-report-only").is_some();
            let what = if reports {
                "only a policy that reports and prevents nothing"
            } else {
                "no policy says which scripts may run"
            };
            vec![
                Finding::flaw(missing, seen.host(), what).because("a page without one", page),
                Finding::skipped(weak, seen.host(), "there is no policy for scripts to be weak"),
            ]
        }
        Scripts::Weak(why) => vec![said(), Finding::flaw(weak, seen.host(), why).because("the policy", page)],
        Scripts::Bent(why) => {
            vec![said(), Finding::flaw(weak, seen.host(), why).at_most(Severity::Info).because("the policy", page)]
        }
        Scripts::Chosen(how) => match repeated_nonce(&pages) {
            Some(page) => {
                let what = "the nonce is the same in several responses, so that whoever saw one knows the next";
                vec![said(), Finding::flaw(weak, seen.host(), what).because("the same nonce again", page)]
            }
            None => vec![said(), Finding::sound(weak, seen.host(), how)],
        },
    }
}

/// Whether any policy of the response says who may frame it; what it says.
pub(super) fn frame_ancestors(exchange: &Exchange) -> Vec<Vec<String>> {
    let of = |policy: Policy| policy.directive("frame-ancestors").map(<[String]>::to_vec);
    // A policy in the page itself cannot say it.
    in_headers(exchange).into_iter().filter_map(of).collect()
}

fn scripts(exchange: &Exchange) -> Scripts {
    let mut policies = in_headers(exchange);
    let page = Page::read(&exchange.answer.text());
    policies.extend(
        page.metas
            .iter()
            .filter(|(name, _)| name == "content-security-policy")
            .flat_map(|(_, text)| Policy::list(text)),
    );
    // All of them hold at once: the best decides.
    policies.iter().map(Policy::scripts).max().unwrap_or(Scripts::Anything)
}

fn in_headers(exchange: &Exchange) -> Vec<Policy> {
    exchange
        .answer
        .all("content-security-policy")
        .flat_map(|field| Policy::list(&String::from_utf8_lossy(field)))
        .collect()
}

/// A page whose nonce another response had before.
fn repeated_nonce<'a>(pages: &[&'a Exchange]) -> Option<&'a Exchange> {
    let mut known = BTreeSet::new();
    pages.iter().copied().find(|page| {
        let nonces: BTreeSet<_> = in_headers(page).iter().flat_map(Policy::nonces).collect();
        let again = nonces.iter().any(|nonce| known.contains(nonce));
        known.extend(nonces);
        again
    })
}

impl Policy {
    pub(super) fn list(field: &str) -> Vec<Self> {
        field.split(',').map(Self::of).filter(|policy| !policy.directives.is_empty()).collect()
    }

    fn of(text: &str) -> Self {
        let mut directives: Vec<(String, Vec<String>)> = Vec::new();
        for part in text.split(';') {
            let mut words = part.split_ascii_whitespace();
            let Some(name) = words.next().map(str::to_ascii_lowercase) else { continue };
            if directives.iter().all(|(known, _)| *known != name) {
                directives.push((name, words.map(str::to_owned).collect()));
            }
        }
        Self { directives }
    }

    fn directive(&self, name: &str) -> Option<&[String]> {
        self.directives.iter().find(|(known, _)| known == name).map(|(_, sources)| sources.as_slice())
    }

    fn nonces(&self) -> Vec<String> {
        let sources = self
            .directives
            .iter()
            .filter(|(name, _)| matches!(name.as_str(), "script-src" | "script-src-elem" | "default-src"));
        sources.flat_map(|(_, sources)| sources).filter(|source| is_nonce(source)).cloned().collect()
    }

    fn scripts(&self) -> Scripts {
        if self
            .directive("sandbox")
            .is_some_and(|flags| flags.iter().all(|flag| !flag.eq_ignore_ascii_case("allow-scripts")))
        {
            return Scripts::Chosen("pages are in a sandbox without scripts");
        }
        let fallback = self.directive("script-src").or_else(|| self.directive("default-src"));
        // Elements and attributes each may have a list of their own; the weaker is what counts.
        let of = |name: &str| self.directive(name).or(fallback);
        let (Some(elements), Some(attributes)) = (of("script-src-elem"), of("script-src-attr")) else {
            return Scripts::Anything;
        };
        let inline = [elements, attributes].into_iter().any(Sources::run_inline);
        match () {
            () if inline => Scripts::Weak("'unsafe-inline' lets any script in a page run".to_owned()),
            () if !elements.strict() && elements.iter().any(|source| is_anywhere(source)) => {
                let source = elements.iter().find(|source| is_anywhere(source)).map_or("", String::as_str);
                Scripts::Weak(format!("{source} lets scripts come from anywhere"))
            }
            () if fallback.is_some_and(|sources| sources.says("'unsafe-eval'")) => {
                Scripts::Bent("'unsafe-eval' lets text become a script".to_owned())
            }
            () if elements.iter().any(|source| is_nonce(source)) && self.directive("base-uri").is_none() => {
                Scripts::Bent(
                    "without base-uri, a base element of somebody else's moves scripts that have a nonce".to_owned(),
                )
            }
            () if elements.iter().any(|source| is_nonce(source) || is_hash(source)) => {
                Scripts::Chosen("scripts need a nonce or a hash")
            }
            () => Scripts::Chosen("scripts come from listed places"),
        }
    }
}

/// What a list of sources comes to.
trait Sources {
    fn says(&self, keyword: &str) -> bool;
    /// Whether `'strict-dynamic'` has browsers ignore hosts and schemes.
    fn strict(&self) -> bool;
    /// Browsers ignore `'unsafe-inline'` beside a nonce, a hash or `'strict-dynamic'`.
    fn run_inline(&self) -> bool;
}

impl Sources for [String] {
    fn says(&self, keyword: &str) -> bool {
        self.iter().any(|source| source.eq_ignore_ascii_case(keyword))
    }

    fn strict(&self) -> bool {
        self.says("'strict-dynamic'")
    }

    fn run_inline(&self) -> bool {
        self.says("'unsafe-inline'") && !self.strict() && !self.iter().any(|source| is_nonce(source) || is_hash(source))
    }
}

fn is_nonce(source: &str) -> bool {
    begins(source, "'nonce-")
}

fn is_hash(source: &str) -> bool {
    ["'sha256-", "'sha384-", "'sha512-"].iter().any(|kind| begins(source, kind))
}

/// Whether everybody can put a script where this points to.
pub(super) fn is_anywhere(source: &str) -> bool {
    let source = source.to_ascii_lowercase();
    let bare = source.strip_prefix("https://").or_else(|| source.strip_prefix("http://")).unwrap_or(&source);
    matches!(source.as_str(), "http:" | "https:" | "data:" | "blob:" | "ws:" | "wss:")
        || matches!(bare, "*" | "*:*" | "*:443" | "*:80")
}

fn begins(text: &str, with: &str) -> bool {
    text.get(..with.len()).is_some_and(|front| front.eq_ignore_ascii_case(with))
}
