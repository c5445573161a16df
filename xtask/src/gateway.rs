//! A gateway process of one's own, and a client that talks to it.
//!
//! Enters: a data directory and settings. Leaves: a running gateway on a free port. Never: outlives its handle.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, bail};
use bytes::Bytes;
use http::{HeaderMap, Method, Request};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

pub(crate) const ACCOUNT: &str = "local";

pub(crate) struct Gateway {
    child: Child,
    pub(crate) url: String,
}

/// The gateway's binary.
pub(crate) struct Program(PathBuf);

impl Program {
    /// The one that `make build` made.
    pub(crate) fn built() -> anyhow::Result<Self> {
        target("release").context("target/release/tollgate is missing; run `make build` first")
    }

    /// The one named; else the release build, or failing that the debug build.
    pub(crate) fn find(named: Option<&Path>) -> anyhow::Result<Self> {
        match named {
            Some(path) => Ok(Self(path.canonicalize().with_context(|| format!("{}", path.display()))?)),
            None => Self::built().or_else(|missing| target("debug").map_err(|_| missing)),
        }
    }

    /// Runs a command of the binary that prints JSON.
    pub(crate) fn tell(&self, data_dir: &Path, arguments: &[&str]) -> anyhow::Result<Value> {
        let output = Command::new(&self.0).args(arguments).arg("--json").arg("--data-dir").arg(data_dir).output()?;
        if !output.status.success() {
            bail!("tollgate {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr));
        }
        Ok(serde_json::from_slice(&output.stdout)?)
    }

    pub(crate) fn start(&self, data_dir: &Path, config: Option<&Path>) -> anyhow::Result<Gateway> {
        Gateway::start(&self.0, data_dir, config, &[])
    }

    /// With variables of its own besides.
    pub(crate) fn start_with(
        &self,
        data_dir: &Path,
        config: &Path,
        variables: &[(&str, &str)],
    ) -> anyhow::Result<Gateway> {
        Gateway::start(&self.0, data_dir, Some(config), variables)
    }
}

fn target(profile: &str) -> anyhow::Result<Program> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target").join(profile).join("tollgate");
    Ok(Program(path.canonicalize()?))
}

impl Gateway {
    fn start(
        program: &Path,
        data_dir: &Path,
        config: Option<&Path>,
        variables: &[(&str, &str)],
    ) -> anyhow::Result<Self> {
        let mut command = Command::new(program);
        command.envs(variables.iter().copied());
        command.arg("serve").arg("--data-dir").arg(data_dir).args(["--listen", "127.0.0.1:0"]).stdout(Stdio::piped());
        if let Some(config) = config {
            command.arg("--config").arg(config);
        }
        let mut child = command.spawn()?;
        let stdout = child.stdout.take().context("the gateway has no standard output")?;
        let mut lines = BufReader::new(stdout).lines();
        let first = lines.next().context("the gateway ended at once")??;
        let url = first
            .strip_prefix("tollgate listening on ")
            .with_context(|| format!("unexpected first line: {first}"))?
            .to_owned();
        // The rest of the banner is read and forgotten, so that the gateway never waits for a full pipe.
        std::thread::spawn(move || lines.for_each(drop));
        Ok(Self { child, url })
    }

    /// SIGKILL: no drain, no goodbye.
    pub(crate) fn kill(mut self) -> anyhow::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[derive(Clone)]
pub(crate) struct Caller(Client<HttpConnector, Full<Bytes>>);

pub(crate) struct Heard {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Caller {
    pub(crate) fn new() -> Self {
        Self(Client::builder(TokioExecutor::new()).build_http())
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        url: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> anyhow::Result<Heard> {
        let mut request = Request::builder().method(method).uri(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self.0.request(request.body(Full::new(body))?).await?;
        let (parts, body) = response.into_parts();
        Ok(Heard { status: parts.status.as_u16(), headers: parts.headers, body: body.collect().await?.to_bytes() })
    }

    /// A GET of the REST API that must work.
    pub(crate) async fn api(&self, url: &str, token: &str) -> anyhow::Result<Value> {
        let heard = self.send(Method::GET, url, &[("authorization", &format!("Bearer {token}"))], Bytes::new()).await?;
        if heard.status != 200 {
            bail!("GET {url}: {} {}", heard.status, String::from_utf8_lossy(&heard.body));
        }
        Ok(serde_json::from_slice(&heard.body)?)
    }
}
