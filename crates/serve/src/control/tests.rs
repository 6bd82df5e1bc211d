//! The socket from outside: what is told, what ends, who is heard, and what happens when nobody is there.

use std::sync::Arc;

use counterfoil_core::keys::{GeneratedKeys, SharedRing};
use counterfoil_core::policy::Policy;
use counterfoil_core::store::Page;
use counterfoil_core::testing::{Fault, FaultyStore, Jar, Request, sign_in};
use counterfoil_core::{EventKind, FakeClock, MemoryStore, Moment, SessionId, Subject};
use tempfile::TempDir;
use tokio::task::JoinHandle;

use super::*;

struct House {
    folder: TempDir,
    engine: Engine,
    store: Arc<FaultyStore<MemoryStore>>,
    telemetry: Telemetry,
    answering: JoinHandle<()>,
}

impl House {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = FakeClock::at(Moment::from_unix_seconds(1_795_000_000));
        let store = Arc::new(FaultyStore::around(MemoryStore::new()));
        let telemetry = Telemetry::builder().start().unwrap();
        let keys = SharedRing::from_source(&GeneratedKeys).unwrap();
        let policy = Policy::aal2("https://app.example").unwrap();
        let engine = Engine::new(policy, keys, Arc::clone(&store) as _, clock, telemetry.clone());
        let operated = Operated::new(
            {
                let engine = engine.clone();
                move || engine.clone()
            },
            telemetry.clone(),
        );
        let answering = tokio::spawn(Control::open(folder.path()).unwrap().answer(operated));
        Self { folder, engine, store, telemetry, answering }
    }

    fn caller(&self) -> Caller {
        Caller::at(self.folder.path())
    }

    async fn signed_in(&self, name: &str) -> (Jar, SessionId) {
        let mut jar = Jar::default();
        sign_in(&self.engine, &mut jar, &Subject::new(name).unwrap()).await.unwrap();
        let id = self.caller().list(name, Page::FIRST).await.unwrap()[0].id.parse().unwrap();
        (jar, id)
    }

    async fn is_signed_in(&self, jar: &mut Jar) -> bool {
        Request::new(&self.engine, jar).send(async |exchange| exchange.require_signed_in().await.is_ok()).await
    }
}

