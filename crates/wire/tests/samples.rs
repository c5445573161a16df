//! Answers of every dialect, written after the providers' documentation, with what is to be seen in each.
//!
//! Shared by the laws (`watch_laws.rs`) and by the seeds of the fuzz targets.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, reason = "each test program uses a part of it")]

#[path = "samples/amazon.rs"]
pub mod amazon;
#[path = "samples/anthropic.rs"]
pub mod anthropic;
#[path = "samples/cohere.rs"]
pub mod cohere;
#[path = "samples/google.rs"]
pub mod google;
#[path = "samples/openai.rs"]
pub mod openai;
#[path = "samples/others.rs"]
pub mod others;

use http::HeaderMap;
use tollgate_model::Usage;
use tollgate_wire::{
    dialect::Dialect,
    frame::Framing,
    watch::{Seen, Watch, read_whole},
};

/// One answer and what the watcher is to see in it.
#[derive(Clone, Debug)]
pub struct Sample {
    /// Samples of one story have the same name: streamed or whole, they tell of the same usage, model and finish.
    pub story: &'static str,
    pub dialect: Dialect,
    /// `None` when it comes whole.
    pub framing: Option<Framing>,
    pub body: Vec<u8>,
    pub headers: HeaderMap,
    pub usage: Option<Usage>,
    pub model: Option<&'static str>,
    pub finish: Option<&'static str>,
    pub failed: bool,
    pub ended: bool,
}

pub fn all() -> Vec<Sample> {
    [openai::all(), anthropic::all(), google::all(), amazon::all(), cohere::all(), others::all()].concat()
}

pub fn whole(story: &'static str, dialect: Dialect, body: &str) -> Sample {
    Sample {
        story,
        dialect,
        framing: None,
        body: body.as_bytes().to_vec(),
        headers: HeaderMap::new(),
        usage: None,
        model: None,
        finish: None,
        failed: false,
        ended: true,
    }
}

pub fn events(story: &'static str, dialect: Dialect, body: &str) -> Sample {
    Sample { framing: Some(Framing::Sse), ..whole(story, dialect, body) }
}

pub fn lines(story: &'static str, dialect: Dialect, body: &str) -> Sample {
    Sample { framing: Some(Framing::Ndjson), ..whole(story, dialect, body) }
}

/// Input and output; the special classes are set where a sample has them.
pub fn tokens(input: u64, output: u64) -> Usage {
    Usage { input, output, ..Usage::default() }
}

// === impl Sample ===

impl Sample {
    pub fn uses(self, usage: Usage) -> Self {
        Self { usage: Some(usage), ..self }
    }

    pub fn model(self, model: &'static str) -> Self {
        Self { model: Some(model), ..self }
    }

    pub fn finish(self, finish: &'static str) -> Self {
        Self { finish: Some(finish), ..self }
    }

    pub fn failed(self) -> Self {
        Self { failed: true, ..self }
    }

    pub fn cut_off(self) -> Self {
        Self { ended: false, ..self }
    }

    pub fn header(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.insert(name, value.parse().unwrap());
        self
    }

    /// Reads the sample as it is.
    pub fn read(&self) -> Seen {
        self.read_in_pieces(&[&self.body])
    }

    /// Reads these bytes instead of the sample's, as its dialect and framing say.
    pub fn read_in_pieces(&self, pieces: &[&[u8]]) -> Seen {
        let Some(framing) = self.framing else { return read_whole(self.dialect, &pieces.concat(), &self.headers) };
        let mut watch = Watch::new(self.dialect, framing);
        pieces.iter().for_each(|piece| watch.push(piece));
        watch.finish(&self.headers)
    }
}
