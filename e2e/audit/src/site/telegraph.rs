//! Messages by JSON and over a WebSocket; the API's defence is the type of its bodies.

use std::io::{Read, Write};
use std::net::TcpStream;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;

use crate::desk::{Desk, Manner, PLAIN};
use crate::house::House;
use crate::web::{Ask, Reply, Whence};

pub(super) fn answer(house: &House, ask: &Ask) -> Reply {
    let desk = Desk { house, ask, manner: Manner { cookie: "__Host-wire", home: "/me", ..PLAIN } };
    let typed = house.flawed || ask.is("application/json");
    match (ask.on(), desk.me()) {
        (("GET", "/live"), Some((_, user))) => {
            let own = ask.header("origin") == Some(&ask.own_origin());
            if own || house.flawed { upgrade(ask, user) } else { Reply::no(403, "Not from here.") }
        }
        (("POST", "/login"), _) if ask.from() != Whence::Here || !ask.is("application/json") => {
            Reply::no(403, "Not from here.")
        }
        (("POST", "/login"), _) => match (ask.member("user"), ask.member("password")) {
            (Some(user), Some(password)) if house.knows(&user, &password) => desk.enter(&user),
            _ => Reply::json(&json!({ "error": "wrong name or password" })).status(401),
        },
        (("GET", "/me"), Some((_, user))) => {
            Reply::json(&json!({ "signedIn": user, "messages": house.notes(&user), "links": { "logout": "/logout" } }))
        }
        (("GET", "/me"), None) => Reply::json(&json!({ "signedIn": null })),
        (("POST", "/messages"), Some((_, user))) if typed => {
            house.note(&user, &ask.member("text").unwrap_or_default());
            Reply::json(&json!({ "sent": true })).status(201)
        }
        (("POST", "/logout"), Some((session, _))) if ask.is("application/json") => {
            house.end(&session.id);
            Reply::json(&json!({ "signedIn": null })).cookie(desk.unset())
        }
        (("POST", _), _) => Reply::no(415, "JSON, please."),
        _ => Reply::no(404, "There is nothing here."),
    }
}

/// Answers each message with who sent it, until the client goes.
fn upgrade(ask: &Ask, user: String) -> Reply {
    let Some(key) = ask.header("sec-websocket-key") else { return Reply::no(400, "This is for sockets.") };
    let accept = digest(&SHA1_FOR_LEGACY_USE_ONLY, format!("{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11").as_bytes());
    let head = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {}\r\n\r\n",
        BASE64_STANDARD.encode(accept)
    );
    Reply::take_over(move |mut stream: TcpStream| {
        stream.write_all(head.as_bytes())?;
        let mut frame = [0; 2];
        while stream.read_exact(&mut frame).is_ok() {
            let mut rest = vec![0; usize::from(frame[1] & 0x7f) + if frame[1] & 0x80 == 0 { 0 } else { 4 }];
            stream.read_exact(&mut rest)?;
            if frame[0] & 0x0f == 8 {
                return stream.write_all(&[0x88, 0]);
            }
            let text = format!("hello {user}");
            stream.write_all(&[0x81, u8::try_from(text.len()).unwrap_or(0)])?;
            stream.write_all(text.as_bytes())?;
        }
        Ok(())
    })
}
