//! A real Prometheus with the alert rules of this repository, scraping one demo every second.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    process::Stdio,
    time::Duration,
};

use serde_json::Value;
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    process::{Child, Command},
    time::timeout,
};

use crate::{verdict::Failure, world::until};

/// One that runs. Dropping it kills the process.
#[derive(Debug)]
pub(crate) struct Prometheus {
    _child: Child,
    _folder: TempDir,
    address: SocketAddr,
}

impl Prometheus {
    /// Starts one that watches `target`, and waits until it has looked there twice: what changes after that, it sees change.
    ///
    /// # Errors
    /// It cannot be started, or sees nothing.
    pub(crate) async fn watching(program: &Path, target: SocketAddr) -> Result<Self, Failure> {
        let folder = tempfile::tempdir()?;
        let rules = concat!(env!("CARGO_MANIFEST_DIR"), "/../../packaging/prometheus/counterfoil.rules.yml");
        let config = format!(
            "global: {{ scrape_interval: 1s, evaluation_interval: 1s }}\nrule_files: ['{rules}']\nscrape_configs:\n\
             - job_name: counterfoil\n  static_configs: [{{ targets: ['{target}'] }}]\n"
        );
        let file = folder.path().join("prometheus.yml");
        std::fs::write(&file, config)?;
        let address = free().await?;
        let child = Command::new(program)
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .arg("--log.level=error")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", program.display())))?;
        let prometheus = Self { _child: child, _folder: folder, address };
        until("prometheus to look at the demo twice", || prometheus.has_looked_twice()).await?;
        Ok(prometheus)
    }

    /// The names of the alerts that fire.
    pub(crate) async fn firing(&self) -> Result<Vec<String>, Failure> {
        let answer = self.ask("/api/v1/alerts").await?;
        let alerts = answer.pointer("/data/alerts").and_then(Value::as_array).cloned().unwrap_or_default();
        let firing = alerts.iter().filter(|alert| alert.pointer("/state") == Some(&Value::from("firing")));
        let name = |alert: &Value| alert.pointer("/labels/alertname").and_then(Value::as_str).map(str::to_owned);
        Ok(firing.filter_map(name).collect())
    }

    async fn has_looked_twice(&self) -> Result<Option<()>, Failure> {
        // It does not listen at once.
        let Ok(answer) = self.ask(LOOKS).await else { return Ok(None) };
        let count = answer.pointer("/data/result/0/value/1").and_then(Value::as_str);
        Ok(count.and_then(|count| count.parse::<u32>().ok()).filter(|count| *count >= 2).map(drop))
    }

    async fn ask(&self, target: &str) -> Result<Value, Failure> {
        let asking = async {
            let mut stream = TcpStream::connect(self.address).await?;
            // 1.0, so that the answer ends with the connection.
            stream.write_all(format!("GET {target} HTTP/1.0\r\n\r\n").as_bytes()).await?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await?;
            Ok::<_, io::Error>(answer)
        };
        let answer = timeout(LONGEST, asking).await.map_err(io::Error::from)??;
        let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        Ok(serde_json::from_str(body).map_err(io::Error::from)?)
    }
}

/// An address that nobody has at the moment.
async fn free() -> io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?.local_addr()
}

/// How often the demo was looked at, and was there.
const LOOKS: &str = "/api/v1/query?query=sum(sum_over_time(up%5B1h%5D))";
const LONGEST: Duration = Duration::from_secs(5);
