//! Forms, filled in by script as a person would by hand.

use std::fmt::Write as _;

use serde_json::Value;

/// A script that fills in the form with this action and sends it.
pub fn fill(action: &str, fields: &[(&str, &str)]) -> String {
    let mut script = format!("const form = document.querySelector('form[action=\"{action}\"]');\n");
    for (name, value) in fields {
        // Writing to a string cannot fail.
        let _ = writeln!(script, "form.elements[{}].value = {};", Value::from(*name), Value::from(*value));
    }
    format!("{{ {script} form.submit(); }}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_filled_in_with_text_that_cannot_leave_its_string() {
        let script = fill("/note", &[("key", "a\"b</script>")]);
        assert!(script.contains(r#"form.elements["key"].value = "a\"b</script>";"#), "{script}");
        assert!(script.contains("form[action=\"/note\"]"));
    }
}
