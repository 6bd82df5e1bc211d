//! What `counterfoil serve` runs: sessions for apps in any language, behind any proxy.

pub mod app;
pub mod config;
pub mod gateway;
pub mod proxy_config;
pub mod rules;
