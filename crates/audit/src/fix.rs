//! What to do about a flaw, in the words of the framework that has it.

mod table;
#[cfg(test)]
mod tests;

use crate::outcome::Framework;
use crate::rule::Rule;

/// The framework's own words where there are some, and the rule's otherwise.
pub fn of(rule: &Rule, framework: Option<Framework>) -> String {
    let own = framework.and_then(|framework| table::words(rule.id, framework).map(|words| (framework, words)));
    match own {
        Some((framework, words)) => format!("{} In {}: {words}", rule.fix, name(framework)),
        None => rule.fix.to_owned(),
    }
}

/// As its makers write it.
pub const fn name(framework: Framework) -> &'static str {
    match framework {
        Framework::Express => "Express",
        Framework::Django => "Django",
        Framework::Flask => "Flask",
        Framework::Rails => "Rails",
        Framework::Laravel => "Laravel",
        Framework::Spring => "Spring",
        Framework::AspNet => "ASP.NET Core",
        Framework::Php => "PHP",
        Framework::Nginx => "nginx",
        Framework::Counterfoil => "Counterfoil",
    }
}
