//! What is proposed for small sites, and what is not done to them.

mod pure;

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Method, Request, Response, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use super::*;
use crate::fixture::Fixture;
use crate::run::Audit;
use crate::wire::WireLimits;

/// Method and path, whether the session cookie came, and the body: what a small site answers by.
type Answers = fn(&str, bool, &str) -> Reply;

enum Reply {
    Page(&'static str),
    /// To a page, signed in.
    In(&'static str),
    /// To a page, signed out.
    Out(&'static str),
    To(&'static str),
    No,
}

struct Small {
    url: Url,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Small {
    async fn serve(answers: Answers) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = asked.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let log = log.clone();
                let service = service_fn(move |request| {
                    let log = log.clone();
                    async move { Ok::<_, Infallible>(answer(answers, &log, request).await) }
                });
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        Self { url, asked }
    }

    async fn discover(&self, page: &str, user: &str) -> Result<Proposal, DiscoverError> {
        let wire = Wire::new(std::slice::from_ref(&self.url), WireLimits::default(), None).unwrap();
        discover(wire, &self.url.join(page).unwrap(), &Account { user: user.to_owned(), password: "right".to_owned() })
            .await
    }

    fn asked(&self, what: &str) -> usize {
        self.asked.lock().unwrap().iter().filter(|one| *one == what).count()
    }
}

async fn answer(answers: Answers, log: &Mutex<Vec<String>>, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let (parts, body) = request.into_parts();
    let target = parts.uri.path_and_query().unwrap().as_str();
    let what = format!("{} {target}", parts.method);
    log.lock().unwrap().push(what.clone());
    let known = parts.headers.get(header::COOKIE).is_some_and(|value| value.to_str().unwrap().contains("id=in"));
    let body = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
    let reply = Response::builder().header("content-type", "text/html");
    let reply = match answers(&what, known, &body) {
        Reply::Page(text) => reply.body(text),
        Reply::To(to) => reply.status(303).header("location", to).body(""),
        Reply::In(to) => reply.status(303).header("location", to).header("set-cookie", "id=in; Path=/").body(""),
        Reply::Out(to) => {
            reply.status(303).header("location", to).header("set-cookie", "id=; Max-Age=0; Path=/").body("")
        }
        Reply::No => reply.status(404).body("Nothing here"),
    };
    reply.unwrap().map(|text| Full::from(Bytes::from_static(text.as_bytes())))
}

const FORM: &str = "<form method=post action=/enter><input type=hidden name=csrf value=c7><label>E-Mail<input type=email name=mail></label>
    <input type=password name=pass><button>Anmelden</button></form>";

/// German, with a token in the form, a link that signs out, and a form that must not be sent.
fn german(what: &str, known: bool, body: &str) -> Reply {
    match (what, known) {
        ("GET /", false) => Reply::Page("<a href=/rein>Anmelden</a>"),
        ("GET /rein", _) => Reply::Page(FORM),
        ("POST /enter", _) if body.contains("csrf=c7") && body.contains("mail=eva%40example.org&pass=right") => {
            Reply::In("/haus")
        }
        ("POST /enter", _) => Reply::Page("Das Passwort ist falsch"),
        ("GET /haus", true) => Reply::Page(
            "<p>Angemeldet als <b>eva@example.org</b></p><a href='/raus?csrf=c7'>Abmelden</a>
             <form method=post action=/eintrag><input type=hidden name=csrf value=c7><input name=text></form>
             <a href=/kennwort>Kennwort ändern</a> <a href=/geraete>Geräte</a>",
        ),
        ("GET /kennwort", true) => Reply::Page(
            "<form method=post><input type=password name=alt><input type=password name=neu><input type=password name=nochmal></form>",
        ),
        ("GET /raus?csrf=c7", true) => Reply::Out("/"),
        (_, false) => Reply::To("/rein"),
        _ => Reply::No,
    }
}

#[tokio::test]
async fn a_site_is_proposed_whole_and_nothing_is_sent_to_it_but_the_sign_in() {
    let site = Small::serve(german).await;
    let proposal = site.discover("/", "eva@example.org").await.unwrap();
    let Profile { sign_in, signed_in, sign_out, changes, .. } = &proposal.profile;
    assert_eq!(sign_in.steps[0].page.as_deref(), Some("/rein"));
    assert_eq!(
        (sign_in.steps[0].form["mail"].as_str(), sign_in.steps[0].form["pass"].as_str()),
        ("{user}", "{password}")
    );
    assert_eq!((signed_in.url.as_str(), signed_in.marker.as_str()), ("/haus", "Angemeldet als <b>{user}"));
    assert_eq!(sign_out.as_ref().unwrap().request.as_ref().unwrap().1, "/raus?csrf={csrf}");
    assert!(changes.is_empty() && proposal.profile.password_change.is_none());
    for line in [
        "# How people sign out. It was tried, and the words above were gone.",
        "# request = \"POST /eintrag\"",
        "# form = { text = \"{random}\" }",
        "# page = \"/kennwort\"",
        "# form = { alt = \"{password}\", neu = \"{new_password}\", nochmal = \"{new_password}\" }",
        "# url = \"/geraete\"",
    ] {
        assert!(proposal.text.contains(line), "{line} is not in\n{}", proposal.text);
    }
    let posts: Vec<_> = site.asked.lock().unwrap().iter().filter(|one| one.starts_with("POST")).cloned().collect();
    assert_eq!(posts, ["POST /enter"]);
    assert_eq!(site.asked("GET /geraete"), 0);
}

#[tokio::test]
async fn the_password_is_in_the_profile_and_not_in_its_text() {
    let proposal = Small::serve(german).await.discover("/rein", "eva@example.org").await.unwrap();
    assert_eq!(proposal.profile.account.password, "right");
    assert!(!proposal.text.contains("right\"") && !format!("{proposal:?}").contains("right\""));
}

#[tokio::test]
async fn comments_hold_what_could_be_declared() {
    let proposal = Small::serve(german).await.discover("/rein", "eva@example.org").await.unwrap();
    let could = |line: &str| line.starts_with('[') || line.contains(" = ");
    let said = proposal.text.lines().map(|line| line.strip_prefix("# ").filter(|rest| could(rest)).unwrap_or(line));
    let declared = said.collect::<Vec<_>>().join("\n");
    let profile: Profile = declared.parse().unwrap_or_else(|error| panic!("{error}\n{declared}"));
    assert!(profile.changes.len() == 1 && profile.password_change.is_some() && profile.sessions.is_some());
    assert!(profile.second_account.is_some() && profile.limits.idle_seconds.is_some());
}

#[tokio::test]
async fn what_is_proposed_can_be_audited() {
    let fixture = Fixture::with(&["replay"]).await;
    let wire = Wire::new(std::slice::from_ref(&fixture.profile.site), WireLimits::default(), None).unwrap();
    let proposal = discover(wire, &fixture.profile.site, &fixture.profile.account).await.unwrap();
    assert_eq!(proposal.profile.signed_in.marker, "Hello {user}.");
    let outcome = Audit::new(proposal.profile).run(&|_| ()).await.unwrap();
    assert_eq!(outcome.session_cookies, ["sid"]);
    let replayed = outcome.flaws(crate::rule::Severity::High).any(|one| one.rule.id == "sign-out-replay");
    assert!(replayed, "{:#?}", outcome.findings);
}

#[tokio::test]
async fn credentials_that_are_wrong_are_not_taken_for_right() {
    let site = Small::serve(german).await;
    match site.discover("/rein", "somebody.else").await {
        Err(DiscoverError::NotIn { target, status: 200, .. }) => assert_eq!(target, "/enter"),
        other => panic!("{other:?}"),
    }
}

/// Tells once that the password was wrong, on whatever page is read next.
fn flash(what: &str, known: bool, _body: &str) -> Reply {
    static TOLD: Mutex<bool> = Mutex::new(true);
    let mut told = TOLD.lock().unwrap();
    match what {
        "POST /enter" => {
            *told = false;
            Reply::To("/")
        }
        "GET /" if !*told => {
            *told = true;
            Reply::Page("<p>That password is not right")
        }
        "GET /" if !known => Reply::Page("<p>Welcome, all of you"),
        _ => Reply::Page(FORM),
    }
}

#[tokio::test]
async fn a_word_that_is_said_once_is_no_sign() {
    let site = Small::serve(flash).await;
    assert!(matches!(site.discover("/login", "eva").await, Err(DiscoverError::NotIn { .. })));
}

fn scripted(what: &str, _known: bool, _body: &str) -> Reply {
    match what {
        "GET /" => Reply::Page("<div id=app></div><script src=/app.js></script>"),
        _ => Reply::No,
    }
}

#[tokio::test]
async fn a_sign_in_made_by_script_is_said_to_be_one() {
    let error = Small::serve(scripted).await.discover("/", "eva").await.unwrap_err().to_string();
    assert!(error.contains("no form with a password field: a script makes it") && error.contains("by hand"), "{error}");
    let error = Small::serve(scripted).await.discover("/nowhere", "eva").await.unwrap_err().to_string();
    assert!(error.contains("/nowhere (status 404)") && !error.contains("script"), "{error}");
}

/// Asks whether one is sure.
fn careful(what: &str, known: bool, _body: &str) -> Reply {
    match (what, known) {
        ("GET /login", _) => Reply::Page(FORM),
        ("POST /enter", _) => Reply::In("/"),
        ("GET /", true) => Reply::Page("<h1>Your very own page</h1><a href=/logout>Log out</a>"),
        ("GET /", false) => Reply::To("/login"),
        ("GET /logout", true) => {
            Reply::Page("Sure? <form method=post action=/logout><button>Yes, log out</button></form>")
        }
        ("POST /logout", true) => Reply::Out("/"),
        _ => Reply::No,
    }
}

#[tokio::test]
async fn a_question_whether_one_is_sure_is_answered() {
    let proposal = Small::serve(careful).await.discover("/login", "eva").await.unwrap();
    let step = proposal.profile.sign_out.unwrap();
    assert_eq!((step.page.as_deref(), step.request), (Some("/logout"), Some((Method::POST, "/logout".to_owned()))));
    assert_eq!(proposal.profile.signed_in.marker, "Log out");
    assert!(proposal.text.contains("words with the account's name would tell better"));
}

/// Nobody gets out.
fn sticky(what: &str, known: bool, body: &str) -> Reply {
    match what {
        "GET /logout" => Reply::To("/"),
        _ => careful(what, known, body),
    }
}

#[tokio::test]
async fn a_way_out_that_leads_nowhere_is_proposed_with_a_doubt() {
    let proposal = Small::serve(sticky).await.discover("/login", "eva").await.unwrap();
    assert!(proposal.text.contains("still there: is it right?"), "{}", proposal.text);
    assert!(proposal.profile.sign_out.is_some());
}
