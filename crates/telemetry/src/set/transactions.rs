//! Which transactions passed through here, and who began them: what was told and comes back is no news.
//!
//! Two sites that tell each other would otherwise go on for ever: each would end the user's sessions because the other just
//! did, and nobody could stay signed in.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::told::EventId;

/// Remembers where each of the last transactions came from first. Cheap to clone: clones know the same.
///
/// Only ids of events are transactions here (`evt_…`): they are random, so no two sites use the same one by chance. What
/// another kind of transmitter calls `txn` is not looked at.
#[derive(Clone)]
pub struct Transactions(Arc<Mutex<Known>>);

struct Known {
    most: usize,
    origins: HashMap<EventId, Origin>,
    oldest_first: VecDeque<EventId>,
}

/// From whom it came first; `None` where it began here.
type Origin = Option<Arc<str>>;

impl Transactions {
    fn with_room_for(most: usize) -> Self {
        Self(Arc::new(Mutex::new(Known { most, origins: HashMap::new(), oldest_first: VecDeque::new() })))
    }

    /// It began here.
    pub(super) fn begin_here(&self, txn: EventId) {
        self.0.lock().first_from(txn, None);
    }

    /// Whether `txn`, which `issuer` tells of now, is news: it did not begin here, and nobody else told of it before.
    pub(super) fn is_news(&self, txn: EventId, issuer: &Arc<str>) -> bool {
        self.0.lock().first_from(txn, Some(issuer)).as_ref() == Some(issuer)
    }
}

impl Known {
    /// Who was first, which is whoever comes now where nobody was. Where there is no room, the oldest goes.
    fn first_from(&mut self, txn: EventId, origin: Option<&Arc<str>>) -> Origin {
        if let Some(first) = self.origins.get(&txn) {
            return first.clone();
        }
        self.origins.insert(txn, origin.cloned());
        self.oldest_first.push_back(txn);
        while self.oldest_first.len() > self.most {
            if let Some(oldest) = self.oldest_first.pop_front() {
                self.origins.remove(&oldest);
            }
        }
        origin.cloned()
    }
}

impl Default for Transactions {
    /// With room for 100,000: more than a site tells while one of them is on its way. Some 10 MB at most.
    fn default() -> Self {
        Self::with_room_for(100_000)
    }
}

impl fmt::Debug for Transactions {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Transactions").field("known", &self.0.lock().origins.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn txn(number: u8) -> EventId {
        EventId::from_bytes([number; 16])
    }

    #[test]
    fn a_transaction_is_news_from_whoever_told_of_it_first_and_from_nobody_else() {
        let transactions = Transactions::default();
        let (idp, mail) = (Arc::from("https://idp.example"), Arc::from("https://mail.example"));
        transactions.begin_here(txn(1));
        assert!(!transactions.is_news(txn(1), &idp), "it began here");
        assert!(transactions.is_news(txn(2), &idp));
        assert!(transactions.is_news(txn(2), &Arc::from("https://idp.example")), "one transaction is several tokens");
        assert!(!transactions.is_news(txn(2), &mail), "it went round");
        transactions.begin_here(txn(2));
        assert!(transactions.is_news(txn(2), &idp), "what is told because of it did not begin here");
    }

    #[test]
    fn the_oldest_is_forgotten_where_there_is_no_room() {
        let transactions = Transactions::with_room_for(2);
        let [idp, mail] = ["https://idp.example", "https://mail.example"].map(Arc::from);
        (1..=3).for_each(|number| assert!(transactions.is_news(txn(number), &idp)));
        assert!(transactions.is_news(txn(1), &mail));
        assert!(!transactions.is_news(txn(3), &mail));
        let known = transactions.0.lock();
        assert_eq!((known.origins.len(), known.oldest_first.len()), (2, 2));
    }
}
