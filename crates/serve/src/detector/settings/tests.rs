//! Settings that are refused, and what those that are not come to.

use std::fs::{Permissions, set_permissions, write};
use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, from_value, json};

use super::*;
use crate::detector::tests::secret_in;

const URL: &str = "https://risk.example/judge?key=s3cret";

fn settings(more: &Value) -> DetectorSettings {
    let mut all = json!({ "url": URL });
    all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    from_value(all).unwrap()
}

#[test]
fn what_is_wrong_is_named_by_its_key() {
    #[rustfmt::skip]
    let rows = [
        (json!({ "url": "risk.example" }),                "url: not a URL"),
        (json!({ "url": "http://risk.example/" }),        "url: http:// reaches this machine alone"),
        (json!({ "url": "https://me:s3cret@risk.example" }), "url: a user name or password"),
        (json!({ "on": [] }),                             "on: is empty; name one of sign_in, new_context, signal, sensitive_route"),
        (json!({ "timeout": "9ms" }),                     "timeout (9ms) must be 10ms to 5s"),
        (json!({ "timeout": "5001ms" }),                  "timeout (5s 1ms) must be"),
        (json!({ "at_once": 0 }),                         "at_once (0) must be 1 to 1000"),
        (json!({ "at_once": 1_001 }),                     "at_once (1001) must be"),
    ];
    for (more, expected) in rows {
        let error = settings(&more).check().unwrap_err();
        let text = error.to_string();
        assert!(text.starts_with(expected) && text.starts_with(error.key()), "{text}");
        assert!(!text.contains("s3cret"), "{text}");
    }
    for fitting in [json!({ "timeout": "10ms" }), json!({ "timeout": "5s" }), json!({ "at_once": 1_000 })] {
        settings(&fitting).check().unwrap();
    }
    settings(&json!({ "url": "http://risk.example/", "plain_http": true })).check().unwrap();
    for unknown in [json!({ "url": URL, "fial": "open" }), json!({}), json!({ "url": URL, "on": ["always"] })] {
        assert!(from_value::<DetectorSettings>(unknown).is_err());
    }
}

#[test]
fn a_secret_is_one_line_in_a_file_of_its_owners() {
    let folder = tempfile::tempdir().unwrap();
    let opened =
        |path: &Path| settings(&json!({ "secret_file": path })).open().map(drop).map_err(|error| error.to_string());
    assert!(opened(&folder.path().join("none")).unwrap_err().starts_with("secret_file: "));
    for (text, fits) in [
        ("0123456789abcdef", true),
        ("0123456789abcdef\n", true),
        ("0123456789abcde", false),
        ("0123456789 abcdef", false),
        ("0123456789abcdef\nsecond", false),
        ("0123456789abcdéf", false),
        ("", false),
    ] {
        let found = opened(&secret_in(folder.path(), text));
        assert_eq!(found.is_ok(), fits, "{text:?}: {found:?}");
        assert!(fits || !found.unwrap_err().contains("0123"), "it is not repeated");
    }
    let path = secret_in(folder.path(), "0123456789abcdef");
    set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
    assert!(opened(&path).unwrap_err().contains("chmod 600"));
    write(folder.path().join("authorities.pem"), "none").unwrap();
    let error = settings(&json!({ "authorities": "authorities.pem" })).within(folder.path()).open().unwrap_err();
    assert_eq!((error.key(), error.to_string().as_str()), ("authorities", "authorities"));
}

#[test]
fn what_is_explained_says_where_on_what_and_how_it_fails_and_nothing_secret() {
    let told = |settings: Option<&DetectorSettings>| {
        let all = DetectorSettings::explain(settings).into_iter();
        all.map(|said| format!("{} = {}", said.id, said.value)).collect::<Vec<_>>()
    };
    assert_eq!(told(None), ["detector.url = none"]);
    assert!(DetectorSettings::collected(None).is_empty());
    let settings = settings(&json!({ "on": ["signal", "sign_in"], "fail": "closed", "secret_file": "/run/s3cret" }));
    let expected = [
        "detector.url = https://risk.example",
        "detector.on = sign_in, signal",
        "detector.fail = closed",
        "detector.timeout = 250ms",
        "detector.at_once = 32",
    ];
    assert_eq!(told(Some(&settings)), expected);
    let collected = DetectorSettings::collected(Some(&settings));
    assert!(collected.len() == 1 && !format!("{collected:?}").contains("s3cret"), "{collected:?}");
}
