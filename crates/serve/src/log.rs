//! Log lines on their way out: a bounded queue, and a thread of its own that writes. A reader who stalls holds up nobody.

use std::collections::VecDeque;
use std::fmt;
use std::io::{self, ErrorKind, Write};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

/// Where log lines go. Cheap to clone.
///
/// Whoever writes to a pipe that nobody reads waits, and with them whatever they were deciding. So nobody here writes but
/// one thread. What finds the queue full is lost, and counted; when lines leave again, one says how many were.
///
/// # Examples
/// ```
/// use std::{io::Write as _, time::Duration};
///
/// let log = counterfoil_serve::Log::to(std::io::sink())?;
/// log.line().write_all(b"a session was created\n")?;
/// assert!(log.finish(Duration::from_secs(1)));
/// assert_eq!(log.lost(), 0);
/// # Ok::<_, std::io::Error>(())
/// ```
#[derive(Clone)]
pub struct Log(Arc<Shared>);

/// One line, to be written at once and as a whole. Never waits, never fails.
#[derive(Debug)]
pub struct Line(Log);

struct Shared {
    queue: Mutex<Queue>,
    filled: Condvar,
    emptied: Condvar,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Box<[u8]>>,
    /// Of what waits and of the line being written.
    bytes: usize,
    lost: u64,
    /// Of those, how many nobody was told of.
    untold: u64,
}

impl Log {
    /// Begins to write to `out`.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn to(out: impl Write + Send + 'static) -> io::Result<Self> {
        let log = Self(Arc::new(Shared { queue: Mutex::default(), filled: Condvar::new(), emptied: Condvar::new() }));
        let writing = log.clone();
        thread::Builder::new().name("log".to_owned()).spawn(move || writing.write(out))?;
        Ok(log)
    }

    /// Takes the next line.
    pub fn line(&self) -> Line {
        Line(self.clone())
    }

    /// How many lines were lost since the start.
    pub fn lost(&self) -> u64 {
        self.0.queue.lock().lost
    }

    /// Waits until everything is written, but not longer than that. Whether it is.
    pub fn finish(&self, longest: Duration) -> bool {
        let end = Instant::now() + longest;
        let mut queue = self.0.queue.lock();
        while queue.bytes > 0 {
            if self.0.emptied.wait_until(&mut queue, end).timed_out() {
                return queue.bytes == 0;
            }
        }
        true
    }

    fn take(&self, line: &[u8]) {
        let mut queue = self.0.queue.lock();
        if queue.bytes + line.len() > MOST_BYTES {
            queue.lose();
            return;
        }
        queue.bytes += line.len();
        queue.waiting.push_back(line.into());
        drop(queue);
        self.0.filled.notify_one();
    }

    /// The thread's whole life.
    fn write(&self, mut out: impl Write) {
        loop {
            let line = self.next();
            let written = whole(&mut out, &line).is_ok();
            let lost = self.0.queue.lock().after(written);
            if lost > 0 {
                tracing::warn!(rule = "log", lost, "log lines were lost: whoever reads the log was too slow");
            }
            let mut queue = self.0.queue.lock();
            queue.bytes = queue.bytes.saturating_sub(line.len());
            if queue.bytes == 0 {
                self.0.emptied.notify_all();
            }
        }
    }

    fn next(&self) -> Box<[u8]> {
        let mut queue = self.0.queue.lock();
        loop {
            if let Some(line) = queue.waiting.pop_front() {
                return line;
            }
            self.0.filled.wait(&mut queue);
        }
    }
}

impl Queue {
    const fn lose(&mut self) {
        self.lost += 1;
        self.untold += 1;
    }

    /// After a line that was written, or not: how many lost ones to tell of. Not at the first free place: it would be lost as well.
    fn after(&mut self, written: bool) -> u64 {
        if !written {
            self.lose();
        }
        if written && self.bytes < MOST_BYTES / 2 { std::mem::take(&mut self.untold) } else { 0 }
    }
}

impl Write for Line {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.take(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Log").field("lost", &self.lost()).finish_non_exhaustive()
    }
}

/// As `write_all`, but patient with a descriptor that somebody else made non-blocking: this thread may wait.
fn whole(out: &mut impl Write, mut line: &[u8]) -> io::Result<()> {
    while !line.is_empty() {
        match out.write(line) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(written) => line = line.get(written..).unwrap_or_default(),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => thread::sleep(A_MOMENT),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Some ten thousand lines: seconds of a busy site's denials, for a collector that is restarted.
const MOST_BYTES: usize = 4 * 1024 * 1024;
const A_MOMENT: Duration = Duration::from_millis(20);

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader, PipeReader, Read as _};

    use super::*;

    /// A log into a pipe, and the end that somebody may read.
    fn piped() -> (Log, PipeReader) {
        let (reader, writer) = io::pipe().unwrap();
        (Log::to(writer).unwrap(), reader)
    }

    /// More than the queue and the pipe hold.
    fn fill(log: &Log) -> u64 {
        let line = [b"x".repeat(1023), b"\n".to_vec()].concat();
        let all = u64::try_from(MOST_BYTES / line.len()).unwrap() + 1_000;
        for _ in 0..all {
            log.line().write_all(&line).unwrap();
        }
        all
    }

    #[test]
    fn lines_leave_in_their_order_and_as_they_are() {
        let (log, mut reader) = piped();
        let lines: Vec<_> = (0..1_000).map(|number| format!("line {number}\n")).collect();
        let expected = lines.concat();
        for line in &lines {
            log.line().write_all(line.as_bytes()).unwrap();
        }
        assert!(log.finish(Duration::from_mins(1)));
        let mut read = vec![0; expected.len()];
        reader.read_exact(&mut read).unwrap();
        assert_eq!((String::from_utf8(read).unwrap(), log.lost()), (expected, 0));
    }

    #[test]
    fn nobody_waits_for_a_reader_who_stalls_and_what_is_lost_is_counted() {
        let (log, reader) = piped();
        let all = fill(&log);
        let lost = log.lost();
        assert!((1..=1_000).contains(&lost), "{lost}: the queue holds the others, but for what the pipe took");
        assert!(!log.finish(Duration::ZERO), "and nobody waits for ever at the end");
        let left = usize::try_from(all - lost).unwrap();
        let read = thread::spawn(move || BufReader::new(reader).lines().take(left).count());
        assert!(log.finish(Duration::from_mins(1)), "once it is read, everything else leaves");
        assert_eq!(read.join().unwrap(), left);
    }

    #[test]
    fn a_reader_who_is_gone_loses_lines_and_stops_nobody() {
        let (log, reader) = piped();
        drop(reader);
        log.line().write_all(b"to nobody\n").unwrap();
        assert!(log.finish(Duration::from_mins(1)));
        assert_eq!(log.lost(), 1);
    }
}
