//! The chores of this repository, started with `cargo xtask NAME`.
//!
//! Enters: a name and its arguments. Leaves: an exit status that a script can trust.
//! Never: is part of the gateway; nothing here ships.

// A chore talks to the person who started it.
#![allow(clippy::print_stderr)]

mod applies;
mod budgets;
mod chaos;
mod credits;
mod gateway;
mod prices;
mod replay;
mod tidy;

use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask NAME

  applies [COUNT] change the configuration under load, half of the changes wrong; nothing may fail; --goals: a change must be there within 50 ms
  budgets [KILLS] draw on budgets with many callers at once, and while the gateway is killed; none may be overrun, lost or doubled
  credits [KILLS] draw on credits while the gateway is killed; what was drawn must be what was logged
  chaos [ROUNDS] kill a loaded gateway again and again; nothing delivered may be missing from its log
  tidy           check the invariants of this repository that a program can check
  prices FILE..  rewrite catalog/models from public price lists
  replay DIR     send recorded exchanges through a gateway; bytes and counts must be those of the recording";

fn main() -> anyhow::Result<ExitCode> {
    let mut arguments = std::env::args().skip(1);
    match arguments.next().as_deref() {
        Some("tidy") => tidy::run(),
        Some("applies") => applies::run(arguments).map(|()| ExitCode::SUCCESS),
        Some("budgets") => budgets::run(arguments).map(|()| ExitCode::SUCCESS),
        Some("credits") => credits::run(arguments).map(|()| ExitCode::SUCCESS),
        Some("chaos") => chaos::run(arguments).map(|()| ExitCode::SUCCESS),
        Some("prices") => prices::run(arguments).map(|()| ExitCode::SUCCESS),
        Some("replay") => replay::run(arguments),
        _ => {
            eprintln!("{USAGE}");
            Ok(ExitCode::from(2))
        }
    }
}
