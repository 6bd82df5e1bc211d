//! A small site for tests: well made, but for the flaws it is told to have.

use std::collections::{BTreeSet, HashMap};
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use url::form_urlencoded;

use rcgen::{CertificateParams, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::TlsAcceptor;

use crate::outcome::Outcome;
use crate::profile::Profile;
use crate::run::{Audit, AuditError};
use crate::token::jwt::{Hs, Jwt};

/// The site, served until the test ends.
pub(crate) struct Fixture {
    pub(crate) profile: Profile,
    certificate: Option<String>,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
pub(crate) struct State {
    flaws: BTreeSet<&'static str>,
    tls: bool,
    sessions: HashMap<String, Session>,
    passwords: HashMap<String, String>,
    notes: HashMap<String, Vec<String>>,
    made: u64,
    requests: u32,
}

#[derive(Clone, Default)]
struct Session {
    user: Option<String>,
    raised: bool,
    half: bool,
    bound: bool,
    /// When it was made, and when it was used last.
    life: Option<(Instant, Instant)>,
}

type Reply = Response<Full<Bytes>>;

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
        let state = State {
            flaws: flaws.iter().copied().collect(),
            passwords: [("alice", "wonder-1"), ("bob", "builder-1")].map(|(a, b)| (a.to_owned(), b.to_owned())).into(),
            tls: tls.is_some(),
            ..State::default()
        };
        let state = Arc::new(Mutex::new(state));
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

impl State {
    fn has(&self, flaw: &str) -> bool {
        self.flaws.contains(flaw)
    }

    fn new_id(&mut self) -> String {
        self.made += 1;
        if self.has("counter") {
            format!("{:08}", 4_000 + self.made)
        } else {
            crate::visitor::random() + &crate::visitor::random()
        }
    }

    fn secret(&self) -> &'static [u8] {
        if self.has("known-secret") { b"secret" } else { b"0f3a-nobody-would-guess-this-1c77" }
    }

    fn believes(&self, token: &Jwt) -> bool {
        let none = token.algorithm() == "none" && self.has("alg-none");
        let fresh = self.has("no-date") || token.expires().is_some_and(|at| at > crate::wire::now_millis() / 1000);
        fresh && (none || self.has("any-signature") || token.is_by(Hs::Hs256, self.secret()))
    }

    fn token(&self, id: &str) -> String {
        let id = if self.has("global-token") { "everybody" } else { id };
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, format!("token of {id}").as_bytes());
        digest.as_ref().iter().take(12).fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
    }
}

struct Asked {
    method: Method,
    path: String,
    id: Option<String>,
    /// Of whom the token speaks, where there are tokens.
    subject: Option<String>,
    fields: HashMap<String, String>,
    origin: Option<String>,
    fetch_site: Option<String>,
    host: String,
}

async fn answer(state: &Mutex<State>, request: Request<Incoming>) -> Reply {
    let asked = read(request).await;
    if asked.path == "/slow" {
        let before = asked.id.as_ref().and_then(|id| state.lock().unwrap().sessions.get(id).cloned());
        tokio::time::sleep(Duration::from_millis(400)).await;
        let mut state = state.lock().unwrap();
        if let (Some(id), Some(before), true) = (&asked.id, before, state.has("revived")) {
            state.sessions.insert(id.clone(), before);
        }
        return page("slow");
    }
    let mut state = state.lock().unwrap();
    state.requests += 1;
    let asked = if state.has("jwt") { opened(&state, asked) } else { asked };
    if state.has("limits") {
        age(&mut state);
    }
    let reply = route(&mut state, &asked);
    if state.has("jwt") { sealed(&state, reply) } else { reply }
}

/// Ends what is over.
fn age(state: &mut State) {
    let (idle, absolute) = (state.has("no-idle"), state.has("no-absolute"));
    let now = Instant::now();
    state.sessions.retain(|_, one| {
        let (made, used) = *one.life.get_or_insert((now, now));
        (idle || now - used < LIMITS.0) && (absolute || now - made < LIMITS.1)
    });
}

