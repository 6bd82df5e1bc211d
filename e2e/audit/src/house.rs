//! What a small site keeps: two people, their notes, their sessions. Sound by itself; sites add the flaws.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use aws_lc_rs::digest::{SHA256, digest};
use parking_lot::Mutex;

/// Everything one twin keeps, in memory.
pub(crate) struct House {
    /// Whether this is the vulnerable twin.
    pub(crate) flawed: bool,
    /// Made at start, for sites that sign.
    pub(crate) secret: String,
    /// When it was opened, in seconds since 1970.
    pub(crate) born: u64,
    people: Mutex<BTreeMap<String, Person>>,
    sessions: Mutex<BTreeMap<String, Session>>,
    drawer: Mutex<BTreeMap<String, String>>,
    numbers: AtomicU64,
    harm: AtomicU64,
}

/// Somebody with an account.
#[derive(Debug, Clone, Default)]
struct Person {
    password: String,
    notes: Vec<String>,
}

/// A session, of somebody or of nobody yet.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    /// What the cookie holds.
    pub(crate) id: String,
    /// Who has signed in.
    pub(crate) user: Option<String>,
    /// What forms have to carry.
    pub(crate) csrf: String,
    /// When it was made.
    pub(crate) made: Instant,
    /// When it was last used.
    pub(crate) used: Instant,
    /// Whether somebody has proved again who they are.
    pub(crate) raised: bool,
    /// Where a flow has stopped half-way, and for whom.
    pub(crate) pending: Option<String>,
}

impl Session {
    /// A new one, known to nobody but the caller.
    pub(crate) fn new(id: String, user: Option<&str>) -> Self {
        let now = Instant::now();
        let user = user.map(str::to_owned);
        Self { id, user, csrf: random(), made: now, used: now, raised: false, pending: None }
    }

    /// Whether it is within both limits.
    pub(crate) fn within(&self, idle: Duration, absolute: Duration) -> bool {
        self.used.elapsed() < idle && self.made.elapsed() < absolute
    }
}

impl House {
    /// With alice, bob and nothing else.
    pub(crate) fn new(flawed: bool) -> Self {
        let people = PEOPLE
            .map(|(name, password)| (name.to_owned(), Person { password: password.to_owned(), notes: Vec::new() }));
        Self {
            flawed,
            secret: random(),
            born: now().as_secs(),
            people: Mutex::new(people.into()),
            sessions: Mutex::default(),
            drawer: Mutex::default(),
            numbers: AtomicU64::new(1000),
            harm: AtomicU64::new(0),
        }
    }

    /// Whether that is somebody's password.
    pub(crate) fn knows(&self, user: &str, password: &str) -> bool {
        self.people.lock().get(user).is_some_and(|person| person.password == password)
    }

    /// Whether there is such an account.
    pub(crate) fn has(&self, user: &str) -> bool {
        self.people.lock().contains_key(user)
    }

    /// Gives somebody another password.
    pub(crate) fn set_password(&self, user: &str, password: &str) {
        if let Some(person) = self.people.lock().get_mut(user) {
            password.clone_into(&mut person.password);
        }
    }

    /// Adds a note, and forgets the oldest of many.
    pub(crate) fn note(&self, user: &str, text: &str) {
        if let Some(person) = self.people.lock().get_mut(user) {
            person.notes.push(text.to_owned());
            let many = person.notes.len().saturating_sub(NOTES_KEPT);
            person.notes.drain(..many);
        }
    }

    /// What somebody has noted.
    pub(crate) fn notes(&self, user: &str) -> Vec<String> {
        self.people.lock().get(user).map(|person| person.notes.clone()).unwrap_or_default()
    }

    /// A new session under a random id.
    pub(crate) fn open(&self, user: Option<&str>) -> Session {
        let session = Session::new(random(), user);
        self.save(&session);
        session
    }

    /// Writes a session, whether or not there is one of that id.
    pub(crate) fn save(&self, session: &Session) {
        let mut sessions = self.sessions.lock();
        sessions.insert(session.id.clone(), session.clone());
    }

    /// The session of that id; it counts as used.
    pub(crate) fn find(&self, id: &str) -> Option<Session> {
        let mut sessions = self.sessions.lock();
        let session = sessions.get_mut(id)?;
        let before = session.clone();
        session.used = Instant::now();
        Some(before)
    }

    /// Ends one session.
    pub(crate) fn end(&self, id: &str) {
        self.sessions.lock().remove(id);
    }

    /// Ends all sessions of somebody but one.
    pub(crate) fn end_others(&self, user: &str, but: &str) {
        self.sessions.lock().retain(|id, session| session.user.as_deref() != Some(user) || id == but);
    }

    /// Every session of somebody.
    pub(crate) fn sessions_of(&self, user: &str) -> Vec<Session> {
        let sessions = self.sessions.lock();
        sessions.values().filter(|session| session.user.as_deref() == Some(user)).cloned().collect()
    }

    /// Whether that is the form token of any session.
    pub(crate) fn anybodys_token(&self, token: &str) -> bool {
        self.sessions.lock().values().any(|session| session.csrf == token)
    }

    /// Keeps what only one site keeps.
    pub(crate) fn put(&self, name: &str, value: &str) {
        self.drawer.lock().insert(name.to_owned(), value.to_owned());
    }

    /// What was put there.
    pub(crate) fn look(&self, name: &str) -> Option<String> {
        self.drawer.lock().get(name).cloned()
    }

    /// The same, once.
    pub(crate) fn take(&self, name: &str) -> Option<String> {
        self.drawer.lock().remove(name)
    }

    /// A number one higher than the last.
    pub(crate) fn number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }

    /// Somebody did what no profile declares.
    pub(crate) fn harmed(&self) {
        self.harm.fetch_add(1, Ordering::Relaxed);
    }

    /// A hash of what lasts, but for the notes, which profiles declare.
    pub(crate) fn state(&self) -> String {
        let mut text = format!("harm {}\n", self.harm.load(Ordering::Relaxed));
        for (name, person) in self.people.lock().iter() {
            _ = writeln!(text, "{name} {}", person.password);
        }
        hex(digest(&SHA256, text.as_bytes()).as_ref())
    }
}

/// 128 random bits.
pub(crate) fn random() -> String {
    hex(&random_bytes::<16>())
}

/// Random bytes; a machine without a generator gets no site.
pub(crate) fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    if aws_lc_rs::rand::fill(&mut bytes).is_err() {
        std::process::abort();
    }
    bytes
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}

/// Seconds and milliseconds since 1970.
pub(crate) fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// Who has an account everywhere, and how they get in.
pub(crate) const PEOPLE: [(&str, &str); 2] = [("alice", "Violet-Anchor-51"), ("bob", "Copper-Lantern-82")];

const NOTES_KEPT: usize = 50;
