//! Every rule holds of every sequence, and finds the sequence that breaks it.

use std::collections::BTreeMap;

use counterfoil_sightings::Origin;

use crate::rules::{self as r, Found};
use crate::sequence::{self, At, Decision, Detect, Filed, Holder, Kind, Other, Sequence};

/// A rule, a sequence of ours that obeys it, and what breaks it.
type Row = (&'static str, fn(&Filed) -> Found, &'static str, fn(&mut Sequence));

/// What is read of a sequence.
type Text = fn(&Sequence) -> &str;

#[rustfmt::skip]
const RULES: &[Row] = &[
    //  name                       rule                                                   breaks, changed so
    ("file name",                  r::the_file_is_named_like_its_id,                      "ch001", |s| s.id.push('x')),
    ("kind in the id",             r::the_id_says_the_kind,                               "ch001", |s| s.kind = Kind::Mixed),
    ("order",                      r::requests_are_in_order,                              "ch001", |s| s.requests[3].at = 0),
    ("places",                     r::places_and_clients_are_those_that_are_used,         "ch001", |s| s.requests[3].ip = "192.0.2.1".into()),
    ("clients",                    r::places_and_clients_are_those_that_are_used,         "ch001", |s| s.requests[3].client = "nobody".into()),
    ("unused place",               r::places_and_clients_are_those_that_are_used,         "ch001", |s| { s.places.insert("192.0.2.1".into(), None); }),
    ("history's clients",          r::places_and_clients_are_those_that_are_used,         "ch007", |s| s.history.as_mut().unwrap().clients.push("nobody".into())),
    ("history's places",           r::places_and_clients_are_those_that_are_used,         "ch007", |s| s.history.as_mut().unwrap().ips.push("192.0.2.1".into())),
    ("sessions",                   r::a_session_begins_with_a_sign_in,                    "ch001", |s| s.requests[5].session = "other".into()),
    ("somebody else's session",    r::a_session_begins_with_a_sign_in,                    "ch044", |s| { s.sessions.insert("eve".into(), Other { _subject: "eve".into() }); }),
    ("session to spare",           r::a_session_begins_with_a_sign_in,                    "ch044", |s| s.expect.spare.push("eve".into())),
    ("jar",                        r::a_jar_is_filled_before_it_is_used,                  "ch001", |s| s.requests[5].jar = Some("tin".into())),
    ("copy of nothing",            r::a_jar_is_filled_before_it_is_used,                  "ct001", |s| s.copies.get_mut("loot").unwrap().of = "tin".into()),
    ("copy after the end",         r::a_jar_is_filled_before_it_is_used,                  "ct102", |s| s.copies.get_mut("loot").unwrap().at = 999_999),
    ("copy after its use",         r::a_jar_is_filled_before_it_is_used,                  "ct001", |s| s.copies.get_mut("loot").unwrap().at = 1_960),
    ("never presented",            r::a_sign_in_that_is_not_presented_at_once_is_no_session, "ch001", |s| s.requests[1].at = 300),
    ("from beyond the end",        r::marks_point_at_requests,                            "ct001", |s| s.expect.from = Some(9_999)),
    ("at beyond the end",          r::marks_point_at_requests,                            "ch028", |s| s.expect.at[0].request = 9_999),
    ("at twice",                   r::marks_point_at_requests,                            "ch028", |s| s.expect.at.push(s.expect.at[0].clone())),
    ("found before it shows",      r::a_theft_is_found_after_it_shows,                    "ct001", |s| s.expect.detect[0].by = 10),
    ("by that falls",              r::a_theft_is_found_after_it_shows,                    "ct001", |s| s.expect.detect[1].by = 99_999),
    ("levels that fall",           r::a_theft_is_found_after_it_shows,                    "ct001", |s| s.expect.detect[1].level = Decision::Note),
    ("honest thief",               r::an_honest_file_has_no_thief,                        "ch001", |s| s.requests[2].holder = Holder::Thief),
    ("honest detection",           r::an_honest_file_has_no_thief,                        "ch001", |s| s.expect.detect.push(Detect { level: Decision::Note, by: 1 })),
    ("honest and revoked",         r::an_honest_file_has_no_thief,                        "ch001", |s| s.never.clear()),
    ("honest, a revoke is fine",   r::an_honest_file_has_no_thief,                        "ch001", |s| s.expect.each.get_mut("*").unwrap().push(Decision::Revoke)),
    ("theft without thief",        r::a_theft_has_a_thief_or_a_copy,                      "ct073", |s| s.requests.iter_mut().for_each(|request| request.holder = Holder::Owner)),
    ("theft nobody looks for",     r::a_theft_has_a_thief_or_a_copy,                      "ct001", |s| s.expect.detect.clear()),
    ("mixed without thief or copy", r::a_mixed_file_has_a_thief_or_a_copy,                "cm001", |s| s.copies.clear()),
    ("undetectable, expected",     r::what_nothing_can_tell_expects_nothing,              "ct094", |s| s.expect.from = Some(2)),
    ("undetectable, demanded",     r::what_nothing_can_tell_expects_nothing,              "ct094", |s| s.expect.must.push("token_reused".into())),
    ("must and must not",          r::nothing_is_demanded_and_forbidden_at_once,          "ch001", |s| s.expect.must = s.expect.must_not.clone()),
    ("must here, not anywhere",    r::nothing_is_demanded_and_forbidden_at_once,          "ch028", |s| s.expect.at[0].must.push("token_reused".into())),
    ("any of what is forbidden",   r::nothing_is_demanded_and_forbidden_at_once,          "ch001", |s| s.expect.must_any = s.expect.must_not.clone()),
    ("fine and never",             r::nothing_is_demanded_and_forbidden_at_once,          "ch001", |s| s.never.push(Decision::Note)),
    ("bound without its tag",      r::bound_sessions_are_tagged,                          "ct104", |s| s.tags.clear()),
    ("tag without a key",          r::bound_sessions_are_tagged,                          "ch001", |s| s.tags.push("device-bound".into())),
    ("hint of another version",    r::client_hints_agree_with_the_user_agent,             "ch001", |s| s.clients.values_mut().for_each(|client| client.user_agent = client.user_agent.replace("Chrome/1", "Chrome/9"))),
    ("header no server takes",     r::headers_are_such_as_a_server_takes,                 "ch001", |s| s.clients.values_mut().for_each(|client| client.user_agent.push('\u{1b}'))),
    ("idle beyond absolute",       r::lifetimes_could_be_a_policy,                        "ch001", |s| s.policy.idle = Some(90_000)),
    ("rotation below its floor",   r::lifetimes_could_be_a_policy,                        "ch001", |s| s.policy.rotate_every = Some(324)),
    ("remembered too shortly",     r::lifetimes_could_be_a_policy,                        "ch001", |s| s.policy.remember_for = Some(3_600)),
    ("thief before from",          r::thieves_hold_what_the_owner_does_not,               "ct001", |s| s.requests[2].holder = Holder::Thief),
];

