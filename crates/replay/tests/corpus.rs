//! The corpus through the real engine: what it is expected to find it finds, and nobody honest pays for it.

use counterfoil_replay::label::Decision;
use counterfoil_replay::matrix::Matrix;
use counterfoil_replay::score::{What, score};
use counterfoil_replay::{Sequence, play};
use counterfoil_sightings::{Origin, files};

fn corpus() -> Result<Vec<Sequence>, Box<dyn std::error::Error>> {
    let files = Origin::ALL.into_iter().map(files).collect::<Result<Vec<_>, _>>()?;
    Ok(files.concat().iter().map(|file| Sequence::read(file)).collect::<Result<_, _>>()?)
}

#[test]
fn every_theft_is_found_in_time_and_nobody_honest_is_signed_out_or_asked_in_vain() {
    let mut wrong = Vec::new();
    for sequence in corpus().unwrap().iter().filter(|sequence| !sequence.label.is_device_bound()) {
        let findings = score(&sequence.label, &play(&sequence.scene).unwrap());
        wrong.extend(findings.iter().map(|finding| format!("{}: {finding}", sequence.label.id)));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_published_table_is_what_comes_out() {
    let mut matrix = Matrix::default();
    for sequence in corpus().unwrap() {
        matrix.count(&sequence, &score(&sequence.label, &play(&sequence.scene).unwrap()));
    }
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/detection.md")).unwrap();
    assert!(page.contains(&matrix.to_string()), "docs/detection.md should say:\n{matrix}");
}

#[test]
fn what_a_sequence_is_called_and_who_held_its_clients_changes_nothing() {
    for file in files(Origin::Public).unwrap() {
        let text = std::fs::read_to_string(&file).unwrap();
        let told = play(&Sequence::parse(&text).unwrap().scene).unwrap();
        let mut hidden: serde_json::Value = serde_json::from_str(&text).unwrap();
        for (field, value) in [("id", "nobody-knows"), ("kind", "honest"), ("title", "?"), ("story", "nothing to tell")]
        {
            hidden[field] = value.into();
        }
        hidden["tags"] = ["none"].as_slice().into();
        hidden["expect"] = serde_json::json!({ "each": { "*": ["none"] } });
        hidden["never"] = serde_json::json!([]);
        for request in hidden["requests"].as_array_mut().unwrap() {
            request["holder"] = "owner".into();
        }
        let hidden = hidden.to_string();
        assert_eq!(play(&Sequence::parse(&hidden).unwrap().scene).unwrap(), told, "{}", file.display());
    }
}

#[test]
fn a_score_notices_what_it_is_there_for() {
    let theft = |text: &str| Sequence::read(&Origin::Public.folder().join(text)).unwrap();
    let found = |sequence: &Sequence, alter: &dyn Fn(&mut counterfoil_replay::Answer)| -> Vec<What> {
        let mut answers = play(&sequence.scene).unwrap();
        answers.iter_mut().for_each(alter);
        score(&sequence.label, &answers).into_iter().map(|finding| finding.what).collect()
    };
    let (abroad, commuter, dead) =
        (theft("t01-script-abroad.json"), theft("h01-commuting-phone.json"), theft("t06-after-sign-out.json"));
    let none = found(&abroad, &|answer| answer.decision = Decision::None);
    assert!(none.contains(&What::Missed(Decision::Revoke)), "{none:?}");
    let silent = found(&abroad, &|answer| answer.signals.clear());
    assert!(silent.contains(&What::Missing("token_reused".into())), "{silent:?}");
    let out = found(&commuter, &|answer| answer.admitted = false);
    assert_eq!(out.iter().filter(|what| **what == What::FalseSignOut).count(), 1, "once for a session: {out:?}");
    let ended = found(&commuter, &|answer| answer.decision = Decision::Revoke);
    assert!(ended.contains(&What::FalseSignOut), "{ended:?}");
    let asked = found(&commuter, &|answer| answer.decision = Decision::StepUp);
    assert!(asked.contains(&What::Nuisance), "{asked:?}");
    let noisy = found(&commuter, &|answer| answer.signals.push("impossible_travel"));
    assert_eq!(noisy, [What::Forbidden("impossible_travel".into())]);
    let revived = found(&dead, &|answer| answer.admitted = true);
    assert!(revived.contains(&What::DeadAdmitted), "{revived:?}");
}
