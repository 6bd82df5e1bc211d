//! What each type means, and whom it may be about.

use serde_json::json;

use super::*;

type Row = (&'static str, &'static str, Value, Result<(What, Option<Trigger>), ()>);

const OURS: SessionId = SessionId::from_bytes([7; 18]);

fn opaque(id: &str) -> Value {
    json!({ "format": "opaque", "id": id })
}

fn rows() -> Vec<Row> {
    use Trigger as T;
    let changed = |credential, change| json!({ "credential_type": credential, "change_type": change });
    let level = |level| json!({ "principal": "USER", "current_level": level });
    let except = json!({ "except_session": opaque(&OURS.to_string()) });
    let direction =
        |direction| json!({ "namespace": "NIST-AAL", "current_level": "nist-aal1", "change_direction": direction });
    #[rustfmt::skip]
    let rows = vec![
        ("caep", "session-revoked",     json!({}),                      Ok((What::SessionRevoked { except: None }, None))),
        ("caep", "session-revoked",     except,                         Ok((What::SessionRevoked { except: Some(OURS) }, None))),
        ("risc", "sessions-revoked",    json!({}),                      Ok((What::SessionRevoked { except: None }, None))),
        ("caep", "credential-change",   changed("password", "update"),  Ok((What::CredentialChanged { is_password: true }, Some(T::PasswordChanged)))),
        ("caep", "credential-change",   changed("fido2-roaming", "delete"), Ok((What::CredentialChanged { is_password: false }, Some(T::MfaChanged)))),
        ("caep", "credential-change",   changed("x509", "revoke"),      Ok((What::CredentialChanged { is_password: false }, Some(T::MfaChanged)))),
        ("caep", "credential-change",   changed("app", "create"),       Ok((What::CredentialCreated, None))),
        ("caep", "credential-change",   changed("app", "lost"),         Err(())),
        ("caep", "credential-change",   json!({}),                      Err(())),
        ("risc", "credential-compromise", json!({}),                    Ok((What::CredentialUnsafe, Some(T::PasswordReset)))),
        ("risc", "account-credential-change-required", json!({}),       Ok((What::CredentialUnsafe, Some(T::PasswordReset)))),
        ("caep", "assurance-level-change", direction("decrease"),       Ok((What::AssuranceChanged { is_lower: true }, None))),
        ("caep", "assurance-level-change", direction("increase"),       Ok((What::AssuranceChanged { is_lower: false }, None))),
        ("caep", "assurance-level-change", json!({}),                   Ok((What::AssuranceChanged { is_lower: false }, None))),
        ("caep", "assurance-level-change", direction("sideways"),       Err(())),
        ("caep", "token-claims-change", json!({ "claims": {} }),        Ok((What::TokenClaimsChanged, Some(T::RoleChanged)))),
        ("caep", "risk-level-change",   level("HIGH"),                  Ok((What::RiskChanged { is_high: true }, None))),
        ("caep", "risk-level-change",   level("LOW"),                   Ok((What::RiskChanged { is_high: false }, None))),
        ("caep", "risk-level-change",   level("WORST"),                 Err(())),
        ("risc", "account-disabled",    json!({ "reason": "hijacking" }), Ok((What::AccountDisabled, Some(T::AccountDisabled)))),
        ("risc", "account-purged",      json!({}),                      Ok((What::AccountDisabled, Some(T::AccountDisabled)))),
        ("risc", "account-enabled",     json!({}),                      Ok((What::AccountEnabled, None))),
        ("risc", "identifier-changed",  json!({}),                      Ok((What::IdentifierChanged, Some(T::EmailChanged)))),
        ("risc", "identifier-recycled", json!({}),                      Ok((What::IdentifierChanged, Some(T::EmailChanged)))),
        ("risc", "recovery-information-changed", json!({}),             Ok((What::IdentifierChanged, Some(T::EmailChanged)))),
        ("caep", "session-established", json!({}),                      Ok((What::Other, None))),
        ("caep", "account-disabled",    json!({}),                      Ok((What::Other, None))),
    ];
    rows
}

