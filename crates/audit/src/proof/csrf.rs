//! Requests that other sites cause. Whether one did something is read back from the site, never taken from a status.

pub(super) mod attacks;
mod changes;
mod sign;
pub(super) mod target;

use super::Proof;
use crate::rule;

pub(super) static CHANGES: Proof =
    Proof { rules: changes::RULES, repeats_itself: false, prove: |site, _| Box::pin(changes::prove(site)) };

pub(super) static SIGN_IN: Proof =
    Proof { rules: &[&rule::CSRF_SIGN_IN], repeats_itself: false, prove: |site, _| Box::pin(sign::sign_in(site)) };

pub(super) static SIGN_OUT: Proof =
    Proof { rules: &[&rule::CSRF_SIGN_OUT], repeats_itself: false, prove: |site, _| Box::pin(sign::sign_out(site)) };