#[test]
fn every_rule_holds_of_every_sequence() {
    let mut wrong = Vec::new();
    for filed in sequence::all() {
        for (name, rule, ..) in RULES {
            wrong.extend(rule(&filed).into_iter().map(|found| format!("{}: {name}: {found}", filed.name)));
        }
    }
    wrong.dedup();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_rule_finds_the_sequence_that_breaks_it() {
    let own = sequence::of(Origin::Own);
    for (name, rule, prefix, breaks) in RULES {
        let sound = own.iter().find(|filed| filed.name.starts_with(prefix)).unwrap();
        assert!(rule(sound).is_empty(), "{name}: {prefix} is no sound example");
        let mut sequence = sound.sequence.clone();
        breaks(&mut sequence);
        let broken = Filed { name: sound.name.clone(), origin: sound.origin, sequence };
        assert!(!rule(&broken).is_empty(), "{name}: not found");
    }
}

#[test]
fn no_two_sequences_share_an_id_a_title_or_a_story() {
    let all = sequence::all();
    let rows: [(&str, Text); 3] = [("id", |one| &one.id), ("title", |one| &one.title), ("story", |one| &one.story)];
    for (what, text) in rows {
        let mut first: BTreeMap<&str, &str> = BTreeMap::new();
        for filed in &all {
            let before = first.insert(text(&filed.sequence), &filed.name);
            assert_eq!(before, None, "{} has the same {what}", filed.name);
        }
    }
}

/// What `at` says of one request is something.
#[test]
fn a_mark_says_something() {
    for filed in sequence::of(Origin::Own) {
        for At { request, decisions, must, must_not, admitted } in &filed.sequence.expect.at {
            let says = decisions.is_some() || admitted.is_some() || !must.is_empty() || !must_not.is_empty();
            assert!(says, "{}: request {request}", filed.name);
        }
    }
}
