//! On what was measured: figures without their machine mean nothing.
//!
//! Enters: files under /proc. Leaves: a few facts. Never: names the host or its user.

use std::fs;

use serde_json::{Value, json};

pub fn describe(target_core: Option<usize>) -> Value {
    let processor = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = processor.lines().find_map(|line| line.strip_prefix("model name")?.split(':').nth(1));
    json!({
        "processor": model.unwrap_or("unknown").trim(),
        "cores": std::thread::available_parallelism().map_or(0, usize::from).max(processor.matches("processor\t").count()),
        "kernel": fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default().trim(),
        "load_average_before": fs::read_to_string("/proc/loadavg").unwrap_or_default().split(' ').next(),
        "target_core": target_core,
    })
}

pub fn line(machine: &Value) -> String {
    let text = |name: &str| machine[name].as_str().unwrap_or_default().to_owned();
    let placed = if machine["target_core"].is_null() { "processes not pinned" } else { "target alone on one core" };
    format!(
        "{} cores of {}, Linux {}, load average {} before the run, {placed}, loopback, no TLS.",
        machine["cores"],
        text("processor"),
        text("kernel"),
        text("load_average_before")
    )
}
