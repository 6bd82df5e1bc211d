//! What browsers report about our content security policy, reduced to names we know. Pure: bytes in, facts out.

use serde::Deserialize;

/// Something that a page of ours was about to do, and its content security policy forbids.
///
/// # Security
/// Anybody can send a report, with anything in it. So nothing of its text is kept: no address, no sample of a script,
/// only which of the known directives it names and which kind of thing was stopped.
///
/// # Examples
/// ```
/// use counterfoil_core::headers::CspViolation;
///
/// let report = br#"{"csp-report": {"effective-directive": "script-src-elem", "blocked-uri": "inline"}}"#;
/// let [violation] = CspViolation::read("application/csp-report", report)?[..] else { panic!() };
/// assert_eq!((violation.directive, violation.blocked), ("script-src-elem", "inline"));
/// # Ok::<_, counterfoil_core::headers::NotAReport>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CspViolation {
    /// The directive that forbids it: one of those we know, else `other`.
    pub directive: &'static str,
    /// What was stopped: `inline`, `eval`, `data`, `blob`, `address` (of whatever site), `extension` (a browser
    /// extension's doing, not the page's), or `other`.
    pub blocked: &'static str,
    /// Whether it was stopped, or only reported.
    pub enforced: bool,
}

/// Why there is nothing to learn from a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotAReport {
    /// Not one of the two media types of reports: 415.
    #[error("a report is `application/csp-report` or `application/reports+json`")]
    MediaType,
    /// Not a report's JSON: 400.
    #[error("the report cannot be read")]
    Malformed,
}

impl CspViolation {
    /// The most that is read of one request, in bytes. A browser's own report has about one kilobyte.
    pub const MAX_BODY: usize = 16 * 1024;
    /// The most that is taken from one request: browsers gather a few before they send them.
    pub const MAX_PER_REQUEST: usize = 10;

    /// Reads a request to the report address: one report (`report-uri`), or several of any kind (`report-to`), of which
    /// those about this policy count.
    ///
    /// # Errors
    /// [`NotAReport`]; answer with the status it names.
    pub fn read(media_type: &str, body: &[u8]) -> Result<Vec<Self>, NotAReport> {
        let media_type = media_type.split(';').next().unwrap_or_default().trim();
        if media_type.eq_ignore_ascii_case("application/csp-report") {
            let Single { report } = serde_json::from_slice(body).map_err(|_| NotAReport::Malformed)?;
            return Ok(vec![report.facts()]);
        }
        if media_type.eq_ignore_ascii_case("application/reports+json") {
            let reports: Vec<Gathered> = serde_json::from_slice(body).map_err(|_| NotAReport::Malformed)?;
            let ours = reports.into_iter().filter(|report| report.kind == "csp-violation");
            return Ok(ours.take(Self::MAX_PER_REQUEST).map(|report| report.body.facts()).collect());
        }
        Err(NotAReport::MediaType)
    }
}

/// CSP Level 3, section 5.3: the older form.
#[derive(Deserialize)]
struct Single {
    #[serde(rename = "csp-report")]
    report: Report,
}

/// Reporting API, section 3.5.
#[derive(Deserialize)]
struct Gathered {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    body: Report,
}

/// What both forms say, each in its own spelling.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Report {
    #[serde(alias = "effective-directive", rename = "effectiveDirective")]
    effective: Option<String>,
    #[serde(rename = "violated-directive")]
    violated: Option<String>,
    #[serde(alias = "blocked-uri", rename = "blockedURL")]
    blocked: Option<String>,
    disposition: Option<String>,
}

impl Report {
    fn facts(&self) -> CspViolation {
        // Older browsers name the directive with all its sources.
        let named = self.effective.as_deref().or(self.violated.as_deref()).unwrap_or_default();
        let named = named.split_ascii_whitespace().next().unwrap_or_default();
        CspViolation {
            directive: DIRECTIVES.into_iter().find(|known| *known == named).unwrap_or(OTHER),
            blocked: kind_of(self.blocked.as_deref().unwrap_or_default()),
            enforced: self.disposition.as_deref() != Some("report"),
        }
    }
}

/// What a blocked address is, told by its beginning. An address is never kept.
fn kind_of(blocked: &str) -> &'static str {
    let scheme = blocked.split(':').next().unwrap_or_default();
    match scheme {
        "inline" => "inline",
        "eval" | "wasm-eval" => "eval",
        "data" => "data",
        "blob" => "blob",
        "http" | "https" | "ws" | "wss" | "self" => "address",
        extension if extension.ends_with("-extension") || extension == "safari-web-extension" => "extension",
        _ => OTHER,
    }
}

