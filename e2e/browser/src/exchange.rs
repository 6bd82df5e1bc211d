//! What went over the wire with cookies, read from a tab's network events.

use std::collections::HashMap;

use crate::{devtools::Event, jar::Secret};

/// One request and its answer, as far as cookies go.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// What was asked for.
    pub url: String,
    /// How.
    pub method: String,
    /// None where no answer came.
    pub status: Option<u64>,
    /// Names of the cookies that went along.
    pub sent: Vec<String>,
    /// Cookies that were there and stayed behind, with the browser's reasons.
    pub withheld: Vec<(String, String)>,
    /// What the answer set.
    pub set: Vec<SetLine>,
}

/// One `Set-Cookie` and what the browser thought of it.
#[derive(Debug, Clone)]
pub struct SetLine {
    /// The cookie's name.
    pub name: String,
    /// The cookie's value.
    pub value: Secret,
    /// Everything after the value.
    pub attributes: String,
    /// The browser's reasons for refusing it; none where it was accepted.
    pub refused: Vec<String>,
}

impl Exchange {
    /// Every request among `events` whose headers were seen, redirects one by one, in order.
    pub fn all(events: &[Event]) -> Vec<Self> {
        let mut hops: HashMap<&str, usize> = HashMap::new();
        let mut exchanges = Vec::new();
        for event in events.iter().filter(|event| event.name == "Network.requestWillBeSentExtraInfo") {
            let id = event.text("/requestId");
            let hop = hops.entry(id).or_default();
            exchanges.push(Self::read(events, id, *hop, event));
            *hop += 1;
        }
        exchanges
    }

    /// As [`Self::all`], once every page among them was answered: what an answer's headers were is told apart from the
    /// page, and at times after it has loaded.
    pub fn answered(events: &[Event]) -> Option<Vec<Self>> {
        let pages = || {
            let sent = events.iter().filter(|event| event.name == "Network.requestWillBeSent");
            sent.filter(|event| event.text("/type") == "Document").map(|event| event.text("/requestId"))
        };
        let answers = |id: &str| {
            let answers = events.iter().filter(|event| event.name == "Network.responseReceivedExtraInfo");
            answers.filter(|event| event.text("/requestId") == id).count()
        };
        let whole = pages().all(|id| answers(id) >= pages().filter(|other| *other == id).count());
        whole.then(|| Self::all(events))
    }

    /// The n-th event of a kind for one request belongs to its n-th hop.
    fn read(events: &[Event], id: &str, hop: usize, sent: &Event) -> Self {
        let of =
            |name: &str| events.iter().filter(|event| event.name == name && event.text("/requestId") == id).nth(hop);
        let (request, answer) = (of("Network.requestWillBeSent"), of("Network.responseReceivedExtraInfo"));
        let about = |pointer| request.map(|event| event.text(pointer).to_owned()).unwrap_or_default();
        Self {
            url: about("/request/url"),
            method: about("/request/method"),
            status: answer.and_then(|event| event.body.pointer("/statusCode")?.as_u64()),
            sent: names_sent(sent),
            withheld: withheld(sent),
            set: answer.map(SetLine::all).unwrap_or_default(),
        }
    }
}

impl SetLine {
    fn all(answer: &Event) -> Vec<Self> {
        let lines = header(answer, "set-cookie");
        lines.split('\n').filter(|line| !line.is_empty()).map(|line| Self::read(line, answer)).collect()
    }

    fn read(line: &str, answer: &Event) -> Self {
        let (pair, attributes) = line.split_once(';').unwrap_or((line, ""));
        let (name, value) = pair.split_once('=').unwrap_or(("", pair));
        let refused = list(answer, "/blockedCookies")
            .filter(|blocked| blocked.get("cookieLine").and_then(serde_json::Value::as_str) == Some(line))
            .flat_map(reasons)
            .collect();
        Self {
            name: name.trim().to_owned(),
            value: Secret::new(value.trim()),
            attributes: attributes.trim().to_owned(),
            refused,
        }
    }
}

fn names_sent(request: &Event) -> Vec<String> {
    let header = header(request, "cookie");
    let pairs = header.split(';').filter(|pair| !pair.trim().is_empty());
    pairs.map(|pair| pair.split_once('=').unwrap_or(("", pair)).0.trim().to_owned()).collect()
}

