//! What computes tokens, from as few of them as an audit has, and what must not be taken for it.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use md5::{Digest, Md5};

use super::*;

/// When a token is made, and for whom.
pub(super) struct Made {
    pub(super) index: u64,
    /// How many tokens other visitors had before.
    pub(super) others: u64,
    nanos: u64,
    user: &'static str,
    random: Random,
}

/// SHA-256 of a counter: the same in every run.
pub(super) struct Random(u64, u64);

impl Random {
    fn bytes(&mut self, count: usize) -> Vec<u8> {
        let mut all = Vec::new();
        while all.len() < count {
            self.1 += 1;
            all.extend(digest(&SHA256, format!("{} {}", self.0, self.1).as_bytes()).as_ref());
        }
        all.truncate(count);
        all
    }

    fn below(&mut self, limit: u64) -> u64 {
        u64::from_be_bytes(self.bytes(8).try_into().unwrap()) % limit
    }

    fn of(&mut self, alphabet: &[u8], count: usize) -> String {
        (0..count).map(|_| char::from(alphabet[usize::try_from(self.below(alphabet.len() as u64)).unwrap()])).collect()
    }
}

impl Made {
    fn seconds(&self) -> u64 {
        self.nanos / 1_000_000_000
    }

    fn millis(&self) -> u64 {
        self.nanos / 1_000_000
    }

    fn micros(&self) -> u64 {
        self.nanos / 1_000
    }
}

pub(super) fn samples(count: u64, seed: u64, token: impl Fn(&mut Made) -> String) -> Vec<Sample> {
    let mut random = Random(seed, 0);
    let (mut nanos, mut others) = (1_763_852_011_482_719_323, 0);
    (0..count)
        .map(|index| {
            nanos += (180 + random.below(240)) * 1_000_000 + random.below(1_000_000);
            others += random.below(4);
            let mut made = Made { index, others, nanos, user: "alice", random: Random(seed + 1, index * 1_000) };
            let value = token(&mut made);
            let at_millis = nanos / 1_000_000 + 1 + random.below(12);
            Sample { value, at_millis, server_date: Some(nanos / 1_000_000_000), user: made.user.to_owned() }
        })
        .collect()
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}

fn md5(text: &str) -> String {
    hex(&Md5::digest(text))
}

fn sha1(text: &str) -> Vec<u8> {
    digest(&SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes()).as_ref().to_vec()
}

fn sha256(text: &str) -> Vec<u8> {
    digest(&SHA256, text.as_bytes()).as_ref().to_vec()
}

fn uuid(bytes: &[u8], version: u8) -> String {
    let mut bytes = bytes.to_vec();
    bytes[6] = bytes[6] & 0xf | version << 4;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let text = hex(&bytes);
    [&text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..]].join("-")
}

fn base36(mut number: u64) -> String {
    let mut digits = Vec::new();
    while number > 0 {
        digits.push(char::from_digit(u32::try_from(number % 36).unwrap(), 36).unwrap());
        number /= 36;
    }
    digits.iter().rev().collect()
}

type Token = fn(&mut Made) -> String;

#[track_caller]
fn found_in(count: u64, cases: &[(&str, How, Token)]) {
    for (name, how, token) in cases {
        let report = predict(&samples(count, 7, token));
        assert!(report.computed && report.raises(), "{name}: {report:?}");
        assert!(report.explained.iter().any(|one| one.how == *how), "{name}: {report:?}");
        assert!(report.explained.iter().all(|one| one.hits * 10 >= one.held_out * 9), "{name}: {report:?}");
    }
}

