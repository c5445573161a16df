//! `tollgate`: the binary.
//!
//! Enters: a command line. Leaves: an exit code. Never: does the work itself.

mod args;
mod banner;
mod command;
mod place;
mod serve;
mod settings;

use std::process::ExitCode;

use clap::Parser;

/// Faster than the system's for many small allocations on few threads, and it returns memory.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match args::run(args::Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            complain(&problem);
            ExitCode::FAILURE
        }
    }
}

#[allow(clippy::print_stderr)]
fn complain(problem: &anyhow::Error) {
    eprintln!("tollgate: {problem:#}");
}
