//! One record and its bodies as bytes of the journal.
//!
//! Enters: a record and the pieces of two bodies, or bytes of a segment. Leaves: a frame, or what a frame holds.
//! Never: trusts a length before the checksum over it was right.
//!
//! ```text
//! "TGr2" | salt u32 | length u32 | crc32 u32 |  version u8 | shape length u32 | record length u32 | request length u32 | record | request | response
//!                                             '------------------------------ length ----------------------------------------------------------'
//! ```
//! Numbers are little-endian. The checksum covers the length and all that follows, and starts from the segment's salt: bytes that a caller sent in
//! a body cannot pose as a frame, whatever is damaged around them. The salt is also written out: a frame with another one is left over from what the
//! file held before it was used again, and no damage. A frame is encoded before it is known which file it goes to, and sealed when it is.

use bytes::Bytes;
use crc32fast::Hasher;
use tollgate_model::Record;
use tollgate_model::record::RECORD_VERSION;

use crate::records::Entry;
use crate::records::line::{self, Line};

pub(crate) const MAGIC: [u8; 4] = *b"TGr2";
const HEADER: usize = 16;
/// Version and the three inner lengths.
const PREFACE: usize = 13;
/// Larger than any request and answer that the log keeps. A length beyond it is damage, not a frame.
pub(crate) const FRAME_MAX: usize = 48 << 20;

/// What a frame holds, still in the buffer it was read into.
#[derive(Debug)]
pub(crate) struct Frame<'a> {
    pub(crate) entry: Entry<'a>,
    pub(crate) len: usize,
}

#[derive(Debug)]
pub(crate) enum Unread {
    /// It may be whole once there are more bytes.
    Short,
    /// Written to this file before it was this segment.
    Stale,
    Damaged,
}

#[derive(Debug)]
pub(crate) struct TooLarge;

/// Appends a frame to `buffer`, to be sealed, or leaves it as it was.
pub(crate) fn encode(
    buffer: &mut Vec<u8>,
    record: &Record,
    request: &[Bytes],
    response: &[Bytes],
) -> Result<(), TooLarge> {
    let start = buffer.len();
    buffer.reserve(HEADER + PREFACE + 512 + total(request) + total(response));
    buffer.extend_from_slice(&[0; HEADER + PREFACE]);
    let record_at = buffer.len();
    let written = line::encode(record, buffer);
    let record_len = buffer.len() - record_at;
    extend(buffer, request);
    extend(buffer, response);
    let frame = &mut buffer[start..];
    let (Ok(shape_len), false) = (written, frame.len() > FRAME_MAX) else {
        buffer.truncate(start);
        return Err(TooLarge);
    };
    frame[..4].copy_from_slice(&MAGIC);
    frame[HEADER] = RECORD_VERSION;
    let mut put = |at: usize, number: usize| frame[at..at + 4].copy_from_slice(&(number as u32).to_le_bytes());
    put(HEADER + 1, shape_len);
    put(HEADER + 5, record_len);
    put(HEADER + 9, total(request));
    let length = frame.len() - HEADER;
    frame[8..12].copy_from_slice(&(length as u32).to_le_bytes());
    Ok(())
}

fn total(pieces: &[Bytes]) -> usize {
    pieces.iter().map(Bytes::len).sum()
}

fn extend(buffer: &mut Vec<u8>, pieces: &[Bytes]) {
    for piece in pieces {
        buffer.extend_from_slice(piece);
    }
}

/// Makes frames that we encoded ourselves those of one segment.
pub(crate) fn seal(mut frames: &mut [u8], salt: u32) {
    while let Ok(Some(span)) = span(frames) {
        let Some((frame, rest)) = frames.split_at_mut_checked(span) else { return };
        let sum = checksum(salt, &frame[8..12], &frame[HEADER..]);
        frame[4..8].copy_from_slice(&salt.to_le_bytes());
        frame[12..HEADER].copy_from_slice(&sum.to_le_bytes());
        frames = rest;
    }
}

fn checksum(salt: u32, length: &[u8], payload: &[u8]) -> u32 {
    let mut hasher = Hasher::new_with_initial(salt);
    hasher.update(length);
    hasher.update(payload);
    hasher.finalize()
}

/// Reads the frame at the start of `bytes`.
pub(crate) fn decode(bytes: &[u8], salt: u32) -> Result<Frame<'_>, Unread> {
    let Some(len) = span(bytes)? else { return Err(Unread::Short) };
    if number(&bytes[4..]) != salt {
        return Err(Unread::Stale);
    }
    let Some(frame) = bytes.get(..len) else { return Err(Unread::Short) };
    let payload = &frame[HEADER..];
    if checksum(salt, &frame[8..12], payload) != number(&frame[12..]) || payload[0] != RECORD_VERSION {
        return Err(Unread::Damaged);
    }
    let [shape_len, record_len, request_len] = [1, 5, 9].map(|at| number(&payload[at..]) as usize);
    let rest = &payload[PREFACE..];
    let (record, bodies) = rest.split_at_checked(record_len).ok_or(Unread::Damaged)?;
    let (shape, mark_and_rest) = record.split_at_checked(shape_len).ok_or(Unread::Damaged)?;
    let (request, response) = bodies.split_at_checked(request_len).ok_or(Unread::Damaged)?;
    Ok(Frame { entry: Entry { line: Line { shape, mark_and_rest }, request, response }, len })
}

/// The length of the whole frame by its header; `None` when even that is cut.
fn span(bytes: &[u8]) -> Result<Option<usize>, Unread> {
    let magic = bytes.len().min(MAGIC.len());
    if bytes[..magic] != MAGIC[..magic] {
        return Err(Unread::Damaged);
    }
    if bytes.len() < HEADER {
        return Ok(None);
    }
    let len = HEADER + number(&bytes[8..]) as usize;
    if (HEADER + PREFACE..=FRAME_MAX).contains(&len) { Ok(Some(len)) } else { Err(Unread::Damaged) }
}

/// How many bytes the first frame says it has.
pub(crate) fn need(bytes: &[u8]) -> Option<usize> {
    span(bytes).ok().flatten()
}

fn number(bytes: &[u8]) -> u32 {
    bytes.iter().take(4).rev().fold(0, |sum, byte| (sum << 8) | u32::from(*byte))
}

/// Of frames that we encoded ourselves: how many are whole within the first `len` bytes, and where the last of them ends.
pub(crate) fn whole(frames: &[u8], len: usize) -> (u64, usize) {
    let (mut count, mut end) = (0, 0);
    while let Ok(Some(span)) = span(&frames[end..]) {
        if end + span > len {
            break;
        }
        (count, end) = (count + 1, end + span);
    }
    (count, end)
}
