//! Where and by what a session was used, as bytes: for each context the same number of them.

use super::codec::{Reader, Write as _};
use super::{Part, StoredError};
use crate::agent::{Agent, Browser, Platform};
use crate::rules::{History, Known, Network, NetworkKind, Place, Sight, Signals, Spot};

/// Appends a history; nothing for an empty one. `None` if it has too many contexts.
pub(super) fn write(history: &History, out: &mut Vec<u8>) -> Option<()> {
    let contexts = history.contexts();
    if !contexts.is_empty() {
        out.push(u8::try_from(contexts.len()).ok()?);
    }
    for known in contexts {
        write_known(known, out);
    }
    Some(())
}

/// Reads what is left: a history, or nothing.
pub(super) fn read(reader: &mut Reader<'_>) -> Result<Option<History>, StoredError> {
    if reader.rest().is_empty() {
        return Ok(None);
    }
    let count = reader.byte()?;
    let contexts = (0..count).map(|_| read_known(reader)).collect::<Result<Vec<_>, _>>()?;
    let some = Some(contexts).filter(|contexts| !contexts.is_empty());
    some.and_then(History::of).map(Some).ok_or_else(|| reader.malformed())
}

/// A history by itself; `None` if it has too many contexts.
pub(crate) fn write_history(history: &History) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    write(history, &mut out).map(|()| out)
}

/// What [`write_history`] wrote; `None` if these bytes are something else.
pub(crate) fn read_history(bytes: &[u8]) -> Option<History> {
    let mut reader = Reader::new(bytes, Part::Data);
    let history = read(&mut reader).ok()?;
    reader.end().ok().map(|()| history.unwrap_or_default())
}

fn write_known(known: &Known, out: &mut Vec<u8>) {
    let Known { sight: Sight { at, network, place, agent, print }, first, doubts } = known;
    let network = network.unwrap_or(Network { prefix: [0; 7], address: 0 });
    out.extend_from_slice(&network.prefix);
    out.extend_from_slice(&network.address.to_be_bytes());
    write_place(place, out);
    out.extend_from_slice(&[agent.platform.code(), agent.browser.code()]);
    out.extend_from_slice(&print.to_be_bytes());
    out.moment(*first);
    out.moment(*at);
    out.extend_from_slice(&doubts.bits().to_be_bytes());
}

fn read_known(reader: &mut Reader<'_>) -> Result<Known, StoredError> {
    let (prefix, address) = (reader.array()?, reader.u32()?);
    let network = (prefix != [0; 7]).then_some(Network { prefix, address });
    if network.is_none() && address != 0 {
        return Err(reader.malformed());
    }
    let place = read_place(reader)?;
    let [platform, browser] = reader.array()?;
    let agent = Platform::of_code(platform).zip(Browser::of_code(browser));
    let (platform, browser) = agent.ok_or_else(|| reader.malformed())?;
    let print = reader.u32()?;
    let (first, at) = (reader.moment()?, reader.moment()?);
    let doubts = Signals::from_bits(reader.u32()?);
    Ok(Known { sight: Sight { at, network, place, agent: Agent { platform, browser }, print }, first, doubts })
}

fn write_place(place: &Place, out: &mut Vec<u8>) {
    out.push(match place.kind {
        NetworkKind::Ordinary => 0,
        NetworkKind::Hosting => 1,
        NetworkKind::Vpn => 2,
        NetworkKind::Relay => 3,
    });
    out.extend_from_slice(&place.country.unwrap_or_default());
    out.extend_from_slice(&place.asn.unwrap_or_default().to_be_bytes());
    let (lat, lon, radius) = place.spot.map_or((NOWHERE, 0, 0), Spot::parts);
    out.extend_from_slice(&lat.to_be_bytes());
    out.extend_from_slice(&lon.to_be_bytes());
    out.extend_from_slice(&radius.to_be_bytes());
}

fn read_place(reader: &mut Reader<'_>) -> Result<Place, StoredError> {
    let kind = match reader.byte()? {
        0 => NetworkKind::Ordinary,
        1 => NetworkKind::Hosting,
        2 => NetworkKind::Vpn,
        3 => NetworkKind::Relay,
        _ => return Err(reader.malformed()),
    };
    let country = Some(reader.array()?).filter(|country| *country != [0; 2]);
    let asn = Some(reader.u32()?).filter(|asn| *asn != 0);
    let (lat, lon, radius) = (reader.i16()?, reader.i16()?, reader.u16()?);
    let spot = match (lat, lon, radius) {
        (NOWHERE, 0, 0) => None,
        _ => Some(Spot::from_parts(lat, lon, radius).ok_or_else(|| reader.malformed())?),
    };
    Ok(Place { country, spot, asn, kind })
}

