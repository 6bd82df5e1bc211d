//! A QR code as a picture: black on white whatever the page's colours, with the quiet zone around it.

use std::fmt::Write as _;

use qrcode::{Color, EcLevel, QrCode, types::QrError};

/// `text` as an SVG document, without any style or script in it.
///
/// # Errors
/// [`QrError`]: it is longer than a code holds.
pub(super) fn svg(text: &str) -> Result<String, QrError> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M)?;
    let (width, colors) = (code.width(), code.to_colors());
    let mut path = String::new();
    for (at, _) in colors.iter().enumerate().filter(|(_, color)| **color == Color::Dark) {
        // Writing into a string does not fail.
        let _ = write!(path, "M{},{}h1v1h-1z", at % width + QUIET, at / width + QUIET);
    }
    let side = width + 2 * QUIET;
    Ok(format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}" shape-rendering="crispEdges"><rect width="{side}" height="{side}" fill="#fff"/><path d="{path}" fill="#000"/></svg>"##
    ))
}

/// Modules of white around a code (ISO/IEC 18004, 6.3.8).
const QUIET: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_a_dark_module_wherever_it_should_and_white_around_it() {
        let drawn = svg("otpauth://totp/wiki.example:ada?secret=ABC").unwrap();
        let code =
            QrCode::with_error_correction_level("otpauth://totp/wiki.example:ada?secret=ABC", EcLevel::M).unwrap();
        let dark = code.to_colors().iter().filter(|color| **color == Color::Dark).count();
        assert_eq!(drawn.matches("h1v1h-1z").count(), dark);
        assert!(
            drawn.contains("M4,4h1") && !drawn.contains("M3,") && !drawn.contains(",3h1"),
            "the first finder's corner"
        );
        for forbidden in ["style", "script", "href", "onload"] {
            assert!(!drawn.contains(forbidden));
        }
    }

    #[test]
    fn what_is_too_long_is_an_error() {
        assert!(svg(&"x".repeat(4_000)).is_err());
    }
}
