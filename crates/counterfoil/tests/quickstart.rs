//! The quick start of the README is the program in `examples/`, and that program does what the README says.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#[expect(dead_code, reason = "the example is a program; the test uses only its router")]
#[path = "../examples/quickstart.rs"]
mod quickstart;

use axum::body::Body;
use axum::response::Response;
use http::header::{CONTENT_TYPE, COOKIE, ORIGIN, SET_COOKIE};
use http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;

const SITE: &str = "http://127.0.0.1:3000";

#[test]
fn the_readme_shows_the_program_to_the_letter() {
    let readme = include_str!("../../../README.md");
    let program = include_str!("../examples/quickstart.rs");
    let (_, code) = program.split_once("\n\n").unwrap();
    assert!(readme.contains(code.trim()), "README.md and examples/quickstart.rs differ");
}

#[tokio::test]
async fn a_visitor_fills_a_cart_signs_in_and_signs_out() {
    let app = quickstart::app().unwrap();
    let send = |request: Request<Body>| app.clone().oneshot(request);

    let added = send(post("/cart", None, "text/plain", "tea")).await.unwrap();
    assert_eq!((added.status(), cookie(&added).starts_with("dev-an=")), (StatusCode::OK, true));
    assert_eq!(body(added).await, "1 in the cart");

    let form = "user=ada&password=correct+horse+battery+staple";
    let signed_in = send(post("/login", None, "application/x-www-form-urlencoded", form)).await.unwrap();
    assert_eq!(signed_in.status(), StatusCode::SEE_OTHER);
    let session = cookie(&signed_in);

    let greeting = send(Request::get("/me").header(COOKIE, &session).body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(body(greeting).await, "Hello ada");

    assert_eq!(send(post("/logout", Some(&session), "", "")).await.unwrap().status(), StatusCode::SEE_OTHER);
    let again = send(Request::get("/me").header(COOKIE, &session).body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(again.status(), StatusCode::UNAUTHORIZED);
}

fn post(path: &str, cookie: Option<&str>, content_type: &str, body: &'static str) -> Request<Body> {
    let mut request = Request::post(path).header(ORIGIN, SITE).header(CONTENT_TYPE, content_type);
    if let Some(cookie) = cookie {
        request = request.header(COOKIE, cookie);
    }
    request.body(Body::from(body)).unwrap()
}

fn cookie(response: &Response) -> String {
    let cookie = response.headers().get(SET_COOKIE).unwrap().to_str().unwrap();
    cookie.split(';').next().unwrap_or_default().to_owned()
}

async fn body(response: Response) -> String {
    String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}
