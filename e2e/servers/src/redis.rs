//! A real Redis, alone on a free port.

use std::path::Path;

use nix::sys::signal::Signal;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::process::Command;

use crate::process::Process;
use crate::{Guard, START, ServerError, free_port};

/// A running server, or one that was stopped and may be started again with what it has written.
#[derive(Debug)]
pub struct Redis {
    port: u16,
    /// Where it speaks TLS, if it is guarded; beside the other, which is for us.
    guarded_port: u16,
    settings: RedisSettings,
    process: Option<Process>,
    folder: TempDir,
}

/// How it is set up. By default as `docs/deploying.md` recommends: everything written to a file, nothing evicted.
#[derive(Debug, Clone, Default)]
pub struct RedisSettings {
    /// Lines of its configuration, after ours.
    pub lines: Vec<String>,
    /// Files beside it: keys and certificates, for example.
    pub files: Vec<(&'static str, String)>,
    /// What it is.
    pub part: RedisPart,
    /// What keeps others out.
    pub guard: Option<Guard>,
}

/// What part a server plays among others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RedisPart {
    /// It holds data.
    #[default]
    Data,
    /// It watches one that does.
    Sentinel,
}

impl Redis {
    /// Starts one with the usual settings.
    ///
    /// # Errors
    /// [`ServerError`] says what is missing, or what the server said.
    pub async fn start() -> Result<Self, ServerError> {
        Self::start_with(RedisSettings::default()).await
    }

    /// Starts one.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub async fn start_with(settings: RedisSettings) -> Result<Self, ServerError> {
        let folder = tempfile::Builder::new().prefix("counterfoil-redis-").tempdir()?;
        let mut server = Self { port: free_port()?, guarded_port: free_port()?, settings, process: None, folder };
        for attempt in 1.. {
            match server.start_again().await {
                // Somebody else was given the port meanwhile.
                Err(ServerError::Silent { .. }) if attempt < ATTEMPTS => {
                    (server.port, server.guarded_port) = (free_port()?, free_port()?);
                }
                other => return other.map(|()| server),
            }
        }
        Ok(server)
    }

    /// Starts it again, on the same port, with what it has written.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub async fn start_again(&mut self) -> Result<(), ServerError> {
        let path = self.folder.path();
        let file = path.join("redis.conf");
        std::fs::write(&file, self.configuration(path))?;
        for (name, text) in &self.settings.files {
            std::fs::write(path.join(name), text)?;
        }
        for (name, text) in self.settings.guard.iter().flat_map(Guard::files) {
            std::fs::write(path.join(name), text)?;
        }
        let program = std::env::var_os("REDIS_BIN").unwrap_or_else(|| "redis-server".into());
        let mut command = Command::new(program);
        command.arg(&file).current_dir(path);
        if self.settings.part == RedisPart::Sentinel {
            command.arg("--sentinel");
        }
        let mut process = Process::start(command, "redis-server", &path.join("redis.log"))?;
        let port = self.port;
        process.until("redis-server", START, || answers(port)).await?;
        self.process = Some(process);
        Ok(())
    }

    /// Its port on this machine.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its port for clients and other servers: the one that speaks TLS, where it is guarded.
    pub fn door(&self) -> u16 {
        if self.settings.guard.is_some() { self.guarded_port } else { self.port }
    }

    /// Where clients find it.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Ends it in good order: what it was told is in its file.
    ///
    /// # Errors
    /// The process is gone already.
    pub async fn stop(&mut self) -> std::io::Result<()> {
        match self.process.take() {
            Some(process) => process.end(Signal::SIGTERM).await,
            None => Ok(()),
        }
    }

    /// Ends it at once.
    ///
    /// # Errors
    /// The process is gone already.
    pub async fn kill(&mut self) -> std::io::Result<()> {
        match self.process.take() {
            Some(process) => process.end(Signal::SIGKILL).await,
            None => Ok(()),
        }
    }

    /// Tells it one command of plain words, and gives its answer as text.
    ///
    /// # Errors
    /// It does not answer, or refuses.
    pub async fn tell(&self, command: &str) -> std::io::Result<String> {
        let password = self.settings.guard.as_ref().map(Guard::password);
        tell(self.port, password, command).await
    }

    /// It answers nobody from now on, and keeps its connections.
    ///
    /// # Errors
    /// The process is gone.
    pub fn hold(&self) -> std::io::Result<()> {
        self.process.as_ref().map_or(Ok(()), Process::hold)
    }

    /// It goes on.
    ///
    /// # Errors
    /// The process is gone.
    pub fn go_on(&self) -> std::io::Result<()> {
        self.process.as_ref().map_or(Ok(()), Process::go_on)
    }

    /// Takes everything it has written away, while it is stopped: it comes back empty.
    ///
    /// # Errors
    /// A file cannot be removed.
    pub fn forget(&self) -> std::io::Result<()> {
        for entry in std::fs::read_dir(self.folder.path())? {
            let path = entry?.path();
            if path.is_dir() {
                std::fs::remove_dir_all(path)?;
            } else {
                std::fs::remove_file(path)?;
            }
        }
        Ok(())
    }

    fn configuration(&self, folder: &Path) -> String {
        let mut lines = vec![
            format!("port {}", self.port),
            "bind 127.0.0.1".to_owned(),
            format!("dir {}", folder.display()),
            "daemonize no".to_owned(),
        ];
        if self.settings.part == RedisPart::Data {
            let kept = ["save \"\"", "appendonly yes", "appendfsync everysec", "maxmemory-policy noeviction"];
            lines.extend(kept.map(str::to_owned));
        }
        if let Some(guard) = &self.settings.guard {
            lines.extend(guard.redis_lines(self.guarded_port));
        }
        lines.extend_from_slice(&self.settings.lines);
        lines.join("\n")
    }
}

