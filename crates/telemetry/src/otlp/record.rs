//! An event as a log record: the names of OpenTelemetry where it has some, `counterfoil.` before all others. Pure.

use counterfoil_core::Moment;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs, SeverityNumber};
use opentelemetry_proto::tonic::resource::v1::Resource;
use serde_json::{Map, Value};

use crate::told::{Severity, Told};

/// Who sends, in OpenTelemetry's resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// `service.name`.
    pub name: String,
    /// `service.version`.
    pub version: String,
    /// `service.instance.id`: which of several nodes.
    pub instance: String,
}

/// What is sent for these events.
pub(super) fn request<'a>(service: &Service, events: impl Iterator<Item = &'a Told>) -> ExportLogsServiceRequest {
    let scope = InstrumentationScope {
        name: "counterfoil".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        ..InstrumentationScope::default()
    };
    let logs = ScopeLogs { scope: Some(scope), log_records: events.map(record).collect(), ..ScopeLogs::default() };
    let Service { name, version, instance } = service;
    let attributes = [("service.name", name), ("service.version", version), ("service.instance.id", instance)]
        .map(|(key, value)| attribute(key.to_owned(), Any::StringValue(value.clone())))
        .to_vec();
    let resource = Resource { attributes, ..Resource::default() };
    let logs = ResourceLogs { resource: Some(resource), scope_logs: vec![logs], ..ResourceLogs::default() };
    ExportLogsServiceRequest { resource_logs: vec![logs] }
}

/// All that the event's JSON object says, so that nothing is forgotten here when it says more.
fn record(told: &Told) -> LogRecord {
    let object: Map<String, Value> = serde_json::from_str(told.json()).unwrap_or_default();
    let mut attributes = Vec::with_capacity(object.len());
    for (name, value) in object {
        if !SAID_OTHERWISE.contains(&&*name) {
            let key = if IN_OPENTELEMETRY.contains(&&*name) { name } else { format!("counterfoil.{name}") };
            add(&mut attributes, key, value);
        }
    }
    let (name, time) = (told.event.kind.name(), nanoseconds(told.event.at));
    LogRecord {
        time_unix_nano: time,
        observed_time_unix_nano: time,
        severity_number: severity(told.severity()).into(),
        severity_text: told.severity().as_str().to_owned(),
        event_name: format!("counterfoil.{name}"),
        body: Some(AnyValue { value: Some(Any::StringValue(name.to_owned())) }),
        attributes,
        ..LogRecord::default()
    }
}

/// What is nested becomes one attribute each: few stores of logs can search anything else.
fn add(attributes: &mut Vec<KeyValue>, key: String, value: Value) {
    let value = match value {
        Value::Object(members) => {
            members.into_iter().for_each(|(name, value)| add(attributes, format!("{key}.{name}"), value));
            return;
        }
        Value::Null => return,
        Value::Bool(value) => Any::BoolValue(value),
        Value::String(text) => Any::StringValue(text),
        Value::Number(number) => number.as_i64().map_or_else(|| Any::StringValue(number.to_string()), Any::IntValue),
        list @ Value::Array(_) => Any::StringValue(list.to_string()),
    };
    attributes.push(attribute(key, value));
}

fn attribute(key: String, value: Any) -> KeyValue {
    KeyValue { key, value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

const fn nanoseconds(at: Moment) -> u64 {
    at.unix_millis().saturating_mul(1_000_000)
}

const fn severity(severity: Severity) -> SeverityNumber {
    match severity {
        Severity::Info => SeverityNumber::Info,
        Severity::Notice => SeverityNumber::Info2,
        Severity::Warning => SeverityNumber::Warn,
        Severity::Alert => SeverityNumber::Error,
    }
}

/// The record has places of its own for these.
const SAID_OTHERWISE: [&str; 3] = ["event", "severity", "time"];
/// Semantic conventions of OpenTelemetry, `session` and `user`.
const IN_OPENTELEMETRY: [&str; 3] = ["session.id", "session.previous_id", "user.hash"];
