//! `tollgate import`: another gateway's configuration as a file of ours.
//!
//! Enters: a Cloudflare export (JSON), a LiteLLM configuration (YAML), a Portkey config (JSON). Leaves: TOML for `tollgate apply`, and a report: every
//! line of the original, understood or not. Never: copies a key, or leaves out anything without saying so.

mod cloudflare;
mod elements;
mod litellm;
mod portkey;
mod source;

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};
use tollgate_control::config::section;

use self::source::{Node, read};
use super::show;

#[derive(Subcommand, Debug)]
#[command(after_help = "Examples:
  tollgate import litellm config.yaml > gateways.toml
  tollgate import portkey config.json --gateway support --output gateways.toml
  tollgate import cloudflare account.json --report report.txt > gateways.toml

Then: tollgate plan gateways.toml")]
pub(crate) enum Import {
    /// An account's gateways as the API shows them: one answer of the list, or an object with `gateways`
    Cloudflare(From),
    /// A proxy's config.yaml
    Litellm(From),
    /// A gateway config
    Portkey(From),
}

#[derive(Args, Debug)]
pub(crate) struct From {
    file: PathBuf,
    /// The gateway that everything goes to; of Cloudflare's each keeps its own
    #[arg(long, default_value = "imported")]
    gateway: String,
    /// Write the configuration here instead of to standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Write the report here instead of to standard error
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

/// What becomes of one thing of the original.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Understood,
    Partly,
    Not,
}

/// The file, and what is said about the original.
#[derive(Debug, Default)]
struct Imported {
    sections: Vec<(Vec<String>, Map<String, Value>)>,
    lines: Vec<(usize, String, Verdict, String)>,
}

impl Import {
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        let (from, translate): (&From, fn(&Node, &str) -> Imported) = match self {
            Self::Cloudflare(from) => (from, cloudflare::translate),
            Self::Litellm(from) => (from, litellm::translate),
            Self::Portkey(from) => (from, portkey::translate),
        };
        let text =
            std::fs::read_to_string(&from.file).with_context(|| format!("cannot read {}", from.file.display()))?;
        let root = read(&text).with_context(|| format!("{} cannot be read", from.file.display()))?;
        let imported = translate(&root, &from.gateway);
        put(from.output.as_deref(), &imported.text(), show::text)?;
        put(from.report.as_deref(), &imported.report(), complain)
    }
}

fn put(file: Option<&Path>, text: &str, otherwise: fn(&str) -> anyhow::Result<()>) -> anyhow::Result<()> {
    match file {
        Some(file) => std::fs::write(file, text).with_context(|| format!("cannot write {}", file.display())),
        None => otherwise(text),
    }
}

#[allow(clippy::print_stderr)]
fn complain(text: &str) -> anyhow::Result<()> {
    eprint!("{text}");
    Ok(())
}

// === impl Imported ===

impl Imported {
    fn section(&mut self, path: &[&str], fields: Map<String, Value>) {
        self.sections.push((path.iter().map(|part| (*part).to_owned()).collect(), fields));
    }

    fn say(&mut self, node: &Node, at: &str, verdict: Verdict, what: impl Into<String>) {
        self.lines.push((node.line, at.to_owned(), verdict, what.into()));
    }

    fn route(&mut self, gateway: &str, name: &str, elements: Vec<Value>) {
        let fields = json!({ "elements": elements });
        self.section(&["gateway", gateway, "route", name], fields.as_object().cloned().unwrap_or_default());
    }

    fn text(&self) -> String {
        let mut text = "# Imported. Read the report, then: tollgate plan FILE\nformat = 1\n".to_owned();
        for (path, fields) in &self.sections {
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            text.push_str(&section(&path, fields));
        }
        text
    }

    /// In the order of the original.
    fn report(&self) -> String {
        let mut lines = self.lines.clone();
        lines.sort_by_key(|(line, ..)| *line);
        let count = |wanted| lines.iter().filter(|(_, _, verdict, _)| *verdict == wanted).count();
        let mut text = format!(
            "{} understood, {} partly, {} not\n",
            count(Verdict::Understood),
            count(Verdict::Partly),
            count(Verdict::Not)
        );
        for (line, at, verdict, what) in &lines {
            let word = match verdict {
                Verdict::Understood => "understood",
                Verdict::Partly => "partly",
                Verdict::Not => "not",
            };
            text.push_str(&format!("{line:>4}  {word:10}  {at}: {what}\n"));
        }
        text
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    type Translate = fn(&Node, &str) -> Imported;

    /// `BLESS=1 cargo test -p tollgate-app import` rewrites what is expected.
    #[test]
    fn three_samples_become_files_that_are_read_and_reports_that_tell_every_line() {
        let samples: [(&str, Translate); 3] = [
            ("cloudflare.json", cloudflare::translate),
            ("litellm.yaml", litellm::translate),
            ("portkey.json", portkey::translate),
        ];
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/import");
        for (name, translate) in samples {
            let text = std::fs::read_to_string(dir.join(name)).unwrap();
            let imported = translate(&read(&text).unwrap(), "imported");
            for (suffix, said) in [("toml", imported.text()), ("report.txt", imported.report())] {
                let path = dir.join(format!("{name}.{suffix}"));
                if std::env::var_os("BLESS").is_some() {
                    std::fs::write(&path, &said).unwrap();
                }
                assert_eq!(std::fs::read_to_string(&path).unwrap(), said, "{name}.{suffix}");
            }
            let applied = tempfile::tempdir().unwrap();
            let desk = super::super::open_desk(applied.path()).unwrap();
            let entries = tollgate_store::embedded::FileEntries::open(&applied.path().join("e.db")).unwrap();
            let manner = tollgate_control::config::Manner::default();
            let plan = tollgate_control::config::apply(&desk, &entries, &imported.text(), manner);
            assert!(!plan.unwrap_or_else(|wrong| panic!("{name}: {wrong}")).is_empty());
        }
    }
}