#[test]
fn twenty_tokens_show_a_counter() {
    #[rustfmt::skip]
    let cases: [(&str, How, Token); 14] = [
        ("decimal",                 How::Counter, |made| (1_041 + made.index).to_string()),
        ("crossing a digit",        How::Counter, |made| (995 + made.index).to_string()),
        ("with other visitors",     How::Counter, |made| (1_041 + made.index + made.others).to_string()),
        ("downwards",               How::Counter, |made| (90_000 - 3 * made.index).to_string()),
        ("padded",                  How::Counter, |made| format!("{:012}", 88 + made.index * 7)),
        ("inside text",             How::Counter, |made| format!("session{}x", 98 + made.index)),
        ("inside hex",              How::Counter, |made| format!("9f3c{:08x}77aa", 0xdead_0000 + made.index + made.others)),
        ("base 36",                 How::Counter, |made| base36(987_654_321 + made.index)),
        ("base 64 of text",         How::Counter, |made| STANDARD.encode(format!("sess:{}", 7_000 + made.index))),
        ("base 64 of base 64",      How::Counter, |made| STANDARD.encode(STANDARD.encode(format!("sess:{}", 7_000 + made.index)))),
        ("big-endian bytes",        How::Counter, |made| URL_SAFE_NO_PAD.encode((0x1234_5678_u64 + made.index).to_be_bytes())),
        ("little-endian bytes",     How::Counter, |made| URL_SAFE_NO_PAD.encode((0x1234_5678_u64 + made.index * 5).to_le_bytes())),
        ("signed by Express",       How::Counter, |made| format!("s%3A{}.{}", 500 + made.index, URL_SAFE_NO_PAD.encode(made.random.bytes(32)))),
        ("with the user",           How::Counter, |made| format!("{}-{}", made.user, 500 + made.index)),
    ];
    found_in(20, &cases);
    found_in(300, &cases);
}

#[test]
fn twenty_tokens_show_the_time() {
    #[rustfmt::skip]
    let cases: [(&str, How, Token); 14] = [
        ("seconds",                 How::Time, |made| made.seconds().to_string()),
        ("milliseconds",            How::Time, |made| made.millis().to_string()),
        ("microseconds",            How::Time, |made| made.micros().to_string()),
        ("nanoseconds",             How::Time, |made| made.nanos.to_string()),
        ("seconds in hex",          How::Time, |made| format!("{:x}", made.seconds())),
        ("milliseconds in base 36", How::Time, |made| base36(made.millis())),
        ("uniqid",                  How::Time, |made| format!("{:08x}{:05x}", made.seconds(), made.micros() % 1_000_000)),
        ("with a fraction",         How::Time, |made| format!("{}.{:06}", made.seconds(), made.micros() % 1_000_000)),
        ("bytes",                   How::Time, |made| STANDARD.encode(made.millis().to_be_bytes())),
        ("little-endian bytes",     How::Time, |made| hex(&made.micros().to_le_bytes())),
        ("user and time",           How::Time, |made| STANDARD.encode(format!("{}:{}", made.user, made.millis()))),
        ("time and counter",        How::Time, |made| format!("{}-{}", made.millis(), made.index + 40)),
        ("object id",               How::Time, |made| format!("{:08x}a1b2c3d4e5{:06x}", made.seconds(), 0x00ab_cdef + made.index)),
        ("UUIDv1",                  How::Time, |made| {
            let ticks = made.nanos / 100 + 0x01b2_1dd2_1381_4000;
            let text = format!("{:016x}", ticks & 0x0fff_ffff_ffff_ffff);
            format!("{}-{}-1{}-b1c2-0242ac120002", &text[8..], &text[4..8], &text[1..4])
        }),
    ];
    found_in(20, &cases);
    found_in(300, &cases);
}

#[test]
fn a_few_tokens_show_a_hash_of_what_can_be_tried() {
    #[rustfmt::skip]
    let cases: [(&str, How, Token); 16] = [
        ("MD5 of a counter",        How::HashOfCounter, |made| md5(&(made.index + made.others + 1_000).to_string())),
        ("SHA-1 of a counter",      How::HashOfCounter, |made| hex(&sha1(&(made.index + 1).to_string()))),
        ("SHA-256 in base 64",      How::HashOfCounter, |made| STANDARD.encode(sha256(&(made.index + 77).to_string()))),
        ("with a name before",      How::HashOfCounter, |made| md5(&format!("session{}", made.index + 1))),
        ("with the user",           How::HashOfCounter, |made| hex(&sha256(&format!("{}:{}", made.user, made.index + 1)))),
        ("truncated",               How::HashOfCounter, |made| hex(&sha256(&(made.index + 77).to_string()))[..20].to_owned()),
        ("the end",                 How::HashOfCounter, |made| md5(&(made.index + 77).to_string())[16..].to_owned()),
        ("of a small random number", How::HashOfCounter, |made| md5(&made.random.below(10_000).to_string())),
        ("of seconds",              How::HashOfTime,    |made| md5(&(made.seconds()).to_string())),
        ("of milliseconds",         How::HashOfTime,    |made| hex(&sha256(&made.millis().to_string()))),
        ("of uniqid",               How::HashOfTime,    |made| md5(&format!("{:08x}{:05x}", made.seconds(), made.micros() % 1_000_000))),
        ("of microseconds",         How::HashOfTime,    |made| hex(&sha1(&format!("{}.{:06}", made.seconds(), made.micros() % 1_000_000)))),
        ("of user and seconds",     How::HashOfUserAndTime, |made| md5(&format!("{}{}", made.user, made.seconds()))),
        ("of user and milliseconds", How::HashOfUserAndTime, |made| hex(&sha256(&format!("{}:{}", made.user, made.millis())))),
        ("of time and user",        How::HashOfUserAndTime, |made| hex(&sha1(&format!("{}|{}", made.millis(), made.user)))),
        ("of time and process",     How::HashOfTime,    |made| md5(&format!("{}{}", made.seconds(), 31_337))),
    ];
    found_in(6, &cases);
}

