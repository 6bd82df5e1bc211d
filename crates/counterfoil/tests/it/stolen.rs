//! A thief with a copy of the folder and the keys of today, who knows the specification: what can be made of it.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::Path;
use std::time::Duration;

use aws_lc_rs::{digest, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use counterfoil::{Counterfoil, Subject};
use counterfoil_core::data::Key;
use counterfoil_core::rules::Assurance;
use counterfoil_core::testing::{Jar, Request, sign_in, step_up};
use counterfoil_core::{Holder, Record, stored};

use crate::durable::{House, run, who};

#[test]
fn a_folder_and_its_keys_give_no_token_that_works() {
    let house = House::new();
    let site = house.open();
    let mut victims = victims(&site, &house);
    drop(site);
    let loot = Loot::of(&house);
    let people = loot.records.iter().filter(|record| record.member().is_some()).count();
    assert_eq!(loot.records.len(), victims.len() + people, "each session, and what is known of each one's devices");
    let site = house.open();

    let control = victims.first().unwrap();
    let (kid, generation, session, secret) = taken_apart(control.value(SESSION).unwrap());
    let forged = loot.forge(&kid, b's', &session, generation, &secret);
    assert_eq!(forged, control.value(SESSION).unwrap(), "the thief forges as the specification says");

    let mut tried = 0;
    for record in &loot.records {
        // Not below the generation that is current: such a token says reuse, and ends the session (section 10).
        let closed = record.family.next.as_ref().is_some_and(|link| link.until.is_some());
        let current = record.family.generation + u32::from(closed);
        for secret in loot.guesses(record) {
            for (kind, name) in [(b's', SESSION), (b'v', VISIT)] {
                for generation in [current, current + 1] {
                    let token = loot.forge(&loot.kid, kind, record.id.as_bytes(), generation, &secret);
                    let mut jar = Jar::default();
                    jar.put(name, &token);
                    assert_eq!(
                        (who(&site, &mut jar), visits(&site, &mut jar)),
                        (None, None),
                        "a guess opened a session"
                    );
                    tried += 1;
                }
            }
        }
        for secret in loot.guesses(record) {
            let token = loot.forge(&loot.kid, b'e', record.id.as_bytes(), 0, &secret);
            for victim in victims.iter().filter(|victim| belongs(victim, record)) {
                let mut jar = victim.clone();
                jar.put(ELEVATED, &token);
                assert_ne!(assurance(&site, &mut jar), Assurance::Elevated, "a guess stepped a session up");
                tried += 1;
            }
        }
    }
    println!("{tried} tokens made of the folder and its keys: none works");
    assert!(tried > 1_000);
    for (number, victim) in victims.iter_mut().enumerate() {
        let good = who(&site, victim).is_some() || visits(&site, victim).is_some();
        assert!(good, "victim {number} was signed out by what the thief tried");
    }
}

#[test]
fn no_secret_of_a_token_lies_in_the_folder() {
    let house = House::new();
    let site = house.open();
    let victims = victims(&site, &house);
    drop(site);
    let (mut files, mut found) = (Vec::new(), Vec::new());
    read_all(&house.sessions(), &mut files);
    let opened: Vec<_> = Loot::of(&house).records.iter().map(|record| format!("{record:?}").into_bytes()).collect();
    for token in victims.iter().flat_map(|jar| COOKIES.iter().filter_map(|name| jar.value(name))) {
        let (_, _, session, secret) = taken_apart(token);
        let lies = |what: &[u8]| files.iter().chain(&opened).any(|file| holds(file, what));
        assert!(lies(&session), "the thief looks in the right place");
        found.extend([&secret[..], secret.split_at(16).0, token.as_bytes(), token.as_bytes().split_at(60).1].map(lies));
    }
    assert!(found.len() >= 4 * 7 && !found.contains(&true));
}

/// Sessions in all states: fresh, with an offered successor, with a used one, stepped up, anonymous, and long in use.
fn victims(site: &Counterfoil, house: &House) -> Vec<Jar> {
    let engine = site.engine();
    let member = |name: &str| {
        let mut jar = Jar::default();
        run(sign_in(engine, &mut jar, &Subject::new(name).unwrap())).unwrap();
        jar
    };
    let (mut offered, mut used, mut old) = (member("grace"), member("linus"), member("dennis"));
    for _ in 0..6 {
        house.clock.advance(Duration::from_mins(10));
        for _ in 0..3 {
            assert!(who(site, &mut old).is_some());
        }
        assert!(who(site, &mut used).is_some() && who(site, &mut offered).is_some());
    }
    house.clock.advance(Duration::from_mins(16));
    // Its answer comes, and nothing is asked with it yet.
    who(site, &mut offered);
    who(site, &mut used);
    who(site, &mut used);
    let fresh = member("ada");
    let mut elevated = member("alan");
    run(step_up(engine, &mut elevated)).unwrap();
    let mut visitor = Jar::default();
    run(Request::new(engine, &mut visitor).send(async |exchange| exchange.set(VISITS, &7))).unwrap();
    assert_eq!(assurance(site, &mut elevated.clone()), Assurance::Elevated);
    assert_eq!(visits(site, &mut visitor), Some(7));
    vec![fresh, offered, used, old, elevated, visitor]
}

/// What a copy of the folder and the key file hold, opened.
struct Loot {
    kid: String,
    roots: Vec<(String, Vec<u8>)>,
    reference: Vec<u8>,
    records: Vec<Record>,
}

impl Loot {
    fn of(house: &House) -> Self {
        let copy = house.folder.path().join("copy");
        if copy.exists() {
            std::fs::remove_dir_all(&copy).unwrap();
        }
        copy_all(&house.sessions(), &copy);
        let mut lines = Vec::new();
        house.archive(&copy).export(&mut lines, &mut |_| {}).unwrap();
        let sealer = house.sealer();
        let lines = String::from_utf8(lines).unwrap();
        let records = lines.lines().filter_map(|line| {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            let bytes = |name: &str| STANDARD.decode(line.get(name).unwrap().as_str().unwrap()).unwrap();
            line.get("space").is_some_and(|space| space == "sessions").then(|| {
                let id = counterfoil_core::SessionId::from_bytes(bytes("key").try_into().unwrap());
                Record::clone(&stored::decode(id, &bytes("value"), &sealer).unwrap().record)
            })
        });
        let records = records.collect();
        let keys = std::fs::read_to_string(house.keys().path()).unwrap();
        let key = |line: &str| STANDARD.decode(line.split(" key=").nth(1).unwrap()).unwrap();
        let id = |line: &str| line.split("id=").nth(1).unwrap().split(' ').next().unwrap().to_owned();
        let roots: Vec<_> =
            keys.lines().filter(|line| line.starts_with("key id=")).map(|line| (id(line), key(line))).collect();
        let reference = keys.lines().find(|line| line.starts_with("reference ")).map(key).unwrap();
        Self { kid: roots.last().unwrap().0.clone(), roots, reference, records }
    }

    /// A token by section 2 of the specification, for any secret.
    fn forge(&self, key: &str, kind: u8, session: &[u8], generation: u32, secret: &[u8]) -> String {
        let body = [session, &generation.to_be_bytes(), secret].concat();
        let tag = mac(&self.purpose(key, "token"), &[b"counterfoil/v1/token", &[kind], &body]);
        format!("cfoil1_{key}_{}", URL_SAFE_NO_PAD.encode([&body, tag.split_at(16).0].concat()))
    }

    /// Every 32 bytes that may be worth a try: all that the record holds, the keys, and what the rule of the successor
    /// makes of each of them.
    fn guesses(&self, record: &Record) -> BTreeSet<[u8; 32]> {
        let (family, mut seeds) = (&record.family, BTreeSet::from([[0; 32], [255; 32]]));
        seeds.insert(*family.current.as_bytes());
        let mut nonce = vec![0; 16];
        if let Some(link) = &family.next {
            seeds.insert(*link.hash.as_bytes());
            nonce = link.nonce.as_bytes().to_vec();
            seeds.insert(link.nonce.as_bytes().repeat(2).try_into().unwrap());
        }
        let padded = |bytes: &[u8]| {
            let mut padded = [0; 32];
            padded.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
            padded
        };
        seeds.insert(padded(record.id.as_bytes()));
        seeds.insert(padded(record.data.as_bytes()));
        if let Holder::Member(member) = &record.holder {
            seeds.insert(padded(member.reference.as_bytes()));
            seeds.insert(padded(member.subject.as_str().as_bytes()));
            seeds.extend(member.elevations.iter().flatten().map(|elevation| *elevation.hash.as_bytes()));
        }
        seeds.extend([padded(&self.reference)]);
        seeds.extend(self.roots.iter().map(|(_, root)| padded(root)));
        for label in ["token", "chain", "csrf", "flash", "data", "listing", "link"] {
            seeds.insert(self.purpose(&self.kid, label).try_into().unwrap());
        }
        let chain = self.purpose(&self.kid, "chain");
        let mut guesses = seeds.clone();
        for seed in &seeds {
            guesses.insert(digest::digest(&digest::SHA256, seed).as_ref().try_into().unwrap());
            for generation in [family.generation, family.generation.wrapping_sub(1)] {
                let parts: [&[u8]; 5] =
                    [b"counterfoil/v1/next", record.id.as_bytes(), &generation.to_be_bytes(), seed, &nonce];
                guesses.insert(mac(&chain, &parts).try_into().unwrap());
            }
        }
        guesses
    }

    /// HKDF-SHA256 with one block, by hand as in the reference of the specification.
    fn purpose(&self, kid: &str, label: &str) -> Vec<u8> {
        let root = &self.roots.iter().find(|(id, _)| id == kid).unwrap().1;
        let extracted = mac(b"counterfoil/v1", &[root]);
        mac(&extracted, &[b"counterfoil/v1/key/", label.as_bytes(), &[1]])
    }
}

fn mac(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), &parts.concat()).as_ref().to_vec()
}

