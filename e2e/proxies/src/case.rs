//! The cases: each an invariant of the gateway's design, shown through a real proxy with its generated configuration.

mod allow;
mod bodies;
mod connection;
mod cookies;
mod deny;
mod headers;
mod https;
mod pages;
mod paths;
mod question;
mod websocket;

use crate::chain::Chain;
use counterfoil_proxies::verdict::Shown;

/// One case.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Case {
    /// The invariant it belongs to, by its number in the design.
    pub(crate) invariant: u8,
    /// The name on the command line.
    pub(crate) name: &'static str,
    pub(crate) run: fn(&Chain) -> Shown,
}

/// All of them, in the order of the invariants.
#[rustfmt::skip]
pub(crate) const ALL: [Case; 42] = [
    case(1, "told",                  allow::what_is_told_reaches_the_app),
    case(1, "empty",                 allow::empty_headers_leave_nothing_of_the_browsers),
    case(1, "absent",                allow::absent_headers_leave_nothing_of_the_browsers),
    case(2, "query",                 question::the_browsers_query_is_no_parameter),
    case(2, "named-by-path",         question::the_app_is_named_by_the_path_alone),
    case(3, "set-cookie",            cookies::one_comes_back_beside_the_apps),
    case(3, "set-cookie-with-deny",  cookies::one_comes_back_with_a_denial),
    case(3, "set-cookie-not-stored", cookies::no_cache_stores_one),
    case(3, "cookie-return-none",    cookies::none_comes_back_where_none_may),
    case(3, "no-set-cookie",         cookies::none_is_made_up),
    case(4, "methods",               bodies::every_method_is_told_and_passed_on),
    case(4, "body",                  bodies::a_body_goes_to_the_app_alone),
    case(4, "chunked-body",          bodies::so_does_a_chunked_one),
    case(4, "long-body",             bodies::so_do_two_megabytes),
    case(4, "body-never-comes",      bodies::a_denial_does_not_wait_for_a_body),
    case(4, "head-denied",           bodies::a_denied_head_has_no_body),
    case(4, "large-decision",        allow::nearly_four_kilobytes_of_decision_pass),
    case(5, "asked-once",            question::each_thing_is_told_once),
    case(5, "spoofed-metadata",      question::what_the_browser_says_of_itself_is_not_told),
    case(5, "host-spellings",        question::odd_hosts_are_told_as_they_are_or_refused),
    case(5, "no-host",               question::no_host_or_two_reach_no_app),
    case(5, "absolute-form",         question::another_host_in_the_request_line_reaches_no_app),
    case(5, "paths",                 paths::what_is_judged_is_what_the_app_gets),
    case(5, "paths-no-request",      paths::what_is_no_request_reaches_no_app),
    case(6, "spellings",             headers::ours_do_not_come_from_the_browser_in_any_spelling),
    case(6, "named-in-connection",   headers::connection_takes_nothing_away),
    case(6, "one-megabyte",          headers::a_megabyte_of_headers_reaches_no_app),
    case(7, "two-cookie-headers",    cookies::two_headers_are_both_heard),
    case(8, "denied",                deny::what_is_denied_does_not_reach_the_app),
    case(8, "sign-in",               deny::a_navigation_is_sent_to_sign_in),
    case(8, "strange-answers",       deny::strange_answers_deny),
    case(8, "gateway-down",          deny::without_a_gateway_nothing_passes),
    case(8, "default-path",          deny::every_path_is_asked_about),
    case(9, "our-cookie",            cookies::the_app_sees_none_of_ours),
    case(9, "no-cookie-left",        cookies::nothing_left_is_nothing_sent),
    case(10, "pages",                pages::ours_are_not_asked_about_and_not_the_apps),
    case(10, "decisions-from-outside", pages::decisions_cannot_be_asked_for_from_outside),
    case(10, "kept-connections",     connection::decisions_share_connections),
    case(10, "https",                https::the_scheme_is_told),
    case(10, "http2",                https::http2_is_told_like_any_other),
    case(10, "websocket",            websocket::one_opens_after_a_decision),
    case(10, "websocket-denied",     websocket::none_opens_without_one),
];

const fn case(invariant: u8, name: &'static str, run: fn(&Chain) -> Shown) -> Case {
    Case { invariant, name, run }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_case_has_a_name_of_its_own_and_every_invariant_a_case() {
        assert_eq!(ALL.iter().map(|case| case.name).collect::<BTreeSet<_>>().len(), ALL.len());
        assert_eq!(ALL.iter().map(|case| case.invariant).collect::<BTreeSet<_>>(), (1..=10).collect());
    }
}
