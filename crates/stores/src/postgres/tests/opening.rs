//! Opening: what is refused, with what to do; making tables, by hand too; encrypted.

use counterfoil_core::FakeClock;
use counterfoil_core::seal::Sealer;
use counterfoil_servers::PostgresSettings;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

use super::records::{NOW, insert, member};
use super::stage::{Schemas, look, sealer, value};
use crate::postgres::{OpenError, PostgresStore, Settings, migrate, plan};

async fn open(url: &str, sealer: &Sealer, settings: &Settings) -> Result<PostgresStore, OpenError> {
    PostgresStore::open(url, sealer.clone(), FakeClock::at(NOW), settings.clone()).await
}

/// The whole message of a refusal.
fn message(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

#[tokio::test]
#[ignore = "takes a PostgreSQL: run in the stage that installs it"]
async fn what_would_break_the_contract_is_refused_with_what_to_do() {
    let schemas = Schemas::start(FakeClock::at(NOW)).await;
    let (sealer, settings, look) = (sealer(), schemas.settings(), look(&schemas.url).await);
    let schema = &settings.schema;
    drop(open(&schemas.url, &sealer, &settings).await.unwrap());
    look.run("CREATE ROLE poor LOGIN").await.unwrap();
    let other_keys = super::stage::sealer();
    let poor = schemas.url.replace("counterfoil@", "poor@");
    let (elsewhere, nobody) = (schemas.url.replace("/postgres", "/nowhere"), "postgres://a@127.0.0.1:1/x".to_owned());
    let fresh = schemas.settings();
    #[rustfmt::skip]
    let rows = [
        // before                                                                   where            keys         schema     said
        ("",                                                                        &elsewhere,      &sealer,     &settings, vec!["nowhere", "create it"]),
        ("",                                                                        &nobody,         &sealer,     &settings, vec!["cannot be reached"]),
        ("",                                                                        &poor,           &sealer,     &fresh,    vec!["grant it CREATE", "--dry-run", &fresh.schema]),
        ("",                                                                        &schemas.url,    &other_keys, &settings, vec!["another reference key", schema]),
        ("ALTER DATABASE postgres SET synchronous_commit = off",                    &schemas.url,    &sealer,     &settings, vec!["synchronous_commit = off", "switch it on"]),
        ("ALTER DATABASE postgres RESET ALL; ALTER DATABASE postgres SET default_transaction_read_only = on", &schemas.url, &sealer, &settings, vec!["takes no writes", "primary"]),
        ("ALTER DATABASE postgres RESET ALL; UPDATE SCHEMA.meta SET format = 3",    &schemas.url,    &sealer,     &settings, vec!["format 3", "run the version that migrated it"]),
        ("UPDATE SCHEMA.meta SET format = -1",                                      &schemas.url,    &sealer,     &settings, vec!["format -1", "counterfoil store migrate"]),
    ];
    for (before, url, keys, settings, said) in rows {
        look.run(&before.replace("SCHEMA", schema)).await.unwrap();
        let text = message(&open(url, keys, settings).await.unwrap_err());
        for part in said {
            assert!(text.contains(part), "{part:?} is missing in: {text}");
        }
    }
}

#[tokio::test]
#[ignore = "takes a PostgreSQL: run in the stage that installs it"]
async fn a_wrong_password_and_a_server_without_fsync_are_refused() {
    let settings = PostgresSettings {
        lines: vec!["fsync = off".to_owned()],
        files: vec![("pg_hba.conf", "host all ada all scram-sha-256\nhost all all all trust\n".to_owned())],
        ..PostgresSettings::default()
    };
    let schemas = Schemas::start_with(settings, FakeClock::at(NOW)).await;
    look(&schemas.url).await.run("CREATE ROLE ada LOGIN SUPERUSER PASSWORD 'lovelace'").await.unwrap();
    let settings = schemas.settings();
    let wrong = schemas.url.replace("counterfoil@", "ada:byron@");
    let text = message(&open(&wrong, &sealer(), &settings).await.unwrap_err());
    assert!(text.contains("check user and password") && !text.contains("byron"), "{text}");
    let right = schemas.url.replace("counterfoil@", "ada:lovelace@");
    let text = message(&open(&right, &sealer(), &settings).await.unwrap_err());
    assert!(text.contains("fsync = off"), "{text}");
}

#[tokio::test]
#[ignore = "takes a PostgreSQL: run in the stage that installs it"]
async fn what_a_migration_would_do_can_be_read_and_run_by_hand() {
    let schemas = Schemas::start(FakeClock::at(NOW)).await;
    let (sealer, settings, look) = (sealer(), schemas.settings(), look(&schemas.url).await);
    let sql = plan(&schemas.url, &sealer, &settings).await.unwrap();
    let there = format!("SELECT count(*) FROM pg_namespace WHERE nspname = '{}'", settings.schema);
    assert_eq!(value(&look, &there).await, "0", "a plan does nothing");
    look.run(&sql).await.unwrap();
    assert_eq!(plan(&schemas.url, &sealer, &settings).await.unwrap(), "");
    assert!(!migrate(&schemas.url, &sealer, &settings).await.unwrap());
    let store = open(&schemas.url, &sealer, &settings).await.unwrap();
    insert(&store, &member(1, 1)).await;
    let other = schemas.settings();
    assert!(migrate(&schemas.url, &sealer, &other).await.unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes a PostgreSQL: run in the stage that installs it"]
async fn nodes_that_start_at_once_make_one_store() {
    let schemas = Schemas::start(FakeClock::at(NOW)).await;
    let (sealer, settings) = (sealer(), schemas.settings());
    let opening = (0..4).map(|_| open(&schemas.url, &sealer, &settings));
    let stores = futures_util::future::try_join_all(opening).await.unwrap();
    insert(&stores[0], &member(1, 1)).await;
    let epoch = format!("SELECT epoch FROM {}.epochs", settings.schema);
    assert_eq!(value(&look(&schemas.url).await, &epoch).await, "0", "none of them took it for one that was put back");
}

#[tokio::test]
#[ignore = "takes a PostgreSQL: run in the stage that installs it"]
async fn encrypted_to_a_server_with_a_certificate_for_its_name_and_to_no_other() {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["localhost".to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
    let settings = PostgresSettings {
        lines: vec!["ssl = on".to_owned()],
        files: vec![("server.crt", certificate.pem()), ("server.key", key.serialize_pem())],
        ..PostgresSettings::default()
    };
    let schemas = Schemas::start_with(settings, FakeClock::at(NOW)).await;
    let mut roots = tempfile::NamedTempFile::new().unwrap();
    std::io::Write::write_all(&mut roots, issuer.pem().as_bytes()).unwrap();
    let strangers = CertifiedIssuer::self_signed(CertificateParams::default(), KeyPair::generate().unwrap()).unwrap();
    let mut others = tempfile::NamedTempFile::new().unwrap();
    std::io::Write::write_all(&mut others, strangers.pem().as_bytes()).unwrap();
    let url = |host: &str, roots: &tempfile::NamedTempFile| {
        let query = format!("?sslmode=verify-full&sslrootcert={}", roots.path().display());
        schemas.url.replace("127.0.0.1", host) + &query
    };
    let settings = schemas.settings();
    let store = open(&url("localhost", &roots), &sealer(), &settings).await.unwrap();
    insert(&store, &member(1, 1)).await;
    let look = look(&schemas.url).await;
    let clear = "SELECT count(*) FROM pg_stat_ssl s JOIN pg_stat_activity a USING (pid) \
                 WHERE a.application_name = 'counterfoil' AND NOT s.ssl AND pid <> pg_backend_pid()";
    assert_eq!(value(&look, clear).await, "0");
    for (name, url) in [("another name", url("127.0.0.1", &roots)), ("another issuer", url("localhost", &others))] {
        let text = message(&open(&url, &sealer(), &settings).await.unwrap_err());
        assert!(text.contains("certificate"), "{name}: {text}");
    }
}
