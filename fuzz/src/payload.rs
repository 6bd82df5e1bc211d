//! What stores hand back: session data, ids, key ids, keys. Read whole or refused, and written back the same.

use counterfoil_core::data::{BadPayload, Fields, Payload};
use counterfoil_core::keys::{KeyFile, KeyId, KeyMaterial};
use counterfoil_core::{SessionId, Subject};

use crate::Target;

pub(crate) const TARGET: Target = Target {
    name: "payload",
    check,
    words: &[
        "\u{1}",
        "\0\0\u{4}\0\0\0\u{2}",
        "shop.cart",
        "[]",
        "ses_",
        "k1:",
        "counterfoil-keys 1\n",
        "sessions last=1day\n",
        "reference key=",
        "key id=k created=",
        "AAAAAAAAAAAAAAAAAAAAAAAA",
    ],
};

fn check(input: &[u8]) {
    let payload = Payload::from_bytes(input);
    assert_eq!(payload.as_bytes(), input);
    match Fields::open(&payload) {
        Ok(fields) => {
            let sealed = fields.seal();
            assert_eq!(Fields::open(&sealed), Ok(fields.clone()));
            // A name that stands twice is kept once; nothing else may shrink.
            assert!(sealed.as_bytes().len() <= input.len());
            assert!(fields.size() <= input.len());
            let portable = fields.clone().portable();
            assert!(portable.iter().all(|(name, field)| field.portable && fields.get(name) == Some(field)));
        }
        Err(BadPayload::Version(version)) => assert!(input.first() == Some(&version) && version != 1),
        Err(_) => assert!(input.len() > 1, "damaged is not absent"),
    }
    if let Ok(text) = std::str::from_utf8(input) {
        names(text);
    }
}

fn names(text: &str) {
    if let Ok(id) = text.parse::<SessionId>() {
        assert_eq!(id.to_string(), text, "an id has one spelling");
        assert_eq!(SessionId::from_bytes(*id.as_bytes()), id);
    }
    if let Ok(id) = KeyId::new(text) {
        assert_eq!(id.as_str(), text);
    }
    if let Ok(subject) = Subject::new(text) {
        assert_eq!(subject.as_str(), text);
        assert!(!format!("{subject:?}").contains(text) || "Subject(…)".contains(text));
    }
    let reference = "cmVmZXJlbmNlIGtleSBvZiAzMiBieXRlcyBmb3IgdGVzdHM";
    if let Err(error) = KeyMaterial::parse(text, reference) {
        // The id is told, the key never is.
        let told = error.to_string();
        assert!(told.len() < 200, "{told}");
    }
    match KeyFile::parse(text) {
        Ok(file) => {
            let again = KeyFile::parse(&file.print()).map(|file| file.print().to_string());
            assert_eq!(again.as_deref(), Ok(&**file.print()));
        }
        Err(error) => assert!(error.to_string().len() < 200, "{error}"),
    }
}
