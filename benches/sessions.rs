//! The same server with Counterfoil around its route, as the quick start puts it there, all defaults on.

use std::process::ExitCode;

use counterfoil_benches::server::serve;
use counterfoil_benches::site;

fn main() -> ExitCode {
    match site::app() {
        Ok(app) => serve(app),
        Err(error) => {
            eprintln!("sessions: {error}");
            ExitCode::FAILURE
        }
    }
}
