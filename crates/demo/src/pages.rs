//! The pages, as plain structs that render to HTML. They need no script and escape everything shown.

use std::time::Duration;

use askama::Template;
use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use counterfoil::{Identity, Limits, accounts::Offer};

use crate::feed::EventLine;

/// What every page shows around its content.
#[derive(Debug, Clone, Copy, Default)]
pub struct Frame<'a> {
    /// Who is signed in; shows the sign-out button.
    pub subject: Option<&'a str>,
    /// Whom this browser is known by, who has to sign in for anything that matters.
    pub remembered: Option<&'a str>,
    /// The hidden field of every form, where a session exists.
    pub csrf: Option<&'a str>,
    /// What the request before has to say.
    pub flash: &'a [String],
    /// Why and when the session ends soon, if it does.
    pub ending: Option<Ending>,
    /// The path of this page, to come back to.
    pub here: &'a str,
}

/// The end of a session, near enough to speak of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Nobody was active for a while; being active puts it off.
    Idle {
        /// Until then.
        seconds: u64,
    },
    /// Its time is over then, whatever anybody does.
    Absolute {
        /// Until then.
        seconds: u64,
    },
}

impl Ending {
    /// What is near, if anything: within five minutes, or a quarter of a limit that is shorter than twenty.
    pub fn near(identity: &Identity, limits: &Limits) -> Option<Self> {
        let warn_before = |limit: Duration| NEAR.min(limit / 4);
        if identity.ends_in <= warn_before(limits.absolute) {
            Some(Self::Absolute { seconds: identity.ends_in.as_secs() })
        } else if identity.expires_in <= warn_before(limits.idle) {
            Some(Self::Idle { seconds: identity.expires_in.as_secs() })
        } else {
            None
        }
    }
}

/// Time enough to read a sentence and press a button (WCAG 2.2.1 asks for 20 seconds at least).
const NEAR: Duration = Duration::from_mins(5);

/// `GET /`
#[derive(Debug, Template)]
#[template(path = "home.html")]
pub struct Home<'a> {
    /// The frame.
    pub frame: Frame<'a>,
    /// Names and passwords to sign in with.
    pub accounts: &'a [(&'a str, &'a str)],
}

/// `GET /login`, and again after a failed attempt.
#[derive(Debug, Template)]
#[template(path = "login.html")]
pub struct Login<'a> {
    /// The frame.
    pub frame: Frame<'a>,
    /// What was typed before, or nothing.
    pub username: &'a str,
    /// Where to go afterwards: a path of this site.
    pub next: Option<&'a str>,
    /// For how long who asks for it is remembered; without it there is no box to tick.
    pub remember_for: Option<&'a str>,
    /// Whether the box was ticked before.
    pub ticked: bool,
    /// What went wrong.
    pub message: Option<&'a str>,
}

/// `GET /login/code`, and again after a wrong one.
#[derive(Debug, Template)]
#[template(path = "login_code.html")]
pub struct LoginCode<'a> {
    /// The frame.
    pub frame: Frame<'a>,
    /// Where to go afterwards: a path of this site.
    pub next: Option<&'a str>,
    /// What went wrong.
    pub message: Option<&'a str>,
}

/// `GET /totp`
#[derive(Debug, Template)]
#[template(path = "totp.html")]
pub struct SecondFactor<'a> {
    /// The frame.
    pub frame: Frame<'a>,
    /// Whether there is one.
    pub enrolled: bool,
    /// Whether a step-up is in force; without one nothing changes here.
    pub elevated: bool,
}

/// The answer to `POST /totp/begin`, and again after a wrong code, without the secret.
#[derive(Debug, Template)]
#[template(path = "totp_confirm.html")]
pub struct ConfirmSecondFactor<'a> {
    /// The frame.
    pub frame: Frame<'a>,
    /// What the app is given; shown once.
    pub offer: Option<&'a Offer>,
    /// What went wrong.
    pub message: Option<&'a str>,
}

/// `GET /session`
#[derive(Debug, Template)]
#[template(path = "session.html")]
pub struct ThisSession<'a> {
    /// The frame.
    pub frame: Frame<'a>,
    /// The public session id.
    pub sid: &'a str,
    /// How surely it is known who this is.
    pub assurance: &'a str,
    /// How long it lasts if nobody is active, as text.
    pub expires_in: &'a str,
    /// How long it lasts at most, as text.
    pub ends_in: &'a str,
}

/// `GET /counter`
#[derive(Debug, Template)]
#[template(path = "counter.html")]
pub struct Counter<'a> {
    /// The frame.
    pub frame: Frame<'a>,
    /// The number.
    pub value: u64,
}

