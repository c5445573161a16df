//! The workbench: what all measurements of a run share.
//!
//! Enters: the options. Leaves: cores, ports, a scratch folder, a running mock, clients that report. Never: measures.

use std::ffi::OsString;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use nix::sys::signal::Signal;
use serde::de::DeserializeOwned;
use tempfile::TempDir;
use tokio::process::Command;

use super::say;
use super::target::{Kind, first_answer};
use super::{Options, target};
use crate::corpus::{Destination, MODEL};
use crate::process::{self, Process};

/// No client runs longer: one that would is stuck.
const CLIENT_WITHIN: Duration = Duration::from_secs(600);

pub struct Bench {
    pub options: Options,
    pub kinds: Vec<Kind>,
    pub nginx: Option<PathBuf>,
    pub mock: SocketAddr,
    pub mock_process: Process,
    /// Beside the mock and the clients, with the lowest priority.
    awake: Option<Process>,
    /// The core the measured process has to itself; the mock and the clients have the first.
    pub target_core: Option<usize>,
    pub scratch: TempDir,
    program: PathBuf,
}

impl Bench {
    pub async fn set_up(options: Options) -> anyhow::Result<Self> {
        let target_core = choose_cores(&options)?;
        let scratch = tempfile::Builder::new().prefix("tollgate-bench-").tempdir()?;
        let program = std::env::current_exe()?;
        let mock = free_port()?;
        let mut command = Command::new(&program);
        command.args(["mock", "--listen", &mock.to_string(), "--gap-ms", &options.gap_ms.to_string()]);
        let mock_process = Process::start(command, None, &scratch.path().join("mock.stderr"))?;
        first_answer(&plain(mock)).await.context("the mock")?;
        let stay_awake = target_core.is_some() && !options.let_sleep;
        let awake = stay_awake.then(|| keep_awake(&program, &scratch.path().join("awake.stderr"))).transpose()?;
        let nginx = find_program("nginx");
        let kinds = kinds(&options, nginx.is_some())?;
        Ok(Self { options, kinds, nginx, mock, mock_process, awake, target_core, scratch, program })
    }

    pub async fn clear_up(self) -> anyhow::Result<()> {
        if let Some(awake) = self.awake {
            awake.stop(Signal::SIGTERM).await?;
        }
        self.mock_process.stop(Signal::SIGTERM).await
    }

    /// The targets, every other time from the last to the first, so that no place in the order is always the luckier.
    pub fn in_turn(&self, rep: u32) -> Vec<Kind> {
        let mut kinds = self.kinds.clone();
        if rep % 2 == 1 {
            kinds.reverse();
        }
        kinds
    }

    /// This program in another role.
    pub fn role(&self, name: &str) -> Command {
        let mut command = Command::new(&self.program);
        command.arg(name);
        command
    }

    /// Runs a client to its end; what it reported.
    pub async fn client<R: DeserializeOwned>(
        &self,
        role: &str,
        to: &Destination,
        flags: &[String],
    ) -> anyhow::Result<R> {
        let mut command = self.role(role);
        command.args(["--target", &to.target.to_string(), "--path", &to.path, "--model", &to.model]);
        command.args(to.headers.iter().flat_map(|header| ["--header", header]));
        command.args(flags).kill_on_drop(true);
        let output = tokio::time::timeout(CLIENT_WITHIN, command.output()).await.context("a client is stuck")??;
        if !output.status.success() {
            bail!("{role}: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        Ok(serde_json::from_slice(&output.stdout)?)
    }

    pub fn errors_of(&self, name: &str) -> PathBuf {
        self.scratch.path().join(format!("{name}.stderr"))
    }
}

fn keep_awake(program: &Path, errors: &Path) -> anyhow::Result<Process> {
    let mut command = Command::new("nice");
    command.args(["-n", "39"]).arg(program).arg("awake");
    Process::start(command, None, errors)
}

/// Keeps this thread, hence the mock and the clients, on the first core; the last is for the target.
fn choose_cores(options: &Options) -> anyhow::Result<Option<usize>> {
    let cores = process::cores()?;
    let (Some(first), Some(last)) = (cores.first(), cores.last()) else { bail!("no core to run on") };
    if options.no_pin || first == last {
        say("not pinned: the processes compete for the cores");
        return Ok(None);
    }
    process::pin(*first)?;
    Ok(Some(*last))
}

fn kinds(options: &Options, nginx: bool) -> anyhow::Result<Vec<Kind>> {
    let wanted = |kind: &Kind| options.only.is_empty() || options.only.contains(kind);
    let gateway = options.gateway.is_file();
    let there = |kind: &Kind| match kind {
        Kind::Direct | Kind::Proxy => true,
        Kind::Nginx => nginx,
        _ => gateway,
    };
    let (kinds, missing): (Vec<_>, Vec<_>) = target::KINDS.iter().copied().filter(wanted).partition(there);
    for kind in missing {
        let reason = if kind == Kind::Nginx { "nginx is not installed".into() } else { no_gateway(&options.gateway) };
        say(&format!("without {kind}: {reason}"));
    }
    if kinds.is_empty() {
        bail!("nothing to measure");
    }
    Ok(kinds)
}

fn no_gateway(path: &Path) -> String {
    format!("no gateway at {} (`make build` makes it, --gateway names another place)", path.display())
}

pub fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Debian keeps servers where a user's PATH does not look.
    let places = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]);
    places.map(|place| place.join(OsString::from(name))).find(|file| file.is_file())
}

/// A port that was free a moment ago. Fixed before the start, so that every target is found the same way.
pub fn free_port() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

pub fn plain(server: SocketAddr) -> Destination {
    Destination { target: server, path: "/v1/chat/completions".into(), headers: Vec::new(), model: MODEL.into() }
}
