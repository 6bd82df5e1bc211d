//! A real Chromium, driven over its `DevTools` socket: started, looked at, and killed with everything it started.

#![expect(clippy::missing_errors_doc, reason = "every error says that the browser did not do as told")]

pub mod chromium;
pub mod devtools;
pub mod exchange;
pub mod form;
pub mod jar;
pub mod keyboard;
pub mod tab;
pub mod waiting;
