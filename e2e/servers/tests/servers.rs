//! The servers are what tests take them for. Run in the stage that installs them.

use std::process::Stdio;
use std::time::Duration;

use counterfoil_servers::{
    Postgres, PostgresSettings, Redis, RedisCluster, RedisSentinels, RedisSettings, ServerError,
};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

/// What it answers to one line.
async fn ask(server: &Redis, line: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", server.port())).await?;
    stream.write_all(format!("{line}\r\n").as_bytes()).await?;
    let mut answer = vec![0; 256];
    let read = stream.read(&mut answer).await?;
    answer.truncate(read);
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

#[tokio::test]
#[ignore = "takes a Redis: run in the stage that installs it"]
async fn what_a_redis_was_told_outlives_a_stop_and_not_a_forgetting() {
    let mut server = Redis::start().await.unwrap();
    assert_eq!(ask(&server, "SET a b").await.unwrap(), "+OK\r\n");
    server.stop().await.unwrap();
    assert!(ask(&server, "GET a").await.is_err());
    server.start_again().await.unwrap();
    assert_eq!(ask(&server, "GET a").await.unwrap(), "$1\r\nb\r\n");
    server.kill().await.unwrap();
    server.forget().unwrap();
    server.start_again().await.unwrap();
    assert_eq!(ask(&server, "GET a").await.unwrap(), "$-1\r\n");
}

#[tokio::test]
#[ignore = "takes a Redis: run in the stage that installs it"]
async fn a_redis_that_is_held_up_answers_once_it_goes_on() {
    let server = Redis::start().await.unwrap();
    server.hold().unwrap();
    let mut answer = Box::pin(ask(&server, "PING"));
    assert!(tokio::time::timeout(Duration::from_millis(200), &mut answer).await.is_err());
    server.go_on().unwrap();
    assert_eq!(answer.await.unwrap(), "+PONG\r\n");
}

#[tokio::test]
#[ignore = "takes a Redis: run in the stage that installs it"]
async fn a_redis_that_does_not_start_says_why() {
    let settings = RedisSettings { lines: vec!["no-such-setting 1".to_owned()], ..RedisSettings::default() };
    let error = Redis::start_with(settings).await.unwrap_err();
    assert!(matches!(error, ServerError::Silent { .. }));
    assert!(error.to_string().contains("no-such-setting"), "{error}");
}

/// What `psql` prints for one statement.
async fn query(server: &Postgres, statement: &str) -> Result<String, String> {
    let mut command = server.command("psql");
    command.args(["--no-psqlrc", "--tuples-only", "--no-align", "--dbname", &server.url(), "--command", statement]);
    let output = command.kill_on_drop(true).output().await.map_err(|error| error.to_string())?;
    let text = |bytes| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}

#[tokio::test]
#[ignore = "takes a PostgreSQL: run in the stage that installs it"]
async fn what_a_postgres_was_told_outlives_a_stop_and_a_kill() {
    let mut server = Postgres::start().await.unwrap();
    query(&server, "CREATE TABLE told AS SELECT 1 AS number").await.unwrap();
    server.stop().await.unwrap();
    assert!(query(&server, "SELECT 1").await.is_err());
    server.start_again().await.unwrap();
    query(&server, "INSERT INTO told VALUES (2)").await.unwrap();
    server.kill().await.unwrap();
    server.start_again().await.unwrap();
    assert_eq!(query(&server, "SELECT count(*) FROM told").await.unwrap(), "2");
}

#[tokio::test]
#[ignore = "takes a PostgreSQL: run in the stage that installs it"]
async fn a_postgres_that_is_held_up_answers_once_it_goes_on() {
    let server = Postgres::start().await.unwrap();
    server.hold().unwrap();
    let mut answer = Box::pin(query(&server, "SELECT 'here'"));
    assert!(tokio::time::timeout(Duration::from_millis(200), &mut answer).await.is_err());
    server.go_on().unwrap();
    assert_eq!(answer.await.unwrap(), "here");
}

#[tokio::test]
#[ignore = "takes a PostgreSQL: run in the stage that installs it"]
async fn so_does_one_that_was_connected_before() {
    let server = Postgres::start().await.unwrap();
    let mut command = server.command("psql");
    command.args(["--no-psqlrc", "--tuples-only", "--no-align", "--quiet", "--dbname", &server.url()]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
    let (mut to, mut from) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()).lines());
    to.write_all(b"SELECT 'before';\n").await.unwrap();
    assert_eq!(from.next_line().await.unwrap().unwrap(), "before");
    server.hold().unwrap();
    to.write_all(b"SELECT 'after';\n").await.unwrap();
    assert!(tokio::time::timeout(Duration::from_millis(200), from.next_line()).await.is_err());
    server.go_on().unwrap();
    assert_eq!(from.next_line().await.unwrap().unwrap(), "after");
}

#[tokio::test]
#[ignore = "takes a PostgreSQL: run in the stage that installs it"]
async fn a_postgres_that_does_not_start_says_why() {
    let settings = PostgresSettings { lines: vec!["no_such_setting = 1".to_owned()], ..PostgresSettings::default() };
    let error = Postgres::start_with(settings).await.unwrap_err();
    assert!(error.to_string().contains("no_such_setting"), "{error}");
}

#[tokio::test]
#[ignore = "takes a Redis: run in the stage that installs it"]
async fn sentinels_put_the_replica_in_the_place_of_a_master_that_is_gone() {
    let mut servers = RedisSentinels::start().await.unwrap();
    servers.nodes[0].tell("SET key value").await.unwrap();
    servers.nodes[0].tell("WAIT 1 5000").await.unwrap();
    servers.nodes[0].kill().await.unwrap();
    while !servers.nodes[1].tell("ROLE").await.is_ok_and(|role| role.starts_with("master")) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(servers.nodes[1].tell("GET key").await.unwrap(), "value");
}

#[tokio::test]
#[ignore = "takes a Redis: run in the stage that installs it"]
async fn a_cluster_goes_on_without_one_of_its_masters() {
    let mut cluster = RedisCluster::start().await.unwrap();
    // The slot of `a` is 15495: the third's.
    cluster.nodes[2].tell("SET a value").await.unwrap();
    cluster.nodes[2].tell("WAIT 1 5000").await.unwrap();
    assert!(cluster.nodes[0].tell("GET a").await.unwrap_err().to_string().contains("MOVED 15495"));
    cluster.nodes[2].kill().await.unwrap();
    while cluster.nodes[5].tell("GET a").await.ok().as_deref() != Some("value") {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
