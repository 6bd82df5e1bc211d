//! The formats of a record that this program reads, and what the second one does: it hides how long a text is.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use crate::seal::Section;

/// A format of a record. All of them are read, always; which one is written is the store's to say, so that no node writes
/// what another one of the same store cannot read.
///
/// Whoever matches on it is told of a third one by the compiler: a store has to say what it calls each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// `docs/spec/record-v1.md`: the length of a name or of data shows to the byte.
    One,
    /// `docs/spec/record-v2.md`: of that length, its first bits show.
    Two,
}

/// Which format is written now. Clones are the same one: what is [changed](Self::change) in one is changed in all.
#[derive(Clone)]
pub(crate) struct SharedFormat(Arc<AtomicU8>);

impl Format {
    /// The one in which stores are made that no earlier program ever used.
    pub const LATEST: Self = Self::Two;

    /// The first byte of its records.
    pub const fn version(self) -> u8 {
        match self {
            Self::One => 1,
            Self::Two => 2,
        }
    }

    /// The format whose records begin with this byte, if this program knows it.
    pub const fn of_version(version: u8) -> Option<Self> {
        match version {
            1 => Some(Self::One),
            2 => Some(Self::Two),
            _ => None,
        }
    }

    /// How many bytes are sealed for a text of `length`.
    pub(crate) const fn sealed_length(self, section: Section, length: usize) -> usize {
        if self.pads(section) { padded(length) } else { length }
    }

    /// Whether so many bytes are ever sealed.
    pub(crate) const fn is_sealed_length(self, section: Section, sealed: usize) -> bool {
        // The longest text that takes so many has one byte less: the mark's.
        !self.pads(section) || (sealed > 1 && padded(sealed - 1) == sealed)
    }

    /// Appends the bytes that are sealed for `plain`; to an `out` that has room for them, or copies are left that nobody
    /// wipes.
    pub(crate) fn write(self, section: Section, plain: &[u8], out: &mut Vec<u8>) {
        let end = out.len() + self.sealed_length(section, plain.len());
        out.extend_from_slice(plain);
        if self.pads(section) {
            out.push(MARK);
            out.resize(end, 0);
        }
    }

    /// Makes of the bytes that were sealed the text again, in place. `None` if they are not written so.
    pub(crate) fn strip(self, section: Section, sealed: &mut Vec<u8>) -> Option<()> {
        if self.pads(section) {
            let length = sealed.iter().rposition(|byte| *byte != 0)?;
            if sealed.get(length) != Some(&MARK) || length == 0 || padded(length) != sealed.len() {
                return None;
            }
            sealed.truncate(length);
        }
        Some(())
    }

    /// What derives the next token is of one length, or of another that the head tells.
    const fn pads(self, section: Section) -> bool {
        matches!((self, section), (Self::Two, Section::Listing | Section::Data))
    }
}

impl SharedFormat {
    pub(crate) fn new(format: Format) -> Self {
        Self(Arc::new(AtomicU8::new(format.version())))
    }

    pub(crate) fn load(&self) -> Format {
        Format::of_version(self.0.load(Ordering::Acquire)).unwrap_or(Format::One)
    }

    /// Whether it was another one.
    pub(crate) fn change(&self, format: Format) -> bool {
        self.0.swap(format.version(), Ordering::AcqRel) != format.version()
    }
}

/// With its mark, up to a multiple of 32 bytes, or of a sixteenth of the next power of two where that is more.
const fn padded(length: usize) -> usize {
    let marked = length + 1;
    let sixteenth = marked.next_power_of_two() / 16;
    marked.next_multiple_of(if sixteenth > LEAST { sixteenth } else { LEAST })
}

