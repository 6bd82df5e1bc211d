//! The conformance suite against the memory store, and against stores that are broken on purpose.

mod broken;
mod support;
mod twist;

use std::collections::BTreeSet;

use counterfoil_core::MemoryStore;
use counterfoil_core::conformance::CASES;

use self::broken::loss::Alters;
use self::broken::{cache, limits, loss, revival, saves, special, touches};
use self::support::{seen_red, suite};
use self::twist::Twisted;

#[test]
fn the_memory_store_keeps_the_contract() {
    let report = suite(&MemoryStore::new);
    println!("{report}");
    report.assert();
    let skipped: Vec<_> = report.not_applicable().collect();
    assert_eq!(
        skipped,
        [
            "c09_a_backend_that_is_away_is_unavailable",
            "c15_previous_format_is_read",
            "c15_newer_format_is_corrupt",
            "c20_a_restored_backup_admits_nobody",
        ]
    );
}

#[test]
fn a_sound_near_cache_keeps_the_contract() {
    suite(&cache::Cached(cache::Fault::None)).assert();
}

#[test]
fn a_sound_backend_keeps_the_contract_and_leaves_no_case_out() {
    let report = suite(&special::WithBackend(special::Fault::None));
    report.assert();
    assert_eq!(report.not_applicable().count(), 0);
}

