//! Who is told of events, and what they keep, in words. No secret, and no address that may hold one.

use counterfoil_core::policy::explain::{Collected, Statement};
use counterfoil_telemetry::lines::JsonLinesSettings;
use counterfoil_telemetry::otlp::OtlpSettings;
use counterfoil_telemetry::set::{Listen, SignalSettings};
use counterfoil_telemetry::trail::TrailSettings;
use counterfoil_telemetry::webhook::WebhookSettings;
use counterfoil_telemetry::{EventSettings, Only};

pub(super) fn statements(events: &EventSettings) -> Vec<Statement> {
    let EventSettings { lines, trail, webhooks, signals, otlp, authorities } = events;
    let webhooks: Vec<_> = webhooks.iter().map(webhook).collect();
    let lines = lines.as_ref().map(|JsonLinesSettings { file, events }| format!("{}{}", file.display(), only(events)));
    let otlp = otlp.as_ref().map(|OtlpSettings { url, service_name, events, .. }| {
        format!("`{service_name}` at {}{}", host(url), only(events))
    });
    let authorities = authorities.as_ref().map(|file| file.display().to_string());
    let told = |id, who: Option<String>, meaning| Statement::new(id, who.unwrap_or_else(|| "none".into()), meaning);
    let mut all = match trail {
        None => vec![kept("none".into(), 0)],
        Some(TrailSettings { folder, events, retain_days, segment_mb: _ }) => vec![
            kept(format!("{}{}", folder.display(), only(events)), 1),
            Statement::new(
                "events.trail.retain_days",
                retain_days.to_string(),
                "After how many days a file of the trail goes.",
            )
            .about(&["ASVS 14.2.7"]),
        ],
    };
    all.extend(signals.as_ref().map(signals_in_words).into_iter().flatten());
    all.extend([
        told("events.lines", lines, "Where events are written as JSON lines."),
        told("events.webhooks", some(&webhooks), "Who is sent events as signed webhooks."),
        told("events.otlp", otlp, "Which collector is sent events by OpenTelemetry."),
        told(
            "events.authorities",
            authorities,
            "By whose certificates receivers are believed; the system's unless set.",
        ),
    ]);
    all
}

/// Who is told by Shared Signals, and who may tell us what of whom.
fn signals_in_words(signals: &SignalSettings) -> Vec<Statement> {
    let SignalSettings { issuer, push, poll, listen } = signals;
    let pushed: Vec<_> =
        push.iter().map(|stream| format!("{} at {}{}", stream.id, host(&stream.url), only(&stream.events))).collect();
    let polled: Vec<_> = poll.iter().map(|stream| format!("{}{}", stream.id, only(&stream.events))).collect();
    let heard: Vec<_> = listen.iter().map(heard).collect();
    let told = |id, who: &[String], meaning| Statement::new(id, some(who).unwrap_or_else(|| "none".into()), meaning);
    vec![
        Statement::new("events.signals.issuer", issuer.clone(), "Who we are to those whom Shared Signals tell."),
        told("events.signals.push", &pushed, "Who is sent Security Event Tokens."),
        told("events.signals.poll", &polled, "Who may come for Security Event Tokens."),
        told(
            "events.signals.listen",
            &heard,
            "Who may end sessions by telling what happened, of whom, and by which news.",
        ),
    ]
}

fn heard(listen: &Listen) -> String {
    let known: Vec<_> = listen.knows_by.iter().map(|name| name.as_str()).collect();
    let accepts = listen.accepts.as_ref().map_or_else(|| "the usual".to_owned(), |accepts| accepts.join(", "));
    format!("{} of whom it knows by {}: {accepts}", listen.issuer, known.join(", "))
}

/// What is kept here, and what is sent to others.
pub(super) fn collected(events: &EventSettings) -> Vec<Collected> {
    let trail = events.trail.as_ref().map(|trail| {
        Collected::new(
            "people.trail",
            TOLD,
            "to prove what happened, and that nobody changed the record since",
            format!("the folder {}, for its owner alone", trail.folder.display()),
            format!(
                "{} days, by files of a day or less: what is older goes when the next file begins. A person's entries can be \
                 erased before, with `counterfoil trail erase`",
                trail.retain_days
            ),
        )
    });
    let lines = events.lines.as_ref().map(|lines| {
        Collected::new(
            "people.lines",
            TOLD,
            "for programs that read logs",
            format!("the file {}", lines.file.display()),
            "until whoever looks after the file removes it",
        )
    });
    let receivers = events.webhooks.iter().map(|webhook| format!("{} at {}", webhook.name, host(&webhook.url)));
    let collector = events.otlp.as_ref().map(|otlp| host(&otlp.url));
    let of_streams = events.signals.iter().flat_map(|signals| {
        let pushed = signals.push.iter().map(|stream| format!("{} at {}", stream.id, host(&stream.url)));
        pushed.chain(signals.poll.iter().map(|stream| format!("{}, who comes for it", stream.id)))
    });
    let receivers = some(&receivers.chain(collector).chain(of_streams).collect::<Vec<_>>()).map(|receivers| {
        Collected::new(
            "people.receivers",
            TOLD,
            "for whoever watches the site",
            receivers,
            "as long as the receivers keep it",
        )
    });
    [trail, lines, receivers].into_iter().flatten().collect()
}

fn kept(where_to: String, strength: i64) -> Statement {
    Statement::new("events.trail", where_to, "The hash-chained audit trail, in which nothing can be changed unseen.")
        .of_strength([strength])
}

fn webhook(webhook: &WebhookSettings) -> String {
    format!("{} at {}{}", webhook.name, host(&webhook.url), only(&webhook.events))
}

/// Which events, where it is not all of them.
fn only(events: &Only) -> String {
    if *events == Only::default() { String::new() } else { format!(" ({})", Vec::from(events.clone()).join(", ")) }
}

/// Some put a secret into a path, a query or a user's name.
fn host(url: &str) -> String {
    let origin = url::Url::parse(url).ok().map(|url| url.origin()).filter(url::Origin::is_tuple);
    origin.map_or_else(|| "an address that cannot be read".to_owned(), |origin| origin.ascii_serialization())
}

fn some(items: &[String]) -> Option<String> {
    (!items.is_empty()).then(|| items.join("; "))
}

const TOLD: &[&str] = &["events, as in people.events"];
