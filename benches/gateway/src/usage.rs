//! What a process uses, as the system counts it.

use std::fs;
use std::time::Duration;

use counterfoil_benches::Failed;

/// The processor time that all threads of a process have had, to the nanosecond.
///
/// # Errors
/// If there is no such process, or the system does not tell.
pub(crate) fn cpu(process: u32) -> Result<Duration, Failed> {
    let mut nanoseconds = 0;
    for thread in fs::read_dir(format!("/proc/{process}/task"))? {
        let text = fs::read_to_string(thread?.path().join("schedstat"))?;
        let on_the_processor = text.split(' ').next().ok_or("a schedstat without words")?;
        nanoseconds += on_the_processor.parse::<u64>()?;
    }
    Ok(Duration::from_nanos(nanoseconds))
}

/// The memory that a process has resident, in KiB.
///
/// # Errors
/// As [`cpu`].
pub(crate) fn resident(process: u32) -> Result<u64, Failed> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    Ok(line.trim().trim_end_matches("kB").trim().parse()?)
}
