//! Waiting until what was applied in memory is on the disk.

use counterfoil_core::store::StoreError;
use futures_channel::oneshot;
use parking_lot::Mutex;

/// Which batches are on the disk, and who waits for the one under way.
#[derive(Debug, Default)]
pub(in crate::embedded) struct Landing(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// The last batch whose fate is known.
    last: u64,
    /// The last one that did not reach the disk. The table was read anew after it: who still asks for it, or for one
    /// before it, looked at a table that is gone.
    lost: u64,
    waiting: Vec<oneshot::Sender<bool>>,
    /// Whether no batch will follow.
    closed: bool,
}

impl Landing {
    /// Waits for a batch.
    pub(in crate::embedded) async fn wait(&self, turn: u64) -> Result<(), StoreError> {
        let waiting = {
            let mut state = self.0.lock();
            if turn <= state.last {
                return if turn <= state.lost { Err(lost()) } else { Ok(()) };
            }
            if state.closed {
                return Err(lost());
            }
            let (sender, receiver) = oneshot::channel();
            state.waiting.push(sender);
            receiver
        };
        if waiting.await == Ok(true) { Ok(()) } else { Err(lost()) }
    }

    /// No batch follows: whoever waits is told that it waits for nothing.
    pub(super) fn close(&self) {
        let waiting = {
            let mut state = self.0.lock();
            state.closed = true;
            std::mem::take(&mut state.waiting)
        };
        drop(waiting);
    }

    /// A batch is on the disk, or will never be.
    pub(super) fn is_known(&self, turn: u64, landed: bool) {
        let waiting = {
            let mut state = self.0.lock();
            state.last = turn;
            if !landed {
                state.lost = turn;
            }
            std::mem::take(&mut state.waiting)
        };
        for reader in waiting {
            // It may have gone away meanwhile.
            let _ = reader.send(landed);
        }
    }
}

fn lost() -> StoreError {
    StoreError::Unavailable("the disk did not take what this answer rests on".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_executor::block_on;

    #[test]
    fn an_answer_stands_only_if_no_batch_was_lost_since() {
        let landing = Landing::default();
        for (turn, landed) in [(1, true), (2, false), (3, false), (4, true)] {
            landing.is_known(turn, landed);
        }
        for (turn, stands) in [(1, false), (2, false), (3, false), (4, true)] {
            assert_eq!(block_on(landing.wait(turn)).is_ok(), stands, "{turn}");
        }
    }
}
