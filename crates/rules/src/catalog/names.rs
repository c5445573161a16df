//! How a model's name, as people and providers write it, becomes one that the catalog has.
//!
//! Enters: a name. Leaves: shorter spellings of it, the least changed first. Never: decides what a name means; the catalog does.
//!
//! 1. The name as it is, whatever its case: an id, then an alias.
//! 2. An alias that ends in `*`, the longest first.
//! 3. Shortened from the front: what follows the last `/` (`openai/gpt-4o`, `models/gemini-2.5-flash`, an ARN's resource), and of
//!    that what follows a Bedrock region (`us.`, `eu.`, `apac.`, `global.` …). Regional profiles that cost more have rows of their own.
//! 4. Each of those shortened from the back, one step at a time: `@version`, `:0` (`:48k`), `-v1`, `-latest`, `-20241022`, `-2024-07-18`,
//!    `-preview-05-20`, `-preview-09-2025`.
//!
//! The first spelling that the catalog has decides. Spellings are unique within a provider (build.rs sees to it), so a step can result
//! in at most one model. A tag that may change the price (`:free`, `:novita`, `-0613`, `-2407`) is never cut.

const REGIONS: [&str; 10] = ["us", "us-gov", "eu", "apac", "ap", "au", "jp", "ca", "sa", "global"];
/// A version has at most a few parts; a name that is nothing but parts is nobody's model.
const TAILS_MAX: usize = 6;

/// All spellings of rules 3 and 4, the least changed first. The name itself is not among them.
pub fn shortened(name: &str) -> Vec<&str> {
    let mut spellings = fronts(name);
    let mut current = vec![name];
    current.extend(&spellings);
    for _ in 0..TAILS_MAX {
        current = current.into_iter().filter_map(without_tail).collect();
        spellings.extend(&current);
    }
    spellings
}

/// FNV-1a over the lower-cased name. The table is fixed when the program is built, so nobody can choose keys that collide in it.
pub(super) fn hash(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte.to_ascii_lowercase())).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// `pattern` ends in `*`, which stands for any suffix, also none.
pub(super) fn fits(pattern: &str, name: &str) -> bool {
    let prefix = pattern.strip_suffix('*').unwrap_or(pattern).as_bytes();
    name.as_bytes().get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

fn fronts(name: &str) -> Vec<&str> {
    let last = name.rsplit_once('/').map(|(_, last)| last);
    let local = last.unwrap_or(name).split_once('.').filter(|(region, _)| is_region(region)).map(|(_, local)| local);
    last.into_iter().chain(local).filter(|front| !front.is_empty()).collect()
}

fn is_region(text: &str) -> bool {
    REGIONS.iter().any(|region| region.eq_ignore_ascii_case(text))
}

fn without_tail(name: &str) -> Option<&str> {
    let shorter = without_version(name).or_else(|| without_date(name)).or_else(|| name.strip_suffix("-latest"))?;
    (!shorter.is_empty()).then_some(shorter)
}

fn without_version(name: &str) -> Option<&str> {
    if let Some((front, _version)) = name.rsplit_once('@') {
        return Some(front);
    }
    if let Some((front, tag)) = name.rsplit_once(':') {
        let number = tag.strip_suffix(['k', 'K']).unwrap_or(tag);
        return is_digits(number, 1..=4).then_some(front);
    }
    name.strip_suffix("-v1").or_else(|| name.strip_suffix("-V1"))
}

fn without_date(name: &str) -> Option<&str> {
    let (front, last) = name.rsplit_once('-')?;
    if is_digits(last, 8..=8) && last.starts_with("20") {
        return Some(front);
    }
    let (front, month) = front.rsplit_once('-')?;
    if !is_digits(month, 2..=2) {
        return None;
    }
    if let Some(front) = front.strip_suffix("-preview") {
        return (is_digits(last, 2..=2) || is_digits(last, 4..=4)).then_some(front);
    }
    let (front, year) = front.rsplit_once('-')?;
    (is_digits(last, 2..=2) && is_digits(year, 4..=4) && year.starts_with("20")).then_some(front)
}

fn is_digits(text: &str, lengths: std::ops::RangeInclusive<usize>) -> bool {
    lengths.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}
