//! Values that look like another: for ids that nobody made, and tokens that are nobody's.

/// Random, with the length of `value`, and a letter where it has one, a digit where it has one.
pub(crate) fn invented(value: &str) -> String {
    let mut bytes = vec![0; value.len()];
    // Without randomness it is a fixed id instead, which is nobody's either.
    let _ = getrandom::fill(&mut bytes);
    let hex = value.len() >= 8 && value.chars().all(|one| one.is_ascii_hexdigit() || one == '-');
    let of = |(like, byte): (char, u8)| {
        let digit = char::from(b'0' + byte % 10);
        match like {
            '0'..='9' => digit,
            'a'..='z' if hex => char::from(b'a' + byte % 6),
            'A'..='Z' if hex => char::from(b'A' + byte % 6),
            'a'..='z' => char::from(b'a' + byte % 26),
            'A'..='Z' => char::from(b'A' + byte % 26),
            other => other,
        }
    };
    value.chars().zip(bytes).map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_looks_the_same_and_is_another() {
        for value in ["9f86d081884c7d65", "s%3AabcDEF123.x-_y", "00000000-1111-2222-3333-444444444444"] {
            let other = invented(value);
            assert_eq!(other.len(), value.len());
            assert_ne!(other, value);
            let kinds = |text: &str| {
                text.chars().map(|one| (one.is_ascii_digit(), one.is_ascii_alphabetic())).collect::<Vec<_>>()
            };
            assert_eq!(kinds(&other), kinds(value));
        }
    }
}
