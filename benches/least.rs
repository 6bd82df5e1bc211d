//! The least a session layer with such tokens can do: what Counterfoil costs is best compared with this.

use std::process::ExitCode;

use counterfoil_benches::least;
use counterfoil_benches::server::serve_made;

fn main() -> ExitCode {
    serve_made(async || least::app())
}
