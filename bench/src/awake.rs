//! Keeps a core from sleeping while nothing runs on it.
//!
//! Enters: nothing. Leaves: nothing. Never: takes a turn from anybody (it is to be started with the lowest priority), or outlives the bench.
//!
//! Waking a sleeping core is charged to who wakes it, and on a virtual machine costs more than the write that did it. How often that happens depends on
//! how long the mock and the clients have nothing to do, hence on how fast the measured process is: it would be measured by what it does to its neighbours.

use std::hint::spin_loop;

use nix::unistd::getppid;

/// Some milliseconds.
const TURNS: u32 = 1 << 20;

pub fn run() {
    let parent = getppid();
    while getppid() == parent {
        (0..TURNS).for_each(|_| spin_loop());
    }
}
