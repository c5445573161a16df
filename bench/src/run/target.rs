//! What is measured: each way from the client to the mock, started and ready.
//!
//! Enters: a kind. Leaves: a running process that has answered once. Never: keeps anything of an earlier repetition.

use std::fmt;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use nix::sys::signal::Signal;
use tokio::process::Command;

use super::bench::{Bench, free_port, plain};
use super::gateway::{Desk, House};
use crate::caller::Caller;
use crate::corpus::Destination;
use crate::process::Process;

const READY_WITHIN: Duration = Duration::from_secs(60);
const LOOK_AGAIN: Duration = Duration::from_micros(250);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// No proxy at all. Its CPU figures are the mock's own: what a server alone costs.
    Direct,
    Nginx,
    /// The minimal hyper proxy, by which the others are divided.
    Proxy,
    /// The gateway with authentication, a rate limit, cost, and logging of whole bodies.
    Full,
    /// The same without logging.
    Nolog,
    /// `Full` with a cache that has every answer.
    Cache,
    /// `Full` without its rate limit: nothing is limited.
    Free,
    /// `Full` with limits of every kind: rate limits by user, of tokens and of requests at once, spend rules, policies, a token's own limits.
    Limits,
    /// `Full` by way of the unified API, to a provider that speaks the caller's dialect.
    Unified,
    /// The same to one that speaks another: chat completions to Messages and back.
    Translated,
}

pub const KINDS: [Kind; 10] = [
    Kind::Direct,
    Kind::Nginx,
    Kind::Proxy,
    Kind::Full,
    Kind::Nolog,
    Kind::Cache,
    Kind::Free,
    Kind::Limits,
    Kind::Unified,
    Kind::Translated,
];

impl Kind {
    /// One of the two ways through the unified API.
    pub fn is_unified(self) -> bool {
        matches!(self, Self::Unified | Self::Translated)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::Direct => "direct",
            Self::Nginx => "nginx",
            Self::Proxy => "proxy",
            Self::Full => "full",
            Self::Nolog => "nolog",
            Self::Cache => "cache",
            Self::Free => "free",
            Self::Limits => "limits",
            Self::Unified => "unified",
            Self::Translated => "translated",
        };
        out.pad(name)
    }
}

pub struct Target {
    pub kind: Kind,
    pub to: Destination,
    /// The REST API, if it has one.
    pub desk: Option<Desk>,
    /// From before the process existed to its first answer through to the mock.
    pub start: Option<Duration>,
    /// Requests sent to it so far: as many records must be in its log.
    pub sent: u64,
    pub faulty: bool,
    process: Option<Process>,
}

impl Target {
    pub async fn start(bench: &Bench, kind: Kind) -> anyhow::Result<Self> {
        Self::start_under(bench, kind, &[]).await
    }

    /// Started by another program, such as a tracer, named with its arguments.
    pub async fn start_under(bench: &Bench, kind: Kind, tool: &[String]) -> anyhow::Result<Self> {
        let mut target =
            Self { kind, to: plain(bench.mock), desk: None, start: None, sent: 0, faulty: false, process: None };
        let command = match kind {
            Kind::Direct => return Ok(target),
            Kind::Nginx => target.nginx(bench)?,
            Kind::Proxy => target.proxy(bench)?,
            _ => target.gateway(bench).await?,
        };
        let errors = bench.errors_of(&kind.to_string());
        let begun = Instant::now();
        target.process = Some(Process::start(under(tool, command), bench.target_core, &errors)?);
        let answered = first_answer(&target.to).await;
        target.sent += answered.with_context(|| std::fs::read_to_string(errors).unwrap_or_default())?;
        target.start = Some(begun.elapsed());
        Ok(target)
    }

    /// Of the direct way, the mock: what is measured is always some process.
    pub fn process<'a>(&'a self, bench: &'a Bench) -> &'a Process {
        self.process.as_ref().unwrap_or(&bench.mock_process)
    }

    pub async fn stop(self) -> anyhow::Result<()> {
        match self.process {
            Some(process) => process.stop(Signal::SIGTERM).await,
            None => Ok(()),
        }
    }

    fn nginx(&mut self, bench: &Bench) -> anyhow::Result<Command> {
        self.to.target = free_port()?;
        let scratch = bench.scratch.path().join("nginx");
        std::fs::create_dir_all(&scratch)?;
        let place = scratch.to_string_lossy();
        let settings = include_str!("../../nginx.conf")
            .replace("{scratch}", &place)
            .replace("{upstream}", &bench.mock.to_string())
            .replace("{listen}", &self.to.target.to_string());
        let file = scratch.join("nginx.conf");
        std::fs::write(&file, settings)?;
        let mut command = Command::new(bench.nginx.as_ref().context("nginx is not installed")?);
        command.arg("-e").arg("stderr").arg("-p").arg(&scratch).arg("-c").arg(file);
        Ok(command)
    }

    fn proxy(&mut self, bench: &Bench) -> anyhow::Result<Command> {
        self.to.target = free_port()?;
        let mut command = bench.role("proxy");
        command.args(["--listen", &self.to.target.to_string(), "--upstream", &bench.mock.to_string()]);
        Ok(command)
    }

    async fn gateway(&mut self, bench: &Bench) -> anyhow::Result<Command> {
        let house = House::furnish(bench, self.kind).await?;
        let address = free_port()?;
        self.to = house.destination(address);
        self.desk = Some(house.desk(address));
        Ok(house.serve(address))
    }
}

fn under(tool: &[String], command: Command) -> Command {
    let [name, arguments @ ..] = tool else { return command };
    let mut outer = Command::new(name);
    outer.args(arguments).arg(command.as_std().get_program()).args(command.as_std().get_args());
    outer
}

/// Tries until the server gives its first good answer; how many requests that took.
pub async fn first_answer(to: &Destination) -> anyhow::Result<u64> {
    let model = &to.model;
    let question =
        format!(r#"{{"model":"{model}","messages":[{{"role":"user","content":"Are you there?"}}],"max_tokens":256}}"#);
    let request = to.request(&question);
    let mut caller = wait_for(to.target).await?;
    let mut body = Vec::new();
    let answer = caller.exchange(&request, &mut body).await?;
    if answer.status != 200 {
        bail!("first answer: {} {}", answer.status, String::from_utf8_lossy(&body));
    }
    Ok(1)
}

/// Connects as soon as somebody listens.
pub async fn wait_for(server: std::net::SocketAddr) -> anyhow::Result<Caller> {
    let begun = Instant::now();
    loop {
        match Caller::connect(server).await {
            Ok(caller) => return Ok(caller),
            Err(fault) if begun.elapsed() > READY_WITHIN => return Err(fault),
            // Blocks this thread, which has nothing else to do: the runtime's timer would round up to a millisecond.
            Err(_) => std::thread::sleep(LOOK_AGAIN),
        }
    }
}
