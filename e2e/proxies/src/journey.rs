//! Somebody's way through a real proxy and the gateway itself: nobody, signed in, attacked, signed out.

use crate::doctor::Patient;
use counterfoil_proxies::verdict::{Failure, Shown, promise};
use counterfoil_proxies::wire::Message;

/// A browser, as far as it takes.
struct Browser<'a> {
    patient: &'a Patient,
    host: String,
    /// Names and values of the cookies it holds.
    jar: Vec<(String, String)>,
}

impl Patient {
    /// From nobody to nobody, by way of the sign-in page.
    pub(crate) fn journey(&self) -> Shown {
        let _proxy = self.house.ready()?;
        let mut browser = Browser { patient: self, host: self.house.host.clone(), jar: Vec::new() };
        browser.nobody()?;
        browser.signs_in()?;
        browser.is_told_to_the_app()?;
        browser.is_attacked()?;
        browser.signs_out()?;
        Ok("signed in, told to the app, attacked in vain, signed out for good".to_owned())
    }
}

impl Browser<'_> {
    fn nobody(&mut self) -> Result<(), Failure> {
        let page = self.get("/page?x=1", NAVIGATION)?;
        let to = page.answer.joined("location");
        let sent = page.answer.status() == 303 && to.contains("/.session/login?next=");
        promise("a stranger is sent to sign in", sent && page.app.is_empty(), || page.seen())?;
        let data = self.get("/data", "Sec-Fetch-Mode: cors\r\nAccept: application/json\r\n")?;
        promise("a stranger's script is told 401", data.answer.status() == 401 && data.app.is_empty(), || data.seen())?;
        let open = self.get("/public/page", NAVIGATION)?;
        promise("a public page is everybody's", open.answer.status() == 200 && open.app.len() == 1, || open.seen())?;
        let anonymous =
            open.told("counterfoil-assurance") == "anonymous" && open.told("counterfoil-subject").is_empty();
        let signed = open.told("counterfoil-assertion").matches('.').count() == 2;
        promise("the app is told that it is nobody", anonymous && signed, || open.seen())
    }

    fn signs_in(&mut self) -> Result<(), Failure> {
        let form = self.get("/.session/login?next=%2Fpage", NAVIGATION)?;
        promise("the sign-in page is there", form.answer.status() == 200, || form.seen())?;
        let password: Vec<_> = self.patient.house.password("ada").bytes().map(|byte| format!("%{byte:02x}")).collect();
        let body = format!("username=ada&password={}&next=%2Fpage{}", password.concat(), token_in(&form.answer));
        let done = self.post("/.session/login?next=%2Fpage", &body, SAME_ORIGIN)?;
        let signed_in = done.answer.status() == 303 && self.jar.iter().any(|(name, _)| name == "dev-id");
        promise("a right password signs in", signed_in, || done.seen())
    }

    fn is_told_to_the_app(&mut self) -> Result<(), Failure> {
        self.jar.push(("theme".to_owned(), "dark".to_owned()));
        let page = self.get("/page", NAVIGATION)?;
        promise("who is signed in reaches the app", page.answer.status() == 200 && page.app.len() == 1, || {
            page.seen()
        })?;
        promise("the app is told who it is", page.told("counterfoil-subject") == "ada", || page.seen())?;
        promise("and gets its own cookies alone", page.told("cookie") == "theme=dark", || page.told("cookie"))
    }

    fn is_attacked(&mut self) -> Result<(), Failure> {
        let own = self.post("/page", "a=1", SAME_ORIGIN)?;
        promise("one's own form reaches the app", own.answer.status() == 200 && own.app.len() == 1, || own.seen())?;
        let foreign =
            self.post("/page", "a=1", |_| "Origin: http://evil.test\r\nSec-Fetch-Site: cross-site\r\n".to_owned())?;
        promise("another site's form does not", foreign.answer.status() != 200 && foreign.app.is_empty(), || {
            foreign.seen()
        })?;
        for lines in [
            "Counterfoil-Subject: root\r\n",
            "counterfoil_subject: root\r\n",
            "Connection: close, counterfoil-subject\r\n",
        ] {
            let seen = self.get("/page", lines)?;
            promise(
                "nobody becomes another",
                seen.app.is_empty() || seen.told("counterfoil-subject") == "ada",
                || seen.seen(),
            )?;
            promise("in any spelling", !seen.app.iter().any(|app| app.mentions("root")), || seen.seen())?;
        }
        for target in
            ["/public/../page", "/public/%2e%2e/page", "/public/..%2fpage", "/public\\..\\page", "/public/..;/page"]
        {
            let held = std::mem::take(&mut self.jar);
            let seen = self.get(target, NAVIGATION)?;
            self.jar = held;
            // A proxy may clean the path; then it is no public one any more.
            promise("no spelling of a path goes round a rule", seen.app.is_empty(), || {
                format!("{target}: {}", seen.seen())
            })?;
        }
        Ok(())
    }

    fn signs_out(&mut self) -> Result<(), Failure> {
        let stolen = self.jar.clone();
        let form = self.get("/.session/logout", NAVIGATION)?;
        let done = self.post("/.session/logout", token_in(&form.answer).trim_start_matches('&'), SAME_ORIGIN)?;
        promise("signing out is answered", matches!(done.answer.status(), 200 | 303), || done.seen())?;
        self.jar = stolen;
        let replayed = self.get("/page", NAVIGATION)?;
        let shut = replayed.answer.status() == 303 && replayed.app.is_empty();
        promise("a copied cookie is worth nothing afterwards", shut, || replayed.seen())
    }

    fn get(&mut self, target: &str, lines: &str) -> Result<Seen, Failure> {
        self.send(&format!("GET {target} HTTP/1.1\r\nHost: {}\r\n{}{lines}\r\n", self.host, self.cookies()))
    }

    fn post(&mut self, target: &str, body: &str, lines: impl Fn(&str) -> String) -> Result<Seen, Failure> {
        let (host, lines, cookies) = (&self.host, lines(&self.host), self.cookies());
        let kind =
            "Content-Type: application/x-www-form-urlencoded\r\nSec-Fetch-Mode: navigate\r\nAccept: text/html\r\n";
        let head = format!(
            "POST {target} HTTP/1.1\r\nHost: {host}\r\n{cookies}{lines}{kind}Content-Length: {}\r\n\r\n",
            body.len()
        );
        self.send(&(head + body))
    }

    fn send(&mut self, request: &str) -> Result<Seen, Failure> {
        let answer = self.patient.house.ask(request.as_bytes())?;
        for cookie in answer.all("set-cookie") {
            let (name, value) = cookie.split(';').next().unwrap_or_default().split_once('=').unwrap_or_default();
            self.jar.retain(|(other, _)| other != name);
            if !value.is_empty() {
                self.jar.push((name.to_owned(), value.to_owned()));
            }
        }
        Ok(Seen { answer, app: self.patient.app.heard() })
    }

    fn cookies(&self) -> String {
        let pairs: Vec<_> = self.jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if pairs.is_empty() { String::new() } else { format!("Cookie: {}\r\n", pairs.join("; ")) }
    }
}

