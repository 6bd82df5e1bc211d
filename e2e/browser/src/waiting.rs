//! Waiting for what comes sooner or later.

use std::time::Duration;

use tokio::time::sleep;

use crate::devtools::{DevToolsError, PATIENCE};

/// Asks again and again until the answer is there.
///
/// # Errors
/// [`DevToolsError::Patience`] where it never is.
pub async fn until<T, E: From<DevToolsError>, F: Future<Output = Result<Option<T>, E>>>(
    what: &str,
    mut ask: impl FnMut() -> F,
) -> Result<T, E> {
    let asking = async {
        loop {
            if let Some(found) = ask().await? {
                return Ok(found);
            }
            sleep(Duration::from_millis(100)).await;
        }
    };
    let late = |_| DevToolsError::Patience { what: what.to_owned() };
    tokio::time::timeout(PATIENCE * 2, asking).await.map_err(late)?
}
