//! May this answer be remembered?
//!
//! Enters: an answer's status and headers. Leaves: yes or no. Never: looks at the body.
//!
//! Only text and image answers with a status of success, at most 25 MB (data-plane specification, section 4).

use http::HeaderMap;
use http::header::CONTENT_TYPE;

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

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

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
