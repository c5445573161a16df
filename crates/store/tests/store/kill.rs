//! `kill -9` at any moment loses nothing whose `Written` had resolved, and doubles nothing.

use std::collections::HashSet;
use std::env;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tollgate_model::{Clock, Id, Ids};
use tollgate_store::records::{Filter, Page, Records, Which};
use tollgate_store::{Ingest, Journal};

use crate::pipeline::{PATIENCE, quick, small_segments};
use crate::records_suite::embedded;
use crate::sample::{Dice, bodies, record};

const ROUNDS: u64 = 60;
const CHILD: &str = "TOLLGATE_STORE_TEST_KILL";

#[test]
fn nothing_acknowledged_is_lost_and_nothing_is_doubled() {
    if let Some(dir) = env::var_os(CHILD) {
        serve_until_killed(Path::new(&dir));
    }
    let (dir, mut dice) = (tempfile::tempdir().unwrap(), Dice(5));
    let mut acknowledged = Vec::new();
    for _ in 0..ROUNDS {
        let mut child = spawn(dir.path());
        let heard = child.stdout.take().unwrap();
        let heard = thread::spawn(move || acknowledged_ids(heard));
        thread::sleep(Duration::from_micros(20_000 + dice.roll(60_000)));
        child.kill().unwrap();
        child.wait().unwrap();
        acknowledged.extend(heard.join().unwrap());
    }
    assert!(acknowledged.len() > 100, "the child got nowhere: {}", acknowledged.len());
    check(dir.path(), &acknowledged);
}

fn spawn(dir: &Path) -> Child {
    Command::new(env::current_exe().unwrap())
        .args(["--exact", "kill::nothing_acknowledged_is_lost_and_nothing_is_doubled", "--nocapture"])
        .env(CHILD, dir)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Whole lines only: the last one may have been cut.
fn acknowledged_ids(heard: ChildStdout) -> Vec<Id> {
    let mut ids = Vec::new();
    let (mut heard, mut line) = (BufReader::new(heard), String::new());
    while heard.read_line(&mut line).unwrap() > 0 {
        let id = line.strip_suffix('\n').and_then(|line| line.strip_prefix("written "));
        ids.extend(id.map(|id| id.parse::<Id>().unwrap()));
        line.clear();
    }
    ids
}

/// As a server would: two workers, each with a runtime of its own, while the ingest thread moves what they write. Segments are small and the store
/// is synced often, so that the kill falls into rotations, checkpoints and removals too.
fn serve_until_killed(dir: &Path) -> ! {
    let journal = Arc::new(Journal::open(&dir.join("journal"), small_segments(), Arc::default()).unwrap());
    let store = Arc::new(embedded(&dir.join("logs")));
    let _ingest = Ingest::start(journal.clone(), store, quick()).unwrap();
    let ids = Arc::new(Ids::new());
    thread::scope(|scope| {
        for worker in 0..2 {
            let (journal, ids) = (&journal, &ids);
            scope.spawn(move || serve(journal, worker, ids));
        }
    });
    unreachable!("the workers serve for ever")
}

fn serve(journal: &Journal, worker: usize, ids: &Arc<Ids>) {
    let writer = journal.writer(worker).unwrap();
    // The second has threads of its own: a record acknowledged too early would be heard of while its write is still to come.
    let runtime = match worker {
        0 => tokio::runtime::Builder::new_current_thread().build().unwrap(),
        _ => tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap(),
    };
    runtime.block_on(async {
        tokio::spawn(writer.clone().run());
        for caller in 0..8 {
            let (writer, ids) = (writer.clone(), ids.clone());
            tokio::spawn(async move {
                let mut dice = Dice(caller);
                loop {
                    let record = record(&ids, Clock::System.unix_ms());
                    let (request, response) = bodies(&mut dice, record.id);
                    writer.append(&record, &[request], &[response]).await.unwrap();
                    let mut said = std::io::stdout().lock();
                    writeln!(said, "written {}", record.id).unwrap();
                    said.flush().unwrap();
                }
            });
        }
        std::future::pending::<()>().await
    });
}

fn check(dir: &Path, acknowledged: &[Id]) {
    let journal = Arc::new(Journal::open(&dir.join("journal"), small_segments(), Arc::default()).unwrap());
    let store = Arc::new(embedded(&dir.join("logs")));
    let ingest = Ingest::start(journal, store.clone(), quick()).unwrap();
    assert!(ingest.catch_up(PATIENCE));
    let mut found = HashSet::new();
    let total = store.list(&Filter::default(), &Page::newest(1)).unwrap().total;
    for skip in (0..total).step_by(1_000) {
        let page = Page { skip, ..Page::newest(1_000) };
        for record in store.list(&Filter::default(), &page).unwrap().records {
            assert!(found.insert(record.id), "{} is there twice", record.id);
        }
    }
    assert_eq!((found.len() as u64, store.rows("default").unwrap()), (total, total));
    for id in acknowledged {
        assert!(found.contains(id), "{id} is lost");
    }
    for id in acknowledged.iter().step_by(37) {
        let body = store.body(*id, Which::Response).unwrap().unwrap();
        assert!(String::from_utf8_lossy(&body.bytes).contains(&id.to_string()), "{id} has another's answer");
    }
}
