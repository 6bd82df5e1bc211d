//! A folder with everything in it, as it lies on a disk.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::sparse::Sparse;

/// A folder with everything in it; names begin below it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Tree(pub(super) BTreeMap<PathBuf, Item>);

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Item {
    Folder,
    File(Sparse),
}

impl Tree {
    /// Reads a folder.
    pub(crate) fn read(folder: &Path) -> io::Result<Self> {
        let mut tree = Self::default();
        tree.add(folder, Path::new(""))?;
        Ok(tree)
    }

    fn add(&mut self, root: &Path, below: &Path) -> io::Result<()> {
        for entry in fs::read_dir(root.join(below))? {
            let entry = entry?;
            let name = below.join(entry.file_name());
            if entry.file_type()?.is_dir() {
                self.0.insert(name.clone(), Item::Folder);
                self.add(root, &name)?;
            } else {
                self.0.insert(name, Item::File(Sparse::read(&entry.path())?));
            }
        }
        Ok(())
    }

    /// Makes a new folder of it.
    pub(crate) fn put(&self, folder: &Path) -> io::Result<()> {
        fs::create_dir_all(folder)?;
        for (name, item) in &self.0 {
            match item {
                Item::Folder => fs::create_dir(folder.join(name))?,
                Item::File(content) => content.put(&folder.join(name))?,
            }
        }
        Ok(())
    }

    /// The first name under which the two differ.
    pub(crate) fn difference<'a>(&'a self, other: &'a Self) -> Option<&'a Path> {
        let names = self.0.keys().chain(other.0.keys());
        names.filter(|name| self.0.get(*name) != other.0.get(*name)).map(PathBuf::as_path).min()
    }
}
