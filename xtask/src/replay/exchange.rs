//! Recorded requests and answers, one JSON object a line.
//!
//! Enters: a folder of `*.jsonl` files. Leaves: exchanges, with their bodies as bytes. Never: repairs a line: one that cannot be read ends the run.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Deserialize;

/// The form, for `--help`. The structs below are the same in Rust.
pub(super) const FORM: &str = r#"A folder holds any number of *.jsonl files, each line one exchange (here broken up):

  {"id": "openai chat, streamed", "provider": "openai", "operation": "chat", "method": "POST",
   "path": "/v1/chat/completions", "model": "gpt-4o", "streaming": true,
   "request":  {"headers": {"content-type": "application/json"}, "text": "{\"model\": ..."},
   "response": {"status": 200, "headers": {"content-type": "text/event-stream"}, "text": "data: {..."}}

  provider   a folder of catalog/providers
  path       on the provider's own host, with the query
  streaming  the answer is sent in small pieces of different sizes
  text       the body; or `base64`, when it is not UTF-8; neither means empty
Other members are ignored."#;

#[derive(Debug, Deserialize)]
pub(super) struct Exchange {
    pub(super) id: String,
    /// The provider's path segment.
    pub(super) provider: String,
    pub(super) operation: String,
    pub(super) method: String,
    pub(super) path: String,
    #[serde(default)]
    pub(super) model: Option<String>,
    #[serde(default)]
    pub(super) streaming: bool,
    pub(super) request: Message,
    pub(super) response: Response,
}

#[derive(Debug, Deserialize)]
pub(super) struct Response {
    pub(super) status: u16,
    #[serde(flatten)]
    pub(super) message: Message,
}

#[derive(Debug, Deserialize)]
#[serde(try_from = "RawMessage")]
pub(super) struct Message {
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: Bytes,
}

#[derive(Deserialize)]
struct RawMessage {
    #[serde(default)]
    headers: BTreeMap<String, String>,
    text: Option<String>,
    base64: Option<String>,
}

impl TryFrom<RawMessage> for Message {
    type Error = anyhow::Error;

    fn try_from(raw: RawMessage) -> anyhow::Result<Self> {
        let body = match (raw.text, raw.base64) {
            (text, None) => text.unwrap_or_default().into_bytes(),
            (None, Some(coded)) => STANDARD.decode(coded).context("`base64` is not base64")?,
            (Some(_), Some(_)) => anyhow::bail!("a body is `text` or `base64`, not both"),
        };
        Ok(Self { headers: raw.headers, body: body.into() })
    }
}

impl Message {
    pub(super) fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map_or("", |(_, value)| value)
    }
}

/// All exchanges of a folder, in the order of its files' names; of one provider only, when one is named.
pub(super) fn read(folder: &Path, provider: Option<&str>) -> anyhow::Result<Vec<Exchange>> {
    let mut exchanges = Vec::new();
    for file in files(folder)? {
        let text = std::fs::read_to_string(&file).with_context(|| format!("{}", file.display()))?;
        for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let exchange: Exchange =
                serde_json::from_str(line).with_context(|| format!("{}:{}", file.display(), number + 1))?;
            exchanges.push(exchange);
        }
    }
    exchanges.retain(|exchange| provider.is_none_or(|wanted| exchange.provider == wanted));
    ensure!(!exchanges.is_empty(), "no exchanges in {}", folder.display());
    Ok(exchanges)
}

fn files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("{}", folder.display()))?;
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    files.retain(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = r#"{"id":"a","provider":"p","operation":"chat","method":"POST","path":"/x","model":null,"licence":"any",
        "request":{"headers":{"Content-Type":"a/b"},"body_exact":true,"text":"hi"},"response":{"status":201,"base64":"AP8="}}"#;

    #[test]
    fn bodies_are_text_or_base64_or_nothing() {
        let exchange: Exchange = serde_json::from_str(LINE).unwrap();
        assert_eq!(&exchange.request.body[..], b"hi");
        assert_eq!(exchange.request.header("content-type"), "a/b");
        assert_eq!((exchange.response.status, &exchange.response.message.body[..]), (201, &[0, 255][..]));
        let empty: Message = serde_json::from_str("{}").unwrap();
        assert!(empty.body.is_empty());
        assert!(serde_json::from_str::<Message>(r#"{"text":"","base64":""}"#).is_err());
        assert!(serde_json::from_str::<Message>(r#"{"base64":"?"}"#).is_err());
    }

    #[test]
    fn the_form_that_help_shows_is_the_form_that_is_read() {
        let (_, example) = FORM.split_once("\n\n").unwrap();
        let (example, _) = example.split_once("\n\n").unwrap();
        let exchange: Exchange = serde_json::from_str(&example.replace("\n", "")).unwrap();
        assert_eq!((exchange.provider.as_str(), exchange.streaming), ("openai", true));
    }
}
