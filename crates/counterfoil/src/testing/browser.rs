//! A browser in front of a router: keeps cookies, and says truly where each request comes from.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::response::Response;
use counterfoil_core::FakeClock;
use counterfoil_core::testing::Jar;
use http::header::{ACCEPT, CONTENT_TYPE, COOKIE, ORIGIN, SET_COOKIE};
use http::{HeaderName, HeaderValue, Method, Request};
use parking_lot::Mutex;
use serde::Serialize;
use tower::ServiceExt as _;

use super::{Cookies, Reply, Site};

/// A browser. Clones are tabs: they share its cookies.
///
/// It sends `Origin` and `Sec-Fetch-*` as a browser would for a page of the site itself, or of another one with
/// [`from_origin`](Self::from_origin). It does not follow redirects, and it sends cookies along whatever their
/// `SameSite`: what protects a route must not be the browser alone.
///
/// # Examples
/// ```
/// use axum::{Router, routing::post};
/// use counterfoil::{SignedIn, testing::Site};
/// use http::StatusCode;
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let site = Site::new();
/// let app = Router::new().route("/pay", post(async |_: SignedIn| "paid")).layer(site.sessions());
/// let ada = site.browser(&app).with(site.signed_in("ada").await);
///
/// assert_eq!(ada.post_form("/pay", &[("amount", "5")]).await.text(), "paid");
/// let forged = ada.from_origin("https://evil.example").post_form("/pay", &[("amount", "5")]).await;
/// assert_eq!(forged.status(), StatusCode::FORBIDDEN);
/// # });
/// # Ok::<_, std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Browser {
    app: Router,
    clock: FakeClock,
    site: Box<str>,
    page: Box<str>,
    fetch_metadata: bool,
    address: Option<IpAddr>,
    headers: Vec<(HeaderName, HeaderValue)>,
    jar: Arc<Mutex<Jar>>,
}

/// What the browser does.
#[derive(Clone, Copy)]
enum Doing {
    /// A script of the page asks.
    Fetch,
    /// A person goes to another page.
    Navigation,
}

impl Browser {
    pub(super) fn new(site: &Site, app: Router) -> Self {
        Self {
            app,
            clock: site.clock().clone(),
            site: site.origin().into(),
            page: site.origin().into(),
            fetch_metadata: true,
            address: None,
            headers: Vec::new(),
            jar: Arc::default(),
        }
    }

    /// The same browser with the cookies of somebody who is signed in, and none of its own any more.
    pub fn with(self, cookies: Cookies) -> Self {
        Self { jar: Arc::new(Mutex::new(cookies.jar)), ..self }
    }

    /// A tab whose page is of another origin, such as `https://evil.example`; `null` is a sandboxed frame.
    pub fn from_origin(&self, origin: &str) -> Self {
        Self { page: origin.into(), ..self.clone() }
    }

    /// A browser from before fetch metadata: it sends no `Sec-Fetch-*`.
    pub fn without_fetch_metadata(&self) -> Self {
        Self { fetch_metadata: false, ..self.clone() }
    }

    /// The same browser in another network.
    pub fn at_address(&self, address: IpAddr) -> Self {
        Self { address: Some(address), ..self.clone() }
    }

    /// The same browser, with one more header in each request.
    ///
    /// # Panics
    /// If it is not a header.
    pub fn with_header(&self, name: &str, value: &str) -> Self {
        let mut headers = self.headers.clone();
        headers.push((name.parse().expect("a header's name"), value.parse().expect("a header's value")));
        Self { headers, ..self.clone() }
    }

    /// A script asks for `path`.
    pub async fn get(&self, path: &str) -> Reply {
        self.send(self.request(Doing::Fetch, Method::GET, path, "", Body::empty())).await
    }

    /// A person goes to `path`.
    pub async fn navigate(&self, path: &str) -> Reply {
        self.send(self.request(Doing::Navigation, Method::GET, path, "", Body::empty())).await
    }

    /// A script posts a form.
    pub async fn post_form(&self, path: &str, fields: &[(&str, &str)]) -> Reply {
        self.send(self.request(Doing::Fetch, Method::POST, path, FORM, form(fields))).await
    }

    /// A person submits a form of the page.
    pub async fn submit(&self, path: &str, fields: &[(&str, &str)]) -> Reply {
        self.send(self.request(Doing::Navigation, Method::POST, path, FORM, form(fields))).await
    }

    /// A script posts JSON.
    pub async fn post_json(&self, path: &str, value: &impl Serialize) -> Reply {
        let body = serde_json::to_vec(value).expect("the value can be written as JSON");
        self.send(self.request(Doing::Fetch, Method::POST, path, "application/json", body.into())).await
    }

