//! Settings: what was said, in four layers, and what it means.
//!
//! Enters: defaults, a TOML file, the environment, flags; later layers win. Leaves: resolved `Settings`, or every fault with its place.
//! Never: lets a half-understood file run.

mod fault;
mod oidc;
mod raw;
mod table;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use ipnet::IpNet;
use tollgate_control::people::Oidc;
use tollgate_rules::auto::Pool;
use tollgate_rules::options::StreamCache;

use raw::Raw;

/// The command line's part of the layers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Layers {
    pub(crate) file: Option<PathBuf>,
    pub(crate) data_dir: Option<PathBuf>,
    pub(crate) listen: Option<String>,
    pub(crate) allow_unauthenticated: bool,
}

/// What the settings mean.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) listen: SocketAddr,
    /// Without a slash at its end.
    pub(crate) public_url: Option<String>,
    pub(crate) data_dir: PathBuf,
    pub(crate) allow_unauthenticated: bool,
    pub(crate) accounts: Vec<String>,
    pub(crate) workers: Option<usize>,
    pub(crate) drain: Duration,
    /// Where gateways and what belongs to them come from, when not from the API.
    pub(crate) config_file: Option<PathBuf>,
    pub(crate) allow_private: Vec<IpNet>,
    /// Whose `x-forwarded-for` is believed.
    pub(crate) trusted_proxies: Vec<IpNet>,
    /// Segment to base URL.
    pub(crate) base_urls: BTreeMap<String, String>,
    /// Segment to what its row leaves to the operator.
    pub(crate) values: BTreeMap<String, BTreeMap<String, String>>,
    pub(crate) aliases: BTreeMap<String, String>,
    pub(crate) tls: Option<(PathBuf, PathBuf)>,
    pub(crate) cache_memory_bytes: u64,
    pub(crate) cache_disk_bytes: u64,
    pub(crate) cache_streams: StreamCache,
    pub(crate) cache_ttl_header_enables: bool,
    pub(crate) idempotency_ttl: Duration,
    pub(crate) idempotency_disk_bytes: u64,
    pub(crate) body_bytes_max: u64,
    pub(crate) answer_idle: Duration,
    pub(crate) first_byte: Duration,
    pub(crate) connections_max: usize,
    pub(crate) log_retention_days: u64,
    pub(crate) audit_retention_days: u64,
    pub(crate) log_filter: String,
    pub(crate) log_json: bool,
    pub(crate) master_key_file: Option<PathBuf>,
    pub(crate) master_key_command: Option<String>,
    pub(crate) env_references: Vec<String>,
    pub(crate) file_references: Vec<PathBuf>,
    /// The operator's keys are for those who paid.
    pub(crate) credits: bool,
    pub(crate) credit_requests_per_minute: u64,
    pub(crate) auto: Pool,
    /// Who lets people in.
    pub(crate) oidc: Option<Oidc>,
}

pub(crate) fn resolve(layers: &Layers) -> anyhow::Result<Settings> {
    let file = layers.file.as_deref().map(read_file).transpose()?;
    let (text, name) = file.as_ref().map_or(("", "settings"), |(text, name)| (text.as_str(), name.as_str()));
    let raw = Raw::read(text).and_then(|raw| {
        raw.check(text)?;
        Ok(raw)
    });
    let raw = raw.map_err(|faults| fault::all(name, &faults))?;
    let raw = raw.under(
        Raw::from_environment(|name| std::env::var(name).ok()).map_err(|faults| fault::all("environment", &faults))?,
    );
    let raw = raw.under(Raw::from_flags(layers));
    raw.resolve().map_err(|faults| fault::all(name, &faults))
}

/// `tollgate check`.
#[allow(clippy::print_stdout)]
pub(crate) fn check(file: Option<&Path>) -> anyhow::Result<()> {
    let layers = Layers { file: file.map(Path::to_owned), ..Layers::default() };
    let settings = resolve(&layers)?;
    match file {
        Some(file) => println!(
            "{} is right: listens on {}, keeps its data in {}",
            file.display(),
            settings.listen,
            settings.data_dir.display()
        ),
        None => println!(
            "the settings are right: listens on {}, keeps its data in {}",
            settings.listen,
            settings.data_dir.display()
        ),
    }
    Ok(())
}

/// `tollgate settings`.
#[allow(clippy::print_stdout)]
pub(crate) fn print_table() -> anyhow::Result<()> {
    print!("{}", table::text());
    Ok(())
}

fn read_file(path: &Path) -> anyhow::Result<(String, String)> {
    let text =
        std::fs::read_to_string(path).with_context(|| format!("cannot read the settings file {}", path.display()))?;
    Ok((text, path.display().to_string()))
}
