//! One server under measurement: how it serves, and how the program that measures talks to it.

use std::io::{BufRead as _, BufReader, Write as _, stdin, stdout};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitCode, Stdio};
use std::time::Duration;

use axum::Router;
use axum::serve::ListenerExt as _;
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::sys::resource::{UsageWho, getrusage};
use nix::unistd::Pid;
use tokio::net::TcpListener;

use crate::Failed;

/// Serves `app` on a free port of loopback by one worker thread, until standard input closes. Prints its address first;
/// to each line it reads it answers with the microseconds of CPU that it has used.
pub fn serve(app: Router) -> ExitCode {
    serve_made(async || Ok(app))
}

/// As [`serve`], for an app that must be made inside the runtime that serves it.
pub fn serve_made(make: impl AsyncFnOnce() -> Result<Router, Failed>) -> ExitCode {
    match try_serve(make) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn try_serve(make: impl AsyncFnOnce() -> Result<Router, Failed>) -> Result<(), Failed> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let app = make().await?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", listener.local_addr()?);
        std::thread::spawn(answer);
        let listener = listener.tap_io(|connection| {
            // Without it, small answers wait for acknowledgements, and nothing else would be measured.
            let _ = connection.set_nodelay(true);
        });
        Ok(axum::serve(listener, app).await?)
    })
}

fn answer() {
    for line in stdin().lines() {
        let used = line.map_err(Failed::from).and_then(|_| cpu());
        let told = used.and_then(|used| Ok(writeln!(stdout(), "{}", used.as_micros())?));
        if told.is_err() {
            break;
        }
    }
    std::process::exit(0);
}

/// The CPU time this process has used, its own and the kernel's on its behalf.
///
/// # Errors
/// If the system does not tell.
pub fn cpu() -> Result<Duration, Failed> {
    let usage = getrusage(UsageWho::RUSAGE_SELF)?;
    let micros = [usage.user_time(), usage.system_time()].map(|time| time.tv_sec() * 1_000_000 + time.tv_usec());
    Ok(Duration::from_micros(u64::try_from(micros.iter().sum::<i64>())?))
}

/// Keeps the calling thread, and those it starts, on one core.
///
/// # Errors
/// If there is no such core, or it is not ours to use.
pub fn pin(core: usize) -> Result<(), Failed> {
    let mut cores = CpuSet::new();
    cores.set(core)?;
    Ok(sched_setaffinity(Pid::from_raw(0), &cores)?)
}

/// Does what starts processes, so that they run on `core`, or on any.
///
/// # Errors
/// If there is no such core, or what `start` says.
pub fn on<T>(core: Option<usize>, start: impl FnOnce() -> Result<T, Failed>) -> Result<T, Failed> {
    let own = sched_getaffinity(Pid::from_raw(0))?;
    // A process begins on the cores of whoever starts it.
    core.map_or(Ok(()), pin)?;
    let started = start();
    sched_setaffinity(Pid::from_raw(0), &own)?;
    started
}

/// A server in a process of its own, which ends when this is dropped.
#[derive(Debug)]
pub struct Server {
    process: Child,
    ask: ChildStdin,
    told: BufReader<ChildStdout>,
    address: SocketAddr,
}

impl Server {
    /// Starts a server on `core`, or on any.
    ///
    /// # Errors
    /// If it does not start.
    pub fn start(mut command: Command, core: Option<usize>) -> Result<Self, Failed> {
        let mut process = on(core, || Ok(command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?))?;
        let ends = process.stdin.take().zip(process.stdout.take());
        let (ask, told) = ends.ok_or("the server has no pipes")?;
        let mut told = BufReader::new(told);
        let address = read(&mut told)?.parse()?;
        Ok(Self { process, ask, told, address })
    }

    /// Its number among the system's processes.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The CPU time it has used so far.
    ///
    /// # Errors
    /// If it has ended.
    pub fn cpu(&mut self) -> Result<Duration, Failed> {
        writeln!(self.ask)?;
        Ok(Duration::from_micros(read(&mut self.told)?.parse()?))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn read(from: &mut BufReader<ChildStdout>) -> Result<String, Failed> {
    let mut line = String::new();
    from.read_line(&mut line)?;
    Ok(line.trim_end().to_owned())
}
