//! Every page, rendered with hostile values, and read back as a browser would.

use super::*;

const HOSTILE: &str = r#"</title><script>alert(1)</script>"'><img src=x onerror=alert(1)>{{7*7}}"#;
const TOKEN: &str = "csrf-token-of-this-session";

fn event() -> EventLine {
    EventLine { at: HOSTILE.into(), name: HOSTILE.into(), session: HOSTILE.into(), detail: HOSTILE.into() }
}

fn render(name: &'static str, view: &impl Template) -> (&'static str, String) {
    (name, view.render().unwrap())
}

/// Every page with every field that can hold text holding `HOSTILE`.
fn pages(frame: Frame<'_>) -> Vec<(&'static str, String)> {
    let mut pages = pages_with_forms(frame);
    pages.extend(pages_to_read(frame));
    pages
}

#[rustfmt::skip]
fn pages_with_forms(frame: Frame<'_>) -> Vec<(&'static str, String)> {
    let message = Some(HOSTILE);
    let (to, amount, username) = (HOSTILE, HOSTILE, HOSTILE);
    let text = || HOSTILE.to_owned();
    let notes = &[(text(), text())];
    let device = Device { sid: text(), label: text(), current: true, created_at: text(), last_seen: text() };
    vec![
        render("login", &Login { frame, username, next: Some(HOSTILE), remember_for: Some(HOSTILE), ticked: true, message }),
        render("login, nobody remembered", &Login { frame, username, next: None, remember_for: None, ticked: true, message }),
        render("counter", &Counter { frame, value: 1 }),
        render("note", &Notes { frame, notes, message }),
        render("no notes", &Notes { frame, notes: &[], message: None }),
        render("step-up", &StepUp { frame, elevated: true, next: Some(HOSTILE), message }),
        render("transfer", &Transfer { frame, balance: 1, elevated: true, to, amount, message }),
        render("transfer, not yet", &Transfer { frame, balance: 1, elevated: false, to, amount, message }),
        render("password", &ChangePassword { frame, minimum: 8, message }),
        render("devices", &Devices { frame, devices: &[device] }),
    ]
}

#[rustfmt::skip]
fn pages_to_read(frame: Frame<'_>) -> Vec<(&'static str, String)> {
    let events = &[event()];
    let (cookie, origin, rotate_every, grace) = (HOSTILE, HOSTILE, HOSTILE, HOSTILE);
    let (title, explanation, way_out) = (HOSTILE, HOSTILE, WayOut { href: "/", text: "Back" });
    vec![
        render("home", &Home { frame, accounts: &[(HOSTILE, HOSTILE)] }),
        render("events", &Events { frame, events }),
        render("no events", &Events { frame, events: &[] }),
        render("try", &Try { frame, cookie, origin, insecure: true, rotate_every, grace, events }),
        render("denied", &Denied { frame, reason: Some(HOSTILE) }),
        render("problem", &ProblemPage { frame, status: 418, title, explanation, retry_after: Some(3), way_out }),
    ]
}

fn signed_in() -> Frame<'static> {
    Frame { subject: Some(HOSTILE), csrf: Some(TOKEN), ..Frame::default() }
}

fn anonymous() -> Frame<'static> {
    Frame { csrf: Some(TOKEN), ..Frame::default() }
}

fn remembered() -> Frame<'static> {
    Frame { remembered: Some(HOSTILE), ..anonymous() }
}