#[test]
fn each_type_means_what_the_table_says_and_the_document_says_the_same() {
    let document = include_str!("../../../../../../docs/shared-signals.md");
    for (family, name, body, expected) in rows() {
        let uri = format!("https://schemas.openid.net/secevent/{family}/event-type/{name}");
        let found = What::of(&uri, body.as_object().unwrap());
        let found = found.map(|what| (what.trigger(), what)).map(|(trigger, what)| (what, trigger));
        assert_eq!(found.map_err(|refused| assert_eq!(refused.code, Code::InvalidRequest)), expected, "{uri}");
        if let Ok((what, trigger)) = expected
            && let Some(setting) = what.name()
        {
            assert!(What::NAMES.contains(&setting));
            let done = trigger.map_or(String::new(), |trigger| format!("`{}`", trigger.as_str()));
            let row = document.lines().find(|line| line.contains(&format!("| `{setting}` |"))).unwrap_or_default();
            assert!(row.contains(&format!("`{name}`")) && row.contains(&done), "docs/shared-signals.md: {name} {done}");
        }
    }
}

#[test]
fn types_of_nobody_mean_nothing_and_a_verification_gives_back_the_state() {
    let verification = format!("{BASE}ssf/event-type/verification");
    let of = |uri: &str, body: Value| What::of(uri, body.as_object().unwrap()).ok();
    #[rustfmt::skip]
    let rows = [
        (verification.as_str(),                         json!({ "state": "abc" }),  Some(What::Verification { state: Some("abc".to_owned()) })),
        (verification.as_str(),                         json!({}),                  Some(What::Verification { state: None })),
        (verification.as_str(),                         json!({ "state": 1 }),      None),
        ("",                                            json!({}),                  Some(What::Other)),
        ("urn:example:secevent",                        json!({}),                  Some(What::Other)),
        ("https://evil.example/caep/event-type/session-revoked", json!({}),         Some(What::Other)),
        ("https://schemas.openid.net/secevent/caep/event-type/session-revoked/x", json!({}), Some(What::Other)),
    ];
    for (uri, body, expected) in rows {
        assert_eq!(of(uri, body), expected, "{uri}");
    }
}

#[test]
fn whom_a_token_is_about_is_read_in_each_form_and_never_guessed() {
    let subject = SubjectRef::from_bytes([9; 16]);
    let at = json!({ "format": "iss_sub", "iss": "https://idp.example", "sub": "42" });
    let session_of = |name| About { session: Some(name), user: None };
    let user_of = |name| About { session: None, user: Some(name) };
    let at_idp = UserName::At { issuer: "https://idp.example".to_owned(), subject: "42".to_owned() };
    #[rustfmt::skip]
    let rows = [
        (opaque(&OURS.to_string()),                      Some(session_of(SessionName::Ours(OURS)))),
        (opaque(&subject.to_string()),                      Some(user_of(UserName::Reference(subject)))),
        (opaque("of theirs"),                               Some(session_of(SessionName::Theirs("of theirs".to_owned())))),
        (at.clone(),                                        Some(user_of(at_idp.clone()))),
        (json!({ "format": "email", "email": "a@b.example" }), Some(user_of(UserName::Email("a@b.example".to_owned())))),
        (json!({ "format": "phone_number", "phone_number": "+1" }), Some(About::default())),
        (json!({ "format": "complex", "user": at, "session": opaque("s1"), "tenant": opaque("t") }),
            Some(About { session: Some(SessionName::Theirs("s1".to_owned())), user: Some(at_idp.clone()) })),
        (json!({ "format": "complex", "user": at, "session": { "format": "jwt_id", "iss": "i", "jti": "j" } }),
            Some(About { session: Some(SessionName::Unknown), user: Some(at_idp) })),
        (json!({ "format": "complex", "session": opaque(&subject.to_string()) }), Some(session_of(SessionName::Unknown))),
        (json!({ "format": "complex", "device": opaque("d") }), Some(About::default())),
        // What names a user is not taken for a session, nor the other way round.
        (json!({ "format": "complex", "user": opaque(&OURS.to_string()) }), Some(About::default())),
        (json!({ "format": "complex", "user": { "format": "complex", "user": {} } }), Some(About::default())),
        (json!({ "format": "complex", "user": "ada" }),     None),
        (json!({ "format": "complex", "user": {} }),        None),
        (json!({ "format": "opaque" }),                     None),
        (json!({ "format": "opaque", "id": "" }),           None),
        (json!({ "format": "opaque", "id": 1 }),            None),
        (json!({ "format": "email", "email": "x".repeat(1_025) }), None),
        (json!({ "format": "iss_sub", "iss": "https://idp.example" }), None),
    ];
    for (about, expected) in rows {
        assert_eq!(About::of(Some(&about), true).ok(), expected, "{about}");
    }
    assert!(About::default().is_nobody() && !session_of(SessionName::Ours(OURS)).is_nobody());
    assert_eq!(About::of(None, false), Ok(About::default()));
    assert!(About::of(None, true).is_err() && About::of(Some(&json!("ada")), false).is_err());
}
