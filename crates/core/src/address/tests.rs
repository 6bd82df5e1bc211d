//! Nobody but a trusted proxy can say where a request comes from.

use std::net::{Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;

use super::*;

const LISTED: AddressSource = AddressSource::XForwardedFor;
const ELEMENTS: AddressSource = AddressSource::Forwarded;

/// Trusts 10/8, loopback and `2001:db8:a::/48`.
fn policy(source: AddressSource) -> AddressPolicy {
    let trusted = ["10.0.0.0/8", "127.0.0.0/8", "::1/128", "2001:db8:a::/48"];
    AddressPolicy::new(trusted.map(|net| net.parse().unwrap()), source).unwrap()
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn resolved(source: AddressSource, peer: &str, values: &[&[u8]]) -> String {
    policy(source).resolve(ip(peer), values.iter().copied()).to_string()
}

fn check(source: AddressSource, rows: &[(&str, &[&[u8]], &str)]) {
    for (peer, values, client) in rows {
        let shown: Vec<_> = values.iter().map(|value| String::from_utf8_lossy(value)).collect();
        assert_eq!(resolved(source, peer, values), *client, "{source:?} {peer} {shown:?}");
    }
}

#[test]
fn x_forwarded_for_counts_from_the_right_while_hops_are_trusted() {
    check(
        LISTED,
        &[
            // A stranger's header is not read.
            ("198.51.100.1", &[b"203.0.113.9"], "198.51.100.1"),
            ("198.51.100.1", &[b"10.0.0.1"], "198.51.100.1"),
            ("2001:db8:b::1", &[b"203.0.113.9"], "2001:db8:b::1"),
            // A trusted peer's is.
            ("10.0.0.1", &[], "10.0.0.1"),
            ("10.0.0.1", &[b"203.0.113.9"], "203.0.113.9"),
            ("127.0.0.1", &[b"203.0.113.9"], "203.0.113.9"),
            ("::1", &[b"203.0.113.9"], "203.0.113.9"),
            ("10.0.0.1", &[b"6.6.6.6, 203.0.113.9"], "203.0.113.9"),
            ("10.0.0.1", &[b"6.6.6.6,203.0.113.9 ,\t10.0.0.2"], "203.0.113.9"),
            ("10.0.0.1", &[b"6.6.6.6, 203.0.113.9, 10.0.0.3, 10.0.0.2"], "203.0.113.9"),
            ("10.0.0.1", &[b"10.0.0.3, 10.0.0.2"], "10.0.0.3"),
            // Two headers are one list, in their order.
            ("10.0.0.1", &[b"6.6.6.6", b"203.0.113.9"], "203.0.113.9"),
            ("10.0.0.1", &[b"203.0.113.9", b"10.0.0.2"], "203.0.113.9"),
            // Nothing beyond what is no address.
            ("10.0.0.1", &[b""], "10.0.0.1"),
            ("10.0.0.1", &[b"203.0.113.9,"], "10.0.0.1"),
            ("10.0.0.1", &[b"203.0.113.9", b""], "10.0.0.1"),
            ("10.0.0.1", &[b"203.0.113.9, unknown"], "10.0.0.1"),
            ("10.0.0.1", &[b"203.0.113.9, unknown, 10.0.0.2"], "10.0.0.2"),
            ("10.0.0.1", &[b"203.0.113.9, , 10.0.0.2"], "10.0.0.2"),
            ("10.0.0.1", &[b"203.0.113.9\xff"], "10.0.0.1"),
            ("10.0.0.1", &[b"proxy.example"], "10.0.0.1"),
            ("10.0.0.1", &[b"for=203.0.113.9"], "10.0.0.1"),
            // IPv4 in IPv6 is IPv4, for the peer too.
            ("::ffff:10.0.0.1", &[b"203.0.113.9"], "203.0.113.9"),
            ("10.0.0.1", &[b"203.0.113.9, ::ffff:10.0.0.2"], "203.0.113.9"),
            ("10.0.0.1", &[b"::ffff:203.0.113.9"], "203.0.113.9"),
            ("::ffff:203.0.113.9", &[], "203.0.113.9"),
        ],
    );
}

#[test]
fn an_entry_is_an_address_in_every_spelling_proxies_use() {
    let rows: &[(&[u8], Option<&str>)] = &[
        (b"203.0.113.9", Some("203.0.113.9")),
        (b"203.0.113.9:4711", Some("203.0.113.9")),
        (b"2001:db8::1", Some("2001:db8::1")),
        (b"2001:DB8:0::1", Some("2001:db8::1")),
        (b"[2001:db8::1]", Some("2001:db8::1")),
        (b"[2001:db8::1]:4711", Some("2001:db8::1")),
        (b"fe80::1%eth0", Some("fe80::1")),
        (b"[fe80::1%25eth0]:80", Some("fe80::1")),
        (b"[fe80::1%eth0.1]:80", Some("fe80::1")),
        (b"1::2:3", Some("1::2:3")),
        (b"::", Some("::")),
        (b"203.0.113.9:", None),
        (b"203.0.113.9:65536", None),
        (b"203.0.113.9:+80", None),
        (b"203.0.113.9:80:80", None),
        (b"203.0.113.09", None),
        (b"203.0.113", None),
        (b"3405803785", None),
        (b"0xcb007109", None),
        (b"203.0.113.9%eth0", None),
        (b"fe80::1%", None),
        (b"fe80::1%a b", None),
        (b"[2001:db8::1", None),
        (b"2001:db8::1]", None),
        (b"[2001:db8::1]4711", None),
        (b"[2001:db8::1]:", None),
        (b"[203.0.113.9]", None),
        (b"\"203.0.113.9\"", None),
        (b"203.0.113.9 6.6.6.6", None),
        (b"_hidden", None),
    ];
    for (entry, address) in rows {
        let shown = String::from_utf8_lossy(entry);
        assert_eq!(resolved(LISTED, "10.0.0.1", &[entry]), address.unwrap_or("10.0.0.1"), "{shown}");
    }
}

#[test]
fn forwarded_is_read_as_rfc_7239_writes_it() {
    check(
        ELEMENTS,
        &[
            ("198.51.100.1", &[b"for=203.0.113.9"], "198.51.100.1"),
            ("10.0.0.1", &[b"for=203.0.113.9"], "203.0.113.9"),
            ("10.0.0.1", &[b"For=\"203.0.113.9:4711\""], "203.0.113.9"),
            ("10.0.0.1", &[b"for=\"[2001:db8::1]:4711\""], "2001:db8::1"),
            ("10.0.0.1", &[b"for=[2001:db8::1]"], "2001:db8::1"),
            ("10.0.0.1", &[b"for=192.0.2.60;proto=http;by=203.0.113.43"], "192.0.2.60"),
            ("10.0.0.1", &[b"proto=http; FOR=192.0.2.60 ;by=203.0.113.43;"], "192.0.2.60"),
            ("10.0.0.1", &[b"for=6.6.6.6, for=203.0.113.9, for=10.0.0.2"], "203.0.113.9"),
            ("10.0.0.1", &[b"for=6.6.6.6", b"for=203.0.113.9", b"for=10.0.0.2"], "203.0.113.9"),
            // A comma or semicolon in quotes separates nothing.
            ("10.0.0.1", &[b"for=203.0.113.9;host=\"a, for=6.6.6.6\""], "203.0.113.9"),
            ("10.0.0.1", &[b"for=203.0.113.9;host=\"a;for=6.6.6.6\""], "203.0.113.9"),
            ("10.0.0.1", &[b"for=203.0.113.9;host=\"a\\\", for=6.6.6.6;x=\\\"\""], "203.0.113.9"),
            ("10.0.0.1", &[b"for=203.0.113.9;host=\"a\\\\\""], "203.0.113.9"),
            // A quote that a stranger left open swallows nothing to its right.
            ("10.0.0.1", &[b"for=\"6.6.6.6, for=203.0.113.9"], "203.0.113.9"),
            ("10.0.0.1", &[b"for=6.6.6.6, for=\"x, for=10.0.0.2"], "10.0.0.2"),
            // Not one well-formed `for`: the walk ends.
            ("10.0.0.1", &[b""], "10.0.0.1"),
            ("10.0.0.1", &[b"203.0.113.9"], "10.0.0.1"),
            ("10.0.0.1", &[b"by=203.0.113.9"], "10.0.0.1"),
            ("10.0.0.1", &[b"for="], "10.0.0.1"),
            ("10.0.0.1", &[b"for=unknown"], "10.0.0.1"),
            ("10.0.0.1", &[b"for=\"_gazonk\""], "10.0.0.1"),
            ("10.0.0.1", &[b"for = 203.0.113.9"], "10.0.0.1"),
            ("10.0.0.1", &[b"for=203.0.113.9;for=6.6.6.6"], "10.0.0.1"),
            ("10.0.0.1", &[b"for=203.0.113.9;for=203.0.113.9"], "10.0.0.1"),
            ("10.0.0.1", &[b"for=203.0.113.9;host"], "10.0.0.1"),
            ("10.0.0.1", &[b"for=203.0.113.9;host=a b"], "10.0.0.1"),
            ("10.0.0.1", &[b"for=203.0.113.9;host=\\\"a"], "10.0.0.1"),
            ("10.0.0.1", &[b"for=203.0.113.9;host=\"a\\\""], "10.0.0.1"),
            ("10.0.0.1", &[b"for=203.0.113.9;host=\"a\"\"b\""], "10.0.0.1"),
            ("10.0.0.1", &[b"for=\"203.0.113.9"], "10.0.0.1"),
            ("10.0.0.1", &[b"for=203.0.113.9\""], "10.0.0.1"),
            ("10.0.0.1", &[b"for=203.0.113.9;=x"], "10.0.0.1"),
        ],
    );
}

#[test]
fn only_the_chosen_header_is_asked_for() {
    for (source, name) in
        [(AddressSource::Peer, None), (LISTED, Some("x-forwarded-for")), (ELEMENTS, Some("forwarded"))]
    {
        assert_eq!(policy(source).header_name(), name);
    }
    assert_eq!(resolved(AddressSource::Peer, "10.0.0.1", &[b"203.0.113.9"]), "10.0.0.1");
    assert_eq!(AddressPolicy::default(), AddressPolicy::peer_only());
    let nobody = AddressPolicy::new([], LISTED).unwrap();
    assert_eq!(nobody.resolve(ip("127.0.0.1"), [b"6.6.6.6".as_slice()]), ip("127.0.0.1"));
}

#[test]
fn the_walk_ends_after_64_hops() {
    for (trusted_hops, client) in [(63, "203.0.113.9"), (64, "10.9.9.9"), (65, "10.9.9.9"), (20_000, "10.9.9.9")] {
        let header = format!("203.0.113.9{}", ", 10.9.9.9".repeat(trusted_hops));
        assert_eq!(resolved(LISTED, "10.0.0.1", &[header.as_bytes()]), client, "{trusted_hops}");
        let many = vec![b"10.9.9.9".as_slice(); trusted_hops];
        assert_eq!(resolved(LISTED, "10.0.0.1", &[&[b"203.0.113.9".as_slice()], &many[..]].concat()), client);
    }
}

#[test]
fn a_network_of_everybody_is_refused_and_a_mapped_one_is_ipv4() {
    for net in ["0.0.0.0/0", "::/0", "::ffff:0.0.0.0/96"] {
        assert_eq!(AddressPolicy::new([net.parse().unwrap()], LISTED), Err(TrustsEveryone), "{net}");
    }
    let mapped = AddressPolicy::new(["::ffff:10.0.0.0/104".parse().unwrap()], LISTED).unwrap();
    assert!(mapped.trusts(ip("10.1.2.3")) && mapped.trusts(ip("::ffff:10.1.2.3")) && !mapped.trusts(ip("11.0.0.1")));
}

#[test]
fn a_prefix_is_shared_by_a_network_and_by_nobody_else() {
    for (one, two, same) in [
        ("203.0.113.9", "203.0.113.250", true),
        ("203.0.113.9", "::ffff:203.0.113.1", true),
        ("203.0.113.9", "203.0.112.9", false),
        ("2001:db8:1:2::9", "2001:db8:1:ffff::1", true),
        ("2001:db8:1:2::9", "2001:db8:2:2::9", false),
        ("203.0.113.9", "cb00:7109::", false),
    ] {
        assert_eq!(network_prefix(ip(one)) == network_prefix(ip(two)), same, "{one} {two}");
    }
}

fn any_address() -> impl Strategy<Value = IpAddr> {
    prop_oneof![
        any::<u32>().prop_map(|bits| IpAddr::V4(Ipv4Addr::from(bits))),
        any::<u128>().prop_map(|bits| IpAddr::V6(Ipv6Addr::from(bits)).to_canonical()),
    ]
}

/// Bytes that look like forwarding headers often enough to reach every branch.
fn header_like() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just("for=".to_owned()),
        Just("10.0.0.2".to_owned()),
        Just("6.6.6.6".to_owned()),
        Just("[2001:db8:a::1]:80".to_owned()),
        "[\",;=\\\\ \\[\\]:%a]{1,2}",
    ];
    let bytes = proptest::collection::vec(any::<u8>(), 0..4);
    (proptest::collection::vec(piece, 0..20), bytes)
        .prop_map(|(pieces, tail)| [pieces.concat().into_bytes(), tail].concat())
}

