//! What is done in the background, once for all sites: what is over is forgotten, and the key file and the store's clock
//! are followed.

use std::time::Duration;

use counterfoil::keys::{KeyFile, KeyState, NotExchanged};
use counterfoil::{Clock as _, Counterfoil, FileKeys, SystemClock};
use tokio::time::{Instant, sleep};

use crate::gateway::Gateway;

/// Goes on until it is aborted.
pub(super) async fn keep(gateway: Gateway, keys: Option<FileKeys>) {
    tokio::join!(forget(&gateway), follow(&gateway, keys), keep_time(&gateway));
}

async fn keep_time(gateway: &Gateway) {
    if let Some(time) = gateway.time() {
        time.keep().await;
    }
}

async fn forget(gateway: &Gateway) {
    loop {
        // Taken anew each round: a reload may have exchanged them. Any will do, for they share the store.
        let site = gateway.sites().iter().next().map(|site| site.sessions.clone());
        let rest = match site {
            Some(sessions) => sessions.tidy().await,
            None => KEYS_EVERY,
        };
        sleep(rest).await;
    }
}

/// Reads the key file again and again, so that `counterfoil keys rotate` needs no restart.
async fn follow(gateway: &Gateway, keys: Option<FileKeys>) {
    let Some(keys) = keys else { return };
    let mut told = None;
    let mut next = Instant::now();
    loop {
        let (keys, for_longest) = (keys.clone(), longest_lived(gateway));
        let looked = tokio::task::spawn_blocking(move || look(&keys, for_longest.as_ref())).await;
        let (age, error) = match looked {
            Ok(Ok(age)) => (age, None),
            Ok(Err(error)) => (None, Some(error)),
            Err(_) => (None, None),
        };
        gateway.meters().keys_followed(error.is_none());
        if let Some(age) = age {
            gateway.meters().signing_key_age(age);
        }
        // What went wrong is told once, not at every look.
        if let Some(error) = error.as_ref().filter(|error| told.as_ref() != Some(*error)) {
            tracing::error!(rule = "keys", %error, "the keys could not be read again; those in use are kept");
        }
        told = error;
        next += KEYS_EVERY;
        tokio::time::sleep_until(next).await;
    }
}

/// Exchanges the keys, and says how old the one is that signs.
fn look(keys: &FileKeys, sessions: Option<&Counterfoil>) -> Result<Option<Duration>, NotExchanged> {
    if let Some(sessions) = sessions {
        sessions.exchange_keys(keys)?;
    }
    Ok(signing_age(&keys.read()?))
}

fn signing_age(file: &KeyFile) -> Option<Duration> {
    let now = SystemClock.now();
    let signs = file.entries().find(|key| file.state(key, now) == KeyState::Signs)?;
    Some(now.since(signs.created))
}

/// The site whose sessions last longest: keys that suit it suit all.
fn longest_lived(gateway: &Gateway) -> Option<Counterfoil> {
    let sites = gateway.sites();
    let last = |sessions: &Counterfoil| {
        let limits = sessions.engine().policy().limits();
        limits.absolute.max(limits.remember_for.unwrap_or_default())
    };
    sites.iter().map(|site| &site.sessions).max_by_key(|sessions| last(sessions)).cloned()
}

/// As often as the demo looks: a rotation is seen while somebody watches.
const KEYS_EVERY: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use counterfoil::{MemoryStore, SystemEntropy};
    use counterfoil_core::keys::SharedRing;

    use super::*;
    use crate::testing::app;

    #[test]
    fn a_rotated_key_signs_for_all_sites_and_a_file_that_is_of_no_use_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let keys = FileKeys::at(folder.path().join("keys"));
        let begun = Duration::from_hours(24);
        let long_ago = counterfoil::Moment::from_unix_millis(SystemClock.now().unix_millis() - 86_400_000);
        keys.create(&KeyFile::generate(long_ago, KeyFile::SESSIONS_LAST, &SystemEntropy).unwrap()).unwrap();
        let ring = SharedRing::from_source(&keys).unwrap();
        let gateway = Gateway::new(&[app("wiki"), app("shop")], ring, Arc::new(MemoryStore::new())).unwrap();
        let signs =
            || gateway.sites().iter().map(|site| site.sessions.engine().ring().load().signing_id()).collect::<Vec<_>>();
        let first = signs();
        let sessions = longest_lived(&gateway);
        assert!(look(&keys, sessions.as_ref()).unwrap().unwrap() >= begun);
        assert_eq!(signs(), first);

        let rotate = |file: &mut KeyFile| {
            file.rotate(SystemClock.now(), Duration::ZERO, &SystemEntropy).map_err(|error| panic!("{error}"))
        };
        let new = keys.change::<_, counterfoil::KeyError>(rotate).unwrap();
        assert!(look(&keys, sessions.as_ref()).unwrap().unwrap() < begun);
        assert_eq!(signs(), [new.id, new.id]);

        std::fs::write(keys.path(), "counterfoil-keys 1\nnot a line of it\n").unwrap();
        assert!(matches!(look(&keys, sessions.as_ref()), Err(NotExchanged::Keys(_))));
        assert_eq!(signs(), [new.id, new.id]);
    }
}
