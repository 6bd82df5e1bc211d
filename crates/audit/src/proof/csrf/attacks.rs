//! What another site can have a browser send, one thing changed at a time.

use http::Method;
use serde_json::Value;
use url::Url;

use crate::rule::{self, Rule};
use crate::shape;
use crate::visitor::{Body, From, Ready};

/// One request another site causes.
pub(in crate::proof) struct Attack {
    pub(in crate::proof) rule: &'static Rule,
    pub(in crate::proof) ready: Ready,
    pub(in crate::proof) from: From,
    /// What is wrong if it works.
    pub(in crate::proof) seen: &'static str,
}

/// What a page of another site can send: forms and text, by GET and POST, without header fields of its own.
pub(in crate::proof) fn bare(ready: &Ready) -> Ready {
    let mut bare = ready.clone().with_token(None);
    bare.headers.clear();
    if bare.method != Method::GET {
        bare.method = Method::POST;
    }
    if let Body::Json(json) = &bare.body {
        bare.body = Body::Raw("text/plain", json.to_string());
    }
    bare
}

/// The plain attack: what a form on another site sends.
pub(super) fn plain(ready: &Ready) -> Attack {
    let rule = match (&ready.body, &ready.method) {
        (Body::Json(_), _) => &rule::CSRF_CONTENT_TYPE,
        (_, &Method::GET) => &rule::CSRF_GET_CHANGES,
        _ => &rule::CSRF_OPEN,
    };
    let seen = match &ready.body {
        Body::Json(_) => "JSON that says it is plain text was taken from another site",
        _ => "a form on another site made the change",
    };
    Attack { rule, ready: bare(ready), from: From::Foreign, seen }
}

/// From places that only resemble the site, or do not say where they are; a browser has to be there.
pub(super) fn by_origin(ready: &Ready) -> Vec<Attack> {
    let attack = |rule, from, seen| Attack { rule, ready: bare(ready), from, seen };
    let mut attacks = vec![
        attack(
            &rule::CSRF_ORIGIN_NULL,
            From::Null,
            "a sandboxed page of another site, whose origin is null, made the change",
        ),
        attack(
            &rule::CSRF_REFERER_ABSENT,
            From::Silent,
            "another site that sends neither Origin nor Referer made the change",
        ),
        attack(&rule::CSRF_ORIGIN_SIBLING, From::Sibling, "a page of a sibling host made the change"),
        attack(&rule::CSRF_ORIGIN_LOOSE, From::Prefixed, "a site whose name begins with this one's made the change"),
        attack(
            &rule::CSRF_ORIGIN_LOOSE,
            From::Extended,
            "a site at the same port whose name begins with this one's made the change",
        ),
        attack(&rule::CSRF_ORIGIN_LOOSE, From::Suffixed, "a site whose name ends with this one's made the change"),
        attack(
            &rule::CSRF_ORIGIN_LOOSE,
            From::Containing,
            "a site that has this one's address in its own made the change",
        ),
    ];
    attacks.retain(|attack| attack.from.exists(&attack.ready.url));
    attacks
}

/// With tokens that are not the victim's.
pub(super) fn by_token(ready: &Ready, foreign: Option<&str>, old: Option<&str>) -> Vec<Attack> {
    let Some(genuine) = ready.token_value() else { return Vec::new() };
    let with = |rule, token: &str, seen| {
        let ready = ready.clone().with_token(Some(token));
        Attack { rule, ready, from: From::Foreign, seen }
    };
    let mut attacks = vec![
        with(&rule::CSRF_TOKEN_UNCHECKED, &shape::invented(&genuine), "with a token nobody made, the change was made"),
        with(&rule::CSRF_TOKEN_OPTIONAL, "", "with an empty token, the change was made"),
    ];
    attacks.extend(foreign.map(|token| {
        with(&rule::CSRF_TOKEN_FOREIGN, token, "with a token from somebody else's session, the change was made")
    }));
    attacks.extend(
        old.map(|token| {
            with(&rule::CSRF_TOKEN_OLD, token, "with a token from before the sign-in, the change was made")
        }),
    );
    attacks
}

/// Declared as something else.
pub(super) fn by_content_type(ready: &Ready) -> Vec<Attack> {
    let rule = &rule::CSRF_CONTENT_TYPE;
    let of = |body, seen| {
        let mut ready = bare(ready);
        ready.body = body;
        Attack { rule, ready, from: From::Foreign, seen }
    };
    let stripped = ready.clone().with_token(None);
    match &stripped.body {
        Body::Form(fields) => vec![
            of(Body::Multipart(fields.clone()), "the same form as multipart/form-data was taken from another site"),
            of(
                Body::Raw("text/plain", crate::visitor::urlencoded(fields)),
                "the same form that says it is plain text was taken from another site",
            ),
        ],
        Body::Json(json) => vec![
            of(Body::Form(stripped.fields()), "a form in place of JSON was taken from another site"),
            of(
                Body::Raw("application/x-www-form-urlencoded", json.to_string()),
                "JSON that says it is a form was taken from another site",
            ),
        ],
        Body::Empty | Body::Multipart(_) | Body::Raw(..) => Vec::new(),
    }
}

/// By a link.
pub(in crate::proof) fn by_get(ready: &Ready) -> Attack {
    let mut get = bare(ready);
    get.method = Method::GET;
    get.url = with_fields(&ready.url, &ready.clone().with_token(None).fields());
    get.body = Body::Empty;
    Attack {
        rule: &rule::CSRF_GET_CHANGES,
        ready: get,
        from: From::Foreign,
        seen: "a link on another site made the change",
    }
}

/// By a method that says it is another.
pub(super) fn by_override(ready: &Ready) -> Vec<Attack> {
    let rule = &rule::CSRF_METHOD_OVERRIDE;
    let declared = ready.method.as_str();
    let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let mut link = by_get(ready);
    link.rule = rule;
    link.seen = "a link on another site, with a method override, made the change";
    link.ready.url = with_fields(&link.ready.url, &[field("_method", declared)]);
    let mut attacks = vec![link];
    let others = if declared == "POST" { vec!["GET"] } else { vec![declared, "GET"] };
    for method in others {
        let mut ready = bare(ready);
        match &mut ready.body {
            Body::Form(fields) => fields.push(field("_method", method)),
            Body::Raw(_, text) => {
                if let Ok(Value::Object(mut fields)) = serde_json::from_str(text) {
                    fields.insert("_method".to_owned(), Value::String(method.to_owned()));
                    *text = Value::Object(fields).to_string();
                }
            }
            body @ Body::Empty => *body = Body::Form(vec![field("_method", method)]),
            Body::Multipart(_) | Body::Json(_) => {}
        }
        ready.url = with_fields(&ready.url, &[field("_method", method)]);
        let seen = "a form on another site, with a method override, made the change";
        attacks.push(Attack { rule, ready: ready.clone(), from: From::Foreign, seen });
        ready.headers.push(field("X-HTTP-Method-Override", method));
        let seen = "a request from another site, with the header X-HTTP-Method-Override, made the change";
        attacks.push(Attack { rule, ready, from: From::Foreign, seen });
    }
    attacks
}

fn with_fields(url: &Url, fields: &[(String, String)]) -> Url {
    let mut url = url.clone();
    if !fields.is_empty() {
        url.query_pairs_mut().extend_pairs(fields);
    }
    url
}
