//! What this stops and what it does not, why each default is as it is, and where tokens may live in a browser.
//!
//! * [`threats`]: who attacks a session, what stops them here, and what does not.
//! * [`defaults`]: every default with its reason and source, and what weakens it.
//! * [`browser_tokens`]: where a token may live in a browser, and where it may not.

pub mod browser_tokens;
pub mod defaults;
pub mod threats;
