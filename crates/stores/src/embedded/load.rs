//! Filling the table from the disk: at start, and after the disk failed.

use counterfoil_core::SessionId;
use counterfoil_core::stored::{self, Head, Stored, Tombstone};

use super::Progress;
use super::disk::{Disk, Space};
use super::epochs::{self, hex};
use super::error::DiskError;
use super::table::{Row, State, Table, Traits, Whose};

/// Fills an empty table. How many records cannot be read: they stay, and are answered as corrupt.
pub(super) fn load(disk: &dyn Disk, table: &Table, progress: &mut Progress<'_>) -> Result<u64, DiskError> {
    table.set_global(epochs::read_global(disk)?);
    let view = disk.view();
    let mut subjects = Vec::new();
    view.scan(Space::Subjects, &[], &mut |key, value| {
        subjects.push(epochs::read_subject(key, value)?);
        Ok(())
    })?;
    // In the order in which they rose: a sweep stops at the first that is still of use.
    subjects.sort_by_key(|(_, moved)| moved.at);
    for (subject, moved) in subjects {
        table.shard_of(subject.bucket()).set_epoch(subject, moved);
    }
    let (mut loaded, mut unreadable) = (0_u64, 0);
    view.scan(Space::Sessions, &[], &mut |key, value| {
        let id = id_of(Space::Sessions, key)?;
        let mut shard = table.shard_of(id.bucket());
        match read(id, value) {
            Some(Found::Session(head)) => {
                shard.add(row_of(&head), head.subject, None);
            }
            Some(Found::Stone(stone)) => {
                shard.add(Row::stone(id, State::Ended(stone.reason), stone.forget_at), None, None);
            }
            None => {
                unreadable += 1;
                shard.add(Row::stone(id, State::Unreadable, counterfoil_core::Moment::EPOCH), None, None);
            }
        }
        loaded += 1;
        progress(loaded);
        Ok(())
    })?;
    view.scan(Space::References, &[], &mut |key, _| {
        let id = key.get(REFERENCE..).unwrap_or_default();
        let id = id_of(Space::References, id)?;
        let mut shard = table.shard_of(id.bucket());
        if let Some(row) = shard.find(id).and_then(|index| shard.row_mut(index))
            && let State::Live(traits) = &mut row.state
        {
            traits.referenced = true;
        }
        Ok(())
    })?;
    Ok(unreadable)
}

/// The row of a session as its record's head has it.
pub(super) fn row_of(head: &Head) -> Row {
    let traits = Traits { whose: Whose::of(head), referenced: false };
    Row {
        created_at: head.created_at,
        seen_at: head.seen_at,
        revision: head.revision,
        epochs: head.epochs,
        limits: head.limits,
        ..Row::stone(head.id, State::Live(traits), head.created_at)
    }
}

/// The id that is a key.
pub(super) fn id_of(space: Space, key: &[u8]) -> Result<SessionId, DiskError> {
    let id = key.try_into().map(SessionId::from_bytes);
    id.map_err(|_| DiskError::said("reading", space, format!("the key {} is not that of a session", hex(key))))
}

enum Found {
    Session(Box<Head>),
    Stone(Tombstone),
}

fn read(id: SessionId, value: &[u8]) -> Option<Found> {
    match stored::kind_of(value).ok()? {
        Stored::Record => {
            stored::decode_head(value).ok().filter(|head| head.id == id).map(|head| Found::Session(Box::new(head)))
        }
        Stored::Tombstone => Tombstone::from_bytes(value).ok().filter(|stone| stone.id == id).map(Found::Stone),
    }
}

/// Bytes of a reference's keyed hash, in front of the id in a key of [`Space::References`].
pub(super) const REFERENCE: usize = 16;
