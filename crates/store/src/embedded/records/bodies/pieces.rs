//! Bodies that consist of others: which long strings are in them, and how they are put together again.
//!
//! Enters: bodies, or pieces. Leaves: the places of strings, or pieces and back. Never: understands JSON: a string is what stands between two quotation
//! marks, and where it does not, nothing is lost but room.

use std::io;
use std::ops::Range;

use memchr::{memchr, memrchr};
use serde::{Deserialize, Serialize};

use super::{Place, damaged};

/// A shorter string is left to the compressor.
pub(super) const STRING_MIN: usize = 256;
/// So many strings of a body are looked at. What is read to put a body together is bounded by it, too.
pub(super) const STRINGS_MAX: usize = 256;

/// Bytes that follow the pieces, and then bytes from elsewhere.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Piece {
    literal: u32,
    at: i64,
    len: u32,
}

/// The long strings of a body.
pub(super) struct Strings<'a> {
    body: &'a [u8],
    at: usize,
}

pub(super) fn strings(body: &[u8]) -> impl Iterator<Item = Range<usize>> {
    Strings { body, at: 0 }.take(STRINGS_MAX)
}

impl Iterator for Strings<'_> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        loop {
            let rest = &self.body[self.at..];
            // The last mark of a window ends only short strings, however many are before it.
            match memrchr(b'"', rest.get(..STRING_MIN)?) {
                Some(mark) => self.at += mark + 1,
                None => {
                    let len = memchr(b'"', &rest[STRING_MIN..]).map_or(rest.len(), |more| STRING_MIN + more);
                    let found = self.at..self.at + len;
                    self.at = found.end;
                    return Some(found);
                }
            }
        }
    }
}

/// Writes a body as pieces and what is between them. `known` are its parts that are elsewhere, in order. Returns where the literal bytes begin.
pub(super) fn write(body: &[u8], known: &[(Range<usize>, Place)], into: &mut Vec<u8>) -> io::Result<usize> {
    into.clear();
    let mut end = 0;
    let piece = |(part, place): &(Range<usize>, Place)| {
        let literal = part.start - std::mem::replace(&mut end, part.end);
        Piece { literal: literal as u32, at: place.at, len: place.len }
    };
    let pieces: Vec<Piece> = known.iter().map(piece).collect();
    postcard::to_io(&pieces, &mut *into).map_err(io::Error::other)?;
    let literals_at = into.len();
    let mut from = 0;
    for (part, _) in known {
        into.extend_from_slice(&body[from..part.start]);
        from = part.end;
    }
    into.extend_from_slice(&body[from..]);
    Ok(literals_at)
}

/// Puts a body together. `fetch` appends what is at a place.
pub(super) fn read(
    written: &[u8],
    mut fetch: impl FnMut(Place, &mut Vec<u8>) -> io::Result<()>,
) -> io::Result<Vec<u8>> {
    let cut = || damaged("a body in pieces is cut");
    let (pieces, mut literals): (Vec<Piece>, _) = postcard::take_from_bytes(written).map_err(|_| cut())?;
    if pieces.len() > STRINGS_MAX {
        return Err(damaged("a body has too many pieces"));
    }
    let mut body = Vec::new();
    for Piece { literal, at, len } in pieces {
        let (before, rest) = literals.split_at_checked(literal as usize).ok_or_else(cut)?;
        literals = rest;
        body.extend_from_slice(before);
        fetch(Place { at, len, pieces: false }, &mut body)?;
    }
    body.extend_from_slice(literals);
    Ok(body)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn found(body: &str) -> Vec<&str> {
        strings(body.as_bytes()).map(|part| &body[part]).collect()
    }

    #[test]
    fn long_strings_are_found_between_short_ones() {
        let (one, two, short) = ("a".repeat(STRING_MIN), "b".repeat(3 * STRING_MIN), "c".repeat(STRING_MIN - 1));
        assert_eq!(found(&format!("{{\"x\":\"{one}\",\"y\":\"{short}\",\"z\":[\"{two}\"]}}")), [&one, &two]);
        assert_eq!(found(&format!("\"{short}\"{short}\"{one}")), [&one]);
        assert_eq!(found(&two), [&two]);
        assert_eq!(found(&short), [""; 0]);
        assert_eq!(found(""), [""; 0]);
    }

    #[test]
    fn what_is_cut_into_pieces_comes_together_again() {
        let body: Vec<u8> = (0..200).collect();
        let place = |part: &Range<usize>| Place { at: part.start as i64, len: part.len() as u32, pieces: false };
        let cuts: [&[Range<usize>]; 4] = [&[], &[0..1, 1..5, 50..60], &[10..20, 199..200], &[0..100, 100..200]];
        for parts in cuts {
            let (mut written, known): (_, Vec<_>) =
                (Vec::new(), parts.iter().map(|part| (part.clone(), place(part))).collect());
            let literals_at = write(&body, &known, &mut written).unwrap();
            let elsewhere: usize = parts.iter().map(Range::len).sum();
            assert_eq!(written.len() - literals_at, body.len() - elsewhere);
            let fetch = |place: Place, into: &mut Vec<u8>| {
                into.extend_from_slice(&body[place.at as usize..][..place.len as usize]);
                Ok(())
            };
            assert_eq!(read(&written, fetch).unwrap(), body, "{parts:?}");
            assert!((0..literals_at).all(|cut| read(&written[..cut], fetch).is_err()));
        }
    }
}
