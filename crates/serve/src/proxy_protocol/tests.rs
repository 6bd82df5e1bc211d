//! Headers of the PROXY protocol: the specification's, broken ones, and any bytes at all.

use proptest::prelude::*;

use super::*;

const PROXY: &str = "10.0.0.1:4711";

/// A header as a proxy writes it.
fn header(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
    let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
    [&SIGNATURE[..], &[command, family], &length, rest].concat()
}

fn addresses(source: SocketAddr, destination: SocketAddr) -> Vec<u8> {
    let octets = |ip| match ip {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    };
    [
        octets(source.ip()),
        octets(destination.ip()),
        source.port().to_be_bytes().to_vec(),
        destination.port().to_be_bytes().to_vec(),
    ]
    .concat()
}

/// Who the peer is, and what is left to read.
fn read(mut bytes: &[u8], peer: &str) -> (Result<SocketAddr, Refused>, usize) {
    let trusted = Peers::new(["10.0.0.0/8"]).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let peer = runtime.block_on(announced(&mut bytes, peer.parse().unwrap(), &trusted));
    (peer, bytes.len())
}

#[test]
fn the_peer_is_whoever_the_proxy_speaks_for() {
    let ip4 = addresses("192.0.2.7:51000".parse().unwrap(), "10.0.0.9:443".parse().unwrap());
    let ip6 = addresses("[2001:db8::7]:51000".parse().unwrap(), "[fd00::9]:443".parse().unwrap());
    let with_extensions = [&ip4[..], &[0x04, 0, 3, 1, 2, 3]].concat();
    #[rustfmt::skip]
    let table = [
        // name                                  bytes                                expected
        ("IPv4",                                 header(0x21, 0x11, &ip4),             Ok("192.0.2.7:51000")),
        ("IPv6",                                 header(0x21, 0x21, &ip6),             Ok("[2001:db8::7]:51000")),
        ("extensions are read over",             header(0x21, 0x11, &with_extensions), Ok("192.0.2.7:51000")),
        ("a look whether we are there",          header(0x20, 0x00, &[]),              Ok(PROXY)),
        ("the same, with addresses",             header(0x20, 0x11, &ip4),             Ok(PROXY)),
        ("for somebody without an address",      header(0x21, 0x00, &[9; 5]),          Ok(PROXY)),
        ("IPv4 in the room of too little",       header(0x21, 0x11, &ip4[..11]),       Err(Refused::Malformed)),
        ("IPv6 in the room of IPv4",             header(0x21, 0x21, &ip4),             Err(Refused::Malformed)),
        ("datagrams",                            header(0x21, 0x12, &ip4),             Err(Refused::Malformed)),
        ("a socket of files",                    header(0x21, 0x31, &[0; 216]),        Err(Refused::Malformed)),
        ("an unknown command",                   header(0x22, 0x11, &ip4),             Err(Refused::Malformed)),
        ("version 3",                            header(0x31, 0x11, &ip4),             Err(Refused::Malformed)),
        ("longer than anybody needs",            header(0x21, 0x11, &[0; 5000]),       Err(Refused::TooLong)),
        ("a request at once",                    b"GET / HTTP/1.1\r\nHost: a\r\n\r\n".to_vec(), Err(Refused::NoHeader)),
        ("version 1",                            b"PROXY TCP4 192.0.2.7 10.0.0.9 51000 443\r\n".to_vec(), Err(Refused::NoHeader)),
        ("nothing",                              vec![],                               Err(Refused::TooShort)),
        ("half a header",                        header(0x21, 0x11, &ip4)[..20].to_vec(), Err(Refused::TooShort)),
    ];
    for (name, bytes, expected) in table {
        let expected = expected.map(|peer| peer.parse().unwrap());
        assert_eq!(read(&bytes, PROXY).0, expected, "{name}");
    }
}

#[test]
fn nobody_else_is_believed() {
    let bytes = header(0x21, 0x11, &addresses("192.0.2.7:1".parse().unwrap(), "10.0.0.9:443".parse().unwrap()));
    assert_eq!(read(&bytes, "192.0.2.1:4711"), (Err(Refused::Untrusted), bytes.len()));
}

proptest! {
    #[test]
    fn what_is_written_is_read_and_what_follows_is_left(
        source: SocketAddr, extensions in prop::collection::vec(any::<u8>(), 0..64), request in prop::collection::vec(any::<u8>(), 0..64),
    ) {
        let destination = SocketAddr::new(source.ip(), 443);
        let family = if source.is_ipv4() { 0x11 } else { 0x21 };
        let header = header(0x21, family, &[addresses(source, destination), extensions].concat());
        // A scope is not in the header.
        let expected = SocketAddr::new(source.ip(), source.port());
        prop_assert_eq!(read(&[header, request.clone()].concat(), PROXY), (Ok(expected), request.len()));
    }

    #[test]
    fn no_bytes_are_too_strange(bytes in prop::collection::vec(any::<u8>(), 0..300), announced: bool, command: u8, family: u8) {
        let bytes = if announced { header(command, family, &bytes) } else { bytes };
        if let Ok(peer) = read(&bytes, PROXY).0 {
            prop_assert!(announced && (command == 0x20 || command == 0x21), "{}", peer);
        }
    }
}
