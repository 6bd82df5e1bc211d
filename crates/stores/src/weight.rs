//! What a record takes in memory, for budgets in bytes.

use counterfoil_core::{Holder, Record};

/// What a record takes in memory, roughly: the parts behind pointers are what differs.
pub(crate) fn of_record(record: &Record) -> usize {
    let holder = match &record.holder {
        Holder::Visitor(pending) => {
            if pending.is_some() {
                400
            } else {
                0
            }
        }
        Holder::Member(member) => {
            let references: usize =
                member.references.iter().map(|reference| 64 + reference.kind.len() + reference.value.len()).sum();
            400 + member.subject.as_str().len() + member.label.len() + references
        }
    };
    let link = if record.family.next.is_some() { 150 } else { 0 };
    size_of::<Record>() + ENTRY + holder + link + record.data.as_bytes().len()
}

/// What an entry costs beside its record: itself, counters, the allocator's share.
const ENTRY: usize = 80;
