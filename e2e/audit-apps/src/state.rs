//! What an application keeps, as lines that can be compared: rows of its database, and its files.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use aws_lc_rs::digest::{SHA256, digest};

use crate::house::LOG;

/// A name for each thing that is kept, and a hash of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct State(BTreeMap<String, String>);

impl State {
    /// Of lines, each by itself and however often.
    pub(crate) fn of_lines(lines: &str) -> Self {
        let mut state = Self::default();
        for line in lines.lines() {
            let count = state.0.entry(line.to_owned()).or_default();
            count.push('+');
        }
        state
    }

    /// Of the files below a folder, by their names and what is in them; not those whose names have one of `except` in them.
    pub(crate) fn of_files(folder: &Path, except: &[&str]) -> io::Result<Self> {
        let mut state = Self::default();
        state.walk(folder, folder, except)?;
        Ok(state)
    }

    pub(crate) fn and(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// What is there in one of the two alone, or is not the same; the first few.
    pub(crate) fn difference(&self, after: &Self) -> Vec<String> {
        let short = |text: &str| text.chars().take(160).collect::<String>();
        let gone = self.0.iter().filter(|(key, value)| after.0.get(*key) != Some(*value));
        let new = after.0.keys().filter(|key| !self.0.contains_key(*key));
        let gone = gone.map(|(key, _)| format!("was: {}", short(key)));
        gone.chain(new.map(|key| format!("is: {}", short(key)))).take(8).collect()
    }

    fn walk(&mut self, root: &Path, folder: &Path, except: &[&str]) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let name = path.strip_prefix(root).unwrap_or(&path).display().to_string();
            if name.ends_with(LOG) || except.iter().any(|part| format!("/{name}").contains(part)) {
                continue;
            }
            if path.is_dir() {
                self.walk(root, &path, except)?;
            } else if let Ok(bytes) = fs::read(&path) {
                // What has no bytes to read, such as a socket, keeps nothing.
                let hash = digest(&SHA256, &bytes);
                self.0.insert(name, format!("{hash:?}"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_more_line_like_another_is_a_difference() {
        let (one, two) = (State::of_lines("a\nb"), State::of_lines("a\nb\nb"));
        assert_eq!(one.difference(&one), Vec::<String>::new());
        assert_eq!(one.difference(&two), ["was: b"]);
        assert_eq!(State::of_lines("a").difference(&one), ["is: b"]);
    }

    #[test]
    fn a_file_that_is_written_is_a_difference_unless_it_is_declared() {
        let folder = tempfile::tempdir().unwrap();
        let look = |except: &[&str]| State::of_files(folder.path(), except).unwrap();
        fs::create_dir(folder.path().join("sessions")).unwrap();
        let before = (look(&[]), look(&["/sessions/"]));
        fs::write(folder.path().join("sessions/one"), "a session").unwrap();
        assert_eq!(before.0.difference(&look(&[])), ["is: sessions/one"]);
        assert!(before.1.difference(&look(&["/sessions/"])).is_empty());
    }
}
