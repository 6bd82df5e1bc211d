//! The published page: parts that are measured, and written, each by itself.

use std::path::Path;

use crate::Failed;

/// A part of the page, in its order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Servers beside the bare server, and the pieces of a request.
    SideBySide,
    /// Durable writes beside bare storage engines.
    Durable,
    /// What the embedded store costs by how many sessions it has.
    Curves,
    /// What decisions of the gateway cost.
    Gateway,
    /// Stores that nodes share, beside the bare server.
    Shared,
    /// Revocations among nodes: written by hand, and kept.
    Nodes,
}

/// Prints a part, and puts it into the page where one is given.
///
/// # Errors
/// If the page cannot be read or written.
pub fn publish(text: &str, part: Part, page: Option<&Path>) -> Result<(), Failed> {
    println!("{text}");
    let Some(page) = page else { return Ok(()) };
    let before = if page.exists() { std::fs::read_to_string(page)? } else { String::new() };
    Ok(std::fs::write(page, with(&before, part, text))?)
}

/// The page with `text` in the place of one of its parts; the others stay as they are.
fn with(page: &str, part: Part, text: &str) -> String {
    let parts = Part::ALL.map(|other| {
        let text = if other == part { text } else { inside(page, other).unwrap_or_default() };
        let text = text.trim();
        if text.is_empty() { String::new() } else { format!("\n{}\n{text}\n{}\n", other.begins(), other.ends()) }
    });
    format!("{HEAD}{}", parts.concat())
}

fn inside(page: &str, part: Part) -> Option<&str> {
    let (_, after) = page.split_once(part.begins().as_str())?;
    after.split_once(part.ends().as_str()).map(|(text, _)| text)
}

impl Part {
    const ALL: [Self; 6] = [Self::SideBySide, Self::Gateway, Self::Durable, Self::Curves, Self::Shared, Self::Nodes];

    const fn name(self) -> &'static str {
        match self {
            Self::SideBySide => "side-by-side",
            Self::Durable => "durable",
            Self::Curves => "curves",
            Self::Gateway => "gateway",
            Self::Shared => "shared",
            Self::Nodes => "nodes",
        }
    }

    fn begins(self) -> String {
        format!("<!-- {}: begins -->", self.name())
    }

    fn ends(self) -> String {
        format!("<!-- {}: ends -->", self.name())
    }
}

const HEAD: &str = "\
# Benchmarks

Written by `cargo xtask bench`; run it to get this page for your machine, or one part of it by `--only side-by-side`,
`--only gateway`, `--only durable`, `--only curves` or `--only shared`. Each part says when and on what it was measured.
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_written_into_its_place_and_the_others_stay() {
        let page = with("", Part::Curves, "## Curves\n\none");
        let page = with(&page, Part::SideBySide, "## Beside\n");
        let page = format!("{page}\n<!-- nodes: begins -->\nby hand\n<!-- nodes: ends -->\n");
        let page = with(&page, Part::Curves, "## Curves\n\ntwo\n");
        let expected = format!(
            "{HEAD}\n<!-- side-by-side: begins -->\n## Beside\n<!-- side-by-side: ends -->\n\
             \n<!-- curves: begins -->\n## Curves\n\ntwo\n<!-- curves: ends -->\n\
             \n<!-- nodes: begins -->\nby hand\n<!-- nodes: ends -->\n"
        );
        assert_eq!(page, expected);
    }
}
