//! `counterfoil store` with servers that nodes share.

use counterfoil_servers::{Postgres, Redis};

use super::{Demo, Path, said};

fn keys(home: &Path) {
    std::fs::create_dir_all(home.join("counterfoil/demo")).unwrap();
    let (code, text) = said(home, &["keys", "new"]);
    assert_eq!(code, Some(0), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes a PostgreSQL: run in the stage that installs it"]
async fn tables_are_shown_before_they_are_made_and_made_once() {
    let (server, home) = (Postgres::start().await.unwrap(), tempfile::tempdir().unwrap());
    let (path, url) = (home.path(), server.url());
    keys(path);
    let (code, text) = said(path, &["store", "check", &url]);
    assert_eq!((code, text.contains("has no tables of this version")), (Some(1), true), "{text}");
    let dry = ["store", "migrate", &url, "--dry-run"];
    let (code, text) = said(path, &dry);
    assert!(code == Some(0) && text.contains("CREATE TABLE counterfoil.sessions"), "{text}");
    assert!(text.contains("nothing was changed"), "{text}");
    assert_eq!(said(path, &["store", "check", &url]).0, Some(1), "a dry run made tables");

    let (code, text) = said(path, &["store", "migrate", &url]);
    assert_eq!((code, text.contains(": made; session records are written in format 2")), (Some(0), true), "{text}");
    for again in [&dry[..], &dry[..3]] {
        let (code, text) = said(path, again);
        assert_eq!((code, text.contains("written in format 2; nothing to do")), (Some(0), true), "{text}");
    }
    let (code, text) = said(path, &["store", "check", &url]);
    assert_eq!((code, text.contains("a node with these keys can start on it; its clock")), (Some(0), true), "{text}");

    let other = tempfile::tempdir().unwrap();
    keys(other.path());
    let (code, text) = said(other.path(), &["store", "check", &url]);
    assert_eq!((code, text.contains("key")), (Some(1), true), "{text}");
}

/// What is said of a store that an earlier program made, while a node of this one runs on it; `written` is what the
/// server says of its format.
fn raised_under_a_node(path: &Path, url: &str, written: impl Fn() -> String) {
    let before = written();
    let demo = Demo::start_with(path, &["--store", url]);
    let cookie = demo.sign_in();
    for (arguments, raised, expected) in [
        (&["store", "check", url][..], false, "written in format 1; once every node runs this version"),
        (&["store", "migrate", url, "--dry-run"], false, "written in format 2, no more in 1"),
        (&["store", "migrate", url, "--dry-run"], false, "nothing was changed"),
        (&["store", "migrate", url], true, "written in format 2 from now on, no more in 1"),
        (&["store", "migrate", url], true, "nothing to do"),
        (&["store", "check", url], true, "session records are written in format 2\n"),
    ] {
        let (code, text) = said(path, arguments);
        assert_eq!((code, text.contains(expected)), (Some(0), true), "{arguments:?}: {text}");
        assert_eq!(written() != before, raised, "{arguments:?}");
    }
    assert!(demo.sees_ada(&cookie), "a migration signed somebody out");
    assert!(demo.sees_ada(&demo.sign_in()));
}

fn sql(server: &Postgres, text: &str) -> String {
    let arguments = ["--no-psqlrc", "--tuples-only", "--no-align", "--dbname", &server.url(), "--command", text];
    let output = server.command("psql").into_std().args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes a PostgreSQL: run in the stage that installs it"]
async fn a_schema_of_an_earlier_program_is_raised_under_its_nodes_and_a_newer_one_refused() {
    let (server, home) = (Postgres::start().await.unwrap(), tempfile::tempdir().unwrap());
    let (path, url) = (home.path(), server.url());
    keys(path);
    assert_eq!(said(path, &["store", "migrate", &url]).0, Some(0));
    sql(&server, "UPDATE counterfoil.meta SET format = 1");
    raised_under_a_node(path, &url, || sql(&server, "SELECT format FROM counterfoil.meta"));
    sql(&server, "UPDATE counterfoil.meta SET format = 3");
    for arguments in [["store", "check", &url], ["store", "migrate", &url]] {
        let (code, text) = said(path, &arguments);
        assert_eq!((code, text.contains("run the version that migrated it")), (Some(1), true), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes a Redis: run in the stage that installs it"]
async fn a_redis_of_an_earlier_program_is_raised_under_its_nodes_and_a_newer_one_refused() {
    let (server, home) = (Redis::start().await.unwrap(), tempfile::tempdir().unwrap());
    let (path, url) = (home.path(), server.url());
    keys(path);
    let (code, text) = said(path, &["store", "migrate", &url, "--dry-run"]);
    assert_eq!((code, text.contains("nothing is there yet")), (Some(0), true), "{text}");
    assert_eq!(meta(&server).await, "", "a dry run marked it");
    let (code, text) = said(path, &["store", "migrate", &url]);
    assert_eq!((code, text.contains(": made; ")), (Some(0), true), "{text}");
    let mark = meta(&server).await.split_once(' ').unwrap().1.to_owned();
    let written = |number: u8| format!("SET counterfoil:meta \"{number} {mark}\"");
    server.tell(&written(2)).await.unwrap();
    let look = || tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(meta(&server)));
    raised_under_a_node(path, &url, look);
    server.tell(&written(4)).await.unwrap();
    for arguments in [["store", "check", &url], ["store", "migrate", &url]] {
        let (code, text) = said(path, &arguments);
        assert_eq!((code, text.contains("run the version that wrote it")), (Some(1), true), "{text}");
    }
}

/// What a Redis is marked with; nothing where it is not.
async fn meta(server: &Redis) -> String {
    server.tell("GET counterfoil:meta").await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes a Redis: run in the stage that installs it"]
async fn a_redis_is_looked_at_as_by_a_node_that_starts() {
    let (mut server, home) = (Redis::start().await.unwrap(), tempfile::tempdir().unwrap());
    let (path, url) = (home.path(), server.url());
    keys(path);
    let (code, text) = said(path, &["store", "check", &url]);
    assert_eq!((code, text.contains("a node with these keys can start on it; its clock")), (Some(0), true), "{text}");
    let (code, text) = said(path, &["store", "migrate", &url]);
    assert_eq!((code, text.contains("written in format 2; nothing to do")), (Some(0), true), "{text}");
    server.stop().await.unwrap();
    let (code, text) = said(path, &["store", "check", &url]);
    assert_eq!((code, text.contains("127.0.0.1")), (Some(1), true), "{text}");
}
