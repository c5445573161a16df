//! The goals the project set itself, beside what was reached.
//!
//! Enters: results. Leaves: one line for each goal that could be judged. Never: rounds in the gateway's favour: the CPU
//! that is judged includes the writing of the log.

use std::fmt::Write;

use super::Results;
use crate::figures::median;
use crate::run::target::Kind;

struct Goal {
    what: &'static str,
    kind: Kind,
    figure: &'static str,
    to: Divisor,
    at_most: f64,
}

enum Divisor {
    Of(Kind),
    /// What it costs more.
    Over(Kind),
    Nothing,
}

const GOALS: &[Goal] = &[
    goal("CPU per request, everything on", Kind::Full, "cpu_drained_us", Divisor::Of(Kind::Proxy), 1.5),
    goal("CPU per cache hit, everything on", Kind::Cache, "cpu_drained_us", Divisor::Of(Kind::Proxy), 0.6),
    goal("CPU per stream of 100 chunks", Kind::Full, "stream_cpu_drained_us", Divisor::Of(Kind::Proxy), 1.25),
    goal("added TTFT p50", Kind::Full, "added_first_byte_p50_us", Divisor::Of(Kind::Proxy), 1.5),
    goal("CPU with logging over without", Kind::Full, "cpu_drained_us", Divisor::Of(Kind::Nolog), 1.25),
    goal("CPU of all limits, µs", Kind::Limits, "cpu_drained_us", Divisor::Over(Kind::Free), 5.0),
    goal("CPU per translated request", Kind::Translated, "cpu_drained_us", Divisor::Of(Kind::Unified), 1.6),
    goal("CPU per translated request of 100 KB", Kind::Translated, "large_cpu_us", Divisor::Of(Kind::Unified), 2.0),
    goal("CPU per translated stream", Kind::Translated, "stream_cpu_drained_us", Divisor::Of(Kind::Unified), 2.0),
    goal("RSS idle, MB", Kind::Full, "rss_idle_mb", Divisor::Nothing, 20.0),
    goal("RSS loaded, MB", Kind::Full, "rss_loaded_mb", Divisor::Nothing, 40.0),
    goal("start to first answer, ms", Kind::Full, "start_ms", Divisor::Nothing, 50.0),
];

const fn goal(what: &'static str, kind: Kind, figure: &'static str, to: Divisor, at_most: f64) -> Goal {
    Goal { what, kind, figure, to, at_most }
}

pub fn markdown(results: &Results) -> String {
    let mut text = String::new();
    for goal in GOALS {
        let each: Vec<f64> = results.reps().filter_map(|rep| goal.reached(results, rep)).collect();
        let Some(reached) = median(each.clone()) else { continue };
        if text.is_empty() {
            text.push_str("\n### Goals\n\n| goal | at most | reached | each repetition | |\n|---|---:|---:|---|---|\n");
        }
        let unit = match goal.to {
            Divisor::Of(other) => format!(" x {other}"),
            Divisor::Over(other) => format!(" more than {other}"),
            Divisor::Nothing => String::new(),
        };
        let each: Vec<String> = each.iter().map(|one| format!("{one:.2}")).collect();
        let verdict = if reached <= goal.at_most { "met" } else { "missed" };
        let Goal { what, at_most, .. } = goal;
        let _ = writeln!(text, "| {what} | {at_most}{unit} | {reached:.2} | {} | {verdict} |", each.join(", "));
    }
    text
}

impl Goal {
    fn reached(&self, results: &Results, rep: u32) -> Option<f64> {
        let figure = results.figure(self.kind, rep, self.figure)?;
        match self.to {
            Divisor::Of(other) => Some(figure / results.figure(other, rep, self.figure)?),
            Divisor::Over(other) => Some(figure - results.figure(other, rep, self.figure)?),
            Divisor::Nothing => Some(figure),
        }
    }
}