/// What one request came to.
struct Seen {
    answer: Message,
    app: Vec<Message>,
}

impl Seen {
    /// What the app was told under a name.
    fn told(&self, name: &str) -> String {
        self.app.first().map(|app| app.joined(name)).unwrap_or_default()
    }

    /// For the report: statuses and names, never a cookie's value.
    fn seen(&self) -> String {
        let names =
            |message: &Message| message.headers.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(" ");
        let app: Vec<_> = self.app.iter().map(|app| format!("{} with {}", app.first, names(app))).collect();
        format!("{}, to {:?}; the app got {app:?}", self.answer.first, self.answer.joined("location"))
    }
}

/// The hidden field of a form, as it is sent back; nothing where there is none.
fn token_in(page: &Message) -> String {
    let page = String::from_utf8_lossy(&page.body).into_owned();
    let token = page.split_once("name=\"csrf_token\" value=\"").and_then(|(_, rest)| rest.split('"').next());
    token.map(|token| format!("&csrf_token={token}")).unwrap_or_default()
}

const NAVIGATION: &str = "Sec-Fetch-Mode: navigate\r\nSec-Fetch-Site: none\r\nAccept: text/html\r\n";
const SAME_ORIGIN: fn(&str) -> String = |host| format!("Origin: http://{host}\r\nSec-Fetch-Site: same-origin\r\n");
