//! A library to be preloaded: records every change a process makes to the files below one folder, in the order in which
//! the kernel made them. Linux with glibc only.
//!
//! It takes the place of libc's functions and asks the kernel itself. A way of changing a watched file that cannot be
//! recorded ends the process, loudly; one that gets past this library is found by whoever replays the recording and
//! compares. What is asked to be on the disk is recorded and not done: the recording decides what was on it.

mod data;
mod format;
mod names;
mod opened;
mod recorder;
mod refused;
mod system;
