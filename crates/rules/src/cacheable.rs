//! May this answer be remembered?
//!
//! Enters: an answer's status and headers. Leaves: yes or no. Never: looks at the body.
//!
//! Only text and image answers with a status of success, at most 25 MB (data-plane specification, section 4).

use http::HeaderMap;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE};

pub const BODY_BYTES_MAX: u64 = 25_000_000;

pub fn answer(status: u16, headers: &HeaderMap, streams: bool) -> bool {
    if !(200..300).contains(&status) || status == 206 {
        return false;
    }
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if is_stream(&kind) { streams } else { is_text(&kind) || kind.starts_with("image/") }
}

fn is_text(kind: &str) -> bool {
    kind.starts_with("text/") || kind == "application/json" || kind.ends_with("+json") || kind == "application/xml"
}

fn is_stream(kind: &str) -> bool {
    matches!(
        kind,
        "text/event-stream" | "application/vnd.amazon.eventstream" | "application/x-ndjson" | "application/stream+json"
    )
}

/// Whether who asked with these headers understands how the answer is encoded: it may have been made for somebody who understands more.
pub fn readable_by(asked: &HeaderMap, answer: &HeaderMap) -> bool {
    words(answer, CONTENT_ENCODING).all(|coding| coding.eq_ignore_ascii_case("identity") || accepts(asked, coding))
}

fn accepts(asked: &HeaderMap, coding: &str) -> bool {
    let weight = |name: &str| {
        words(asked, ACCEPT_ENCODING).find_map(|word| {
            let (named, weight) = word.split_once(';').unwrap_or((word, "q=1"));
            named.trim().eq_ignore_ascii_case(name).then(|| !is_zero(weight.trim()))
        })
    };
    weight(coding).or_else(|| weight("*")).unwrap_or(false)
}

/// `q=0`, `q=0.0`, ...
fn is_zero(weight: &str) -> bool {
    let digits = weight.trim_start_matches(['q', 'Q', ' ', '=']);
    digits.starts_with('0') && digits.bytes().all(|byte| matches!(byte, b'0' | b'.'))
}

fn words(headers: &HeaderMap, name: http::HeaderName) -> impl Iterator<Item = &str> {
    let texts = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    texts.flat_map(|text| text.split(',')).map(str::trim).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn an_encoded_answer_is_for_those_who_accept_the_encoding() {
        for (accepted, coding, expected) in [
            ("", "", true),
            ("", "identity", true),
            ("", "gzip", false),
            ("gzip, br", "gzip", true),
            ("gzip, br", "zstd", false),
            ("GZIP;q=0.5", "gzip", true),
            ("gzip;q=0", "gzip", false),
            ("gzip; q=0.000, *", "gzip", false),
            ("*", "gzip", true),
            ("*;q=0", "gzip", false),
            ("gzip", "gzip, br", false),
            ("br, gzip", "gzip, br", true),
        ] {
            let (mut asked, mut answer) = (HeaderMap::new(), HeaderMap::new());
            asked.insert(ACCEPT_ENCODING, HeaderValue::from_static(accepted));
            answer.insert(CONTENT_ENCODING, HeaderValue::from_static(coding));
            assert_eq!(readable_by(&asked, &answer), expected, "{accepted:?} {coding:?}");
        }
        assert!(readable_by(&HeaderMap::new(), &HeaderMap::new()));
    }

    #[test]
    fn only_successful_text_and_images() {
        for (status, kind, streams, expected) in [
            (200, "application/json; charset=utf-8", false, true),
            (200, "image/png", false, true),
            (200, "TEXT/plain", false, true),
            (200, "audio/mpeg", false, false),
            (200, "application/octet-stream", false, false),
            (200, "text/event-stream", false, false),
            (200, "text/event-stream", true, true),
            (206, "text/plain", false, false),
            (304, "text/plain", false, false),
            (400, "application/json", false, false),
            (503, "application/json", true, false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
            assert_eq!(answer(status, &headers, streams), expected, "{status} {kind}");
        }
        assert!(!answer(200, &HeaderMap::new(), true));
    }
}
