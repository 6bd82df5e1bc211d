//! An operator's detector, over a real socket: it answers every question alike, and keeps it.

use std::sync::Arc;

use counterfoil_serve::detector::{CalledOut, DetectorSettings};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What it says, and what it was asked.
#[derive(Clone)]
pub(crate) struct Judge {
    url: String,
    says: Arc<Mutex<Value>>,
    asked: Arc<Mutex<Vec<Value>>>,
}

impl Judge {
    /// One that has nothing to say.
    pub(crate) async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let judge = Self { url, says: Arc::new(Mutex::new(json!({}))), asked: Arc::default() };
        let answering = judge.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answering.clone().answer(stream));
            }
        });
        judge
    }

    async fn answer(self, mut stream: TcpStream) {
        let mut read = Vec::new();
        while let Ok(byte) = stream.read_u8().await {
            read.push(byte);
            let text = String::from_utf8_lossy(&read);
            let body = text.split_once("\r\n\r\n").map_or("", |(_, body)| body);
            let Ok(question) = serde_json::from_str::<Value>(body) else { continue };
            self.asked.lock().push(question);
            read.clear();
            let answer = self.says.lock().to_string();
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", answer.len());
            stream.write_all((head + &answer).as_bytes()).await.unwrap();
        }
    }

    /// From now on it says this of everybody: a decision, or something that nobody understands.
    pub(crate) fn says(&self, decision: &str) {
        *self.says.lock() = json!({ "signals": [{ "signal": "own_list", "decision": decision }] });
    }

    pub(crate) fn called_out(&self, more: &Value) -> CalledOut {
        let mut all = json!({ "url": self.url, "timeout": "5s" });
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value::<DetectorSettings>(all).unwrap().open().unwrap()
    }

    pub(crate) fn asked(&self) -> Vec<Value> {
        std::mem::take(&mut *self.asked.lock())
    }
}
