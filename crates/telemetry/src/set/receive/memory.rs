//! Which tokens were dealt with: what is sent again within its time does nothing again.

use std::collections::{HashSet, VecDeque};
use std::fmt;

use aws_lc_rs::digest;
use counterfoil_core::Moment;
use parking_lot::Mutex;

/// A token's name: half a hash of its issuer and its `jti`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Name([u8; 16]);

/// Names of tokens, each until its time is over. Where there is no room, the oldest goes.
pub(super) struct Memory {
    most: usize,
    names: Mutex<Names>,
}

#[derive(Default)]
struct Names {
    known: HashSet<Name>,
    until: VecDeque<(Moment, Name)>,
}

impl Name {
    pub(super) fn of(issuer: &str, jti: &str) -> Self {
        let length = (issuer.len() as u64).to_be_bytes();
        let mut hash = digest::Context::new(&digest::SHA256);
        for part in [&length[..], issuer.as_bytes(), jti.as_bytes()] {
            hash.update(part);
        }
        let mut name = [0; 16];
        name.iter_mut().zip(hash.finish().as_ref()).for_each(|(to, from)| *to = *from);
        Self(name)
    }
}

impl Memory {
    pub(super) fn with_room_for(most: usize) -> Self {
        Self { most, names: Mutex::default() }
    }

    pub(super) fn knows(&self, name: Name, now: Moment) -> bool {
        let mut names = self.names.lock();
        while let Some((until, _)) = names.until.front()
            && *until < now
        {
            names.forget_the_first();
        }
        names.known.contains(&name)
    }

    pub(super) fn remember(&self, name: Name, until: Moment) {
        let mut names = self.names.lock();
        if names.known.insert(name) {
            names.until.push_back((until, name));
        }
        while names.until.len() > self.most {
            names.forget_the_first();
        }
    }
}

impl Names {
    fn forget_the_first(&mut self) {
        if let Some((_, name)) = self.until.pop_front() {
            self.known.remove(&name);
        }
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self::with_room_for(MOST)
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Memory").field("names", &self.names.lock().known.len()).finish_non_exhaustive()
    }
}

/// More than a transmitter tells in a day; some 10 MB.
const MOST: usize = 100_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_known_until_its_time_is_over_and_the_oldest_goes_first_where_there_is_no_room() {
        let at = Moment::from_unix_seconds;
        let memory = Memory::with_room_for(3);
        let name = |jti: u8| Name::of("https://a.example", &jti.to_string());
        memory.remember(name(1), at(10));
        memory.remember(name(1), at(99));
        assert!(memory.knows(name(1), at(10)) && !memory.knows(name(2), at(10)));
        assert!(!memory.knows(name(1), at(11)));
        (1..=4).for_each(|jti| memory.remember(name(jti), at(20)));
        assert_eq!([1, 2, 3, 4].map(|jti| memory.knows(name(jti), at(15))), [false, true, true, true]);
        assert!(!memory.knows(name(2), at(21)));
        let names = memory.names.lock();
        assert!(names.known.is_empty() && names.until.is_empty());
    }

    #[test]
    fn names_of_two_issuers_never_meet() {
        assert_ne!(Name::of("https://a", "bc"), Name::of("https://ab", "c"));
        assert_ne!(Name::of("https://a", "1"), Name::of("https://b", "1"));
        assert_eq!(Name::of("https://a", "1"), Name::of("https://a", "1"));
    }
}