    /// A script sends a request without a body, by any method.
    pub async fn fetch(&self, method: Method, path: &str) -> Reply {
        self.send(self.request(Doing::Fetch, method, path, "", Body::empty())).await
    }

    /// Sends a request of one's own. Only the cookies are added, and kept.
    pub async fn send(&self, request: Request<Body>) -> Reply {
        Reply::of(self.open(request).await).await
    }

    /// As [`send`](Self::send), without reading the body: for streams.
    pub async fn open(&self, mut request: Request<Body>) -> Response {
        if let Some(cookies) = self.jar.lock().header(counterfoil_core::Clock::now(&self.clock)) {
            request.headers_mut().append(COOKIE, cookies);
        }
        if let Some(address) = self.address {
            request.extensions_mut().insert(ConnectInfo(SocketAddr::new(address, 50_000)));
        }
        let response = match self.app.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        };
        self.keep(&response);
        response
    }

    /// The value of a cookie the browser holds.
    pub fn cookie(&self, name: &str) -> Option<String> {
        self.jar.lock().value(name).map(str::to_owned)
    }

    /// Puts a cookie into the browser by hand: a stolen or an invented one.
    pub fn put_cookie(&self, name: &str, value: &str) {
        self.jar.lock().put(name, value);
    }

    /// A second browser with a copy of the cookies: what a thief has.
    pub fn stolen(&self) -> Self {
        let jar = self.jar.lock().clone();
        Self { jar: Arc::new(Mutex::new(jar)), ..self.clone() }
    }

    fn keep(&self, response: &Response) {
        let now = counterfoil_core::Clock::now(&self.clock);
        for cookie in response.headers().get_all(SET_COOKIE) {
            let taken = cookie.to_str().map(|text| self.jar.lock().take(text, now));
            assert!(matches!(taken, Ok(Ok(()))), "a browser would drop a cookie of this response: {taken:?}");
        }
    }

    fn request(
        &self,
        doing: Doing,
        method: Method,
        path: &str,
        content_type: &'static str,
        body: Body,
    ) -> Request<Body> {
        let mut request = Request::new(body);
        *request.uri_mut() = path.parse().unwrap_or_else(|error| panic!("{path:?} is no path to ask for: {error}"));
        let headers = request.headers_mut();
        if !content_type.is_empty() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        }
        let host = self.site.split_once("://").map_or("", |(_, host)| host);
        headers.extend(HeaderValue::from_str(host).ok().map(|host| (http::header::HOST, host)));
        let own = self.page == self.site;
        let says_origin = !method.is_safe() || (!own && matches!(doing, Doing::Fetch));
        if says_origin {
            headers.insert(ORIGIN, self.page.parse().expect("an origin is a header's value"));
        }
        let (mode, destination, accept) = match doing {
            Doing::Fetch => ("cors", "empty", "*/*"),
            Doing::Navigation => ("navigate", "document", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"),
        };
        headers.insert(ACCEPT, HeaderValue::from_static(accept));
        if self.fetch_metadata {
            headers.insert("sec-fetch-site", HeaderValue::from_static(relation(&self.page, &self.site)));
            headers.insert("sec-fetch-mode", HeaderValue::from_static(mode));
            headers.insert("sec-fetch-dest", HeaderValue::from_static(destination));
        }
        headers.extend(self.headers.iter().cloned());
        *request.method_mut() = method;
        request
    }
}

fn form(fields: &[(&str, &str)]) -> Body {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish().into()
}

/// `Sec-Fetch-Site`. Two hosts are of one site if their last two labels agree: good enough for test names.
fn relation(page: &str, site: &str) -> &'static str {
    let same_site = || {
        let (one, two) = (page.split_once("://")?, site.split_once("://")?);
        let labels = |host: &str| {
            let host = host.split(':').next().unwrap_or_default().to_owned();
            host.rsplit('.').take(2).map(str::to_owned).collect::<Vec<_>>()
        };
        Some(one.0 == two.0 && labels(one.1) == labels(two.1))
    };
    match page == site {
        true => "same-origin",
        false if same_site().unwrap_or(false) => "same-site",
        false => "cross-site",
    }
}

const FORM: &str = "application/x-www-form-urlencoded";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_related_to_the_site_as_browsers_say() {
        let site = "https://shop.example";
        for (page, related) in [
            (site, "same-origin"),
            ("https://blog.shop.example", "same-site"),
            ("https://shop.example:8443", "same-site"),
            ("http://shop.example", "cross-site"),
            ("https://evil.example", "cross-site"),
            ("null", "cross-site"),
        ] {
            assert_eq!(relation(page, site), related, "{page}");
        }
    }
}
