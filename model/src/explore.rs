//! Breadth first, to a fixpoint: the first counterexample found is among the shortest.

use std::collections::BTreeMap;
use std::hash::BuildHasher as _;

use foldhash::fast::FixedState;
use hashbrown::HashTable;

use crate::event::Event;
use crate::property::Property;
use crate::state::State;
use crate::world::{Step, World};

/// What an exploration found.
#[derive(Debug)]
pub struct Explored {
    /// How many distinct states were reached.
    pub states: usize,
    /// How many steps were looked at.
    pub steps: u64,
    /// The longest of the shortest ways to a state, in steps.
    pub depth: usize,
    /// Which kinds of events were seen, and how often.
    pub kinds: BTreeMap<&'static str, u64>,
    /// Whether every state that can be reached was reached.
    pub complete: bool,
    /// The first way found to break a property.
    pub broken: Option<Broken>,
}

/// A property, and a shortest history that breaks it.
#[derive(Debug)]
pub struct Broken {
    /// Which property.
    pub property: Property,
    /// The history: each event with the absolute generation of the record before it.
    pub history: Vec<(Event, i64)>,
}

/// Explores `world` until nothing is new, something is broken, or `limit` states are known.
pub fn explore(world: &World<'_>, limit: usize) -> Explored {
    let mut known = Known::default();
    known.add(State::begin().canonical(), NONE);
    let (mut steps, mut looked, mut index) = (Vec::new(), 0, 0);
    let (mut depth, mut level_end) = (0, 1);
    let (mut broken, mut kinds) = (None, BTreeMap::new());
    while let Some(state) = known.states.get(index).copied() {
        if index == level_end {
            (depth, level_end) = (depth + 1, known.states.len());
        }
        if known.states.len() > limit {
            break;
        }
        steps.clear();
        world.steps(&state, &mut steps);
        looked += steps.len() as u64;
        if let Some(step) = steps.iter().find(|step| step.broken.is_some()) {
            broken = known.history(world, index, step);
            break;
        }
        for step in &steps {
            *kinds.entry(kind(&state, step)).or_default() += 1;
            known.add(step.after, index);
        }
        index += 1;
    }
    Explored { states: known.states.len(), steps: looked, depth, kinds, complete: index == known.states.len(), broken }
}

fn kind(state: &State, step: &Step) -> &'static str {
    if state.followed_far(step.event) {
        return FOLLOWED;
    }
    step.event.kind()
}

/// The known limit of detection, which must be reachable or the model is too kind.
pub const FOLLOWED: &str = "a thief who took every successor is admitted three links on";

/// Every state reached so far, in the order found, and from which it was found.
#[derive(Default)]
struct Known {
    states: Vec<State>,
    parents: Vec<u32>,
    table: HashTable<u32>,
    hasher: FixedState,
}

impl Known {
    fn add(&mut self, state: State, parent: usize) {
        let hash = self.hasher.hash_one(state);
        let states = &self.states;
        let same = |index: &u32| states.get(*index as usize) == Some(&state);
        if self.table.find(hash, same).is_some() {
            return;
        }
        let hasher = &self.hasher;
        let index = u32::try_from(states.len()).unwrap_or(u32::MAX);
        self.table
            .insert_unique(hash, index, |index| states.get(*index as usize).map_or(0, |state| hasher.hash_one(state)));
        self.states.push(state);
        self.parents.push(u32::try_from(parent).unwrap_or(u32::MAX));
    }

    /// The way to `last`, found again from the parents.
    fn history(&self, world: &World<'_>, end: usize, last: &Step) -> Option<Broken> {
        let mut path = vec![*self.states.get(end)?];
        let mut index = end;
        while let Some(parent) = self.parents.get(index).map(|parent| *parent as usize)
            && let Some(state) = self.states.get(parent)
        {
            path.push(*state);
            index = parent;
        }
        path.reverse();
        let (mut history, mut origin) = (Vec::new(), 0);
        let mut steps = Vec::new();
        for (from, to) in path.iter().zip(path.iter().skip(1)) {
            steps.clear();
            world.steps(from, &mut steps);
            let step = steps.iter().find(|step| step.after == *to)?;
            history.push((step.event, origin));
            origin += i64::from(step.ahead);
        }
        history.push((last.event, origin));
        Some(Broken { property: last.broken?, history })
    }
}

const NONE: usize = u32::MAX as usize;
