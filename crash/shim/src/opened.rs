//! Opening, copying and closing descriptors.
//!
//! `open` and `fcntl` take a variable number of arguments in C. Here they take the most there can be: on x86-64 and
//! aarch64 an argument that was not given is a register that nobody reads.

use std::path::Path;

use libc::{c_char, c_int, c_uint, c_ulong, mode_t};

use crate::format::Kind;
use crate::recorder::{Place, recorder};
use crate::system::{give_up, int, kernel, path};

/// Opens a file, watched or not.
fn open_at(folder: c_int, name: *const c_char, flags: c_int, mode: mode_t) -> c_int {
    let open = || int(kernel!(libc::SYS_openat, folder, name, flags, mode));
    let Some(mut recorder) = recorder() else { return open() };
    let path = path(folder, name);
    let Some(place) = recorder.place(&path) else { return open() };
    if flags & libc::O_TMPFILE == libc::O_TMPFILE {
        give_up("a watched file without a name was made");
    }
    let file = open();
    if file < 0 {
        return file;
    }
    let handle = recorder.remember(file, place, flags & libc::O_APPEND != 0);
    if place == Place::Watched {
        let writes = flags & libc::O_ACCMODE != libc::O_RDONLY;
        let emptied = u64::from(writes && flags & libc::O_TRUNC != 0);
        recorder.record_name(Kind::Open, handle, emptied, &path, Path::new(""));
    }
    file
}

#[unsafe(no_mangle)]
extern "C" fn open(name: *const c_char, flags: c_int, mode: mode_t) -> c_int {
    open_at(libc::AT_FDCWD, name, flags, mode)
}

#[unsafe(no_mangle)]
extern "C" fn open64(name: *const c_char, flags: c_int, mode: mode_t) -> c_int {
    open_at(libc::AT_FDCWD, name, flags, mode)
}

#[unsafe(no_mangle)]
extern "C" fn openat(folder: c_int, name: *const c_char, flags: c_int, mode: mode_t) -> c_int {
    open_at(folder, name, flags, mode)
}

#[unsafe(no_mangle)]
extern "C" fn openat64(folder: c_int, name: *const c_char, flags: c_int, mode: mode_t) -> c_int {
    open_at(folder, name, flags, mode)
}

#[unsafe(no_mangle)]
extern "C" fn creat(name: *const c_char, mode: mode_t) -> c_int {
    open_at(libc::AT_FDCWD, name, libc::O_CREAT | libc::O_WRONLY | libc::O_TRUNC, mode)
}

#[unsafe(no_mangle)]
extern "C" fn creat64(name: *const c_char, mode: mode_t) -> c_int {
    creat(name, mode)
}

#[unsafe(no_mangle)]
extern "C" fn close(file: c_int) -> c_int {
    // Held until the number may be given to another file.
    let mut recorder = recorder();
    if let Some(recorder) = &mut recorder {
        recorder.closed(file);
    }
    int(kernel!(libc::SYS_close, file))
}

#[unsafe(no_mangle)]
extern "C" fn dup(file: c_int) -> c_int {
    copy(file, || int(kernel!(libc::SYS_dup, file)))
}

#[unsafe(no_mangle)]
extern "C" fn dup2(file: c_int, to: c_int) -> c_int {
    if file == to {
        let is_open = kernel!(libc::SYS_fcntl, file, libc::F_GETFD) >= 0;
        return if is_open { file } else { -1 };
    }
    copy(file, || int(kernel!(libc::SYS_dup3, file, to, 0)))
}

#[unsafe(no_mangle)]
extern "C" fn dup3(file: c_int, to: c_int, flags: c_int) -> c_int {
    copy(file, || int(kernel!(libc::SYS_dup3, file, to, flags)))
}

#[unsafe(no_mangle)]
extern "C" fn fcntl(file: c_int, command: c_int, argument: c_ulong) -> c_int {
    let call = || int(kernel!(libc::SYS_fcntl, file, command, argument));
    match command {
        libc::F_DUPFD | libc::F_DUPFD_CLOEXEC => copy(file, call),
        _ => call(),
    }
}

#[unsafe(no_mangle)]
extern "C" fn fcntl64(file: c_int, command: c_int, argument: c_ulong) -> c_int {
    fcntl(file, command, argument)
}

#[unsafe(no_mangle)]
extern "C" fn close_range(first: c_uint, last: c_uint, flags: c_int) -> c_int {
    let watched = recorder().is_some_and(|recorder| recorder.has_in(first, last));
    if watched {
        give_up("watched files were closed by the dozen");
    }
    int(kernel!(libc::SYS_close_range, first, last, flags))
}

fn copy(file: c_int, call: impl Fn() -> c_int) -> c_int {
    let Some(mut recorder) = recorder() else { return call() };
    let copied = call();
    if copied >= 0 {
        recorder.copied(file, copied);
    }
    copied
}
