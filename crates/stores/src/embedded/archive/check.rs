//! Looking at every entry of a store.

use counterfoil_core::SessionId;
use counterfoil_core::seal::Sealer;
use counterfoil_core::stored::{self, Stored, Tombstone};

use crate::embedded::Progress;
use crate::embedded::disk::{Space, View};
use crate::embedded::epochs::{self, hex};
use crate::embedded::error::DiskError;
use crate::embedded::load::{REFERENCE, id_of};
use crate::embedded::writer::reference_key;

/// What a check found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Checked {
    /// How many entries were looked at.
    pub entries: u64,
    /// What is wrong, the first thousand.
    pub findings: Vec<Finding>,
    /// How many more there are.
    pub more: u64,
}

/// An entry with which something is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// Which map it is in.
    pub space: &'static str,
    /// Its key: a session's id, else in hexadecimal.
    pub key: Box<str>,
    /// What is wrong.
    pub what: Box<str>,
}

pub(super) fn check(view: &dyn View, sealer: &Sealer, progress: &mut Progress<'_>) -> Result<Checked, DiskError> {
    let mut checked = Checked::default();
    for space in Space::ALL {
        view.scan(space, &[], &mut |key, value| {
            if let Err(what) = check_entry(view, sealer, space, key, value)? {
                checked.find(space, key, what);
            }
            checked.entries += 1;
            progress(checked.entries);
            Ok(())
        })?;
    }
    Ok(checked)
}

impl Checked {
    fn find(&mut self, space: Space, key: &[u8], what: String) {
        if self.findings.len() >= MOST_FINDINGS {
            self.more += 1;
            return;
        }
        let id = key.try_into().map(SessionId::from_bytes);
        let key =
            if space == Space::Sessions { id.map(|id| id.to_string()).ok() } else { None }.unwrap_or_else(|| hex(key));
        self.findings.push(Finding { space: space.name(), key: key.into(), what: what.into() });
    }
}

/// Whether one entry is sound. The outer error is the disk's.
fn check_entry(
    view: &dyn View,
    sealer: &Sealer,
    space: Space,
    key: &[u8],
    value: &[u8],
) -> Result<Result<(), String>, DiskError> {
    match space {
        Space::Sessions => {
            let Ok(id) = id_of(space, key) else { return Ok(Err("the key is not that of a session".into())) };
            check_session(view, sealer, id, value)
        }
        Space::Subjects => Ok(epochs::read_subject(key, value).map(drop).map_err(|error| error.to_string())),
        Space::Meta => Ok(epochs::check_meta(key, value).map_err(|error| error.to_string())),
        Space::References => {
            let Ok(id) = id_of(space, key.get(REFERENCE..).unwrap_or_default()) else {
                return Ok(Err("the key does not end with a session's id".into()));
            };
            let found = value_of(view, Space::Sessions, id.as_bytes())?;
            let live = found.is_some_and(|value| !matches!(stored::kind_of(&value), Ok(Stored::Tombstone)));
            Ok(if live { Ok(()) } else { Err(format!("leads to {id}, which has ended or is not there")) })
        }
    }
}

fn check_session(
    view: &dyn View,
    sealer: &Sealer,
    id: SessionId,
    value: &[u8],
) -> Result<Result<(), String>, DiskError> {
    let live = match stored::kind_of(value) {
        Ok(Stored::Tombstone) => {
            let stone = Tombstone::verify(value, sealer);
            return Ok(match stone {
                Ok(stone) if stone.id == id => Ok(()),
                Ok(stone) => Err(format!("the tombstone of {} lies here", stone.id)),
                Err(error) => Err(error.to_string()),
            });
        }
        _ => match stored::decode(id, value, sealer) {
            Ok(live) => live,
            Err(error) => return Ok(Err(error.to_string())),
        },
    };
    for reference in live.record.member().map(|member| member.references.as_slice()).unwrap_or_default() {
        let name = sealer.external(&reference.kind, &reference.value);
        if value_of(view, Space::References, &reference_key(name, id))?.is_none() {
            return Ok(Err(format!("its name as `{}` is not in the index", reference.kind)));
        }
    }
    Ok(Ok(()))
}

fn value_of(view: &dyn View, space: Space, key: &[u8]) -> Result<Option<Vec<u8>>, DiskError> {
    let mut found = None;
    view.scan(space, key, &mut |_, value| {
        found = Some(value.to_vec());
        Ok(())
    })?;
    Ok(found)
}

const MOST_FINDINGS: usize = 1_000;
