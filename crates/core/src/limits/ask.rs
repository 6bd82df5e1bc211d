//! Which budgets a try is charged to.

use std::net::{IpAddr, Ipv6Addr};

use super::{Act, AddressRates, Ask, Budget, KeyId, LimitSettings, Per, Rate};
use crate::id::SessionId;
use crate::keys::SharedRing;

/// How whatever a budget is for becomes the name of a key: hashed with a secret, so that nobody who sees keys learns of
/// whom, and nobody can choose where one lies.
pub trait Keying {
    /// The hash of these parts, in this order and with these boundaries.
    fn key(&self, parts: &[&[u8]]) -> KeyId;
}

/// Who tries something, as far as it is known.
#[derive(Debug, Clone, Copy, Default)]
pub struct Asker {
    /// Where from. Without it nothing is charged to an address, and no place is known.
    pub client: Option<IpAddr>,
    /// The session of the browser, if it has one.
    pub session: Option<SessionId>,
    /// Whether that session is of the account that is tried: somebody signed in to it there, and may be remembered since.
    pub is_theirs: bool,
}

/// Under the root key that is never rotated and that all nodes have.
impl Keying for SharedRing {
    fn key(&self, parts: &[&[u8]]) -> KeyId {
        KeyId(self.load().counted(parts))
    }
}

impl LimitSettings {
    /// A try at the password of `subject`.
    pub fn sign_in(&self, keys: &impl Keying, asker: Asker, subject: &str) -> Ask {
        let rates = self.sign_in;
        let mut ask = self.of_account(keys, asker, subject, Act::SignIn, (rates.subject, rates.place));
        let addresses =
            asker.client.into_iter().flat_map(|client| by_address(keys, Act::SignIn, client, rates.by_address()));
        ask.strangers.splice(0..0, addresses);
        ask
    }

    /// A try at a one-time code of `subject`, whose password was right.
    pub fn code(&self, keys: &impl Keying, asker: Asker, subject: &str) -> Ask {
        self.of_account(keys, asker, subject, Act::Code, (self.code.subject, self.code.place))
    }

    /// A try at what only the session's own user knows.
    pub fn step_up(&self, keys: &impl Keying, session: SessionId) -> Ask {
        self.by_session(keys, Act::StepUp, session, self.step_up.session)
    }

    /// Asking to stay signed in.
    pub fn refresh(&self, keys: &impl Keying, session: SessionId) -> Ask {
        self.by_session(keys, Act::Refresh, session, self.refresh.session)
    }

    /// A new session for whoever is at this address.
    pub fn session_creation(&self, keys: &impl Keying, client: IpAddr) -> Ask {
        let strangers = by_address(keys, Act::SessionCreation, client, self.session_creation).collect();
        Ask { strangers, ..self.nothing(Act::SessionCreation) }
    }

    /// A request from this address that was refused as cross-site.
    pub fn csrf_failure(&self, keys: &impl Keying, client: IpAddr) -> Ask {
        let strangers = by_address(keys, Act::CsrfFailure, client, self.csrf_failures).collect();
        Ask { strangers, ..self.nothing(Act::CsrfFailure) }
    }

    fn of_account(
        &self,
        keys: &impl Keying,
        asker: Asker,
        subject: &str,
        act: Act,
        (of_strangers, of_place): (Rate, Rate),
    ) -> Ask {
        let account = |per, rate: Rate, rest: &[u8]| {
            let key = keys.key(&[act.as_str().as_bytes(), Per::as_str(per).as_bytes(), subject.as_bytes(), rest]);
            Budget { per, key, pace: rate.pace() }
        };
        let at = asker.client.map(|client| account(Per::Place, of_place, &address(client).octets()));
        let device = asker.session.filter(|_| asker.is_theirs);
        let device = device.map(|session| account(Per::Device, of_place, session.as_bytes()));
        // A place is known for signing in, whatever is tried there.
        let known = asker.client.map(|client| keys.key(&[b"known", subject.as_bytes(), &address(client).octets()]));
        Ask {
            own: device.or(at),
            strangers: vec![account(Per::Subject, of_strangers, &[])],
            place: known,
            familiar: device.is_some(),
            ..self.nothing(act)
        }
    }

    fn by_session(&self, keys: &impl Keying, act: Act, session: SessionId, rate: Rate) -> Ask {
        let key = keys.key(&[act.as_str().as_bytes(), Per::Session.as_str().as_bytes(), session.as_bytes()]);
        Ask { own: Some(Budget { per: Per::Session, key, pace: rate.pace() }), ..self.nothing(act) }
    }

    fn nothing(&self, act: Act) -> Ask {
        Ask { act, own: None, strangers: Vec::new(), place: None, familiar: false, known_for: self.known_for.into() }
    }
}

fn by_address(keys: &impl Keying, act: Act, client: IpAddr, rates: AddressRates) -> impl Iterator<Item = Budget> {
    let budget = move |per: Per, rate: Rate, bytes: &[u8]| {
        let key = keys.key(&[act.as_str().as_bytes(), per.as_str().as_bytes(), bytes]);
        Budget { per, key, pace: rate.pace() }
    };
    let subscriber = address(client);
    let wide = match client.to_canonical() {
        IpAddr::V4(_) => None,
        IpAddr::V6(six) => Some(budget(Per::Network, rates.network(), &masked(six, 48).octets())),
    };
    std::iter::once(budget(Per::Address, rates.address, &subscriber.octets())).chain(wide)
}

/// The unit one subscriber holds: an IPv4 address, mapped into IPv6, or the /64 of an IPv6 address.
fn address(client: IpAddr) -> Ipv6Addr {
    match client.to_canonical() {
        IpAddr::V4(four) => four.to_ipv6_mapped(),
        IpAddr::V6(six) => masked(six, 64),
    }
}

fn masked(address: Ipv6Addr, length: u32) -> Ipv6Addr {
    Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << (128 - length)))
}
