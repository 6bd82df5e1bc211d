//! What the commands say and do.

use std::fs;

use serde_json::Value;
use tempfile::TempDir;

use super::demo::{Demo, EVENTS, SCRIPT, Tail, counterfoil, run};

#[test]
fn an_operator_sees_sessions_and_what_is_ended_is_over() {
    let demo = Demo::start();
    let (ada, other, grace) = (demo.signed_in("ada"), demo.signed_in("ada"), demo.signed_in("grace"));
    let found = demo.sessions_of("ada");
    assert_eq!(found.len(), 2);
    let newest = found[0]["id"].as_str().unwrap();

    let (code, said, _) = demo.operate(&["sessions", "show", newest]);
    assert_eq!(code, Some(0), "{said}");
    for part in
        ["subject    ada\n", "state      signed in\n", "verified   pwd at ", "used by    Firefox on Linux: from "]
    {
        assert!(said.contains(part), "{part} in\n{said}");
    }
    let (code, said, _) = demo.operate(&["sessions", "list", "ada"]);
    assert!(code == Some(0) && said.contains("Firefox on Linux") && said.contains(newest), "{said}");

    let (code, said, _) = demo.operate(&["sessions", "end", newest]);
    assert_eq!((code, said), (Some(0), format!("{newest} has ended\n")));
    assert!(!demo.is_signed_in(&other) && demo.is_signed_in(&ada));
    let (code, said, _) = demo.operate(&["sessions", "end", newest]);
    assert_eq!((code, said), (Some(1), format!("{newest} was over before, or never was\n")));
    assert_eq!(demo.operate(&["sessions", "show", newest]).1, format!("{newest} is over: admin\n"));

    assert_eq!(demo.operate(&["sessions", "end-subject", "ada"]).0, Some(0));
    assert!(!demo.is_signed_in(&ada) && demo.is_signed_in(&grace));
    let (code, said, _) = demo.operate(&["sessions", "list", "ada"]);
    assert_eq!((code, said.as_str()), (Some(1), "ada has no session\n"));

    let (code, _, errors) = demo.operate(&["sessions", "end-all"]);
    assert!(code == Some(1) && errors.contains("nobody can be asked here: say --yes as well"), "{errors}");
    assert!(demo.is_signed_in(&grace));
    assert_eq!(demo.operate(&["sessions", "end-all", "--yes"]).1, "every session has ended\n");
    assert!(!demo.is_signed_in(&grace));
}