/// The id is what the cookie's token says, where it is believed.
fn opened(state: &State, mut asked: Asked) -> Asked {
    let token = asked.id.take().and_then(|value| Jwt::read(&value)).filter(|token| state.believes(token));
    let says = |name: &str| token.as_ref()?.claims.get(name)?.as_str().map(str::to_owned);
    (asked.id, asked.subject) = (says("jti"), says("sub"));
    asked
}

/// Instead of an id, the cookie gets a token that names it.
fn sealed(state: &State, mut reply: Reply) -> Reply {
    let line = reply.headers().get(header::SET_COOKIE).map(|line| line.to_str().unwrap().to_owned());
    let id = line.as_ref().and_then(|line| line.strip_prefix("sid=")?.split(';').next()).unwrap_or_default();
    if let Some(session) = state.sessions.get(id) {
        let exp = crate::wire::now_millis() / 1000 + 3600;
        let claims = serde_json::json!({ "sub": session.user, "jti": id, "exp": exp });
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let input = format!("{}.{}", part(r#"{"alg":"HS256","typ":"JWT"}"#), part(&claims.to_string()));
        let key = hmac::Key::new(hmac::HMAC_SHA256, state.secret());
        let token = format!("{input}.{}", URL_SAFE_NO_PAD.encode(hmac::sign(&key, input.as_bytes())));
        reply.headers_mut().remove(header::SET_COOKIE);
        set(state, &mut reply, &token);
    }
    reply
}

async fn read(request: Request<Incoming>) -> Asked {
    let (parts, body) = request.into_parts();
    let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let cookies = header("cookie").unwrap_or_default();
    let id = cookies.split("; ").find_map(|pair| pair.strip_prefix("sid=")).map(str::to_owned);
    let query = parts.uri.query().unwrap_or_default().to_owned();
    let body = body.collect().await.unwrap().to_bytes();
    let json = header("content-type").is_some_and(|kind| kind == "application/json");
    let form = header("content-type").is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    let mut fields: HashMap<_, _> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    if form {
        fields.extend(form_urlencoded::parse(&body).into_owned());
    }
    if json {
        fields.extend(serde_json::from_slice::<HashMap<String, String>>(&body).unwrap());
    }
    Asked {
        method: parts.method.clone(),
        path: parts.uri.path().to_owned(),
        id,
        subject: None,
        fields,
        origin: header("origin"),
        fetch_site: header("sec-fetch-site"),
        host: header("host").unwrap_or_default(),
    }
}

fn route(state: &mut State, asked: &Asked) -> Reply {
    let session = asked.id.as_ref().and_then(|id| state.sessions.get(id)).cloned();
    let user = session.as_ref().filter(|one| !one.half || state.has("half")).and_then(|one| one.user.clone());
    let user = if state.has("jwt") { user.and(asked.subject.clone()) } else { user };
    let user = user.filter(|_| !state.has("needs-key") || session.as_ref().is_some_and(|one| one.bound));
    if let Some(life) = asked.id.as_ref().and_then(|id| state.sessions.get_mut(id)?.life.as_mut()) {
        life.1 = Instant::now();
    }
    let post = asked.method == Method::POST;
    match (asked.path.as_str(), user) {
        ("/login", _) if post => sign_in(state, asked, false),
        ("/login", _) => sign_in_page(state, asked, session.is_some()),
        ("/key", _) if post => register(state, asked),
        ("/forgot", _) if post => forgotten(state, asked),
        ("/half", _) if post => sign_in(state, asked, true),
        ("/", Some(user)) => {
            page(&format!("Hello {user}. <form method=post action=/logout><button>Sign out</button></form>"))
        }
        (_, None) => Response::builder()
            .status(StatusCode::SEE_OTHER)
            .header("location", "/login")
            .body(Full::default())
            .unwrap(),
        ("/logout", Some(_)) => sign_out(state, asked),
        ("/notes", Some(user)) => notes(state, asked, &user),
        ("/sudo", Some(_)) if post => raise(state, asked),
        ("/admin", Some(_)) if session.is_some_and(|one| one.raised) => page("Danger zone"),
        ("/password", Some(user)) if post => password(state, asked, &user),
        ("/sessions", Some(user)) => {
            let count = state.sessions.values().filter(|one| one.user.as_ref() == Some(&user)).count();
            page(&"<li>a session</li>".repeat(if state.has("unseen") { 1 } else { count }))
        }
        _ => Response::builder().status(StatusCode::NOT_FOUND).body(Full::default()).unwrap(),
    }
}

fn sign_in_page(state: &mut State, asked: &Asked, known: bool) -> Reply {
    let form = "<form method=post action=/login><input name=user><input type=password name=password></form>";
    let mut reply = page(if state.has("script") { SCRIPT } else { form });
    if state.has("kept") && !known {
        let id = state.new_id();
        state.sessions.insert(id.clone(), Session::default());
        set(state, &mut reply, &id);
    }
    let planted = asked.fields.get("sid").filter(|_| state.has("by-address"));
    if let Some(id) = planted {
        set(state, &mut reply, id);
    }
    reply
}

fn sign_in(state: &mut State, asked: &Asked, half: bool) -> Reply {
    let field = |name: &str| asked.fields.get(name).cloned().unwrap_or_default();
    let (user, password) = (field("user"), field("password"));
    if state.has("script") && field("mirrored").chars().rev().collect::<String>() != user {
        return refused();
    }
    if state.passwords.get(&user) != Some(&password) || (!own(asked) && !state.has("sign-in")) {
        return page("Wrong. Please try again.");
    }
    let known = asked.id.as_ref().filter(|id| state.sessions.contains_key(*id));
    let same_user = known.and_then(|id| state.sessions.get(id)).is_some_and(|one| one.user.is_some());
    let kept = match &asked.id {
        Some(id) if state.has("adopted") || state.has("by-address") => Some(id.clone()),
        Some(id) if known.is_some() && ((state.has("kept") && !same_user) || (state.has("same") && same_user)) => {
            Some(id.clone())
        }
        _ => None,
    };
    if let (Some(old), None, false) = (&asked.id, &kept, state.has("old-alive")) {
        state.sessions.remove(old);
    }
    let id = kept.unwrap_or_else(|| state.new_id());
    state.sessions.insert(id.clone(), Session { user: Some(user), half, ..Session::default() });
    let mut reply =
        Response::builder().status(StatusCode::SEE_OTHER).header("location", "/").body(Full::default()).unwrap();
    set(state, &mut reply, &id);
    if state.has("needs-key") {
        let offer = "(ES256);path=\"/key\";challenge=\"a challenge\"";
        reply.headers_mut().insert("secure-session-registration", offer.parse().unwrap());
    }
    reply
}

/// Takes any key.
fn register(state: &mut State, asked: &Asked) -> Reply {
    let Some(session) = asked.id.as_ref().and_then(|id| state.sessions.get_mut(id)) else { return refused() };
    session.bound = true;
    Response::new(Full::from(
        r#"{"session_identifier":"key-1","credentials":[{"type":"cookie","name":"b","attributes":"Path=/"}]}"#,
    ))
}

/// Sends a letter, and remembers for whom.
fn forgotten(state: &mut State, asked: &Asked) -> Reply {
    let mut reply = page("A letter is on its way");
    if state.has("reset") {
        let id = state.new_id();
        let user = asked.fields.get("user").cloned();
        state.sessions.insert(id.clone(), Session { user, ..Session::default() });
        set(state, &mut reply, &id);
    }
    reply
}

fn sign_out(state: &mut State, asked: &Asked) -> Reply {
    let allowed = asked.method == Method::POST && (own(asked) || state.has("sign-out"));
    if !allowed && !(state.has("sign-out")) {
        return refused();
    }
    if let (Some(id), false) = (&asked.id, state.has("replay")) {
        state.sessions.remove(id);
    }
    let mut reply = page("Bye");
    if !state.has("no-effect") {
        let gone = "sid=; Max-Age=0; Path=/";
        reply.headers_mut().insert(header::SET_COOKIE, gone.parse().unwrap());
    }
    reply
}

fn notes(state: &mut State, asked: &Asked, user: &str) -> Reply {
    let id = asked.id.clone().unwrap_or_default();
    if let Some(text) = asked.fields.get("text").filter(|_| asked.method == Method::POST || state.has("get")) {
        let token = asked.fields.get("csrf").cloned();
        let right = match &token {
            None => state.has("optional"),
            Some(_) if state.has("unchecked") => true,
            Some(token) => *token == state.token(&id),
        };
        let by_token = state.has("token-only") && right;
        if !(by_token
            || (own(asked) && !state.has("token-only"))
            || state.has("open")
            || loose(state, asked)
            || asked.method == Method::GET)
        {
            return refused();
        }
        state.notes.entry(user.to_owned()).or_default().push(text.clone());
    }
    let notes = state
        .notes
        .get(user)
        .map(|all| if state.has("last-only") { all.last().cloned().unwrap_or_default() } else { all.join("\n") });
    let token = if state.has("token-only") {
        format!("<input type=hidden name=csrf value={}>", state.token(&id))
    } else {
        String::new()
    };
    page(&format!("<form method=post action=/notes>{token}<input name=text></form>{}", notes.unwrap_or_default()))
}

fn loose(state: &State, asked: &Asked) -> bool {
    match asked.origin.as_deref() {
        Some("null") => state.has("null"),
        Some(origin) if origin.contains("sibling") => state.has("sibling"),
        Some(origin) => {
            state.has("loose") && origin.starts_with(&format!("http://{}", asked.host.split(':').next().unwrap()))
        }
        None => state.has("silent"),
    }
}

fn raise(state: &mut State, asked: &Asked) -> Reply {
    let mut reply = page("Raised");
    let Some(id) = asked.id.clone() else { return refused() };
    let Some(session) = state.sessions.get(&id).cloned() else { return refused() };
    let raised = Session { raised: true, ..session };
    let new = if state.has("raise-same") { id.clone() } else { state.new_id() };
    state.sessions.insert(new.clone(), raised.clone());
    if state.has("raise-old") {
        state.sessions.insert(id, raised);
    } else if new != id {
        state.sessions.remove(&id);
    }
    set(state, &mut reply, &new);
    reply
}

fn password(state: &mut State, asked: &Asked, user: &str) -> Reply {
    state.passwords.insert(user.to_owned(), asked.fields.get("new").cloned().unwrap_or_default());
    if !state.has("password") {
        let id = asked.id.clone();
        state.sessions.retain(|one, session| Some(one) == id.as_ref() || session.user.as_deref() != Some(user));
    }
    page("Changed")
}

fn own(asked: &Asked) -> bool {
    match (asked.fetch_site.as_deref(), &asked.origin) {
        (Some("same-origin" | "none"), _) => true,
        (Some(_), _) | (None, None) => false,
        (None, Some(origin)) => origin.split_once("://").is_some_and(|(_, host)| host == asked.host),
    }
}

fn set(state: &State, reply: &mut Reply, id: &str) {
    let same_site = match () {
        () if state.has("lax") => "; SameSite=Lax",
        () if state.has("unsaid") => "",
        () => "; SameSite=None",
    };
    let http_only = if state.has("readable") { "" } else { "; HttpOnly" };
    let secure = if state.tls && !state.has("not-secure") { "; Secure" } else { "" };
    let cookie = format!("sid={id}; Path=/{http_only}{same_site}{secure}");
    reply.headers_mut().insert(header::SET_COOKIE, cookie.parse().unwrap());
}

fn page(text: &str) -> Reply {
    let text = format!("<!doctype html><html><body>{text}</body></html>");
    Response::builder()
        .header("content-type", "text/html")
        .header("cache-control", "no-store")
        .body(Full::from(text))
        .unwrap()
}

fn refused() -> Reply {
    Response::builder().status(StatusCode::FORBIDDEN).body(Full::default()).unwrap()
}

/// A sign-in that nobody can copy without running it; its fields come late, and it asks elsewhere too.
const SCRIPT: &str = r"<div id=app></div><script>
fetch('http://elsewhere.test:8081/').catch(() => 0);
setTimeout(() => {
  app.innerHTML = '<input id=user><input type=password name=password><button type=button>In</button>';
  const [button] = document.getElementsByTagName('button');
  button.onclick = async () => {
    const [name, password] = [user.value, document.getElementsByName('password')[0].value];
    const body = JSON.stringify({ user: name, password, mirrored: [...name].reverse().join('') });
    const answer = await fetch('/login', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body });
    if (answer.ok) location.href = '/';
  };
}, 50);
</script>";

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
