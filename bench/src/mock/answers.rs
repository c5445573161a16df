//! The prepared answers of the mock, in the bytes that go over the wire.
//!
//! Enters: how many are wanted. Leaves: whole answers of about 1.2 KB and streams of 102 pieces. Never: two sizes: an
//! answer differs from the next in its words and ids alone.

use std::cell::Cell;

use crate::corpus::Draw;

const CONTENT_BYTES: usize = 620;
const CONTENT_CHUNKS: usize = 100;
/// Streams are long; fewer different ones than whole answers do.
const STREAMS_MAX: u64 = 16;

/// Large ones: as many bytes of text, as many of them.
const LARGE_CONTENT_BYTES: usize = 100 * 1024;
const LARGE_COUNT: u64 = 16;

/// In whose words.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// OpenAI's chat completions.
    Chat,
    /// Anthropic's Messages.
    Messages,
}

pub struct Answers {
    whole: Vec<Vec<u8>>,
    streamed: Vec<Vec<Vec<u8>>>,
    next: Cell<usize>,
}

impl Answers {
    pub fn new(form: Form, count: u64) -> Self {
        let mut draw = Draw::new(count);
        let whole = (0..count).map(|_| whole(form, &mut draw, CONTENT_BYTES)).collect();
        let streamed = (0..count.min(STREAMS_MAX)).map(|_| streamed(form, &mut draw)).collect();
        Self { whole, streamed, next: Cell::new(0) }
    }

    /// Never streamed.
    pub fn large(form: Form) -> Self {
        let mut draw = Draw::new(LARGE_COUNT);
        let whole = (0..LARGE_COUNT).map(|_| whole(form, &mut draw, LARGE_CONTENT_BYTES)).collect();
        Self { whole, streamed: Vec::new(), next: Cell::new(0) }
    }

    pub fn whole(&self) -> &[u8] {
        &self.whole[self.turn() % self.whole.len()]
    }

    pub fn streamed(&self) -> &[Vec<u8>] {
        &self.streamed[self.turn() % self.streamed.len()]
    }

    fn turn(&self) -> usize {
        let turn = self.next.get();
        self.next.set(turn.wrapping_add(1));
        turn
    }
}

fn whole(form: Form, draw: &mut Draw, bytes: usize) -> Vec<u8> {
    let id = id(draw);
    let content = draw.text(bytes);
    let output = 100 + draw.below(100); // three digits, whatever is drawn
    let body = match form {
        Form::Chat => format!(
            r#"{{"id":"chatcmpl-{id}","object":"chat.completion","created":1790000000,"model":"gpt-4o-mini-2024-07-18","choices":[{{"index":0,"message":{{"role":"assistant","content":"{content}","refusal":null,"annotations":[]}},"logprobs":null,"finish_reason":"stop"}}],"usage":{{"prompt_tokens":187,"completion_tokens":{output},"total_tokens":{},"prompt_tokens_details":{{"cached_tokens":0,"audio_tokens":0}},"completion_tokens_details":{{"reasoning_tokens":0,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}}},"service_tier":"default","system_fingerprint":"fp_bench00001"}}"#,
            187 + output
        ),
        Form::Messages => format!(
            r#"{{"id":"msg_{id}","type":"message","role":"assistant","model":"claude-haiku-4-5-20251001","content":[{{"type":"text","text":"{content}"}}],"stop_reason":"end_turn","stop_sequence":null,"usage":{{"input_tokens":187,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"cache_creation":{{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":0}},"output_tokens":{output},"service_tier":"standard","inference_geo":"not_available"}}}}"#
        ),
    };
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nx-request-id: req_{id}\r\nopenai-processing-ms: 1\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// One hundred pieces of text, the usage, the end: 102 writes. The head goes out with the first of them.
fn streamed(form: Form, draw: &mut Draw) -> Vec<Vec<u8>> {
    let id = id(draw);
    let pieces = match form {
        Form::Chat => chat_events(&id, draw),
        Form::Messages => message_events(&id, draw),
    };
    let mut writes: Vec<Vec<u8>> = pieces.iter().map(|event| chunk(event)).collect();
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\nx-request-id: req_{id}\r\ncache-control: no-cache\r\ntransfer-encoding: chunked\r\n\r\n"
    );
    writes[0].splice(0..0, head.into_bytes());
    if let Some(last) = writes.last_mut() {
        last.extend_from_slice(b"0\r\n\r\n");
    }
    writes
}

