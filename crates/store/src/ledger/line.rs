//! Lines of the ledger as bytes.
//!
//! Enters: lines that belong together, or bytes of a file. Leaves: a frame, or all lines up to where the bytes stop making sense.
//! Never: returns half a frame.

use super::Line;

const MAGIC: [u8; 4] = *b"TGm1";
const HEADER: usize = 12;
const LINE: usize = 40;

pub(super) fn encode(lines: &[Line], into: &mut Vec<u8>) {
    let start = into.len();
    into.extend_from_slice(&MAGIC);
    into.extend_from_slice(&(lines.len() as u32).to_le_bytes());
    into.extend_from_slice(&[0; 4]);
    for line in lines {
        into.extend_from_slice(&line.budget.to_le_bytes());
        for number in [line.from_ms, line.until_ms, line.amount] {
            into.extend_from_slice(&number.to_le_bytes());
        }
    }
    let sum = crc32fast::hash(&into[start + HEADER..]);
    into[start + 8..start + HEADER].copy_from_slice(&sum.to_le_bytes());
}

/// Whole frames only: nothing is behind a torn one, because its writer did not live on.
pub(super) fn decode(mut bytes: &[u8]) -> Vec<Line> {
    let mut lines = Vec::new();
    while let Some((frame, rest)) = frame(bytes) {
        lines.extend(frame.chunks_exact(LINE).map(read));
        bytes = rest;
    }
    lines
}

fn frame(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (header, rest) = bytes.split_at_checked(HEADER)?;
    let count = u32::from_le_bytes(header[4..8].try_into().ok()?) as usize;
    let (lines, rest) = rest.split_at_checked(count.checked_mul(LINE)?)?;
    let whole = header[..4] == MAGIC && header[8..] == crc32fast::hash(lines).to_le_bytes();
    whole.then_some((lines, rest))
}

fn read(bytes: &[u8]) -> Line {
    let number = |at: usize| bytes[at..at + 8].iter().rev().fold(0, |sum, byte| (sum << 8) | u64::from(*byte));
    let budget = bytes[..16].iter().rev().fold(0, |sum, byte| (sum << 8) | u128::from(*byte));
    Line { budget, from_ms: number(16), until_ms: number(24), amount: number(32) }
}
