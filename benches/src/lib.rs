//! What Counterfoil costs, measured beside the same server without it.

pub mod curves;
pub mod durable;
pub mod instructions;
pub mod least;
pub mod load;
pub mod machine;
pub mod measure;
pub mod modes;
pub mod page;
pub mod peers;
pub mod pieces;
pub mod profile;
pub mod records;
pub mod requests;
pub mod server;
pub mod side_by_side;
pub mod site;
pub mod waiting;
pub mod watched;

use indicatif::{ProgressBar, ProgressStyle};

/// What every server here answers.
pub const BODY: &str = "one route, the same body, nothing else";

/// Any error, for programs that can only say what went wrong.
pub type Failed = Box<dyn std::error::Error + Send + Sync>;

/// A bar over `length` steps, drawn on a terminal only.
pub fn bar(length: usize, message: &'static str) -> ProgressBar {
    let bar = ProgressBar::new(length as u64).with_message(message);
    if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} (left {eta})") {
        bar.set_style(style);
    }
    bar
}