fn refused<T: std::fmt::Debug>(answer: Result<T, NoAnswer>) -> (u16, String) {
    match answer.unwrap_err() {
        NoAnswer::Refused(Problem { status, title }) => (status, title),
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn sessions_are_listed_shown_and_ended_one_by_one_by_subject_and_all() {
    let house = House::new();
    let caller = house.caller();
    // What would be another parameter if it were not written down as one value.
    let name = "ada&everybody=true";
    let (mut ada, id) = house.signed_in(name).await;
    let (mut other, _) = house.signed_in(name).await;
    let (mut bob, _) = house.signed_in("bob").await;
    assert_eq!(caller.list(name, Page::FIRST).await.unwrap().len(), 2);
    assert_eq!(caller.list(name, Page { skip: 1, take: 1 }).await.unwrap().len(), 1);

    let Found::Live(found) = caller.show(id).await.unwrap() else { panic!("it is live") };
    assert_eq!((found.subject.as_deref(), found.id.as_str()), (Some(name), id.to_string().as_str()));
    assert_eq!(found.created_at, "2026-11-18T11:06:40Z");
    assert_eq!(found.factors, [("pwd".to_owned(), "2026-11-18T11:06:40Z".to_owned())]);

    assert_eq!(caller.end(id).await.unwrap(), Ended { ended: true });
    assert_eq!(caller.end(id).await.unwrap(), Ended { ended: false });
    assert_eq!(caller.show(id).await.unwrap(), Found::Over { reason: "admin".to_owned() });
    assert!(house.is_signed_in(&mut other).await && house.is_signed_in(&mut bob).await);

    let reference = house.engine.reference(&Subject::new(name).unwrap()).to_string();
    assert_eq!(caller.end_subject(name).await.unwrap(), Reached::Subject(reference));
    assert!(!house.is_signed_in(&mut ada).await && !house.is_signed_in(&mut other).await);
    assert!(house.is_signed_in(&mut bob).await);
    assert_eq!(caller.end_all().await.unwrap(), Reached::Everybody);
    assert!(!house.is_signed_in(&mut bob).await);
    assert_eq!(caller.show(SessionId::from_bytes([1; SessionId::LENGTH])).await.unwrap(), Found::Absent);
}

#[tokio::test]
async fn what_happens_is_told_as_it_happens_to_whoever_asked_for_it() {
    let house = House::new();
    let (_, id) = house.signed_in("ada").await;
    // What happened before is told to nobody who comes now.
    assert!(house.telemetry.finish(std::time::Duration::from_secs(20)));
    let mut all = house.caller().tail(&[]).await.unwrap();
    let mut ends = house.caller().tail(&["session.ended".to_owned(), "risk.*".to_owned()]).await.unwrap();
    house.engine.tell(None, None, EventKind::TokenForged);
    house.caller().end(id).await.unwrap();
    let event = |heard: Option<Heard>| match heard {
        Some(Heard::Event(json)) => json,
        other => panic!("{other:?}"),
    };
    assert!(event(all.next().await.unwrap()).contains(r#""event":"token.forged""#));
    let ended = event(all.next().await.unwrap());
    assert!(ended.contains(r#""event":"session.ended""#) && ended.contains(&id.to_string()), "{ended}");
    assert_eq!(event(ends.next().await.unwrap()), ended, "and nothing else");
    let (status, text) = refused(house.caller().tail(&["sesion.ended".to_owned()]).await);
    assert_eq!((status, text.as_str()), (400, "no event is called `sesion.ended`"));
}

#[tokio::test]
async fn whoever_reads_too_slowly_is_told_how_much_passed() {
    let house = House::new();
    let mut tail = house.caller().tail(&[]).await.unwrap();
    // More than the stream keeps and the socket's buffers take, while nobody reads.
    for _ in 0..20_000 {
        house.engine.tell(None, None, EventKind::TokenForged);
    }
    let (mut events, mut missed) = (0, 0);
    while missed == 0 {
        match tail.next().await.unwrap().unwrap() {
            Heard::Event(_) => events += 1,
            Heard::Missed(some) => missed += some,
        }
    }
    assert!(events < 20_000 && missed > 0, "{events} {missed}");
}

#[tokio::test]
async fn questions_that_make_no_sense_are_refused_and_a_store_that_is_away_is_no_answer() {
    let house = House::new();
    let caller = house.caller();
    let (_, id) = house.signed_in("ada").await;
    assert_eq!(refused(caller.list("", Page::FIRST).await), (400, "a subject may not be empty".to_owned()));
    assert!(refused(caller.end_subject("a\nb").await).1.contains("control characters"));
    house.store.faults().on_all(Fault::Before);
    for answer in [refused(caller.show(id).await), refused(caller.end(id).await), refused(caller.end_all().await)] {
        assert_eq!(answer.0, 503);
        assert!(answer.1.ends_with("it may or may not have been done; try again"), "{}", answer.1);
    }
    house.store.faults().heal();
    assert!(matches!(caller.show(id).await.unwrap(), Found::Live(_)));
}

#[tokio::test]
async fn the_socket_is_its_owners_and_goes_with_whoever_made_it() {
    let house = House::new();
    let path = house.folder.path().join(Control::NAME);
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
    let operated = Operated::new(
        {
            let engine = house.engine.clone();
            move || engine.clone()
        },
        Telemetry::builder().start().unwrap(),
    );
    let successor = tokio::spawn(Control::open(house.folder.path()).unwrap().answer(operated));
    house.answering.abort();
    while !house.answering.is_finished() {
        tokio::task::yield_now().await;
    }
    assert_eq!(house.caller().end_all().await.unwrap(), Reached::Everybody, "the successor's socket is still there");
    successor.abort();
    while !successor.is_finished() {
        tokio::task::yield_now().await;
    }
    assert!(!path.exists());
    let error = house.caller().end_all().await.unwrap_err();
    assert!(matches!(error, NoAnswer::Nobody { .. }), "{error}");
    assert!(error.to_string().starts_with("nothing runs on this folder"), "{error}");
    fs::write(&path, "somebody's").unwrap();
    assert_eq!(Control::open(house.folder.path()).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
    assert_eq!(fs::read(&path).unwrap(), b"somebody's");
}
