//! The seam table through every decision endpoint: the same answers as through the tower layer, for each request about
//! which a decision can be made.

use std::collections::BTreeMap;
use std::time::Duration;

use counterfoil::{Assurance, Counterfoil};
use counterfoil_core::Engine;
use counterfoil_core::seam::table::{self, Adapter, CsrfSent, Deed, Observed, Row, Setup, StoreState};
use counterfoil_core::seam::{Care, Route};
use counterfoil_gateway::app::{AppConfig, Proxy};
use counterfoil_gateway::rules::{Access, ChangesState, Rule, Rules};
use http::Request;
use serde_json::Value;

use crate::assertions::verified;
use crate::harness::{Asked, CONTRACTS, Site, app};

#[tokio::test]
async fn every_row_that_is_a_decision_goes_through_every_contract() {
    let mut left_out: BTreeMap<&str, Vec<u16>> = BTreeMap::new();
    for row in table::ROWS {
        if let Some(reason) = no_decision(row) {
            left_out.entry(reason).or_default().push(row.number);
        }
    }
    let decisions = table::ROWS.len() - left_out.values().map(Vec::len).sum::<usize>();
    for (reason, rows) in &left_out {
        println!("not a decision's, {reason}: {rows:?}");
    }
    for proxy in CONTRACTS {
        let mut ran = 0;
        for private in [Private::ForAll, Private::ForMembers] {
            let start = |setup: Setup| Endpoint { site: on(setup, *proxy), proxy: *proxy, private };
            ran += table::run(start).await.unwrap_or_else(|differences| panic!("{}: {differences}", proxy.as_str()));
        }
        println!("{}: {ran} of {} rows", proxy.as_str(), table::ROWS.len());
        assert_eq!(ran, decisions, "{}", proxy.as_str());
    }
    assert_eq!(decisions, 100, "a new row is a decision, or its reason stands below");
}

/// Why no decision can be the answer to a row.
fn no_decision(row: &Row) -> Option<&'static str> {
    let Row { asked, route, deed, .. } = *row;
    match deed {
        Deed::Answer | Deed::Look | Deed::NeedSignedIn | Deed::NeedRecent => {}
        _ => return Some("the deed is the app's own, at our pages or behind us"),
    }
    if route.csrf.sensitive || route.csrf.sign_in {
        Some("no rule declares a route so")
    } else if asked.csrf == CsrfSent::InForm && row.answer.ran {
        Some("the token is in a body, and no decision reads one")
    } else if route.public && deed == Deed::Answer {
        Some("a decision always looks, to say in the assertion who is there")
    } else if route.public && asked.store != StoreState::Up {
        Some("a public path does not fail with the store")
    } else {
        None
    }
}

/// What a private route without a guard is in an app's rules: there is none that opens the session, fails with the store,
/// and lets everybody in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Private {
    /// While the store answers: a path for everybody.
    ForAll,
    /// While it does not: a path for members, where all the same is opened first.
    ForMembers,
}

/// One contract.
struct Endpoint {
    site: Site,
    proxy: Proxy,
    private: Private,
}

fn on(Setup { policy, store, clock }: Setup, proxy: Proxy) -> Site {
    Site::on(AppConfig { policy, ..app(proxy, Access::Public) }, store, clock)
}

impl Endpoint {
    /// The rule that declares what the row's route and handler do.
    fn rule(&self, route: Route, deed: Deed) -> Rule {
        let access = match (deed, self.private) {
            (Deed::NeedRecent, _) => Access::StepUp(Duration::from_mins(5)),
            (Deed::NeedSignedIn, _) | (_, Private::ForMembers) => Access::SignedIn,
            (_, Private::ForAll) => Access::Public,
        };
        let changes_state = if route.csrf.changes_state { ChangesState::Always } else { ChangesState::Never };
        Rule {
            changes_state,
            quiet: route.quiet,
            sensitive: route.care != Care::Usual,
            ..Rule::new("/*".parse().unwrap(), access)
        }
    }

    fn declare(&self, rule: Rule) {
        let policy = self.sessions().engine().policy().clone();
        let config = AppConfig { policy, rules: Rules::new(vec![rule]), ..app(self.proxy, Access::Public) };
        self.site.gateway.exchange(&[config]).unwrap();
    }

    fn sessions(&self) -> &Counterfoil {
        &self.site.sessions
    }
}

impl Adapter for Endpoint {
    fn engine(&self) -> &Engine {
        self.sessions().engine()
    }

    fn can(&self, row: &Row) -> bool {
        let unguarded = matches!(row.deed, Deed::Answer | Deed::Look) && !row.route.public;
        let for_members = unguarded && row.asked.store != StoreState::Up;
        no_decision(row).is_none() && for_members == (self.private == Private::ForMembers)
    }

    async fn ask(&self, request: Request<String>, route: Route, deed: Deed) -> Observed {
        self.declare(self.rule(route, deed));
        let (parts, _) = request.into_parts();
        let mut asked = Asked::get(parts.uri.path_and_query().unwrap().as_str()).method(parts.method.as_str());
        asked.headers = parts.headers;
        // The stories of the table's cookies have no address either.
        asked.address = "unix:";
        asked.headers.remove("host");
        let answered = self.site.ask(&asked).await;
        let looks = answered.passes() && deed != Deed::Answer;
        Observed {
            status: answered.seen,
            denial: answered.denial,
            ran: answered.passes(),
            assurance: looks.then(|| assurance(&self.site, answered.header("counterfoil-assertion").unwrap())),
            headers: answered.headers,
        }
    }
}

/// What the app may rely on, by the assertion.
fn assurance(site: &Site, assertion: &str) -> Assurance {
    match verified(site, assertion).get("acr").and_then(Value::as_str).unwrap() {
        "anonymous" => Assurance::Anonymous,
        "remembered" => Assurance::Remembered,
        "authenticated" => Assurance::Authenticated,
        "elevated" => Assurance::Elevated,
        other => panic!("{other}"),
    }
}
