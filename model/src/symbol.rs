//! Between the model's small chains and the core's families: the one place where symbols become hashes and moments.

use counterfoil_core::Moment;
use counterfoil_core::keys::KeyId;
use counterfoil_core::rules::family::{Context, Family, Link, Presented, Seen};
use counterfoil_core::token::{Nonce, TokenHash};

use crate::bounds::Bounds;
use crate::state::{Chain, Network, OfferKey, OpenLink, Sent, Token};

/// A chain as the core's family; `ahead` is where its generation stands, counted from the stored record's.
pub(crate) fn family(chain: &Chain, ahead: i8, keys: &Keys) -> Family {
    let current = Token { generation: ahead, sibling: chain.sibling };
    Family {
        generation: generation(ahead),
        current: hash(current),
        closed_at: moment(chain.closed),
        next: chain.link.map(|link| Box::new(self::link(link, ahead, keys))),
    }
}

fn link(link: OpenLink, ahead: i8, keys: &Keys) -> Link {
    let successor = Token { generation: ahead + 1, sibling: link.sibling };
    Link {
        hash: hash(successor),
        key: match link.key {
            OfferKey::Todays => keys.todays,
            OfferKey::Older => keys.older,
        },
        nonce: Nonce::from_bytes([link.sibling; 16]),
        seen: link.seen.map(|(age, network)| Seen { at: moment(age), context: context(network) }),
        until: link.until.map(moment),
    }
}

/// The family as a chain, and how many generations it is ahead of the stored record.
///
/// `before` is the chain it came from: how its tokens were sent is the model's to remember, not the family's.
pub(crate) fn chain(family: &Family, before: &Chain, keys: &Keys, bounds: Bounds) -> (Chain, i8) {
    let ahead = i8::try_from(i64::from(family.generation) - i64::from(GENERATION)).unwrap_or(i8::MAX);
    let settled = ahead > 0;
    let sent = match before.link {
        Some(link) if settled => link.sent,
        _ => before.sent,
    };
    let link = family.next.as_deref().map(|link| OpenLink {
        sibling: sibling(&link.hash),
        seen: link.seen.map(|seen| (age(seen.at), network(seen.context))),
        until: link.until.map(age),
        key: if link.key == keys.todays { OfferKey::Todays } else { OfferKey::Older },
        sent: before.link.filter(|_| !settled).map_or(Sent::Once, |link| link.sent),
    });
    let mut chain = Chain { closed: age(family.closed_at), sibling: sibling(&family.current), sent, link };
    chain.cap(bounds);
    (chain, ahead)
}

/// A token as the rules see it.
pub(crate) fn presented(token: Token) -> Presented {
    Presented { generation: generation(token.generation), hash: hash(token) }
}

/// A token's hash: no two tokens share one.
pub(crate) fn hash(token: Token) -> TokenHash {
    let mut bytes = [0; 32];
    bytes[0] = token.generation.to_be_bytes()[0];
    bytes[1] = token.sibling;
    TokenHash::from_bytes(bytes)
}

/// What the rules see of a network.
pub(crate) fn context(network: Network) -> Context {
    Context::new(1, &[network as u8])
}

/// The two chain keys: today's, and one that stays in the ring for links offered under it.
pub(crate) struct Keys {
    pub(crate) todays: KeyId,
    pub(crate) older: KeyId,
}

impl Keys {
    pub(crate) fn new() -> Option<Self> {
        Some(Self { todays: KeyId::new("today").ok()?, older: KeyId::new("older").ok()? })
    }
}

fn generation(ahead: i8) -> u32 {
    GENERATION.saturating_add_signed(ahead.into())
}

/// The moment `age` ticks ago.
pub(crate) fn moment(age: i8) -> Moment {
    Moment::from_unix_seconds(NOW.saturating_sub_signed(age.into()))
}

fn age(moment: Moment) -> i8 {
    let age = NOW.cast_signed() - moment.unix_seconds().cast_signed();
    i8::try_from(age.clamp(i8::MIN.into(), i8::MAX.into())).unwrap_or(i8::MAX)
}

fn sibling(hash: &TokenHash) -> u8 {
    hash.as_bytes()[1]
}

fn network(context: Context) -> Network {
    match context.as_bytes()[1] {
        0 => Network::Home,
        1 => Network::Away,
        _ => Network::Thiefs,
    }
}

/// Every state is put at the same moment; only ages count.
const NOW: u64 = 1_000_000_000;
/// Every record is put at the same generation; only differences count.
const GENERATION: u32 = 1_000;

#[cfg(test)]
mod tests {
    use counterfoil_core::rules::family::Verdict;
    use proptest::prelude::*;

    use super::*;
    use crate::state::signed;

    const BOUNDS: Bounds = Bounds::SHORT;

    prop_compose! {
        fn any_chain()(
            closed in -1..60_i8,
            link in any::<bool>(),
            seen in proptest::option::of((-1..60_i8, any::<bool>())),
            until in proptest::option::of(-5..60_i8),
        ) -> Chain {
            let link = link.then_some(OpenLink {
                sibling: 2,
                seen: seen.map(|(age, home)| (age, if home { Network::Home } else { Network::Away })),
                until: until.filter(|_| seen.is_some()),
                key: OfferKey::Older,
                sent: Sent::Once,
            });
            Chain { closed, sibling: 0, sent: Sent::Once, link }
        }
    }

    proptest! {
        #[test]
        fn a_chain_reads_back_as_the_family_it_was(chain in any_chain()) {
            let keys = Keys::new().unwrap();
            let (back, ahead) = super::chain(&family(&chain, 0, &keys), &chain, &keys, BOUNDS);
            let mut capped = chain;
            capped.cap(BOUNDS);
            prop_assert_eq!((back, ahead), (capped, 0));
        }

        /// The ages a state forgets are ages no rule can tell apart: what makes the space finite is exact.
        #[test]
        fn no_rule_sees_an_age_beyond_its_cap(chain in any_chain(), generation in -1..3_i8, away in any::<bool>(), node in 0..2_u8) {
            let keys = Keys::new().unwrap();
            let mut capped = chain;
            capped.cap(BOUNDS);
            let token = presented(Token { generation, sibling: if generation == 1 { 2 } else { 0 } });
            let context = context(if away { Network::Away } else { Network::Home });
            let now = moment(-signed(node * BOUNDS.skew));
            let both = [chain, capped].map(|chain| {
                let family = family(&chain, 0, &keys);
                let judged = family.judge(&token, context, now, BOUNDS.grace());
                let becomes = judged.becomes.map(|becomes| super::chain(&becomes, &chain, &keys, BOUNDS));
                let renewals = [Verdict::Accept, Verdict::RolledBack].map(|verdict| {
                    format!("{:?}", family.conclude(&token, verdict, now, BOUNDS.rotate_every()))
                        .split(" {")
                        .next()
                        .map(str::to_owned)
                });
                (judged.verdict, becomes, renewals)
            });
            prop_assert_eq!(&both[0], &both[1]);
        }
    }
}
