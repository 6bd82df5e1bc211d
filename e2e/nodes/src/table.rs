//! What was measured, as tables that go into the documentation as they are.

use std::time::Duration;

use crate::faults::Told;
use crate::lag::Measured;

/// One row for each store.
pub(crate) fn of_lags(rows: &mut [(&str, Measured)]) -> String {
    let mut text =
        "| store | revocations | p50 | p99 | max | another node behind | looks | 503 or none | let in against the promise |\n\
                    |---|---|---|---|---|---|---|---|---|\n"
            .to_owned();
    for (store, measured) in rows {
        measured.lags.sort_unstable();
        let lag = |per_mille| in_milliseconds(quantile(&measured.lags, per_mille));
        let cells = [
            (*store).to_owned(),
            measured.lags.len().to_string(),
            lag(500),
            lag(990),
            lag(1_000),
            measured.behind.to_string(),
            measured.looks.to_string(),
            measured.odd.to_string(),
            measured.findings.total().to_string(),
        ];
        line(&mut text, &cells);
    }
    text
}

/// One row for each fault at each store.
pub(crate) fn of_faults(rows: &[(&str, Told)]) -> String {
    let mut text = "| store | what is broken | revocations | looks | of these 503 or none | longest let in after a revocation | good again after | against the promise |\n\
                    |---|---|---|---|---|---|---|---|\n"
        .to_owned();
    for (store, told) in rows {
        let cells = [
            (*store).to_owned(),
            told.fault.name().to_owned(),
            told.revoked.to_string(),
            told.looks.to_string(),
            told.unavailable.to_string(),
            in_milliseconds(told.longest),
            in_milliseconds(told.good_again),
            told.findings.total().to_string(),
        ];
        line(&mut text, &cells);
    }
    text
}

fn line(text: &mut String, cells: &[String]) {
    text.push_str("| ");
    text.push_str(&cells.join(" | "));
    text.push_str(" |\n");
}

/// The smallest that so many of a thousand do not exceed. `sorted` is.
fn quantile(sorted: &[Duration], per_mille: usize) -> Duration {
    let rank = (sorted.len() * per_mille).div_ceil(1_000);
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}

fn in_milliseconds(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_one_of_the_values_and_not_below_its_share() {
        let sorted: Vec<_> = (1..=200).map(Duration::from_millis).collect();
        let at = |per_mille| quantile(&sorted, per_mille).as_millis();
        assert_eq!((at(500), at(990), at(1_000)), (100, 198, 200));
        assert_eq!(quantile(&[], 990), Duration::ZERO);
        assert_eq!(quantile(&sorted[..1], 500).as_millis(), 1);
    }

    #[test]
    fn times_are_written_in_one_unit() {
        assert_eq!(in_milliseconds(Duration::from_micros(2_940_060)), "2940.1 ms");
    }
}