/// Ends the text; zeros follow.
const MARK: u8 = 0x80;
const LEAST: usize = 32;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_lengths_are_those_of_the_table() {
        #[rustfmt::skip]
        let rows = [
            //  text   sealed     text   sealed      text       sealed
            (1,        32), (31,         32), (32,          64), (63,        64), (64,      96),
            (255,     256), (256,       288), (287,        288), (288,      320),
            (511,     512), (512,       576), (575,        576), (576,      640),
            (1_000, 1_024), (1_023,   1_024), (1_024,    1_152), (2_048,  2_304),
            (65_535, 65_536), (65_536, 73_728), (1_048_576, 1_179_648),
        ];
        for (length, sealed) in rows {
            for section in [Section::Listing, Section::Data] {
                assert_eq!(Format::Two.sealed_length(section, length), sealed, "{length}");
                assert_eq!(Format::One.sealed_length(section, length), length, "{length}");
            }
            for format in [Format::One, Format::Two] {
                assert_eq!(format.sealed_length(Section::Link, length), length, "{length}");
            }
        }
    }

    #[test]
    fn of_a_length_the_first_bits_show_and_it_costs_an_eighth_at_most() {
        const END: usize = 1 << 17;
        let lengths: std::collections::HashSet<_> = (1..END).map(padded).collect();
        assert_eq!(lengths.len(), 16 + 8 * 8, "16 up to 512 bytes, and 8 for each doubling from there to 128 KiB");
        for sealed in 0..=END {
            let ever = Format::Two.is_sealed_length(Section::Data, sealed);
            assert_eq!(ever, lengths.contains(&sealed), "{sealed}");
        }
        for length in 1..END {
            let more = padded(length) - length;
            assert!(more <= LEAST.max((length + 1).div_ceil(8)), "{length} + {more}");
        }
    }

    #[test]
    fn there_is_one_way_to_pad() {
        let padded = |plain: &[u8], zeros: usize| [plain, &[MARK], &vec![0; zeros]].concat();
        #[rustfmt::skip]
        let rows: [(&str, _, Option<&[u8]>); 14] = [
            ("a text",                  padded(b"text", 27),                    Some(b"text")),
            ("one that fills it",       padded(&[7; 31], 0),                    Some(&[7; 31])),
            ("one that looks padded",   padded(&[1, MARK, 0], 28),              Some(&[1, MARK, 0])),
            ("one of marks",            padded(&[MARK; 40], 23),                Some(&[MARK; 40])),
            ("one of zeros",            padded(&[0; 40], 23),                   Some(&[0; 40])),
            ("nothing at all",          Vec::new(),                                 None),
            ("nothing but zeros",       vec![0; 32],                            None),
            ("no text",                 padded(b"", 31),                        None),
            ("no mark",                 [&b"text"[..], &[0; 28]].concat(),      None),
            ("another mark",            [&b"text\x81"[..], &[0; 27]].concat(),  None),
            ("something behind it",     [&b"text\x80"[..], &[0; 26], &[1]].concat(), None),
            ("a byte too few",          padded(b"text", 26),                    None),
            ("a step too many",         padded(b"text", 27 + 32),               None),
            ("steps of another length", padded(&[7; 512], 31),                  None),
        ];
        for (name, sealed, expected) in rows {
            let mut text = sealed.clone();
            let stripped = Format::Two.strip(Section::Data, &mut text).map(|()| &text[..]);
            assert_eq!(stripped, expected, "{name}");
            let mut as_it_is = sealed.clone();
            assert_eq!(Format::One.strip(Section::Data, &mut as_it_is).map(|()| as_it_is), Some(sealed), "{name}");
        }
    }

    #[test]
    fn a_change_is_seen_by_all_clones_and_told_once() {
        let one = SharedFormat::new(Format::One);
        let clone = one.clone();
        assert_eq!((one.change(Format::Two), one.change(Format::Two), clone.load()), (true, false, Format::Two));
        for format in [Format::One, Format::Two] {
            assert_eq!(Format::of_version(format.version()), Some(format));
            assert_eq!(SharedFormat::new(format).load(), format);
        }
        assert_eq!((Format::of_version(0), Format::of_version(3)), (None, None));
    }

    proptest! {
        #[test]
        fn what_was_padded_is_stripped_in_place(plain in proptest::collection::vec(prop_oneof![Just(0), Just(MARK), any::<u8>()], 1..1_200)) {
            for section in [Section::Listing, Section::Data, Section::Link] {
                for format in [Format::One, Format::Two] {
                    let mut text = Vec::with_capacity(format.sealed_length(section, plain.len()));
                    let room = text.capacity();
                    format.write(section, &plain, &mut text);
                    prop_assert_eq!((text.len(), text.capacity()), (room, room), "nothing moved");
                    prop_assert!(format.is_sealed_length(section, text.len()));
                    prop_assert_eq!(format.strip(section, &mut text), Some(()));
                    prop_assert_eq!(&text, &plain);
                }
            }
        }
    }
}
