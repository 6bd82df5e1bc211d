//! The rows of the judgement, one by one. Histories of any length are the model's business (`tests/model`).

use super::*;

const GRACE: Duration = Duration::from_mins(1);
const ROTATE: Duration = Duration::from_mins(15);
const HOME: u8 = 1;
const CAFE: u8 = 2;

/// A successor: when and where it was first used, and until when its predecessor lives.
type Successor = (Option<(u64, u8)>, Option<u64>);

/// A family at generation 5, current token `c`, last link closed at 1000.
fn family(next: Option<Successor>) -> Family {
    let link = next.map(|(seen, until)| {
        Box::new(Link {
            hash: hash(b'n'),
            key: KeyId::new("k").unwrap(),
            nonce: Nonce::from_bytes([0; 16]),
            seen: seen.map(|(at, place)| Seen { at: at_second(at), context: context(place) }),
            until: until.map(at_second),
        })
    });
    Family { generation: 5, current: hash(b'c'), closed_at: at_second(1_000), next: link }
}

fn hash(letter: u8) -> TokenHash {
    TokenHash::from_bytes([letter; 32])
}

fn at_second(second: u64) -> Moment {
    Moment::from_unix_seconds(second)
}

fn context(place: u8) -> Context {
    Context::new(place, &[10, 0, place])
}

fn token(letter: u8, generation: u32) -> Presented {
    Presented { generation, hash: hash(letter) }
}

#[test]
fn only_the_current_token_and_its_successor_are_the_sessions_use() {
    for (name, presented, admitted) in [
        ("current", token(b'c', 5), true),
        ("its successor", token(b'n', 6), true),
        ("older", token(b'x', 4), false),
        ("unknown", token(b'x', 7), false),
    ] {
        assert_eq!(family(Some((None, None))).admits(&presented, at_second(2_000)), admitted, "{name}");
    }
}

#[test]
fn a_context_is_not_shown() {
    assert_eq!(format!("{:?}", context(HOME)), "Context(…)");
}

#[test]
fn a_token_is_worth_what_its_place_in_the_family_says() {
    use Verdict::{Accept, Forgotten, Reuse, RolledBack};
    let open = |seen, until| Some((seen, until));
    #[rustfmt::skip]
    let rows = [
        //  name                                  next                               token          from  now    verdict
        ("current, no successor", None, token(b'c', 5), HOME, 2_000, Accept),
        ("current, successor not used", open(None, None), token(b'c', 5), CAFE, 9_000, Accept),
        ("current, within grace of first use", open(Some((2_000, HOME)), None), token(b'c', 5), CAFE, 2_060, Accept),
        ("current, a second past grace, at home", open(Some((2_000, HOME)), None), token(b'c', 5), HOME, 2_061, RolledBack),
        ("current, a second past grace, abroad", open(Some((2_000, HOME)), None), token(b'c', 5), CAFE, 2_061, Reuse),
        ("current, its end is dated", open(Some((2_000, HOME)), Some(2_200)), token(b'c', 5), CAFE, 2_200, Accept),
        ("current, past its end", open(Some((2_000, HOME)), Some(2_200)), token(b'c', 5), HOME, 2_201, Reuse),
        ("successor, first use", open(None, None), token(b'n', 6), CAFE, 2_000, Accept),
        ("successor, after the link closed", open(Some((2_000, HOME)), Some(2_200)), token(b'n', 6), CAFE, 9_000, Accept),
        ("older than current", None, token(b'x', 4), HOME, 2_000, Reuse),
        ("newer than the store knows", None, token(b'x', 6), HOME, 2_000, Forgotten),
        ("another successor than ours", open(None, None), token(b'x', 6), HOME, 2_000, Forgotten),
        ("our generation, another secret", None, token(b'x', 5), HOME, 2_000, Forgotten),
    ];
    for (name, next, token, from, now, verdict) in rows {
        let judged = family(next).judge(&token, context(from), at_second(now), GRACE);
        assert_eq!(judged.verdict, verdict, "{name}");
    }
}

