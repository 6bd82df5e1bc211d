//! Envoy's contract over gRPC, by messages of this test's own: with the field numbers of Envoy's `external_auth.proto`.

use axum::body::Body;
use counterfoil_gateway::app::Proxy;
use http::{HeaderMap, HeaderName, HeaderValue, Request};
use prost::Message as _;

use crate::harness::{Answered, Asked, Site, shop};

#[derive(Clone, PartialEq, prost::Message)]
struct Check {
    #[prost(message, optional, tag = "1")]
    attributes: Option<Attributes>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Attributes {
    #[prost(message, optional, tag = "4")]
    request: Option<Described>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Described {
    #[prost(message, optional, tag = "2")]
    http: Option<Http>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Http {
    #[prost(string, tag = "1")]
    id: String,
    #[prost(string, tag = "2")]
    method: String,
    #[prost(map = "string, string", tag = "3")]
    headers: std::collections::HashMap<String, String>,
    #[prost(string, tag = "4")]
    path: String,
    #[prost(string, tag = "5")]
    host: String,
    #[prost(string, tag = "6")]
    scheme: String,
    #[prost(int64, tag = "9")]
    size: i64,
    #[prost(string, tag = "11")]
    body: String,
    #[prost(message, optional, tag = "13")]
    header_map: Option<Raw>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Raw {
    #[prost(message, repeated, tag = "1")]
    headers: Vec<Pair>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Pair {
    #[prost(string, tag = "1")]
    key: String,
    #[prost(string, tag = "2")]
    value: String,
    #[prost(bytes = "vec", tag = "3")]
    raw_value: Vec<u8>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Optional {
    #[prost(message, optional, tag = "1")]
    header: Option<Pair>,
    #[prost(int32, tag = "3")]
    append_action: i32,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Checked {
    #[prost(message, optional, tag = "1")]
    status: Option<Code>,
    #[prost(message, optional, tag = "2")]
    denied: Option<Denied>,
    #[prost(message, optional, tag = "3")]
    ok: Option<Passed>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Code {
    #[prost(int32, tag = "1")]
    code: i32,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Denied {
    #[prost(message, optional, tag = "1")]
    status: Option<Code>,
    #[prost(message, repeated, tag = "2")]
    headers: Vec<Optional>,
    #[prost(string, tag = "3")]
    body: String,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Passed {
    #[prost(message, repeated, tag = "2")]
    headers: Vec<Optional>,
    #[prost(string, repeated, tag = "5")]
    headers_to_remove: Vec<String>,
    #[prost(message, repeated, tag = "6")]
    response_headers_to_add: Vec<Optional>,
}

/// The call that Envoy makes of a request.
pub(crate) fn call(asked: &Asked, app: &str) -> Request<Body> {
    let mut http = Http {
        id: "1".into(),
        method: asked.method.clone(),
        path: asked.target.clone(),
        host: asked.host.clone(),
        scheme: asked.scheme.into(),
        body: "never read".into(),
        ..Http::default()
    };
    let mut headers = asked.arriving();
    headers.append("x-forwarded-proto", HeaderValue::from_static(asked.scheme));
    let pairs = headers.iter().map(|(name, value)| Pair {
        key: name.as_str().into(),
        value: String::new(),
        raw_value: value.as_bytes().to_vec(),
    });
    let pseudo = Pair { key: ":path".into(), value: String::new(), raw_value: asked.target.clone().into_bytes() };
    http.header_map = Some(Raw { headers: std::iter::once(pseudo).chain(pairs).collect() });
    calling(http, &[app])
}

fn calling(http: Http, apps: &[&str]) -> Request<Body> {
    let check = Check { attributes: Some(Attributes { request: Some(Described { http: Some(http) }) }) };
    let message = check.encode_to_vec();
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    let framed = [&[0][..], &length, &message].concat();
    let mut request = Request::post("/envoy.service.auth.v3.Authorization/Check")
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(Body::from(framed))
        .unwrap();
    for app in apps {
        request.headers_mut().append("counterfoil-app", HeaderValue::from_str(app).unwrap());
    }
    request
}

/// What Envoy makes of the answer.
pub(crate) fn answered(extensions: &http::Extensions, body: &[u8]) -> Answered {
    let message = body.get(5..).unwrap_or_default();
    let checked = Checked::decode(message).unwrap();
    let code = checked.status.as_ref().map_or(2, |status| status.code);
    let mut headers = HeaderMap::new();
    let mut take = |options: Vec<Optional>| {
        for Optional { header, append_action } in options {
            let Pair { key, value, .. } = header.unwrap();
            let (name, value): (HeaderName, HeaderValue) = (key.parse().unwrap(), value.parse().unwrap());
            // 0 appends, 2 overwrites.
            if append_action == 2 {
                headers.insert(name, value);
            } else {
                headers.append(name, value);
            }
        }
    };
    let (mut seen, mut removed, mut text) = (200, Vec::new(), String::new());
    match (checked.ok, checked.denied) {
        (Some(passed), None) if code == 0 => {
            take(passed.headers);
            take(passed.response_headers_to_add);
            removed = passed.headers_to_remove;
        }
        (None, Some(denied)) if code != 0 => {
            take(denied.headers);
            seen = u16::try_from(denied.status.unwrap().code).unwrap();
            text = denied.body;
        }
        other => panic!("neither passed nor denied: {other:?}"),
    }
    if seen == 200 {
        // The decision itself is never cached: it is no HTTP answer.
        headers.insert("cache-control", HeaderValue::from_static("no-store"));
    }
    let denial = extensions.get().copied();
    Answered { status: u16::try_from(code).unwrap(), seen, headers, removed, denial, body: text.into_bytes() }
}

#[tokio::test]
async fn the_app_stands_in_the_calls_metadata_once_and_nowhere_else() {
    let site = Site::new(shop(Proxy::EnvoyGrpc));
    for (apps, passes) in [(&["shop"][..], true), (&[], false), (&["shop", "shop"], false), (&["other"], false)] {
        let Some(mut http) = http_of(&Asked::get("/")) else { panic!("no request") };
        http.headers.insert("counterfoil-app".into(), "shop".into());
        assert_eq!(site.send(calling(http, apps)).await.passes(), passes, "{apps:?}");
    }
}

type Change = fn(&mut Http);

#[tokio::test]
async fn what_is_missing_or_repeated_in_the_message_is_denied() {
    let site = Site::new(shop(Proxy::EnvoyGrpc));
    #[rustfmt::skip]
    let rows: [(&str, Change); 10] = [
        ("no method",             |http| http.method.clear()),
        ("no path",               |http| http.path.clear()),
        ("no host",               |http| http.host.clear()),
        ("no raw headers",        |http| http.header_map = None),
        ("no scheme",             |http| pairs(http).retain(|pair| pair.key != "x-forwarded-proto")),
        ("no address",            |http| pairs(http).retain(|pair| pair.key != "x-forwarded-for")),
        ("two schemes",           |http| { let all = pairs(http).clone(); pairs(http).extend(all); }),
        ("more headers than fit", |http| pairs(http).extend((0..25_000).map(|number| Pair { key: format!("{number:x}"), ..Pair::default() }))),
        ("a name that is none",   |http| pairs(http).push(Pair { key: "a b".into(), ..Pair::default() })),
        ("a value that is none",  |http| pairs(http).push(Pair { key: "a".into(), raw_value: b"x\r\ny".to_vec(), ..Pair::default() })),
    ];
    for (name, change) in rows {
        let mut http = http_of(&Asked::get("/")).unwrap();
        change(&mut http);
        let seen = site.send(calling(http, &["shop"])).await.seen;
        assert!(matches!(seen, 403 | 431), "{name}: {seen}");
    }
    let request = calling(Http::default(), &["shop"]);
    assert_eq!(site.send(request).await.seen, 403, "nothing at all");
}

#[tokio::test]
async fn what_is_no_message_lets_nothing_through() {
    let site = Site::new(shop(Proxy::EnvoyGrpc));
    for body in [&b""[..], b"\0\0\0\0\x02\xff\xff", b"\x01\0\0\0\0", &[0; 3]] {
        let request = Request::post("/envoy.service.auth.v3.Authorization/Check")
            .header("content-type", "application/grpc")
            .header("counterfoil-app", "shop")
            .body(Body::from(body))
            .unwrap();
        let decisions = counterfoil_gateway::authz::Decisions::of(site.gateway.clone());
        let response = tower::ServiceExt::oneshot(decisions, request).await.unwrap();
        // Without a message, or with one that denies: to Envoy an error of the call is a refusal.
        let failed = response.headers().get("grpc-status").is_some_and(|status| status != "0");
        let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
        assert!(failed || body.is_empty() || answered(&http::Extensions::new(), &body).seen == 403, "{body:?}");
    }
}

fn pairs(http: &mut Http) -> &mut Vec<Pair> {
    &mut http.header_map.as_mut().unwrap().headers
}

/// As Envoy describes it.
fn http_of(asked: &Asked) -> Option<Http> {
    let request = call(asked, "shop");
    let body = futures_executor::block_on(axum::body::to_bytes(request.into_body(), usize::MAX)).unwrap();
    Check::decode(body.get(5..).unwrap()).unwrap().attributes?.request?.http
}
