//! What the schema cannot say of a sequence: one function for each rule, which tells what it finds.

use std::collections::{BTreeMap, BTreeSet};

use counterfoil_sightings::Origin;

use crate::sequence::{Decision, Filed, Holder, Kind, Request, Shown};

/// What a rule finds wrong.
pub(crate) type Found = Vec<String>;

pub(crate) fn the_file_is_named_like_its_id(filed: &Filed) -> Found {
    finding(filed.name != filed.sequence.id, || format!("its id is {}", filed.sequence.id))
}

pub(crate) fn the_id_says_the_kind(filed: &Filed) -> Found {
    let (id, kind) = (filed.sequence.id.as_str(), filed.sequence.kind);
    let letters = match filed.origin {
        Origin::Public => ["h", "t", "m"],
        Origin::Own => ["ch", "ct", "cm"],
    };
    let expected = letters[kind as usize];
    let rest = id.strip_prefix(expected).unwrap_or_default();
    finding(!rest.starts_with(|character: char| character.is_ascii_digit()), || format!("{kind:?} is called {id}"))
}

pub(crate) fn requests_are_in_order(filed: &Filed) -> Found {
    let pairs = filed.sequence.requests.windows(2).enumerate();
    pairs
        .filter(|(_, pair)| pair[1].at < pair[0].at)
        .map(|(index, pair)| format!("request {} at {} comes after {}", index + 1, pair[1].at, pair[0].at))
        .collect()
}

pub(crate) fn places_and_clients_are_those_that_are_used(filed: &Filed) -> Found {
    let sequence = &filed.sequence;
    let mut ips: BTreeSet<_> = sequence.requests.iter().map(|request| request.ip.as_str()).collect();
    let mut clients: BTreeSet<_> = sequence.requests.iter().map(|request| request.client.as_str()).collect();
    if let Some(history) = &sequence.history {
        ips.extend(history.ips.iter().map(String::as_str));
        clients.extend(history.clients.iter().map(String::as_str));
    }
    let (known_ips, known_clients) = (keys(&sequence.places), keys(&sequence.clients));
    let differ = |what: &str, used: &BTreeSet<&str>, known: &BTreeSet<&str>| {
        used.symmetric_difference(known).map(|name| format!("{what} {name} is unknown or unused")).collect::<Found>()
    };
    [differ("place", &ips, &known_ips), differ("client", &clients, &known_clients)].concat()
}

pub(crate) fn a_session_begins_with_a_sign_in(filed: &Filed) -> Found {
    let mut begun = BTreeSet::new();
    let mut found = Found::new();
    for (index, request) in filed.sequence.requests.iter().enumerate() {
        if request.route == "sign-in" {
            begun.insert(&request.session);
        } else if !begun.contains(&request.session) {
            found.push(format!("request {index}: nobody signed in to {}", request.session));
        }
    }
    let named = filed.sequence.sessions.keys().chain(&filed.sequence.expect.spare);
    found.extend(named.filter(|name| !begun.contains(name)).map(|name| format!("there is no session {name}")));
    found
}

pub(crate) fn a_jar_is_filled_before_it_is_used(filed: &Filed) -> Found {
    let mut copies: Vec<_> = filed.sequence.copies.iter().collect();
    copies.sort_by_key(|(_, copied)| copied.at);
    let mut copies = copies.into_iter().peekable();
    let (mut full, mut found) = (BTreeSet::new(), Found::new());
    for (index, request) in filed.sequence.requests.iter().enumerate() {
        while let Some((jar, copied)) = copies.next_if(|(_, copied)| copied.at <= request.at) {
            if !full.contains(copied.of.as_str()) {
                found.push(format!("copy {jar}: {} is empty", copied.of));
            }
            full.insert(jar.as_str());
        }
        let presents = matches!(request.token, Shown::Current | Shown::Previous);
        if presents && !full.contains(request.jar()) {
            found.push(format!("request {index}: {} is empty", request.jar()));
        }
        if request.signs_in() && !request.lost {
            full.insert(request.jar());
        }
    }
    found.extend(copies.map(|(jar, _)| format!("copy {jar} is made after the end")));
    found
}

