//! Two formats of records in one schema: while nodes of two versions share it, while it is raised, and afterwards.

use std::collections::BTreeSet;

use counterfoil_core::store::Store;
use counterfoil_core::stored::Format;
use counterfoil_core::{FakeClock, SessionId};

use super::records::{NOW, activity, insert, member, subject, visitor};
use super::stage::{Schemas, caught_up, look, sealer, value};
use crate::postgres::connection::{Connection, hex};
use crate::postgres::{PostgresStore, Settings, format, migrate, plan};
use crate::side_by_side::{People, across, change, data, live};

/// A schema as the program made it that knows format 1 alone.
async fn begin_earlier(look: &Connection, url: &str, sealer: &counterfoil_core::seal::Sealer, settings: &Settings) {
    migrate(url, sealer, settings).await.unwrap();
    look.run(&format!("UPDATE {}.meta SET format = 1", settings.schema)).await.unwrap();
}

/// The first byte of what lies there.
async fn version(look: &Connection, settings: &Settings, id: SessionId) -> u8 {
    let (schema, id) = (&settings.schema, hex(id.as_bytes()));
    let sql = format!("SELECT get_byte(record, 0) FROM {schema}.sessions WHERE id = '\\x{id}'");
    value(look, &sql).await.parse().unwrap()
}

#[tokio::test]
#[ignore = "takes a PostgreSQL: run in the stage that installs it"]
async fn nodes_that_write_two_formats_share_one_schema_and_lose_nothing() {
    let schemas = Schemas::start(FakeClock::at(NOW)).await;
    let (ring, settings, look) = (sealer(), schemas.settings(), look(&schemas.url).await);
    begin_earlier(&look, &schemas.url, &ring, &settings).await;
    let open = || PostgresStore::open(&schemas.url, ring.clone(), FakeClock::at(NOW), settings.clone());
    let stores = [open().await.unwrap(), open().await.unwrap()];
    assert_eq!(stores[1].format(), Format::One);
    // As if one of them had noticed a raise that the other has not.
    let node = |number: usize| {
        stores[number].sealer.change_format([Format::One, Format::Two][number]);
        &stores[number]
    };
    let (visitor, member) = (|number: u8| visitor(number.into()), |number| member(7, number));
    let people = People { now: NOW, subject: subject(7), visitor, member };
    let versions = across(&people, node, async |id| version(&look, &settings, id).await).await;
    assert_eq!(versions, BTreeSet::from([1, 2]), "both were written");
}

#[tokio::test]
#[ignore = "takes a PostgreSQL: run in the stage that installs it"]
async fn a_schema_is_raised_under_its_nodes_and_what_lies_there_stays_good() {
    let schemas = Schemas::start(FakeClock::at(NOW)).await;
    let (ring, settings, look) = (sealer(), schemas.settings(), look(&schemas.url).await);
    assert_eq!(format(&schemas.url, &ring, &settings).await.unwrap(), None);
    begin_earlier(&look, &schemas.url, &ring, &settings).await;
    let open = || PostgresStore::open(&schemas.url, ring.clone(), FakeClock::at(NOW), settings.clone());
    let (one, other) = (open().await.unwrap(), open().await.unwrap());
    for number in 1..=3 {
        insert(&one, &visitor(number)).await;
    }
    assert_eq!((one.format(), version(&look, &settings, visitor(1).id).await), (Format::One, 1));
    let sql = plan(&schemas.url, &ring, &settings).await.unwrap();
    assert!(sql.contains(&format!("UPDATE {}.meta SET format = 2", settings.schema)), "{sql}");
    assert_eq!(format(&schemas.url, &ring, &settings).await.unwrap(), Some(Format::One), "a plan changes nothing");

    assert!(migrate(&schemas.url, &ring, &settings).await.unwrap());
    assert!(!migrate(&schemas.url, &ring, &settings).await.unwrap(), "once");
    for store in [&one, &other] {
        caught_up(store).await;
        assert_eq!(store.format(), Format::Two, "with the next look at what others did");
    }
    let opened = open().await.unwrap().format();
    assert_eq!(
        (opened, ring.format()),
        (Format::Two, Format::One),
        "what others do with the same keys is their affair"
    );
    insert(&other, &visitor(4)).await;
    change(&other, visitor(1).id, data(b"new"), NOW).await;
    let old = visitor(2);
    one.load(old.id, NOW + old.limits.touch_step(), Some(activity(&old))).await.unwrap();
    let mut versions = Vec::new();
    for number in 1..=4 {
        let id = visitor(number).id;
        assert_eq!(live(&one, id, NOW).await.record, live(&other, id, NOW).await.record);
        versions.push(version(&look, &settings, id).await);
    }
    assert_eq!(versions, [2, 1, 1, 2], "changed, touched, left alone, new");

    // As the program before this one sees it now.
    look.run(&format!("UPDATE {}.meta SET format = 3", settings.schema)).await.unwrap();
    let error = open().await.map(drop).unwrap_err();
    assert!(error.to_string().contains("run the version that migrated it"), "{error}");
    let error = format(&schemas.url, &ring, &settings).await.unwrap_err();
    assert!(error.to_string().contains("run the version that migrated it"), "{error}");
}
