//! The section about the curves.

use std::fmt::Write as _;

use super::{Filled, Point, Used};
use crate::machine::Machine;
use crate::records::DATA_BYTES;

/// The section as Markdown.
pub fn section(points: &[Point], machine: &Machine) -> String {
    let mut text = format!(
        "## The embedded store by size\n\n\
         What the embedded store costs by how many sessions live in it.\n\n\
         ![Microseconds of each work by how many sessions live](benchmarks-curves.svg)\n\n\
         Measured {machine}.\n\n| live sessions |"
    );
    text.extend(points.iter().map(|point| format!(" {} |", grouped(point.sessions))));
    text.push_str("\n|---|");
    text.push_str(&"---|".repeat(points.len()));
    for (name, cell) in ROWS {
        let _ = write!(text, "\n| {name} |");
        text.extend(points.iter().map(|point| format!(" {} |", cell(point))));
    }
    text.push_str(&METHOD.replace("DATA_BYTES", &DATA_BYTES.to_string()));
    text
}

type Row = (&'static str, fn(&Point) -> String);

const ROWS: [Row; 17] = [
    ("authenticated request, without its connection", |point| time(point.used.request)),
    ("read from memory", |point| time(point.used.peek)),
    ("read with a touch", |point| time(point.used.touch)),
    ("read of a record that only the disk has", |point| time(point.used.cold)),
    ("list of a subject's ten sessions", |point| time(point.used.list)),
    ("insert, durable, 256 waiting", |point| time(point.used.insert)),
    ("data change, durable, 256 waiting", |point| time(point.used.change)),
    ("sweep step, nothing over", |point| time(point.used.idle_sweep)),
    ("sweep step that forgets 512, durable", |point| time(point.used.sweep)),
    ("loaded, sessions/s, each durable", |point| loaded(point)),
    ("reads during the load: median", |point| time_of(point.filled.reads.median)),
    ("reads during the load: 1 in 10,000 longer than", |point| slow(&point.filled)),
    ("reads during the load: longest", |point| time_of(point.filled.reads.longest)),
    ("opened again in", |point| time(point.used.open_seconds * 1e9)),
    ("resident once opened", |point| size(point.used.resident_bytes)),
    ("resident per session", |point| resident_each(point.sessions, &point.used)),
    ("on the disk per session", |point| each(point.filled.disk_bytes, point.sessions)),
];

#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rate")]
fn loaded(point: &Point) -> String {
    grouped((point.sessions as f64 / point.filled.seconds).round() as u64)
}

fn slow(filled: &Filled) -> String {
    if filled.reads.count < 10_000 { "too few".to_owned() } else { time_of(filled.reads.slow) }
}

/// With few sessions, what the engine takes for itself would be all that is seen.
fn resident_each(sessions: u64, used: &Used) -> String {
    if sessions < 100_000 { "too few".to_owned() } else { each(used.resident_bytes, sessions) }
}

fn each(bytes: u64, sessions: u64) -> String {
    format!("{} B", grouped(bytes / sessions.max(1)))
}

#[expect(clippy::cast_precision_loss, reason = "printed with three digits")]
fn time_of(nanoseconds: u64) -> String {
    time(nanoseconds as f64)
}

/// With about three digits.
fn time(nanoseconds: f64) -> String {
    let units = [(1e9, "s"), (1e6, "ms"), (1e3, "µs"), (1.0, "ns")];
    let (unit, name) = units.into_iter().find(|(unit, _)| nanoseconds >= *unit).unwrap_or((1.0, "ns"));
    let number = nanoseconds / unit;
    if number < 10.0 && unit > 1.0 { format!("{number:.2} {name}") } else { format!("{number:.0} {name}") }
}

fn size(bytes: u64) -> String {
    format!("{} MiB", grouped(bytes >> 20))
}

/// `1,234,567`
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let with_comma = |(index, digit): (usize, char)| {
        let comma = index > 0 && (digits.len() - index).is_multiple_of(3);
        comma.then_some(',').into_iter().chain([digit])
    };
    digits.chars().enumerate().flat_map(with_comma).collect()
}

const METHOD: &str = "

* Every size is loaded by one process, 2,048 inserts under way at once, and opened again by another, both with the default
  settings. Each session has DATA_BYTES bytes of data and a subject of its own, which is the most memory it can take. What is
  resident is what the second process grew by while it opened the store, the engine's own memory included; records come
  into memory only as they are read, up to the budget, and are not in this figure.
* Reads, touches and changes go round 20,000 sessions spread over all (all of them where there are fewer), lists round 500,
  requests round 100 that signed in through the engine; times are medians over parts of a hundred. The first read of each
  after the start has its record from the disk: the files are in the system's memory where that suffices, so this is the
  price of the engine and of opening the record, not that of the device.
* Reads during the load: one thread reads one of 500 sessions, rests for 0.1 ms, and so on. What it waited includes what the
  system did to it: there are more threads than cores meanwhile, and the engine tidies its tables.
* On the disk: blocks of all files once the store was closed, its journal and what is superseded included.
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_like_numbers() {
        assert_eq!([0, 999, 1_000, 12_345_678].map(grouped), ["0", "999", "1,000", "12,345,678"]);
        let times = [96.4, 1_234.0, 45_600.0, 7_654_321.0, 2e9].map(time);
        assert_eq!(times, ["96 ns", "1.23 µs", "46 µs", "7.65 ms", "2.00 s"]);
    }
}
