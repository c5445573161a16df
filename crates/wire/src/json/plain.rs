//! Finds the bytes in a JSON string that mean something.
//!
//! Enters: text within a string. Leaves: lengths. Never: looks at what a letter is.

use memchr::memchr2;

/// How many bytes may stand in a string as they are: up to a quote, a backslash or a control character.
pub(super) fn plain(text: &[u8]) -> usize {
    let text = &text[..memchr2(b'"', b'\\', text).unwrap_or(text.len())];
    // Without a branch, so that it is done many bytes at a time.
    let lowest = text.iter().fold(u8::MAX, |lowest, byte| lowest.min(*byte));
    match lowest < b' ' {
        true => text.iter().position(|byte| *byte < b' ').unwrap_or(text.len()),
        false => text.len(),
    }
}

/// Of eight bytes, the high bit of each that cannot stand in a string as it is. The lowest bit set is right; those above it may not be.
pub(super) fn special(word: u64) -> u64 {
    const ONES: u64 = u64::MAX / 255;
    let zeros = |word: u64| word.wrapping_sub(ONES) & !word;
    let controls = word.wrapping_sub(ONES * b' ' as u64) & !word;
    (zeros(word ^ (ONES * b'"' as u64)) | zeros(word ^ (ONES * b'\\' as u64)) | controls) & (ONES << 7)
}

/// The length of an escape.
pub(super) fn escape(text: &[u8]) -> Option<usize> {
    match text.get(1)? {
        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(2),
        b'u' => text.get(2..6)?.iter().all(u8::is_ascii_hexdigit).then_some(6),
        _ => None,
    }
}