const OTHER: &str = "other";
/// CSP Level 3, section 6, and Trusted Types.
const DIRECTIVES: [&str; 23] = [
    "base-uri",
    "child-src",
    "connect-src",
    "default-src",
    "fenced-frame-src",
    "font-src",
    "form-action",
    "frame-ancestors",
    "frame-src",
    "img-src",
    "manifest-src",
    "media-src",
    "object-src",
    "require-trusted-types-for",
    "sandbox",
    "script-src",
    "script-src-attr",
    "script-src-elem",
    "style-src",
    "style-src-attr",
    "style-src-elem",
    "trusted-types",
    "worker-src",
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SINGLE: &str = "application/csp-report";
    const GATHERED: &str = "application/reports+json; charset=utf-8";

    fn facts(media_type: &str, body: &str) -> Result<Vec<(&'static str, &'static str, bool)>, NotAReport> {
        let all = CspViolation::read(media_type, body.as_bytes())?;
        Ok(all.into_iter().map(|fact| (fact.directive, fact.blocked, fact.enforced)).collect())
    }

    #[test]
    fn both_forms_are_read_and_nothing_but_known_names_is_kept() {
        #[rustfmt::skip]
        let table = [
            (SINGLE,   r#"{"csp-report":{"effective-directive":"script-src-elem","blocked-uri":"inline","disposition":"enforce"}}"#, vec![("script-src-elem", "inline", true)]),
            (SINGLE,   r#"{"csp-report":{"violated-directive":"img-src 'self'","blocked-uri":"https://evil.example/x?secret"}}"#,       vec![("img-src", "address", true)]),
            (SINGLE,   r#"{"csp-report":{"effective-directive":"script-src","blocked-uri":"eval","disposition":"report"}}"#,          vec![("script-src", "eval", false)]),
            (SINGLE,   r#"{"csp-report":{"effective-directive":"<b>","blocked-uri":"javascript:alert(1)"}}"#,                        vec![("other", "other", true)]),
            (SINGLE,   r#"{"csp-report":{"blocked-uri":"moz-extension"}}"#,                                                          vec![("other", "extension", true)]),
            (SINGLE,   r#"{"csp-report":{"blocked-uri":"chrome-extension://abc/x.js"}}"#,                                            vec![("other", "extension", true)]),
            (SINGLE,   r#"{"csp-report":{}}"#,                                                                                      vec![("other", "other", true)]),
            (GATHERED, r#"[{"type":"csp-violation","body":{"effectiveDirective":"style-src-attr","blockedURL":"data"}},{"type":"deprecation","body":{"id":"x"}}]"#, vec![("style-src-attr", "data", true)]),
            (GATHERED, "[]",                                                                                                       vec![]),
        ];
        for (media_type, body, expected) in table {
            assert_eq!(facts(media_type, body), Ok(expected), "{body}");
        }
    }

    #[test]
    fn what_is_no_report_says_which_way() {
        for (media_type, body, expected) in [
            ("application/json", r#"{"csp-report":{}}"#, NotAReport::MediaType),
            ("text/plain", r#"{"csp-report":{}}"#, NotAReport::MediaType),
            ("", "", NotAReport::MediaType),
            (SINGLE, "", NotAReport::Malformed),
            (SINGLE, "{}", NotAReport::Malformed),
            (SINGLE, "[]", NotAReport::Malformed),
            (SINGLE, r#"{"csp-report":{"blocked-uri":7}}"#, NotAReport::Malformed),
            (GATHERED, "{}", NotAReport::Malformed),
        ] {
            assert_eq!(facts(media_type, body), Err(expected), "{media_type}: {body}");
        }
    }

    #[test]
    fn one_request_tells_no_more_than_ten_times() {
        let body = format!("[{}]", vec![r#"{"type":"csp-violation"}"#; 50].join(","));
        assert_eq!(facts(GATHERED, &body).unwrap().len(), CspViolation::MAX_PER_REQUEST);
    }

    proptest! {
        #[test]
        fn no_input_is_too_odd(single: bool, body: Vec<u8>, text: String) {
            let media_type = if single { SINGLE } else { GATHERED };
            let _ = CspViolation::read(media_type, &body);
            let _ = CspViolation::read(&text, text.as_bytes());
        }
    }
}
