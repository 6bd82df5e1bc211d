//! The same server with Counterfoil around its route, as the quick start puts it there, all defaults on. Sessions are in
//! memory, or in the folder that its argument names.

use std::path::Path;
use std::process::ExitCode;

use counterfoil_benches::server::serve_made;
use counterfoil_benches::{site, watched};

fn main() -> ExitCode {
    let folder = std::env::args_os().nth(1);
    // Inside the runtime: a store in a folder is let go of there as well.
    serve_made(async move || match &folder {
        None => Ok(site::app()?.merge(watched::rooms()?)),
        Some(folder) => site::app_in(Path::new(folder)),
    })
}