fn chat_events(id: &str, draw: &mut Draw) -> Vec<String> {
    let mut pieces: Vec<String> = (0..CONTENT_CHUNKS).map(|place| content_event(id, draw.word(), place)).collect();
    let envelope = envelope(id);
    pieces.push(format!(
        r#"data: {{{envelope},"choices":[],"usage":{{"prompt_tokens":187,"completion_tokens":{CONTENT_CHUNKS},"total_tokens":{}}}}}"#,
        187 + CONTENT_CHUNKS
    ));
    pieces.push("data: [DONE]".to_owned());
    pieces
}

/// The beginning goes out with the first piece of text, and the end of the text with the counts: 102 writes as well.
fn message_events(id: &str, draw: &mut Draw) -> Vec<String> {
    let start = format!(
        r#"event: message_start
data: {{"type":"message_start","message":{{"id":"msg_{id}","type":"message","role":"assistant","model":"claude-haiku-4-5-20251001","content":[],"stop_reason":null,"stop_sequence":null,"usage":{{"input_tokens":187,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":1}}}}}}

event: content_block_start
data: {{"type":"content_block_start","index":0,"content_block":{{"type":"text","text":""}}}}

"#
    );
    let delta = |word: &str| {
        format!(
            "event: content_block_delta\ndata: {{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{{\"type\":\"text_delta\",\"text\":\" {word}\"}}}}"
        )
    };
    let mut pieces: Vec<String> = (0..CONTENT_CHUNKS).map(|_| delta(draw.word())).collect();
    pieces[0].insert_str(0, &start);
    pieces.push(format!(
        r#"event: content_block_stop
data: {{"type":"content_block_stop","index":0}}

event: message_delta
data: {{"type":"message_delta","delta":{{"stop_reason":"end_turn","stop_sequence":null}},"usage":{{"output_tokens":{CONTENT_CHUNKS}}}}}"#
    ));
    pieces.push("event: message_stop\ndata: {\"type\":\"message_stop\"}".to_owned());
    pieces
}

fn content_event(id: &str, word: &str, place: usize) -> String {
    let envelope = envelope(id);
    let finish = if place + 1 == CONTENT_CHUNKS { r#""stop""# } else { "null" };
    format!(
        r#"data: {{{envelope},"choices":[{{"index":0,"delta":{{"content":" {word}"}},"logprobs":null,"finish_reason":{finish}}}],"usage":null}}"#
    )
}

fn envelope(id: &str) -> String {
    format!(
        r#""id":"chatcmpl-{id}","object":"chat.completion.chunk","created":1790000000,"model":"gpt-4o-mini-2024-07-18","service_tier":"default","system_fingerprint":"fp_bench00001""#
    )
}

fn chunk(event: &str) -> Vec<u8> {
    format!("{:x}\r\n{event}\n\n\r\n", event.len() + 2).into_bytes()
}

fn id(draw: &mut Draw) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789";
    (0..29).map(|_| char::from(LETTERS[draw.below(LETTERS.len() as u64) as usize])).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn whole_answers_differ_but_not_in_size() {
        let answers = Answers::new(Form::Chat, 32);
        let (one, other) = (answers.whole().to_vec(), answers.whole().to_vec());
        assert_ne!(one, other);
        assert!(answers.whole.iter().all(|answer| answer.len() == one.len()));
        let text = String::from_utf8(one).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.ends_with(&format!("content-length: {}", body.len())));
        assert!((1150..1250).contains(&body.len()), "{}", body.len());
        serde_json::from_str::<serde_json::Value>(body).unwrap();
    }

    #[test]
    fn a_stream_is_102_writes_of_valid_events() {
        let messages = Answers::new(Form::Messages, 2);
        assert_eq!(messages.streamed().len(), 102);
        let answers = Answers::new(Form::Chat, 2);
        let pieces = answers.streamed();
        assert_eq!(pieces.len(), 102);
        for piece in &pieces[1..101] {
            let text = std::str::from_utf8(piece).unwrap();
            let (size, rest) = text.split_once("\r\n").unwrap();
            assert_eq!(usize::from_str_radix(size, 16).unwrap() + 2, rest.len());
            serde_json::from_str::<serde_json::Value>(rest.strip_prefix("data: ").unwrap()).unwrap();
        }
    }
}
