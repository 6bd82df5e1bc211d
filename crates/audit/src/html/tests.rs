//! Forms as browsers would send them, links with their words, and nothing that panics.

use proptest::prelude::*;

use super::*;

fn sent(html: &str) -> Vec<String> {
    let form = forms(html).remove(0);
    form.untouched().map(|(name, value)| format!("{name}={value}")).collect()
}

#[test]
fn a_form_is_sent_as_a_browser_sends_it_untouched() {
    #[rustfmt::skip]
    let cases: [(&str, &[&str]); 21] = [
        ("<input name=a value=b>",                                        &["a=b"]),
        ("<INPUT NAME=a VALUE='b&amp;c&quot;'>",                          &["a=b&c\""]),
        ("<input name=a>",                                                &["a="]),
        ("<input value=b>",                                               &[]),
        ("<input type=hidden name=csrf value=x><input type=password name=p>", &["csrf=x", "p="]),
        ("<input name=a value=b disabled>",                               &[]),
        ("<input type=checkbox name=a>",                                  &[]),
        ("<input type=checkbox name=a checked>",                          &["a=on"]),
        ("<input type=radio name=a value=1><input type=radio name=a value=2 checked>", &["a=2"]),
        ("<input type=submit name=a value=b><button name=c value=d>e</button>", &[]),
        ("<input type=file name=a>",                                      &[]),
        ("<textarea name=a>\n x <b> &lt;</textarea>",                     &["a= x <b> <"]),
        ("<select name=a><option value=1>x<option value=2>y</select>",    &["a=1"]),
        ("<select name=a><option>x y<option selected> z  z </select>",    &["a=z z"]),
        ("<select name=a multiple><option>x</select>",                    &[]),
        ("<select name=a></select>",                                      &[]),
        ("<input name=a value=1 name=b value=2>",                         &["a=1"]),
        ("<!-- <input name=a value=b> -->",                               &[]),
        ("<script>'<input name=a value=b>'</script>",                     &[]),
        ("<template><input name=a value=b></template><input name=c>",     &["c="]),
        ("<noscript><input name=a value=b></noscript>",                   &["a=b"]),
    ];
    for (html, expected) in cases {
        assert_eq!(sent(&format!("<form>{html}</form>")), expected, "{html}");
    }
}

#[test]
fn a_form_says_where_it_goes_and_how() {
    #[rustfmt::skip]
    let cases = [
        ("<form>",                              None,          "GET"),
        ("<form action='' method=post>",        None,          "POST"),
        ("<form action=/login method=POST>",    Some("/login"), "POST"),
        ("<form action=/a method=put>",         Some("/a"),    "GET"),
        ("<form method=dialog>",                None,          "DIALOG"),
    ];
    for (html, action, method) in cases {
        let form = forms(html).remove(0);
        assert_eq!((form.action.as_deref(), form.method.as_str()), (action, method), "{html}");
    }
}

#[test]
fn fields_belong_to_the_form_they_are_in_or_name() {
    let found = forms(concat!(
        "<input name=nobodys><input name=early form=two>",
        "<form id=one><input name=a><form id=nested><input name=b></form><input name=outside>",
        "<form id=two><input name=c><input name=away form=one><input name=lost form=none>",
    ));
    let names: Vec<Vec<_>> =
        found.iter().map(|form| form.fields.iter().map(|field| field.name.as_str()).collect()).collect();
    assert_eq!(names, [vec!["a", "b", "away"], vec!["early", "c"]]);
}

#[test]
fn what_a_field_is_for_is_said_around_it() {
    let form = forms(concat!(
        "<form><label for=U>E-Mail</label><input id=U name=x autocomplete=username>",
        "<label>Pass<b>word</b> <input type=password name=y></label>",
        "<button name=z>Sign <i>in</i></button><input type=submit value='Or Not'>",
    ))
    .remove(0);
    let words: Vec<_> = form.fields.iter().map(|field| field.words.as_str()).collect();
    assert_eq!(words, ["u username e-mail", "password", "sign in", "or not"]);
    assert_eq!(form.button().map(|button| button.name.as_str()), Some("z"));
    assert_eq!(form.of_kind("password").map(|field| field.name.as_str()), Some("y"));
}

#[test]
fn a_page_has_links_metas_and_words() {
    let page = Page::read(concat!(
        "<title> My\n app </title><meta name=csrf-token content='x&quot;y'><meta http-equiv=Refresh content='0; url=/z'>",
        "<base href=/base/><p>Signed in as <b>al</b>ice<p>Hello<script>var no</script><style>no</style>",
        "<a href=/out><img alt='Sign' src=i.png> out</a><a name=none>x</a><link rel=icon href=f.ico>",
    ));
    assert_eq!(
        (page.title.as_str(), page.meta("CSRF-Token"), page.meta("refresh")),
        ("My app", Some("x\"y"), Some("0; url=/z"))
    );
    assert_eq!(page.text, "Signed in as alice\nHello\noutx");
    let links: Vec<_> =
        page.links.iter().map(|link| (link.element.as_str(), link.to.as_str(), link.text.as_str())).collect();
    assert_eq!(links, [("a", "/out", "sign out"), ("img", "i.png", "sign"), ("link", "f.ico", "")]);
    let url = "https://app.example.org/x/y".parse().unwrap();
    assert_eq!(page.resolve(&url, " z ").unwrap().path(), "/base/z");
    assert_eq!(page.resolve(&url, "https://[").map(|url| url.to_string()), None);
}

#[test]
fn values_are_not_printed() {
    assert!(!format!("{:?}", forms("<form><input name=a value=hunter2>")).contains("hunter2"));
}

#[test]
fn a_page_of_a_million_forms_is_read_in_part() {
    let page = Page::read(&"<form><input name=a></form><a href=b>c</a>".repeat(30_000));
    assert_eq!((page.forms.len(), page.links.len()), (200, 10_000));
}

proptest! {
    #[test]
    fn no_page_panics(text in "\\PC{0,200}") {
        let _ = Page::read(&text);
    }

    #[test]
    fn no_page_of_tags_panics(
        pieces in proptest::collection::vec(
            "(</?(form|input|select|option|textarea|button|label|a|template|noscript|title|script|base|meta)( (id|form|for|name|value|href|type)=[a-c\"']{0,2}){0,3} ?/?>?|&amp;|x|<!--|-->){1,4}",
            0..30,
        ),
    ) {
        let _ = Page::read(&pieces.concat());
    }
}
