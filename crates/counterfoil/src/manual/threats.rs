//! Who attacks a session, what stops them here, and what does not.
//!
//! # What is stopped
//!
//! | attack | what stops it |
//! |---|---|
//! | guessing or inventing a token | 256 random bits and a tag under a key of the server's: a forged token is refused before the store is asked, and changes nothing |
//! | session fixation: planting an id before sign-in | signing in is the only road to a subject, and always makes a new session with a new token; an id we did not issue is never adopted, from a cookie, a query or a form |
//! | a cookie tossed in by a sibling domain | the `__Host-` prefix keeps it out of the browser; genuine tokens of different sessions in one request count as none, and are told |
//! | a stolen database, also together with the server's keys | stores hold SHA-256 of each secret; none of it is a token. Both **and** one genuine token give its successor: the price of deriving it |
//! | a stolen cookie, replayed later | the token rotates; once it was surely superseded, whoever presents it ends the session for both, and the event says so |
//! | using a session after sign-out | ending is final: no request in flight, no rotation and no second sign-out brings it back; the store has no "save" |
//! | a password reset that loses a race against the thief's sign-in | a sign-in notes the subject's epoch before the credential is checked, and is refused if it moved |
//! | cross-site requests, login CSRF, cross-site WebSocket handshakes | the decision before the handler runs, by `Origin` and `Sec-Fetch-Site`; a token where these say nothing |
//! | a session used for what needs more than a session | [`Recent`](crate::Recent): a step-up with a clock and a cookie of its own; a fresh sign-in is not enough |
//! | an answer kept by a shared cache | an answer that set or used a session is `no-store`, unless the application keeps it `private` |
//! | signing everybody out by taking the store down | an outage is 503; no cookie is removed, and the same cookie works again |
//! | filling the store with visitors | nothing is stored for a visitor before the application sets something |
//!
//! # What is not stopped
//!
//! * **Script injected into a page** rides the session for as long as the page is open. It cannot read the cookie
//!   (`HttpOnly`), but it can send requests. A strict content security policy and step-up narrow this; they do not close
//!   it.
//! * **Malware on the device** sees what the browser sees.
//! * **A phished login** is a login. A factor bound to the origin, such as a passkey, is what stops it.
//! * **A thief who follows the family**: a thief who collects each successor before its first use stays in step. No
//!   rotation tells him from a second network.
//! * **A thief who is quick**: until the copy is superseded it is as good as the original. With the defaults that takes
//!   a rotation (15 minutes) and about two graces (65 seconds each), while the user is active.
//! * **A restored backup or a copied browser profile** looks like a thief: the session ends, and the user signs in again.
//! * **Mistakes of the application** in who may see what: a session says who somebody is, not what they may do.
//!
//! # What is asked of you
//!
//! Guards stand in the handler's signature. That they stand there is shown in one line each, with `counterfoil::testing`:
//!
//! ```
//! # #[cfg(feature = "testing")]
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! use axum::{Router, routing::post};
//! use counterfoil::Recent;
//! use counterfoil::testing::{Site, assert_refuses_without_csrf, assert_refuses_without_step_up};
//! use http::Method;
//!
//! let site = Site::new();
//! let app = Router::new().route("/transfer", post(async |_: Recent<300>| "done")).layer(site.sessions());
//! assert_refuses_without_step_up(&app, &site, Method::POST, "/transfer").await;
//! assert_refuses_without_csrf(&app, &site, Method::POST, "/transfer").await;
//! # });
//! # Ok::<_, std::io::Error>(())
//! ```
//!
//! * Call [`begin`](crate::SignIn::begin) before a credential is checked, not after.
//! * After a password, a second factor, an address or a role changed and was stored, call
//!   [`trigger`](crate::Session::trigger).
//! * Declare a GET that changes something with [`changes_state`](crate::layer::SessionLayer::changes_state), a sign-in
//!   with [`sign_in`](crate::layer::SessionLayer::sign_in).
//! * A token found in a query or a path raises the event `token.misplaced`; treat it as leaked and end its session.
