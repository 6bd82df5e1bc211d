//! A disk that is full, for real: the system refuses to let files grow.

use std::process::Command;

use counterfoil_core::rules::EndReason;
use counterfoil_core::store::{Loaded, Store, StoreError};
use futures_executor::block_on;

use super::records::{Keys, NOW, insert, load, visitor};
use crate::embedded::{EmbeddedStore, OpenError, Settings};

/// Runs one of the tests below in a process whose files may not grow beyond so many blocks of 512 bytes.
fn with_files_of(blocks: u64, test: &str) {
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" --exact --ignored --nocapture {test}");
    let ran = Command::new("sh").arg("-c").arg(script).arg(std::env::current_exe().unwrap()).output().unwrap();
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success() && said.contains("1 passed"), "{said}\n{}", String::from_utf8_lossy(&ran.stderr));
}

#[test]
fn a_disk_that_is_full_at_the_start_is_refused() {
    with_files_of(0, "embedded::tests::full::at_the_start");
}

#[test]
fn a_disk_that_fills_up_loses_nothing_that_was_answered() {
    with_files_of(130 * 1_024, "embedded::tests::full::in_the_middle");
}

#[test]
#[ignore = "run by the test above, in a process of its own"]
fn at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let error = EmbeddedStore::open(folder.path(), Keys::new().sealer(), Settings::default()).unwrap_err();
    match error {
        OpenError::Folder { source, .. } => assert_eq!(source.kind(), std::io::ErrorKind::FileTooLarge),
        OpenError::Disk { disk, .. } => assert!(disk.is_full(), "{disk:?}"),
        other => panic!("{other}"),
    }
    assert!(!folder.path().join("COUNTERFOIL").exists());
}

#[test]
#[ignore = "run by the test above, in a process of its own"]
fn in_the_middle() {
    let (keys, folder) = (Keys::new(), tempfile::tempdir().unwrap());
    // What is written stays in the journal until that may not grow any more.
    let settings = Settings { write_buffer_bytes: 1_024 * 1_024 * 1_024, ..Settings::default() };
    let store = EmbeddedStore::open(folder.path(), keys.sealer(), settings).unwrap();
    let ended = visitor(250);
    insert(&store, &ended);
    block_on(Store::end(&store, ended.id, None, EndReason::SignOut, NOW)).unwrap();
    let mut answered = 0;
    let refused = loop {
        match block_on(Store::insert(&store, numbered(answered), None, NOW)) {
            Ok(_) => answered += 1,
            Err(error) => break error,
        }
        assert!(answered < 10_000, "files do not stop growing");
    };
    let StoreError::Unavailable(cause) = refused else { panic!("{refused}") };
    assert!(cause.to_string().contains("no space is left"), "{cause}");
    drop(store);
    // Nothing was freed, so the start may be refused as well; what it answers is what was answered before.
    match EmbeddedStore::open(folder.path(), keys.sealer(), settings) {
        Ok(store) => {
            for number in 0..answered {
                assert!(matches!(load(&store, numbered(number).id), Loaded::Live(_)), "{number} of {answered}");
            }
            assert!(matches!(load(&store, ended.id), Loaded::Ended(EndReason::SignOut)));
            println!("opened with all {answered}");
        }
        Err(OpenError::Disk { disk, .. }) => assert!(disk.is_full(), "{disk:?}"),
        Err(other) => panic!("{other}"),
    }
}

fn numbered(number: u64) -> counterfoil_core::Record {
    let mut id = [7; 18];
    id[..8].copy_from_slice(&number.to_be_bytes());
    let data = counterfoil_core::data::Payload::from_bytes(&vec![7; 200_000]);
    counterfoil_core::Record { id: counterfoil_core::SessionId::from_bytes(id), data, ..visitor(7) }
}
