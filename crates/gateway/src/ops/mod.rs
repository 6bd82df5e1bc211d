//! What operators watch: whether the gateway is alive and ready, and what it counts.

mod counted_store;
mod health;
mod measured;
mod meters;
#[cfg(test)]
mod packaged;
mod store_meters;

pub(crate) use self::counted_store::CountedStore;
pub use self::health::{Health, NearCacheFigures, Phase, router};
pub use self::measured::{Measured, Outcome, measured};
pub use self::meters::{Meters, SiteMeters};
