//! What goes out, pinned; what does not build; and that no value can break out of its header.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::origin::{Origin, OriginError, Scheme};

fn sent(headers: &SecurityHeaders, scheme: Scheme, nonce: Option<&CspNonce>) -> String {
    headers.iter(scheme, nonce).map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>().join("\n")
}

fn header(headers: &SecurityHeaders, name: &str) -> Option<String> {
    headers.iter(Scheme::Https, None).find(|(known, _)| *known == name).map(|(_, value)| value.into_owned())
}

#[test]
fn the_strict_headers_are_as_pinned() {
    let plain = [
        "content-security-policy: default-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'",
        "x-content-type-options: nosniff",
        "referrer-policy: same-origin",
        "permissions-policy: accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), midi=(), payment=(), usb=()",
        "cross-origin-opener-policy: same-origin",
        "cross-origin-resource-policy: same-origin",
        "x-frame-options: DENY",
    ]
    .join("\n");
    let strict = SecurityHeaders::strict();
    assert_eq!(sent(&strict, Scheme::Http, None), plain);
    assert_eq!(
        sent(&strict, Scheme::Https, None),
        format!("{plain}\nstrict-transport-security: max-age=31536000; includeSubDomains")
    );
}

#[test]
fn each_header_can_be_replaced() {
    let headers = SecurityHeaders::strict()
        .hsts(Hsts::excluding_subdomains(2 * Hsts::ONE_YEAR).unwrap())
        .permissions(&PermissionsPolicy::deny_all().allow_self(Feature::Camera))
        .referrer(ReferrerPolicy::StrictOriginWhenCrossOrigin)
        .opener(CrossOriginOpenerPolicy::SameOriginAllowPopups)
        .resource(CrossOriginResourcePolicy::SameSite);
    for (name, value) in [
        ("strict-transport-security", "max-age=63072000"),
        ("referrer-policy", "strict-origin-when-cross-origin"),
        ("cross-origin-opener-policy", "same-origin-allow-popups"),
        ("cross-origin-resource-policy", "same-site"),
    ] {
        assert_eq!(header(&headers, name).as_deref(), Some(value), "{name}");
    }
    assert!(header(&headers, "permissions-policy").unwrap().contains("camera=(self), display-capture=()"));
    assert_eq!(header(&headers, "x-xss-protection"), None);
}

#[test]
fn a_promise_of_https_shorter_than_a_year_does_not_build() {
    let year = Duration::from_hours(365 * 24);
    let short = Duration::from_millis(31_535_999_999);
    assert_eq!(Hsts::including_subdomains(year).unwrap().to_string(), "max-age=31536000; includeSubDomains");
    assert_eq!(Hsts::excluding_subdomains(year).unwrap().to_string(), "max-age=31536000");
    assert_eq!(Hsts::including_subdomains(short), Err(HstsTooShort { seconds: 31_535_999 }));
    assert_eq!(Hsts::excluding_subdomains(Duration::ZERO), Err(HstsTooShort { seconds: 0 }));
    assert_eq!(
        HstsTooShort { seconds: 300 }.to_string(),
        "a Strict-Transport-Security lifetime of 300 s is below a year (31536000 s)"
    );
}

#[test]
fn frame_options_say_what_frame_ancestors_say_or_nothing() {
    let partner = Source::Origin(Origin::parse("https://partner.example").unwrap());
    for (ancestors, options) in [
        (vec![], Some("DENY")),
        (vec![Source::SameOrigin], Some("SAMEORIGIN")),
        (vec![partner.clone()], None),
        (vec![Source::SameOrigin, partner], None),
    ] {
        let content = ContentSecurityPolicy::strict().set(Directive::FrameAncestors, ancestors.clone()).unwrap();
        let headers = SecurityHeaders::strict().content(content);
        assert_eq!(header(&headers, "x-frame-options").as_deref(), options, "{ancestors:?}");
    }
}

#[test]
fn each_response_carries_its_own_nonce_and_none_means_none() {
    let content = ContentSecurityPolicy::strict()
        .set(Directive::ScriptSrc, [Source::Nonce, Source::StrictDynamic])
        .and_then(|policy| policy.set(Directive::StyleSrc, [Source::SameOrigin, Source::Nonce]))
        .and_then(|policy| policy.set(Directive::ImgSrc, [Source::Data, Source::Blob, Source::AnyHttps]))
        .and_then(|policy| policy.set(Directive::FontSrc, [Source::Nonce]))
        .unwrap();
    let headers = SecurityHeaders::strict().content(content);
    assert!(headers.uses_nonce() && !SecurityHeaders::strict().uses_nonce());
    let (one, two) = (CspNonce::from_random([1; 16]), CspNonce::from_random([2; 16]));
    let first = sent(&headers, Scheme::Https, Some(&one));
    assert!(first.contains(&format!(
        "; script-src 'nonce-{nonce}' 'strict-dynamic'; style-src 'self' 'nonce-{nonce}'; img-src data: blob: https:; font-src 'nonce-{nonce}'\n",
        nonce = one.as_str(),
    )));
    let second = sent(&headers, Scheme::Https, Some(&two));
    assert!(second.contains(two.as_str()) && !second.contains(one.as_str()));
    let without = sent(&headers, Scheme::Https, None);
    assert!(
        without
            .contains("; script-src 'strict-dynamic'; style-src 'self'; img-src data: blob: https:; font-src 'none'\n")
    );
}

