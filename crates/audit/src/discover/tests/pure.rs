//! Words, markers and forms, without a site.

use proptest::prelude::*;

use super::super::forms::{self, SignInForm};
use super::super::marker::{Rank, find};
use super::super::words::{means_sessions, means_sign_in, means_sign_out};
use crate::html::Page;

#[test]
fn ways_out_are_known_in_many_languages_and_not_by_parts_of_words() {
    #[rustfmt::skip]
    let cases = [
        ("Log out", "/x", true),        ("LOGOUT", "/x", true),         ("Sign out (alice)", "/x", true),
        ("Abmelden", "/x", true),       ("Déconnexion", "/x", true),    ("Cerrar sesión", "/x", true),
        ("Esci", "/x", true),           ("Sair", "/x", true),           ("Выйти", "/x", true),
        ("ログアウト", "/x", true),      ("退出登录", "/x", true),        ("로그아웃", "/x", true),
        ("", "/users/sign_out", true),  ("Bye", "/?do=logout&x=1", true), ("", "/x#logout", false),
        ("Log in", "/login", false),    ("Adolescisco", "/x", false),   ("Sairus", "/x", false),
        ("About", "/about", false),     ("Checkout", "/checkout", false),
    ];
    for (text, address, out) in cases {
        assert_eq!(means_sign_out(text, address), out, "{text} {address}");
    }
    assert!(means_sign_in("Anmelden", "/") && means_sign_in("", "/login") && !means_sign_in("Abmelden", "/raus"));
    assert!(means_sessions("Your devices", "/") && !means_sessions("Session notes", "/notes"));
}

/// A member's page, a stranger's, and the words that are found.
type Case<'a> = (&'a str, &'a str, Option<(&'a str, Rank)>);

#[test]
fn a_marker_is_what_members_see_and_strangers_do_not() {
    #[rustfmt::skip]
    let cases: &[Case<'_>] = &[
        //  a member's page                                           a stranger's        the words
        ("<p>Signed in as alice</p>",                                 "<p>Hello",         Some(("Signed in as {user}", Rank::Sentence))),
        ("<p>Signed in as <b>alice</b></p>",                          "",                 Some(("Signed in as <b>{user}", Rank::Sentence))),
        ("<p>Signed in as <a href=/u/7>alice</a></p>",                "",                 Some(("{user}", Rank::Name))),
        ("<b>alice</b><a>Log out</a>",                                "",                 Some(("{user}", Rank::Name))),
        ("<p>Post by alice</p><a>Log out</a>",                        "Post by alice",    Some(("Log out", Rank::WayOut))),
        ("<a>Log out</a>",                                            "<a>Log out</a>",   None),
        ("<p>Hi alice, 3 new letters</p><a>Log out</a>",              "",                 Some(("Log out", Rank::WayOut))),
        ("<p>Your seat is kept</p>",                                  "",                 Some(("Your seat is kept", Rank::Other))),
        ("<p>Your seat is 12</p>",                                    "",                 None),
        ("<input value='Signed in as alice'>",                        "",                 None),
        ("<script>x='<b>Signed in as alice</b>'</script>",            "",                 None),
        ("<p>Welcome</p>",                                            "<p>Welcome</p>",   None),
        ("<title>Workbench</title>",                                  "",                 Some(("Workbench", Rank::Other))),
        ("<title>Workbench</title>",                                  "<p>Sign in",       None),
        ("",                                                          "",                 None),
    ];
    for (member, stranger, expected) in cases {
        let found = find(member, member, stranger, "alice");
        let found = found.as_ref().map(|sign| (sign.words.as_str(), sign.rank));
        assert_eq!(found, *expected, "{member} | {stranger}");
    }
    assert_eq!(find("<p>Only this once, alice</p>", "<p>Another time</p>", "", "alice"), None);
}

