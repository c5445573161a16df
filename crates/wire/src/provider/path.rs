//! Judges the part of a path that a caller wrote, before it is joined to a provider's.
//!
//! Enters: path and query as received. Leaves: yes, or what is wrong with them. Never: changes or decodes what goes on:
//! a provider hears its own escapes, and signatures cover them.
//!
//! A dot segment could climb out of the base URL's path, for instance out of the one deployment that a key was meant for. Servers disagree
//! on how many ways there are to spell one, so every spelling known to us is refused: percent-encoded, encoded twice, parted by an
//! encoded slash or a backslash, or followed by `;parameters`.

use percent_encoding::percent_decode_str;

use super::fault::{Misdirected, quoted};

/// Bytes that may stand in a path: those that HTTP libraries let pass, but for the backslash, which some servers take for a slash.
const IN_PATH: [bool; 256] = graphic_but(b"#<>`?\\");

pub(super) fn check(path: &str) -> Result<(), Misdirected> {
    if !path.bytes().all(|byte| IN_PATH[usize::from(byte)]) {
        let found = path.chars().find(|found| !found.is_ascii() || !IN_PATH[*found as usize]);
        return Err(wrong_character("request path", found.unwrap_or_default()));
    }
    // Every spelling of a dot segment has one of these in it, and most paths have neither.
    if memchr::memchr2(b'.', b'%', path.as_bytes()).is_none() {
        return Ok(());
    }
    match path.split('/').find(|segment| is_dotted(segment)) {
        None => Ok(()),
        Some(segment) => Err(Misdirected::new(
            "request path",
            format!("{} is a dot segment, which could lead out of the provider's base URL", quoted(segment)),
            "send the path it stands for",
        )),
    }
}

/// Nobody takes a query for a path: all that HTTP libraries let pass goes on.
pub(super) fn check_query(query: &str) -> Result<(), Misdirected> {
    const IN_QUERY: [bool; 256] = graphic_but(b"#<>\"");
    match query.chars().find(|found| found.is_ascii() && !IN_QUERY[*found as usize]) {
        None => Ok(()),
        Some(found) => Err(wrong_character("request query", found)),
    }
}

const fn graphic_but(excluded: &[u8]) -> [bool; 256] {
    let mut table = [false; 256];
    let mut byte = b'!';
    while byte <= b'~' {
        table[byte as usize] = true;
        byte += 1;
    }
    let mut at = 0;
    while at < excluded.len() {
        table[excluded[at] as usize] = false;
        at += 1;
    }
    table
}

fn wrong_character(place: &str, found: char) -> Misdirected {
    let wrong = format!("{} cannot stand in it", quoted(found.encode_utf8(&mut [0; 4])));
    Misdirected::new(place, wrong, "percent-encode it")
}

fn is_dotted(segment: &str) -> bool {
    if !segment.contains('%') {
        return is_dot(segment);
    }
    let once = percent_decode_str(segment).decode_utf8_lossy();
    let twice = percent_decode_str(&once).decode_utf8_lossy();
    [segment, &*once, &*twice].iter().any(|text| text.split(['/', '\\']).any(is_dot))
}

fn is_dot(part: &str) -> bool {
    matches!(part.split(';').next(), Some("." | ".."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_spelling_of_a_dot_segment_passes() {
        for path in [
            "..",
            ".",
            "../x",
            "a/../b",
            "a/./b",
            "a/..",
            "%2e%2e/x",
            "a/%2E%2e",
            ".%2e",
            "%2e",
            "%252e%252e/x",
            "..%2fx",
            "..%2Fx",
            "a%2f..%2fb",
            "..%5cx",
            "a%5c..",
            "..;/x",
            "..;a=b/x",
            "%2e%2e;/x",
            "..%3b/x",
            "%2e%2e%2f%2e%2e",
            "..%252fx",
        ] {
            assert!(check(path).is_err(), "{path}");
        }
    }

    #[test]
    fn what_only_looks_like_one_passes() {
        for path in [
            "",
            "a",
            "a/b",
            "a//b",
            "...",
            "a../b",
            "..a",
            "a.b/c",
            "m:0/x",
            "amazon.nova-lite-v1%3A0/converse",
            "%2E%2Ex",
            "arn%3Aaws%3Abedrock%3Aus-east-1%3A0%3Ainference-profile%2Fus.anthropic.claude/converse",
            "x%2F%2Fy",
            "a;b",
            "@cf/m/l-3.1",
        ] {
            assert_eq!(check(path), Ok(()), "{path}");
        }
    }

    #[test]
    fn characters_that_cannot_stand_in_a_path_are_named() {
        for (path, part) in [
            ("a\\b", r"`\\`"),
            ("a b", "` `"),
            ("a\r\nb", r"`\r`"),
            ("a#b", "`#`"),
            ("a?b", "`?`"),
            ("é", "`é`"),
            ("a\0", r"`\0`"),
        ] {
            let said = check(path).unwrap_err().to_string();
            assert!(said.contains(part), "{path:?}: {said}");
        }
        assert!(check_query("a=\\&b=?/../x&c=%0a&d=é").is_ok());
        assert!(check_query("a=b c").is_err());
        assert!(check_query("a=b#c").is_err());
    }
}
