//! Criterion over the pieces of a request: how long each takes.

use counterfoil_benches::{Failed, pieces};
use criterion::Criterion;

fn main() -> Result<(), Failed> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let _inside = runtime.enter();
    let mut criterion = Criterion::default().configure_from_args();
    for mut piece in pieces::all()? {
        criterion.bench_function(piece.name, |bencher| bencher.iter(&mut piece.work));
    }
    criterion.final_summary();
    Ok(())
}
