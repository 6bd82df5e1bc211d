//! The memory before a store that gateways share.

use std::time::Duration;

use counterfoil::Span;
use counterfoil::stores::near_cache::{BadSettings, Settings};
use counterfoil_serve::place::Place;

use super::Checking;
use crate::config::settings::NearCacheSettings;

impl Checking<'_> {
    pub(super) fn near_cache(&self, written: Option<&NearCacheSettings>, store: Option<&Place>) -> Option<Settings> {
        let mut settings = Settings::default();
        let Some(written) = written else { return Some(settings) };
        if !store.is_some_and(Place::is_shared) {
            let text = "does nothing: there is memory of its own only before a store that nodes share, redis:// or postgres://";
            self.doubtful("near_cache", text);
        }
        settings.lease = written.lease.map_or(settings.lease, Into::into);
        // A lease that is shorter than the usual bound is meant as both.
        settings.bound = written.bound.map_or(settings.bound.min(settings.lease), Into::into);
        if let Some(memory) = &written.memory {
            let Some(bytes) = bytes(memory) else {
                let text = format!(
                    "`{memory}` is no size: write a number with its unit, KiB, MiB or GiB, such as \"256 MiB\""
                );
                return self.wrong("near_cache.memory", text);
            };
            settings.bytes = bytes;
        }
        let [bound, lease] = [settings.bound, settings.lease].map(Span::from);
        match settings.checked() {
            Ok(settings) => {
                if settings.bound < LATE_ONCE {
                    let text = format!(
                        "{bound} is shorter than {}: stores say every second that everything was told, and while one of these \
                         is late, all is asked of the store",
                        Span::from(LATE_ONCE)
                    );
                    self.doubtful("near_cache.bound", text);
                }
                Some(settings)
            }
            Err(BadSettings::BoundBeyondLease { .. }) => {
                self.wrong("near_cache.bound", format!("{bound} exceeds near_cache.lease ({lease}), which comes first"))
            }
            Err(BadSettings::LeaseTooLong { .. }) => {
                let longest = Span::from(Settings::LONGEST_LEASE);
                self.wrong("near_cache.lease", format!("{lease} exceeds {longest}, the longest there is"))
            }
            Err(_) => {
                let key = if settings.lease.is_zero() { "near_cache.lease" } else { "near_cache.bound" };
                self.wrong(
                    key,
                    "is zero: nothing would ever be answered from memory; a rule with sensitive = true asks the store",
                )
            }
        }
    }
}

/// A whole number and a unit. No more than this machine could address.
fn bytes(text: &str) -> Option<usize> {
    let (number, unit) = UNITS.iter().find_map(|(name, unit)| Some((text.strip_suffix(name)?, *unit)))?;
    number.trim().parse::<usize>().ok().filter(|number| *number > 0)?.checked_mul(unit)
}

const UNITS: [(&str, usize); 3] = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];
/// Two heartbeats: one may be late.
const LATE_ONCE: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_a_whole_number_and_its_unit() {
        #[rustfmt::skip]
        let table = [
            ("256 MiB",                    Some(268_435_456)),
            ("64KiB",                      Some(65_536)),
            ("2 GiB",                      Some(2_147_483_648)),
            ("0 MiB",                      None),
            ("256",                        None),
            ("256 MB",                     None),
            ("-1 MiB",                     None),
            ("1.5 GiB",                    None),
            ("MiB",                        None),
            ("99999999999999999999 GiB",   None),
            ("17179869184 GiB",            None),
            ("",                           None),
        ];
        for (text, expected) in table {
            assert_eq!(bytes(text), expected, "{text}");
        }
    }
}
