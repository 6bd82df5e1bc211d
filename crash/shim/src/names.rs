//! What changes the names of files.

use std::path::Path;

use libc::{c_char, c_int, c_uint, mode_t, off_t};

use crate::format::Kind;
use crate::recorder::recorder;
use crate::system::{give_up, int, kernel, path};

/// Runs `call`, and records that it did something to `name` if that is watched.
fn one(kind: Kind, folder: c_int, name: *const c_char, call: impl Fn() -> c_int) -> c_int {
    let Some(recorder) = recorder() else { return call() };
    let path = path(folder, name);
    let answer = call();
    if answer == 0 && recorder.watches(&path) {
        recorder.record_name(kind, 0, 0, &path, Path::new(""));
    }
    answer
}

/// The same for something done with two names. Neither may lie outside where the other lies inside.
fn two(kind: Kind, from: (c_int, *const c_char), to: (c_int, *const c_char), call: impl Fn() -> c_int) -> c_int {
    let Some(recorder) = recorder() else { return call() };
    let (from, to) = (path(from.0, from.1), path(to.0, to.1));
    let watched = [recorder.watches(&from), recorder.watches(&to)];
    if watched == [true, false] || watched == [false, true] {
        give_up("a file went over the edge of the watched folder");
    }
    let answer = call();
    if answer == 0 && watched == [true, true] {
        recorder.record_name(kind, 0, 0, &from, &to);
    }
    answer
}

fn rename_at(from: (c_int, *const c_char), to: (c_int, *const c_char), flags: c_uint) -> c_int {
    let call = || int(kernel!(libc::SYS_renameat2, from.0, from.1, to.0, to.1, flags));
    if flags & !libc::RENAME_NOREPLACE != 0 {
        let watched = recorder().is_some_and(|recorder| recorder.watches(&path(from.0, from.1)));
        if watched {
            give_up("watched files were exchanged");
        }
    }
    two(Kind::Rename, from, to, call)
}

#[unsafe(no_mangle)]
extern "C" fn rename(from: *const c_char, to: *const c_char) -> c_int {
    rename_at((HERE, from), (HERE, to), 0)
}

#[unsafe(no_mangle)]
extern "C" fn renameat(from_in: c_int, from: *const c_char, to_in: c_int, to: *const c_char) -> c_int {
    rename_at((from_in, from), (to_in, to), 0)
}

#[unsafe(no_mangle)]
extern "C" fn renameat2(from_in: c_int, from: *const c_char, to_in: c_int, to: *const c_char, flags: c_uint) -> c_int {
    rename_at((from_in, from), (to_in, to), flags)
}

#[unsafe(no_mangle)]
extern "C" fn link(from: *const c_char, to: *const c_char) -> c_int {
    linkat(HERE, from, HERE, to, 0)
}

#[unsafe(no_mangle)]
extern "C" fn linkat(from_in: c_int, from: *const c_char, to_in: c_int, to: *const c_char, flags: c_int) -> c_int {
    two(Kind::Link, (from_in, from), (to_in, to), || int(kernel!(libc::SYS_linkat, from_in, from, to_in, to, flags)))
}

#[unsafe(no_mangle)]
extern "C" fn symlink(target: *const c_char, name: *const c_char) -> c_int {
    symlinkat(target, HERE, name)
}

#[unsafe(no_mangle)]
extern "C" fn symlinkat(target: *const c_char, folder: c_int, name: *const c_char) -> c_int {
    if recorder().is_some_and(|recorder| recorder.watches(&path(folder, name))) {
        give_up("a symbolic link was made in the watched folder");
    }
    int(kernel!(libc::SYS_symlinkat, target, folder, name))
}

#[unsafe(no_mangle)]
extern "C" fn unlink(name: *const c_char) -> c_int {
    unlinkat(HERE, name, 0)
}

#[unsafe(no_mangle)]
extern "C" fn rmdir(name: *const c_char) -> c_int {
    unlinkat(HERE, name, libc::AT_REMOVEDIR)
}

#[unsafe(no_mangle)]
extern "C" fn unlinkat(folder: c_int, name: *const c_char, flags: c_int) -> c_int {
    let kind = if flags & libc::AT_REMOVEDIR == 0 { Kind::Unlink } else { Kind::RemoveFolder };
    one(kind, folder, name, || int(kernel!(libc::SYS_unlinkat, folder, name, flags)))
}

#[unsafe(no_mangle)]
extern "C" fn mkdir(name: *const c_char, mode: mode_t) -> c_int {
    mkdirat(HERE, name, mode)
}

#[unsafe(no_mangle)]
extern "C" fn mkdirat(folder: c_int, name: *const c_char, mode: mode_t) -> c_int {
    one(Kind::MakeFolder, folder, name, || int(kernel!(libc::SYS_mkdirat, folder, name, mode)))
}

#[unsafe(no_mangle)]
extern "C" fn truncate(name: *const c_char, length: off_t) -> c_int {
    if recorder().is_some_and(|recorder| recorder.watches(&path(HERE, name))) {
        give_up("a watched file was cut by its name");
    }
    int(kernel!(libc::SYS_truncate, name, length))
}

#[unsafe(no_mangle)]
extern "C" fn truncate64(name: *const c_char, length: off_t) -> c_int {
    truncate(name, length)
}

const HERE: c_int = libc::AT_FDCWD;
