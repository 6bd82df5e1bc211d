//! `counterfoil serve` and `counterfoil config check`, as people and service managers run them.

#[cfg(test)]
mod load;
#[cfg(test)]
mod logs;
#[cfg(test)]
mod running;
#[cfg(test)]
mod said;
#[cfg(test)]
mod shared_key;
#[cfg(test)]
mod signals;