fn withheld(request: &Event) -> Vec<(String, String)> {
    list(request, "/associatedCookies")
        .filter_map(|cookie| {
            let reasons = reasons(cookie).collect::<Vec<_>>().join(", ");
            let name = cookie.pointer("/cookie/name")?.as_str()?;
            (!reasons.is_empty()).then(|| (name.to_owned(), reasons))
        })
        .collect()
}

fn header(event: &Event, wanted: &str) -> String {
    let headers = event.body.get("headers").and_then(serde_json::Value::as_object);
    let found = headers.into_iter().flatten().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
    found.and_then(|(_, value)| value.as_str()).unwrap_or_default().to_owned()
}

fn list<'a>(event: &'a Event, pointer: &str) -> impl Iterator<Item = &'a serde_json::Value> {
    event.body.pointer(pointer).and_then(serde_json::Value::as_array).into_iter().flatten()
}

fn reasons(cookie: &serde_json::Value) -> impl Iterator<Item = String> {
    let reasons = cookie.get("blockedReasons").and_then(serde_json::Value::as_array).into_iter().flatten();
    reasons.filter_map(|reason| reason.as_str().map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event(name: &str, body: serde_json::Value) -> Event {
        Event { name: format!("Network.{name}"), body }
    }

    #[test]
    fn a_redirect_is_two_exchanges_with_their_own_cookies() {
        let events = [
            event(
                "requestWillBeSent",
                json!({ "requestId": "1", "request": { "url": "https://a/in", "method": "POST" } }),
            ),
            event(
                "requestWillBeSentExtraInfo",
                json!({
                    "requestId": "1", "headers": { "Cookie": "a=1; b=2" },
                    "associatedCookies": [
                        { "cookie": { "name": "a" }, "blockedReasons": [] },
                        { "cookie": { "name": "c" }, "blockedReasons": ["SameSiteLax"] },
                    ],
                }),
            ),
            event(
                "responseReceivedExtraInfo",
                json!({
                    "requestId": "1", "statusCode": 303, "headers": { "set-cookie": "x=1; Path=/\ny=2; Domain=b" },
                    "blockedCookies": [{ "cookieLine": "y=2; Domain=b", "blockedReasons": ["InvalidDomain"] }],
                }),
            ),
            event(
                "requestWillBeSent",
                json!({ "requestId": "1", "request": { "url": "https://a/out", "method": "GET" } }),
            ),
            event("requestWillBeSentExtraInfo", json!({ "requestId": "1", "headers": {}, "associatedCookies": [] })),
        ];
        let exchanges = Exchange::all(&events);
        let [first, second] = exchanges.as_slice() else { panic!("{exchanges:?}") };
        assert_eq!((first.url.as_str(), first.method.as_str(), first.status), ("https://a/in", "POST", Some(303)));
        assert_eq!(first.sent, ["a", "b"]);
        assert_eq!(first.withheld, [("c".to_owned(), "SameSiteLax".to_owned())]);
        let set: Vec<_> = first.set.iter().map(|line| (line.name.as_str(), line.refused.join(""))).collect();
        assert_eq!(set, [("x", String::new()), ("y", "InvalidDomain".to_owned())]);
        assert_eq!((second.url.as_str(), second.status, second.sent.len()), ("https://a/out", None, 0));
    }

    #[test]
    fn pages_are_answered_once_the_headers_of_each_hop_are_there() {
        let sent = |id: &str, kind: &str| event("requestWillBeSent", json!({ "requestId": id, "type": kind }));
        let answer = |id: &str| event("responseReceivedExtraInfo", json!({ "requestId": id, "statusCode": 200 }));
        for (events, whole) in [
            (vec![sent("1", "Document")], false),
            (vec![sent("1", "Document"), answer("1")], true),
            (vec![sent("1", "Document"), answer("2")], false),
            (vec![sent("1", "Document"), answer("1"), sent("1", "Document")], false),
            (vec![sent("1", "Document"), sent("1", "Document"), answer("1"), answer("1")], true),
            // Of what is no page, some is never answered.
            (vec![sent("1", "Document"), answer("1"), sent("2", "EventSource")], true),
        ] {
            assert_eq!(Exchange::answered(&events).is_some(), whole, "{events:?}");
        }
    }
}