/// Stands where the latitude would, if no place is known.
const NOWHERE: i16 = i16::MIN;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::moment::Moment;
    use crate::rules::Signal;

    fn known(network: u8, place: Place, doubts: Signals) -> Known {
        let agent = Agent { platform: Platform::Android, browser: Browser::Edge };
        let network = (network > 0).then_some(Network { prefix: [4, 192, 0, network, 0, 0, 0], address: 0xA1B2_C3D4 });
        let at = |second| Moment::from_unix_seconds(second);
        Known { sight: Sight { at: at(200), network, place, agent, print: 0x0102_0304 }, first: at(100), doubts }
    }

    fn lima() -> Place {
        let spot = Spot::new(-12.04, -77.03, Some(20));
        Place { country: Some(*b"PE"), spot, asn: Some(6_147), kind: NetworkKind::Hosting }
    }

    fn bytes(history: &History) -> Vec<u8> {
        let mut out = Vec::new();
        write(history, &mut out).unwrap();
        out
    }

    fn read_back(bytes: &[u8]) -> Result<Option<History>, StoredError> {
        let mut reader = Reader::new(bytes, Part::Listing);
        let history = read(&mut reader)?;
        reader.end().map(|()| history)
    }

    #[test]
    fn what_is_written_reads_back_and_each_context_takes_as_many_bytes() {
        let doubts: Signals = Signal::ALL.into_iter().collect();
        let kinds = [NetworkKind::Ordinary, NetworkKind::Hosting, NetworkKind::Vpn, NetworkKind::Relay];
        let mut contexts = vec![known(0, Place::UNKNOWN, Signals::NONE), known(1, lima(), doubts)];
        contexts.extend(kinds.map(|kind| known(2, Place { kind, ..Place::UNKNOWN }, Signals::NONE)));
        for count in 1..=contexts.len() {
            let history = History::of(contexts.iter().take(count).copied().collect()).unwrap();
            let bytes = bytes(&history);
            assert_eq!(bytes.len(), 1 + 50 * count);
            assert_eq!(read_back(&bytes).unwrap(), Some(history));
        }
        assert_eq!((bytes(&History::default()), read_back(b"").unwrap()), (Vec::new(), None));
    }

    #[test]
    fn a_context_lies_as_the_format_says() {
        let doubts = Signals::NONE.with(Signal::ImpossibleTravel);
        let history = History::of(vec![known(7, lima(), doubts)]).unwrap();
        let text: Vec<String> = bytes(&history).iter().map(|byte| format!("{byte:02x}")).collect();
        let parts = [
            "01",
            "04c00007000000",
            "a1b2c3d4",
            "01",
            "5045",
            "00001803",
            "ff88",
            "fcfe",
            "0014",
            "0403",
            "01020304",
            "00000000000186a0",
            "0000000000030d40",
            "00000200",
        ];
        assert_eq!(text.concat(), parts.concat());
    }

    #[test]
    fn what_nobody_writes_is_refused() {
        let whole = bytes(&History::of(vec![known(7, lima(), Signals::NONE)]).unwrap());
        let with = |at: usize, byte: u8| {
            let mut bytes = whole.clone();
            bytes[at] = byte;
            bytes
        };
        let hidden = bytes(&History::of(vec![known(0, lima(), Signals::NONE)]).unwrap());
        let nine = [&[9][..], &whole[1..].repeat(9)].concat();
        #[rustfmt::skip]
        let rows = [
            ("no contexts",                    vec![0]),
            ("one more than there is",         with(0, 2)),
            ("more than are ever kept",        nine),
            ("a byte too many",                [&whole[..], &[0]].concat()),
            ("a byte too few",                 whole[..whole.len() - 1].to_vec()),
            ("a kind of network nobody knows", with(12, 4)),
            ("beyond the pole",                with(19, 0x7f)),
            ("a platform nobody knows",        with(25, 7)),
            ("a browser nobody knows",         with(26, 7)),
            ("an address in no network",       [&hidden[..8], &[1], &hidden[9..]].concat()),
        ];
        for (name, bytes) in rows {
            assert!(read_back(&bytes).is_err(), "{name}");
        }
    }
}
