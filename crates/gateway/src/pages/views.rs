//! The pages, as plain structs that render to HTML. They need no script and escape everything shown.

use askama::Template;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderValue, StatusCode, header};

/// What every page shows around its content.
#[derive(Clone, Copy, Default)]
pub(super) struct Frame<'a> {
    /// The app's name.
    pub(super) app: &'a str,
    /// Where it is.
    pub(super) host: &'a str,
    /// Who is signed in; shows what is theirs, and the sign-out button.
    pub(super) subject: Option<&'a str>,
    /// Whom this browser is known by, who has to sign in for anything that matters.
    pub(super) remembered: Option<&'a str>,
    /// The hidden field of every form, where a session exists.
    pub(super) csrf: Option<&'a str>,
    /// What the request before has to say.
    pub(super) flash: &'a [String],
}

/// `login`, and again after a failed attempt.
#[derive(Template)]
#[template(path = "pages/login.html")]
pub(super) struct Login<'a> {
    pub(super) frame: Frame<'a>,
    /// What was typed before, or nothing.
    pub(super) username: &'a str,
    /// Where to go afterwards: a path of this site.
    pub(super) next: Option<&'a str>,
    /// For how long who asks for it is remembered; without it there is no box to tick.
    pub(super) remember_for: Option<&'a str>,
    /// Whether the box was ticked before.
    pub(super) ticked: bool,
    /// Whether there is any account.
    pub(super) accounts: bool,
    /// What went wrong.
    pub(super) message: Option<&'a str>,
}

/// `login/code`, and again after a wrong one.
#[derive(Template)]
#[template(path = "pages/code.html")]
pub(super) struct Code<'a> {
    pub(super) frame: Frame<'a>,
    /// Where to go afterwards: a path of this site.
    pub(super) next: Option<&'a str>,
    /// What went wrong.
    pub(super) message: Option<&'a str>,
}

/// `step-up`
#[derive(Template)]
#[template(path = "pages/step_up.html")]
pub(super) struct StepUp<'a> {
    pub(super) frame: Frame<'a>,
    /// Whether a step-up is in force.
    pub(super) elevated: bool,
    /// Whether the account has a second factor.
    pub(super) takes_a_code: bool,
    /// Where to go afterwards: a path of this site.
    pub(super) next: Option<&'a str>,
    /// What went wrong.
    pub(super) message: Option<&'a str>,
}

/// `logout`
#[derive(Template)]
#[template(path = "pages/logout.html")]
pub(super) struct Logout<'a> {
    pub(super) frame: Frame<'a>,
}

/// `password`
#[derive(Template)]
#[template(path = "pages/password.html")]
pub(super) struct ChangePassword<'a> {
    pub(super) frame: Frame<'a>,
    /// The fewest characters a new password may have.
    pub(super) minimum: usize,
    /// What went wrong.
    pub(super) message: Option<&'a str>,
}

/// `totp`
#[derive(Template)]
#[template(path = "pages/totp.html")]
pub(super) struct SecondFactor<'a> {
    pub(super) frame: Frame<'a>,
    /// Whether there is one.
    pub(super) enrolled: bool,
    /// Whether a step-up is in force; without one nothing changes here.
    pub(super) elevated: bool,
    /// What an authenticator app is given, while one is set up.
    pub(super) offer: Option<&'a counterfoil::accounts::Offer>,
    /// What went wrong.
    pub(super) message: Option<&'a str>,
}

/// One session in [`Devices`].
#[derive(Debug, Clone)]
pub(super) struct Device {
    /// The public session id.
    pub(super) sid: String,
    /// What people call it.
    pub(super) label: String,
    /// Whether it is the session that asks.
    pub(super) current: bool,
    pub(super) created_at: Time,
    pub(super) last_seen: Time,
}

/// A time, for people and machines.
#[derive(Debug, Clone)]
pub(super) struct Time {
    /// RFC 3339.
    pub(super) machine: String,
    /// As it is shown.
    pub(super) shown: String,
}

/// One line of [`Devices`].
#[derive(Debug, Clone)]
pub(super) struct EventLine {
    pub(super) at: Time,
    /// What happened.
    pub(super) words: String,
    /// On which device, if it is one of those listed.
    pub(super) device: String,
}

/// `devices`
#[derive(Template)]
#[template(path = "pages/devices.html")]
pub(super) struct Devices<'a> {
    pub(super) frame: Frame<'a>,
    /// Every session of the subject, this one first.
    pub(super) all: &'a [Device],
    /// Newest first.
    pub(super) events: &'a [EventLine],
    /// What went wrong.
    pub(super) message: Option<&'a str>,
}

/// `denied`
#[derive(Template)]
#[template(path = "pages/denied.html")]
pub(super) struct Denied<'a> {
    pub(super) frame: Frame<'a>,
    /// The typed reason's name, if it is one we know.
    pub(super) reason: Option<&'a str>,
    /// What it means.
    pub(super) explanation: &'a str,
    /// Where this app is.
    pub(super) origins: &'a [String],
}

/// Any other refusal.
#[derive(Template)]
#[template(path = "pages/problem.html")]
pub(super) struct ProblemPage<'a> {
    pub(super) frame: Frame<'a>,
    /// The status, as shown.
    pub(super) status: u16,
    /// The heading.
    pub(super) title: &'a str,
    /// What to know.
    pub(super) explanation: &'a str,
    /// Seconds until it is worth trying again.
    pub(super) retry_after: Option<u64>,
    /// Where to go from here, and the link's text.
    pub(super) way_out: (&'static str, &'static str),
}

/// Renders a page.
pub(super) fn page(status: StatusCode, view: &impl Template) -> Response {
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
