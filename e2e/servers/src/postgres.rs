//! A real PostgreSQL, alone on a free port.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use nix::sys::signal::Signal;
use nix::sys::statvfs::statvfs;
use nix::unistd::{User, chown, geteuid};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::process::Command;

use crate::process::Process;
use crate::{START, ServerError, free_port};

/// A running server, or one that was stopped and may be started again with what it has written.
///
/// Its only role is `counterfoil`, a superuser, let in from this machine without a password.
#[derive(Debug)]
pub struct Postgres {
    port: u16,
    settings: PostgresSettings,
    process: Option<Process>,
    account: Option<User>,
    folder: TempDir,
}

/// How it is set up. By default as `docs/deploying.md` recommends, and small.
#[derive(Debug, Clone, Default)]
pub struct PostgresSettings {
    /// Lines of its `postgresql.conf`, after ours.
    pub lines: Vec<String>,
    /// Files beside it, readable for the server alone: keys and certificates, or a `pg_hba.conf` of one's own.
    pub files: Vec<(&'static str, String)>,
    /// Where what it writes lies.
    pub disk: Disk,
}

/// Where a server's files lie.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Disk {
    /// Where temporary files do.
    #[default]
    Real,
    /// In memory, if the system has a place for that, and room: for whoever tries neither the disk nor the power, and would
    /// mostly wait for it. The server is set up as ever, and waits as ever; it is told at once that all is written.
    Memory,
}

impl Postgres {
    /// Starts one with the usual settings.
    ///
    /// # Errors
    /// [`ServerError`] says what is missing, or what the server said.
    pub async fn start() -> Result<Self, ServerError> {
        Self::start_with(PostgresSettings::default()).await
    }

