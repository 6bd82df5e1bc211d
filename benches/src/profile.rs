//! Where the instructions of one piece of work go, by the source they were written in.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Failed;

/// A part of the code, and how many instructions of one time doing a piece it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// Which part.
    pub area: &'static str,
    /// Instructions, each time.
    pub instructions: i64,
}

/// What `piece` does more than `other`, the greatest share first.
///
/// # Errors
/// If one cannot be run, or what callgrind writes is not what it should be.
pub fn more(programs: &Path, piece: &str, other: &str) -> Result<Vec<Share>, Failed> {
    let (piece, other) = (each(programs, piece)?, each(programs, other)?);
    let areas: Vec<_> = AREAS.iter().map(|(area, _)| *area).chain([ELSE]).collect();
    let of = |costs: &Costs, area| costs.get(area).copied().unwrap_or_default();
    let share = |area| Share { area, instructions: of(&piece, area) - of(&other, area) };
    let mut shares: Vec<_> = areas.into_iter().map(share).collect();
    shares.sort_by_key(|share| std::cmp::Reverse(share.instructions));
    Ok(shares)
}

type Costs = HashMap<&'static str, i64>;

/// Two runs of different length, so that start and set-up fall out.
fn each(programs: &Path, piece: &str) -> Result<Costs, Failed> {
    let (few, many) = (run(programs, piece, FEW)?, run(programs, piece, MANY)?);
    let each = |(area, cost): (&&'static str, &i64)| {
        let before = few.get(*area).copied().unwrap_or_default();
        (*area, (cost - before) / (MANY - FEW))
    };
    Ok(many.iter().map(each).collect())
}

fn run(programs: &Path, piece: &str, times: i64) -> Result<Costs, Failed> {
    let out = Written(std::env::temp_dir().join(format!("counterfoil-profile-{}", std::process::id())));
    let mut valgrind = Command::new("valgrind");
    valgrind.arg("--tool=callgrind").arg(format!("--callgrind-out-file={}", out.0.display()));
    let output = valgrind.arg(programs.join("instructions")).args([piece, &times.to_string()]).output()?;
    if !output.status.success() {
        return Err(format!("{piece}: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(by_area(&std::fs::read_to_string(&out.0)?))
}

/// A file that is there no longer than it is needed.
struct Written(PathBuf);

impl Drop for Written {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Adds up callgrind's costs by area. A line's cost belongs to the file it was written in, inlined or not; the standard
/// library's to whoever called it, as far as it was inlined there.
fn by_area(profile: &str) -> Costs {
    let mut names = Names::default();
    let (mut function, mut file, mut name) = (String::new(), String::new(), String::new());
    let (mut costs, mut called) = (Costs::new(), false);
    for line in profile.lines() {
        match line.split_once('=') {
            Some(("fl", text)) => (function, file) = (names.file(text), names.file(text)),
            Some(("fi" | "fe", text)) => file = names.file(text),
            Some(("fn", text)) => name = names.function(text),
            // What follows is what the called function cost, which stands at that function as well.
            Some(("calls", _)) => called = true,
            None if line.starts_with(['+', '-', '*']) || line.starts_with(|c: char| c.is_ascii_digit()) => {
                let cost = line.split(' ').nth(1).and_then(|cost| cost.parse::<i64>().ok());
                if !std::mem::take(&mut called) {
                    *costs.entry(area(&function, &file, &name)).or_default() += cost.unwrap_or_default();
                }
            }
            _ => {}
        }
    }
    costs
}

/// Callgrind writes a name once, with a number, and then the number alone.
#[derive(Default)]
struct Names {
    files: HashMap<String, String>,
    functions: HashMap<String, String>,
}

impl Names {
    fn file(&mut self, text: &str) -> String {
        resolve(&mut self.files, text)
    }

    fn function(&mut self, text: &str) -> String {
        resolve(&mut self.functions, text)
    }
}

/// `(12) name` or `(12)`.
fn resolve(known: &mut HashMap<String, String>, text: &str) -> String {
    let (number, name) = text.split_once(' ').unwrap_or((text, ""));
    if !name.is_empty() {
        known.insert(number.to_owned(), name.to_owned());
    }
    known.get(number).cloned().unwrap_or_default()
}

fn area(function: &str, file: &str, name: &str) -> &'static str {
    let written_in = if file.contains("/rustc/") { function } else { file };
    let found =
        AREAS.iter().find(|(_, marks)| marks.iter().any(|mark| written_in.contains(mark) || name.contains(mark)));
    found.map_or(ELSE, |(area, _)| area)
}

/// What a file's path or a function's name tells. The first that fits counts.
const AREAS: [(&str, &[&str]); 13] = [
    ("SHA-256, as callgrind emulates it", &["sha256_block_data_order", "sha256-x86_64"]),
    ("HMAC and digest around it", &["aws-lc", "aws_lc", "HMAC_", "SHA256_"]),
    ("base64", &["/base64-"]),
    (
        "Counterfoil: token and keys",
        &["crates/core/src/token", "crates/core/src/keys", "crates/core/src/id.rs", "zeroize-", "subtle-"],
    ),
    (
        "Counterfoil: reading the head, CSRF",
        &[
            "crates/core/src/engine/heard",
            "crates/core/src/engine/arrival",
            "crates/core/src/cookie",
            "crates/core/src/csrf",
            "crates/core/src/origin",
            "crates/core/src/agent",
            "crates/core/src/address",
            "crates/core/src/seam",
        ],
    ),
    ("Counterfoil: family, lifetimes, assurance", &["crates/core/src/rules", "crates/core/src/moment"]),
    (
        "Counterfoil: memory store",
        &["crates/core/src/memory", "crates/core/src/store", "hashbrown", "foldhash", "parking_lot", "lock_api"],
    ),
    ("Counterfoil: engine", &["crates/core/src/"]),
    ("Counterfoil: tower layer", &["crates/counterfoil/src"]),
    ("allocating and freeing", &["malloc", "_int_free", "cfree", "unlink_chunk", "realloc"]),
    (
        "copying and comparing memory",
        &["memcpy", "memmove", "memset", "memcmp", "mem_move", "memmov", "sysdeps/x86_64/multiarch"],
    ),
    ("http: header maps, requests", &["/http-", "/bytes-", "http-body"]),
    ("axum, tower, runtime", &["/axum", "/tower", "/tokio-", "/matchit-", "/futures-"]),
];
const ELSE: &str = "standard library and everything else";
const FEW: i64 = 1_000;
const MANY: i64 = 5_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cost_belongs_to_the_file_it_was_written_in() {
        let profile = "\
events: Ir
fl=(1) /x/crates/core/src/engine/open.rs
fn=(1) open
10 7
fi=(2) /x/crates/core/src/rules/family.rs
+3 20
fi=(3) /rustc/abc/library/core/src/option.rs
* 5
fe=(1)
-2 1
cfn=(2)
calls=4 9
20 1000
fl=(4) ???
fn=(2) aws_lc_0_1_sha256_block_data_order_ssse3
0 900
fl=(3)
fn=(3) core::fmt::write
5 11
";
        let costs = by_area(profile);
        let of = |area: &str| costs.get(area).copied().unwrap_or_default();
        assert_eq!(of("Counterfoil: engine"), 7 + 5 + 1, "the standard library's cost is its caller's");
        assert_eq!(of("Counterfoil: family, lifetimes, assurance"), 20);
        assert_eq!(of("SHA-256, as callgrind emulates it"), 900, "and a call is not counted twice");
        assert_eq!(of(ELSE), 11);
        assert_eq!(costs.values().sum::<i64>(), 944);
    }
}
