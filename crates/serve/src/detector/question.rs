//! A question as JSON: flat, with the names that events have.

use counterfoil::detector::{Occasion, Question};
use counterfoil_core::rules::{Sensitivity, Signal};
use counterfoil_telemetry::{EvidenceLine, to_the_millisecond};
use serde::Serialize;

/// The version of question and answer. Names are added within a version, and never change their meaning.
const VERSION: u8 = 1;

#[derive(Serialize)]
struct Line<'a> {
    version: u8,
    time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    site: Option<&'a str>,
    #[serde(rename = "session.id", skip_serializing_if = "Option::is_none")]
    session: Option<String>,
    #[serde(rename = "user.hash")]
    subject: String,
    asked_on: Vec<&'static str>,
    route: Route,
    signals: Vec<&'static str>,
    decision: &'static str,
    evidence: EvidenceLine,
}

#[derive(Serialize)]
struct Route {
    sensitive: bool,
    changes_state: bool,
    navigation: bool,
}

pub(super) fn json(question: &Question, site: Option<&str>) -> Result<Vec<u8>, serde_json::Error> {
    serde_json::to_vec(&Line {
        version: VERSION,
        time: to_the_millisecond(question.at),
        site,
        session: question.session.map(|id| id.to_string()),
        subject: question.subject.to_string(),
        asked_on: question.asked_on.iter().map(Occasion::as_str).collect(),
        route: Route {
            sensitive: question.sensitivity == Sensitivity::Sensitive,
            changes_state: question.changes_state,
            navigation: question.navigation,
        },
        signals: question.signals.iter().map(Signal::as_str).collect(),
        decision: question.decision.as_str(),
        evidence: EvidenceLine::of(&question.evidence),
    })
}