#[test]
fn scripts_and_embedding_are_never_open_to_anybody() {
    use Directive::{BaseUri, DefaultSrc, FrameAncestors, ImgSrc, ObjectSrc, ScriptSrc};
    for source in [Source::Data, Source::Blob, Source::AnyHttps] {
        for directive in [DefaultSrc, ScriptSrc, ObjectSrc, BaseUri, FrameAncestors] {
            let built = ContentSecurityPolicy::strict().set(directive, [Source::SameOrigin, source.clone()]);
            assert_eq!(built, Err(TooWide { directive }), "{source:?}");
        }
        assert!(ContentSecurityPolicy::strict().set(ImgSrc, [source]).is_ok());
    }
}

#[test]
fn reports_go_to_one_place_of_each_kind() {
    let policy = ContentSecurityPolicy::strict()
        .report_uri("/old")
        .and_then(|policy| policy.report_to("csp"))
        .and_then(|policy| policy.report_uri("/.session/csp-report"))
        .unwrap();
    assert!(policy.value(None).ends_with("; form-action 'self'; report-to csp; report-uri /.session/csp-report"));
    for target in ["", "/a b", "/a;script-src *", "/a,b", "/a\r\nX: y", "/é", "\0"] {
        assert_eq!(ContentSecurityPolicy::strict().report_uri(target), Err(BadReportTarget), "{target:?}");
        assert_eq!(ContentSecurityPolicy::strict().report_to(target), Err(BadReportTarget), "{target:?}");
    }
}

/// Policy, the request's `Origin`, what the response says.
type Answer<'a> = (&'a Cors, &'a [u8], &'a [(&'a str, &'a str)]);

#[test]
fn cors_answers_from_the_list_and_never_echoes() {
    const APP: (&str, &str) = ("access-control-allow-origin", "https://app.example");
    const VARY: (&str, &str) = ("vary", "Origin");
    const CREDENTIALS: (&str, &str) = ("access-control-allow-credentials", "true");
    let with = Cors::from_config(&["https://app.example", "https://two.example"], Credentials::Include).unwrap();
    let without = Cors::from_config(&["https://app.example"], Credentials::Omit).unwrap();
    let rows: &[Answer<'_>] = &[
        (&with, b"https://app.example", &[APP, CREDENTIALS, VARY]),
        (&with, b"HTTPS://APP.example:443", &[APP, CREDENTIALS, VARY]),
        (&with, b"https://evil.example", &[VARY]),
        (&with, b"https://app.example.evil.example", &[VARY]),
        (&with, b"null", &[VARY]),
        (&with, b"*", &[VARY]),
        (&with, b"", &[VARY]),
        (&without, b"https://app.example", &[APP, VARY]),
        (&without, b"https://evil.example", &[VARY]),
        (&Cors::anyone(), b"https://evil.example", &[("access-control-allow-origin", "*")]),
        (&Cors::anyone(), b"null", &[("access-control-allow-origin", "*")]),
    ];
    for (cors, origin, headers) in rows {
        assert_eq!(cors.headers(origin).collect::<Vec<_>>(), *headers, "{cors:?} {}", String::from_utf8_lossy(origin));
    }
}

#[test]
fn credentials_for_everybody_do_not_build() {
    use Credentials::{Include, Omit};
    let rows: &[(&[&str], Credentials, Result<(), CorsError>)] = &[
        (&["*"], Omit, Ok(())),
        (&["*"], Include, Err(CorsError::WildcardWithCredentials)),
        (&["*", "https://app.example"], Include, Err(CorsError::Origin(OriginError::Wildcard))),
        (&["*", "https://app.example"], Omit, Err(CorsError::Origin(OriginError::Wildcard))),
        (&["https://*.example"], Include, Err(CorsError::Origin(OriginError::Wildcard))),
        (&["null"], Include, Err(CorsError::Origin(OriginError::Null))),
        (&[], Include, Err(CorsError::NoOrigin)),
        (&[], Omit, Err(CorsError::NoOrigin)),
    ];
    for (origins, credentials, built) in rows {
        assert_eq!(Cors::from_config(origins, *credentials).map(drop), *built, "{origins:?} {credentials:?}");
    }
}

#[test]
fn every_fixed_value_is_as_pinned() {
    assert_eq!(ReferrerPolicy::NoReferrer.as_str(), "no-referrer");
    assert_eq!(CrossOriginResourcePolicy::CrossOrigin.as_str(), "cross-origin");
    assert_eq!(ClearSiteData::Cache.as_str(), r#""cache""#);
    assert_eq!(ClearSiteData::CacheAndStorage.as_str(), r#""cache", "storage""#);
    assert_eq!(ClearSiteData::CacheStorageAndCookies.as_str(), r#""cache", "cookies", "storage""#);
    let all = Feature::ALL.into_iter().fold(PermissionsPolicy::deny_all(), PermissionsPolicy::allow_self);
    assert_eq!(all.value().matches("=(self)").count(), 10);
}

proptest! {
    #[test]
    fn no_value_can_break_out_of_its_header(target in "\\PC{0,20}|[\\x00-\\x7f]{0,20}", origin in "(https://)?\\PC{0,20}", random: [u8; 16]) {
        let mut policy = ContentSecurityPolicy::strict().set(Directive::ScriptSrc, [Source::Nonce]).unwrap();
        policy = policy.clone().report_uri(&target).unwrap_or(policy);
        policy = policy.clone().report_to(&target).unwrap_or(policy);
        if let Ok(origin) = Origin::parse(&origin) {
            policy = policy.set(Directive::ConnectSrc, [Source::Origin(origin)]).unwrap();
        }
        let directives = policy.value(None).split(';').count();
        let nonce = CspNonce::from_random(random);
        let headers = SecurityHeaders::strict().content(policy);
        for (name, value) in headers.iter(Scheme::Https, Some(&nonce)) {
            prop_assert!(value.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{}: {:?}", name, value);
            prop_assert!(name != "content-security-policy" || value.split(';').count() == directives);
        }
        prop_assert!((6..=9).contains(&directives));
    }
}
