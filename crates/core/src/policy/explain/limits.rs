//! How often things may be tried, in words.

use super::{Deviation, Statement, span};
use crate::limits::{Act, LimitSettings, Per, Rate};

impl LimitSettings {
    /// Everything these limits decide: a statement for each rate.
    pub fn explain(&self) -> Vec<Statement> {
        let rates = self.rates().into_iter().map(|(act, per, rate)| statement(act, per, rate));
        let known = Statement::new(
            "limits.known_for",
            span(self.known_for.into()),
            "For this long an account is known at an address where somebody signed in to it. There, and in a browser that is \
             signed in to it, nothing counts that others try elsewhere: nobody locks its owner out.",
        );
        rates.chain([known.about(&["ASVS 6.1.1"])]).collect()
    }
}

fn statement(act: Act, per: Per, rate: Rate) -> Statement {
    let what = match act {
        Act::SignIn => "Wrong passwords",
        Act::Code => "Wrong one-time codes",
        Act::StepUp => "Wrong passwords at a step-up",
        Act::SessionCreation => "Sessions that are made",
        Act::Refresh => "Asking to stay signed in",
        Act::CsrfFailure => "Requests refused as cross-site",
    };
    let by = match per {
        Per::Address => "from one IPv4 address or IPv6 /64",
        Per::Network => "from one IPv6 /48",
        Per::Subject => "for one account, as strangers try it",
        Per::Place => "for one account from one address, or in a browser that was signed in to it",
        Per::Device => "for one account in one browser",
        Per::Session => "in one session",
    };
    let pace = rate.pace();
    let (once, every) = (pace.at_once(), pace.every());
    let guessed = matches!((act, per), (Act::SignIn | Act::Code, Per::Subject));
    let every_millis = i64::try_from(every.as_millis()).unwrap_or(i64::MAX);
    Statement::new(
        format!("limits.{}.{}", act.as_str(), per.as_str()),
        rate.to_string(),
        format!("{what}: {by}, {once} at once and then one every {}. Beyond that the answer is 429.", span(every)),
    )
    .about(if matches!(act, Act::SignIn | Act::Code | Act::StepUp) { GUESSING } else { &[] })
    .of_strength([-i64::from(once.get()), every_millis])
    .short_of(guessed.then(in_a_row))
}

/// A pace bounds guessing in time, and never ends it.
fn in_a_row() -> Deviation {
    Deviation::from(
        "NIST SP 800-63B-4, 3.2.2",
        "no more than 100 failures in a row are allowed at one account",
        "count failures in a row where credentials are checked, and withdraw the credential at 100. These limits slow \
         guessing down and never stop it: a count lets anybody lock an owner out, which ASVS 6.1.1 asks to prevent",
    )
}

const GUESSING: &[&str] = &["ASVS 6.1.1", "ASVS 6.3.1", "NIST SP 800-63B-4, 3.2.2"];
