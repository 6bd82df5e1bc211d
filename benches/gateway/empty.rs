//! An empty 200, served as the gateway serves decisions. What a decision costs is what is added to this.

use std::process::ExitCode;

use axum::Router;
use counterfoil_benches::Failed;
use counterfoil_serve::{Bound, Bounds};
use http::StatusCode;
use tokio::net::TcpListener;

fn main() -> ExitCode {
    match serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("empty: {error}");
            ExitCode::FAILURE
        }
    }
}

/// On a free port of loopback, which is printed; until somebody ends the process.
fn serve() -> Result<(), Failed> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", listener.local_addr()?);
        let app = Router::new().fallback(async || StatusCode::OK);
        let bound = Bound::plain(listener).within(Bounds::OF_PROXIES).with_plain_http2();
        bound.serve(app, std::future::pending()).await;
        Ok(())
    })
}
