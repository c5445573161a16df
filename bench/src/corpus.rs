//! What is said: request bodies and the text of answers, made up from a seed.
//!
//! Enters: a seed and sizes. Leaves: the same texts every time. Never: draws from the system's randomness.
//!
//! One constant body would flatter a cache, a compressor and a branch predictor. So there is a set of bodies, and each
//! request can carry its number besides, which makes every one of them new.

/// Digits kept free for the number of a request.
const SERIAL_DIGITS: usize = 10;

pub const MODEL: &str = "gpt-4o-mini";

const WORDS: &[&str] = &[
    "the", "of", "and", "to", "in", "is", "that", "for", "it", "as", "was", "with", "be", "by", "on", "not", "he",
    "this", "are", "or", "his", "from", "at", "which", "but", "have", "an", "had", "they", "you", "were", "their",
    "one", "all", "we", "can", "her", "has", "there", "been", "if", "more", "when", "will", "would", "who", "so", "no",
    "river", "window", "garden", "letter", "morning", "summer", "machine", "answer", "question", "station", "mountain",
    "harbour", "kitchen", "market", "journey", "teacher", "engine", "paper", "silver", "yellow", "winter", "signal",
    "minute", "number", "system", "village", "weather", "writing", "evening", "another", "between", "against",
    "through", "without", "together", "perhaps", "quietly", "almost", "rather", "simple", "bright", "early", "heavy",
    "narrow", "open", "round", "small", "strange", "warm", "young", "carry", "follow", "gather", "listen", "remember",
];

/// A small generator of its own (splitmix64): the same seed makes the same run, on every machine.
pub struct Draw(u64);

impl Draw {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }

    pub fn word(&mut self) -> &'static str {
        WORDS[self.below(WORDS.len() as u64) as usize]
    }

    /// Words up to exactly `bytes` bytes; the last one may be cut.
    pub fn text(&mut self, bytes: usize) -> String {
        let mut text = String::with_capacity(bytes + 16);
        while text.len() < bytes {
            text.push_str(self.word());
            text.push(' ');
        }
        text.truncate(bytes); // ASCII, so any place is a boundary
        text
    }
}

/// How the bodies of one run differ.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Variety {
    /// Different bodies in the set; 1 sends a constant body
    #[arg(long, default_value_t = 1024)]
    pub bodies: u64,
    /// Do not number the requests: the set is repeated as it is
    #[arg(long)]
    pub repeat: bool,
    /// Bytes of a request body, about
    #[arg(long, default_value_t = 1024)]
    pub body_bytes: usize,
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

/// Whole requests, head and body, ready to be written by one call.
pub struct Corpus {
    requests: Vec<Vec<u8>>,
    numbered: bool,
}

impl Corpus {
    pub fn new(variety: Variety, to: &Destination, streamed: bool) -> Self {
        let mut draw = Draw::new(variety.seed);
        let bodies = variety.bodies.clamp(1, 65_536);
        let requests =
            (0..bodies).map(|_| to.request(&body(&mut draw, variety.body_bytes, streamed, &to.model))).collect();
        Self { requests, numbered: !variety.repeat }
    }

    /// Writes request `number` into `out`, replacing what was there.
    pub fn write(&self, number: u64, out: &mut Vec<u8>) {
        out.clear();
        out.extend_from_slice(&self.requests[(number % self.requests.len() as u64) as usize]);
        if self.numbered {
            put_serial(out, number);
        }
    }
}

/// The number stands just before the closing `"}`, so its place needs no search.
fn put_serial(request: &mut [u8], number: u64) {
    let end = request.len() - b"\"}".len();
    let mut rest = number;
    for digit in request[end - SERIAL_DIGITS..end].iter_mut().rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
}

fn body(draw: &mut Draw, bytes: usize, streamed: bool, model: &str) -> String {
    let frame = 232; // bytes of everything but the text
    let text = draw.text(bytes.saturating_sub(frame));
    let stream = if streamed { r#""stream":true,"stream_options":{"include_usage":true},"# } else { "" };
    format!(
        r#"{{"model":"{model}","messages":[{{"role":"system","content":"You are a helpful assistant. Answer briefly."}},{{"role":"user","content":"{text}"}}],{stream}"temperature":0.7,"max_completion_tokens":256,"user":"caller-{:0width$}"}}"#,
        0,
        width = SERIAL_DIGITS
    )
}

/// Where requests go: everything of the head that does not change.
#[derive(Debug, Clone, clap::Args)]
pub struct Destination {
    /// Address and port of the server
    #[arg(long, value_name = "ADDR:PORT")]
    pub target: std::net::SocketAddr,
    #[arg(long, default_value = "/v1/chat/completions")]
    pub path: String,
    /// Another header, `name: value`; may be repeated
    #[arg(long = "header", value_name = "HEADER")]
    pub headers: Vec<String>,
    /// As the body names it
    #[arg(long, default_value = MODEL)]
    pub model: String,
}

impl Destination {
    pub fn request(&self, body: &str) -> Vec<u8> {
        let extra: String = self.headers.iter().map(|header| format!("{header}\r\n")).collect();
        format!(
            "POST {} HTTP/1.1\r\nhost: {}\r\nuser-agent: tollgate-bench\r\naccept: application/json\r\nauthorization: Bearer sk-bench-not-a-key\r\n\
             content-type: application/json\r\n{extra}content-length: {}\r\n\r\n{body}",
            self.path,
            self.target,
            body.len()
        )
        .into_bytes()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn corpus(repeat: bool) -> Corpus {
        let to = Destination {
            target: "127.0.0.1:1".parse().unwrap(),
            path: "/".into(),
            headers: vec!["a: b".into()],
            model: MODEL.into(),
        };
        Corpus::new(Variety { bodies: 4, repeat, body_bytes: 1024, seed: 7 }, &to, false)
    }

    fn written(corpus: &Corpus, number: u64) -> String {
        let mut out = Vec::new();
        corpus.write(number, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_request_is_json_of_the_size_asked_for_and_of_the_length_it_says() {
        let request = written(&corpus(false), 42);
        let (head, body) = request.split_once("\r\n\r\n").unwrap();
        let value: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!(value["user"], "caller-0000000042");
        assert!(head.contains(&format!("content-length: {}", body.len())));
        assert!((1000..1050).contains(&body.len()), "{}", body.len());
    }

    #[test]
    fn numbered_requests_never_repeat_and_repeated_ones_do() {
        assert_ne!(written(&corpus(false), 1), written(&corpus(false), 5));
        assert_eq!(written(&corpus(true), 1), written(&corpus(true), 5));
        assert_ne!(written(&corpus(true), 1), written(&corpus(true), 2));
    }
}
