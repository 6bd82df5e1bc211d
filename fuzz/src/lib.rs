//! What must hold for any input of Counterfoil's readers. A target panics where it does not.
#![expect(clippy::expect_used, reason = "a target reports by panicking")]

mod address;
mod cookie;
mod csrf;
mod headers;
mod origin;
mod payload;
mod record;
mod request;
mod token;

/// One reader, and what must hold for it.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// The name of the target and of its corpus.
    pub name: &'static str,
    /// Panics if something that must hold for `input` does not.
    pub check: fn(&[u8]),
    /// Words that get a mutation past the first byte.
    pub words: &'static [&'static str],
}

/// All targets.
pub const TARGETS: [Target; 9] = [
    address::TARGET,
    cookie::TARGET,
    csrf::TARGET,
    headers::TARGET,
    origin::TARGET,
    payload::TARGET,
    record::TARGET,
    request::TARGET,
    token::TARGET,
];

/// The target of this name.
pub fn find(name: &str) -> Option<&'static Target> {
    static ALL: [Target; 9] = TARGETS;
    ALL.iter().find(|target| target.name == name)
}

/// The input as lines: for readers of several values.
fn lines(input: &[u8]) -> impl DoubleEndedIterator<Item = &[u8]> {
    input.split(|byte| *byte == b'\n')
}
