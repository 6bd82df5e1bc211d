//! The application as a browser uses it.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use http_body_util::BodyExt;
use tower::ServiceExt;

use super::*;

#[tokio::test]
async fn a_notice_is_posted_with_a_password_and_then_listed() {
    let app = app(Board::default());
    let (status, _) = submit(&app, "/notices", "user=ada&password=ada-plain-1&text=tea+at+<4>").await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    let (status, page) = send(&app, Request::get("/").body(Body::empty()).unwrap()).await;
    assert_eq!(status, StatusCode::OK);
    assert!(page.contains("<b>ada</b> : tea at &#60;4&#62;"), "{page}");
}

#[tokio::test]
async fn a_wrong_password_changes_nothing() {
    let board = Board::default();
    for (user, password) in [("ada", "grace-plain-1"), ("nobody", "ada-plain-1"), ("", "")] {
        for (path, field) in [("/notices", "text"), ("/account/email", "email")] {
            let form = format!("user={user}&password={password}&{field}=x");
            assert_eq!(submit(&app(board.clone()), path, &form).await.0, StatusCode::FORBIDDEN, "{user} at {path}");
        }
    }
    assert!(board.notices().is_empty());
}

#[tokio::test]
async fn the_account_page_changes_the_address() {
    let app = app(Board::default());
    submit(&app, "/notices", "user=grace&password=grace-plain-1&text=chess").await;
    let (status, page) = send(&app, Request::get("/account").body(Body::empty()).unwrap()).await;
    assert_eq!((status, page.contains("action=\"/account/email\"")), (StatusCode::OK, true));
    let form = "user=grace&password=grace-plain-1&email=grace@example.org";
    assert_eq!(submit(&app, "/account/email", form).await.0, StatusCode::SEE_OTHER);
    let (_, page) = send(&app, Request::get("/").body(Body::empty()).unwrap()).await;
    assert!(page.contains("<b>grace</b> grace@example.org: chess"), "{page}");
}

async fn submit(app: &Router, path: &str, form: &str) -> (StatusCode, String) {
    let post = Request::post(path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    send(app, post.body(Body::from(form.to_owned())).unwrap()).await
}

async fn send(app: &Router, request: Request<Body>) -> (StatusCode, String) {
    let response = app.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    (parts.status, String::from_utf8(body.collect().await.unwrap().to_bytes().into()).unwrap())
}