proptest! {
    #[test]
    fn a_printed_address_is_read_back(address in any_address(), port: u16) {
        prop_assume!(!policy(LISTED).trusts(address));
        let printed = std::net::SocketAddr::new(address, port).to_string();
        let quoted = format!("for=\"{printed}\"");
        for (source, value) in [(LISTED, address.to_string()), (LISTED, printed), (ELEMENTS, quoted)] {
            prop_assert_eq!(policy(source).resolve(ip("10.0.0.1"), [value.as_bytes()]), address);
        }
    }

    #[test]
    fn whatever_a_stranger_sends_the_appended_entry_decides(sent in proptest::collection::vec(header_like(), 0..3)) {
        for (source, appended) in [(LISTED, "203.0.113.9"), (ELEMENTS, "for=203.0.113.9"), (ELEMENTS, "for=203.0.113.9;host=\"a,b\"")] {
            let client = ip("203.0.113.9");
            // As a header of its own, or appended to the last one.
            let own: Vec<_> = sent.iter().map(Vec::as_slice).chain([appended.as_bytes()]).collect();
            prop_assert_eq!(policy(source).resolve(ip("10.0.0.1"), own), client);
            let joined = [&sent.concat()[..], b", ", appended.as_bytes()].concat();
            prop_assert_eq!(policy(source).resolve(ip("10.0.0.1"), [joined.as_slice()]), client);
            prop_assert_eq!(policy(source).resolve(client, sent.iter().map(Vec::as_slice)), client);
        }
    }

    #[test]
    fn no_header_breaks_the_walk(values in proptest::collection::vec(header_like(), 0..4), peer in any_address()) {
        for source in [LISTED, ELEMENTS] {
            let _ = policy(source).resolve(peer, values.iter().map(Vec::as_slice));
            let _ = policy(source).resolve(ip("10.0.0.1"), values.iter().map(Vec::as_slice));
        }
    }
}
