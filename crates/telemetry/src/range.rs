//! Numbers in settings that may not be everything.

/// A number in the settings does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{key} = {value} must be {least} to {most}")]
pub struct OutOfRange {
    /// The setting.
    pub key: &'static str,
    /// What it is.
    pub value: u64,
    /// The least that it may be.
    pub least: u64,
    /// The most.
    pub most: u64,
}

/// `value`, or the default where there is none.
pub(crate) fn within(
    key: &'static str,
    value: Option<u64>,
    default: u64,
    (least, most): (u64, u64),
) -> Result<u64, OutOfRange> {
    let value = value.unwrap_or(default);
    if (least..=most).contains(&value) { Ok(value) } else { Err(OutOfRange { key, value, least, most }) }
}

/// The same for a count.
pub(crate) fn count(
    key: &'static str,
    value: Option<u64>,
    default: usize,
    range: (u64, u64),
) -> Result<usize, OutOfRange> {
    let value = within(key, value, default as u64, range)?;
    Ok(usize::try_from(value).unwrap_or(default))
}
