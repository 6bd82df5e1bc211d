//! Every default with its reason and source, and what weakens it.
//!
//! # Lifetimes
//!
//! | default | value | why |
//! |---|---|---|
//! | preset | [`aal2`](crate::Policy::aal2) | NIST SP 800-63B-4 |
//! | `timeouts.idle` | `aal1` 7 days, `aal2` 1 hour, `aal3` 15 minutes | NIST SP 800-63B-4; 7 days are our choice. Counted from the last user activity (ASVS 7.3.1) |
//! | `timeouts.absolute` | `aal1` 30 days, `aal2` 24 hours, `aal3` 12 hours | NIST SP 800-63B-4. Counted from sign-in, extended by nothing (ASVS 7.3.2) |
//! | `timeouts.elevated_for` | 5 minutes | long enough to read and confirm, short enough that a desk left alone is no risk |
//! | `timeouts.remember_for` | off | a session that outlives its limits is a choice, the operator's and then [the user's](crate::SigningIn::remember); it then greets and no more, until a new sign-in. Counted from sign-in, extended by nothing, never below `timeouts.absolute` |
//! | a half-done sign-in | 10 minutes | one of two factors is nobody |
//! | a session nobody presented | 5 minutes | its reply was lost |
//!
//! A limit of `n` seconds ends a session at its `n`th second. The idle limit is never exceeded; it may come early by the
//! touch step (a twentieth of it, between 5 seconds and 5 minutes), because activity is not written at every request.
//! A policy that was tightened applies to sessions that exist (ASVS 8.3.2).
//!
//! ```
//! use counterfoil::{Policy, PolicySettings};
//!
//! let mut settings = PolicySettings::aal2("https://shop.example");
//! settings.timeouts.idle = Some("2h".parse()?); // more than the preset allows
//! let refused = Policy::try_from(settings).unwrap_err();
//! assert!(refused.to_string().starts_with("timeouts.idle (2h) exceeds what preset aal2 allows (1h)"));
//! # Ok::<_, counterfoil::PolicyError>(())
//! ```
//!
//! # Rotation
//!
//! | default | value | why |
//! |---|---|---|
//! | `timeouts.rotate_every` | 15 minutes (`aal3` 5), at least 5 × grace | a later response can put a dead token back |
//! | `timeouts.grace` | 65 seconds (`aal3` 60), never below 35 | a request arrives up to a minute after its cookie was attached, and clocks differ by 2 s; after a browser crash, whose cookies reach the disk up to 30 s late, that leaves 33 s. It only delays detection |
//! | `sessions.on_reuse` | the session ends | a superseded token came back: somebody holds a copy. `report` tells it only, for the first weeks of a deployment |
//! | `sessions.limit` | none | how many devices people have is the application's to say; where it is set, the oldest yields |
//!
//! # A session in other hands
//!
//! | `[detection]` | default | why |
//! |---|---|---|
//! | `network` | `asn`: another operator | phones change their address all day; with `strict` or `subnet` a change is grave |
//! | `speed_kmh` | 1,000 | airliners do 900; with the wind, little more |
//! | `window` | 10 minutes | somebody who reads in between still takes turns |
//! | `retain` | 30 days | as long as a session of the longest preset; coarse places only |
//! | `decisions` | notify, and step up where it is sensitive | another client, country or journey; another network alone is noted. Nothing ends a session unless it is asked for |
//!
//! # When the account changes
//!
//! The application says what happened, once it is stored: [`Session::trigger`](crate::Session::trigger), or
//! [`Counterfoil::trigger`](crate::Counterfoil::trigger) where no session of the subject asks. One step does it, however
//! many sessions there are; a sign-in under way is overtaken by what ends sessions.
//!
//! | `[triggers]` | default | why |
//! |---|---|---|
//! | `password_changed` | `end_others` | ASVS 7.4.3; whoever asks has just proved the old password, and goes on |
//! | `password_reset` | `end_all` | ASVS 7.4.3; whoever asks has proved nothing to this session, and signs in with the new password |
//! | `email_changed` | `step_up` | ASVS 7.5.1: each such change wants a confirmation, and the one that allowed it is spent |
//! | `mfa_changed` | `end_others` | ASVS 7.4.3 names it beside the password |
//! | `role_changed` | `rotate` | ASVS 8.3.2; OWASP Session Management: a new token after a change of privilege. As soon as the family may: nobody is signed out by it |
//! | `account_disabled` | `end_all` | ASVS 7.4.2 |
//!
//! Where no session asks, every trigger ends all: nothing less is certain in one step. `rotate` and `step_up` concern the
//! session that asks; the subject's others go on, and their step-ups end by their own clocks.
//!
//! A disabled account that does not end all, or a changed credential that spares the others, does not build:
//!
//! ```
//! let refused = counterfoil::policy_from_toml(r#"
//!     origins = ["https://shop.example"]
//!     [triggers]
//!     account_disabled = "end_others"
//! "#).unwrap_err();
//! assert!(refused.to_string().starts_with("triggers.account_disabled (end_others) does less than end_all"));
//! ```
//!
//! # Routes with limits of their own
//!
//! | guard | limit | counted from |
//! |---|---|---|
//! | [`Recent<SECONDS>`](crate::Recent) | at most `timeouts.elevated_for` | the step-up; a sign-in alone is not enough |
//! | [`SignedInWithin<SECONDS>`](crate::SignedInWithin) | none unless a route says so (ASVS 7.6.1) | the last sign-in or step-up |
//! | [`ActiveWithin<SECONDS>`](crate::ActiveWithin) | none unless a route says so | the last activity on routes with the same demand, or the last sign-in or step-up |
//!
//! # Cookies
//!
//! | default | value | why |
//! |---|---|---|
//! | names | `__Host-Http-id`, `__Host-Http-el`, `__Host-Http-an` | the prefix makes browsers insist on `Secure`, `HttpOnly`, `Path=/` and no `Domain`; the names tell neither product nor purpose (OWASP Session Management, session ID name fingerprinting) |
//! | `Secure`, `HttpOnly`, `Path=/` | always | the name decides; there is no setter. Over plain http, on loopback only, the names are `dev-id`, `dev-el`, `dev-an`, and a warning is logged at start |
//! | `cookies.same_site` | `Lax` | `Strict` breaks the return from single sign-on |
//! | `Max-Age` | what is left of the session, at most 400 days | browsers keep no cookie longer (RFC 6265bis) |
//! | caching | `no-store` on what set or used a session | one person's answer is nobody else's; an application that says `private` keeps its word, and gets `Vary: Cookie` |
//!
//! # Cross-site requests
//!
//! | default | value | why |
//! |---|---|---|
//! | the decision | enforced, before the handler runs | a token never overrides a header that says "another site" |
//! | trusted origins | none | exact origins, or the policy does not build |
//! | unsafe methods | all but GET, HEAD, OPTIONS | RFC 9110, section 9.2.1; TRACE is refused; a method override only makes a request more dangerous |
//! | CSRF token | masked anew for each response | it does not compress (BREACH) |
//! | denied | 403 to fetches, a page or a redirect to people | a reload must not post again |
//!
//! # Tokens and keys
//!
//! | default | value | why |
//! |---|---|---|
//! | secret | 256 bits from the system's generator | ASVS 7.2.3, 11.5.1 |
//! | root keys | 32 bytes or more; weak ones do not start | as strong as the HMAC-SHA256 they feed (RFC 2104, NIST SP 800-107) |
//! | key files | refused if others than their owner may read or change them | ASVS 13.3.2 |
//! | an old key | verifies until the longest session made with it has ended, and an hour | nobody is signed out by a rotation; the longest is `sessions last=` in the key file (30 days, the longest of the presets), and a policy beyond it does not start |
//! | a new key | signs at once, or `--signs-in` later | one process needs no delay; with several, a key must verify on all before it signs on any |
//! | in the store | SHA-256 of the secret | a stolen database signs nobody in |
//! | stores that persist | seal subject, device, factors, open link and data: AES-256-GCM, a fresh key per write; ids, times, rough sizes and hashes stay in clear | a stolen disk names nobody; `docs/spec/record-v2.md` |
//!
//! # Replies
//!
//! Errors are problem details (RFC 9457). A step-up is asked for by the challenge of RFC 9470. A store that does not
//! answer is 503, never an empty session.
//!
//! # What weakens them
//!
//! Everything that weakens a default goes through `danger` in the settings, contradictions do not build, and what was
//! weakened is logged at every start:
//!
//! ```
//! let policy = counterfoil::policy_from_toml(r#"
//!     origins = ["https://shop.example"]
//!     [danger]
//!     csrf = "report"
//! "#)?;
//! assert_eq!(policy.weakenings().len(), 1);
//! # Ok::<_, counterfoil::SettingsError>(())
//! ```
