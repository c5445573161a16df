//! `data:` URLs, as chat dialects write bytes into JSON.
//!
//! Enters: a URL, or a media type and base64. Leaves: the other. Never: decodes the bytes: they are passed on as text.

/// The media type and the base64 of a data URL. `None`: it is another kind of URL. `Err`: what is wrong with it.
pub(crate) fn parse(url: &str) -> Option<Result<(String, String), &'static str>> {
    let scheme = url.get(..5)?;
    if !scheme.eq_ignore_ascii_case("data:") {
        return None;
    }
    Some(parts(&url[5..]))
}

fn parts(rest: &str) -> Result<(String, String), &'static str> {
    let (head, data) = rest.split_once(',').ok_or("a data URL without data")?;
    let media_type = head.strip_suffix(";base64").ok_or("a data URL that is not base64")?;
    if !is_base64(data) {
        return Err("invalid base64");
    }
    // RFC 2397: without a type it is text.
    let media_type = if media_type.is_empty() { "text/plain" } else { media_type };
    Ok((media_type.to_owned(), data.to_owned()))
}

pub(crate) fn write(media_type: &str, base64: &str) -> String {
    format!("data:{media_type};base64,{base64}")
}

/// Standard base64 with its padding.
pub(crate) fn is_base64(text: &str) -> bool {
    let data = text.trim_end_matches('=');
    let known = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/';
    text.len().is_multiple_of(4) && text.len() - data.len() <= 2 && data.bytes().all(known)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn takes_apart_and_puts_together() {
        for (media_type, base64) in [("image/png", "iVBORw=="), ("text/plain;charset=utf-8", "SGk="), ("a/b", "")] {
            let url = write(media_type, base64);
            assert_eq!(parse(&url).unwrap().unwrap(), (media_type.to_owned(), base64.to_owned()));
        }
        assert_eq!(parse("DATA:;base64,SGk=").unwrap().unwrap().0, "text/plain");
        for other in ["https://example.com/a.png", "dat", "datä:", ""] {
            assert_eq!(parse(other), None, "{other}");
        }
        for wrong in [
            "data:image/png",
            "data:image/png,abc",
            "data:image/png;base64,ab",
            "data:;base64,a-b_",
            "data:;base64,====",
        ] {
            assert!(parse(wrong).unwrap().is_err(), "{wrong}");
        }
    }
}
