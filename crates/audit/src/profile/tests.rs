//! What a profile may say, and what is said about one that says something else.

use super::*;

const LEAST: &str = r#"
site = "https://app.example.org"
[sign_in]
page = "/login"
form = { user = "{user}", password = "{password}" }
[account]
user = "alice"
[signed_in]
url = "/account"
marker = "Signed in as {user}"
"#;

#[test]
fn ten_lines_are_enough_for_a_form() {
    let profile: Profile = LEAST.parse().unwrap();
    let step = &profile.sign_in.steps[0];
    assert_eq!(step.page.as_deref(), Some("/login"));
    assert_eq!(step.form["user"], "{user}");
    assert!(step.request.is_none() && profile.changes.is_empty() && profile.limits.idle_seconds.is_none());
}

#[test]
fn a_browser_is_told_what_to_fill_in_and_where_to_press() {
    let more = "browser = true\nsubmit = \"#go\"\nthen = [{ form = { code = \"1\" } }]\nform =";
    let sign_in = LEAST.replace("form =", more).parse::<Profile>().unwrap().sign_in;
    assert_eq!((sign_in.page(), sign_in.steps.len()), (Some("/login"), 0));
    let screens = sign_in.script.unwrap().screens;
    assert_eq!((screens[0].form["user"].as_str(), screens[0].submit.as_deref()), ("{user}", Some("#go")));
    assert_eq!((screens[1].form["code"].as_str(), screens[1].submit.as_deref()), ("1", None));
}

#[test]
fn passwords_are_not_printed() {
    let text = LEAST.replace("user = \"alice\"", "user = \"alice\"\npassword = \"hunter2\"");
    let profile: Profile = text.parse().unwrap();
    assert_eq!(profile.account.password, "hunter2");
    assert!(!format!("{profile:?}").contains("hunter2"));
}

#[test]
fn everything_that_can_be_declared_is_read() {
    let text = format!(
        "{LEAST}{}",
        r#"
[anonymous]
marker = "Please sign in"
[sign_out]
page = "/account"
request = "POST /logout"
[[changes]]
request = "POST /notes"
json = { text = "{random}" }
headers = { X-CSRF-Token = "{csrf}" }
read = "/notes"
[[raises]]
request = "POST /sudo"
form = { password = "{password}" }
reaches = { url = "/admin", marker = "Danger" }
[password_change]
page = "/password"
form = { old = "{password}", new = "{new_password}" }
[sessions]
url = "/sessions"
each = "<li"
[tokens]
access_field = "access_token"
refresh_field = "refresh_token"
refresh = { request = "POST /token", form = { refresh_token = "{refresh}" } }
[slow]
request = "GET /slow"
[socket]
url = "/live"
expects = "hello alice"
[[pending]]
kind = "second-factor"
steps = [{ page = "/login", form = { user = "{user}", password = "{password}" } }]
[limits]
idle_seconds = 900
absolute_seconds = 43200
"#
    );
    let profile: Profile = text.parse().unwrap();
    assert_eq!(profile.sign_out.unwrap().request, Some((Method::POST, "/logout".to_owned())));
    assert_eq!(profile.changes[0].step.headers["X-CSRF-Token"], "{csrf}");
    assert_eq!(profile.pending[0].kind, PendingKind::SecondFactor);
    assert_eq!(profile.limits.absolute_seconds, Some(43_200));
    assert!(profile.tokens.unwrap().refresh.is_some());
}

#[test]
fn what_is_wrong_is_named_with_its_place() {
    let with = |more: &str| format!("{LEAST}{more}");
    #[rustfmt::skip]
    let cases = [
        (LEAST.replace("https://", ""),                                    "site: \"app.example.org\" is no address"),
        (LEAST.replace("/login", "login"),                                 "sign_in.page: \"login\" is no path"),
        (LEAST.replace("/account", "//elsewhere.example"),                 "signed_in.url: \"//elsewhere.example\" is no path"),
        (LEAST.replace("Signed in as {user}", " "),                        "signed_in.marker: empty words"),
        (with("[sign_out]\nrequest = \"/logout\"\n"),                      "sign_out.request: \"/logout\" is no request"),
        (with("[sign_out]\nrequest = \"post /logout\"\n"),                 "sign_out.request: \"post /logout\" is no request"),
        (with("[sign_out]\n"),                                             "sign_out: neither `page` nor `request`"),
        (with("[[changes]]\nrequest = \"POST /a\"\nread = \"/a\"\n"),      "changes[0]: no value of `form` or `json` holds {random}"),
        (with("[slow]\nrequest = \"GET /a\"\nheaders = { \"a b\" = \"c\" }\n"), "slow.headers: \"a b\" cannot be sent"),
        (with("[slow]\nrequest = \"POST /a\"\nform = { a = \"b\" }\njson = {}\n"), "slow: `form` and `json`"),
        (with("[slow]\nrequest = \"GET /a\"\nsubmit = \"button\"\n"),    "slow: `browser` and `submit` are for [sign_in]"),
        (with("[password_change]\npage = \"/a\"\nbrowser = true\n"),     "password_change: `browser` and `submit`"),
        (LEAST.replace("page =", "browser = true\nrequest ="),             "sign_in: with `browser = true`, say `page`"),
        (LEAST.replace("form =", "browser = true\nheaders ="),             "sign_in: with `browser = true`"),
        (with("[limits]\nidle_minutes = 3\n"),                             "unknown field `idle_minutes`"),
    ];
    for (text, expected) in cases {
        let error = text.parse::<Profile>().unwrap_err().to_string();
        assert!(error.contains(expected), "{error}\n  should say: {expected}");
    }
}
