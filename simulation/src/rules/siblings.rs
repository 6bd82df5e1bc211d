//! A new sibling within grace: an old token is good for a while, and each use of it is answered with a token of its own.

use std::time::Duration;

use counterfoil_core::Moment;
use counterfoil_core::rules::family::{Context, Verdict};
use fastrand::Rng;

use super::{Rule, Timing};
use crate::token::{Token, nonce};

/// A tree of tokens: every presentation of a replaced token within grace grows a branch.
#[derive(Debug, Clone, Copy, Default)]
pub struct Siblings {
    timing: Timing,
}

/// The tokens that are good, or were until lately.
#[derive(Debug, Default)]
pub struct Tree {
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    token: Token,
    since: Moment,
    replaced: Option<Moment>,
}

impl Siblings {
    /// With this timing.
    pub const fn new(timing: Timing) -> Self {
        Self { timing }
    }
}

impl Rule for Siblings {
    type State = Tree;

    fn begin(&self, first: Token, now: Moment) -> Tree {
        Tree { rows: vec![Row { token: first, since: now, replaced: None }] }
    }

    fn judge(&self, tree: &mut Tree, token: &Token, _context: Context, now: Moment) -> Verdict {
        match tree.find(token) {
            Some(row) if row.is_good(now, self.timing.grace) => Verdict::Accept,
            _ => Verdict::Reuse,
        }
    }

    fn conclude(&self, tree: &mut Tree, token: &Token, _: Verdict, now: Moment, random: &mut Rng) -> Option<Token> {
        let Timing { grace, rotate_every } = self.timing;
        let row = tree.find(token).filter(|row| row.is_good(now, grace))?;
        if row.replaced.is_none() && now < row.since + rotate_every {
            return None;
        }
        row.replaced.get_or_insert(now);
        let sibling = token.successor(&nonce(random));
        tree.rows.retain(|row| row.is_good(now, grace));
        tree.rows.push(Row { token: sibling, since: now, replaced: None });
        Some(sibling)
    }
}

impl Tree {
    fn find(&mut self, token: &Token) -> Option<&mut Row> {
        self.rows.iter_mut().rev().find(|row| row.token == *token)
    }
}

impl Row {
    fn is_good(&self, now: Moment, grace: Duration) -> bool {
        self.replaced.is_none_or(|replaced| now <= replaced + grace)
    }
}
