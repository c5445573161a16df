//! Reads off an answer, while it passes, what the log and the cost want to know.
//!
//! Enters: the answer's bytes, whole or as they stream by. Leaves: [`Seen`].
//! Never: changes, delays or keeps the answer.

use http::HeaderMap;
use tollgate_model::Usage;

use crate::{dialect::Dialect, frame::Framing};

/// What an answer said about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// As the provider counted. In a stream that broke off (`!ended`) the output side may be too low, or missing.
    pub usage: Option<Usage>,
    /// As the provider named it.
    pub model: Option<String>,
    /// The provider's own word for why it stopped.
    pub finish: Option<String>,
    /// An error came inside an answer that had begun with status 200.
    pub failed: bool,
    /// The dialect's own last word was seen. A whole answer has ended when it is complete JSON.
    pub ended: bool,
    /// Frames that carried text, and the bytes of text in all: what an estimate is made from when nobody counted.
    pub deltas: u32,
    pub text_bytes: u64,
    /// Frames too long or too broken to look into. When there are any, what is missing above may have been in them.
    pub skipped: u32,
}

/// Reads an answer that came in one piece. `body` is decoded: no content encoding.
pub fn read_whole(dialect: Dialect, body: &[u8], headers: &HeaderMap) -> Seen {
    let _ = (dialect, body, headers);
    Seen::default()
}

/// Watches a streamed answer pass.
#[derive(Debug)]
pub struct Watch {
    dialect: Dialect,
    framing: Framing,
}

// === impl Watch ===

impl Watch {
    pub fn new(dialect: Dialect, framing: Framing) -> Self {
        Self { dialect, framing }
    }

    /// Bytes as they come, cut anywhere.
    pub fn push(&mut self, bytes: &[u8]) {
        let _ = (self.dialect, self.framing, bytes);
    }

    /// The headers are asked for counts that the stream did not have.
    pub fn finish(self, headers: &HeaderMap) -> Seen {
        let _ = headers;
        Seen::default()
    }
}
