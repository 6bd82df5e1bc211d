//! What is kept for each key, in bounded memory: when it will have recovered.

use super::KeyId;

/// A number for each key. Where there is no room, the key that will have recovered first is forgotten.
///
/// # Security
/// A million keys cost what a few cost, once the memory is full: it never grows. Whoever wants another key forgotten must
/// bring keys of the same set that are further from recovered than it: sets are chosen by a keyed hash, so nobody can
/// aim, and to spend more than a spent budget in every set takes more tries than the budgets of so many keys allow
/// anybody who does not own a large part of the network. What is lost by being forgotten is one burst.
#[derive(Debug)]
pub struct Table {
    /// In sets; a cell is the key's mark and its number. Nothing lies there while the number is zero.
    cells: Box<[[u64; 2]]>,
    sets: usize,
}

impl Table {
    /// With room for this many keys at most, 16 bytes each. The memory is the system's until it is used.
    pub fn of(keys: usize) -> Self {
        let sets = keys.div_ceil(WAYS).max(1);
        Self { cells: vec![[0; 2]; sets * WAYS].into_boxed_slice(), sets }
    }

    /// The key's number; zero where nothing is known of it.
    pub fn get(&self, key: KeyId) -> u64 {
        let (mark, set) = self.place(key);
        let cells = self.cells.get(set..set + WAYS).unwrap_or_default();
        cells.iter().find(|[of, _]| *of == mark).map_or(0, |[_, until]| *until)
    }

    /// Keeps the key's number until that time is past.
    pub fn put(&mut self, key: KeyId, until: u64) {
        let (mark, set) = self.place(key);
        let cells = self.cells.get_mut(set..set + WAYS).unwrap_or_default();
        let own = cells.iter().position(|[of, _]| *of == mark);
        // What is past is smaller than what is not, and an empty cell smallest of all.
        let at = own.or_else(|| cells.iter().enumerate().min_by_key(|(_, [_, until])| *until).map(|(at, _)| at));
        if let Some(cell) = at.and_then(|at| cells.get_mut(at)) {
            *cell = [mark, until];
        }
    }

    fn place(&self, KeyId(bytes): KeyId) -> (u64, usize) {
        let bits = u128::from_be_bytes(bytes);
        let count = u128::try_from(self.sets).unwrap_or(1);
        let (mark, set) = ((bits >> 64) as u64, ((bits & u128::from(u64::MAX)) % count) as usize);
        (mark, set * WAYS)
    }
}

/// Looked through one by one: two lines of a processor's cache.
const WAYS: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    fn key(mark: u64, set: u64) -> KeyId {
        KeyId((u128::from(mark) << 64 | u128::from(set)).to_be_bytes())
    }

    #[test]
    fn what_was_put_is_found_and_nothing_else() {
        let mut table = Table::of(64);
        table.put(key(1, 3), 100);
        table.put(key(2, 3), 200);
        table.put(key(1, 3), 300);
        assert_eq!([key(1, 3), key(2, 3), key(3, 3), key(1, 4)].map(|key| table.get(key)), [300, 200, 0, 0]);
    }

    #[test]
    fn in_a_full_set_the_key_nearest_to_recovered_is_forgotten() {
        let mut table = Table::of(8);
        for (mark, until) in [(1, 800), (2, 300), (3, 500), (4, 700), (5, 900), (6, 400), (7, 600), (8, 1_000)] {
            table.put(key(mark, 0), until);
        }
        table.put(key(9, 0), 350);
        assert_eq!((table.get(key(2, 0)), table.get(key(9, 0)), table.get(key(6, 0))), (0, 350, 400));
    }

    #[test]
    fn a_million_keys_take_the_room_there_is() {
        let mut table = Table::of(1_024);
        for n in 0..1_000_000_u64 {
            table.put(key(n + 1, n.wrapping_mul(0x9e37_79b9_7f4a_7c15)), n);
        }
        assert_eq!(table.cells.len(), 1_024);
        assert!(table.cells.iter().all(|[_, until]| *until > 990_000), "the latest are there");
    }
}
