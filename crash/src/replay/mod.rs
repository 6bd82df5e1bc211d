//! A recording played back onto a disk that forgets: what lies on it if the power is cut at some moment.
//!
//! What was synchronised stays. Of what was written since, a file keeps nothing, a prefix with a torn end, or some of its
//! sectors; a folder keeps the first of its changes.

mod file;
mod folder;
mod sparse;
#[cfg(test)]
mod tests;
mod tree;

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use self::file::{Content, Edit};
use self::folder::{Names, Naming};
use self::tree::Item;

pub(crate) use self::file::Kept;
pub(crate) use self::tree::Tree;
use crate::recording::{Event, Kind};

/// A disk that forgets.
#[derive(Debug)]
pub(crate) struct Disk {
    nodes: Vec<Node>,
    handles: HashMap<u32, usize>,
    rules: Rules,
    /// How many changes of names there were.
    namings: u64,
    /// What was there when synchronising was asked for, by the number of the question.
    asked: HashMap<u64, Asked>,
}

/// What is on the disk once a question is answered.
#[derive(Debug, Clone, Copy)]
struct Asked {
    node: usize,
    edits: u64,
    namings: u64,
}

/// What the disk promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rules {
    pub(crate) sync: Sync,
    pub(crate) names: NamesLast,
}

/// What synchronising is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sync {
    Honest,
    /// Nothing at all, although the disk says that it was done.
    Lying,
}

/// When a name is on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum NamesLast {
    /// Once its folder was synchronised: all that POSIX promises. Each folder forgets for itself.
    Folder,
    /// Once anything was synchronised, and in the order of the changes: as file systems with a journal do.
    Journal,
}

#[derive(Debug)]
enum Node {
    File(Content),
    Folder(Names),
}

/// The recording says something that cannot be.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Impossible {
    #[error("{}: there is no such file", .0.display())]
    Missing(PathBuf),
    #[error("handle {0} was never opened")]
    Handle(u32),
    #[error("{}: a file went to another folder, which is not foreseen", .0.display())]
    Moved(PathBuf),
}

impl Disk {
    /// A disk on which everything in `tree` lies safely.
    pub(crate) fn of(tree: &Tree, rules: Rules) -> Self {
        let mut disk = Self { nodes: Vec::new(), handles: HashMap::new(), rules, namings: 0, asked: HashMap::new() };
        disk.lay(tree, Path::new(""));
        disk
    }

    fn lay(&mut self, tree: &Tree, below: &Path) -> usize {
        let node = self.add(Node::Folder(Names::default()));
        let mut names = BTreeMap::new();
        for (path, item) in tree.0.iter().filter(|(path, _)| path.parent() == Some(below)) {
            let child = match item {
                Item::Folder => self.lay(tree, path),
                Item::File(content) => self.add(Node::File(Content::of(content.clone()))),
            };
            names.insert(path.file_name().unwrap_or_default().to_owned(), child);
        }
        if let Some(place) = self.nodes.get_mut(node) {
            *place = Node::Folder(Names::of(names));
        }
        node
    }

