//! Every sequence is what its schema says, and the schema refuses what it should.

use counterfoil_sightings::{Origin, files, schema};
use serde_json::{Value, json};

#[test]
fn every_sequence_is_what_the_schema_says() {
    let validator = jsonschema::validator_for(&read(&schema())).unwrap();
    let mut wrong = Vec::new();
    for path in Origin::ALL.into_iter().flat_map(|origin| files(origin).unwrap()) {
        let sequence = read(&path);
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        wrong.extend(
            validator.iter_errors(&sequence).map(|error| format!("{name}: {}: {error}", error.instance_path())),
        );
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_schema_refuses_what_nobody_could_play() {
    let validator = jsonschema::validator_for(&read(&schema())).unwrap();
    let sound = read(&files(Origin::Own).unwrap()[0]);
    assert!(validator.is_valid(&sound));
    #[rustfmt::skip]
    let rows: [(&str, Value); 8] = [
        ("/kind",                       json!("odd")),
        ("/policy/preset",              json!("aal4")),
        ("/policy/network",             json!("country")),
        ("/requests/0/route",           json!("teleport")),
        ("/requests/0/at",              json!(-1)),
        ("/requests/0/holder",          json!("nobody")),
        ("/expect/must_not",            json!(["smells_funny"])),
        ("/never",                      json!(["scold"])),
    ];
    for (pointer, value) in rows {
        let mut broken = sound.clone();
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        match broken.pointer_mut(parent).unwrap() {
            Value::Object(object) => drop(object.insert(key.to_owned(), value)),
            _ => unreachable!("{pointer} is in an object"),
        }
        assert!(!validator.is_valid(&broken), "{pointer}");
    }
}

fn read(path: &std::path::Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}
