//! What nodes count together.

use super::{Answer, Ask};
use crate::store::{BoxFuture, StoreError};

/// A count that many nodes share: each decision is one step that nobody can come between.
///
/// Whoever asks keeps a [`Ledger`](super::Ledger) of its own, and goes by it where this does not answer.
pub trait SharedLimits: Send + Sync + 'static {
    /// Admits what fits in all its budgets, and charges them; or charges none. It decides as a
    /// [`Ledger`](super::Ledger) does.
    ///
    /// # Errors
    /// [`StoreError`]: it may or may not have been charged.
    fn ask<'a>(&'a self, ask: &'a Ask) -> BoxFuture<'a, Result<Answer, StoreError>>;

    /// Takes the charge back; where `learn`, the account is known there from now on.
    ///
    /// # Errors
    /// [`StoreError`]: it may or may not have been done, and is not tried again.
    fn give_back<'a>(&'a self, ask: &'a Ask, familiar: bool, learn: bool) -> BoxFuture<'a, Result<(), StoreError>>;
}
