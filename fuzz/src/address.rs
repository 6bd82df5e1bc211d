//! Forwarding headers: what a stranger sends never decides, and what a proxy wrote is read back.

use std::net::IpAddr;

use counterfoil_core::address::{AddressPolicy, AddressSource};
use ipnet::IpNet;

use crate::{Target, lines};

pub(crate) const TARGET: Target = Target {
    name: "address",
    check,
    words: &[
        "for=",
        "10.0.0.2",
        "\"[2001:db8:a::1]:80\"",
        "203.0.113.9",
        "unknown",
        ", ",
        ";",
        "\\\"",
        "%eth0",
        "::ffff:",
    ],
};

fn check(input: &[u8]) {
    for (source, element) in [(AddressSource::XForwardedFor, ""), (AddressSource::Forwarded, "for=")] {
        let policy = AddressPolicy::new(TRUSTED, source).expect("no network of everyone");
        let values = || lines(input);
        let client = policy.resolve(PROXY, values());
        assert_eq!(client, client.to_canonical(), "an address comes back canonical");

        // Nobody asks a stranger whom it speaks for.
        assert_eq!(policy.resolve(STRANGER, values()), STRANGER);

        // What our own proxy appends decides, whatever stands left of it.
        for rest in if element.is_empty() { [""; 2] } else { ["", r#";host="a\",b;c""#] } {
            appended_decides(&policy, input, &format!("{element}{STRANGER}{rest}"));
        }

        // Parse after print.
        if !policy.trusts(client) {
            let printed = match client {
                IpAddr::V6(six) if source == AddressSource::Forwarded => format!("for=\"[{six}]\""),
                address => format!("{element}{address}"),
            };
            assert_eq!(policy.resolve(PROXY, [printed.as_bytes()]), client);
        }
    }
}

/// As a line of its own, or joined to the last.
fn appended_decides(policy: &AddressPolicy, input: &[u8], appended: &str) {
    let own = lines(input).chain([appended.as_bytes()]);
    assert_eq!(policy.resolve(PROXY, own.collect::<Vec<_>>()), STRANGER);
    let joined = [input, b", ", appended.as_bytes()].concat();
    assert_eq!(policy.resolve(PROXY, lines(&joined)), STRANGER);
}

const PROXY: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));
const STRANGER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 9));
const TRUSTED: [IpNet; 2] = [
    IpNet::V4(ipnet::Ipv4Net::new_assert(std::net::Ipv4Addr::new(10, 0, 0, 0), 8)),
    IpNet::V6(ipnet::Ipv6Net::new_assert(std::net::Ipv6Addr::new(0x2001, 0xdb8, 0xa, 0, 0, 0, 0, 0), 48)),
];
