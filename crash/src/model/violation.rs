//! What can be wrong.

/// Something that must never be. Names sessions, never tokens.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Violation {
    #[error("{session}: {what} was acknowledged and is lost")]
    Lost { session: String, what: &'static str },
    #[error("{session}: it was over and is alive again{}", if *superseded { ", by a superseded token" } else { "" })]
    Revived { session: String, superseded: bool },
    #[error("{session}: the counter is {found}, and was acknowledged at {least} and asked to be {most} at most")]
    Counter { session: String, found: u64, least: u64, most: u64 },
    #[error("{session}: it is another session's, or another user's")]
    Other { session: String },
    #[error("{session}: of one ending some was done and some was not")]
    Half { session: String },
    #[error("{session}: it is stepped up, long after that was over")]
    Elevated { session: String },
    #[error("{deed} failed: {error}")]
    Failed { deed: &'static str, error: String },
    #[error("{deed} was answered as nothing can be")]
    Unexpected { deed: &'static str },
    #[error("answer {number} was never asked for")]
    Unasked { number: u64 },
}
