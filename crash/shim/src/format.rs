//! How a recording is written: one record for each change, little-endian. Shared by the shim, which writes it, and `crash`,
//! which reads it.
//!
//! `length of the rest: u32 ‖ kind: u8 ‖ handle: u32 ‖ number: u64 ‖ length of name: u32 ‖ name ‖ rest`

/// What happened. A handle stands for an opened file, whatever its number was; names begin below the watched folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `name` was opened as `handle`; made if it was missing. `number` is 1 if it was emptied.
    Open,
    /// `rest` was written at offset `number`.
    Write,
    /// The length became `number`.
    Length,
    /// What was written so far was asked to be on the disk; `number` stands for the question.
    SyncAsked,
    /// It is there.
    Synced,
    /// `name` became `rest`.
    Rename,
    /// `rest` is a second name of `name`.
    Link,
    /// `name` is gone.
    Unlink,
    /// A folder was made.
    MakeFolder,
    /// An empty folder is gone.
    RemoveFolder,
    /// `rest` was appended to the file of notes, which no power cut touches.
    Note,
}

impl Kind {
    /// All of them, by the number that stands for each.
    pub(crate) const ALL: [Self; 11] = [
        Self::Open,
        Self::Write,
        Self::Length,
        Self::SyncAsked,
        Self::Synced,
        Self::Rename,
        Self::Link,
        Self::Unlink,
        Self::MakeFolder,
        Self::RemoveFolder,
        Self::Note,
    ];
}

/// The watched folder, without symbolic links.
pub(crate) const WATCH: &str = "COUNTERFOIL_CRASH_WATCH";
/// The file of notes.
pub(crate) const NOTES: &str = "COUNTERFOIL_CRASH_NOTES";
/// Where the recording goes: outside the watched folder.
pub(crate) const RECORDING: &str = "COUNTERFOIL_CRASH_RECORDING";
