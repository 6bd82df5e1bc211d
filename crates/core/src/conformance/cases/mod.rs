//! The cases, as a table: the item of the design, what the case is called, what it shows.

mod durable;
mod endings;
mod invention;
mod lifetime;
mod limit;
mod nodes;
mod outage;
mod rotation;
mod secrets;
mod sign_out;
mod step_up;
mod strangers;
mod subject;
mod sweep;
mod updates;
mod verbs;
mod watch;

use super::bench::Bench;
use super::browser::Browser;
use super::failure::{Verdict, ensure};
use super::model;
use super::report::Case;
use super::stage::Capability::{Backup, Formats, Outage};
use crate::data::{DataError, Field, Fields, Key, SessionData};
use crate::engine::Engine;
use crate::id::SessionId;
use crate::token::TokenKind;

macro_rules! cases {
    ($($number:literal $name:ident [$($need:ident)?] $run:path, $shows:literal;)*) => {
        /// Every case. Items are those of the design's list of faults; 0 stands for the verbs themselves.
        pub static CASES: &[Case] = &[$(Case {
            number: $number,
            name: stringify!($name),
            shows: $shows,
            needs: &[$($need)?],
            run: |bench| Box::pin($run(bench)),
        }),*];
    };
}

#[rustfmt::skip]
cases! {
    0 verb_replace_ends_one_and_adds_one [] endings::replace, "a replace ends the old session, adds the new one, and leaves a tombstone";
    0 verb_replace_refused_does_nothing [] endings::replace_refused, "a replace of what changed is a conflict, of what ended it is gone, and neither does anything";
    0 verb_replace_heeds_epochs [] endings::replace_keeps_epochs, "a replace by a session of an earlier epoch is refused";
    0 verb_end_is_idempotent_and_heeds_expect [] endings::end, "ending twice is fine, the first reason stays, another revision is a conflict";
    0 verb_epochs_end_a_session_for_every_verb [] endings::end_after_epochs, "a session of an earlier epoch has ended for commit, end and replace alike";
    0 verb_end_subject_spares_and_restamps [] endings::end_subject_spares_one, "end_subject ends all of the subject's but one, which is re-stamped, and nobody else's";
    0 verb_epochs_only_rise [] endings::epochs_rise, "epochs rise with each end and are the same on every node";
    0 verb_commit_stores_every_change [] verbs::every_change, "each kind of change reads back, and moves the revision";
    0 verb_touch_keeps_the_revision [] verbs::touch_alone, "a change of the last activity moves neither the revision nor the clock back";
    0 verb_list_shows_those_in_use [] verbs::list, "a list is newest first, in pages, without ended and provisional sessions";
    0 verb_resolve_finds_by_reference [] verbs::resolve, "sessions are found by their names elsewhere";
    0 verb_peek_agrees_with_load [] verbs::peek, "what a cache answers is what the store would answer";
    0 verb_watch_tells_ends_and_changes [] watch::tells, "every node hears of changes and ends";
    0 verb_watch_tells_who_yielded [] watch::tells_who_yielded, "every node hears of sessions that yielded to the limit";
    0 verb_watch_is_quiet_about_touches [] watch::touches_are_quiet, "mere activity is told to nobody";
    0 verb_watch_marks_gaps [] watch::marks_gaps, "a watcher that did not listen learns that notices are missing";

    1 c01_sign_out_wins_over_slow_write [] sign_out::slow_write, "a write that began before sign-out is refused after it";
    1 c01_sign_out_wins_over_slow_read [] sign_out::slow_read, "a read that began before sign-out leaves no live cookie";
    1 c01_sign_out_wins_over_rotation [] sign_out::rotation_in_flight, "a rotation under way at sign-out sends no successor";
    1 c01_sign_out_wins_over_repeated_successor [] sign_out::repeated_successor, "a successor made before sign-out is not sent after it, nor good";
    1 c01_sign_out_wins_over_touch [] sign_out::touch, "activity after sign-out revives nothing";
    1 c01_sign_out_wins_over_all_at_once [] sign_out::races, "reads, writes, updates and rotations racing a sign-out on two nodes revive nothing";
    2 c02_sign_out_reaches_a_warm_cache [] nodes::warm_cache, "a second node with a warm cache refuses after sign-out";
    2 c02_sign_out_reaches_a_cache_being_filled [] nodes::filled_during_sign_out, "a cache filled during the sign-out refuses after it";
    3 c03_forged_tokens_never_reach_the_store [] invention::forged_token, "a token we did not issue is nobody's, and the store is not asked";
    3 c03_a_lost_session_is_not_adopted [] invention::lost_session, "a genuine token of a session the store lost makes no session";
    3 c03_an_ended_id_stays_taken [] invention::ended_id, "an ended id is taken for good, and nothing is committed to it";
    3 c03_insert_never_overwrites [] invention::insert_never_overwrites, "an insert under a live id changes nothing";
    3 c03_commit_never_creates [] invention::commit_never_creates, "a commit on an unknown id creates nothing";
    3 c03_a_record_written_back_is_refused [] invention::written_back, "a record that a node kept is refused after the session ended in any way";
    4 c04_two_keys_both_survive [] updates::two_keys, "two requests that set different keys both win";
    4 c04_counter_of_64_parallel_updates [] updates::counter, "the 64 replies of a counter are 1 to 64, each once";
    4 c04_a_stale_revision_is_a_conflict [] updates::stale_revision, "a change that expects another revision is refused with the current state";
    5 c05_removed_keys_stay_removed [] updates::removed_key, "removing a key is persisted";
    5 c05_data_reads_back [] updates::read_back, "what was set, removed and committed reads back on the other node";
    5 c05_verbs_follow_the_model [] verbs_follow_the_model, "random verbs leave what the reference model says";
    6 c06_rotation_survives_a_failed_handler [] rotation::failed_handler, "after a rotation whose response was lost the old token is good, and its successor the same";
    6 c06_parallel_tabs_stay_signed_in [] rotation::parallel_tabs, "tabs that rotate at once end in the same two tokens, whichever response arrives last";
    6 c06_a_superseded_token_is_theft [] rotation::stolen_token, "a copy of a superseded token ends the session";
    7 c07_an_active_reader_stays [] lifetime::active_reader, "reading keeps a session from the idle limit";
    7 c07_reads_write_only_the_touch [] lifetime::reads_do_not_write, "reads write nothing but the touch, at its step";
    7 c07_only_activity_counts [] lifetime::only_activity_counts, "quiet requests and tokens of no use are no activity";
    8 c08_idle_limit_is_exact [] lifetime::idle, "the idle limit ends a session at its second, earlier by at most the touch step";
    8 c08_absolute_limit_is_exact [] lifetime::absolute, "the absolute limit ends a session at its second, however active";
    8 c08_elevation_is_exact [] lifetime::elevated, "a step-up ends at its second";
    8 c08_remembering_is_exact [] lifetime::remembered, "a remembered user is remembered, and no more, until the second";
    8 c08_a_clock_that_steps_back_is_harmless [] lifetime::clock_steps_back, "a clock that steps back ends nothing and prolongs nothing";
    8 c08_touch_never_revives [] lifetime::touch_never_revives, "activity brings back neither what ended nor what idled out";
    9 c09_outage_during_load [] outage::load, "a load that fails is a 503, and the cookie works again afterwards";
    9 c09_outage_during_commit [] outage::commit, "a write that fails is a 503, and nothing else is lost";
    9 c09_outage_during_rotation [] outage::rotation, "a rotation that fails costs nothing";
    9 c09_outage_during_sign_in [] outage::sign_in, "a sign-in that fails signs nobody in, and loses nothing";
    9 c09_outage_during_sign_out [] outage::sign_out, "a sign-out that fails says so, keeps the cookie, and can be repeated";
    9 c09_outage_during_step_up [] outage::step_up, "a step-up that fails grants nothing";
    9 c09_outage_during_revocation [] outage::revocation, "ending a subject that fails says so, and can be repeated";
    9 c09_a_backend_that_is_away_is_unavailable [Outage] durable::backend_down, "without its backend every verb is unavailable, and nothing is lost";
    10 c10_strangers_cost_nothing [] strangers::thousand_requests, "1,000 anonymous and forged requests leave no record, no cookie and no call";
    10 c10_wrong_passwords_cost_nothing [] strangers::thousand_wrong_passwords, "1,000 sign-ins that fail leave no record and no cookie";
    10 c10_first_writes_at_once_make_one_session [] strangers::two_first_writes, "a stranger's first writes, several at once in one request, make one session";
    10 c10_dead_cookies_cost_nothing [] strangers::thousand_dead_visits, "1,000 requests with dead cookies leave no record and no cookie";
    11 c11_end_subject_beats_earlier_sign_ins [] subject::while_sign_ins_run, "whichever sign-in returned before end_subject is ended, listed or not";
    11 c11_ending_the_others_spares_this_one [] subject::end_others, "ending all others leaves this session able to write, and nobody else touched";
    12 c12_limit_holds_under_64_sign_ins [] limit::parallel_end_oldest, "64 parallel sign-ins leave exactly the limit where the oldest yields";
    12 c12_refusing_limit_holds_under_64_sign_ins [] limit::parallel_refuse, "64 parallel sign-ins leave exactly the limit where the new one is refused";
    12 c12_one_more_ends_the_oldest [] limit::one_more_ends_the_oldest, "one more session, once used, ends the oldest and no other";
    12 c12_one_more_is_refused [] limit::one_more_is_refused, "one more session is refused until a place is free";
    13 c13_sweep_is_bounded [] sweep::bounded, "a sweep forgets no more than it was asked to, and all of it in the end";
    13 c13_sweep_keeps_the_living [] sweep::keeps_the_living, "a sweep never forgets a session that lives or is remembered";
    13 c13_sweep_keeps_needed_tombstones [] sweep::keeps_tombstones, "a sweep never forgets a tombstone while its session could be brought back";
    13 c13_sweep_beside_everything [] sweep::beside_everything, "sweeps beside sign-ins, writes and sign-outs disturb nothing";
    14 c14_no_secret_is_printed_or_stored [] secrets::nothing_leaks, "no token, hash, subject or data stands in Debug, errors, events or logs, no token in the backend";
    15 c15_previous_format_is_read [Formats] durable::previous_format, "a record of the previous format is read";
    15 c15_newer_format_is_corrupt [Formats] durable::newer_format, "a record of a newer format is an error, not absence";
    16 c16_a_write_is_read_on_the_other_node [] nodes::write_is_read, "a write on one node is read by the other with a warm cache";
    16 c16_activity_on_one_node_counts_on_the_other [] nodes::activity_is_shared, "activity on one node keeps a session from the idle limit on the other";
    17 c17_a_successor_is_accepted_on_the_other_node [] nodes::successor_is_accepted, "a successor made on one node is accepted by the other, however old its cache";
    17 c17_a_forgotten_successor_changes_nothing [] nodes::successor_is_forgotten, "a successor the store has forgotten is no session, changes nothing and raises no alarm";
    18 c18_a_password_checked_before_is_refused [] subject::password_checked_before, "a sign-in whose password was checked before end_subject or end_all is refused after it";
    18 c18_a_half_done_sign_in_is_refused [] subject::half_done_before, "a second factor does not complete a sign-in that end_subject overtook";
    18 c18_a_half_done_sign_in_beside_a_write [] subject::half_done_beside_a_write, "keeping a half-done sign-in and a write beside it both survive";
    19 c19_ten_tabs_after_idle_are_remembered [] limit::ten_tabs, "ten tabs restored after the idle limit are one session, remembered, none added, none ended";
    19 c19_lost_replies_push_nobody_out [] limit::lost_replies, "ten sign-ins whose replies were lost push nobody over the limit";
    19 c19_provisional_sessions_yield_first [] limit::provisional_yields_first, "a session nobody has used yields first and displaces none in use";
    19 c19_first_use_counts [] limit::first_use_counts, "the first use of a session counts it, lists it, and ends the oldest";
    20 c20_a_restored_backup_admits_nobody [Backup] durable::restored_backup, "a restored backup admits no session";
    21 c21_a_lost_step_up_costs_only_itself [] step_up::lost_reply, "a step-up whose reply is lost leaves the session usable";
    21 c21_the_last_two_step_ups_count [] step_up::last_two_count, "the last two step-ups count, each until its own end";
    21 c21_a_withdrawn_step_up_counts_nowhere [] step_up::withdrawn, "a step-up that was withdrawn counts on no node";
    21 c21_a_step_up_belongs_to_its_session [] step_up::beside_another_session, "a step-up counts beside its own session only";
    22 c22_end_all_ends_everybody [] subject::everybody, "end_all ends every session on every node, and sign-in works again";
    22 c22_ended_sessions_hold_no_place [] subject::places_are_free, "sessions that an epoch ended hold no place under the limit";
    23 c23_a_key_rotated_mid_link [] rotation::key_rotated_mid_link, "a key ring rotated in the middle of a link signs nobody out";
    23 c23_a_late_anonymous_response [] rotation::late_anonymous_response, "late anonymous responses displace no session";
    23 c23_a_crash_rolls_the_jar_back [] rotation::crash, "a browser crash that rolls the jar back signs nobody out";
}

