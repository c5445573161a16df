//! `tollgate`: the binary.
//!
//! Enters: a command line. Leaves: an exit code. Never: does the work itself.

mod args;
mod banner;
mod command;
mod place;
mod serve;
mod settings;
mod vault;

use std::process::ExitCode;

use command::nouns::told::Failed;

/// Faster than the system's for many small allocations on few threads, and it returns memory.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // Two-megabyte pages make a process that touches little of each look, and be, several times larger: 14 MB of 26 when idle.
    // Where the kernel does not know the request there is nothing to mend.
    let _ = rustix::thread::disable_transparent_huge_pages(true);
    match args::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            complain(&problem);
            problem.downcast_ref::<Failed>().map_or(ExitCode::FAILURE, |failed| failed.code.into())
        }
    }
}

#[allow(clippy::print_stderr)]
fn complain(problem: &anyhow::Error) {
    eprintln!("tollgate: {problem:#}");
}
