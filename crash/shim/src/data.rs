//! What changes the bytes of files, and what asks for them to be on the disk.

use libc::{c_int, c_uint, c_void, iovec, off_t, size_t, ssize_t};

use crate::format::Kind;
use crate::recorder::{Opened, Place, Recorder, either, recorder};
use crate::system::{give_up, int, kernel, position, size};

/// Records `written` bytes of `bytes`, wherever they went.
fn note(recorder: &Recorder, opened: Opened, file: c_int, at: Option<off_t>, bytes: &[u8], written: ssize_t) {
    let Some(bytes) = usize::try_from(written).ok().and_then(|written| bytes.get(..written)) else { return };
    if at.is_some() && opened.appends {
        give_up("an offset was named for a file that appends");
    }
    let at = at.map_or_else(|| position(file).saturating_sub(bytes.len() as u64), off_t::cast_unsigned);
    match opened.place {
        Place::Watched => recorder.record(Kind::Write, opened.handle, at, bytes),
        Place::Notes => recorder.record(Kind::Note, opened.handle, at, bytes),
    }
}

/// The bytes of a caller's buffer.
const fn bytes<'a>(from: *const c_void, length: size_t) -> &'a [u8] {
    if from.is_null() {
        return &[];
    }
    // SAFETY: the caller of the libc function promised so many bytes, for as long as the call takes.
    unsafe { std::slice::from_raw_parts(from.cast(), length) }
}

/// The bytes of several buffers, one after the other.
fn gathered(parts: *const iovec, count: c_int) -> Vec<u8> {
    // SAFETY: the caller of the libc function promised so many parts, for as long as the call takes.
    let parts = unsafe { std::slice::from_raw_parts(parts, usize::try_from(count).unwrap_or_default()) };
    parts.iter().flat_map(|part| bytes(part.iov_base, part.iov_len)).copied().collect()
}

#[unsafe(no_mangle)]
extern "C" fn write(file: c_int, from: *const c_void, length: size_t) -> ssize_t {
    let call = || size(kernel!(libc::SYS_write, file, from, length));
    either(file, call, |recorder, opened| {
        let written = call();
        note(recorder, opened, file, None, bytes(from, length), written);
        written
    })
}

#[unsafe(no_mangle)]
extern "C" fn pwrite(file: c_int, from: *const c_void, length: size_t, at: off_t) -> ssize_t {
    let call = || size(kernel!(libc::SYS_pwrite64, file, from, length, at));
    either(file, call, |recorder, opened| {
        let written = call();
        note(recorder, opened, file, Some(at), bytes(from, length), written);
        written
    })
}

#[unsafe(no_mangle)]
extern "C" fn pwrite64(file: c_int, from: *const c_void, length: size_t, at: off_t) -> ssize_t {
    pwrite(file, from, length, at)
}

#[unsafe(no_mangle)]
extern "C" fn writev(file: c_int, parts: *const iovec, count: c_int) -> ssize_t {
    let call = || size(kernel!(libc::SYS_writev, file, parts, count));
    either(file, call, |recorder, opened| {
        let written = call();
        note(recorder, opened, file, None, &gathered(parts, count), written);
        written
    })
}

#[unsafe(no_mangle)]
extern "C" fn pwritev(file: c_int, parts: *const iovec, count: c_int, at: off_t) -> ssize_t {
    either(
        file,
        || size(kernel!(libc::SYS_pwritev, file, parts, count, at, 0)),
        |_, _| give_up("`pwritev` to a watched file"),
    )
}

#[unsafe(no_mangle)]
extern "C" fn pwritev64(file: c_int, parts: *const iovec, count: c_int, at: off_t) -> ssize_t {
    pwritev(file, parts, count, at)
}

#[unsafe(no_mangle)]
extern "C" fn pwritev2(file: c_int, parts: *const iovec, count: c_int, at: off_t, flags: c_int) -> ssize_t {
    either(
        file,
        || size(kernel!(libc::SYS_pwritev2, file, parts, count, at, 0, flags)),
        |_, _| give_up("`pwritev2` to a watched file"),
    )
}

#[unsafe(no_mangle)]
extern "C" fn ftruncate(file: c_int, length: off_t) -> c_int {
    let call = || int(kernel!(libc::SYS_ftruncate, file, length));
    either(file, call, |recorder, opened| {
        let answer = call();
        if answer == 0 && opened.place == Place::Watched {
            recorder.record(Kind::Length, opened.handle, length.cast_unsigned(), b"");
        }
        answer
    })
}

#[unsafe(no_mangle)]
extern "C" fn ftruncate64(file: c_int, length: off_t) -> c_int {
    ftruncate(file, length)
}

/// Recorded, and not done: what is on the disk after a cut is for the recording to say. It takes a while all the same, so
/// that whoever does not wait for it is ahead of it.
#[unsafe(no_mangle)]
extern "C" fn fsync(file: c_int) -> c_int {
    let Some((handle, number)) = recorder().and_then(|mut recorder| recorder.sync_asked(file)) else {
        return int(kernel!(libc::SYS_fsync, file));
    };
    kernel!(libc::SYS_nanosleep, &raw const A_WHILE, std::ptr::null_mut::<libc::timespec>());
    if let Some(recorder) = recorder() {
        recorder.record(Kind::Synced, handle, number, b"");
    }
    0
}

#[unsafe(no_mangle)]
extern "C" fn fdatasync(file: c_int) -> c_int {
    fsync(file)
}

/// Promises nothing about the disk (`sync_file_range(2)`), so it is no record either.
#[unsafe(no_mangle)]
extern "C" fn sync_file_range(file: c_int, at: off_t, length: off_t, flags: c_uint) -> c_int {
    int(kernel!(libc::SYS_sync_file_range, file, at, length, flags))
}

/// As long as a fast disk takes.
static A_WHILE: libc::timespec = libc::timespec { tv_sec: 0, tv_nsec: 200_000 };
