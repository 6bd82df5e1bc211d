//! The cases: what each shows.

mod account;
mod audit;
mod devices;
mod door;
mod endings;
mod first_command;
mod foreign;
mod keyboard;
mod live;
mod pages;
mod renewal;
mod second_factor;
mod your_app;

use std::{pin::Pin, sync::Arc};

use crate::{verdict::Shown, world::Stage};

/// One case.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Case {
    /// The name on the command line.
    pub(crate) name: &'static str,
    /// Whose accounts it needs.
    pub(crate) people: &'static [&'static str],
    /// What is different in the gateway's policy.
    pub(crate) policy: &'static str,
    /// Which proxies it is shown behind.
    pub(crate) behind: Behind,
    pub(crate) runs: Runs,
    pub(crate) run: fn(Arc<Stage>) -> Showing,
}

/// Which proxies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Behind {
    /// All: it depends on what a proxy passes on.
    Every,
    /// The two most people have; the proxy's part in it is shown by other cases.
    NginxAndCaddy,
    /// One, for its lines in a page.
    Caddy,
}

/// When it is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Runs {
    Always,
    /// By its name, or with `--long`.
    WhereAskedFor,
}

/// A case under way.
pub(crate) type Showing = Pin<Box<dyn Future<Output = Shown> + Send>>;

/// All of them; the longest come first.
#[rustfmt::skip]
pub(crate) const ALL: [Case; 20] = [
    two("audit",            Behind::NginxAndCaddy, |stage| Box::pin(audit::nothing_above_informational(stage))),
    case("first-command",   Behind::NginxAndCaddy, |stage| Box::pin(first_command::from_sign_in_to_sign_out(stage))),
    case("your-app",        Behind::Caddy,         |stage| Box::pin(your_app::to_the_letter(stage))),
    case("pages",           Behind::NginxAndCaddy, |stage| Box::pin(pages::all(stage))),
    long("renewal",         Behind::Every,         |stage| Box::pin(renewal::is_not_noticed(stage))),
    case("keyboard",        Behind::NginxAndCaddy, |stage| Box::pin(keyboard::without_scripts(stage))),
    case("second-factor",   Behind::NginxAndCaddy, |stage| Box::pin(second_factor::from_set_up_to_sign_in(stage))),
    case("password",        Behind::NginxAndCaddy, |stage| Box::pin(account::password(stage))),
    two("end-others",       Behind::NginxAndCaddy, |stage| Box::pin(devices::end_others(stage))),
    case("end-one",         Behind::NginxAndCaddy, |stage| Box::pin(devices::end_one(stage))),
    case("rename",          Behind::NginxAndCaddy, |stage| Box::pin(devices::rename(stage))),
    case("step-up",         Behind::Every,         |stage| Box::pin(account::step_up(stage))),
    case("sign-out",        Behind::Every,         |stage| Box::pin(endings::sign_out(stage))),
    case("there-and-back",  Behind::Every,         |stage| Box::pin(door::there_and_back(stage))),
    case("wrong-password",  Behind::NginxAndCaddy, |stage| Box::pin(door::wrong_password(stage))),
    case("cookie",          Behind::Every,         |stage| Box::pin(door::cookie(stage))),
    case("second-tab",      Behind::NginxAndCaddy, |stage| Box::pin(door::second_tab(stage))),
    two("another-person",   Behind::NginxAndCaddy, |stage| Box::pin(door::another_person(stage))),
    case("foreign-form",    Behind::NginxAndCaddy, |stage| Box::pin(foreign::form_and_link(stage))),
    case("live",            Behind::Every,         |stage| Box::pin(live::socket_and_stream(stage))),
];

const fn case(name: &'static str, behind: Behind, run: fn(Arc<Stage>) -> Showing) -> Case {
    Case { name, people: &["ada"], policy: "", behind, runs: Runs::Always, run }
}

/// With somebody else beside ada.
const fn two(name: &'static str, behind: Behind, run: fn(Arc<Stage>) -> Showing) -> Case {
    Case { people: &["ada", "grace"], ..case(name, behind, run) }
}

/// Three minutes; with tokens that change as often as a policy may have it.
const fn long(name: &'static str, behind: Behind, run: fn(Arc<Stage>) -> Showing) -> Case {
    let policy = "[policy.timeouts]\nrotate_every = \"175s\"\ngrace = \"35s\"\n";
    Case { policy, runs: Runs::WhereAskedFor, ..case(name, behind, run) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_case_has_a_name_of_its_own() {
        assert_eq!(ALL.iter().map(|case| case.name).collect::<BTreeSet<_>>().len(), ALL.len());
    }
}
