//! All that the demo does with sessions, one concern to a file. Nothing outside of here touches one.

use std::sync::Arc;

use axum::Router;
use counterfoil::geo::Databases;
use counterfoil::{
    CSP_REPORT_PATH, CookieKind, Counterfoil, Event, EventSink as _, KeyError, Limiter, Policy, Subject, UserAgents,
    headers::{ContentSecurityPolicy, Directive, SecurityHeaders, Source, TooWide},
};
use counterfoil_serve::detector::CalledOut;
use counterfoil_serve::keep::{Kept, Sessions};

use crate::{app::App, chronicle::Chronicle};

mod member;
mod sign_in;
mod visitor;

pub use counterfoil::{EndReason, Error, SignIn, Trigger};
pub use member::{DeviceEntry, Me, Member, SteppedUp};
pub use sign_in::{Entered, HalfWay, Remember, SignInRefused, sign_in};
pub use visitor::Visitor;

/// Routes by what sessions have to do with them.
#[derive(Debug, Default)]
pub struct Routes {
    /// For everybody, also while the store does not answer.
    pub public: Router<App>,
    /// They sign people in.
    pub doors: Router<App>,
    /// They open the session first.
    pub private: Router<App>,
    /// As private ones, also for whoever waits for a step-up.
    pub proving: Router<App>,
    /// As private ones, but a look there is no activity.
    pub quiet: Router<App>,
    /// They also want a CSRF token with every form, whatever the request's headers say.
    pub sensitive: Router<App>,
}

/// The sessions of the demo, with the keys and in the store that are kept.
///
/// # Errors
/// [`KeyError`] if sessions of this policy may outlive the keys.
pub fn site<'a>(
    policy: Policy,
    kept: Kept,
    limiter: Limiter,
    places: Option<Databases>,
    detector: Option<CalledOut>,
    chronicle: Chronicle,
    names: impl Iterator<Item = &'a str>,
) -> Result<Counterfoil, KeyError> {
    let chronicle = Arc::new(chronicle);
    let sink = Arc::clone(&chronicle);
    let builder = match kept.sessions {
        Sessions::Memory(store) => Counterfoil::with_ring(policy, kept.ring, store)?,
        Sessions::Folder(store) => Counterfoil::with_ring(policy, kept.ring, *store)?,
        Sessions::Redis(store) => Counterfoil::with_ring(policy, kept.ring, *store)?,
        Sessions::Postgres(store) => Counterfoil::with_ring(policy, kept.ring, *store)?,
    };
    let builder = match kept.file {
        Some(file) => builder.follow_keys(file, KEYS_EVERY),
        None => builder,
    };
    let builder = match places {
        Some(places) => {
            places.follow(Databases::EVERY);
            builder.locate_by(places)
        }
        None => builder,
    };
    let builder = match detector {
        Some(detector) => builder.detect_by(detector.on_site(None), detector.asking()),
        None => builder,
    };
    let site = builder
        .events(move |event: &Event| sink.emit(event))
        .security_headers(security_headers())
        .denied_page("/denied")
        .limits(limiter);
    // Without the data devices are still labelled, only with fewer names.
    let site = match UserAgents::new() {
        Ok(agents) => site.device_labels(agents),
        Err(error) => {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "devices are labelled without the data on user agents"
            );
            site
        }
    };
    let site = site.build();
    let known = names.filter_map(|name| Some((site.engine().reference(&Subject::new(name).ok()?), name.to_owned())));
    chronicle.introduce(known);
    Ok(site)
}

/// All routes with the session layer that each needs.
pub fn guarded(site: &Counterfoil, routes: Routes) -> Router<App> {
    let Routes { public, doors, private, proving, quiet, sensitive } = routes;
    public
        .layer(site.sessions().public())
        .merge(doors.layer(site.sessions().public().sign_in()))
        .merge(private.layer(site.sessions()))
        .merge(proving.layer(site.sessions().step_up()))
        .merge(quiet.layer(site.sessions().quiet()))
        .merge(sensitive.layer(site.sessions().sensitive()))
        .merge(site.csp_reports())
}

/// How often the key file is read again, so that `counterfoil keys rotate` is seen while somebody watches.
const KEYS_EVERY: std::time::Duration = std::time::Duration::from_secs(2);

/// The name of the session cookie; never its value.
pub fn cookie_name(site: &Counterfoil) -> &'static str {
    site.engine().policy().cookies().names().name(CookieKind::Session).as_str()
}

/// Our styles and pictures, and no script at all: an escaping mistake would still not run anything, and would be told.
fn security_headers() -> SecurityHeaders {
    let strict = ContentSecurityPolicy::strict();
    let ours = || [Source::SameOrigin];
    let narrow = |policy: ContentSecurityPolicy| -> Result<_, TooWide> {
        policy.set(Directive::DefaultSrc, [])?.set(Directive::StyleSrc, ours())?.set(Directive::ImgSrc, ours())
    };
    // Nothing here is wide and the address is plain, so nothing is refused; were it, the strict policy would stand.
    let policy = narrow(strict.clone()).unwrap_or_else(|_| strict.clone());
    SecurityHeaders::strict().content(policy.report_uri(CSP_REPORT_PATH).unwrap_or(strict))
}
