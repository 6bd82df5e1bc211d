//! A small site for tests: well made, but for the flaws it is told to have.

mod pages;
mod state;

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rcgen::{CertificateParams, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use self::pages::answer;
use self::state::State;
use crate::outcome::Outcome;
use crate::profile::Profile;
use crate::run::{Audit, AuditError};

/// The site, served until the test ends.
pub(crate) struct Fixture {
    pub(crate) profile: Profile,
    certificate: Option<String>,
    state: Arc<Mutex<State>>,
}

impl Fixture {
    pub(crate) async fn with(flaws: &[&'static str]) -> Self {
        Self::serving(flaws, None).await
    }

    /// The same on https, by a name that browsers do not take for this machine's.
    pub(crate) async fn over_tls(flaws: &[&'static str]) -> Self {
        let pair = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec![HOST.to_owned()]).unwrap().self_signed(&pair).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(pair.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        let mut fixture = Self::serving(flaws, Some(TlsAcceptor::from(Arc::new(config)))).await;
        fixture.certificate = Some(certificate.pem());
        fixture
    }

    async fn serving(flaws: &[&'static str], tls: Option<TlsAcceptor>) -> Self {
        let state = Arc::new(Mutex::new(State::new(flaws, tls.is_some())));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        // A name, since an address has no siblings.
        let site = tls.as_ref().map_or(format!("http://localhost:{port}"), |_| format!("https://{HOST}:{port}"));
        let served = state.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let state = served.clone();
                let service = service_fn(move |request| {
                    let state = state.clone();
                    async move { Ok::<_, Infallible>(answer(&state, request).await) }
                });
                let tls = tls.clone();
                tokio::spawn(async move {
                    let _ = match tls {
                        None => http1::Builder::new().serve_connection(TokioIo::new(stream), service).await,
                        Some(tls) => {
                            let Ok(stream) = tls.accept(stream).await else { return };
                            http1::Builder::new().serve_connection(TokioIo::new(stream), service).await
                        }
                    };
                });
            }
        });
        let by = if flaws.contains(&"script") { "[sign_in]\nbrowser = true" } else { "[sign_in]" };
        let profile = PROFILE.replace("SITE", &site).replace("[sign_in]", by).parse().unwrap();
        Self { profile, certificate: None, state }
    }

    /// How many requests came.
    pub(crate) fn requests(&self) -> u32 {
        self.state.lock().unwrap().requests
    }

    pub(crate) async fn audited(&self) -> Outcome {
        self.try_audit(|_| ()).await.unwrap()
    }

    pub(crate) async fn try_audit(&self, change: impl FnOnce(&mut Audit)) -> Result<Outcome, AuditError> {
        let mut audit = Audit::new(self.profile.clone());
        audit.reach.change_account = true;
        audit.certificates = self.certificate.clone().map(String::into_bytes);
        change(&mut audit);
        audit.run(&|_| ()).await
    }
}

/// Of the site on https.
const HOST: &str = "app.test";

/// Without use, and in all.
pub(crate) const LIMITS: (Duration, Duration) = (Duration::from_secs(3), Duration::from_secs(4));

const PROFILE: &str = r#"
site = "SITE"
[sign_in]
page = "/login"
form = { user = "{user}", password = "{password}" }
[account]
user = "alice"
password = "wonder-1"
[second_account]
user = "bob"
password = "builder-1"
[signed_in]
url = "/"
marker = "Hello {user}"
[sign_out]
request = "POST /logout"
[slow]
request = "GET /slow"
[[changes]]
page = "/notes"
request = "POST /notes"
form = { text = "{random}" }
read = "/notes"
[[raises]]
request = "POST /sudo"
reaches = { url = "/admin", marker = "Danger" }
[password_change]
request = "POST /password"
form = { new = "{new_password}" }
[sessions]
url = "/sessions"
each = "<li>"
[[pending]]
kind = "second-factor"
steps = [{ request = "POST /half", form = { user = "{user}", password = "{password}" } }]
[[pending]]
kind = "reset"
steps = [{ request = "POST /forgot", form = { user = "{user}" } }]
"#;
