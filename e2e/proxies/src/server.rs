//! Servers behind a proxy: they remember what they hear, and say what they were told to say.

use std::io::{self, BufReader, Read as _, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::wire::{Message, read_request};

/// A server on a free port of loopback, which lives until it is dropped.
#[derive(Debug)]
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    memory: Arc<Memory>,
    listening: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug)]
struct Memory {
    heard: Mutex<Vec<Message>>,
    says: Mutex<Says>,
    connections: AtomicUsize,
    /// Those that may still be open.
    open: Mutex<Vec<TcpStream>>,
    closed: AtomicBool,
}

/// What a server does with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Says {
    /// It answers.
    Answer(Answer),
    /// It sends these bytes, and hangs up.
    Raw(&'static str),
    /// It hangs up.
    HangUp,
    /// It takes its time: nothing comes.
    Nothing,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Names and values, sent as they are.
    pub headers: Vec<(String, String)>,
    /// What follows the head.
    pub body: String,
}

impl Server {
    /// Opens a server that says this until told otherwise.
    ///
    /// # Errors
    /// If there is no free port.
    pub fn open(says: Says) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let memory = Arc::new(Memory {
            heard: Mutex::default(),
            says: Mutex::new(says),
            connections: AtomicUsize::new(0),
            open: Mutex::default(),
            closed: AtomicBool::new(false),
        });
        let address = listener.local_addr()?;
        let listening = Mutex::new(Some(Memory::listen(&memory, listener)));
        Ok(Self { address, memory, listening })
    }

    /// Closes the port, and every connection.
    pub fn close(&self) {
        self.memory.closed.store(true, Ordering::SeqCst);
        // Wakes the listener; if it is gone already, so much the better.
        let _ = TcpStream::connect(self.address);
        if let Some(listening) = lock(&self.listening).take() {
            // It does not panic.
            let _ = listening.join();
        }
        for stream in lock(&self.memory.open).drain(..) {
            // The other side may have hung up before.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// Opens the same port again.
    ///
    /// # Errors
    /// If somebody took it meanwhile.
    pub fn reopen(&self) -> io::Result<()> {
        let listener = TcpListener::bind(self.address)?;
        self.memory.closed.store(false, Ordering::SeqCst);
        *lock(&self.listening) = Some(Memory::listen(&self.memory, listener));
        Ok(())
    }

    /// What it says from now on.
    pub fn says(&self, says: Says) {
        *lock(&self.memory.says) = says;
    }

    /// What it heard since it was last asked.
    pub fn heard(&self) -> Vec<Message> {
        std::mem::take(&mut *lock(&self.memory.heard))
    }

    /// Connections made to it, all in all.
    pub fn connections(&self) -> usize {
        self.memory.connections.load(Ordering::SeqCst)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.close();
    }
}

impl Memory {
    fn listen(memory: &Arc<Self>, listener: TcpListener) -> JoinHandle<()> {
        let memory = Arc::clone(memory);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if memory.closed.load(Ordering::SeqCst) {
                    break;
                }
                memory.connections.fetch_add(1, Ordering::SeqCst);
                lock(&memory.open).extend(stream.try_clone());
                let memory = Arc::clone(&memory);
                // A connection that breaks ends; what was heard by then is remembered.
                thread::spawn(move || {
                    let _ = memory.serve(&stream);
                    let _ = stream.shutdown(Shutdown::Both);
                });
            }
        })
    }

    fn serve(&self, stream: &TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let mut stream = Both(BufReader::new(stream.try_clone()?), stream.try_clone()?);
        while let Some(request) = read_request(&mut stream)? {
            let says = lock(&self.says).clone();
            let upgrades = request.all("upgrade").iter().any(|value| value.eq_ignore_ascii_case("websocket"));
            let to = request.method().to_owned();
            lock(&self.heard).push(request);
            match says {
                Says::Answer(answer) if answer.status == 101 && upgrades => {
                    stream.write_all(answer.head(None).as_bytes())?;
                    return echo(&mut stream);
                }
                Says::Answer(answer) if answer.status == 101 => {
                    stream.write_all(Answer::new(200).bytes(&to).as_bytes())?;
                }
                Says::Answer(answer) => stream.write_all(answer.bytes(&to).as_bytes())?,
                Says::Raw(text) => return stream.write_all(text.as_bytes()),
                Says::HangUp => return Ok(()),
                Says::Nothing => thread::sleep(LONG),
            }
        }
        Ok(())
    }
}

impl Answer {
    /// One with this status, and nothing else.
    pub fn new(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: String::new() }
    }

    /// With one more header.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Without what stands under this name.
    pub fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
        self
    }

    /// With this body.
    pub fn saying(mut self, body: &str) -> Self {
        body.clone_into(&mut self.body);
        self
    }

    fn head(&self, length: Option<usize>) -> String {
        let mut head = format!("HTTP/1.1 {} Made Up\r\n", self.status);
        for (name, value) in &self.headers {
            head.extend([name.as_str(), ": ", value, "\r\n"]);
        }
        if let Some(length) = length {
            head.extend(["Content-Length: ", &length.to_string(), "\r\n"]);
        }
        head + "\r\n"
    }

    fn bytes(&self, to: &str) -> String {
        let has_length = self.status != 204 && self.status != 304;
        let body = if to == "HEAD" || !has_length { "" } else { &self.body };
        self.head(has_length.then_some(self.body.len())) + body
    }
}

/// Sends back whatever comes, until the other side ends.
fn echo(stream: &mut Both) -> io::Result<()> {
    let mut buffer = [0; 1024];
    loop {
        let read = stream.0.read(&mut buffer)?;
        if read == 0 {
            return Ok(());
        }
        stream.write_all(buffer.get(..read).unwrap_or_default())?;
    }
}

/// The two directions of a connection.
struct Both(BufReader<TcpStream>, TcpStream);

impl io::Read for Both {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl io::BufRead for Both {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.0.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.0.consume(amount);
    }
}

impl Write for Both {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.1.write(buffer)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.1.flush()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Longer than any proxy waits for a decision.
const LONG: Duration = Duration::from_mins(1);
