//! What a newcomer sees first: where it listens, and a line to paste.
//!
//! Enters: the bound address. Leaves: a few lines on standard output, the first of which scripts read. Never: prints a secret.

use std::io::Write;
use std::net::SocketAddr;

use serde_json::json;
use tollgate_engine::Shared;

use crate::settings::Settings;

pub struct Banner {
    base: String,
    data_dir: String,
    keys: Vec<String>,
}

impl Banner {
    pub fn new(address: SocketAddr, secure: bool, shared: &Shared, settings: &Settings) -> Self {
        let scheme = if secure { "https" } else { "http" };
        let keys = shared.keys.providers().into_iter().map(str::to_owned).collect();
        Self { base: format!("{scheme}://{address}"), data_dir: settings.data_dir.display().to_string(), keys }
    }

    pub fn print(&self, json: bool) -> std::io::Result<()> {
        let text = if json { self.json() } else { self.text() };
        let mut out = std::io::stdout().lock();
        out.write_all(text.as_bytes())?;
        out.flush()
    }

    fn json(&self) -> String {
        let gateway = format!("{}/v1/local/default", self.base);
        let line = json!({
            "listening": self.base,
            "gateway": gateway,
            "api": format!("{}/client/v4", self.base),
            "data_dir": self.data_dir,
            "providers_with_keys": self.keys,
        });
        format!("{line}\n")
    }

    fn text(&self) -> String {
        let base = &self.base;
        let keys = if self.keys.is_empty() {
            "none found in the environment; callers bring their own, or set OPENAI_API_KEY, ANTHROPIC_API_KEY, ...".to_owned()
        } else {
            self.keys.join(", ")
        };
        format!(
            r#"tollgate listening on {base}

  OpenAI SDK      base_url  {base}/v1/local/default/openai
  Anthropic SDK   base_url  {base}/v1/local/default/anthropic
  Google SDK      base_url  {base}/v1/local/default/google-ai-studio
  Sandbox         base_url  {base}/v1/local/default/sandbox/v1     (no key, no network)
  REST API                  {base}/client/v4                      (needs a token: tollgate token create)
  Provider keys             {keys}
  Data                      {data_dir}

Try it:

  curl {base}/v1/local/default/sandbox/v1/chat/completions \
    -H 'content-type: application/json' \
    -d '{{"model":"sandbox-1","messages":[{{"role":"user","content":"Hello"}}]}}'

Then look at what was logged, with its tokens and cost:

  tollgate logs tail

"#,
            data_dir = self.data_dir
        )
    }
}