    fn add(&mut self, node: Node) -> usize {
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    /// Plays one event.
    pub(crate) fn play(&mut self, event: &Event) -> Result<(), Impossible> {
        match event.kind {
            Kind::Open => self.open(event)?,
            Kind::Write => self.edit(event.handle, Edit::Write { at: event.number, bytes: event.rest.clone() })?,
            Kind::Length => self.edit(event.handle, Edit::Length(event.number))?,
            Kind::SyncAsked => self.ask(event)?,
            Kind::Synced => self.synchronise(event)?,
            Kind::Rename => {
                let to = event.to();
                if event.name.parent() != to.parent() {
                    return Err(Impossible::Moved(event.name.clone()));
                }
                self.name(&to, Naming::Moved(last(&event.name).to_owned(), last(&to).to_owned()))?;
            }
            Kind::Link => {
                let (node, to) = (self.find(&event.name)?, event.to());
                self.name(&to, Naming::Added(last(&to).to_owned(), node))?;
            }
            Kind::Unlink | Kind::RemoveFolder => {
                self.find(&event.name)?;
                self.name(&event.name, Naming::Removed(last(&event.name).to_owned()))?;
            }
            Kind::MakeFolder => {
                let node = self.add(Node::Folder(Names::default()));
                self.name(&event.name, Naming::Added(last(&event.name).to_owned(), node))?;
            }
            Kind::Note => {}
        }
        Ok(())
    }

    fn open(&mut self, event: &Event) -> Result<(), Impossible> {
        let node = if let Ok(node) = self.find(&event.name) {
            node
        } else {
            let node = self.add(Node::File(Content::default()));
            self.name(&event.name, Naming::Added(last(&event.name).to_owned(), node))?;
            node
        };
        self.handles.insert(event.handle, node);
        if event.number == 1 { self.edit(event.handle, Edit::Length(0)) } else { Ok(()) }
    }

    fn edit(&mut self, handle: u32, edit: Edit) -> Result<(), Impossible> {
        let node = *self.handles.get(&handle).ok_or(Impossible::Handle(handle))?;
        match self.nodes.get_mut(node) {
            Some(Node::File(content)) => content.edit(edit),
            _ => return Err(Impossible::Handle(handle)),
        }
        Ok(())
    }

    fn ask(&mut self, event: &Event) -> Result<(), Impossible> {
        let node = *self.handles.get(&event.handle).ok_or(Impossible::Handle(event.handle))?;
        let edits = if let Some(Node::File(content)) = self.nodes.get(node) { content.edits() } else { 0 };
        self.asked.insert(event.number, Asked { node, edits, namings: self.namings });
        Ok(())
    }

    fn synchronise(&mut self, event: &Event) -> Result<(), Impossible> {
        let asked = self.asked.remove(&event.number).ok_or(Impossible::Handle(event.handle))?;
        if self.rules.sync == Sync::Lying {
            return Ok(());
        }
        match self.nodes.get_mut(asked.node) {
            Some(Node::File(content)) => content.synchronise(asked.edits),
            Some(Node::Folder(names)) => names.synchronise(asked.namings),
            None => return Err(Impossible::Handle(event.handle)),
        }
        if self.rules.names == NamesLast::Journal {
            for names in self.nodes.iter_mut().filter_map(Node::as_folder_mut) {
                names.synchronise(asked.namings);
            }
        }
        Ok(())
    }

    fn name(&mut self, path: &Path, naming: Naming) -> Result<(), Impossible> {
        let folder = self.find(path.parent().unwrap_or(Path::new("")))?;
        self.namings += 1;
        match self.nodes.get_mut(folder) {
            Some(Node::Folder(names)) => names.change(self.namings, naming),
            _ => return Err(Impossible::Missing(path.to_owned())),
        }
        Ok(())
    }

    fn find(&self, path: &Path) -> Result<usize, Impossible> {
        let step = |node: usize, name| self.nodes.get(node).and_then(Node::as_folder)?.get(name);
        let found = path.iter().try_fold(ROOT, step);
        found.ok_or_else(|| Impossible::Missing(path.to_owned()))
    }

    /// Everything as it is, without a cut.
    pub(crate) fn live(&self) -> Tree {
        self.collect(&mut |names| names.now().clone(), &mut |_| Kept::Everything)
    }

    /// What a power cut leaves: how, these dice say.
    pub(crate) fn cut(&self, dice: &mut fastrand::Rng) -> Tree {
        let manner = dice.u8(..4);
        let all: Vec<u64> = self.nodes.iter().filter_map(Node::as_folder).flat_map(Names::pending).collect();
        let upto = one_of(&all, dice);
        let mut for_names = dice.fork();
        let mut kept_names = |names: &Names| match (manner, self.rules.names) {
            (0, _) => names.left(0),
            (_, NamesLast::Journal) => names.left(upto),
            (_, NamesLast::Folder) => names.left(one_of(&names.pending().collect::<Vec<_>>(), &mut for_names)),
        };
        let mut kept_bytes = |content: &Content| match (manner, dice.u8(..4)) {
            (0, _) | (1.., 0) => Kept::Nothing,
            (1, _) | (2.., 1) => Kept::Sectors(dice.u64(..)),
            (2.., 2) => Kept::Everything,
            _ => Kept::First { edits: dice.usize(..=content.pending()), sectors: dice.u64(..8) },
        };
        self.collect(&mut kept_names, &mut kept_bytes)
    }

    fn collect(
        &self,
        kept_names: &mut dyn FnMut(&Names) -> BTreeMap<std::ffi::OsString, usize>,
        kept_bytes: &mut dyn FnMut(&Content) -> Kept,
    ) -> Tree {
        let (mut tree, mut waiting) = (Tree::default(), vec![(PathBuf::new(), ROOT)]);
        while let Some((path, node)) = waiting.pop() {
            let item = match self.nodes.get(node) {
                Some(Node::Folder(names)) => {
                    waiting.extend(kept_names(names).into_iter().map(|(name, node)| (path.join(name), node)));
                    Item::Folder
                }
                Some(Node::File(content)) => Item::File(content.left(&kept_bytes(content))),
                None => continue,
            };
            if node != ROOT {
                tree.0.insert(path, item);
            }
        }
        tree
    }
}

impl Node {
    const fn as_folder(&self) -> Option<&Names> {
        match self {
            Self::Folder(names) => Some(names),
            Self::File(_) => None,
        }
    }

    const fn as_folder_mut(&mut self) -> Option<&mut Names> {
        match self {
            Self::Folder(names) => Some(names),
            Self::File(_) => None,
        }
    }
}

/// The number before which all is kept: one of these, or beyond them all.
fn one_of(numbers: &[u64], dice: &mut fastrand::Rng) -> u64 {
    numbers.get(dice.usize(..=numbers.len())).copied().unwrap_or(u64::MAX)
}

fn last(path: &Path) -> &OsStr {
    path.file_name().unwrap_or_default()
}

const ROOT: usize = 0;
