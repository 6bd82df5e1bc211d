//! The session policy: the policy file, what the command line says on top of it, and what test mode weakens.

use std::{io, path::PathBuf, time::Duration};

use counterfoil::{
    AddressSource, LimitSettings, Policy, PolicyError, PolicySettings, origin::Origin, origin::OriginError,
    settings_from_toml,
};
use counterfoil_serve::detector::DetectorSettings;
use counterfoil_telemetry::EventSettings;

use crate::options::{DemoArgs, LimitArgs, Mode, Plan};

/// Why a policy file is of no use. The text names the file and, where there is one, the key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyFileRefused {
    /// The file is needed, or the option left out.
    #[error("--policy {path}: cannot be read", path = .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file must be corrected: its syntax, a key, or a value's type.
    #[error("--policy {path}: is not a policy", path = .path.display())]
    NotAPolicy {
        /// The file.
        path: PathBuf,
        /// Where and why.
        source: Box<toml::de::Error>,
    },
    /// An origin in the file must be corrected.
    #[error("--policy {path}: origins: `{text}`", path = .path.display())]
    Origin {
        /// The file.
        path: PathBuf,
        /// What was written.
        text: String,
        /// What is wrong with it.
        source: OriginError,
    },
    /// The floors hold unless the demo is weakened as a whole.
    #[error(
        "--policy {path}: danger.below_floors = true lets times go under their floors, which the demo does with \
         --test-mode only: add that option, or remove the key",
        path = .path.display()
    )]
    BelowFloors {
        /// The file.
        path: PathBuf,
    },
}

/// What a file says; the defaults where no file is named.
#[derive(Debug, Default)]
pub struct Written {
    /// Of sessions.
    pub sessions: PolicySettings,
    /// Of trying, in `[limits]`.
    pub limits: LimitSettings,
    /// Of who is told what happens, in `[events]`.
    pub events: EventSettings,
    /// Of who is asked about requests, in `[detector]`.
    pub detector: Option<DetectorSettings>,
}

/// What the file says. Where the command line names no origin, the file's take its place.
///
/// # Errors
/// [`PolicyFileRefused`]
pub fn read(arguments: &mut DemoArgs) -> Result<Written, PolicyFileRefused> {
    let Some(path) = arguments.policy.clone() else {
        return Ok(Written::default());
    };
    let text = std::fs::read_to_string(&path)
        .map_err(|source| PolicyFileRefused::Unreadable { path: path.clone(), source })?;
    let refused = |source| PolicyFileRefused::NotAPolicy { path: path.clone(), source: Box::new(source) };
    let Written { sessions: settings, limits, events, detector } = read_text(text).map_err(refused)?;
    if settings.danger.below_floors && !arguments.test_mode {
        return Err(PolicyFileRefused::BelowFloors { path });
    }
    if arguments.origin.is_empty() {
        let origin = |text: &String| text.parse::<Origin>().map_err(|source| (text.clone(), source));
        arguments.origin = settings
            .origins
            .iter()
            .map(origin)
            .collect::<Result<_, _>>()
            .map_err(|(text, source)| PolicyFileRefused::Origin { path, text, source })?;
    }
    Ok(Written { sessions: settings, limits, events, detector })
}

/// What a policy file with this text says.
///
/// # Errors
/// What is wrong, and where.
pub fn read_text(text: String) -> Result<Written, toml::de::Error> {
    let (text, Beside { events, detector }) = split(text)?;
    let (sessions, limits) = settings_from_toml(&text)?;
    Ok(Written { sessions, limits, events, detector })
}

/// What stands beside the policy.
#[derive(serde::Deserialize)]
struct Beside {
    #[serde(default)]
    events: EventSettings,
    #[serde(default)]
    detector: Option<DetectorSettings>,
}

/// The rest, and what stands beside it.
fn split(text: String) -> Result<(String, Beside), toml::de::Error> {
    let beside = toml::from_str(&text)?;
    let mut rest: toml::Table = toml::from_str(&text)?;
    let found = ["events", "detector"].map(|table| rest.remove(table).is_some());
    // As it stands, so that mistakes are told with their lines.
    if found.contains(&true) { Ok((rest.to_string(), beside)) } else { Ok((text, beside)) }
}

/// The policy in force: `settings` from the file, the command line's limits and proxies above them.
///
/// # Errors
/// [`PolicyError`], which names the keys and both values.
pub fn policy(plan: &Plan, origins: &[Origin], mut settings: PolicySettings) -> Result<Policy, PolicyError> {
    settings.origins = origins.iter().map(ToString::to_string).collect();
    override_limits(&mut settings, &plan.limits);
    if !plan.trusted_proxies.is_empty() {
        settings.address.trusted_proxies = plan.trusted_proxies.iter().map(ToString::to_string).collect();
        settings.address.header = Some(AddressSource::XForwardedFor);
    }
    if plan.mode == Mode::Test {
        settings.danger.below_floors = true;
        settings.danger.beyond_preset = true;
    }
    Policy::try_from(settings)
}

