//! What `counterfoil serve` runs: sessions for apps in any language, behind any proxy.

pub mod accounts;
pub mod app;
pub mod config;
pub mod gateway;
pub mod pages;
pub mod rules;