/// `GET /note`
#[derive(Debug, Template)]
#[template(path = "note.html")]
pub struct Notes<'a> {
    /// The frame.
    pub frame: Frame<'a>,
    /// Keys and texts.
    pub notes: &'a [(String, String)],
    /// What went wrong.
    pub message: Option<&'a str>,
}

/// `GET /step-up`
#[derive(Debug, Template)]
#[template(path = "step_up.html")]
pub struct StepUp<'a> {
    /// The frame.
    pub frame: Frame<'a>,
    /// Whether a step-up is in force.
    pub elevated: bool,
    /// Where to go afterwards: a path of this site.
    pub next: Option<&'a str>,
    /// What went wrong.
    pub message: Option<&'a str>,
}

/// `GET /transfer`
#[derive(Debug, Template)]
#[template(path = "transfer.html")]
pub struct Transfer<'a> {
    /// The frame.
    pub frame: Frame<'a>,
    /// What there is.
    pub balance: u64,
    /// Whether a step-up is in force; without one there is no form.
    pub elevated: bool,
    /// What was typed before, or nothing.
    pub to: &'a str,
    /// What was typed before, or nothing.
    pub amount: &'a str,
    /// What happened or went wrong.
    pub message: Option<&'a str>,
}

/// `GET /password`
#[derive(Debug, Template)]
#[template(path = "password.html")]
pub struct ChangePassword<'a> {
    /// The frame.
    pub frame: Frame<'a>,
    /// The fewest characters a new password may have.
    pub minimum: usize,
    /// What happened or went wrong.
    pub message: Option<&'a str>,
}

/// One session in [`Devices`].
#[derive(Debug, Clone)]
pub struct Device {
    /// The public session id.
    pub sid: String,
    /// Browser and platform.
    pub label: String,
    /// Whether it is the session that asks.
    pub current: bool,
    /// RFC 3339.
    pub created_at: String,
    /// RFC 3339.
    pub last_seen: String,
}

/// `GET /devices`
#[derive(Debug, Template)]
#[template(path = "devices.html")]
pub struct Devices<'a> {
    /// The frame.
    pub frame: Frame<'a>,
    /// Every session of the subject.
    pub devices: &'a [Device],
    /// What went wrong.
    pub message: Option<&'a str>,
}

/// `GET /events`
#[derive(Debug, Template)]
#[template(path = "events.html")]
pub struct Events<'a> {
    /// The frame.
    pub frame: Frame<'a>,
    /// Newest first.
    pub events: &'a [EventLine],
}

/// `GET /try`
#[derive(Debug, Template)]
#[template(path = "try.html")]
pub struct Try<'a> {
    /// The frame.
    pub frame: Frame<'a>,
    /// The name of the session cookie; never its value.
    pub cookie: &'a str,
    /// The origin of this site.
    pub origin: &'a str,
    /// Whether the certificate is one that curl does not know.
    pub insecure: bool,
    /// How often tokens change, as text.
    pub rotate_every: &'a str,
    /// How long the predecessor lives, as text.
    pub grace: &'a str,
    /// Newest first.
    pub events: &'a [EventLine],
}

/// Where a navigation lands whose request failed the CSRF decision.
#[derive(Debug, Template)]
#[template(path = "denied.html")]
pub struct Denied<'a> {
    /// The frame.
    pub frame: Frame<'a>,
    /// The typed reason's name.
    pub reason: Option<&'a str>,
}

/// Any other refusal.
#[derive(Debug, Template)]
#[template(path = "problem.html")]
pub struct ProblemPage<'a> {
    /// The frame.
    pub frame: Frame<'a>,
    /// The status, as shown.
    pub status: u16,
    /// The heading.
    pub title: &'a str,
    /// What to know.
    pub explanation: &'a str,
    /// Seconds until it is worth trying again.
    pub retry_after: Option<u64>,
    /// Where to go from here.
    pub way_out: WayOut,
}

/// A link that leads on.
#[derive(Debug, Clone, Copy)]
pub struct WayOut {
    /// A path of this site.
    pub href: &'static str,
    /// The link's text.
    pub text: &'static str,
}

/// Renders a page.
pub fn page(status: StatusCode, view: &impl Template) -> Response {
    match view.render() {
        Ok(html) => {
            let kind = HeaderValue::from_static("text/html; charset=utf-8");
            (status, [(header::CONTENT_TYPE, kind)], html).into_response()
        }
        // Writing into a string does not fail; should a template ever, the visitor gets no half page.
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "page could not be rendered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

#[cfg(test)]
mod tests;
