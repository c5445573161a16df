//! Images and speech, in the smallest form that a client can open.
//!
//! Enters: `POST /v1/images/generations`, `/v1/audio/speech`. Leaves: one white pixel, a tenth of a second of a tone.
//! Never: draws.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::json;

use crate::script::{Order, Spoken, Wrong};
use crate::speech::tokens;

const IMAGES_MAX: u64 = 10;
/// What one image is charged as.
const IMAGE_TOKENS: u64 = 272;
/// A white pixel.
const PNG: &[u8] = &[
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48, 0x44, 0x52, 0x00, 0x00, 0x00,
    0x01, 0x00, 0x00, 0x00, 0x01, 0x08, 0x00, 0x00, 0x00, 0x00, 0x3a, 0x7e, 0x9b, 0x55, 0x00, 0x00, 0x00, 0x0a, 0x49,
    0x44, 0x41, 0x54, 0x78, 0xda, 0x63, 0xf8, 0x0f, 0x00, 0x01, 0x01, 0x01, 0x00, 0x1c, 0xb0, 0x8c, 0x99, 0x00, 0x00,
    0x00, 0x00, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82,
];
const SAMPLES_A_SECOND: u32 = 8_000;
const SAMPLES: u32 = 800;

pub(super) fn image(order: &Order) -> Result<Spoken, Wrong> {
    let prompt = order.body["prompt"].as_str().ok_or_else(|| Wrong::missing("prompt"))?;
    let count = order.body["n"].as_u64().unwrap_or(1);
    if !(1..=IMAGES_MAX).contains(&count) {
        return Err(Wrong { member: Some("n"), ..Wrong::new("'n' must be 1 to 10") });
    }
    let image = json!({ "b64_json": STANDARD.encode(PNG) });
    let mut body = json!({
        "created": order.dials.created,
        "background": "opaque",
        "data": vec![image; count as usize],
        "output_format": "png",
        "quality": "low",
        "size": "1024x1024",
    });
    if order.dials.usage {
        let (input, output) = (order.dials.input.map_or(tokens(prompt), u64::from), IMAGE_TOKENS * count);
        body["usage"] = json!({
            "input_tokens": input,
            "input_tokens_details": {"image_tokens": 0, "text_tokens": input},
            "output_tokens": output,
            "total_tokens": input + output,
        });
    }
    Ok(Spoken::json(&body, 0))
}

/// WAV, whatever format was asked: it is the only one that needs no encoder.
pub(super) fn speech(order: &Order) -> Result<Spoken, Wrong> {
    if order.body["input"].as_str().is_none() {
        return Err(Wrong::missing("input"));
    }
    Ok(Spoken::Whole { content_type: "audio/wav", body: wav(), tokens: 0 })
}

/// 8 bits, mono, a square wave of 500 Hz.
fn wav() -> Bytes {
    let mut file = Vec::with_capacity(44 + SAMPLES as usize);
    file.extend_from_slice(b"RIFF");
    file.extend_from_slice(&(36 + SAMPLES).to_le_bytes());
    file.extend_from_slice(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    file.extend_from_slice(&SAMPLES_A_SECOND.to_le_bytes());
    file.extend_from_slice(&SAMPLES_A_SECOND.to_le_bytes());
    file.extend_from_slice(b"\x01\0\x08\0data");
    file.extend_from_slice(&SAMPLES.to_le_bytes());
    file.extend((0..SAMPLES).map(|at| if at / 8 % 2 == 0 { 0x70_u8 } else { 0x90 }));
    file.into()
}
