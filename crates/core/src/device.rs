//! What a user calls one of their devices: short, one line, and nothing that only pretends to be text.

/// A name for a device, as its user typed it. Show it escaped, like everything people type.
///
/// # Examples
/// ```
/// use counterfoil_core::device::DeviceName;
///
/// assert_eq!(DeviceName::new("  The old laptop ")?.as_str(), "The old laptop");
/// assert!(DeviceName::new("two\nlines").is_err());
/// # Ok::<_, counterfoil_core::device::BadDeviceName>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceName(Box<str>);

/// Why a text is no name for a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadDeviceName {
    /// There is nothing to see.
    #[error("a device's name has at least one character")]
    Empty,
    /// It would fill the page.
    #[error("a device's name has {} characters at most", DeviceName::LONGEST)]
    TooLong,
    /// It holds characters that are not seen, or that turn the text around them.
    #[error("a device's name holds no line breaks and no invisible characters")]
    Invisible,
}

impl DeviceName {
    /// The most characters: more than any list shows.
    pub const LONGEST: usize = 64;

    /// Reads what somebody typed; white space around it does not count.
    ///
    /// # Errors
    /// [`BadDeviceName`] says what to change; its text may be shown.
    pub fn new(text: &str) -> Result<Self, BadDeviceName> {
        let text = text.trim();
        if text.is_empty() {
            Err(BadDeviceName::Empty)
        } else if text.chars().count() > Self::LONGEST {
            Err(BadDeviceName::TooLong)
        } else if text.chars().any(is_invisible) {
            Err(BadDeviceName::Invisible)
        } else {
            Ok(Self(text.into()))
        }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Control characters, line and paragraph separators, and what hides, joins or reorders text.
fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_short_line_of_what_can_be_seen() {
        use BadDeviceName::{Empty, Invisible, TooLong};
        let (longest, longer) = ("ä".repeat(64), "ä".repeat(65));
        #[rustfmt::skip]
        let rows = [
            ("my phone",             Ok("my phone")),
            ("  my phone\t",         Ok("my phone")),
            ("Pañuelo 📱 (work)",    Ok("Pañuelo 📱 (work)")),
            ("<b>\"&'",              Ok("<b>\"&'")),
            (longest.as_str(),       Ok(longest.as_str())),
            (longer.as_str(),        Err(TooLong)),
            ("",                     Err(Empty)),
            (" \u{3000}\n",          Err(Empty)),
            ("two\nlines",           Err(Invisible)),
            ("a\u{0}b",              Err(Invisible)),
            ("a\u{1b}[31mb",         Err(Invisible)),
            ("a\u{85}b",             Err(Invisible)),
            ("gpj.\u{202e}exe",      Err(Invisible)),
            ("a\u{2028}b",           Err(Invisible)),
            ("a\u{200b}b",           Err(Invisible)),
            ("\u{feff}a",            Err(Invisible)),
        ];
        for (text, expected) in rows {
            assert_eq!(
                DeviceName::new(text).as_ref().map(DeviceName::as_str),
                expected.as_ref().map(|name| *name),
                "{text:?}"
            );
        }
    }
}
