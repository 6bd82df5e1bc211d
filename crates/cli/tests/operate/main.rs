//! `counterfoil sessions`, `events` and `trail` on a running demo, as its operator uses them; and what nobody is told.

#[cfg(test)]
mod commands;
#[cfg(test)]
mod demo;
#[cfg(test)]
mod quiet;
#[cfg(test)]
mod signals;