/// Whether whoever is there speaks the protocol and has read its file. One that wants a password answers too.
async fn answers(port: u16) -> bool {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)).await else { return false };
    let mut answer = [0; 5];
    let asked = stream.write_all(b"PING\r\n").await.is_ok() && stream.read_exact(&mut answer).await.is_ok();
    asked && (answer.starts_with(b"+PONG") || answer.starts_with(b"-NOAU"))
}

async fn tell(port: u16, password: Option<&str>, command: &str) -> std::io::Result<String> {
    let mut stream = BufReader::new(TcpStream::connect(("127.0.0.1", port)).await?);
    if let Some(password) = password {
        stream.get_mut().write_all(format!("AUTH {password}\r\n").as_bytes()).await?;
        read(&mut stream).await?;
    }
    stream.get_mut().write_all(format!("{command}\r\n").as_bytes()).await?;
    read(&mut stream).await
}

/// One answer; a list as its parts, a line each.
async fn read(stream: &mut BufReader<TcpStream>) -> std::io::Result<String> {
    let mut line = String::new();
    stream.read_line(&mut line).await?;
    let (kind, rest) = line.trim_end().split_at_checked(1).unwrap_or_default();
    let length = rest.parse::<usize>();
    match (kind, length) {
        ("+" | ":", _) => Ok(rest.to_owned()),
        ("$", Ok(length)) => {
            let mut bytes = vec![0; length + 2];
            stream.read_exact(&mut bytes).await?;
            bytes.truncate(length);
            Ok(String::from_utf8_lossy(&bytes).into_owned())
        }
        ("*", Ok(length)) => {
            let mut parts = Vec::new();
            for _ in 0..length {
                parts.push(Box::pin(read(stream)).await?);
            }
            Ok(parts.join("\n"))
        }
        ("$" | "*", Err(_)) => Ok(String::new()),
        _ => Err(std::io::Error::other(line)),
    }
}

/// Ports are given away between asking for one and using it.
const ATTEMPTS: u32 = 5;
