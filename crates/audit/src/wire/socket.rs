//! A `WebSocket`, opened, asked one thing and closed.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use http::{Request, Uri};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::{Error, Message};
use url::Url;

use super::connection::Opened;
use super::{Wire, WireError, host};

/// What came of opening a `WebSocket`.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SocketAnswer {
    /// Of the upgrade: 101 where it was opened.
    pub status: u16,
    /// What was said over it, of the first few messages.
    pub said: String,
}

impl Wire {
    /// Opens a `WebSocket` with these header fields, says `send`, and listens until `expects` was said or nothing more
    /// comes.
    ///
    /// # Errors
    ///
    /// As of [`Wire::send`]; a refused upgrade is an answer.
    pub async fn socket(
        &self,
        url: &Url,
        headers: &[(String, String)],
        send: Option<&str>,
        expects: Option<&str>,
    ) -> Result<SocketAnswer, WireError> {
        self.account(url).await?;
        let talk = self.talk(url, headers, send, expects);
        let seconds = self.limits.answer.as_secs();
        timeout(self.limits.answer, talk).await.map_err(|_| WireError::Timeout { host: host(url), seconds })?
    }

    async fn talk(
        &self,
        url: &Url,
        headers: &[(String, String)],
        send: Option<&str>,
        expects: Option<&str>,
    ) -> Result<SocketAnswer, WireError> {
        let request = upgrade(url, headers)?;
        let stream = Opened::to(url, &self.tls).await?.0;
        let wrong = |cause: String| WireError::Http { host: host(url), cause };
        let mut socket = match tokio_tungstenite::client_async(request, stream).await {
            Ok((socket, _)) => socket,
            Err(Error::Http(answer)) => {
                return Ok(SocketAnswer { status: answer.status().as_u16(), said: String::new() });
            }
            Err(error) => return Err(wrong(error.to_string())),
        };
        // Whoever was let in and then cut off has been told nothing: that is an answer too.
        if let Some(text) = send {
            let _ = socket.send(Message::text(text)).await;
        }
        let mut said = String::new();
        let enough = |said: &str| expects.is_none_or(|words| said.contains(words));
        while (said.is_empty() || !enough(&said)) && said.len() < MOST {
            match timeout(QUIET, socket.next()).await {
                Ok(Some(Ok(Message::Text(text)))) => said.push_str(&text),
                Ok(Some(Ok(Message::Binary(bytes)))) => said.push_str(&String::from_utf8_lossy(&bytes)),
                Ok(Some(Ok(Message::Ping(_) | Message::Pong(_)))) => {}
                _ => break,
            }
            said.push('\n');
        }
        let _ = timeout(QUIET, socket.close(None)).await;
        Ok(SocketAnswer { status: 101, said })
    }
}

fn upgrade(url: &Url, headers: &[(String, String)]) -> Result<Request<()>, WireError> {
    let wrong = |error: &dyn std::fmt::Display| WireError::Request(error.to_string());
    let mut ws = url.to_string();
    if let Some(rest) = ws.strip_prefix("http") {
        ws = format!("ws{rest}");
    }
    let uri: Uri = ws.parse().map_err(|error| wrong(&error))?;
    let mut request = Request::builder().uri(uri);
    let own = [
        ("Host", url.host_str().map(|_| authority(url)).unwrap_or_default()),
        ("Connection", "Upgrade".to_owned()),
        ("Upgrade", "websocket".to_owned()),
        ("Sec-WebSocket-Version", "13".to_owned()),
        ("Sec-WebSocket-Key", tokio_tungstenite::tungstenite::handshake::client::generate_key()),
    ];
    for (name, value) in own {
        request = request.header(name, value);
    }
    for (name, value) in headers {
        request = request.header(name.as_str(), value.as_str());
    }
    request.body(()).map_err(|error| wrong(&error))
}

/// Host, and port where it is not the scheme's own.
pub(crate) fn authority(url: &Url) -> String {
    let name = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| name.to_owned(), |port| format!("{name}:{port}"))
}

/// How long a socket may say nothing before it is taken to have said everything.
const QUIET: Duration = Duration::from_millis(1_500);

/// As much as is listened to.
const MOST: usize = 64 << 10;
