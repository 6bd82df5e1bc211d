//! The whole chain: a real nginx before an app, alone, and asking about each request.

use std::net::SocketAddr;
use std::path::Path;

use counterfoil_benches::Failed;
use counterfoil_benches::load::{Expects, Script};
use counterfoil_benches::server::{Server, on};
use counterfoil_proxies::house::at;
use counterfoil_proxies::kind::Kind;
use counterfoil_proxies::process::{Process, listening};
use counterfoil_proxies::site::free_port;

use crate::arranged::{Arranged, program};
use crate::decisions::Empty;
use crate::questions::{CONNECTIONS, SESSIONS, browser};
use crate::sample::{Row, Size, sample};

/// nginx alone first. The processes of each row: nginx, whoever decides, the app.
pub(crate) type Chain = [Row; 4];

/// The runs.
pub(crate) fn runs(size: Size) -> usize {
    size.runs * 4
}

/// Everything but the load on `core`; the rows take turns, run by run.
pub(crate) fn measure(counterfoil: &Path, size: Size, core: Option<usize>, step: impl Fn()) -> Result<Chain, Failed> {
    let app = on(core, || Server::start(program("bare")?, None))?;
    let folder = tempfile::tempdir()?;
    let (alone, front) = alone(folder.path(), app.address(), core)?;
    let empty = on(core, Empty::start)?;
    let sessions = CONNECTIONS * SESSIONS;
    let asking_empty = Arranged::new(Kind::Nginx, counterfoil, app.address(), Some(empty.0.address()), sessions)?;
    let asking = Arranged::new(Kind::Nginx, counterfoil, app.address(), None, sessions)?;
    let gateway = asking.gateway(counterfoil, core)?;
    let (beside_empty, beside_gateway) = (asking_empty.proxy(core)?, asking.proxy(core)?);
    let mut rows = [
        "nginx before the app",
        "nginx that asks a server which answers an empty 200",
        "nginx that asks the gateway; a member, on the same page again",
        "the same, on another page each time",
    ]
    .map(Row::new);
    let size = Size { requests: size.requests.min(MOST_REQUESTS), ..size };
    for run in 0..size.runs {
        let same = |arranged: &Arranged| requests(arranged, SESSIONS, |_| "/".to_owned());
        let each = size.requests * 12 / 10 / CONNECTIONS + 1;
        let other = requests(&asking, each, |number| format!("/?page={run:03}-{number:07}"));
        let by_gateway = [beside_gateway.id(), gateway.id(), app.id()];
        let asked = [
            sample(front, same(&asking), size.requests, &[alone.id(), app.id()])?.between(0.0),
            sample(
                asking_empty.front,
                same(&asking_empty),
                size.requests,
                &[beside_empty.id(), empty.0.id(), app.id()],
            )?,
            sample(asking.front, same(&asking), size.requests, &by_gateway)?,
            sample(asking.front, other, size.requests, &by_gateway)?,
        ];
        for (row, asked) in rows.iter_mut().zip(asked) {
            row.samples.push(asked);
            step();
        }
    }
    Ok(rows)
}

/// What browsers send, each connection with sessions of its own.
fn requests(arranged: &Arranged, each: usize, target: impl Fn(usize) -> String) -> Vec<Script> {
    let script = |connection: usize| {
        let request = |number: usize| {
            let session = arranged.cookies.get(connection * SESSIONS + number % SESSIONS);
            let (target, sent) = (target(connection * each + number), browser(session.map(String::as_str)));
            format!("GET {target} HTTP/1.1\r\nHost: {}\r\n{sent}\r\n", arranged.host).into_bytes()
        };
        Script { requests: (0..each).map(request).collect(), takes_cookie: false, expects: Expects::THE_BODY }
    };
    (0..CONNECTIONS).map(script).collect()
}

/// nginx as it stands before an app without us: the same upstream, the same headers for it, and no questions.
fn alone(folder: &Path, app: SocketAddr, core: Option<usize>) -> Result<(Process, SocketAddr), Failed> {
    let front = at(free_port()?);
    let site = ALONE.replace("FRONT", &front.to_string()).replace("APP", &app.to_string());
    std::fs::write(folder.join("counterfoil-app.conf"), site)?;
    let mut nginx = on(core, || Ok(Process::start(Kind::Nginx.command(folder)?, Kind::Nginx.program())?))?;
    listening(front, &mut nginx, "nginx", || std::fs::read_to_string(folder.join("error.log")).unwrap_or_default())?;
    Ok((nginx, front))
}

/// nginx closes a connection after a thousand requests, a tenth more being the warm-up; these are for all connections.
const MOST_REQUESTS: usize = 28_000;

/// In the place of the file that the gateway writes.
const ALONE: &str = "\
upstream app { server APP; keepalive 32; }
server {
    listen FRONT;
    location / {
        proxy_pass http://app;
        proxy_http_version 1.1;
        proxy_set_header Host $http_host;
        proxy_set_header Connection \"\";
        proxy_set_header X-Forwarded-For $remote_addr;
        proxy_set_header X-Forwarded-Proto $scheme;
    }
}
";
