//! What a browser, or somebody who is none, sends and keeps.

mod reading;
mod writing;
