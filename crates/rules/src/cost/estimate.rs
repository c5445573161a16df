//! A guess at usage, for answers that carry no count: streams whose caller did not ask for one, or that broke off.
//!
//! Enters: sizes that the gateway saw pass. Leaves: usage marked `Estimated`. Never: replaces a count the provider gave.

use tollgate_model::Usage;
use tollgate_model::usage::UsageSource;

/// English prose and code run at about four bytes a token in every current vocabulary; JSON around them is close enough.
const BYTES_PER_TOKEN: u64 = 4;

/// What was heard of a call whose provider did not count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    /// Length of the request body.
    pub request_bytes: u64,
    /// Stream frames that carried content.
    pub deltas: u64,
    /// Length of the text in them.
    pub text_bytes: u64,
    /// The model's, when the catalog knows it: an image sent inside the JSON is longer than any prompt can be.
    pub context_window: Option<u64>,
}

/// Input: four bytes a token, at most the context window.
/// Output: the larger of four bytes a token and one token a delta. Providers in OpenAI's manner send one token a frame (right for every
/// script, also where a character is a token), others gather many into one (then the bytes tell).
pub fn estimate(heard: &Heard) -> Usage {
    let by_bytes = heard.text_bytes.div_ceil(BYTES_PER_TOKEN);
    let by_deltas = heard.deltas.min(heard.text_bytes);
    Usage {
        input: heard.request_bytes.div_ceil(BYTES_PER_TOKEN).min(heard.context_window.unwrap_or(u64::MAX)),
        output: by_bytes.max(by_deltas),
        source: UsageSource::Estimated,
        ..Usage::default()
    }
}
