//! The writes of `benches/durable.rs` into SQLite: a write-ahead log that every commit has on the disk.

use std::process::ExitCode;

use counterfoil_peers::Failed;
use counterfoil_peers::waiting::{Engine, KeyBytes, contend};
use rusqlite::Connection;

fn main() -> ExitCode {
    contend(std::env::args().skip(1), |folder| {
        std::fs::create_dir_all(folder)?;
        let connection = Connection::open(folder.join("sessions.sqlite"))?;
        connection.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
             CREATE TABLE sessions (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;",
        )?;
        Ok(Sqlite(connection))
    })
}

struct Sqlite(Connection);

impl Engine for Sqlite {
    fn write(&mut self, writes: &[(KeyBytes, Vec<u8>)]) -> Result<(), Failed> {
        let transaction = self.0.transaction()?;
        {
            let mut put = transaction.prepare_cached("INSERT OR REPLACE INTO sessions (key, value) VALUES (?1, ?2)")?;
            for (key, value) in writes {
                put.execute((key.as_slice(), value.as_slice()))?;
            }
        }
        Ok(transaction.commit()?)
    }
}
