//! How much memory the store may take beside its rows.

/// How much memory the store may take. A live session takes about 200 bytes beside this, wherever its record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settings {
    /// Records in memory, in bytes: what a read is answered from without the disk. By default 256 MiB, which is some
    /// 250,000 sessions in use; a record takes about 1 kB beside its data.
    pub cache_bytes: usize,
    /// Blocks of the engine's files in memory. By default 32 MiB: reads of what is not in memory are rare, and the
    /// system keeps the files as well.
    pub engine_cache_bytes: usize,
    /// What was written and is not in the engine's tables yet, for each of its four maps. By default 32 MiB: larger ones
    /// make fewer files, and a start read more of the journal.
    pub write_buffer_bytes: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self { cache_bytes: 256 * MIB, engine_cache_bytes: 32 * MIB, write_buffer_bytes: 32 * MIB }
    }
}

const MIB: usize = 1_024 * 1_024;
