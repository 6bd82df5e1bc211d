//! Ways of changing a watched file that are not recorded: refused where the caller then does it in another way, and else
//! the end of the process.

use libc::{c_int, c_uint, c_void, off_t, size_t, ssize_t};

use crate::recorder::{either, recorder};
use crate::system::{give_up, int, kernel, size};

/// Not for watched files: callers fall back to writing.
#[unsafe(no_mangle)]
extern "C" fn fallocate(file: c_int, mode: c_int, at: off_t, length: off_t) -> c_int {
    either(file, || int(kernel!(libc::SYS_fallocate, file, mode, at, length)), |_, _| refuse(libc::EOPNOTSUPP))
}

#[unsafe(no_mangle)]
extern "C" fn fallocate64(file: c_int, mode: c_int, at: off_t, length: off_t) -> c_int {
    fallocate(file, mode, at, length)
}

#[unsafe(no_mangle)]
extern "C" fn posix_fallocate(file: c_int, at: off_t, length: off_t) -> c_int {
    let failed = || if kernel!(libc::SYS_fallocate, file, 0, at, length) == 0 { 0 } else { libc::EIO };
    either(file, failed, |_, _| libc::EOPNOTSUPP)
}

#[unsafe(no_mangle)]
extern "C" fn posix_fallocate64(file: c_int, at: off_t, length: off_t) -> c_int {
    posix_fallocate(file, at, length)
}

#[unsafe(no_mangle)]
extern "C" fn copy_file_range(
    from: c_int,
    from_at: *mut off_t,
    file: c_int,
    at: *mut off_t,
    length: size_t,
    flags: c_uint,
) -> ssize_t {
    either(
        file,
        || size(kernel!(libc::SYS_copy_file_range, from, from_at, file, at, length, flags)),
        |_, _| refuse(libc::ENOSYS) as ssize_t,
    )
}

#[unsafe(no_mangle)]
extern "C" fn sendfile(file: c_int, from: c_int, at: *mut off_t, length: size_t) -> ssize_t {
    either(file, || size(kernel!(libc::SYS_sendfile, file, from, at, length)), |_, _| refuse(libc::EINVAL) as ssize_t)
}

#[unsafe(no_mangle)]
extern "C" fn sendfile64(file: c_int, from: c_int, at: *mut off_t, length: size_t) -> ssize_t {
    sendfile(file, from, at, length)
}

#[unsafe(no_mangle)]
extern "C" fn splice(
    from: c_int,
    from_at: *mut off_t,
    file: c_int,
    at: *mut off_t,
    length: size_t,
    flags: c_uint,
) -> ssize_t {
    either(
        file,
        || size(kernel!(libc::SYS_splice, from, from_at, file, at, length, flags)),
        |_, _| refuse(libc::EINVAL) as ssize_t,
    )
}

/// A file that is changed by storing to memory cannot be recorded.
#[unsafe(no_mangle)]
extern "C" fn mmap(
    near: *mut c_void,
    length: size_t,
    access: c_int,
    flags: c_int,
    file: c_int,
    at: off_t,
) -> *mut c_void {
    let shared = flags & libc::MAP_SHARED != 0 && access & libc::PROT_WRITE != 0;
    if shared && file >= 0 && recorder().is_some_and(|recorder| recorder.opened(file).is_some()) {
        give_up("a watched file was mapped to be written");
    }
    let at = size(kernel!(libc::SYS_mmap, near, length, access, flags, file, at));
    std::ptr::with_exposed_provenance_mut(at.cast_unsigned())
}

#[unsafe(no_mangle)]
extern "C" fn mmap64(
    near: *mut c_void,
    length: size_t,
    access: c_int,
    flags: c_int,
    file: c_int,
    at: off_t,
) -> *mut c_void {
    mmap(near, length, access, flags, file, at)
}

/// Says no, as the kernel would.
fn refuse(error: c_int) -> c_int {
    // SAFETY: `errno` of this thread is always there.
    unsafe { *libc::__errno_location() = error };
    -1
}