    /// Starts one.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub async fn start_with(settings: PostgresSettings) -> Result<Self, ServerError> {
        let folder = settings.disk.folder(tempfile::Builder::new().prefix("counterfoil-postgres-"))?;
        let account = account()?;
        if let Some(account) = &account {
            chown(folder.path(), Some(account.uid), Some(account.gid)).map_err(std::io::Error::from)?;
        }
        let mut server = Self { port: free_port()?, settings, process: None, account, folder };
        server.make().await?;
        for attempt in 1.. {
            match server.start_again().await {
                // Somebody else was given the port meanwhile.
                Err(ServerError::Silent { .. }) if attempt < ATTEMPTS => server.port = free_port()?,
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
        let data = self.data();
        std::fs::write(data.join("postgresql.conf"), self.configuration())?;
        for (name, text) in &self.settings.files {
            let file = data.join(name);
            std::fs::write(&file, text)?;
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600))?;
            if let Some(account) = &self.account {
                chown(&file, Some(account.uid), Some(account.gid)).map_err(std::io::Error::from)?;
            }
        }
        for attempt in 1.. {
            match self.launch().await {
                // What a killed one had started may take a moment longer to be gone than itself.
                Err(ServerError::Silent { said, .. }) if attempt < LEAVING && said.contains("still in use") => {
                    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
                }
                other => return other,
            }
        }
        Ok(())
    }

    async fn launch(&mut self) -> Result<(), ServerError> {
        let data = self.data();
        // One that was killed leaves it behind, and the id in it may be somebody else's by now.
        let _ = std::fs::remove_file(data.join("postmaster.pid"));
        let mut command = self.command("postgres");
        command.arg("-D").arg(&data);
        let mut process = Process::start(command, PACKAGE, &self.folder.path().join("postgres.log"))?;
        let port = self.port;
        process.until("postgres", START, || answers(port)).await?;
        self.process = Some(process);
        Ok(())
    }

    /// Its port on this machine.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Where clients find it.
    pub fn url(&self) -> String {
        format!("postgres://{ROLE}@127.0.0.1:{}/postgres", self.port)
    }

    /// One of the programs that come with it, such as `pg_dump`, to be run as whoever owns the server.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(find(program));
        command.current_dir(self.folder.path());
        if let Some(account) = &self.account {
            command.uid(account.uid.as_raw()).gid(account.gid.as_raw());
        }
        command
    }

    /// Ends it in good order, without waiting for its clients.
    ///
    /// # Errors
    /// The process is gone already.
    pub async fn stop(&mut self) -> std::io::Result<()> {
        match self.process.take() {
            Some(process) => process.end_leader(Signal::SIGINT).await,
            None => Ok(()),
        }
    }

    /// Ends it at once, and everything it started.
    ///
    /// # Errors
    /// The process is gone already.
    pub async fn kill(&mut self) -> std::io::Result<()> {
        match self.process.take() {
            Some(process) => process.end(Signal::SIGKILL).await,
            None => Ok(()),
        }
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

    /// The end of its log.
    pub fn said(&self) -> String {
        self.process.as_ref().map(Process::said).unwrap_or_default()
    }

    async fn make(&self) -> Result<(), ServerError> {
        let mut command = self.command("initdb");
        let program = PathBuf::from(command.as_std().get_program());
        let words = ["--username", ROLE, "--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--no-sync", "-D"];
        let made = command.args(words).arg(self.data()).output().await;
        let made = made.map_err(|cause| ServerError::Missing { program, package: PACKAGE, cause })?;
        if made.status.success() {
            return Ok(());
        }
        Err(std::io::Error::other(String::from_utf8_lossy(&made.stderr).into_owned()).into())
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn configuration(&self) -> String {
        let mut lines = vec![
            format!("port = {}", self.port),
            "listen_addresses = '127.0.0.1'".to_owned(),
            "unix_socket_directories = ''".to_owned(),
            "shared_buffers = '16MB'".to_owned(),
            "max_connections = 40".to_owned(),
        ];
        lines.extend_from_slice(&self.settings.lines);
        lines.join("\n")
    }
}

impl Disk {
    fn folder(self, builder: &tempfile::Builder<'_, '_>) -> std::io::Result<TempDir> {
        let room = statvfs(MEMORY).map_or(0, |room| room.blocks_available() * room.fragment_size());
        match self {
            Self::Memory if room > ROOM => builder.tempdir_in(MEMORY),
            Self::Memory | Self::Real => builder.tempdir(),
        }
    }
}

impl Drop for Postgres {
    /// One that is killed leaves a piece of shared memory with the system, and the system has a few thousand of them.
    fn drop(&mut self) {
        if let Some(process) = &mut self.process {
            process.end_leader_here(Signal::SIGQUIT);
        }
    }
}

/// As whom to run it: PostgreSQL refuses to be root.
fn account() -> Result<Option<User>, ServerError> {
    if !geteuid().is_root() {
        return Ok(None);
    }
    for name in ["postgres", "nobody"] {
        if let Some(user) = User::from_name(name).map_err(std::io::Error::from)? {
            return Ok(Some(user));
        }
    }
    Err(std::io::Error::other("PostgreSQL refuses to run as root, and there is neither `postgres` nor `nobody`").into())
}

/// Where a program of PostgreSQL's is: Debian has them beside its path, a folder for each version.
fn find(program: &str) -> PathBuf {
    if let Some(folder) = std::env::var_os("POSTGRES_BIN_DIR") {
        return Path::new(&folder).join(program);
    }
    let on_path = std::env::var_os("PATH").is_some_and(|paths| {
        // A wrapper of the same name is of no use without the server beside it.
        std::env::split_paths(&paths).any(|folder| folder.join(program).exists() && folder.join("postgres").exists())
    });
    if on_path {
        return program.into();
    }
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = versions.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok()).max();
    newest.map_or_else(|| program.into(), |version| format!("/usr/lib/postgresql/{version}/bin/{program}").into())
}

/// Whether whoever is there lets clients in: it offers, or declines, TLS once it listens, but answers a start-up message
/// with something else than an error only once it has recovered.
async fn answers(port: u16) -> bool {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)).await else { return false };
    let body = [&196_608_u32.to_be_bytes()[..], b"user\0", ROLE.as_bytes(), b"\0database\0postgres\0\0"].concat();
    let length = u32::try_from(body.len() + 4).unwrap_or_default().to_be_bytes();
    let mut answer = [0];
    let asked = stream.write_all(&[&length[..], &body].concat()).await.is_ok();
    asked && stream.read_exact(&mut answer).await.is_ok() && answer == *b"R"
}

/// A file system in memory, on Linux.
const MEMORY: &str = "/dev/shm";
/// More than a server of a test writes.
const ROOM: u64 = 1 << 30;
const ROLE: &str = "counterfoil";
const PACKAGE: &str = "postgresql";
/// Ports are given away between asking for one and using it.
const ATTEMPTS: u32 = 5;
/// How often it is tried while another one is leaving.
const LEAVING: u32 = 100;