#[test]
fn a_stolen_cookie_is_told_as_it_is_used_and_stands_in_the_trail() {
    let mut demo = Demo::start();
    let mut tail = Tail::of(&demo, "risk.signal");
    let cookie = demo.signed_in("ada");
    let id = demo.sessions_of("ada")[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(demo.ask("GET /me", SCRIPT, &cookie, "").0, 200, "reading goes on");
    let told = tail.next();
    assert_eq!((told["signal"].as_str(), told["session.id"].as_str()), (Some("user_agent_changed"), Some(id.as_str())));
    assert_eq!(told["evidence"]["expected"]["client"], "Firefox on Linux");
    assert_eq!(told["evidence"]["seen"]["client"], "curl");
    let (_, said, _) = demo.operate(&["sessions", "show", &id]);
    assert!(said.contains("used by    curl: ") && said.contains("; in doubt: user_agent_changed"), "{said}");

    demo.stop();
    let (code, said, errors) = demo.operate(&["trail", "verify"]);
    assert!(code == Some(0) && said.contains("all as they were written"), "{said}{errors}");
    let head = said.lines().find_map(|line| line.strip_prefix("head ")).unwrap().to_owned();
    let (code, said, _) = demo.operate(&["trail", "show", "--subject", "ada", "--only", "risk.signal"]);
    assert_eq!((code, said.lines().count()), (Some(0), 1), "{said}");
    let kept: Value = serde_json::from_str(said.trim()).unwrap();
    assert_eq!(kept["id"], told["id"], "it is the same event");
    assert!(fs::read_to_string(demo.folder.path().join("data/events.jsonl")).unwrap().contains(said.trim()));

    let (code, _, errors) = demo.operate(&["trail", "erase"]);
    assert!(code == Some(1) && errors.contains("--subject or --user-hash"), "{errors}");
    let hash = told["user.hash"].as_str().unwrap();
    let (code, said, _) = demo.operate(&["trail", "erase", "--user-hash", hash, "--yes"]);
    assert!(code == Some(0) && said.contains(" entries erased\n"), "{said}");
    assert_eq!(demo.operate(&["trail", "show", "--subject", "ada"]).0, Some(1), "nothing is left of ada");
    let (code, said, _) = demo.operate(&["trail", "verify", "--noted", &head]);
    assert!(code == Some(0) && said.contains("entries were erased"), "{said}");

    let segment = fs::read_dir(demo.folder.path().join("data/trail")).unwrap();
    let segment =
        segment.map(|entry| entry.unwrap().path()).find(|path| path.extension().is_some_and(|end| end == "jsonl"));
    let text = fs::read_to_string(segment.as_ref().unwrap()).unwrap();
    fs::write(segment.unwrap(), text.replacen("20", "21", 1)).unwrap();
    let (code, _, errors) = demo.operate(&["trail", "verify"]);
    assert!(code == Some(1) && errors.contains(", line "), "{errors}");
}

#[test]
fn where_nobody_runs_or_nothing_is_kept_it_says_so() {
    let folder = TempDir::new().unwrap();
    #[rustfmt::skip]
    let table: [(&[&str], i32, &str); 6] = [
        (&["sessions", "list", "ada"],                          1, "nothing runs on this folder"),
        (&["sessions", "show", "ses_short"],                    2, "not a session id: expected `ses_` and 24 characters"),
        (&["events", "tail"],                                   1, "nothing runs on this folder"),
        (&["trail", "verify"],                                  1, "there is no audit trail; [events.trail] of the configuration keeps one"),
        (&["trail", "show", "--from", "yesterday"],             2, "not a time: write it as 2026-11-18T11:00:00Z"),
        (&["trail", "show", "--user-hash", "ada"],              2, "not a `user.hash`: expected 22 characters"),
    ];
    for (words, code, part) in table {
        let (found, said, errors) = run(words, folder.path());
        assert_eq!(found, Some(code), "{words:?}: {said}{errors}");
        assert!(errors.contains(part), "{words:?}: {errors}");
    }
    let demo = Demo::start();
    let (code, _, errors) = demo.operate(&["events", "tail", "--only", "sesion.ended"]);
    assert!(code == Some(1) && errors.contains("no event is called `sesion.ended`"), "{errors}");
}

#[test]
fn where_events_go_is_checked_before_anybody_is_served() {
    let folder = TempDir::new().unwrap();
    let config = |events: &str| {
        let file = folder.path().join("counterfoil.toml");
        let app = "[apps.wiki]\norigins = [\"https://wiki.example\"]\nproxy = \"nginx\"\nrules = [{ path = \"/*\", access = \"signed-in\" }]\n";
        fs::write(&file, format!("data = \"data\"\n{app}{events}")).unwrap();
        let output = counterfoil().args(["config", "check", "--config"]).arg(file).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    };
    let webhook = "[[events.webhooks]]\nname = \"siem\"\nurl = \"https://siem.example/s3cret\"\n";
    #[rustfmt::skip]
    let table = [
        ("[events.line]\nfile = \"a\"\n".to_owned(),                     "events.line: there is no such key; did you mean `lines`?"),
        ("[events.lines]\nfile = \"a\"\nevents = [\"sesion.*\"]\n".into(), "no event is called `sesion.*`"),
        ("[events.trail]\nfolder = \"a\"\nretain_days = 0\n".into(),     "retain_days (0) must be at least 1"),
        (webhook.to_owned(),                                           "webhook `siem`: secrets and secret_files must hold at least one together"),
        (format!("{webhook}secrets = [\"s3cret\"]\n"),                   "not a secret of a webhook"),
        (format!("{webhook}secret_files = [\"siem\"]\n"),                "siem: cannot be read"),
    ];
    for (events, part) in table {
        let (code, said, errors) = config(&events);
        assert!(code == Some(2) && errors.contains(part), "{events}: {said}{errors}");
        assert!(!errors.contains("s3cret"), "{errors}");
    }
    let secret = "secrets = [\"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"]\n";
    let (code, said, errors) = config(&format!("{EVENTS}{webhook}{secret}"));
    assert_eq!(code, Some(0), "{errors}");
    for part in [
        "events    in the audit trail ",
        "/data/trail, kept for 365 days",
        "events    as JSON lines in ",
        "events    to the webhook `siem`",
    ] {
        assert!(said.contains(part), "{part} in\n{said}");
    }
    assert!(!said.contains("s3cret") && !said.contains("whsec_"), "{said}");
}
