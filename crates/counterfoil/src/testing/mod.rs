//! Testing your own routes: a site on a fake clock, a browser for it, somebody signed in or stepped up in one call, and
//! one-line checks that a route refuses what it must refuse.
//!
//! With the feature `testing`, as a development dependency:
//!
//! ```toml
//! [dev-dependencies]
//! counterfoil = { version = "0.1", features = ["testing"] }
//! ```
//!
//! Everything here panics where a test should fail, and says what to do about it.
//!
//! # Examples
//! ```
//! use axum::{Router, routing::{get, post}};
//! use counterfoil::testing::{Site, assert_refuses_strangers, assert_refuses_without_csrf, assert_refuses_without_step_up};
//! use counterfoil::{Counterfoil, Recent, SignedIn};
//! use http::{Method, StatusCode};
//! use std::time::Duration;
//!
//! // The application takes its `Counterfoil` from outside, so that a test can bring its own.
//! fn app(sessions: &Counterfoil) -> Router {
//!     Router::new()
//!         .route("/me", get(async |user: SignedIn| user.subject().to_string()))
//!         .route("/transfer", post(async |_: Recent<300>| "done"))
//!         .layer(sessions.sessions())
//! }
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! let site = Site::new();
//! let app = app(&site);
//! assert_refuses_strangers(&app, &site, Method::GET, "/me").await;
//! assert_refuses_without_csrf(&app, &site, Method::POST, "/transfer").await;
//! assert_refuses_without_step_up(&app, &site, Method::POST, "/transfer").await;
//!
//! let ada = site.browser(&app).with(site.signed_in("ada").await);
//! assert_eq!(ada.get("/me").await.text(), "ada");
//!
//! site.clock().advance(Duration::from_secs(3_600));
//! assert_eq!(ada.get("/me").await.status(), StatusCode::UNAUTHORIZED, "idle for an hour");
//! # });
//! # Ok::<_, std::io::Error>(())
//! ```
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "what stops a test is a panic with a reason; the module's page says so once"
)]

mod browser;
mod checks;
mod reply;
mod site;

pub use self::browser::Browser;
pub use self::checks::{assert_refuses_strangers, assert_refuses_without_csrf, assert_refuses_without_step_up};
pub use self::reply::Reply;
pub use self::site::{Cookies, Site};
pub use counterfoil_core::testing::{Fault, Faults, Verb};
