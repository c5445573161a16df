//! The dials: what a caller may ask of the sandbox besides the answer.
//!
//! Enters: `sandbox-1:latency=300,status=429` as a model name, or the part after the colon in the header `tollgate-sandbox`.
//! Leaves: `Dials`, or a sentence that names the unknown dial and the one probably meant.
//! Never: takes a value beyond its limit: each row of the table says what it takes.
//!
//! The table in `dials::table` is the only list: parser, limits and the manual (`Dials::table()`) all come from it.

mod table;

use std::fmt::Write as _;
use std::time::Duration;

use table::TABLE;

use crate::faults::Fault;

pub const HEADER: &str = "tollgate-sandbox";
/// 2026-01-01T00:00:00Z: answers are the same today and tomorrow.
const CREATED: u64 = 1_767_225_600;

#[derive(Clone, Debug, PartialEq)]
pub struct Dials {
    pub latency: Duration,
    pub gap: Duration,
    /// Words a second.
    pub tps: Option<f64>,
    pub tokens: Option<u32>,
    pub chunks: Option<u32>,
    pub status: Option<u16>,
    pub retry_after: Option<String>,
    pub fail: Option<u32>,
    pub key: Option<String>,
    pub cut: Option<u32>,
    pub stall: Option<u32>,
    pub error: Option<u32>,
    pub garbage: Option<u32>,
    pub length: Option<WrongLength>,
    pub fault: Option<Fault>,
    pub usage: bool,
    pub input: Option<u32>,
    pub cached: u32,
    pub reasoning: u32,
    pub created: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WrongLength {
    /// `content-length` says less than is sent.
    Short,
    /// It says more, and the connection closes before that.
    Long,
}

/// One row of the table.
struct Dial {
    name: &'static str,
    takes: &'static str,
    says: &'static str,
    set: fn(&mut Dials, &str) -> Result<(), String>,
}

// === impl Dials ===

impl Dials {
    /// Splits a model name into the model and its dials. Only names of the sandbox's own models can carry dials, because
    /// other names have colons too (`llama3:8b`), and no model name is wrong here.
    pub fn split(model: &str) -> (&str, &str) {
        let name = model.rsplit('/').next().unwrap_or(model);
        match model.split_once(':') {
            Some((base, dials)) if name.starts_with("sandbox") => (base, dials),
            _ => (model, ""),
        }
    }

    /// Turns the dials that the text names; the others keep their position.
    pub fn turn(&mut self, text: &str) -> Result<(), String> {
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').map_or((part, ""), |(name, value)| (name.trim(), value.trim()));
            let dial = TABLE.iter().find(|dial| dial.name == name).ok_or_else(|| unknown(name))?;
            (dial.set)(self, value)
                .map_err(|found| format!("the sandbox dial \"{name}\" takes {}, not \"{found}\"", dial.takes))?;
        }
        Ok(())
    }

    /// The manual page, as a Markdown table.
    pub fn table() -> String {
        let mut page = String::from("| dial | takes | what it does |\n| --- | --- | --- |\n");
        for dial in TABLE {
            let _ = writeln!(page, "| `{}` | {} | {} |", dial.name, dial.takes, dial.says);
        }
        page
    }

    /// Leaves nothing that makes an answer go wrong: the times that `fail` asked for are over.
    pub(crate) fn forgive(&mut self) {
        (self.status, self.fault, self.length) = (None, None, None);
        (self.cut, self.stall, self.error, self.garbage) = (None, None, None, None);
    }

    /// What is to fail and was not told how refuses with 500.
    pub(crate) fn ensure_failure(&mut self) {
        let flaws = [self.cut, self.stall, self.error, self.garbage].iter().any(Option::is_some);
        if !flaws && self.status.is_none() && self.fault.is_none() && self.length.is_none() {
            self.status = Some(500);
        }
    }

    /// How long a piece of this many words takes to say.
    pub(crate) fn pace(&self, words: u64) -> Duration {
        let said = self.tps.map_or(Duration::ZERO, |tps| Duration::from_secs_f64(words as f64 / tps));
        self.gap + said.min(table::WAIT_MAX)
    }
}

impl Default for Dials {
    fn default() -> Self {
        Self {
            latency: Duration::ZERO,
            gap: Duration::ZERO,
            tps: None,
            tokens: None,
            chunks: None,
            status: None,
            retry_after: None,
            fail: None,
            key: None,
            cut: None,
            stall: None,
            error: None,
            garbage: None,
            length: None,
            fault: None,
            usage: true,
            input: None,
            cached: 0,
            reasoning: 0,
            created: CREATED,
        }
    }
}

fn unknown(name: &str) -> String {
    let nearest = TABLE
        .iter()
        .max_by(|one, other| strsim::jaro_winkler(one.name, name).total_cmp(&strsim::jaro_winkler(other.name, name)));
    let short: String = name.chars().take(40).collect();
    nearest
        .map_or_else(String::new, |dial| format!("unknown sandbox dial \"{short}\"; did you mean \"{}\"?", dial.name))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn turned(text: &str) -> Result<Dials, String> {
        let mut dials = Dials::default();
        dials.turn(text).map(|()| dials)
    }

    #[test]
    fn only_the_sandboxs_own_models_carry_dials() {
        for (model, base, dials) in [
            ("sandbox-1:latency=1,cut=2", "sandbox-1", "latency=1,cut=2"),
            ("sandbox/sandbox-1:status=500", "sandbox/sandbox-1", "status=500"),
            ("sandbox-1", "sandbox-1", ""),
            ("llama3:8b", "llama3:8b", ""),
            ("openai/gpt-oss-120b:free", "openai/gpt-oss-120b:free", ""),
        ] {
            assert_eq!(Dials::split(model), (base, dials));
        }
    }

    #[test]
    fn every_dial_is_turned_by_its_example_and_none_by_nonsense() {
        for dial in TABLE {
            let mut dials = Dials::default();
            let nonsense = (dial.set)(&mut dials, "\u{1}");
            assert!(nonsense.is_err(), "{} took nonsense", dial.name);
            assert_eq!(dials, Dials::default(), "{} changed something", dial.name);
        }
    }

    #[test]
    fn values_with_and_without_units() {
        let dials =
            turned(" latency=2s, gap = 500us ,tps=2.5,status=429,retry_after=2,usage=off,length=short").unwrap();
        assert_eq!((dials.latency, dials.gap), (Duration::from_secs(2), Duration::from_micros(500)));
        assert_eq!((dials.tps, dials.status, dials.retry_after.as_deref()), (Some(2.5), Some(429), Some("2")));
        assert_eq!((dials.usage, dials.length), (false, Some(WrongLength::Short)));
        assert_eq!(dials.pace(5), Duration::from_micros(2_000_500));
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, said) in [
            ("latencey=3", "unknown sandbox dial \"latencey\"; did you mean \"latency\"?"),
            ("latency=61s", "the sandbox dial \"latency\" takes milliseconds, or 2s, 500us; at most 60 s, not \"61s\""),
            ("tokens=100001", "the sandbox dial \"tokens\" takes 0 to 100,000, not \"100001\""),
            ("tps=0", "the sandbox dial \"tps\" takes 0.1 to 100,000, not \"0\""),
            ("status=200", "the sandbox dial \"status\" takes 400 to 599, not \"200\""),
        ] {
            assert_eq!(turned(text).unwrap_err(), said);
        }
    }
}
