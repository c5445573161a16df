//! What a newcomer sees first: where it listens, and a line to paste.
//!
//! Enters: the bound address. Leaves: a few lines on standard output, the first of which scripts read. Never: prints a secret, but for
//! the first administrator's token, once in the life of an installation, and the code of a link that signs in once, on loopback.

use std::io::Write;
use std::net::SocketAddr;

use serde_json::json;
use tollgate_control::desk::Made;
use tollgate_engine::Shared;
use tollgate_model::Secret;

use crate::place;
use crate::settings::Settings;

pub(crate) struct Banner {
    base: String,
    dashboard: String,
    data_dir: String,
    keys: Vec<String>,
    logs: String,
    /// Made at this very start; afterwards nobody can show it.
    admin: Option<Secret>,
}

impl Banner {
    pub(crate) fn new(
        scheme: &str,
        address: SocketAddr,
        code: Option<&Secret>,
        shared: &Shared,
        settings: &Settings,
    ) -> Self {
        let code = code.map(|code| format!("#code={}", code.expose())).unwrap_or_default();
        let keys = shared.keys.providers().into_iter().map(str::to_owned).collect();
        Self {
            base: format!("{scheme}://{address}"),
            dashboard: format!("{scheme}://{address}/dashboard/{code}"),
            data_dir: settings.data_dir.display().to_string(),
            keys,
            logs: logs(settings),
            admin: None,
        }
    }

    pub(crate) fn with_admin(self, made: Option<Made>) -> Self {
        Self { admin: made.map(|made| made.secret), ..self }
    }

    pub(crate) fn print(&self, json: bool) -> std::io::Result<()> {
        let text = if json { self.json() } else { self.text() };
        let mut out = std::io::stdout().lock();
        out.write_all(text.as_bytes())?;
        out.flush()
    }

    fn json(&self) -> String {
        let gateway = format!("{}/v1/local/default", self.base);
        let mut line = json!({
            "listening": self.base,
            "gateway": gateway,
            "dashboard": self.dashboard,
            "api": format!("{}/client/v4", self.base),
            "data_dir": self.data_dir,
            "providers_with_keys": self.keys,
        });
        if let Some(admin) = &self.admin {
            line["admin_token"] = admin.expose().into();
        }
        format!("{line}\n")
    }

    fn text(&self) -> String {
        let base = &self.base;
        let keys = if self.keys.is_empty() {
            "none found in the environment; callers bring their own, or set OPENAI_API_KEY, ANTHROPIC_API_KEY, ..."
                .to_owned()
        } else {
            self.keys.join(", ")
        };
        let admin = self.admin.as_ref().map_or_else(
            || "tollgate token create --name me --permissions admin".to_owned(),
            |admin| format!("{}  (shown only this once)", admin.expose()),
        );
        format!(
            r#"tollgate listening on {base}

  OpenAI SDK      base_url  {base}/v1/local/default/openai
  Anthropic SDK   base_url  {base}/v1/local/default/anthropic
  Google SDK      base_url  {base}/v1/local/default/google-ai-studio
  Sandbox         base_url  {base}/v1/local/default/sandbox/v1     (no key, no network)
  REST API                  {base}/client/v4
  Administrator's token     {admin}
  Provider keys             {keys}
  Data                      {data_dir}

The dashboard, signed in (the link is good once; `tollgate dashboard` prints another):

  {dashboard}

Try it:

  curl {base}/v1/local/default/sandbox/v1/chat/completions \
    -H 'content-type: application/json' \
    -d '{{"model":"sandbox-1","messages":[{{"role":"user","content":"Hello"}}]}}'

Then look at what was logged, with its tokens and cost:

  {logs}

"#,
            data_dir = self.data_dir,
            dashboard = self.dashboard,
            logs = self.logs
        )
    }
}

/// The line that shows the log: it needs the data directory only where that is not the usual one.
fn logs(settings: &Settings) -> String {
    let program = std::env::args().next().unwrap_or_else(|| "tollgate".to_owned());
    if settings.data_dir == place::default_dir() {
        format!("{program} logs tail")
    } else {
        format!("{program} logs tail --data-dir {}", settings.data_dir.display())
    }
}
