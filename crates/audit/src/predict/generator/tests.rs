//! Tokens as real generators made them, and what says that they did.

use super::machine::{Machine, twist, untemper};
use super::*;
use crate::predict::tests::{hex, samples};
use crate::predict::{Report, Sample, predict};

/// Made by `CPython` 3.11, `OpenJDK` 17 and glibc, three seconds apart, the seed being the time.
#[rustfmt::skip]
const MADE: [(&str, &[&str; 6]); 10] = [
    ("Python: getrandbits in hex", &["dbe9d3ba950053210a171f86b324bc5e", "4ba95f9593cd62f12f9a65d75790b66f", "efdcd29c82d93f0584fea3e0cf545e47", "fa6202f58d175ade18714dfb10c6404f", "becc89849252ef4e24f168b8a09d555b", "de3fb9f63934c0cdeede64b24482f805"]),
    ("Python: randbytes", &["5ebc24b3861f170a21530095", "6fb69057d7659a2ff162cd93", "475e54cfe0a3fe84053fd982", "4f40c610fb4d7118de5a178d", "5b559da0b868f1244eef5292", "05f88244b264deeecdc03439"]),
    ("Python: choice", &["ScL2JtVg5Q3k4bCm", "vlKsWii0ld4P0m24", "ZHG7pYJP8KqN6ogI", "egJolby2Wh9hGXXW", "OjKVPonVB0qAU2Zf", "r7o30SXAmyxqpIgM"]),
    ("Python: choices", &["b98bede70c9715761270", "59c22edfe084923aaeba", "c838f4f389d87374b10a", "1830d11cc38bf1d70767", "a9a364bcefea1e09923a", "43dc353178003260815d"]),
    ("Python: randint", &["149c34500be5671c833d", "af5f9740455c19620b8e", "7f877435c2910be1d273", "2130705a09c4383d7aa1", "497368d886d52c35941a", "8972d765c6bf877934e7"]),
    ("Python: seeded once", &["fdd360f486d4e8d2", "0eccea894df99929", "2cdccdcf68db1662", "681719e46cef9833", "d9eb1f07ae59c09c", "5032b7dd0d8775e3"]),
    ("Java: nextLong", &["660a5a2eba331fac", "dd1b8ecfe97d5b7f", "0896995ad3b542cc", "07ec9460d5e77c05", "1a7430187520cb26", "d7a3f7f7e0131930"]),
    ("Java: nextInt(62)", &["fsyIZ0VurO97", "Sdl8hgTAUtiW", "DibWSIwzYRDr", "CuV26KID7tFm", "gB2oEz1SIO25", "ysBxc6KuSWUr"]),
    ("C: rand in hex", &["6e27008276226eac", "4bfc21167eedad5a", "6ac50e6208b68962", "49b6691d52afed95", "28b1d8bf1c879d20", "4798b5d5666c6b32"]),
    ("C: rand % 36", &["wix8sfd5gp5n", "2m258dsi29w1", "2a0l9j7xqt02", "15f0zu64urgu", "43fah4mx4rri", "mt6osoqo78io"]),
];

#[track_caller]
fn found(name: &str, report: &Report, how: How) {
    assert!(report.computed && report.explained.iter().any(|one| one.how == how), "{name}: {report:?}");
}

#[test]
fn six_tokens_show_a_seed_near_the_time() {
    for (name, tokens) in MADE {
        let at = |index: usize| 1_763_852_011_123 + 3_000 * index as u64;
        let sample = |(index, token): (usize, &&str)| Sample {
            value: (*token).to_owned(),
            at_millis: at(index),
            server_date: None,
            user: "alice".to_owned(),
        };
        let samples: Vec<_> = tokens.iter().enumerate().map(sample).collect();
        found(name, &predict(&samples), How::Seed);
    }
}

#[test]
fn java_shows_its_state_in_two_outputs() {
    let made = [
        "3b5a133207320ee4",
        "dad15ec12f27f872",
        "f459a7e4c483bdcf",
        "978aaff82c9e2792",
        "321cfca6cd9e366f",
        "43ec534533a2bacf",
        "b2d9978f29d92fc6",
        "580eb41d3fe75624",
    ];
    let samples = samples(8, 1, |token| made[usize::try_from(token.index).unwrap()].to_owned());
    found("nextLong", &predict(&samples), How::State);
}

#[test]
fn outputs_that_are_states_give_the_next() {
    let stream = |family, from: usize, count: usize| -> String {
        let mut machine = Machine::new(family);
        machine.seed(0x7b3a_9c15);
        (from..from + count).map(|at| hex(&machine.output(at).to_be_bytes())).collect()
    };
    for family in [Family::AnsiState, Family::Recipes, Family::Xorshift, Family::Minstd] {
        let of = |words: usize| {
            predict(&samples(20, 1, |made| {
                stream(family, usize::try_from(made.index + made.others).unwrap() * words, words)
            }))
        };
        found("two outputs in each", &of(2), How::State);
        found("one output in each", &of(1), How::State);
    }
    let of_twister =
        predict(&samples(200, 1, |made| stream(Family::Twister, usize::try_from(made.index).unwrap() * 4, 4)));
    found("156 tokens are 624 outputs", &of_twister, How::State);
    let of_glibc = predict(&samples(60, 1, |made| stream(Family::Glibc, usize::try_from(made.index).unwrap() * 2, 2)));
    found("16 tokens are 31 outputs", &of_glibc, How::State);
}

#[test]
fn rand_without_a_seed_is_found() {
    let mut machine = Machine::new(Family::Glibc);
    machine.seed(1);
    let outputs: Vec<_> = (0..2_000).map(|at| machine.output(at)).collect();
    let token = |from: u64| -> String {
        let from = usize::try_from(from).unwrap();
        outputs[from..from + 8].iter().filter_map(|output| char::from_digit(output % 16, 16)).collect()
    };
    found("rand() % 16", &predict(&samples(20, 1, |made| token(900 + 8 * (made.index + made.others)))), How::Seed);
}

#[test]
fn splitmix_is_found_in_little_endian_words() {
    let mut state = 0x1234_5678_9abc_def0_u64;
    let mut all = Vec::new();
    for _ in 0..30 {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        all.push(mixed ^ mixed >> 31);
    }
    found(
        "SplitMix64",
        &predict(&samples(20, 1, |made| hex(&all[usize::try_from(made.index).unwrap()].to_be_bytes()))),
        How::State,
    );
}

#[test]
fn words_of_mt19937_follow_from_those_before() {
    let mut machine = Machine::new(Family::Twister);
    machine.seed(7);
    let words: Vec<_> = (0..700).map(|at| untemper(machine.output(at))).collect();
    assert!((624..700).all(|at| words[at] == twist(words[at - 624], words[at - 623], words[at - 227])));
}
