//! The bench: a mock provider, a minimal proxy to compare with, load and streaming clients, and the run that uses them all.
//!
//! Enters: a command line. Leaves: a Markdown table and a JSON file, or one client's report. Never: depends on the gateway's
//! code; it measures the binary from outside, as anyone could.

#![allow(unreachable_pub, reason = "a program: what is not reached from here is dead, and the compiler says so")]

mod awake;
mod caller;
mod corpus;
mod figures;
mod load;
mod mock;
mod process;
mod proxy;
mod run;
mod stream;

use clap::{Parser, Subcommand};

/// The allocator of the gateway too, so that the comparison is between programs.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Parser)]
#[command(name = "tollgate-bench", version, about = "Measures the gateway against nginx and a minimal hyper proxy")]
#[command(args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    /// The flags of `run`, which is the default.
    #[command(flatten)]
    run: run::Options,
}

#[derive(Subcommand)]
enum Command {
    /// Measure everything and print a table (the default)
    Run(run::Options),
    /// Serve canned chat completions, whole or streamed
    Mock(mock::Options),
    /// Forward everything untouched: the reference the gateway is divided by
    Proxy(proxy::Options),
    /// Ask for whole answers, as fast as they come or at a fixed rate
    Load(load::Options),
    /// Ask for streamed answers; measure the first byte and the gaps
    Stream(stream::Options),
    /// Keep the core it is started on from sleeping; `run` starts it
    #[command(hide = true)]
    Awake,
}

fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    match cli.command.unwrap_or(Command::Run(cli.run)) {
        Command::Run(options) => run::run(options),
        Command::Mock(options) => mock::run(&options),
        Command::Proxy(options) => proxy::run(&options),
        Command::Load(options) => load::run(options),
        Command::Stream(options) => stream::run(options),
        Command::Awake => {
            awake::run();
            Ok(())
        }
    }
}
