//! Methods, and bodies: they are the app's.

use std::io::{BufReader, Write as _};
use std::time::Duration;

use super::allow::{question, reached};
use crate::chain::Chain;
use counterfoil_proxies::kind::Kind;
use counterfoil_proxies::server::Answer;
use counterfoil_proxies::verdict::{Shown, promise};
use counterfoil_proxies::wire::read_answer;

pub(super) fn every_method_is_told_and_passed_on(chain: &Chain) -> Shown {
    for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "BREW"] {
        let seen = chain.ask(chain.request(method, "/method", "Content-Length: 0\r\n"));
        let (asked, app) = (question(&seen)?, reached(&seen)?);
        let told = match chain.kind {
            Kind::Nginx => asked.only("x-counterfoil-method"),
            Kind::Envoy | Kind::EnvoyGrpc => Some(asked.method()),
            Kind::Traefik | Kind::Caddy | Kind::Haproxy => asked.only("x-forwarded-method"),
        };
        promise("the method is told", told == Some(method), || format!("{method}: {told:?}"))?;
        promise("the method is passed on", app.method() == method, || format!("{method}: {}", app.method()))?;
    }
    Ok("nine, one of them unknown".to_owned())
}

pub(super) fn a_body_goes_to_the_app_alone(chain: &Chain) -> Shown {
    let body = "a=1&counterfoil=2";
    let lines = format!("Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n", body.len());
    goes_to_the_app_alone(chain, &(chain.request("POST", "/form", &lines) + body), body.as_bytes())
}

pub(super) fn so_does_a_chunked_one(chain: &Chain) -> Shown {
    let request = chain.request("PUT", "/file", "Transfer-Encoding: chunked\r\n") + "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
    goes_to_the_app_alone(chain, &request, b"abcde")
}

pub(super) fn so_do_two_megabytes(chain: &Chain) -> Shown {
    let body = "0123456789abcdef".repeat(128 * 1024);
    let lines = format!("Content-Length: {}\r\n", body.len());
    goes_to_the_app_alone(chain, &(chain.request("POST", "/upload", &lines) + &body), body.as_bytes())
}

fn goes_to_the_app_alone(chain: &Chain, request: &str, body: &[u8]) -> Shown {
    let seen = chain.ask(request);
    let (asked, app) = (question(&seen)?, reached(&seen)?);
    promise("the app gets the whole body", app.body == body, || format!("{} of {} bytes", app.body.len(), body.len()))?;
    promise("the decision gets none of it", asked.body.is_empty(), || format!("{} bytes", asked.body.len()))?;
    let lengths = asked.all("content-length").into_iter().filter(|length| *length != "0");
    let says = lengths.chain(asked.all("transfer-encoding")).count();
    promise("the decision is not told to wait for one", says == 0, || format!("{:?}", asked.headers))?;
    Ok(format!("{} bytes", body.len()))
}

pub(super) fn a_denial_does_not_wait_for_a_body(chain: &Chain) -> Shown {
    chain.decide(Answer::new(403));
    let mut stream = chain.connect()?;
    stream.write_all(chain.request("POST", "/upload", "Content-Length: 1000\r\n").as_bytes())?;
    stream.write_all(b"ten bytes.")?;
    // Some pass their answer on only once they have heard the whole body, or their own patience ends.
    stream.set_read_timeout(Some(Duration::from_secs(3)))?;
    let mut writing = stream.try_clone()?;
    let mut stream = BufReader::new(stream);
    let at_once = read_answer(&mut stream, "POST");
    let waits = at_once.is_err();
    let answer = at_once.or_else(|_| {
        writing.write_all(&[b'x'; 990])?;
        read_answer(&mut stream, "POST")
    });
    let seen = chain.seen(answer);
    question(&seen)?;
    promise("it is denied, before the body or after it", seen.status() == 403 && seen.app.is_empty(), || {
        format!("{:?}", seen.answer)
    })?;
    Ok(if waits { "decided at once, told after the body" } else { "told at once" }.to_owned())
}

pub(super) fn a_denied_head_has_no_body(chain: &Chain) -> Shown {
    chain.decide(Answer::new(403).saying("no"));
    let stream = chain.connect()?;
    let mut writing = stream.try_clone()?;
    writing.write_all(chain.request("HEAD", "/a", "").as_bytes())?;
    let mut stream = BufReader::new(stream);
    let first = read_answer(&mut stream, "HEAD")?;
    // Whatever a body would leave on the connection would be taken for the next answer.
    let next = if first.joined("connection").eq_ignore_ascii_case("close") {
        None
    } else {
        writing.write_all(chain.request("HEAD", "/b", "").as_bytes())?;
        Some(read_answer(&mut stream, "HEAD")?.status())
    };
    promise("nothing follows the head", first.status() == 403 && next.is_none_or(|status| status == 403), || {
        format!("{first:?}, then {next:?}")
    })?;
    Ok("twice on one connection, where it stays open".to_owned())
}
