//! WebSockets: a handshake is a request like any other, and afterwards bytes go both ways.

use std::io::{BufReader, Read as _, Write as _};

use super::allow::question;
use crate::chain::Chain;
use counterfoil_proxies::server::{Answer, Says};
use counterfoil_proxies::verdict::{Shown, promise};
use counterfoil_proxies::wire::read_answer;

pub(super) fn one_opens_after_a_decision(chain: &Chain) -> Shown {
    let opens = Answer::new(101).with("Upgrade", "websocket").with("Connection", "Upgrade");
    chain.app.says(Says::Answer(opens.with("Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")));
    let stream = chain.connect()?;
    let mut writing = stream.try_clone()?;
    writing.write_all(chain.request("GET", "/live", HANDSHAKE).as_bytes())?;
    let mut reading = BufReader::new(stream);
    let answer = read_answer(&mut reading, "GET")?;
    promise("the handshake succeeds", answer.status() == 101, || format!("{answer:?}"))?;
    writing.write_all(b"ping over it")?;
    let mut back = [0; 12];
    reading.read_exact(&mut back)?;
    promise("bytes go both ways", &back == b"ping over it", || format!("{back:?}"))?;
    let seen = chain.seen(Ok(answer));
    let asked = question(&seen)?;
    let known = ["upgrade", "sec-websocket-key", "sec-websocket-version"].map(|name| (name, asked.only(name)));
    promise("the decision can tell that it is one", known.iter().any(|(_, value)| value.is_some()), || {
        format!("{:?}", asked.headers)
    })?;
    let told = seen.app.first().is_some_and(|app| app.only("counterfoil-subject") == Some("ada"));
    promise("the app is told who it is", told, || format!("{:?}", seen.app))?;
    let known: Vec<_> = known.iter().filter(|(_, value)| value.is_some()).map(|(name, _)| *name).collect();
    Ok(format!("the decision sees {}", known.join(", ")))
}

pub(super) fn none_opens_without_one(chain: &Chain) -> Shown {
    chain.decide(Answer::new(403));
    let seen = chain.get("/live", HANDSHAKE);
    promise("a denied handshake opens nothing", seen.status() == 403 && seen.app.is_empty(), || format!("{seen:?}"))?;
    Ok("403".to_owned())
}

const HANDSHAKE: &str = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: http://other.test\r\n";
