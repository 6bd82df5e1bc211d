//! The schema as SQL, and what makes of an earlier one the current one.

/// The format of the tables that this version uses.
pub const FORMAT: i32 = 1;

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
const STEPS: [&str; 1] = [concat!(include_str!("v1.sql"), "\n", include_str!("functions.sql"))];

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
        assert_eq!(text.trim(), "UPDATE shop.meta SET format = 1;");
    }

    #[test]
    fn two_schemas_have_two_locks() {
        assert_ne!(lock_of("counterfoil"), lock_of("counterfoil2"));
    }
}
