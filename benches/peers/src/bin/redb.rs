//! The writes of `benches/durable.rs` into redb, each batch durable at once.

use std::process::ExitCode;

use counterfoil_peers::Failed;
use counterfoil_peers::waiting::{Engine, KeyBytes, contend};
use redb::{Database, Durability, TableDefinition};

fn main() -> ExitCode {
    contend(std::env::args().skip(1), |folder| {
        std::fs::create_dir_all(folder)?;
        Ok(Redb(Database::create(folder.join("sessions.redb"))?))
    })
}

struct Redb(Database);

impl Engine for Redb {
    fn write(&mut self, writes: &[(KeyBytes, Vec<u8>)]) -> Result<(), Failed> {
        let mut transaction = self.0.begin_write()?;
        transaction.set_durability(Durability::Immediate)?;
        {
            let mut sessions = transaction.open_table(SESSIONS)?;
            for (key, value) in writes {
                sessions.insert(key.as_slice(), value.as_slice())?;
            }
        }
        Ok(transaction.commit()?)
    }
}

const SESSIONS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("sessions");