pub(crate) fn a_sign_in_that_is_not_presented_at_once_is_no_session(filed: &Filed) -> Found {
    let requests = &filed.sequence.requests;
    let unused = |(index, signed): &(usize, &Request)| {
        let later = requests[index + 1..].iter().find(|later| later.session == signed.session);
        signed.signs_in() && later.is_some_and(|later| later.route != "sign-in" && later.at >= signed.at + UNUSED)
    };
    let late = requests.iter().enumerate().filter(unused);
    late.map(|(index, _)| format!("request {index}: five minutes pass before it is presented")).collect()
}

pub(crate) fn marks_point_at_requests(filed: &Filed) -> Found {
    let (expect, count) = (&filed.sequence.expect, filed.sequence.requests.len());
    let mut marks: Vec<_> = expect.at.iter().map(|at| at.request).collect();
    let in_order = marks.windows(2).all(|pair| pair[0] < pair[1]);
    marks.extend(expect.from);
    let beyond = marks.iter().filter(|mark| **mark >= count).map(|mark| format!("there is no request {mark}"));
    beyond.chain(finding(!in_order, || "`at` names requests twice or out of order".into())).collect()
}

pub(crate) fn a_theft_is_found_after_it_shows(filed: &Filed) -> Found {
    let (expect, requests) = (&filed.sequence.expect, &filed.sequence.requests);
    let Some(from) = expect.from.and_then(|from| requests.get(from)) else { return Found::new() };
    let (first, last) = (from.at, requests.last().map_or(0, |request| request.at));
    let beyond = expect.detect.iter().filter(|detect| detect.by < first);
    let mut found: Found = beyond.map(|detect| format!("{:?} by {} before {first}", detect.level, detect.by)).collect();
    found.extend(finding(expect.detect.windows(2).any(|pair| pair[1].by < pair[0].by), || "`by` falls".into()));
    let own = filed.origin == Origin::Own;
    let rises = expect.detect.windows(2).all(|pair| pair[0].level < pair[1].level);
    found.extend(finding(own && !rises, || "levels do not rise".into()));
    found.extend(finding(last < first, || "nothing follows".into()));
    found
}

pub(crate) fn an_honest_file_has_no_thief(filed: &Filed) -> Found {
    let sequence = &filed.sequence;
    if sequence.kind != Kind::Honest {
        return Found::new();
    }
    let mut found = finding(sequence.has_thief() || !sequence.copies.is_empty(), || "a thief or a copy".into());
    let expects = sequence.expect.from.is_some() || !sequence.expect.detect.is_empty();
    found.extend(finding(expects, || "a theft is expected".into()));
    found.extend(finding(!sequence.never.contains(&Decision::Revoke), || "`never` leaves out a revoke".into()));
    let ends = sequence.expect.each.values().chain(sequence.expect.at.iter().filter_map(|at| at.decisions.as_ref()));
    found.extend(finding(ends.flatten().any(|decision| *decision == Decision::Revoke), || "a revoke is fine".into()));
    found
}

pub(crate) fn a_theft_has_a_thief_or_a_copy(filed: &Filed) -> Found {
    let sequence = &filed.sequence;
    let theft = sequence.kind == Kind::Theft;
    let mut found = finding(theft && !sequence.has_thief() && sequence.copies.is_empty(), || "nobody steals".into());
    let silent = sequence.tagged("undetectable") || sequence.tagged("expired");
    found.extend(finding(theft && !silent && sequence.expect.detect.is_empty(), || "nothing is to be found".into()));
    found
}

pub(crate) fn a_mixed_file_has_a_thief_or_a_copy(filed: &Filed) -> Found {
    let sequence = &filed.sequence;
    let honest = !sequence.has_thief() && sequence.copies.is_empty();
    finding(sequence.kind == Kind::Mixed && honest, || "it is honest".into())
}

pub(crate) fn what_nothing_can_tell_expects_nothing(filed: &Filed) -> Found {
    let sequence = &filed.sequence;
    if !sequence.tagged("undetectable") {
        return Found::new();
    }
    let expect = &sequence.expect;
    let mut found = finding(sequence.kind != Kind::Theft, || "it is no theft".into());
    let expects =
        expect.from.is_some() || !(expect.detect.is_empty() && expect.must.is_empty() && expect.must_any.is_empty());
    found.extend(finding(expects, || "something is expected".into()));
    found.extend(finding(!sequence.never.contains(&Decision::Revoke), || "`never` leaves out a revoke".into()));
    found
}

