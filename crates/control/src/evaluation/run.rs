//! Does what queued evaluations ask for.
//!
//! Enters: the queue. Leaves: results, and on the way how far it has come. Never: does half: an evaluation that was interrupted is begun anew, and its log is
//! that of the moment when it was asked for.

use tollgate_model::Record;
use tollgate_model::evaluation::State;
use tollgate_store::records::{Filter, Page, Walk};
use tollgate_store::{Entries, Records, StoreError};

use super::book::{Book, Queued, Versioned};
use super::evaluators::{self, Measured};
use crate::dataset;

const RECORDS_AT_ONCE: u32 = Page::SIZE_MAX;
/// Progress is written down each time so many records were seen: it costs a write to the disk.
const SAVE_EVERY: u64 = 50_000;
const CUT: &str = "The log could not be read completely";

/// What went on while an evaluation was at work.
enum Ended {
    Done(Vec<Measured>),
    /// It was deleted: nobody waits for it.
    Deleted,
    /// Some of the log could not be read.
    Cut,
}

/// Works until the queue is empty. An evaluation that cannot be done is marked so.
pub fn run_queued(entries: &dyn Entries, records: &dyn Records, now_ms: &dyn Fn() -> u64) -> Result<(), StoreError> {
    let book = Book(entries);
    while let Some(queued) = book.next()? {
        if let Err(cause) = run(&book, records, &queued, now_ms) {
            tracing::error!(%cause, id = queued.id, "an evaluation could not be done");
            fail(&book, &queued, now_ms)?;
        }
        book.leave_queue(&queued)?;
    }
    Ok(())
}

fn run(book: &Book<'_>, records: &dyn Records, queued: &Queued, now_ms: &dyn Fn() -> u64) -> Result<(), StoreError> {
    let Some(mut at_work) = book.find(queued)? else { return Ok(()) };
    let evaluation = &mut at_work.evaluation;
    let filter = Filter {
        to_ms: Some(evaluation.created_at),
        ..dataset::members(&evaluation.gateway, evaluation.logs_from_ms, &evaluation.datasets)
    };
    evaluation.total_logs = 0;
    evaluation.expected_logs = records.list(&filter, &Page::newest(0))?.total;
    evaluation.results.iter_mut().for_each(|finding| finding.state = State::Running);
    evaluation.modified_at = now_ms();
    if !book.save(&mut at_work)? {
        return Ok(());
    }
    match measure(book, records, &filter, &mut at_work)? {
        Ended::Done(measured) => conclude(&mut at_work, &measured, now_ms()),
        Ended::Cut => fail_all(&mut at_work, CUT, now_ms()),
        Ended::Deleted => return Ok(()),
    }
    book.save(&mut at_work).map(drop)
}

fn measure(
    book: &Book<'_>,
    records: &dyn Records,
    filter: &Filter,
    at_work: &mut Versioned,
) -> Result<Ended, StoreError> {
    let kinds = at_work.evaluation.results.iter().filter_map(|finding| evaluators::find(&finding.evaluation_type_id));
    let mut measured: Vec<Measured> = kinds.map(Measured::new).collect();
    let (mut walk, mut unsaved) = (Walk::default(), 0);
    loop {
        let part = records.walk(filter, walk, RECORDS_AT_ONCE)?;
        if !part.complete {
            return Ok(Ended::Cut);
        }
        part.records.iter().for_each(|record| see(&mut measured, record));
        at_work.evaluation.total_logs += part.records.len() as u64;
        unsaved += part.records.len() as u64;
        if unsaved >= SAVE_EVERY {
            unsaved = 0;
            if !book.save(at_work)? {
                return Ok(Ended::Deleted);
            }
        }
        match part.next {
            Some(place) => walk.behind = Some(place),
            None => return Ok(Ended::Done(measured)),
        }
    }
}

fn see(measured: &mut [Measured], record: &Record) {
    measured.iter_mut().for_each(|each| each.see(record));
}

fn conclude(at_work: &mut Versioned, measured: &[Measured], now_ms: u64) {
    let evaluation = &mut at_work.evaluation;
    evaluation.modified_at = now_ms;
    for (finding, measured) in evaluation.results.iter_mut().zip(measured) {
        finding.total_logs = measured.count();
        finding.modified_at = now_ms;
        match measured.result() {
            Ok(result) => (finding.result, finding.state) = (result, State::Done),
            Err(why) => (finding.why, finding.state) = (Some(why.to_owned()), State::Failed),
        }
    }
}

fn fail_all(at_work: &mut Versioned, why: &str, now_ms: u64) {
    let evaluation = &mut at_work.evaluation;
    evaluation.modified_at = now_ms;
    for finding in &mut evaluation.results {
        (finding.why, finding.state, finding.modified_at) = (Some(why.to_owned()), State::Failed, now_ms);
    }
}

fn fail(book: &Book<'_>, queued: &Queued, now_ms: &dyn Fn() -> u64) -> Result<(), StoreError> {
    let Some(mut at_work) = book.find(queued)? else { return Ok(()) };
    fail_all(&mut at_work, "The log could not be read", now_ms());
    book.save(&mut at_work).map(drop)
}
