//! What to do about a flaw, in the words of the framework that has it.

mod asp_net;
mod counterfoil;
mod django;
mod express;
mod flask;
mod laravel;
mod nginx;
mod php;
mod rails;
mod spring;
#[cfg(test)]
mod tests;

use crate::outcome::Framework;
use crate::rule::Rule;

/// The framework's own words where there are some, after the rule's.
pub fn of(rule: &Rule, framework: Option<Framework>) -> String {
    let own = framework.and_then(|framework| {
        let words = words(framework).iter().find(|(id, _)| *id == rule.id)?.1;
        Some(format!("{} In {}: {words}", rule.fix, name(framework)))
    });
    own.unwrap_or_else(|| rule.fix.to_owned())
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

const fn words(framework: Framework) -> &'static [(&'static str, &'static str)] {
    match framework {
        Framework::Express => express::WORDS,
        Framework::Django => django::WORDS,
        Framework::Flask => flask::WORDS,
        Framework::Rails => rails::WORDS,
        Framework::Laravel => laravel::WORDS,
        Framework::Spring => spring::WORDS,
        Framework::AspNet => asp_net::WORDS,
        Framework::Php => php::WORDS,
        Framework::Nginx => nginx::WORDS,
        Framework::Counterfoil => counterfoil::WORDS,
    }
}