#[test]
fn in_json_a_name_tells_by_its_member() {
    #[rustfmt::skip]
    let cases = [
        (r#"{"id":1,"username":"bob"}"#,               "",                          Some(r#""username":"{user}""#)),
        (r#"[{"owner" : "bob"}]"#,                     "",                          Some(r#""owner" : "{user}""#)),
        (r#"{"username":"bob"}"#,                      r#"{"username":"bob"}"#,     None),
        (r#"{"names":["bob"]}"#,                       "",                          None),
        (r#"{"username":"bobby"}"#,                    "",                          None),
        (r#"<script>{"username":"bob"}</script>"#,     "",                          None),
    ];
    for (member, stranger, expected) in cases {
        let found = find(member, member, stranger, "bob");
        assert_eq!(found.as_ref().map(|sign| sign.words.as_str()), expected, "{member}");
    }
}

#[test]
fn short_names_are_no_sign_by_themselves() {
    assert_eq!(find("<b>bob</b>", "<b>bob</b>", "", "bob"), None);
}

#[test]
fn the_form_that_signs_in_is_told_from_others() {
    let form =
        |user: &str, password: &str| Some(SignInForm { user: Some(user.to_owned()), password: password.to_owned() });
    let alone = |password: &str| Some(SignInForm { user: None, password: password.to_owned() });
    #[rustfmt::skip]
    let cases = [
        ("<form><input name=u><input type=password name=p></form>",                                              form("u", "p")),
        ("<form><input name=x><input name=email type=email><input name=y><input type=password name=p></form>",   form("email", "p")),
        ("<form><input name=q></form><form><input name=u><input type=password name=p></form>",                   form("u", "p")),
        ("<form action=/register><input name=a><input type=password name=b></form><form action=/in><input name=u><input type=password name=p></form>", form("u", "p")),
        ("<form><input name=u><input type=password name=p1><input type=password name=p2></form>",                None),
        ("<form><input type=password name=p></form>",                                                            alone("p")),
        ("<form><input type=password name=p><input name=u></form>",                                              form("u", "p")),
        ("<form><input name=q></form>",                                                                          None),
        ("<input name=u><input type=password name=p>",                                                           None),
    ];
    for (html, expected) in cases {
        assert_eq!(forms::sign_in(&Page::read(html)), expected, "{html}");
    }
}

#[test]
fn a_way_out_is_a_form_before_it_is_a_link() {
    let url = "https://app.example.org/home?x=1".parse().unwrap();
    #[rustfmt::skip]
    let cases = [
        ("<form method=post action=/out><button>Log out</button></form><a href=/logout>Log out</a>", Some("POST /out")),
        ("<form method=post action=/logout></form>",                                           Some("POST /logout")),
        ("<form action=/logout><button>Bye</button></form>",                                   Some("GET /logout")),
        ("<a href='logout?all=1#x'>x</a>",                                                   Some("GET /logout?all=1")),
        ("<a href='/?do=logout&amp;sectok=abc'>x</a>",                                         Some("GET /?do=logout&sectok={csrf}")),
        ("<a href=https://elsewhere.example/logout>Log out</a>",                               None),
        ("<form method=post action=/logout><input name=why></form>",                           None),
        ("<form method=post action=/all><button name=a value=1>Save</button><button name=a value=2>Log out</button></form>", Some("POST /all")),
    ];
    for (html, expected) in cases {
        let way = forms::sign_out(&Page::read(html), &url);
        let said = way.as_ref().map(|way| format!("{} {}", way.method, way.target));
        assert_eq!(said.as_deref(), expected, "{html}");
        assert!(way.is_none_or(|way| way.page == "/home?x=1" && (way.target != "/all" || way.form["a"] == "2")));
    }
}

proptest! {
    #[test]
    fn no_pages_panic(page in "(<|>|[a-c]|alice| |\n|<b>|<script>|ü){0,60}", stranger in "[a-c ]{0,10}") {
        let found = find(&page, &page, &stranger, "alice");
        let words = found.map(|sign| sign.words.replace("{user}", "alice")).unwrap_or_default();
        prop_assert!(page.contains(&words));
    }
}