#[test]
fn a_token_that_is_always_the_same_is_said_to_be() {
    let report = predict(&samples(6, 1, |_| "2b1c9a77d0e4f3a8".to_owned()));
    assert!(report.static_per_user && !report.computed && report.bits_at_most.is_none(), "{report:?}");
    #[rustfmt::skip]
    let cases: [(&str, How, Token); 6] = [
        ("the name",         How::User,       |made| made.user.to_owned()),
        ("in base 64",       How::User,       |made| STANDARD.encode(format!("{}:user", made.user))),
        ("in hex",           How::User,       |made| hex(made.user.as_bytes())),
        ("in ROT13",         How::User,       |_| "nyvpr".to_owned()),
        ("reversed",         How::User,       |_| "ecila".to_owned()),
        ("hashed",           How::HashOfUser, |made| md5(made.user)),
    ];
    found_in(6, &cases);
    for (name, _, token) in cases {
        assert!(predict(&samples(6, 1, token)).static_per_user, "{name}");
    }
}

#[test]
fn several_users_are_told_apart() {
    let of = |made: &mut Made| {
        made.user = ["alice", "bartholomew"][usize::try_from(made.index % 2).unwrap()];
        format!("{}.{}", STANDARD.encode(made.user), made.index + 5)
    };
    let report = predict(&samples(20, 3, of));
    assert!(report.computed && !report.static_per_user, "{report:?}");
    let of = |made: &mut Made| {
        made.user = ["alice", "bartholomew"][usize::try_from(made.index % 2).unwrap()];
        md5(made.user)
    };
    let report = predict(&samples(20, 3, of));
    assert!(report.computed && report.static_per_user, "{report:?}");
}

#[test]
fn few_bits_are_counted() {
    #[rustfmt::skip]
    let cases: [(&str, Token, f64); 7] = [
        ("six digits",             |made| format!("{:06}", made.random.below(1_000_000)), 20.0),
        ("eight hex digits",       |made| hex(&made.random.bytes(4)), 32.0),
        ("mostly constant",        |made| format!("0123456789abcdef0123{}", hex(&made.random.bytes(4))), 32.0),
        ("time and a little",      |made| format!("{}{:04}", made.seconds(), made.random.below(10_000)), 20.0),
        ("few letters",            |made| made.random.of(b"abcdefghijklmnopqrstuvwxyz", 10), 47.1),
        ("nanoseconds and a little", |made| format!("{}-{}", made.nanos, made.random.below(90) + 10), 42.0),
        ("from a small set",       |made| hex(&sha256(&format!("{} pepper", made.random.below(40)))), 30.0),
    ];
    for (name, token, most) in cases {
        let report = predict(&samples(24, 5, token));
        assert!(report.bits_at_most.is_some_and(|bits| bits <= most) && report.raises(), "{name}: {report:?}");
    }
}

#[test]
fn shift_registers_and_repetitions_span_few_dimensions() {
    let token = |made: &mut Made| {
        let part = hex(&made.random.bytes(6));
        format!("{part}{part}{part}")
    };
    let report = predict(&samples(200, 5, token));
    assert!(report.bits_at_most.is_some_and(|bits| bits <= 48.0), "{report:?}");
}

