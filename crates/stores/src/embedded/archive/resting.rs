//! Which sessions end when a key is taken out of the ring.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use counterfoil_core::keys::KeyId;
use counterfoil_core::rules::Standing;
use counterfoil_core::seal::Sealer;
use counterfoil_core::store::{Epochs, Summary};
use counterfoil_core::stored::{self, Head, StoredRecord};
use counterfoil_core::{Moment, Subject};

use crate::embedded::Progress;
use crate::embedded::disk::{Disk, Space};
use crate::embedded::epochs;
use crate::embedded::error::DiskError;

/// The live sessions that rest on a key.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Resting {
    /// How many sessions are live.
    pub live: u64,
    /// How many of them rest on the key: rather too many than too few, for when exactly a token was made is not kept.
    pub resting: u64,
    /// How many people those belong to.
    pub people: u64,
    /// The first of them that somebody is signed in with, and who that is.
    pub first: Vec<(Subject, Summary)>,
}

pub(super) fn resting_on(
    disk: &dyn Disk,
    sealer: &Sealer,
    key: KeyId,
    signed: Range<Moment>,
    now: Moment,
    progress: &mut Progress<'_>,
) -> Result<Resting, DiskError> {
    let (view, global) = (disk.view(), epochs::read_global(disk)?.epoch);
    let mut moved = HashMap::new();
    view.scan(Space::Subjects, &[], &mut |key, value| {
        let (subject, epoch) = epochs::read_subject(key, value)?;
        moved.insert(subject, epoch.epoch);
        Ok(())
    })?;
    let (mut found, mut people, mut done) = (Resting::default(), HashSet::new(), 0);
    view.scan(Space::Sessions, &[], &mut |_, value| {
        done += 1;
        progress(done);
        let Ok(head) = stored::decode_head(value) else { return Ok(()) };
        let subject = head.subject.map(|subject| moved.get(&subject).copied().unwrap_or_default());
        if !is_live(&head, Epochs { global, subject: subject.unwrap_or_default() }, now) {
            return Ok(());
        }
        found.live += 1;
        if head.may_rest_on(key, signed.start, signed.end) {
            found.resting += 1;
            people.extend(head.subject);
            if found.first.len() < FIRST {
                found.first.extend(member(value, sealer));
            }
        }
        Ok(())
    })?;
    Ok(Resting { people: people.len() as u64, ..found })
}

/// A session that somebody may use.
fn is_live(head: &Head, current: Epochs, now: Moment) -> bool {
    if head.family.is_closed() {
        return false;
    }
    let before = head.epochs.global < current.global || head.epochs.subject < current.subject;
    !before && !matches!(head.limits.judge(&head.life(), now), Standing::Over(_))
}

/// Whose session it is; `None` if nobody's, or if it does not open: then it is over in any case.
fn member(value: &[u8], sealer: &Sealer) -> Option<(Subject, Summary)> {
    let live = StoredRecord::from_bytes(value).ok()?.open(sealer).ok()?;
    let subject = live.record.member()?.subject.clone();
    Summary::of(&live.record, live.seen_at).map(|summary| (subject, summary))
}

/// How many are told by name.
const FIRST: usize = 10;
