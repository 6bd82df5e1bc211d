//! Stores for Counterfoil sessions that outlive a restart, and the cache before one that nodes share; one feature each.

#[cfg(feature = "embedded")]
pub mod embedded;
#[cfg(feature = "near-cache")]
pub mod near_cache;
#[cfg(feature = "postgres")]
pub mod postgres;
#[cfg(any(feature = "postgres", feature = "redis"))]
mod recent;
#[cfg(feature = "redis")]
pub mod redis;
#[cfg(test)]
#[cfg(any(feature = "postgres", feature = "redis"))]
mod side_by_side;
#[cfg(any(feature = "embedded", feature = "near-cache", feature = "postgres", feature = "redis"))]
mod weight;

pub use counterfoil_core::stored::Format;
