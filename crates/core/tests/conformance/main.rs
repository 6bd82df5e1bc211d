//! The conformance suite against the memory store, and against stores that are broken on purpose.

mod support;

use counterfoil_core::MemoryStore;

use self::support::suite;

#[test]
fn the_memory_store_keeps_the_contract() -> std::io::Result<()> {
    let report = suite(&MemoryStore::new)?;
    println!("{report}");
    report.assert();
    Ok(())
}
