//! What it takes to put a real proxy with its generated configuration before an app: programs, files, and plain wire.

pub mod house;
pub mod kind;
pub mod process;
pub mod server;
pub mod site;
pub mod tls;
pub mod verdict;
pub mod wire;
