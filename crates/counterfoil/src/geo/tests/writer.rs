//! Writes small databases in the MMDB format, version 2.

use ipnet::IpNet;

/// A value in a record.
#[derive(Debug, Clone)]
pub(super) enum Data {
    Map(Vec<(&'static str, Self)>),
    Text(&'static str),
    Double(f64),
    Short(u16),
    Long(u32),
    Time(u64),
    Flag(bool),
    List(Vec<Self>),
}

/// A database with a record for each of the networks, which do not overlap.
pub(super) fn database(kind: &'static str, records: &[(&str, Data)]) -> Vec<u8> {
    let mut tree: Vec<[Option<Leaf>; 2]> = vec![[None, None]];
    let mut data = Vec::new();
    for (network, record) in records {
        let leaf = Leaf::Data(data.len());
        record.write(&mut data);
        plant(&mut tree, network.parse().unwrap(), leaf);
    }
    let nodes = tree.len();
    let entry = |leaf: &Option<Leaf>| match leaf {
        None => nodes,
        Some(Leaf::Node(node)) => *node,
        Some(Leaf::Data(offset)) => nodes + 16 + offset,
    };
    let mut bytes: Vec<u8> =
        tree.iter().flatten().flat_map(|leaf| u32::try_from(entry(leaf)).unwrap().to_be_bytes()).collect();
    bytes.extend([0; 16]);
    bytes.extend(data);
    bytes.extend(b"\xab\xcd\xefMaxMind.com");
    metadata(kind, nodes).write(&mut bytes);
    bytes
}

#[derive(Clone, Copy)]
enum Leaf {
    Node(usize),
    Data(usize),
}

fn plant(tree: &mut Vec<[Option<Leaf>; 2]>, network: IpNet, leaf: Leaf) {
    let (bits, length) = match network {
        IpNet::V4(four) => (u128::from(four.network().to_bits()), four.prefix_len() + 96),
        IpNet::V6(six) => (six.network().to_bits(), six.prefix_len()),
    };
    let mut node = 0;
    for depth in 0..length {
        let side = usize::from(bits >> (127 - depth) & 1 == 1);
        if depth + 1 == length {
            tree[node][side] = Some(leaf);
        } else if let Some(Leaf::Node(next)) = tree[node][side] {
            node = next;
        } else {
            tree.push([None, None]);
            let next = tree.len() - 1;
            tree[node][side] = Some(Leaf::Node(next));
            node = next;
        }
    }
}

fn metadata(kind: &'static str, nodes: usize) -> Data {
    Data::Map(vec![
        ("binary_format_major_version", Data::Short(2)),
        ("binary_format_minor_version", Data::Short(0)),
        ("build_epoch", Data::Time(1_780_000_000)),
        ("database_type", Data::Text(kind)),
        ("description", Data::Map(Vec::new())),
        ("ip_version", Data::Short(6)),
        ("languages", Data::List(vec![Data::Text("en")])),
        ("node_count", Data::Long(u32::try_from(nodes).unwrap())),
        ("record_size", Data::Short(32)),
    ])
}

impl Data {
    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Text(text) => {
                header(out, 2, text.len());
                out.extend(text.as_bytes());
            }
            Self::Double(number) => {
                header(out, 3, 8);
                out.extend(number.to_be_bytes());
            }
            Self::Short(number) => {
                header(out, 5, 2);
                out.extend(number.to_be_bytes());
            }
            Self::Long(number) => {
                header(out, 6, 4);
                out.extend(number.to_be_bytes());
            }
            Self::Time(number) => {
                header(out, 9, 8);
                out.extend(number.to_be_bytes());
            }
            Self::Map(entries) => {
                header(out, 7, entries.len());
                for (key, value) in entries {
                    Self::Text(key).write(out);
                    value.write(out);
                }
            }
            Self::List(values) => {
                header(out, 11, values.len());
                for value in values {
                    value.write(out);
                }
            }
            Self::Flag(flag) => header(out, 14, usize::from(*flag)),
        }
    }
}

/// The type and the size of a value; types above 7 have a byte of their own.
fn header(out: &mut Vec<u8>, kind: u8, size: usize) {
    let (short, long) = if size < 29 { (size, None) } else { (29, Some(size - 29)) };
    let (size, long) = (u8::try_from(short).unwrap(), long.map(|long| u8::try_from(long).unwrap()));
    if kind > 7 {
        out.extend([size, kind - 7]);
    } else {
        out.push(kind << 5 | size);
    }
    out.extend(long);
}
