//! What `counterfoil serve` runs: sessions for apps in any language, behind any proxy.

pub mod accounts;
pub mod app;
pub mod assertion;
pub mod authz;
pub mod config;
mod decide;
pub mod gateway;
pub mod owned;
pub mod pages;
pub mod proxy_config;
pub mod request;
pub mod rules;
