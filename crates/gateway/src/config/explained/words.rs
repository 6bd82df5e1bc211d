//! The document in words, for people: first what falls short of a standard, then all else.

use std::fmt;

use super::{Explained, Of, Part, Personal, Told};

impl fmt::Display for Explained {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.deviating(out)?;
        let of = if self.of == Of::Gateway { "IN FORCE FOR ALL APPS" } else { "IN FORCE" };
        statements(out, of, &self.everywhere)?;
        for app in &self.apps {
            statements(out, &format!("IN FORCE FOR THE APP {}", app.name), &app.part)?;
        }
        collected(out, "KEPT ABOUT PEOPLE", &self.everywhere)?;
        for app in &self.apps {
            collected(out, &format!("KEPT ABOUT PEOPLE WHO USE THE APP {}", app.name), &app.part)?;
        }
        Ok(())
    }
}

impl Explained {
    fn deviating(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.deviations();
        if count == 0 {
            return writeln!(out, "FALLS SHORT OF NO STANDARD THAT IS LOOKED AT");
        }
        writeln!(out, "FALLS SHORT OF A STANDARD ({count})")?;
        let apps = self.apps.iter().map(|app| (format!(" of the app {}", app.name), &app.part));
        for (whose, part) in [(String::new(), &self.everywhere)].into_iter().chain(apps) {
            for told in &part.statements {
                let Some(short) = &told.deviation else { continue };
                writeln!(out, "\n  {}{whose} = {}", told.id, told.value)?;
                paragraph(out, &format!("{} says: {}.", short.standard, short.says))?;
                paragraph(out, &format!("To meet it, {}.", short.to_meet))?;
            }
        }
        Ok(())
    }
}

fn statements(out: &mut fmt::Formatter<'_>, heading: &str, part: &Part) -> fmt::Result {
    writeln!(out, "\n{heading}")?;
    for Told { id, value, meaning, sources, .. } in &part.statements {
        writeln!(out, "\n  {id} = {value}")?;
        paragraph(out, meaning)?;
        if !sources.is_empty() {
            paragraph(out, &format!("({})", sources.join("; ")))?;
        }
    }
    Ok(())
}

fn collected(out: &mut fmt::Formatter<'_>, heading: &str, part: &Part) -> fmt::Result {
    writeln!(out, "\n{heading}")?;
    for Personal { id, data, purpose, kept_in, kept_for, .. } in &part.collected {
        writeln!(out, "\n  {id}")?;
        for (what, text) in [
            ("what", data.join("; ")),
            ("why", purpose.clone()),
            ("where", kept_in.clone()),
            ("how long", kept_for.clone()),
        ] {
            paragraph(out, &format!("{what}: {text}."))?;
        }
    }
    Ok(())
}

fn paragraph(out: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    let options = textwrap::Options::new(WIDTH).initial_indent(INDENT).subsequent_indent(INDENT);
    writeln!(out, "{}", textwrap::fill(text, options.break_words(false)))
}

/// Whatever the terminal is, so that two runs can be compared.
const WIDTH: usize = 100;
const INDENT: &str = "      ";
