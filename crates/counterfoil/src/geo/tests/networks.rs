//! The operator's list.

use std::collections::HashMap;

use ipnet::IpNet;
use proptest::prelude::*;

use super::*;

#[test]
fn the_smallest_network_around_an_address_counts() {
    let list = "\u{feff}# exits\r\n203.0.113.0/24 vpn\r\n\n  203.0.113.64/26\thosting # ours\n203.0.113.65 relay\n\
        203.0.113.65/32 relay\n::ffff:198.51.100.0/120 relay\n2001:db8::/32 hosting\n2001:db8::7 vpn\n";
    let networks: Networks = list.parse().unwrap();
    assert_eq!(networks.len(), 6, "what is said twice is one");
    #[rustfmt::skip]
    let table = [
        ("203.0.113.1",         Some(NetworkKind::Vpn)),
        ("::ffff:203.0.113.1",  Some(NetworkKind::Vpn)),
        ("203.0.113.64",        Some(NetworkKind::Hosting)),
        ("203.0.113.65",        Some(NetworkKind::Relay)),
        ("203.0.113.128",       Some(NetworkKind::Vpn)),
        ("203.0.114.0",         None),
        ("198.51.100.9",        Some(NetworkKind::Relay)),
        ("2001:db8::8",         Some(NetworkKind::Hosting)),
        ("2001:db8::7",         Some(NetworkKind::Vpn)),
        ("2001:db9::7",         None),
        ("::cb00:7101",         None),
    ];
    for (address, kind) in table {
        assert_eq!(networks.kind(address.parse().unwrap()), kind, "{address}");
    }
}

#[test]
fn a_line_that_says_nothing_is_named_by_its_number() {
    #[rustfmt::skip]
    let table = [
        ("# one\n\n10.0.0.0/33 vpn",       "line 3: `10.0.0.0/33` is no network: write one such as 203.0.113.0/24 or 2001:db8::/32, or an address"),
        ("vpn 203.0.113.0/24",             "line 1: `vpn` is no network: write one such as 203.0.113.0/24 or 2001:db8::/32, or an address"),
        ("203.0.113.0/24",                 "line 1: says nothing of the network: write vpn, relay or hosting after it"),
        ("203.0.113.0/24 # vpn",           "line 1: says nothing of the network: write vpn, relay or hosting after it"),
        ("203.0.113.0/24 VPN",             "line 1: `VPN` is none of vpn, relay, hosting"),
        ("203.0.113.0/24 vpn relay",       "line 1: `relay` is one word too many: a remark begins with #"),
        ("203.0.113.9/24 vpn",             "line 1: `203.0.113.9/24` has bits set beyond its prefix: write 203.0.113.0/24, if that is what is meant"),
        ("0.0.0.0/0 vpn",                  "line 1: `0.0.0.0/0` spans every address"),
        ("::/0 vpn",                       "line 1: `::/0` spans every address"),
        ("::ffff:0:0/96 vpn",              "line 1: `::ffff:0:0/96` spans every address"),
        ("203.0.113.0/24 vpn\n\n203.0.113.0/24 relay", "line 3: the network is of another kind on line 1: remove one of them"),
    ];
    for (list, expected) in table {
        assert_eq!(list.parse::<Networks>().unwrap_err().to_string(), expected, "{list}");
    }
    let wide = format!("{}\u{1b}[31m vpn", "x".repeat(1_000)).parse::<Networks>().unwrap_err().to_string();
    assert!(wide.len() < 200 && !wide.contains('\u{1b}'), "{wide}");
}

proptest! {
    #[test]
    fn whatever_stands_there_is_read_or_refused(list in any::<String>()) {
        let _ = list.parse::<Networks>();
    }

    #[test]
    fn it_finds_what_a_look_at_each_network_would(
        networks in prop::collection::hash_map((any::<u8>(), 1_u8..=32), 0_usize..3, 0..40),
        addresses in prop::collection::vec(any::<u8>(), 20),
    ) {
        let kinds = ["vpn", "relay", "hosting"];
        let spread = |byte: u8| std::net::Ipv4Addr::from([byte, byte ^ 0x55, 0, byte]);
        let networks: HashMap<IpNet, usize> = networks
            .into_iter()
            .map(|((byte, length), kind)| (IpNet::new(spread(byte).into(), length).unwrap().trunc(), kind))
            .collect();
        let lines: Vec<_> = networks.iter().map(|(network, kind)| format!("{network} {}", kinds[*kind])).collect();
        let list: Networks = lines.join("\n").parse().unwrap();
        for address in addresses.into_iter().map(spread).map(IpAddr::from) {
            let around = networks.iter().filter(|(network, _)| network.contains(&address));
            let smallest = around.max_by_key(|(network, _)| network.prefix_len());
            let kind = smallest.map(|(_, kind)| [NetworkKind::Vpn, NetworkKind::Relay, NetworkKind::Hosting][*kind]);
            prop_assert_eq!(list.kind(address), kind);
        }
    }
}
