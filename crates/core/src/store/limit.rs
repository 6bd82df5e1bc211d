//! The concurrent-session limit: who yields. Pure, and the same for every store that decides in this process.

use super::{Limit, OverLimit};
use crate::id::SessionId;
use crate::moment::Moment;

/// A session that shares the limit with another: of the same subject, neither over nor ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rival {
    /// Its id.
    pub id: SessionId,
    /// When it began.
    pub created_at: Moment,
    /// Whether its token was ever presented.
    pub presented: bool,
}

impl Limit {
    /// Which of `rivals` end so that one more session fits; `None` if it does not. Provisional ones yield first, and a
    /// provisional one never displaces a session that is in use: its reply may have been lost.
    pub fn make_room(&self, rivals: impl IntoIterator<Item = Rival>) -> Option<Vec<SessionId>> {
        let (used, provisional): (Vec<_>, Vec<_>) = rivals.into_iter().partition(|rival| rival.presented);
        if self.over == OverLimit::Refuse && used.len() >= self.most() {
            return None;
        }
        let excess = (used.len() + provisional.len() + 1).saturating_sub(self.most());
        Some(oldest(provisional, excess))
    }

    /// Which of `rivals` end because `id` is used for the first time: the oldest of those in use.
    pub fn yield_to_first_use(&self, id: SessionId, rivals: impl IntoIterator<Item = Rival>) -> Vec<SessionId> {
        let used: Vec<_> = rivals.into_iter().filter(|rival| rival.id != id && rival.presented).collect();
        let excess = (used.len() + 1).saturating_sub(self.most());
        oldest(used, excess)
    }

    fn most(self) -> usize {
        usize::try_from(self.max.get()).unwrap_or(usize::MAX)
    }
}

/// The ids of the `count` oldest.
fn oldest(mut rivals: Vec<Rival>, count: usize) -> Vec<SessionId> {
    rivals.sort_by_key(|rival| (rival.created_at, rival.id));
    rivals.iter().take(count).map(|rival| rival.id).collect()
}
