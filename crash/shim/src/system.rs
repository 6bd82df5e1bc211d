//! The kernel, asked without libc's functions, whose place this library takes.

use std::ffi::{CStr, OsStr};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Component, Path, PathBuf};

use libc::{c_char, c_int, c_long, ssize_t};

/// Asks the kernel. `errno` is set as libc does it.
macro_rules! kernel {
    ($number:expr $(, $argument:expr)*) => {
        // SAFETY: the arguments are those the caller of the libc function gave, or pointers into values that live here.
        unsafe { libc::syscall($number $(, $argument)*) }
    };
}
pub(crate) use kernel;

/// What the kernel answered, as a C function's result.
#[expect(clippy::cast_possible_truncation, reason = "file descriptors and 0 or -1 only")]
pub(crate) const fn int(answer: c_long) -> c_int {
    answer as c_int
}

/// What the kernel answered, as a count of bytes.
#[expect(clippy::cast_possible_truncation, reason = "both are as wide as the machine's words")]
pub(crate) const fn size(answer: c_long) -> ssize_t {
    answer as ssize_t
}

/// A C string's path, absolute, `.` taken out. The files need not be there.
pub(crate) fn path(folder: c_int, name: *const c_char) -> PathBuf {
    if name.is_null() {
        return PathBuf::new();
    }
    // SAFETY: the caller of the libc function promised a string with an end.
    let name = Path::new(OsStr::from_bytes(unsafe { CStr::from_ptr(name) }.to_bytes()));
    let base = match (name.is_absolute(), folder) {
        (true, _) => PathBuf::new(),
        (false, libc::AT_FDCWD) => link("/proc/self/cwd"),
        (false, folder) => link(&format!("/proc/self/fd/{folder}")),
    };
    base.join(name).components().filter(|part| *part != Component::CurDir).collect()
}

/// Where a symbolic link leads.
fn link(name: &str) -> PathBuf {
    let (name, mut found) = (format!("{name}\0"), [0_u8; 4_096]);
    let length = kernel!(libc::SYS_readlinkat, libc::AT_FDCWD, name.as_ptr(), found.as_mut_ptr(), found.len());
    let found = usize::try_from(length).ok().and_then(|length| found.get(..length));
    PathBuf::from(OsStr::from_bytes(found.unwrap_or_default()))
}

/// Where the next byte of a file goes.
pub(crate) fn position(file: c_int) -> u64 {
    u64::try_from(kernel!(libc::SYS_lseek, file, 0, libc::SEEK_CUR)).unwrap_or_default()
}

/// Writes all of it, to a file that takes it.
pub(crate) fn write_all(file: c_int, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        let written = kernel!(libc::SYS_write, file, bytes.as_ptr(), bytes.len());
        match usize::try_from(written).ok().and_then(|written| bytes.get(written..)) {
            Some(rest) => bytes = rest,
            None => give_up("the recording cannot be written"),
        }
    }
}

/// Ends the process: a recording with a hole is worse than none.
pub(crate) fn give_up(why: &str) -> ! {
    let text = format!("crash shim: {why}\n");
    kernel!(libc::SYS_write, 2, text.as_ptr(), text.len());
    // SAFETY: it does not return, and needs nothing.
    unsafe { libc::abort() }
}
