//! The schema as SQL, and what makes of an earlier one the current one.

use counterfoil_core::stored::Format;

/// The format of the tables that this version makes. It runs on earlier ones too.
pub const FORMAT: i32 = number_of(Format::LATEST);

/// What the tables call the format in which records are written.
pub(super) const fn number_of(format: Format) -> i32 {
    match format {
        Format::One => 1,
        Format::Two => 2,
    }
}

/// The format that they call so, if this program knows it.
pub(super) fn format_of(number: i32) -> Option<Format> {
    [Format::One, Format::Two].into_iter().find(|format| number_of(*format) == number)
}

/// What brings the schema from `found`, 0 being none, to [`FORMAT`]; to be run in one transaction.
pub(super) fn migration(schema: &str, found: i32, mark: &str) -> String {
    let steps = STEPS.iter().skip(usize::try_from(found).unwrap_or_default());
    let text: String = steps.copied().collect::<Vec<_>>().join("\n");
    let note = if found == 0 {
        format!(
            "\nINSERT INTO {{schema}}.meta (format, reference_mark, home)\n\
             VALUES ({FORMAT}, '\\x{mark}', {{schema}}.home());\n"
        )
    } else {
        format!("\nUPDATE {{schema}}.meta SET format = {FORMAT};\n")
    };
    (text + &note)
        .replace("{schema}", schema)
        .replace("{kept}", &counterfoil_core::store::Epoch::KEPT.as_millis().to_string())
        .replace("{told}", &TOLD.as_secs().to_string())
}

/// The name of the lock under which one migrates at a time.
pub(super) fn lock_of(schema: &str) -> i64 {
    let hash = schema
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    hash.cast_signed()
}

/// How long what ended or changed is kept for other nodes to hear of.
pub(super) const TOLD: std::time::Duration = std::time::Duration::from_mins(10);

/// What each format adds to the one before.
const STEPS: [&str; 2] = [
    concat!(include_str!("v1.sql"), "\n", include_str!("functions.sql")),
    "-- From 2 on records are written padded. Those that lie there stay as they are, are read as ever, and are written\n\
     -- padded when they next change.",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_to_be_filled_in() {
        let text = migration("shop", 0, "00ff");
        for open in ["{schema}", "{kept}", "{told}"] {
            assert!(!text.contains(open), "{open}");
        }
        assert!(text.contains("shop.sessions") && text.contains("'\\x00ff'") && text.contains("p_now + 3600000"));
        assert!(text.contains("interval '600 seconds'"));
    }

    #[test]
    fn a_current_schema_is_left_as_it_is() {
        let text = migration("shop", FORMAT, "00ff");
        assert_eq!(text.trim(), "UPDATE shop.meta SET format = 2;");
    }

    #[test]
    fn what_an_earlier_version_made_is_told_what_is_written_from_now_on_and_nothing_else() {
        let text = migration("shop", number_of(Format::One), "00ff");
        let statements: Vec<_> =
            text.lines().filter(|line| !line.starts_with("--") && !line.trim().is_empty()).collect();
        assert_eq!(statements, ["UPDATE shop.meta SET format = 2;"]);
        assert!(migration("shop", 0, "00ff").contains("VALUES (2, '\\x00ff'"));
        assert_eq!((format_of(0), format_of(3), format_of(2)), (None, None, Some(Format::Two)));
    }

    #[test]
    fn two_schemas_have_two_locks() {
        assert_ne!(lock_of("counterfoil"), lock_of("counterfoil2"));
    }
}
