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
/// Behind all of it.
const END: Position = Position { segment: 2, offset: 0 };
const NOW: u64 = 1_795_000_000_000;

/// Writes a frame per record into a series of one segment, and says where each of them ends.
fn write(dir: &Path, bodies: &[&[u8]]) -> (Vec<Id>, Vec<usize>) {
    let (ids, mut series) = (Ids::new(), Series::new(dir.to_owned(), 1, u64::MAX >> 1));
    bodies.iter().map(|body| append(&mut series, &ids, body)).unzip()
}

fn append(series: &mut Series, ids: &Ids, body: &[u8]) -> (Id, usize) {
    let (mut frame, record) = (Vec::new(), record(ids, NOW));
    let body = [Bytes::copy_from_slice(body)];
    frame::encode(&mut frame, &record, &body, &body).unwrap();
    let end = series.write(&mut frame, Moment::default()).end.unwrap();
    (record.id, end.offset as usize)
}

fn read_all(dir: &Path, end: Position) -> (Vec<Id>, u64) {
    let (mut reader, mut ids, mut skipped) = (Reader::new(dir, START), Vec::new(), 0);
    while let Some(chunk) = reader.read(end).unwrap() {
        ids.extend(chunk.entries.iter().map(|entry| entry.line.record().unwrap().id));
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
    assert_eq!(read_all(dir.path(), END), (ids.clone(), 0));
    for cut in ends[1]..ends[2] {
        fs::write(&path, &whole[..cut]).unwrap();
        assert_eq!(read_all(dir.path(), END), (ids[..2].to_vec(), (cut - ends[1]) as u64), "cut at {cut}");
    }
    for cut in 0..ends[0] {
        fs::write(&path, &whole[..cut]).unwrap();
        assert_eq!(read_all(dir.path(), END).0, [], "cut at {cut}");
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
        // With another salt it looks like one that the file held before, which nobody misses.
        let salt = (ends[0] + 4..ends[0] + 8).contains(&at);
        let skipped = if salt { 0 } else { ends[1] - ends[0] };
        assert_eq!(read_all(dir.path(), END), (left.to_vec(), skipped as u64), "at {at}");
    }
    // Pages that never reached the disk read as zeros.
    let mut zeroed = whole.clone();
    zeroed[ends[0]..ends[1]].fill(0);
    fs::write(&path, &zeroed).unwrap();
    assert_eq!(read_all(dir.path(), END).0, left);
}

#[test]
fn frames_larger_than_a_chunk_and_across_its_end_are_read() {
    let dir = tempfile::tempdir().unwrap();
    let (small, middle, large) = (vec![1; 1_000], vec![2; CHUNK / 3], vec![3; 2 * CHUNK]);
    let (ids, _) = write(dir.path(), &[&small, &middle, &middle, &large, &small, &large]);
    assert_eq!(read_all(dir.path(), END), (ids, 0));
}

#[test]
fn nothing_is_read_beyond_where_the_writer_is() {
    let dir = tempfile::tempdir().unwrap();
    let (ids, ends) = write(dir.path(), &[b"one", b"two", b"three"]);
    for (written, end) in ends.iter().enumerate() {
        let end = Position { segment: 1, offset: *end as u64 };
        assert_eq!(read_all(dir.path(), end), (ids[..=written].to_vec(), 0));
    }
    assert_eq!(read_all(dir.path(), START), (Vec::new(), 0));
}

#[test]
fn a_body_cannot_pose_as_a_frame() {
    let dir = tempfile::tempdir().unwrap();
    let (mut forged, ids) = (Vec::new(), Ids::new());
    frame::encode(&mut forged, &record(&ids, NOW), &[], &[]).unwrap();
    frame::seal(&mut forged, 0);
    write(dir.path(), &[&forged]);
    let path = segment::path_of(dir.path(), 1);
    let mut damaged = fs::read(&path).unwrap();
    damaged[HEADER + 30] ^= 1;
    fs::write(&path, &damaged).unwrap();
    assert_eq!(read_all(dir.path(), END).0, []);
}

#[test]
fn a_file_that_is_just_being_made_is_not_opened_before_it_has_its_header() {
    let dir = tempfile::tempdir().unwrap();
    File::create(segment::path_of(dir.path(), 1)).unwrap();
    let mut reader = Reader::new(dir.path(), Position::default());
    assert!(reader.read(START).unwrap().is_none());
    assert!(reader.open.is_none());
}

/// What a file that is used again holds behind the frames of its new segment, killed at any byte of writing them.
#[test]
fn what_a_file_held_before_is_not_read_again() {
    let (dir, ids) = (tempfile::tempdir().unwrap(), Ids::new());
    let (_, old) = write(dir.path(), &[b"one", b"two", b"three", b"four"]);
    let first = segment::path_of(dir.path(), 1);
    let before = fs::read(&first).unwrap();
    segment::retire(dir.path(), 1, true).unwrap();
    let mut series = Series::new(dir.path().to_owned(), 2, u64::MAX >> 1);
    let new = [append(&mut series, &ids, b"another"), append(&mut series, &ids, b"more")];
    assert!(!first.exists() && new[1].1 < old[3]);
    let path = segment::path_of(dir.path(), 2);
    let whole = fs::read(&path).unwrap();
    assert_eq!((whole.len(), &whole[new[1].1..]), (old[3], &before[new[1].1..]));
    let read = |expected: &[Id], what: &str| {
        let (mut reader, mut found, mut skipped) = (Reader::new(dir.path(), START), Vec::new(), 0);
        while let Some(chunk) = reader.read(Position { segment: 3, offset: 0 }).unwrap() {
            found.extend(chunk.entries.iter().map(|entry| entry.line.record().unwrap().id));
            skipped += chunk.skipped;
            let next = chunk.next;
            reader.advance(next);
        }
        assert_eq!(found, expected, "{what}");
        skipped
    };
    assert_eq!(read(&[new[0].0, new[1].0], "killed"), 0);
    for cut in new[0].1..new[1].1 {
        let torn = [&whole[..cut], &before[cut..]].concat();
        fs::write(&path, &torn).unwrap();
        assert!(read(&[new[0].0], &format!("torn at {cut}")) <= (old[3] - new[0].1) as u64);
    }
    fs::write(&path, &whole).unwrap();
    drop(series);
    assert_eq!(fs::read(&path).unwrap(), whole[..new[1].1]);
    assert_eq!(read(&[new[0].0, new[1].0], "closed"), 0);
}

#[test]
fn only_a_few_files_wait_to_be_used_again() {
    let dir = tempfile::tempdir().unwrap();
    for number in 1..=5 {
        fs::write(segment::path_of(dir.path(), number), "old").unwrap();
        segment::retire(dir.path(), number, number != 1).unwrap();
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
    segment::remove_spares(dir.path()).unwrap();
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}
