//! Does it grow? Very many requests, and the memory after each twentieth of them.
//!
//! Enters: how many. Leaves: a table of resident memory. Never: times anything.

use super::bench::Bench;
use super::phases::{ask, flags};
use super::say;
use super::target::{Kind, Target};
use crate::figures::median;

const SLICES: u64 = 20;

pub async fn run(bench: &Bench, requests: u64) -> anyhow::Result<()> {
    let preferred = [Kind::Full, Kind::Proxy].into_iter().find(|kind| bench.kinds.contains(kind));
    let kind = preferred.unwrap_or(bench.kinds[0]);
    let mut target = Target::start(bench, kind).await?;
    println!("## Memory of {kind} over {requests} requests\n\n| requests | RSS MB | peak MB |\n|---:|---:|---:|");
    let mut resident = Vec::new();
    for slice in 0..=SLICES {
        if slice > 0 {
            ask(
                bench,
                &mut target,
                &flags(&[("--count", requests / SLICES), ("--connections", 64), ("--seconds", 600)]),
            )
            .await?;
            target.process(bench).settle().await?;
        }
        let memory = target.process(bench).memory()?;
        println!("| {} | {:.1} | {:.1} |", target.sent, memory.resident_mb, memory.peak_mb);
        say(&format!("  soak {slice} of {SLICES}"));
        resident.push(memory.resident_mb);
    }
    // The first quarter fills pools and caches and has the highest peak; growth is what comes after it.
    let (early, late) = (median(resident[6..=10].to_vec()), median(resident[16..=20].to_vec()));
    if let (Some(early), Some(late)) = (early, late) {
        println!("\nGrowth from the second quarter to the last: {:.1} MB.", late - early);
    }
    if let Some(desk) = &target.desk {
        desk.wait_for_log(target.sent).await?;
        println!("Every request is in the log.");
    }
    target.stop().await
}
