//! Item 14: no token and no secret rests anywhere, and nothing printed tells who somebody is.

use crate::conformance::bench::{Bench, Node, ROTATE};
use crate::conformance::browser::Browser;
use crate::conformance::failure::{Failure, Verdict, ensure};
use crate::conformance::records;
use crate::conformance::secrets::{contains, forms_of_bytes};
use crate::engine::SignInOptions;
use crate::id::Subject;
use crate::record::Reference;
use crate::rules::{Amr, EndReason};
use crate::store::Live;
use crate::testing::Fault;
use crate::token::TokenKind;

/// A token that is due is renewed by a later request where the store was too slow for this one.
const VISITS: usize = 10;
/// Who signs in, and what the session holds: neither may stand in anything that is printed.
const SUBJECT: &str = "ada@conformance.example";
const TEXT: &str = "a text that is nobody's business";

pub(super) async fn nothing_leaks(bench: Bench) -> Verdict {
    let (printed, hashes) = a_day(&bench).await?;
    let printed = format!(
        "{printed}\n{}\n{}\n{}\n{:?}",
        bench.stage().printed(),
        bench.probe(Node::A).errors(),
        bench.probe(Node::B).errors(),
        bench.events()
    );
    ensure!(bench.secrets().len() >= 5, "the suite has seen too few tokens to look for");
    let printed = printed.as_bytes();
    ensure!(!bench.secrets().leak_in(printed), "a token stands in something that is printed");
    let leaks = |bytes: &Vec<u8>| forms_of_bytes(bytes).iter().any(|form| contains(printed, form));
    ensure!(!hashes.iter().any(leaks), "a token's hash or a nonce stands in something that is printed");
    for (what, text) in [("the subject", SUBJECT), ("session data", TEXT)] {
        let forms = forms_of_bytes(text.as_bytes());
        ensure!(!forms.iter().any(|form| contains(printed, form)), "{what} stands in something that is printed");
    }
    in_the_backend(&bench).await
}

async fn in_the_backend(bench: &Bench) -> Verdict {
    let Some(dump) = bench.stage().dump() else {
        return Ok(());
    };
    let entries = dump.entries().await.map_err(|error| Failure::of(&error))?;
    ensure!(!entries.is_empty(), "the dump of a store with sessions in it is empty");
    for entry in entries {
        let leak = bench.secrets().leak_in(&entry.key) || bench.secrets().leak_in(&entry.value);
        ensure!(!leak, "the backend holds a token");
        ensure!(!contains(&entry.key, SUBJECT.as_bytes()), "a key of the backend holds the subject in clear");
    }
    Ok(())
}

/// Everything that makes a token, an error or an event. What was printed on the way, and the hashes in the records.
async fn a_day(bench: &Bench) -> Verdict<(String, Vec<Vec<u8>>)> {
    let (engine, store) = (bench.engine(Node::A)?, bench.store(Node::A));
    let mut ada = Browser::new(bench);
    let mut printed = vec![format!("{engine:?} {:?}", bench.stage().printed())];
    super::note(&mut ada, &engine, TEXT).await?;
    let visit = ada.session(&engine, TokenKind::Visit)?;
    let mut hashes = hashes_of(&records::live(bench, &*store, visit).await?);
    let half = ada.send(&engine)?;
    let attempt = half.begin(Subject::new(SUBJECT)?).await?;
    let attempt = half.verified(attempt, Amr::Pwd);
    printed.push(format!("{half:?} {attempt:?}"));
    half.hold(attempt).await?;
    printed.push(format!("{:?}", half.conclude().await));
    let options = SignInOptions {
        remember: true,
        references: vec![Reference { kind: "oidc.sid".into(), value: "b1946ac9".into() }],
    };
    let id = ada.sign_in(&engine, SUBJECT, options).await?;
    ada.visit(&engine).await?;
    super::note_beside(&ada, &engine, TEXT).await?;
    bench.advance(ROTATE);
    let before = bench.secrets().len();
    for _ in 0..VISITS {
        ada.visit(&engine).await?;
        if bench.secrets().len() > before {
            break;
        }
    }
    ada.step_up(&engine).await?;
    let live = records::live(bench, &*store, id).await?;
    hashes.extend(hashes_of(&live));
    printed.push(format!("{live:?} {:?}", bench.stage().printed()));
    for fault in [Fault::Before, Fault::After] {
        bench.probe(Node::A).faults().on_all(fault);
        let failing = ada.send(&engine)?;
        let error = failing.open().await.err();
        let denied = failing.require_signed_in().await;
        printed.push(format!("{error:?} {denied:?} {:?}", failing.conclude().await));
        bench.probe(Node::A).faults().heal();
    }
    // Things a store may want to complain about.
    let (again, record) = (bench.now(), (*live.record).clone());
    printed.push(format!("{:?}", store.insert(record.clone(), None, again).await));
    let late = store.commit(id, crate::store::Revision(u64::MAX), records::data(TEXT.as_bytes()), again).await;
    printed.push(format!("{late:?}"));
    let mut second = Browser::new(bench);
    second.sign_in(&engine, SUBJECT, SignInOptions::default()).await?;
    ada.sign_out(&engine).await?;
    engine.end_subject(&Subject::new(SUBJECT)?, EndReason::Admin).await?;
    Ok((printed.join("\n"), hashes))
}

fn hashes_of(live: &Live) -> Vec<Vec<u8>> {
    let family = &live.record.family;
    let mut hashes = vec![family.current.as_bytes().to_vec()];
    if let Some(link) = &family.next {
        hashes.push(link.hash.as_bytes().to_vec());
        hashes.push(link.nonce.as_bytes().to_vec());
    }
    let elevations = live.record.member().map(|member| member.elevations);
    for elevation in elevations.iter().flatten().flatten() {
        hashes.push(elevation.hash.as_bytes().to_vec());
    }
    hashes
}
