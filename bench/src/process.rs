//! What a process costs, as the kernel counts it.
//!
//! Enters: a process id. Leaves: its CPU time, memory, and the means to start and end it. Never: touches a process it did
//! not start.

use std::fs::{self, File};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::Context;
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::sys::signal::{Signal, kill};
use nix::time::clock_getcpuclockid;
use nix::unistd::Pid;
use tokio::process::{Child, Command};

const STOP_WITHIN: Duration = Duration::from_secs(15);

/// A child that does not outlive its owner: dropped, on an error or on Ctrl-C, it is killed.
pub struct Process {
    child: Child,
    pid: Pid,
}

#[derive(Debug, Clone, Copy)]
pub struct Memory {
    pub resident_mb: f64,
    pub peak_mb: f64,
}

impl Process {
    /// Starts `command` on one core, or wherever this process may run itself. What it says on standard error is kept.
    pub fn start(mut command: Command, core: Option<usize>, errors: &Path) -> anyhow::Result<Self> {
        let name = command.as_std().get_program().to_string_lossy().into_owned();
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create(errors)?).kill_on_drop(true);
        let child = on_core(core, || command.spawn())?.with_context(|| format!("starting {name}"))?;
        let pid = child.id().and_then(|id| i32::try_from(id).ok()).context("a child without an id")?;
        Ok(Self { child, pid: Pid::from_raw(pid) })
    }

    pub fn id(&self) -> i32 {
        self.pid.as_raw()
    }

    /// CPU time of all threads, dead ones too, in nanoseconds: the process's own clock. `/proc/PID/stat` has 10 ms ticks.
    pub fn cpu(&self) -> anyhow::Result<Duration> {
        Ok(clock_getcpuclockid(self.pid)?.now()?.into())
    }

    /// CPU time in the program and in the kernel, in ticks of 10 ms: good for their ratio over a long measurement.
    pub fn ticks(&self) -> anyhow::Result<(u64, u64)> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.pid))?;
        // The name, in parentheses, may contain anything; the fields are counted from behind it.
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_ascii_whitespace().collect();
        let tick = |place: usize| fields.get(place).and_then(|field| field.parse().ok()).context("/proc/PID/stat");
        Ok((tick(11)?, tick(12)?))
    }

    pub fn memory(&self) -> anyhow::Result<Memory> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid))?;
        let megabytes = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).context("/proc/PID/status")?;
            let kilobytes: f64 = line.trim().trim_end_matches(" kB").parse()?;
            anyhow::Ok(kilobytes / 1024.0)
        };
        Ok(Memory { resident_mb: megabytes("VmRSS:")?, peak_mb: megabytes("VmHWM:")? })
    }

    /// Waits until it has nothing left to do: less than one per cent of a core for a fifth of a second.
    pub async fn settle(&self) -> anyhow::Result<()> {
        const WINDOW: Duration = Duration::from_millis(200);
        let mut before = self.cpu()?;
        for _ in 0..300 {
            tokio::time::sleep(WINDOW).await;
            let now = self.cpu()?;
            if now - before < WINDOW / 100 {
                return Ok(());
            }
            before = now;
        }
        anyhow::bail!("process {} still works after a minute without requests", self.pid)
    }

    /// Asks it to end, and ends it if it does not.
    pub async fn stop(mut self, signal: Signal) -> anyhow::Result<()> {
        kill(self.pid, signal).context("the process has ended by itself")?;
        if tokio::time::timeout(STOP_WITHIN, self.child.wait()).await.is_err() {
            self.child.kill().await?;
        }
        Ok(())
    }
}

/// A new child runs where its parent's thread may run: so this thread moves there for the moment of starting it.
fn on_core<T>(core: Option<usize>, start: impl FnOnce() -> T) -> anyhow::Result<T> {
    let Some(core) = core else { return Ok(start()) };
    let this_thread = Pid::from_raw(0);
    let before = sched_getaffinity(this_thread)?;
    pin(core)?;
    let started = start();
    sched_setaffinity(this_thread, &before)?;
    Ok(started)
}

/// Keeps the calling thread, and children it starts from now on, on one core.
pub fn pin(core: usize) -> anyhow::Result<()> {
    let mut only = CpuSet::new();
    only.set(core)?;
    sched_setaffinity(Pid::from_raw(0), &only).with_context(|| format!("pinning to core {core}"))
}

/// The cores this process may use.
pub fn cores() -> anyhow::Result<Vec<usize>> {
    let allowed = sched_getaffinity(Pid::from_raw(0))?;
    Ok((0..CpuSet::count()).filter(|core| allowed.is_set(*core).unwrap_or(false)).collect())
}