/// A token's key id, generation, session and secret.
fn taken_apart(token: &str) -> (String, u32, Vec<u8>, Vec<u8>) {
    let mut parts = token.splitn(3, '_').skip(1);
    let kid = parts.next().unwrap().to_owned();
    let body = URL_SAFE_NO_PAD.decode(parts.next().unwrap()).unwrap();
    let (session, rest) = body.split_at(18);
    let (generation, rest) = rest.split_first_chunk().unwrap();
    (kid, u32::from_be_bytes(*generation), session.to_vec(), rest.split_at(32).0.to_vec())
}

fn belongs(jar: &Jar, record: &Record) -> bool {
    jar.value(SESSION).is_some_and(|token| taken_apart(token).2 == record.id.as_bytes())
        && jar.value(ELEVATED).is_none()
}

fn assurance(site: &Counterfoil, jar: &mut Jar) -> Assurance {
    let identity = run(Request::new(site.engine(), jar).send(async |exchange| exchange.identity().await));
    identity.unwrap().map_or(Assurance::Anonymous, |identity| identity.assurance)
}

/// What an anonymous session holds.
fn visits(site: &Counterfoil, jar: &mut Jar) -> Option<u32> {
    run(Request::new(site.engine(), jar).send(async |exchange| exchange.get(VISITS).await)).unwrap()
}

fn copy_all(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_all(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn read_all(folder: &Path, into: &mut Vec<Vec<u8>>) {
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            read_all(&entry.path(), into);
        } else {
            let mut bytes = Vec::new();
            std::fs::File::open(entry.path()).unwrap().read_to_end(&mut bytes).unwrap();
            into.push(bytes);
        }
    }
}

fn holds(file: &[u8], what: &[u8]) -> bool {
    memchr::memmem::find(file, what).is_some()
}

const SESSION: &str = "__Host-Http-id";
const ELEVATED: &str = "__Host-Http-el";
const VISIT: &str = "__Host-Http-an";
const COOKIES: [&str; 3] = [SESSION, ELEVATED, VISIT];
const VISITS: Key<u32> = Key::new("visits");
