//! The head of an answer, read as leniently as any client does, so that nothing in it is overlooked.

/// Header fields in their order, each value without the blanks around it.
pub(super) type Fields = Vec<(String, Vec<u8>)>;

/// The fields of the last head in `bytes`: those of interim answers go before it.
pub(super) fn fields(bytes: &[u8]) -> Fields {
    let mut rest = bytes;
    loop {
        let (head, after) = split(rest);
        if is_interim(head) && !after.is_empty() {
            rest = after;
        } else {
            return lines(head);
        }
    }
}

fn lines(head: &[u8]) -> Fields {
    let mut fields = Fields::new();
    for line in head.split(|byte| *byte == b'\n').skip(1) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let folded = line.first().is_some_and(|byte| matches!(byte, b' ' | b'\t'));
        if let (true, Some((_, value))) = (folded, fields.last_mut()) {
            value.push(b' ');
            value.extend_from_slice(trimmed(line));
        } else if let Some(colon) = line.iter().position(|byte| *byte == b':') {
            let (name, value) = line.split_at(colon);
            let name = String::from_utf8_lossy(trimmed(name)).into_owned();
            fields.push((name, trimmed(value.get(1..).unwrap_or_default()).to_vec()));
        }
    }
    fields
}

/// At the first empty line.
fn split(bytes: &[u8]) -> (&[u8], &[u8]) {
    let mut from = 0;
    while let Some(at) = bytes.get(from..).and_then(|rest| rest.iter().position(|byte| *byte == b'\n')) {
        let end = from + at + 1;
        let rest = bytes.get(end..).unwrap_or_default();
        for empty in [&b"\r\n"[..], b"\n"] {
            if let Some(after) = rest.strip_prefix(empty) {
                return (bytes.get(..end).unwrap_or_default(), after);
            }
        }
        from = end;
    }
    (bytes, &[])
}

fn is_interim(head: &[u8]) -> bool {
    let status = head.split(|byte| *byte == b' ').nth(1).unwrap_or_default();
    status.first() == Some(&b'1') && !status.starts_with(b"101")
}

fn trimmed(bytes: &[u8]) -> &[u8] {
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let start = bytes.iter().position(|byte| !blank(byte)).unwrap_or(bytes.len());
    let end = bytes.iter().rposition(|byte| !blank(byte)).map_or(start, |last| last + 1);
    bytes.get(start..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &[u8]) -> Vec<(String, String)> {
        fields(text).into_iter().map(|(name, value)| (name, String::from_utf8_lossy(&value).into_owned())).collect()
    }

    #[test]
    fn heads_are_read_as_they_came() {
        #[rustfmt::skip]
        type Case = (&'static str, &'static [u8], &'static [(&'static str, &'static str)]);
        let cases: [Case; 10] = [
            ("plain", b"HTTP/1.1 200 OK\r\nA: b\r\nC:d \r\n\r\nX: y\r\n", &[("A", "b"), ("C", "d")]),
            ("repeated", b"HTTP/1.1 200 OK\r\nA: b\r\na: c\r\n\r\n", &[("A", "b"), ("a", "c")]),
            ("bare newlines", b"HTTP/1.0 200 OK\nA: b\n\nX: y", &[("A", "b")]),
            ("interim", b"HTTP/1.1 103 Early\r\nX: y\r\n\r\nHTTP/1.1 200 OK\r\nA: b\r\n\r\n", &[("A", "b")]),
            ("upgrade", b"HTTP/1.1 101 Switch\r\nA: b\r\n\r\nrest", &[("A", "b")]),
            ("folded", b"HTTP/1.1 200 OK\r\nA: b\r\n  c\r\n\r\n", &[("A", "b c")]),
            ("control", b"HTTP/1.1 200 OK\r\nA: \x01b\r\n\r\n", &[("A", "\u{1}b")]),
            ("no colon", b"HTTP/1.1 200 OK\r\nA\r\nB: c\r\n\r\n", &[("B", "c")]),
            ("no name", b"HTTP/1.1 200 OK\r\n: c\r\n\r\n", &[("", "c")]),
            ("cut", b"HTTP/1.1 200 OK\r\nA: b", &[("A", "b")]),
        ];
        for (name, bytes, expected) in cases {
            let expected: Vec<_> = expected.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
            assert_eq!(read(bytes), expected, "{name}");
        }
    }

    proptest! {
        #[test]
        fn nothing_that_comes_panics(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            fields(&bytes);
        }

        #[test]
        fn what_is_written_is_read(pairs in proptest::collection::vec(("[A-Za-z-]{1,9}", "[!-~]{0,9}"), 0..9)) {
            let mut text = b"HTTP/1.1 200 OK\r\n".to_vec();
            for (name, value) in &pairs {
                text.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
            }
            text.extend_from_slice(b"\r\nbody: not");
            prop_assert_eq!(read(&text), pairs);
        }
    }
}
