//! An answer from JSON: read strictly, so that a mistake in it is noticed and not taken for silence.

use std::fmt;
use std::marker::PhantomData;

use counterfoil::detector::{SignalName, Verdict};
use counterfoil_core::rules::Decision;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::BadAnswer;

/// How much of an answer is read.
pub(super) const MOST_BYTES: usize = 4 * 1024;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer {
    #[serde(default)]
    signals: Said,
}

#[derive(Default)]
struct Said(Verdict);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    signal: String,
    decision: Decision,
}

/// A JSON object: lists of the same values are none.
struct Object<T>(T);

/// What was said.
pub(super) fn read(bytes: &[u8]) -> Result<Verdict, BadAnswer> {
    let Object::<Answer>(answer) = serde_json::from_slice(bytes)
        .map_err(|error| BadAnswer::NotAnAnswer { line: error.line(), column: error.column() })?;
    Ok(answer.signals.0)
}

impl<'de> Deserialize<'de> for Said {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Lines;

        impl<'de> Visitor<'de> for Lines {
            type Value = Said;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a list of signals")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut lines: A) -> Result<Said, A::Error> {
                let mut verdict = Verdict::NOTHING;
                while let Some(Object(Line { signal, decision })) = lines.next_element()? {
                    let signal: SignalName = signal.parse().map_err(A::Error::custom)?;
                    verdict = verdict.with(signal, decision).map_err(A::Error::custom)?;
                }
                Ok(Said(verdict))
            }
        }

        from.deserialize_seq(Lines)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Members<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
            type Value = Object<T>;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Object<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(members)).map(Object)
            }
        }

        from.deserialize_map(Members(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Option<Vec<(String, Decision)>> {
        let verdict = read(text.as_bytes()).ok()?;
        Some(verdict.signals().iter().map(|named| (named.signal.to_string(), named.decision)).collect())
    }

    #[test]
    fn an_answer_says_nothing_or_a_few_signals() {
        let one = |name: &str, decision| Some(vec![(name.to_owned(), decision)]);
        #[rustfmt::skip]
        let rows = [
            ("{}",                                                                   Some(vec![])),
            (r#" {"signals": []} "#,                                                 Some(vec![])),
            (r#"{"signals":[{"signal":"known_bot","decision":"step_up"}]}"#,         one("known_bot", Decision::StepUp)),
            (r#"{"signals":[{"decision":"revoke","signal":"a"}]}"#,                  one("a", Decision::Revoke)),
            (r#"{"signals":[{"signal":"a","decision":"none"}]}"#,                    Some(vec![])),
            (r#"{"signals":[{"signal":"known\u005fbot","decision":"note"}]}"#,       one("known_bot", Decision::Note)),
            (r#"{"signals":[{"signal":"a","decision":"note"},{"signal":"a","decision":"shorten"}]}"#, one("a", Decision::Shorten)),
        ];
        for (text, expected) in rows {
            assert_eq!(said(text), expected, "{text}");
        }
    }

    #[test]
    fn whatever_else_it_is_is_refused_and_not_repeated() {
        let nine: Vec<_> = (0..9).map(|n| format!(r#"{{"signal":"s{n}","decision":"note"}}"#)).collect();
        let deep = format!(r#"{{"signals":{}"#, "[".repeat(2_000));
        let rows = [
            "",
            "null",
            "[]",
            "ok",
            "<html>secret</html>",
            r#"{"signals":null}"#,
            r#"{"signals":{}}"#,
            r#"{"signals":[null]}"#,
            r#"{"signals":["secret"]}"#,
            r#"{"signals":[["secret","revoke"]]}"#,
            r#"[[{"signal":"a","decision":"revoke"}]]"#,
            r#"{"signal":"a","decision":"revoke"}"#,
            r#"{"signals":[{"signal":"a"}]}"#,
            r#"{"signals":[{"signal":"a","desicion":"revoke"}]}"#,
            r#"{"signals":[{"signal":"a","decision":"REVOKE"}]}"#,
            r#"{"signals":[{"signal":"a","decision":"allow"}]}"#,
            r#"{"signals":[{"signal":"a","decision":5}]}"#,
            r#"{"signals":[{"signal":"Secret!","decision":"note"}]}"#,
            r#"{"signals":[{"signal":"a\n","decision":"note"}]}"#,
            r#"{"signals":[{"signal":"","decision":"note"}]}"#,
            r#"{"signals":[{"signal":"a","decision":"note","secret":1}]}"#,
            r#"{"signals":[],"signals":[{"signal":"a","decision":"revoke"}]}"#,
            r#"{"signals":[]} {"signals":[]}"#,
            &format!(r#"{{"signals":[{}]}}"#, nine.join(",")),
            &deep,
            "\u{feff}{}",
        ];
        for text in rows {
            let error = read(text.as_bytes()).unwrap_err().to_string();
            assert!(error.starts_with("its answer is not what docs/detectors.md says (line "), "{text}: {error}");
            assert!(!error.to_lowercase().contains("secret"), "{error}");
        }
        assert!(read(b"{\"signals\":[{\"signal\":\"\xff\",\"decision\":\"note\"}]}").is_err());
    }
}
