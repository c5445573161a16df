//! Reads off an answer, while it passes, what the log and the cost want to know.
//!
//! Enters: the answer's bytes, whole or as they stream by. Leaves: [`Seen`].
//! Never: changes, delays or keeps the answer.

use http::HeaderMap;
use tollgate_model::Usage;
use tollgate_model::usage::Terms;

use crate::{
    dialect::Dialect,
    frame::{Frame, Frames, Framing},
};

mod reader;

use reader::Reader;

/// What an answer said about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// As the provider counted. In a stream that broke off (`!ended`) the output side may be too low, or missing.
    pub usage: Option<Usage>,
    /// In which way the provider says that it was served. They are not in the usage: what was asked for is not known here.
    pub terms: Terms,
    /// What the provider says it charged, in nano-dollars. Few do.
    pub charged: Option<u64>,
    /// As the provider named it.
    pub model: Option<String>,
    /// The provider's own word for why it stopped.
    pub finish: Option<String>,
    /// An error came inside an answer that had begun with status 200.
    pub failed: bool,
    /// The dialect's own last word was seen. A whole answer has ended when it is complete JSON.
    pub ended: bool,
    /// Frames that carried text, and the bytes of text in all: what an estimate is made from when nobody counted. Of a whole answer whose
    /// provider did, the text is not looked for.
    pub deltas: u32,
    pub text_bytes: u64,
    /// Frames too long or too broken to look into. When there are any, what is missing above may have been in them.
    pub skipped: u32,
}

/// Reads an answer that came in one piece. `body` is decoded: no content encoding.
pub fn read_whole(dialect: Dialect, body: &[u8], headers: &HeaderMap) -> Seen {
    let mut reader = Reader::new(dialect);
    reader.whole(body);
    reader.finish(headers)
}

/// Watches a streamed answer pass.
#[derive(Debug)]
pub struct Watch {
    frames: Frames,
    reader: Reader,
}

/// The same eyes for somebody who cuts the frames: a dialect's decoder.
#[derive(Debug)]
pub struct Tally(Reader);

// === impl Watch ===

impl Watch {
    pub fn new(dialect: Dialect, framing: Framing) -> Self {
        Self { frames: Frames::new(framing), reader: Reader::new(dialect) }
    }

    /// Bytes as they come, cut anywhere, without content encoding.
    pub fn push(&mut self, bytes: &[u8]) {
        let Self { frames, reader } = self;
        if reader.is_blind() {
            return;
        }
        frames.push(bytes, |frame| reader.frame(frame));
    }

    /// The headers are asked for counts that the stream did not have.
    pub fn finish(self, headers: &HeaderMap) -> Seen {
        let Self { mut frames, mut reader } = self;
        frames.finish(|frame| reader.frame(frame));
        reader.finish(headers)
    }
}

// === impl Tally ===

impl Tally {
    pub fn new(dialect: Dialect) -> Self {
        Self(Reader::new(dialect))
    }

    pub fn frame(&mut self, frame: Frame<'_>) {
        self.0.frame(frame);
    }

    /// What all frames so far say together.
    pub fn usage(&mut self) -> Option<Usage> {
        self.0.usage()
    }
}
