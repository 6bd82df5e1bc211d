//! The contract of the pages, from outside: what browsers, scripts and attackers are answered.

#[cfg(test)]
mod bad_input;
#[cfg(test)]
mod browser;
#[cfg(test)]
mod detectors;
#[cfg(test)]
mod devices;
#[cfg(test)]
mod hosts;
#[cfg(test)]
#[path = "../judge/mod.rs"]
mod judge;
#[cfg(test)]
mod markup;
#[cfg(test)]
mod operator;
#[cfg(test)]
mod routes;
#[cfg(test)]
mod second_factor;
#[cfg(test)]
mod sign_in;
