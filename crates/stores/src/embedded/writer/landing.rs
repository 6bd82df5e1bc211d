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
    /// Batches that did not reach the disk. An error of the disk adds one, so there are few.
    lost: Vec<u64>,
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
                return if state.lost.contains(&turn) { Err(lost()) } else { Ok(()) };
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
                state.lost.push(turn);
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
