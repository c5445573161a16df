//! A thousand a minute, and three thousand at the edge: threads that take places at the same time, in injected time.
#![allow(clippy::unwrap_used)]

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Barrier, Mutex};

use tollgate_model::gateway::Technique;
use tollgate_rules::limit::{Limit, Take, Windows};
use tollgate_rules::memory::Mark;

const LIMIT: usize = 1_000;
const MINUTE_MS: u64 = 60_000;
const THREADS: usize = 60;
/// 3,000 in all.
const EACH: usize = 50;
/// On a minute of the clock, where counting by fixed windows would let twice as many pass.
const EDGE_MS: u64 = 1_795_000_020_000;

/// 3,000 attempts at once, while the clock moves on by `drift_ms`; when those were that found a place.
fn burst(windows: &Mutex<Windows>, at_ms: u64, drift_ms: u64) -> Vec<u64> {
    let limit = Limit { requests: LIMIT as u64, interval_ms: MINUTE_MS, technique: Technique::Sliding };
    let take = Take { mark: Mark::of(&["g"]), shared: Mark::of(&["g"]), limit };
    let (begin, asked) = (Barrier::new(THREADS), AtomicU64::new(0));
    let one = || {
        begin.wait();
        let mut admitted = Vec::new();
        for _ in 0..EACH {
            let mut windows = windows.lock().unwrap();
            let count = asked.fetch_add(1, Ordering::SeqCst);
            let now_ms = at_ms + count * drift_ms / (THREADS * EACH) as u64;
            if windows.take(&[take], now_ms, |_, _| {}).is_ok() {
                admitted.push(now_ms);
            }
        }
        admitted
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(one)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    })
}

/// How many were admitted in the minute that begins with each of them.
fn minutes(admitted: &[u64]) -> impl Iterator<Item = usize> {
    let mut until = 0;
    admitted.iter().enumerate().map(move |(at, from_ms)| {
        until += admitted[until..].iter().take_while(|other| **other < from_ms + MINUTE_MS).count();
        until - at
    })
}

#[test]
fn of_three_thousand_at_once_at_an_edge_exactly_a_thousand_pass_in_any_minute() {
    for drift_ms in [0, 2_000] {
        let windows = Mutex::new(Windows::default());
        let mut admitted = burst(&windows, EDGE_MS - drift_ms / 2, drift_ms);
        assert_eq!(admitted.len(), LIMIT, "drift {drift_ms}");
        // Again and again for five minutes: there is always somebody who wants a place.
        for at_ms in (EDGE_MS + 2_000..EDGE_MS + 5 * MINUTE_MS).step_by(4_999) {
            admitted.extend(burst(&windows, at_ms, drift_ms.min(900)));
        }
        admitted.sort_unstable();
        let most = minutes(&admitted).max().unwrap();
        assert_eq!(most, LIMIT, "drift {drift_ms}");
        // While the demand lasts no place stays empty for longer than from one burst to the next.
        assert!(admitted.len() >= 4 * LIMIT, "{} in five minutes, drift {drift_ms}", admitted.len());
    }
}
