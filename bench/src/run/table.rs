//! What was found, for people and for programs.
//!
//! Enters: samples of each target and repetition. Leaves: Markdown and JSON. Never: shows a figure that was not measured:
//! what is missing is a dash, what failed is told.
//!
//! A ratio is taken within a repetition, against the proxy measured moments before or after, and then the median of the
//! ratios: a machine that is slower in one repetition is slower for both.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::bench::Bench;
use super::phases::Sample;
use super::target::Kind;
use super::{Options, say};
use crate::figures::median;

mod goals;
mod machine;

pub struct Results {
    options: Options,
    kinds: Vec<Kind>,
    machine: Value,
    samples: BTreeMap<(Kind, u32), Sample>,
    faults: Vec<String>,
}

/// A column: the figure's name, its title, digits after the point, and whether its ratio to the proxy is of interest.
struct Column(&'static str, &'static str, usize, bool);

const TABLES: &[(&str, &[Column])] = &[
    (
        "Requests",
        &[
            Column("requests_per_second", "req/s", 0, false),
            Column("cpu_us", "CPU µs/req until last answer", 1, true),
            Column("cpu_drained_us", "CPU µs/req, log written", 1, true),
            Column("large_cpu_us", "the same, 100 KB", 1, false),
            Column("user_us", "user", 1, false),
            Column("sys_us", "sys", 1, false),
            Column("rss_idle_mb", "RSS idle MB", 1, false),
            Column("rss_loaded_mb", "RSS loaded MB", 1, false),
            Column("rss_peak_mb", "RSS peak MB", 1, false),
            Column("start_ms", "start ms", 1, false),
        ],
    ),
    (
        "Latency at a fixed rate, and streams",
        &[
            Column("p50_us", "p50 µs", 0, false),
            Column("added_p50_us", "added p50 µs", 0, true),
            Column("added_p99_us", "added p99 µs", 0, false),
            Column("slow_cpu_us", "CPU µs/req at that rate", 0, true),
            Column("stream_cpu_drained_us", "CPU µs/stream", 0, true),
            Column("arrivals_per_stream", "reads/stream", 1, false),
            Column("added_first_byte_p50_us", "added TTFT p50 µs", 0, true),
            Column("added_first_byte_p99_us", "added TTFT p99 µs", 0, false),
            Column("gap_p99_us", "gap p99 µs", 0, false),
        ],
    ),
];

/// Figures that are also shown as what a target adds to the direct way.
const ADDED: &[(&str, &str)] = &[
    ("p50_us", "added_p50_us"),
    ("p99_us", "added_p99_us"),
    ("first_byte_p50_us", "added_first_byte_p50_us"),
    ("first_byte_p99_us", "added_first_byte_p99_us"),
];

impl Results {
    pub fn new(bench: &Bench) -> Self {
        Self {
            options: bench.options.clone(),
            kinds: bench.kinds.clone(),
            machine: machine::describe(bench.target_core),
            samples: BTreeMap::new(),
            faults: Vec::new(),
        }
    }

    pub fn add(&mut self, kind: Kind, rep: u32, sample: Sample) {
        self.samples.entry((kind, rep)).or_default().extend(sample);
    }

    pub fn fault(&mut self, kind: Kind, rep: u32, fault: &anyhow::Error) {
        let line = format!("{kind}, repetition {}: {fault:#}", rep + 1);
        say(&format!("  FAILED {line}"));
        self.faults.push(line);
    }

    pub fn markdown(&self) -> String {
        let mut text = format!("## Bench\n\n{}\n", machine::line(&self.machine));
        if self.options.reps == 0 {
            return text; // only probes were asked for
        }
        text.push_str(&self.method());
        for (title, columns) in TABLES {
            let _ = writeln!(text, "\n### {title}\n");
            self.table(&mut text, columns);
        }
        text.push_str(&goals::markdown(self));
        for fault in &self.faults {
            let _ = writeln!(text, "\nFAILED: {fault}");
        }
        text
    }

    /// Writes everything that was measured, every repetition of it, and the text beside it; the path of the data.
    pub fn write(&self, folder: &Path, text: &str) -> anyhow::Result<PathBuf> {
        std::fs::create_dir_all(folder)?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        let samples: Vec<Value> = self
            .samples
            .iter()
            .map(|((kind, rep), sample)| json!({ "target": kind, "repetition": rep, "figures": sample }))
            .collect();
        let all = json!({
            "unix_seconds": now, "machine": self.machine, "options": self.options, "samples": samples, "faults": self.faults,
        });
        let path = folder.join(format!("{now}.json"));
        std::fs::write(&path, serde_json::to_vec_pretty(&all)?)?;
        std::fs::write(path.with_extension("md"), text)?;
        Ok(path)
    }

    fn method(&self) -> String {
        let options = &self.options;
        format!(
            "\nMedians of {} repetitions, in brackets the median of their ratios to the minimal proxy. {} requests at {} connections, \
             bodies of 1 KB, answers of 1.2 KB; latency at {} requests per second; {} streams of 102 writes {} ms apart, {} at once. \
             The CPU of `direct` is that of the mock.\n",
            options.reps,
            options.requests,
            options.connections,
            options.rate,
            options.streams,
            options.gap_ms,
            options.concurrent,
        )
    }

    fn table(&self, text: &mut String, columns: &[Column]) {
        let titles: Vec<&str> = columns.iter().map(|column| column.1).collect();
        let _ = writeln!(text, "| target | {} |\n|---{}|", titles.join(" | "), "|---:".repeat(columns.len()));
        for kind in &self.kinds {
            let cells: Vec<String> = columns.iter().map(|column| self.cell(*kind, column)).collect();
            let _ = writeln!(text, "| {kind} | {} |", cells.join(" | "));
        }
    }

    fn cell(&self, kind: Kind, Column(name, _, digits, ratio): &Column) -> String {
        let Some(value) = self.median(kind, name) else { return "-".to_owned() };
        match self.ratio(kind, name).filter(|_| *ratio) {
            Some(ratio) => format!("{value:.digits$} ({ratio:.2}x)"),
            None => format!("{value:.digits$}"),
        }
    }

    fn median(&self, kind: Kind, name: &str) -> Option<f64> {
        median(self.reps().filter_map(|rep| self.figure(kind, rep, name)).collect())
    }

    /// The median over the repetitions of this target's figure divided by the proxy's.
    fn ratio(&self, kind: Kind, name: &str) -> Option<f64> {
        let within = |rep| Some(self.figure(kind, rep, name)? / self.figure(Kind::Proxy, rep, name)?);
        median(self.reps().filter_map(within).collect())
    }

    fn reps(&self) -> std::ops::Range<u32> {
        0..self.options.reps
    }

    fn figure(&self, kind: Kind, rep: u32, name: &str) -> Option<f64> {
        let plain = |kind, name: &str| self.samples.get(&(kind, rep))?.get(name).copied();
        match ADDED.iter().find(|(_, added)| *added == name) {
            Some(_) if kind == Kind::Direct => None,
            Some((whole, _)) => Some(plain(kind, whole)? - plain(Kind::Direct, whole)?),
            None => plain(kind, name),
        }
    }
}
