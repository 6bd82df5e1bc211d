//! Serves the shop as it was, and after Enter as it is: sign in before, and see that you still are.

use example_moved::{after, before};
use tokio::net::TcpListener;
use tower_sessions::MemoryStore;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let old = MemoryStore::default();
    let enter = tokio::task::spawn_blocking(|| std::io::stdin().read_line(&mut String::new()));
    println!("the shop as it was, on http://{ADDRESS}; press Enter to move it. User ada, password ada-moved-1");
    tokio::select! {
        served = axum::serve(TcpListener::bind(ADDRESS).await?, before::app(old.clone())) => served?,
        _ = enter => println!("moved"),
    }
    Ok(axum::serve(TcpListener::bind(ADDRESS).await?, after::app(old)?).await?)
}

const ADDRESS: &str = "127.0.0.1:3000";
