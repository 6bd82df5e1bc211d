//! Long connections: a WebSocket and a stream of events open for who is signed in, and for nobody else.

use std::sync::Arc;

use counterfoil_browser::tab::Tab;
use serde_json::Value;

use crate::{
    verdict::{Failure, Shown, promise},
    world::Stage,
};

pub(super) async fn socket_and_stream(stage: Arc<Stage>) -> Shown {
    let (person, tab) = stage.member("ada").await?;
    let said = ask(&tab, SOCKET).await?;
    promise("a socket opens and echoes", said == "hello hello", || said.clone())?;
    let told = stage.app.heard().into_iter().find(|told| told.target == "/socket");
    let who = told.as_ref().and_then(|told| told.header("counterfoil-subject"));
    promise("the app is told whose it is", who == Some("ada"), || format!("{who:?}"))?;
    let said = ask(&tab, STREAM).await?;
    promise("events arrive as they are sent", said == "one two", || said.clone())?;

    let (_, stranger) = stage.stranger().await?;
    stranger.go(&stage.at("/public/page")).await?;
    for script in [SOCKET, STREAM] {
        stage.app.heard();
        let said = ask(&stranger, script).await?;
        promise("none opens for a stranger", said == "refused", || said.clone())?;
        promise("and the app hears nothing of it", stage.app.heard().is_empty(), || "it was asked".to_owned())?;
    }
    let status = stranger
        .run("fetch('/page', { headers: { Accept: 'application/json' } }).then(answer => answer.status)")
        .await?;
    promise("a stranger's script is told 401", status == Value::from(401), || format!("{status}"))?;
    person.leave().await?;
    Ok("a socket and a stream, for ada alone".to_owned())
}

async fn ask(tab: &Tab, script: &str) -> Result<String, Failure> {
    Ok(tab.read(script).await?)
}

const SOCKET: &str = "new Promise(done => {
    const socket = new WebSocket(location.origin.replace('http', 'ws') + '/socket');
    const heard = [];
    socket.onopen = () => socket.send('hello');
    socket.onmessage = event => {
        heard.push(event.data);
        if (heard.length === 2) { socket.close(); done(heard.join(' ')); } else { socket.send('hello'); }
    };
    socket.onerror = () => done('refused');
})";
const STREAM: &str = "new Promise(done => {
    const stream = new EventSource('/stream');
    const heard = [];
    stream.onmessage = event => {
        heard.push(event.data);
        if (heard.length === 2) { stream.close(); done(heard.join(' ')); }
    };
    stream.onerror = () => { stream.close(); done('refused'); };
})";