#[test]
fn markup_in_any_field_is_shown_and_not_obeyed() {
    for frame in [signed_in(), anonymous(), remembered(), Frame { csrf: Some(HOSTILE), ..signed_in() }] {
        for (name, html) in pages(frame) {
            assert!(!html.contains("<script"), "{name}: {html}");
            assert!(!html.contains("<img"), "{name}: {html}");
            assert!(!html.contains(r#""'>"#), "{name}: {html}");
            assert_eq!(html.matches("</title>").count(), 1, "{name}");
        }
    }
}

#[test]
fn every_form_posts_the_token_where_there_is_one() {
    let hidden = format!(r#"<input type="hidden" name="csrf_token" value="{TOKEN}">"#);
    for frame in [signed_in(), anonymous(), remembered()] {
        for (name, html) in pages(frame) {
            for form in html.split("<form").skip(1).map(|rest| rest.split("</form>").next().unwrap()) {
                assert!(form.contains(r#"method="post""#), "{name}: {form}");
                assert_eq!(form.matches(&hidden).count(), 1, "{name}: {form}");
            }
            assert_eq!(html.matches(TOKEN).count(), html.matches("<form").count(), "{name}: only in forms");
        }
    }
    for (name, html) in pages(Frame::default()) {
        assert!(!html.contains("csrf_token"), "{name}");
    }
}

#[test]
fn nothing_on_a_page_needs_what_the_policy_forbids() {
    for frame in [signed_in(), anonymous(), remembered(), Frame::default()] {
        for (name, html) in pages(frame) {
            let tags: Vec<&str> = html.split('<').skip(1).map(|rest| rest.split('>').next().unwrap()).collect();
            for forbidden in ["script", "style", "iframe", "object", "embed", "base"] {
                assert!(!tags.iter().any(|tag| tag.starts_with(forbidden)), "{name}: {forbidden}");
            }
            for tag in tags {
                // Outside of quotes: what is within them is a value.
                let attributes = tag.split('"').step_by(2).collect::<String>();
                for forbidden in [" style=", " on", "http-equiv=", "srcdoc="] {
                    assert!(!attributes.contains(forbidden), "{name}: {tag}");
                }
                for attribute in ["href=\"", "src=\"", "action=\""] {
                    if let Some((_, target)) = tag.split_once(attribute) {
                        assert!(target.starts_with(['/', '#']) && !target.starts_with("//"), "{name}: {tag}");
                    }
                }
            }
        }
    }
}

#[test]
fn every_page_can_be_used_by_keyboard_and_read_aloud() {
    for frame in [signed_in(), remembered(), Frame::default()] {
        for (name, html) in pages(frame) {
            for (what, times) in [
                (r#"<html lang="en">"#, 1),
                ("<h1>", 1),
                (r##"<a class="skip" href="#content">"##, 1),
                (r#"<main id="content""#, 1),
                ("<header>", 1),
                ("<nav aria-label=", 1),
                ("<footer>", 1),
            ] {
                assert_eq!(html.matches(what).count(), times, "{name}: {what}");
            }
            for input in html.split("<input").skip(1).map(|rest| rest.split('>').next().unwrap()) {
                let unseen = input.contains(r#"type="hidden""#) || input.contains(" hidden");
                let id = input.split_once(r#"id=""#).and_then(|(_, rest)| rest.split_once('"')).map(|(id, _)| id);
                let labelled = id.is_some_and(|id| html.contains(&format!(r#"<label for="{id}">"#)));
                assert!(unseen || labelled, "{name}: {input}");
            }
        }
    }
}

#[test]
fn the_sign_out_button_is_on_every_page_of_who_is_signed_in() {
    let button = r#"action="/logout""#;
    assert!(pages(signed_in()).iter().all(|(_, html)| html.contains(button)));
    assert!(pages(anonymous()).iter().all(|(_, html)| !html.contains(button)));
}

#[test]
fn a_session_id_cannot_lead_a_form_to_another_address() {
    let (_, html) = pages(signed_in()).into_iter().find(|(name, _)| *name == "devices").unwrap();
    let (_, rest) = html.split_once(r#"action="/devices/"#).unwrap();
    let sid = rest.split_once("/end\"").unwrap().0;
    assert!(sid.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"%-_.~".contains(&byte)), "{sid}");
}

#[test]
fn stylesheet_asks_for_nothing_from_elsewhere_and_knows_the_dark() {
    let style = include_str!("../../templates/style.css");
    assert!(!style.contains("url(") && !style.contains("@import"));
    assert!(style.contains("prefers-color-scheme: dark") && style.contains(":focus-visible"));
}
