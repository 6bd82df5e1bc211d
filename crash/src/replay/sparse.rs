//! The bytes of one file; what was never written takes no room.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

/// The bytes of one file.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sparse {
    pages: BTreeMap<u64, Box<[u8]>>,
    length: u64,
}

impl Sparse {
    pub(crate) const fn length(&self) -> u64 {
        self.length
    }

    pub(crate) fn write(&mut self, at: u64, bytes: &[u8]) {
        let (mut at, mut bytes) = (at, bytes);
        while !bytes.is_empty() {
            let start = place(at % PAGE);
            let (now, later) = bytes.split_at(bytes.len().min(place(PAGE) - start));
            let page = self.pages.entry(at / PAGE).or_insert_with(|| vec![0; place(PAGE)].into());
            if let Some(part) = page.get_mut(start..start + now.len()) {
                part.copy_from_slice(now);
            }
            at += now.len() as u64;
            bytes = later;
        }
        self.length = self.length.max(at);
    }

    /// Cuts the file short, or lengthens it with zeros.
    pub(crate) fn set_length(&mut self, length: u64) {
        self.length = length;
        self.pages.split_off(&length.div_ceil(PAGE));
        if let Some(rest) = self.pages.get_mut(&(length / PAGE)).and_then(|page| page.get_mut(place(length % PAGE)..)) {
            rest.fill(0);
        }
    }

    /// Reads a file.
    pub(crate) fn read(path: &Path) -> io::Result<Self> {
        let mut sparse = Self::default();
        for (number, page) in (0..).zip(std::fs::read(path)?.chunks(place(PAGE))) {
            if page.iter().any(|byte| *byte != 0) {
                sparse.write(number * PAGE, page);
            }
        }
        sparse.length = std::fs::metadata(path)?.len();
        Ok(sparse)
    }

    /// Makes a file of it.
    pub(crate) fn put(&self, path: &Path) -> io::Result<()> {
        let file = File::create(path)?;
        file.set_len(self.length)?;
        for (number, page) in &self.pages {
            let end = place(PAGE.min(self.length.saturating_sub(number * PAGE)));
            file.write_all_at(page.get(..end).unwrap_or_default(), number * PAGE)?;
        }
        Ok(())
    }

    /// The pages that hold something.
    fn written(&self) -> impl Iterator<Item = (&u64, &Box<[u8]>)> {
        self.pages.iter().filter(|(_, page)| page.iter().any(|byte| *byte != 0))
    }
}

impl PartialEq for Sparse {
    fn eq(&self, other: &Self) -> bool {
        self.length == other.length && self.written().eq(other.written())
    }
}

fn place(offset: u64) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}

const PAGE: u64 = 4_096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_holds_what_was_written_and_zeros_elsewhere() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let mut sparse = Sparse::default();
        sparse.write(4_090, b"across pages");
        sparse.set_length(9_000);
        sparse.put(&path).unwrap();
        let read = std::fs::read(&path).unwrap();
        assert_eq!((read.len(), &read[4_090..4_102]), (9_000, &b"across pages"[..]));
        assert_eq!(read.iter().filter(|byte| **byte != 0).count(), 12);
        assert!(Sparse::read(&path).unwrap() == sparse);
    }

    #[test]
    fn what_was_cut_off_reads_as_zeros_if_the_file_grows_again() {
        let mut sparse = Sparse::default();
        sparse.write(0, &[7; 5_000]);
        sparse.set_length(3);
        sparse.set_length(6_000);
        let mut expected = Sparse::default();
        expected.write(0, &[7; 3]);
        expected.set_length(6_000);
        assert!(sparse == expected);
        expected.set_length(6_001);
        assert!(sparse != expected);
    }
}
