//! The demo's contract, from outside: what browsers, scripts and attackers are answered.

#[cfg(test)]
mod bad_input;
#[cfg(test)]
mod browser;
#[cfg(test)]
mod csrf;
#[cfg(test)]
mod detectors;
#[cfg(test)]
mod pages;
#[cfg(test)]
mod proxies;
#[cfg(test)]
mod remember;
#[cfg(test)]
mod routes;
#[cfg(test)]
mod second_factor;
#[cfg(test)]
mod several;
#[cfg(test)]
mod sign_in;
#[cfg(test)]
mod staying;
#[cfg(test)]
mod streams;
#[cfg(test)]
mod theft;
#[cfg(test)]
mod wire;
