//! Every case of the http-state working group, with what RFC 6265bis has otherwise.

use serde::Deserialize;
use url::Url;

use super::super::{Jar, date};

/// 1 January 2010: between what the cases hold to be over and what not.
const NOW_MILLIS: u64 = 1_262_304_000_000;

#[derive(Deserialize)]
struct Case {
    test: String,
    received: Vec<String>,
    #[serde(rename = "sent-to")]
    sent_to: Option<String>,
    sent: Vec<Pair>,
}

#[derive(Deserialize)]
struct Pair {
    name: String,
    value: String,
}

const NAMELESS: &str =
    "a line without a name is a cookie without one (5.6, step 4), and its value is sent alone (5.8.3)";
const CONTROL: &str = "a control character anywhere drops the line (5.6, step 1)";
const EMPTY_DOMAIN: &str = "the last Domain counts, and an empty one is none (5.6.3, 5.7)";
const NOT_DECODED: &str = "paths are compared as they are written (5.1.4)";

/// Where RFC 6265bis sends something else than RFC 6265, and why.
#[rustfmt::skip]
const EXCEPTIONS: &[(&str, &str, &str)] = &[
    ("0004",                   "foo",                           NAMELESS),
    ("0021",                   "a=b; x; c=d",                   NAMELESS),
    ("0023",                   "foo",                           NAMELESS),
    ("0024",                   "foo",                           NAMELESS),
    ("0025",                   "foo",                           NAMELESS),
    ("0026",                   "foo",                           NAMELESS),
    ("0027",                   "bar",                           NAMELESS),
    ("0028",                   "foo",                           NAMELESS),
    ("CHROMIUM0009",           "BLAHHH",                        NAMELESS),
    ("CHROMIUM0010",           "\"BLA\\\"HHH\"",                NAMELESS),
    ("CHROMIUM0012",           "ABC",                           NAMELESS),
    ("DISABLED_CHROMIUM0022",  "",                              CONTROL),
    ("DISABLED_CHROMIUM0023",  "",                              CONTROL),
    ("DISABLED_PATH0029",      "",                              NOT_DECODED),
    ("MOZILLA0012",            "test=\"fubar! = foo; five",     NAMELESS),
    ("MOZILLA0014",            "six",                           NAMELESS),
    ("MOZILLA0015",            "seven",                         NAMELESS),
    ("MOZILLA0016",            "eight",                         NAMELESS),
    ("MOZILLA0017",            "eight; test=six",               NAMELESS),
    ("NAME0017",               "a=bar",                         NAMELESS),
    ("NAME0023",               "foo",                           NAMELESS),
    ("NAME0025",               "==a=bar",                       NAMELESS),
    ("NAME0028",               "a",                             NAMELESS),
    ("NAME0031",               "\"foo",                         NAMELESS),
    ("NAME0032",               "\"foo\\\"bar",                  NAMELESS),
    ("NAME0033",               "aaa",                           NAMELESS),
    ("OPTIONAL_DOMAIN0042",    "foo=bar",                       EMPTY_DOMAIN),
];

#[test]
fn every_case_is_as_rfc_6265bis_has_it() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("../../../tests/data/http-state/parser.json")).unwrap();
    let (mut excepted, mut wrong) = (0, Vec::new());
    for case in &cases {
        let expected = header(&case.sent);
        let sent = case.run();
        match EXCEPTIONS.iter().find(|(test, ..)| *test == case.test) {
            Some((_, instead, why)) => {
                assert_ne!(*instead, expected, "{}: needs no exception", case.test);
                assert_eq!(sent, *instead, "{}: {why}", case.test);
                excepted += 1;
            }
            None if sent != expected => wrong.push((&case.test, &case.received, expected, sent)),
            None => {}
        }
    }
    assert!(wrong.is_empty(), "(test, received, expected, sent): {wrong:#?}");
    assert_eq!((cases.len(), excepted), (222, EXCEPTIONS.len()));
    println!("{} cases, {excepted} as RFC 6265bis has them otherwise", cases.len());
}

impl Case {
    fn run(&self) -> String {
        let from: Url = "http://home.example.org:8888/cookie-parser?case".parse().unwrap();
        let to = from.join(self.sent_to.as_deref().unwrap_or("/cookie-parser-result?case")).unwrap();
        let mut jar = Jar::default();
        jar.take(&from, self.received.iter().map(String::as_bytes), NOW_MILLIS);
        jar.header(&to, NOW_MILLIS).unwrap_or_default()
    }
}

fn header(pairs: &[Pair]) -> String {
    pairs.iter().map(|pair| format!("{}={}", pair.name, pair.value)).collect::<Vec<_>>().join("; ")
}

#[derive(Deserialize)]
struct DateCase {
    test: String,
    expected: Option<String>,
}

#[test]
fn every_date_is_the_second_it_was() {
    let (ours, theirs) = (
        include_str!("../../../tests/data/http-state/examples.json"),
        include_str!("../../../tests/data/http-state/bsd-examples.json"),
    );
    let mut count = 0;
    for text in [ours, theirs] {
        let json: String = text.lines().filter(|line| !line.starts_with("//")).collect();
        for case in serde_json::from_str::<Vec<DateCase>>(&json).unwrap() {
            // What is expected is written plainly, so that it is no matter of leniency.
            let expected = case.expected.map(|text| plain(&text));
            assert_eq!(date::read(&case.test), expected, "{}", case.test);
            count += 1;
        }
    }
    assert_eq!(count, 70);
}

/// Of `Wed, 18 Apr 2007 22:50:12 GMT`, by counting years and days one by one.
fn plain(text: &str) -> i64 {
    let part = |from: usize, to: usize| text[from..to].parse::<i64>().unwrap();
    let leap = |year: i64| i64::from(year % 4 == 0 && (year % 100 != 0 || year % 400 == 0));
    let names = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let year = part(12, 16);
    let lengths = [31, 28 + leap(year), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let month = names.iter().position(|name| *name == &text[8..11]).unwrap();
    let days =
        (1970..year).map(|year| 365 + leap(year)).sum::<i64>() + lengths[..month].iter().sum::<i64>() + part(5, 7) - 1;
    days * 86_400 + part(17, 19) * 3600 + part(20, 22) * 60 + part(23, 25)
}

#[test]
fn days_that_are_in_no_calendar_are_no_dates() {
    #[rustfmt::skip]
    let cases = [
        ("29 Feb 2000 00:00:00", Some(951_782_400)),
        ("29 Feb 1900 00:00:00", None),
        ("31 Apr 2020 00:00:00", None),
        ("1 Jan 1601 00:00:00",  Some(-11_644_473_600)),
        ("1 Jan 1600 00:00:00",  None),
        ("1 Jan 69 00:00:00",    Some(3_124_224_000)),
        ("1 Jan 70 00:00:00",    Some(0)),
        ("1 Jan 2020 24:00:00",  None),
        ("1 Jan 2020 00:60:00",  None),
    ];
    for (text, expected) in cases {
        assert_eq!(date::read(text), expected, "{text}");
    }
}