/// Each broken store, and the cases that must catch it. Others may, too.
macro_rules! broken {
    ($($name:ident: $store:expr => [$($red:literal),* $(,)?];)*) => {
        $(#[test] fn $name() { seen_red(&$store, &[$($red),*]); })*

        const SEEN_RED: &[&str] = &[$($($red),*),*];
    };
}

broken! {
    an_upserting_store: Twisted::<saves::Upserts>::default => [
        "c01_sign_out_wins_over_slow_write",
        "c01_sign_out_wins_over_rotation",
        "c01_sign_out_wins_over_all_at_once",
        "c02_sign_out_reaches_a_warm_cache",
        "c03_an_ended_id_stays_taken",
        "c03_insert_never_overwrites",
        "c03_commit_never_creates",
        "c03_a_record_written_back_is_refused",
        "c05_verbs_follow_the_model",
        "c23_a_late_anonymous_response",
        "verb_replace_ends_one_and_adds_one",
        "verb_epochs_end_a_session_for_every_verb",
    ];
    last_write_wins: Twisted::<saves::LastWriteWins>::default => [
        "c04_two_keys_both_survive",
        "c04_counter_of_64_parallel_updates",
        "c04_a_stale_revision_is_a_conflict",
        "c05_verbs_follow_the_model",
        "verb_replace_refused_does_nothing",
        "verb_end_is_idempotent_and_heeds_expect",
        "verb_end_subject_spares_and_restamps",
        "verb_touch_keeps_the_revision",
    ];
    a_store_that_adopts_what_it_is_asked_for: Twisted::<saves::Adopts>::default => [
        "c03_a_lost_session_is_not_adopted",
        "c03_commit_never_creates",
        "c10_dead_cookies_cost_nothing",
        "c10_wrong_passwords_cost_nothing",
    ];
    a_store_that_forgets_tombstones: Twisted::<revival::ForgetsTombstones>::default => [
        "c01_sign_out_wins_over_slow_read",
        "c03_an_ended_id_stays_taken",
        "c03_a_record_written_back_is_refused",
        "c05_verbs_follow_the_model",
        "c13_sweep_keeps_needed_tombstones",
        "verb_replace_ends_one_and_adds_one",
        "verb_end_is_idempotent_and_heeds_expect",
    ];
    a_store_that_ends_nothing: Twisted::<revival::EndsNothing>::default => [
        "c01_sign_out_wins_over_slow_write",
        "c01_sign_out_wins_over_slow_read",
        "c01_sign_out_wins_over_rotation",
        "c01_sign_out_wins_over_repeated_successor",
        "c01_sign_out_wins_over_touch",
        "c01_sign_out_wins_over_all_at_once",
        "c02_sign_out_reaches_a_cache_being_filled",
        "c06_a_superseded_token_is_theft",
        "c09_outage_during_sign_out",
        "c12_one_more_is_refused",
        "c13_sweep_beside_everything",
    ];
    a_store_whose_touch_revives: Twisted::<revival::TouchRevives>::default => [
        "c01_sign_out_wins_over_touch",
        "c08_touch_never_revives",
    ];
    a_store_whose_replace_keeps_the_old: Twisted::<revival::ReplaceKeepsTheOld>::default => [
        "c23_a_late_anonymous_response",
        "verb_replace_ends_one_and_adds_one",
        "verb_replace_refused_does_nothing",
        "verb_watch_tells_ends_and_changes",
    ];
    a_store_that_ends_a_subject_by_its_index: Twisted::<revival::EndsByIndex>::default => [
        "c11_end_subject_beats_earlier_sign_ins",
        "c11_ending_the_others_spares_this_one",
        "c18_a_password_checked_before_is_refused",
        "c18_a_half_done_sign_in_is_refused",
        "verb_replace_heeds_epochs",
        "verb_end_subject_spares_and_restamps",
    ];
    a_store_whose_epochs_do_nothing: Twisted::<revival::EpochsDoNothing>::default => [
        "c03_a_record_written_back_is_refused",
        "c09_outage_during_revocation",
        "c11_end_subject_beats_earlier_sign_ins",
        "c18_a_password_checked_before_is_refused",
        "c22_end_all_ends_everybody",
        "verb_epochs_only_rise",
        "verb_epochs_end_a_session_for_every_verb",
    ];
    a_store_that_ignores_inserts_in_flight: Twisted::<revival::InsertsUnderTheNewEpoch>::default => [
        "c18_a_password_checked_before_is_refused",
        "c18_a_half_done_sign_in_is_refused",
        "verb_replace_heeds_epochs",
        "verb_epochs_only_rise",
    ];
    a_store_that_touches_always: Twisted::<touches::TouchesAlways>::default => [
        "c07_reads_write_only_the_touch",
        "c07_only_activity_counts",
        "c08_idle_limit_is_exact",
        "c17_a_forgotten_successor_changes_nothing",
        "verb_watch_is_quiet_about_touches",
    ];
    a_store_that_follows_the_clock_back: Twisted::<touches::FollowsTheClock>::default => [
        "c07_only_activity_counts",
        "c08_touch_never_revives",
    ];
    a_store_that_never_touches: || Twisted(Alters::never_touches()) => [
        "c07_an_active_reader_stays",
        "c07_reads_write_only_the_touch",
        "c08_idle_limit_is_exact",
        "c16_activity_on_one_node_counts_on_the_other",
        "verb_touch_keeps_the_revision",
    ];
    a_store_with_one_sliding_clock: || Twisted(Alters::slides_the_birth()) => [
        "c08_absolute_limit_is_exact",
    ];
    a_store_that_inserts_without_data: || Twisted(Alters::inserts_without_data()) => [
        "c09_outage_during_load",
        "c09_outage_during_sign_in",
        "c13_sweep_keeps_the_living",
    ];
    a_store_that_forgets_remembering: || Twisted(Alters::forgets_remembering()) => [
        "c08_remembering_is_exact",
        "c13_sweep_keeps_the_living",
        "c19_ten_tabs_after_idle_are_remembered",
    ];
    a_store_that_drops_data: || Twisted(Alters::drops_data()) => [
        "c04_two_keys_both_survive",
        "c05_data_reads_back",
        "c06_rotation_survives_a_failed_handler",
        "c09_outage_during_commit",
        "c10_first_writes_at_once_make_one_session",
        "c16_a_write_is_read_on_the_other_node",
        "verb_commit_stores_every_change",
    ];
    a_store_that_keeps_removed_keys: || Twisted(Alters::keeps_removed_keys()) => [
        "c05_removed_keys_stay_removed",
        "c05_data_reads_back",
        "verb_commit_stores_every_change",
    ];
    a_store_that_forgets_where_it_was: || Twisted(Alters::forgets_where_it_was()) => [
        "verb_commit_stores_every_change",
    ];
    a_store_that_drops_step_ups: || Twisted(Alters::drops_step_ups()) => [
        "c08_elevation_is_exact",
        "c09_outage_during_step_up",
        "c21_a_lost_step_up_costs_only_itself",
        "c21_the_last_two_step_ups_count",
    ];
    a_store_that_never_withdraws_step_ups: || Twisted(Alters::never_withdraws_step_ups()) => [
        "c21_a_withdrawn_step_up_counts_nowhere",
        "verb_commit_stores_every_change",
    ];
    a_store_that_keeps_one_step_up: || Twisted(Alters::keeps_one_step_up()) => [
        "c21_the_last_two_step_ups_count",
        "verb_commit_stores_every_change",
    ];
    a_store_that_drops_half_done_sign_ins: || Twisted(Alters::drops_pending()) => [
        "c18_a_half_done_sign_in_is_refused",
        "c18_a_half_done_sign_in_beside_a_write",
    ];
    a_store_that_rotates_strictly: || Twisted(Alters::rotates_strictly()) => [
        "c06_rotation_survives_a_failed_handler",
        "c06_parallel_tabs_stay_signed_in",
        "c09_outage_during_rotation",
        "c23_a_key_rotated_mid_link",
        "c23_a_crash_rolls_the_jar_back",
    ];
    a_store_with_a_wrong_index: Twisted::<loss::IndexesWrongly>::default => [
        "verb_list_shows_those_in_use",
        "verb_resolve_finds_by_reference",
    ];
    a_store_that_tells_nobody: Twisted::<loss::TellsNobody>::default => [
        "verb_watch_tells_ends_and_changes",
        "verb_watch_tells_who_yielded",
        "verb_watch_marks_gaps",
    ];
    a_store_that_sweeps_everything: Twisted::<loss::SweepsEverything>::default => [
        "c08_a_clock_that_steps_back_is_harmless",
        "c13_sweep_is_bounded",
        "c13_sweep_keeps_the_living",
        "c13_sweep_keeps_needed_tombstones",
        "c13_sweep_beside_everything",
    ];
    a_store_without_a_limit: Twisted::<limits::IgnoresLimit>::default => [
        "c12_limit_holds_under_64_sign_ins",
        "c12_refusing_limit_holds_under_64_sign_ins",
        "c12_one_more_ends_the_oldest",
        "c12_one_more_is_refused",
        "c19_first_use_counts",
    ];
    a_store_whose_limit_is_not_atomic: Twisted::<limits::CountsThenInserts>::default => [
        "c12_limit_holds_under_64_sign_ins",
        "c12_refusing_limit_holds_under_64_sign_ins",
    ];
    a_store_that_counts_every_sign_in: Twisted::<limits::CountsEverySignIn>::default => [
        "c12_one_more_ends_the_oldest",
        "c19_lost_replies_push_nobody_out",
        "c19_provisional_sessions_yield_first",
        "c19_first_use_counts",
        "c22_ended_sessions_hold_no_place",
    ];
    a_stale_cache: cache::Cached(cache::Fault::Stale) => [
        "c02_sign_out_reaches_a_warm_cache",
        "c02_sign_out_reaches_a_cache_being_filled",
        "c05_removed_keys_stay_removed",
        "c16_a_write_is_read_on_the_other_node",
        "c16_activity_on_one_node_counts_on_the_other",
        "c17_a_successor_is_accepted_on_the_other_node",
        "c22_end_all_ends_everybody",
    ];
    a_cache_that_answers_rejections: cache::Cached(cache::Fault::AnswersRejections) => [
        "verb_peek_agrees_with_load",
    ];
    a_store_that_takes_failure_for_absence: special::WithBackend(special::Fault::FailureIsAbsence) => [
        "c09_a_backend_that_is_away_is_unavailable",
    ];
    a_store_that_takes_other_formats_for_absence: special::WithBackend(special::Fault::FormatIsAbsence) => [
        "c15_previous_format_is_read",
        "c15_newer_format_is_corrupt",
    ];
    a_store_that_restores_sessions: special::WithBackend(special::Fault::RestoresAsItWas) => [
        "c20_a_restored_backup_admits_nobody",
    ];
    a_store_that_prints_its_records: special::WithBackend(special::Fault::PrintsRecords) => [
        "c14_no_secret_is_printed_or_stored",
    ];
}

/// The engine alone decides these; no store can break them.
const ENGINE_ONLY: &[&str] = &[
    // The tag is wrong, or there is no token: the store is never asked.
    "c03_forged_tokens_never_reach_the_store",
    "c10_strangers_cost_nothing",
    // The step-up's token names its session, under the tag.
    "c21_a_step_up_belongs_to_its_session",
];

#[test]
fn no_case_is_vacuous() {
    let seen: BTreeSet<_> = SEEN_RED.iter().chain(ENGINE_ONLY).copied().collect();
    let all: BTreeSet<_> = CASES.iter().map(|case| case.name).collect();
    assert_eq!(seen, all, "cases that no broken store turns red, or names that are no case");
    assert!(SEEN_RED.iter().all(|name| !ENGINE_ONLY.contains(name)));
}

#[test]
fn every_item_of_the_design_has_a_case() {
    for number in 0..=23 {
        assert!(CASES.iter().any(|case| case.number == number), "item {number}");
    }
    for case in CASES {
        let prefix = if case.number == 0 { "verb_".to_owned() } else { format!("c{:02}_", case.number) };
        assert!(case.name.starts_with(&prefix), "{} is not of item {}", case.name, case.number);
    }
}
