//! Things that are not done here, and what is done instead.
//!
//! Enters: Rust files without comments and strings. Leaves: the places where a banned thing stands.
//! Never: looks into tests unless the table says so: a test may wait, print and connect.

use super::Finding;
use super::rust::{Code, line_of, places};
use super::tree::{File, Tree};

struct Ban {
    /// As written in code.
    text: &'static str,
    /// Below which folders it is banned,
    inside: &'static [&'static str],
    /// and below which of those it is not.
    except: &'static [&'static str],
    tests_too: bool,
    instead: &'static str,
}

const CRATES: &[&str] = &["crates/"];
const ALL: &[&str] = &["crates/", "xtask/", "bench/"];
const PURE: &[&str] = &["crates/model/src/", "crates/wire/src/", "crates/rules/src/"];
const CLOCK: &[&str] = &["crates/model/src/clock.rs"];
const COMMAND_LINE: &[&str] = &["crates/app/"];
const DIAL: &[&str] = &["crates/dial/src/"];

const USE_CLOCK: &str = "ask the `Clock` that was handed in, so that a test can move it";
const USE_DIAL: &str = "only the dial room opens a connection out: it knows deadlines and allowed addresses";
const USE_TRACING: &str = "use `tracing`: only the command line speaks to the terminal";
const STAY_PURE: &str = "this room is pure: let a room above do it and hand in the value";

const fn ban(text: &'static str, inside: &'static [&'static str], instead: &'static str) -> Ban {
    Ban { text, inside, except: &[], tests_too: false, instead }
}

const BANS: &[Ban] = &[
    Ban { except: CLOCK, ..ban("SystemTime::now", CRATES, USE_CLOCK) },
    Ban { except: CLOCK, ..ban("std::time::Instant", CRATES, USE_CLOCK) },
    ban("unbounded_channel", CRATES, "give the queue a bound and say what happens when it is full"),
    Ban { except: COMMAND_LINE, ..ban("process::Command", CRATES, "the gateway starts no other program") },
    Ban { except: COMMAND_LINE, ..ban("println!", CRATES, USE_TRACING) },
    Ban { except: COMMAND_LINE, ..ban("eprintln!", CRATES, USE_TRACING) },
    Ban { except: COMMAND_LINE, ..ban("print!", CRATES, USE_TRACING) },
    Ban { except: COMMAND_LINE, ..ban("eprint!", CRATES, USE_TRACING) },
    Ban { except: DIAL, ..ban("TcpStream::connect", CRATES, USE_DIAL) },
    Ban { except: DIAL, ..ban("UnixStream::connect", CRATES, USE_DIAL) },
    Ban { except: DIAL, ..ban("TcpSocket::new", CRATES, USE_DIAL) },
    Ban { except: DIAL, ..ban("HttpConnector", CRATES, USE_DIAL) },
    Ban { except: DIAL, ..ban("TlsConnector", CRATES, USE_DIAL) },
    Ban { except: DIAL, ..ban("lookup_host", CRATES, USE_DIAL) },
    ban("std::fs", PURE, STAY_PURE),
    ban("std::net::Tcp", PURE, STAY_PURE),
    ban("std::thread", PURE, STAY_PURE),
    ban("Mutex<", PURE, STAY_PURE),
    ban("RwLock<", PURE, STAY_PURE),
    ban("async fn", PURE, STAY_PURE),
    Ban {
        tests_too: true,
        ..ban("#[ignore", ALL, "make the test pass or delete it: nobody reads a test that does not run")
    },
    Ban { tests_too: true, ..ban("todo!", ALL, "write it, or leave it out") },
    Ban { tests_too: true, ..ban("unimplemented!", ALL, "write it, or leave it out") },
    Ban { tests_too: true, ..ban("use crate::*", ALL, "imports are the windows of a file: name what you use") },
];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    tree.rust().flat_map(|(file, code)| in_file(file, code)).collect()
}

fn in_file(file: &File, code: &Code) -> Vec<Finding> {
    let mut findings = Vec::new();
    for ban in BANS.iter().filter(|ban| file.is_below(ban.inside) && !file.is_below(ban.except)) {
        let text = if ban.tests_too { &code.bare } else { &code.shipped };
        let finding =
            |at| Finding::at(&file.path, line_of(text, at), format!("`{}` is not used here", ban.text), ban.instead);
        findings.extend(places(text, ban.text).into_iter().map(finding));
    }
    if !file.is_below(CLOCK) && file.is_below(CRATES) {
        findings.extend(imported_instant(file, &code.shipped));
    }
    if file.path.ends_with("/mod.rs") {
        findings.push(Finding::in_file(
            &file.path,
            "`mod.rs` says nothing in a list of open files",
            "call it `foo.rs`, beside `foo/`",
        ));
    }
    findings
}

/// `use std::time::{Duration, Instant}`; tokio's `Instant` is welcome, for a test can pause it.
fn imported_instant(file: &File, shipped: &str) -> Vec<Finding> {
    let lists = places(shipped, "std::time::{").into_iter();
    let named = lists.filter(|at| {
        let list = shipped[*at..].split('}').next().unwrap_or_default();
        !places(list, "Instant").is_empty()
    });
    named
        .map(|at| Finding::at(&file.path, line_of(shipped, at), "`std::time::Instant` is not used here", USE_CLOCK))
        .collect()
}
