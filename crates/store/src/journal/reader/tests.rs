//! Damage at every byte, and frames of every size.
//!
//! Enters: segments written by the real writer, then cut or changed. Leaves: what the reader makes of them. Never: needs a clock or a thread.
#![allow(clippy::unwrap_used)]

use bytes::Bytes;
use tollgate_model::{Id, Ids, Moment};

use super::*;
use crate::journal::segment::Series;
use crate::sample::record;

/// Where the first segment begins.
const START: Position = Position { segment: 1, offset: 0 };

/// Writes a frame per record into a series of one segment, and says where each of them ends.
fn write(dir: &Path, bodies: &[&[u8]]) -> (Vec<Id>, Vec<usize>) {
    let (ids, mut series) = (Ids::new(), Series::new(dir.to_owned(), 1, u64::MAX));
    let mut written = (Vec::new(), Vec::new());
    for body in bodies {
        let (mut frame, record) = (Vec::new(), record(&ids, 1_795_000_000_000));
        let body = [Bytes::copy_from_slice(body)];
        frame::encode(&mut frame, series.salt(), &record, &body, &body).unwrap();
        let end = series.write(&frame, Moment::default()).end.unwrap();
        written.0.push(record.id);
        written.1.push(end.offset as usize);
    }
    written
}

fn read_all(dir: &Path, end: Option<Position>) -> (Vec<Id>, u64) {
    let (mut reader, mut ids, mut skipped) = (Reader::new(dir, START), Vec::new(), 0);
    while let Some(chunk) = reader.read(end).unwrap() {
        ids.extend(chunk.entries.iter().map(|entry| entry.record.id));
        skipped += chunk.skipped;
        let next = chunk.next;
        reader.advance(next);
    }
    (ids, skipped)
}

#[test]
fn a_tail_torn_at_any_byte_costs_only_the_last_frame() {
    let dir = tempfile::tempdir().unwrap();
    let (ids, ends) = write(dir.path(), &[b"one", b"two", b"three"]);
    let path = segment::path_of(dir.path(), 1);
    let whole = fs::read(&path).unwrap();
    assert_eq!(read_all(dir.path(), None), (ids.clone(), 0));
    for cut in ends[1]..ends[2] {
        fs::write(&path, &whole[..cut]).unwrap();
        assert_eq!(read_all(dir.path(), None), (ids[..2].to_vec(), (cut - ends[1]) as u64), "cut at {cut}");
    }
    for cut in 0..ends[0] {
        fs::write(&path, &whole[..cut]).unwrap();
        assert_eq!(read_all(dir.path(), None).0, [], "cut at {cut}");
    }
}

#[test]
fn a_damaged_byte_anywhere_costs_only_its_frame() {
    let dir = tempfile::tempdir().unwrap();
    let (ids, ends) = write(dir.path(), &[b"one", b"two", b"three"]);
    let path = segment::path_of(dir.path(), 1);
    let whole = fs::read(&path).unwrap();
    let left = [ids[0], ids[2]];
    for at in ends[0]..ends[1] {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x40;
        fs::write(&path, &damaged).unwrap();
        assert_eq!(read_all(dir.path(), None), (left.to_vec(), (ends[1] - ends[0]) as u64), "at {at}");
    }
    // Pages that never reached the disk read as zeros.
    let mut zeroed = whole.clone();
    zeroed[ends[0]..ends[1]].fill(0);
    fs::write(&path, &zeroed).unwrap();
    assert_eq!(read_all(dir.path(), None).0, left);
}

#[test]
fn frames_larger_than_a_chunk_and_across_its_end_are_read() {
    let dir = tempfile::tempdir().unwrap();
    let (small, middle, large) = (vec![1; 1_000], vec![2; CHUNK / 3], vec![3; 2 * CHUNK]);
    let (ids, _) = write(dir.path(), &[&small, &middle, &middle, &large, &small, &large]);
    assert_eq!(read_all(dir.path(), None), (ids, 0));
}

#[test]
fn nothing_is_read_beyond_where_the_writer_is() {
    let dir = tempfile::tempdir().unwrap();
    let (ids, ends) = write(dir.path(), &[b"one", b"two", b"three"]);
    for (written, end) in ends.iter().enumerate() {
        let end = Position { segment: 1, offset: *end as u64 };
        assert_eq!(read_all(dir.path(), Some(end)), (ids[..=written].to_vec(), 0));
    }
    assert_eq!(read_all(dir.path(), Some(START)), (Vec::new(), 0));
}

#[test]
fn a_body_cannot_pose_as_a_frame() {
    let dir = tempfile::tempdir().unwrap();
    let (mut forged, ids) = (Vec::new(), Ids::new());
    frame::encode(&mut forged, 0, &record(&ids, 1_795_000_000_000), &[], &[]).unwrap();
    let (_, ends) = write(dir.path(), &[&forged]);
    let path = segment::path_of(dir.path(), 1);
    let mut damaged = fs::read(&path).unwrap();
    damaged[HEADER + 20] ^= 1;
    fs::write(&path, &damaged).unwrap();
    assert_eq!(read_all(dir.path(), None), (Vec::new(), (ends[0] - HEADER) as u64));
}

#[test]
fn a_file_that_is_just_being_made_is_not_opened_before_it_has_its_header() {
    let dir = tempfile::tempdir().unwrap();
    File::create(segment::path_of(dir.path(), 1)).unwrap();
    let mut reader = Reader::new(dir.path(), Position::default());
    assert!(reader.read(Some(Position { segment: 1, offset: 0 })).unwrap().is_none());
    assert!(reader.open.is_none());
}
