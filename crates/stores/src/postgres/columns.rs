//! What stands beside a record: that of its head by which the server decides. Times that it cannot write are "never".

use std::time::Duration;

use counterfoil_core::Moment;
use counterfoil_core::rules::Limits;
use counterfoil_core::stored::Head;

/// A record's columns.
pub(super) struct Columns {
    pub(super) created_at: i64,
    pub(super) global_epoch: i64,
    pub(super) subject_epoch: i64,
    pub(super) idle: i64,
    pub(super) unused_at: i64,
    pub(super) absolute_at: i64,
    pub(super) remember_at: i64,
    pub(super) forget_at: i64,
    pub(super) look_at: i64,
}

impl Columns {
    pub(super) fn of(head: &Head) -> Self {
        let (limits, created_at) = (&head.limits, head.created_at);
        Self {
            created_at: millis(created_at),
            global_epoch: number(head.epochs.global.0),
            subject_epoch: number(head.epochs.subject.0),
            idle: span(limits.idle),
            unused_at: unused_at(head),
            absolute_at: millis(created_at + limits.absolute),
            // Of a session that is not remembered, that time has always passed.
            remember_at: limits.remember_for.map_or(0, |span| millis(created_at + span)),
            forget_at: millis(head.forget_at()),
            look_at: millis(limits.first_look(created_at)),
        }
    }
}

/// When a session that nobody presents is over.
pub(super) fn unused_at(head: &Head) -> i64 {
    if head.life().provisional { millis(head.created_at + Limits::UNUSED) } else { NEVER }
}

pub(super) const fn millis(moment: Moment) -> i64 {
    number(moment.unix_millis())
}

fn span(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).map_or(NEVER, |millis| millis.min(NEVER))
}

pub(super) const fn number(number: u64) -> i64 {
    let signed = number.cast_signed();
    if signed < 0 || signed > NEVER { NEVER } else { signed }
}

/// A session's limit of so many bytes, or sessions, as the server takes it.
pub(super) fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Half of what the server can write, so that the sum of two still can be.
const NEVER: i64 = i64::MAX / 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_late_to_be_written_is_never() {
        let rows = [(0, 0), (7, 7), (u64::MAX, NEVER), (i64::MAX.unsigned_abs(), NEVER)];
        for (moment, written) in rows {
            assert_eq!(millis(Moment::from_unix_millis(moment)), written, "{moment}");
        }
        assert_eq!(span(Duration::MAX), NEVER);
        assert_eq!(span(Duration::from_micros(1_999)), 1);
        assert!(NEVER.checked_add(NEVER).is_some());
    }
}
