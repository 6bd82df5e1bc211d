//! Does one piece of work a number of times and nothing else, for callgrind to count its instructions.

use std::process::ExitCode;

use counterfoil_benches::pieces;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let (Some(name), Some(Ok(times))) = (arguments.next(), arguments.next().map(|times| times.parse::<u64>())) else {
        eprintln!("usage: instructions PIECE TIMES");
        return ExitCode::from(2);
    };
    // A runtime is there as in a server, but nothing waits for it.
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
        return ExitCode::FAILURE;
    };
    let _inside = runtime.enter();
    match pieces::all().map(|pieces| pieces.into_iter().find(|piece| piece.name == name)) {
        Ok(Some(mut piece)) => {
            (0..times).for_each(|_| (piece.work)());
            ExitCode::SUCCESS
        }
        Ok(None) => {
            eprintln!("instructions: no piece is called {name}");
            ExitCode::from(2)
        }
        Err(error) => {
            eprintln!("instructions: {error}");
            ExitCode::FAILURE
        }
    }
}