#[test]
fn only_uses_of_the_successor_are_written() {
    let open = |seen, until| Some((seen, until));
    #[rustfmt::skip]
    let rows = [
        //  name                            next                                   token           now    seen, until afterwards
        ("first use", open(None, None), token(b'n', 6), 2_000, Some((Some(2_000), None))),
        ("second use within grace", open(Some((2_000, HOME)), None), token(b'n', 6), 2_059, None),
        ("second use at grace, as late as one sent just before a crash may be", open(Some((2_000, HOME)), None), token(b'n', 6), 2_060, None),
        ("second use a second past grace", open(Some((2_000, HOME)), None), token(b'n', 6), 2_061, Some((Some(2_000), Some(2_121)))),
        ("third use moves nothing", open(Some((2_000, HOME)), Some(2_120)), token(b'n', 6), 2_100, None),
        ("use after the link closed", open(Some((2_000, HOME)), Some(2_120)), token(b'n', 6), 2_121, None),
        ("the predecessor's use", open(Some((2_000, HOME)), None), token(b'c', 5), 2_050, None),
    ];
    for (name, next, token, now, expected) in rows {
        let judged = family(next).judge(&token, context(HOME), at_second(now), GRACE);
        let link = judged.becomes.and_then(|family| family.next);
        let written = link.map(|link| (link.seen.map(|seen| seen.at), link.until));
        assert_eq!(written, expected.map(|(seen, until)| (seen.map(at_second), until.map(at_second))), "{name}");
    }
}

#[test]
fn a_response_carries_the_successor_or_nothing() {
    use Verdict::{Accept, RolledBack};
    let open = |seen, until| Some((seen, until));
    #[rustfmt::skip]
    let rows = [
        //  name                          next                                    token           verdict     now    cookie
        ("not due yet", None, token(b'c', 5), Accept, 1_899, "keep"),
        ("due", None, token(b'c', 5), Accept, 1_900, "offer"),
        ("offered, not seen", open(None, None), token(b'c', 5), Accept, 9_000, "repeat"),
        ("seen", open(Some((2_000, HOME)), None), token(b'c', 5), Accept, 2_010, "keep"),
        ("seen, but the jar rolled back", open(Some((2_000, HOME)), None), token(b'c', 5), RolledBack, 2_100, "repeat"),
        ("its end is dated", open(Some((2_000, HOME)), Some(2_200)), token(b'c', 5), RolledBack, 2_150, "keep"),
        ("the successor itself", open(None, None), token(b'n', 6), Accept, 9_000, "keep"),
        ("the successor, link closed", open(Some((2_000, HOME)), Some(2_200)), token(b'n', 6), Accept, 3_099, "keep"),
        ("the successor, due again", open(Some((2_000, HOME)), Some(2_200)), token(b'n', 6), Accept, 3_100, "offer"),
        ("a dead token", None, token(b'x', 4), Accept, 9_000, "keep"),
    ];
    for (name, next, token, verdict, now, cookie) in rows {
        let family = family(next);
        let renewal = match family.conclude(&token, verdict, at_second(now), ROTATE) {
            Renewal::Keep => "keep",
            Renewal::Offer => "offer",
            Renewal::Repeat(_) => "repeat",
        };
        assert_eq!(renewal, cookie, "{name}");
    }
}

#[test]
fn a_link_has_one_successor_and_its_nonce_goes_with_it() {
    let offer = |family: &Family, now| {
        family.offering(hash(b'm'), KeyId::new("k").unwrap(), Nonce::from_bytes([1; 16]), at_second(now))
    };
    assert!(offer(&family(Some((None, None))), 9_000).is_none());
    let closed = family(Some((Some((2_000, HOME)), Some(2_200))));
    let settled = closed.settled(at_second(2_201));
    assert_eq!(
        (settled.generation, settled.current, settled.closed_at, settled.next.is_none()),
        (6, hash(b'n'), at_second(2_200), true)
    );
    assert_eq!(offer(&closed, 2_201).map(|family| family.generation), Some(6));
    assert_eq!(closed.settled(at_second(2_200)), closed, "a link is open to the last second of its time");
}

#[test]
fn only_the_token_of_the_sign_in_is_rotated_early() {
    let first = Family::born(hash(b'c'), at_second(1_000));
    let hastened = first.hastened(at_second(1_001)).unwrap();
    let renewal = hastened.conclude(&token(b'c', 0), Verdict::Accept, at_second(1_001), ROTATE);
    assert_eq!(renewal, Renewal::Offer);

    let (key, nonce) = (KeyId::new("k").unwrap(), Nonce::from_bytes([0; 16]));
    let linked = first.offering(hash(b'n'), key, nonce, at_second(2_000)).unwrap();
    assert_eq!(linked.hastened(at_second(2_000)), None, "a successor is on its way already");

    let closed = Family { generation: 0, ..family(Some((Some((2_000, HOME)), Some(2_200)))) };
    assert_eq!(closed.hastened(at_second(2_201)), None, "the successor is current, written or not");
    assert_eq!(family(None).hastened(at_second(1_001)), None, "a later token may be on its way twice");
}