async fn verbs_follow_the_model(bench: Bench) -> Verdict {
    for seed in 1..=4 {
        model::walk(bench.clone(), seed, 250).await?;
    }
    Ok(())
}

/// A key of the suite.
const NOTE: Key<String> = Key::new("suite.note");
const COUNT: Key<u64> = Key::new("suite.count");

/// A counter.
#[derive(Debug, Default)]
struct Tally {
    count: u64,
}

impl SessionData for Tally {
    fn read(fields: &Fields) -> Result<Self, DataError> {
        let count = COUNT.decode(fields)?.unwrap_or_default();
        Ok(Self { count })
    }

    fn write(&self) -> Result<Vec<(&'static str, Field)>, DataError> {
        Ok(vec![(COUNT.name(), COUNT.encode(&self.count)?)])
    }
}

/// Sets the note in a visitor's session, which begins with it; the session's id.
async fn note(browser: &mut Browser, engine: &Engine, text: &str) -> Verdict<SessionId> {
    let exchange = browser.send(engine)?;
    exchange.set(NOTE, &text.to_owned())?;
    let effects = exchange.conclude().await;
    ensure!(effects.denial.is_none(), "a visitor's first write was refused: {:?}", effects.denial);
    browser.receive(&effects);
    browser.session(engine, TokenKind::Visit)
}

/// Sets the note in a member's session; a response that rotates is lost.
async fn note_beside(browser: &Browser, engine: &Engine, text: &str) -> Verdict {
    let exchange = browser.send(engine)?;
    exchange.set(NOTE, &text.to_owned())?;
    let effects = exchange.conclude().await;
    ensure!(effects.denial.is_none(), "a write was refused: {:?}", effects.denial);
    Ok(())
}