#[test]
fn times_with_enough_randomness_are_left_alone() {
    let v7 = |made: &mut Made| {
        let mut bytes = made.millis().to_be_bytes()[2..].to_vec();
        bytes.extend(made.random.bytes(10));
        uuid(&bytes, 7)
    };
    let ulid_like = |made: &mut Made| format!("{}{}", made.millis(), hex(&made.random.bytes(10)));
    for report in [predict(&samples(24, 9, v7)), predict(&samples(24, 9, ulid_like))] {
        assert!(!report.raises() && report.explained.is_empty(), "{report:?}");
    }
}

const SHAPES: [(&str, Token); 12] = [
    ("16 bytes in hex", |made| hex(&made.random.bytes(16))),
    ("20 bytes in hex", |made| hex(&made.random.bytes(20))),
    ("32 bytes in hex", |made| hex(&made.random.bytes(32))),
    ("16 bytes in base 64", |made| STANDARD.encode(made.random.bytes(16))),
    ("32 bytes in base 64", |made| URL_SAFE_NO_PAD.encode(made.random.bytes(32))),
    ("UUIDv4", |made| uuid(&made.random.bytes(16), 4)),
    ("UUIDv7", |made| {
        let mut bytes = made.millis().to_be_bytes()[2..].to_vec();
        bytes.extend(made.random.bytes(10));
        uuid(&bytes, 7)
    }),
    ("nanoid", |made| made.random.of(b"useandom-26T198340PX75pxJACKVERYMINDBUSHWOLF_GQZbfghjklqvwyzrict", 21)),
    ("26 letters and digits", |made| made.random.of(b"0123456789abcdefghijklmnopqrstuvwxyz", 26)),
    ("26 of base 62", |made| made.random.of(b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", 26)),
    ("signed by Express", |made| {
        let id = made.random.of(b"useandom-26T198340PX75pxJACKVERYMINDBUSHWOLF_GQZbfghjklqvwyzrict", 32);
        format!("s%3A{id}.{}", STANDARD.encode(made.random.bytes(32)).trim_end_matches('=').replace('+', "%2B"))
    }),
    ("24 digits", |made| made.random.of(b"0123456789", 24)),
];

fn nothing_is_said_in(runs: impl Iterator<Item = u64>) {
    for run in runs {
        let (name, token) = SHAPES[usize::try_from(run).unwrap() % SHAPES.len()];
        let count = [20, 24, 40, 8, 100, 1_000][usize::try_from(run / 12).unwrap() % 6];
        let report = predict(&samples(count, 1_000 + run * 2, token));
        assert!(!report.raises() && report.explained.is_empty(), "{name}, run {run}, {count} tokens: {report:?}");
    }
}

#[test]
fn nothing_is_said_of_random_ids_in_a_few_runs() {
    nothing_is_said_in(0..12);
}

/// A hundred runs in each test, so that they run side by side and none for longer than a test may.
mod thousand_runs {
    macro_rules! a_hundred {
        ($($name:ident: $first:literal),* $(,)?) => {$(
            #[test]
            #[ignore = "minutes; `cargo xtask full` runs it"]
            fn $name() {
                super::nothing_is_said_in($first..$first + 100);
            }
        )*};
    }

    a_hundred! {
        of_random_ids_from_0: 0, of_random_ids_from_100: 100, of_random_ids_from_200: 200, of_random_ids_from_300: 300,
        of_random_ids_from_400: 400, of_random_ids_from_500: 500, of_random_ids_from_600: 600, of_random_ids_from_700: 700,
        of_random_ids_from_800: 800, of_random_ids_from_900: 900,
    }
}

#[test]
fn odd_input_is_taken() {
    let cases: [Token; 6] = [
        |_| String::new(),
        |made| "x".repeat(usize::try_from(made.index).unwrap()),
        |made| format!("%{}%zz%ff", made.index),
        |made| "\u{1F36A}".repeat(usize::try_from(made.index % 3).unwrap()),
        |made| made.random.of(b"a=&;,", 4_000),
        |made| "s:".to_owned() + &".".repeat(usize::try_from(made.index).unwrap()),
    ];
    for token in cases {
        for count in [0, 1, 2, 5, 30] {
            predict(&samples(count, 2, token));
        }
    }
}
