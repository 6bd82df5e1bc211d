//! What is found before the first request, and where reports go.

use super::Format::{Html, Json, Sarif};
use super::*;

fn options() -> Options {
    Options {
        site: None,
        profile: None,
        baseline: None,
        certificates: None,
        outputs: Vec::new(),
        fail_on: Some(Severity::High),
        budget: 300,
        rate: None,
        browser: None,
        groups: Group::ALL.to_vec(),
        wait: false,
        page: Page { width: 100, colours: false, verbose: false },
    }
}

#[test]
fn what_is_wrong_is_found_before_the_first_request() {
    let file = |name: &str| Some(PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/")).join(name));
    let site = || Some("https://app.example.org".to_owned());
    let nowhere = vec![Output { format: Format::Json, file: file("no-such-folder/report.json") }];
    #[rustfmt::skip]
    let cases = [
        (options(),                                                                        "say which site"),
        (Options { site: Some("app.example.org".to_owned()), ..options() },                "is no address of a site"),
        (Options { profile: file("no-such-file.toml"), ..options() },                      "no-such-file.toml"),
        (Options { profile: file("Cargo.toml"), ..options() },                             "Cargo.toml"),
        (Options { site: site(), baseline: file("tests/data/sarif-schema-2.1.0.json"), ..options() }, "sarif-schema-2.1.0.json"),
        (Options { site: site(), certificates: file("no-such-file.pem"), ..options() },    "no-such-file.pem"),
        (Options { site: site(), outputs: nowhere, ..options() },                          "there is no such folder"),
    ];
    for (options, expected) in cases {
        let error = options.read().unwrap_err().to_string();
        assert!(error.contains(expected), "{error}\n  should say: {expected}");
    }
}

#[test]
fn formats_and_files_go_together_in_their_order() {
    let files = |names: &[&str]| names.iter().map(PathBuf::from).collect::<Vec<_>>();
    let told = |formats: &[Format], names: &[&str]| match Output::paired(formats, &files(names)) {
        Ok(outputs) => outputs
            .iter()
            .map(|one| {
                format!("{:?} {}", one.format, one.file.as_deref().map_or("-".into(), |file| file.to_string_lossy()))
            })
            .collect::<Vec<_>>()
            .join(", "),
        Err(error) => error.to_string(),
    };
    #[rustfmt::skip]
    let cases: [(&[Format], &[&str], &str); 9] = [
        (&[],            &[],                                      ""),
        (&[Json],        &[],                                      "Json -"),
        (&[Html],        &["a.html"],                              "Html a.html"),
        (&[],            &["a.txt", "b.json", "c.sarif", "d.xml", "e.HTM"], "Text a.txt, Json b.json, Sarif c.sarif, Junit d.xml, Html e.HTM"),
        (&[Sarif],       &["a.json"],                              "Sarif a.json"),
        (&[Sarif, Json], &["a.json"],                              "Sarif a.json, Json -"),
        (&[Sarif],       &["a", "b.json"],                         "Sarif a, Json b.json"),
        (&[],            &["a.pdf"],                               "a.pdf: its extension names no format (.txt, .json, .sarif, .xml, .html); say it by --format"),
        (&[Json, Html],  &[],                                      "only one report fits on standard output; give the others a file by --out"),
    ];
    for (formats, names, expected) in cases {
        assert_eq!(told(formats, names), expected);
    }
}

#[test]
fn a_change_of_the_password_is_asked_about_once_and_only_where_it_would_be_made() {
    let profile = |more: &str| -> Profile {
        format!(
            "site = 'https://a.example'\n[sign_in]\npage = '/'\n[account]\nuser = 'al'\n[signed_in]\nurl = '/'\nmarker = 'x'\n{more}"
        )
        .parse()
        .unwrap()
    };
    let ready = |more: &str, groups: &[Group]| Ready {
        what: What::Everything(Box::new(profile(more)), false),
        ..Options { site: Some("https://a.example".to_owned()), groups: groups.to_vec(), ..options() }.read().unwrap()
    };
    let change = "[password_change]\npage = '/p'\n";
    assert_eq!(ready("", &Group::ALL).asks(), None);
    assert_eq!(ready(change, &[Group::Csrf]).asks(), None);
    let mut both = ready(change, &Group::ALL);
    assert_eq!(both.asks().unwrap(), "change the password of \"al\" and change it back");
    both.allow();
    assert_eq!(both.asks(), None);
    assert_eq!(both.accounts().len(), 1);
}
