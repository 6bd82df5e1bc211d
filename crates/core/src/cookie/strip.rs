//! A request's cookies without ours, for an application that must not see them. Any bytes in, the same bytes out.

use super::scan::{ours, trim_start};
use super::{CookieNames, HeaderJoin};

/// All `Cookie` headers of a request as one, without the cookies that [`scan`](super::scan) reads as ours; what is left is
/// byte for byte as it came. Empty if nothing is left. Several headers are joined with `; ` (RFC 6265bis, section 4.2.1).
///
/// # Security
/// Reader and remover share one idea of what a cookie of ours is: what one would read, the other takes out. A value that
/// merely holds a token (a comma in a cookie, where commas do not separate) is another cookie's and stays.
///
/// # Examples
/// ```
/// use counterfoil_core::cookie::{CookieNames, HeaderJoin, without_ours};
///
/// let headers = [b"theme=dark; __Host-Http-id=cfoil1_k1_AbC; lang=en".as_slice()];
/// assert_eq!(without_ours(headers, CookieNames::https(), HeaderJoin::Standard), b"theme=dark; lang=en");
/// ```
pub fn without_ours<'a>(headers: impl IntoIterator<Item = &'a [u8]>, names: CookieNames, join: HeaderJoin) -> Vec<u8> {
    let mut all = Vec::new();
    for left in headers.into_iter().filter_map(|header| left_of(header, names, join)) {
        if !all.is_empty() {
            all.extend_from_slice(b"; ");
        }
        all.extend_from_slice(&left);
    }
    all
}

/// What is left of one header; `None` if nothing is.
fn left_of(header: &[u8], names: CookieNames, join: HeaderJoin) -> Option<Vec<u8>> {
    let mut left: Option<Vec<u8>> = None;
    let (mut rest, mut at) = (Some(header), 0_usize);
    while let Some(text) = rest {
        let separator = at.checked_sub(1).and_then(|before| header.get(before)).copied();
        let pair;
        (pair, rest) = join.first(text);
        at += pair.len() + 1;
        match (&mut left, separator) {
            _ if ours(pair, names).is_some() => {}
            (Some(left), separator) => {
                left.extend(separator);
                left.extend_from_slice(pair);
            }
            (None, None) => left = Some(pair.to_vec()),
            // The space followed a separator that is gone.
            (None, Some(_)) => left = Some(trim_start(pair).to_vec()),
        }
    }
    left.filter(|left| !left.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cookie::{CookieNames, scan};
    use proptest::prelude::*;

    fn left(headers: &[&str], join: HeaderJoin) -> String {
        let headers = headers.iter().map(|header| header.as_bytes());
        String::from_utf8(without_ours(headers, CookieNames::https(), join)).unwrap()
    }

    #[test]
    fn ours_go_and_the_rest_stays_byte_for_byte() {
        #[rustfmt::skip]
        let rows: [(&str, &[&str], &str); 16] = [
            ("nothing of ours",            &["a=1; b=2"],                                  "a=1; b=2"),
            ("odd spelling of others",     &[" a=1;b = 2 ;;  c"],                          " a=1;b = 2 ;;  c"),
            ("only ours",                  &["__Host-Http-id=x"],                          ""),
            ("all three of ours",          &["__Host-Http-id=x; __Host-Http-el=y; __Host-Http-an=z"], ""),
            ("first",                      &["__Host-Http-id=x; a=1"],                     "a=1"),
            ("in the middle",              &["a=1; __Host-Http-id=x; b=2"],                "a=1; b=2"),
            ("last",                       &["a=1; __Host-Http-id=x"],                     "a=1"),
            ("without spaces",             &["a=1;__Host-Http-id=x;b=2"],                  "a=1;b=2"),
            ("several times",              &["__Host-Http-id=x; a=1; __Host-Http-id=y"],   "a=1"),
            ("spaces around the name",     &["a=1;\t __Host-Http-id \t= x"],               "a=1"),
            ("malformed, but ours",        &["__Host-Http-id=\"x y\"; a=1"],               "a=1"),
            ("a name without a value",     &["__Host-Http-id; a=1"],                       "__Host-Http-id; a=1"),
            ("another case",               &["__host-http-id=x"],                          "__host-http-id=x"),
            ("a longer name",              &["__Host-Http-idx=x"],                         "__Host-Http-idx=x"),
            ("two headers",                &["a=1; __Host-Http-id=x", "b=2"],              "a=1; b=2"),
            ("two headers, one all ours",  &["__Host-Http-id=x", "b=2"],                   "b=2"),
        ];
        for (name, headers, expected) in rows {
            assert_eq!(left(headers, HeaderJoin::Standard), expected, "{name}");
        }
    }

    #[test]
    fn where_commas_separate_ours_go_behind_them_too() {
        for (header, expected) in [
            ("a=1, __Host-Http-id=x", "a=1"),
            ("__Host-Http-id=x, a=1", "a=1"),
            ("a=1, b=2; __Host-Http-id=x; c=3", "a=1, b=2; c=3"),
        ] {
            assert_eq!(left(&[header], HeaderJoin::Comma), expected, "{header}");
        }
        assert_eq!(
            left(&["a=1, __Host-Http-id=x"], HeaderJoin::Standard),
            "a=1, __Host-Http-id=x",
            "a value of another's"
        );
    }

    proptest! {
        #[test]
        fn what_the_reader_reads_is_gone_and_nothing_else(
            headers in proptest::collection::vec(
                proptest::collection::vec(
                    prop_oneof![
                        Just(b"__Host-Http-id=".to_vec()), Just(b"a=1".to_vec()), Just(b";".to_vec()), Just(b",".to_vec()),
                        Just(b" ".to_vec()), proptest::collection::vec(any::<u8>(), 0..4),
                    ], 0..8).prop_map(|parts| parts.concat()), 0..4),
            comma: bool,
        ) {
            let join = if comma { HeaderJoin::Comma } else { HeaderJoin::Standard };
            let names = CookieNames::https();
            let lines = || headers.iter().map(Vec::as_slice);
            let left = without_ours(lines(), names, join);
            prop_assert!(!scan([left.as_slice()], names, join).is_cookie_bearing());
            if !scan(lines(), names, join).is_cookie_bearing() {
                let whole: Vec<_> = lines().filter(|line| !line.is_empty()).collect();
                prop_assert_eq!(left, whole.join(&b"; "[..]));
            }
        }
    }
}
