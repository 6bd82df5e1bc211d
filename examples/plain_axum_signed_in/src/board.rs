//! What the application keeps: notices and e-mail addresses, in memory.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Shared by all requests.
#[derive(Debug, Clone, Default)]
pub(crate) struct Board(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    /// Who, and what.
    notices: Vec<(String, String)>,
    emails: HashMap<String, String>,
}

#[derive(Debug, Clone)]
pub(crate) struct Notice {
    pub(crate) user: String,
    pub(crate) text: String,
    /// Where to answer.
    pub(crate) email: String,
}

impl Board {
    /// Newest first.
    pub(crate) fn notices(&self) -> Vec<Notice> {
        let kept = self.kept();
        let with_address = |(user, text): &(String, String)| {
            let email = kept.emails.get(user).cloned().unwrap_or_default();
            Notice { user: user.clone(), text: text.clone(), email }
        };
        kept.notices.iter().rev().map(with_address).collect()
    }

    pub(crate) fn post(&self, user: &str, text: &str) {
        self.kept().notices.push((user.to_owned(), text.to_owned()));
    }

    pub(crate) fn change_email(&self, user: &str, email: &str) {
        self.kept().emails.insert(user.to_owned(), email.to_owned());
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
