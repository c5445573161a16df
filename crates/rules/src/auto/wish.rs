//! What the caller asks of the auto router: the `cf-aig-allowed-*`, `cf-aig-session-id` and `cf-aig-turn-id` headers.
//!
//! Enters: headers. Leaves: a session, a turn, the candidates that are allowed. Never: falls back to the pool when a list matches nothing: a
//! caller who allowed two models did not ask for a third.

use http::HeaderMap;

use crate::options::TEXT_BYTES_MAX;

use super::{Entry, NoDecision, Pool};

/// Names in one list.
const LIST_MAX: usize = 100;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wish {
    pub session: Option<String>,
    pub turn: Option<String>,
    /// False: choose anew for every request.
    pub affinity: bool,
    /// Names in which `*` stands for anything without a slash; empty: the pool.
    pub models: Vec<String>,
    pub providers: Vec<String>,
}

// === impl Wish ===

impl Wish {
    pub fn read(headers: &HeaderMap) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
        let short =
            |name: &str| text(name).filter(|text| (1..=TEXT_BYTES_MAX).contains(&text.len())).map(str::to_owned);
        let list = |name: &str| {
            let entries = text(name).unwrap_or_default().split(',').map(str::trim);
            entries.filter(|entry| !entry.is_empty()).take(LIST_MAX).map(str::to_ascii_lowercase).collect()
        };
        Self {
            session: short("cf-aig-session-id"),
            turn: short("cf-aig-turn-id"),
            affinity: text("cf-aig-no-session-affinity") != Some("true"),
            models: list("cf-aig-allowed-models"),
            providers: list("cf-aig-allowed-providers"),
        }
    }

    /// In the pool's order.
    pub(super) fn candidates<'a>(&self, pool: &'a Pool) -> Result<Vec<&'a Entry>, NoDecision> {
        let matches_any = |pattern: &String| pool.all().any(|entry| fits(pattern, &entry.name));
        if let Some(stray) = self.models.iter().find(|pattern| !matches_any(pattern)) {
            return Err(NoDecision::NoSuchModel(stray.clone()));
        }
        if let Some(stray) = self.providers.iter().find(|wanted| !pool.all().any(|entry| is_of(entry, wanted))) {
            return Err(NoDecision::NoSuchProvider(stray.clone()));
        }
        let allowed = |entry: &&Entry| {
            let by_model = match self.models.is_empty() {
                true => entry.in_pool,
                false => self.models.iter().any(|pattern| fits(pattern, &entry.name)),
            };
            by_model && (self.providers.is_empty() || self.providers.iter().any(|wanted| is_of(entry, wanted)))
        };
        let candidates: Vec<&Entry> = pool.all().filter(allowed).collect();
        if candidates.is_empty() { Err(NoDecision::NothingLeft) } else { Ok(candidates) }
    }
}

/// By the author in front of its name, or by the provider's path segment: `xai` and `grok` are one.
fn is_of(entry: &Entry, wanted: &str) -> bool {
    let author = entry.name.split('/').next().unwrap_or_default();
    *wanted == *entry.provider || wanted.eq_ignore_ascii_case(author)
}

/// `*` stands for any text without a slash. Both are walked once: a star that must take more is gone back to, the last one only.
fn fits(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.as_bytes(), name.as_bytes());
    let (mut p, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        if pattern.get(p) == Some(&b'*') {
            star = Some((p, n));
            p += 1;
        } else if pattern.get(p).is_some_and(|byte| byte.eq_ignore_ascii_case(&name[n])) {
            (p, n) = (p + 1, n + 1);
        } else {
            match star {
                Some((at, taken)) if name[taken] != b'/' => {
                    star = Some((at, taken + 1));
                    (p, n) = (at + 1, taken + 1);
                }
                _ => return false,
            }
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stops_at_a_slash() {
        for (pattern, name, expected) in [
            ("anthropic/*", "anthropic/claude-opus-5", true),
            ("anthropic/claude-*-5", "anthropic/claude-opus-5", true),
            ("anthropic/claude-*-5", "anthropic/claude-opus-5.5", false),
            ("*", "anthropic/claude-opus-5", false),
            ("*/*", "anthropic/claude-opus-5", true),
            ("*/claude*", "anthropic/claude-opus-5", true),
            ("@cf/*", "@cf/openai/gpt-oss-20b", false),
            ("@cf/*/*", "@cf/openai/gpt-oss-20b", true),
            ("openai/gpt-5.5", "OpenAI/GPT-5.5", true),
            ("openai/gpt-5.5", "openai/gpt-5.55", false),
            ("", "openai/gpt-5.5", false),
        ] {
            assert_eq!(fits(pattern, name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn headers_are_read() {
        let mut headers = HeaderMap::new();
        headers.insert("cf-aig-session-id", " s ".parse().expect("text"));
        headers.insert("cf-aig-allowed-models", "openai/*, Anthropic/claude-opus-5,,".parse().expect("text"));
        headers.insert("cf-aig-no-session-affinity", "true".parse().expect("text"));
        let wish = Wish::read(&headers);
        assert_eq!((wish.session.as_deref(), wish.turn, wish.affinity), (Some("s"), None, false));
        assert_eq!(wish.models, ["openai/*", "anthropic/claude-opus-5"]);
        assert!(Wish::read(&HeaderMap::new()).affinity);
    }
}