fn override_limits(settings: &mut PolicySettings, given: &LimitArgs) {
    let times = &mut settings.timeouts;
    for (setting, given) in [
        (&mut times.rotate_every, given.rotate_every),
        (&mut times.grace, given.grace),
        (&mut times.idle, given.idle),
        (&mut times.absolute, given.absolute),
        (&mut times.elevated_for, given.elevated_for),
        (&mut times.remember_for, given.remember_for),
    ] {
        *setting = given.map(Into::into).or(*setting);
    }
    let shortest = times.absolute.map_or(REMEMBER_FOR, |absolute| REMEMBER_FOR.max(absolute.into()));
    times.remember_for.get_or_insert(shortest.into());
    settings.sessions.limit = given.limit.map(Into::into).or(settings.sessions.limit);
}

/// The library remembers nobody unless told for how long; the demo is there to show it. A month is what people who come
/// back now and then expect, and it signs nobody in.
const REMEMBER_FOR: Duration = Duration::from_hours(30 * 24);

#[cfg(test)]
mod tests {
    use clap::{Args as _, Command, FromArgMatches as _};

    use super::*;

    fn policy_of(line: &str, file: &str) -> Result<Policy, PolicyError> {
        let command = DemoArgs::augment_args(Command::new("demo").no_binary_name(true));
        let arguments = DemoArgs::from_arg_matches(&command.get_matches_from(line.split_whitespace())).unwrap();
        let plan = Plan::try_from(arguments).unwrap();
        let origins = plan.origins(plan.listen).unwrap();
        policy(&plan, &origins, toml::from_str(file).unwrap())
    }

    #[test]
    fn the_command_line_stands_above_the_file_and_the_file_above_the_preset() {
        #[rustfmt::skip]
        let table = [
            // command line    file                                            idle  absolute
            ("",               "",                                             3_600, 86_400),
            ("",               "preset = \"aal3\"",                            900, 43_200),
            ("",               "[timeouts]\nidle = \"20m\"",                 1_200, 86_400),
            ("--idle 10m",     "[timeouts]\nidle = \"20m\"",                   600, 86_400),
            ("--absolute 2h",  "[timeouts]\nidle = \"20m\"",                 1_200,  7_200),
        ];
        for (line, file, idle, absolute) in table {
            let policy = policy_of(line, file).unwrap();
            let limits = policy.limits();
            assert_eq!((limits.idle.as_secs(), limits.absolute.as_secs()), (idle, absolute), "{line} / {file}");
        }
    }

    #[test]
    fn people_are_remembered_for_a_month_unless_somebody_says_otherwise() {
        #[rustfmt::skip]
        let table = [
            // command line                                            file                                      days
            ("",                                                       "",                                       30),
            ("--remember-for 2days",                                   "",                                        2),
            ("",                                                       "[timeouts]\nremember_for = \"7days\"",      7),
            ("--remember-for 2days",                                   "[timeouts]\nremember_for = \"7days\"",      2),
            ("--test-mode --absolute 40days",                          "",                                       40),
        ];
        for (line, file, days) in table {
            let remembered = policy_of(line, file).unwrap().limits().remember_for.unwrap();
            assert_eq!(remembered.as_secs(), days * 86_400, "{line} / {file}");
        }
        let shortest = policy_of("--test-mode --idle 1s --absolute 2s --remember-for 2s", "").unwrap();
        assert_eq!(shortest.limits().remember_for, Some(Duration::from_secs(2)));
        let refused = policy_of("--remember-for 1h", "").unwrap_err().to_string();
        assert_eq!(refused, "timeouts.absolute (1day) exceeds timeouts.remember_for (1h)");
    }

    #[test]
    fn floors_hold_without_test_mode_and_fall_with_it() {
        for line in ["--grace 500ms", "--rotate-every 2s", "--idle 2s", "--elevated-for 2s", "--absolute 30days"] {
            assert!(policy_of(line, "").is_err(), "{line}");
            let weakened = policy_of(&format!("--test-mode {line}"), "").unwrap();
            assert!(weakened.weakenings().iter().any(|words| words.contains("danger.below_floors")), "{line}");
        }
        assert!(policy_of("--test-mode --idle 2h --absolute 1h", "").is_err(), "a contradiction stays one");
    }

    #[test]
    fn a_trusted_proxy_is_believed_in_one_header_only() {
        let forwarded = |line: &str, file: &str| policy_of(line, file).unwrap().address().header_name();
        assert_eq!(forwarded("", ""), None);
        assert_eq!(forwarded("--trusted-proxy 10.0.0.0/8", ""), Some("x-forwarded-for"));
        let file = "[address]\ntrusted_proxies = [\"::1\"]\nheader = \"forwarded\"";
        assert_eq!(forwarded("", file), Some("forwarded"));
        assert_eq!(forwarded("--trusted-proxy 10.0.0.0/8", file), Some("x-forwarded-for"));
    }
}