pub(crate) fn nothing_is_demanded_and_forbidden_at_once(filed: &Filed) -> Found {
    let expect = &filed.sequence.expect;
    let whole = both("the file", &expect.must, &expect.must_not);
    let each = expect.at.iter().flat_map(|at| {
        let demanded = both("one request and the file", &at.must, &expect.must_not);
        [both("one request", &at.must, &at.must_not), demanded].concat()
    });
    let mut found: Found = whole.into_iter().chain(each).collect();
    let idle = !expect.must_any.is_empty() && expect.must_any.iter().all(|signal| expect.must_not.contains(signal));
    found.extend(finding(idle, || "`must_any` is all forbidden".into()));
    let nevers = expect.at.iter().filter_map(|at| at.decisions.as_ref()).chain(expect.each.values());
    let allowed = nevers.flatten().any(|decision| filed.sequence.never.contains(decision));
    found.extend(finding(allowed, || "a decision is fine, and never to be taken".into()));
    found
}

pub(crate) fn bound_sessions_are_tagged(filed: &Filed) -> Found {
    let bound = filed.sequence.requests.iter().any(|request| request.device_key.is_some());
    finding(bound != filed.sequence.tagged("device-bound"), || "its tag is wrong".into())
}

pub(crate) fn client_hints_agree_with_the_user_agent(filed: &Filed) -> Found {
    let major = |agent: &str| {
        let (_, rest) = agent.split_once("Chrome/")?;
        rest.split('.').next().map(|major| format!("\"Chromium\";v=\"{major}\""))
    };
    let odd = filed.sequence.clients.iter().filter(|(_, client)| {
        let hint = client.headers.get("sec-ch-ua");
        hint.is_some_and(|hint| !major(&client.user_agent).is_some_and(|expected| hint.starts_with(&expected)))
    });
    odd.map(|(name, _)| format!("client {name}")).collect()
}

pub(crate) fn headers_are_such_as_a_server_takes(filed: &Filed) -> Found {
    let taken = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
    let clients = filed.sequence.clients.iter();
    let odd =
        clients.filter(|(_, client)| !taken(&client.user_agent) || !client.headers.values().all(|value| taken(value)));
    odd.map(|(name, _)| format!("client {name}")).collect()
}

pub(crate) fn lifetimes_could_be_a_policy(filed: &Filed) -> Found {
    let policy = &filed.sequence.policy;
    let (absolute, grace) = match policy.preset.as_str() {
        "aal1" => (30 * DAY, 65),
        "aal2" => (DAY, 65),
        _ => (DAY / 2, 60),
    };
    let absolute = policy.absolute.unwrap_or(absolute);
    [
        (policy.idle.is_some_and(|idle| !(60..=absolute).contains(&idle)), "idle"),
        (policy.rotate_every.is_some_and(|every| every < 5 * grace), "rotate_every"),
        (policy.remember_for.is_some_and(|remember| remember < absolute), "remember_for"),
    ]
    .into_iter()
    .flat_map(|(wrong, key)| finding(wrong, || format!("{key} would not build")))
    .collect()
}

pub(crate) fn thieves_hold_what_the_owner_does_not(filed: &Filed) -> Found {
    let sequence = &filed.sequence;
    let lines = sequence.expect.from.map_or(&sequence.requests[..], |from| &sequence.requests[..from]);
    // A planted session begins at the thief's; anything else he does is what `from` stands for.
    let own: BTreeSet<_> = sequence
        .requests
        .iter()
        .filter(|request| request.signs_in() && request.holder == Holder::Thief)
        .map(|request| &request.session)
        .collect();
    let early = |request: &&Request| request.holder == Holder::Thief && !own.contains(&request.session);
    let early = lines.iter().filter(early).count();
    finding(sequence.expect.from.is_some() && early > 0, || "a thief is there before `from`".into())
}

fn both(of: &str, demanded: &[String], forbidden: &[String]) -> Found {
    demanded.iter().filter(|signal| forbidden.contains(signal)).map(|signal| format!("{of}: {signal}")).collect()
}

fn keys<T>(map: &BTreeMap<String, T>) -> BTreeSet<&str> {
    map.keys().map(String::as_str).collect()
}

fn finding(wrong: bool, what: impl FnOnce() -> String) -> Found {
    if wrong { vec![what()] } else { Found::new() }
}

/// A session that nobody presents ends after this many seconds.
const UNUSED: u64 = 300;
const DAY: u64 = 86_400;
