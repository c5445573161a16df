//! Where Workers AI, Hugging Face, Aleph Alpha and rerankers in Voyage's and Jina's form keep their counts.
//!
//! Enters: nothing. Leaves: tables. Never: code; the walker has it.

use super::{BLANK, Dull, Shape, counts::Slot, facts::*, openai::USAGE};

const CHOICE: Members = &[("finish_reason", Want::Finish)];

/// The native form wraps the answer in `result`; the compatible one is OpenAI's.
pub(super) const WORKERS_AI: Shape = Shape {
    members: &[
        ("model", Want::Model),
        ("choices", Want::Inside(CHOICE)),
        ("usage", Want::Inside(USAGE)),
        (
            "result",
            Want::Inside(&[("model", Want::Model), ("choices", Want::Inside(CHOICE)), ("usage", Want::Inside(USAGE))]),
        ),
        ("success", Want::Success),
        ("errors", Want::Error),
        ("error", Want::Error),
    ],
    dull: Dull::Search { parse: &["finish_reason", "error", "errors"], hold: &["usage"] },
    frame_text: &["response", "content", "reasoning_content", "arguments"],
    whole_text: &["response", "content", "reasoning_content", "arguments"],
    done: true,
    ..BLANK
};

pub(super) const RERANK: Shape = Shape {
    members: &[
        ("model", Want::Model),
        (
            "usage",
            Want::Inside(&[
                ("prompt_tokens", Want::Count(Slot::Input)),
                ("total_tokens", Want::Count(Slot::InputElse)),
            ]),
        ),
        ("error", Want::Error),
    ],
    ..BLANK
};

/// Text Generation Inference states what it generated in the answer, and what it read in the last frame or a header.
const DETAILS: Members = &[
    ("finish_reason", Want::Finish),
    ("input_length", Want::Count(Slot::InputElse)),
    ("generated_tokens", Want::Count(Slot::OutputElse)),
];

/// The router speaks OpenAI chat, the older inference API its own form.
pub(super) const HUGGINGFACE: Shape = Shape {
    members: &[
        ("model", Want::Model),
        ("choices", Want::Inside(CHOICE)),
        ("usage", Want::Inside(USAGE)),
        ("details", Want::Inside(DETAILS)),
        ("generated_text", Want::Recap),
        ("error", Want::Error),
    ],
    dull: Dull::Search { parse: &["finish_reason", "generated_text", "error"], hold: &["usage"] },
    frame_text: &["text", "content", "reasoning_content", "arguments"],
    whole_text: &["generated_text", "content", "reasoning_content", "arguments"],
    done: true,
    headers: &[("x-prompt-tokens", Slot::InputElse), ("x-generated-tokens", Slot::OutputElse)],
    ..BLANK
};

/// Completions and embeddings. A stream counts in its last event (<https://docs.aleph-alpha.com/api/complete/>).
pub(super) const ALEPH_ALPHA: Shape = Shape {
    members: &[
        ("type", Want::Kind(&[("completion_summary", Sign::End)])),
        ("completions", Want::Inside(CHOICE)),
        ("finish_reason", Want::Finish),
        ("num_tokens_prompt_total", Want::Count(Slot::Input)),
        ("num_tokens_generated", Want::Count(Slot::Output)),
        ("error", Want::Error),
    ],
    dull: Dull::Kinds(&["stream_chunk"]),
    frame_text: &["completion"],
    whole_text: &["completion"],
    ..BLANK
};
