//! Cuts a byte stream into server-sent events.
//!
//! Enters: bytes, split anywhere. Leaves: events that have data, in order.
//! Never: reads a socket, or looks inside `data`.
//!
//! As <https://html.spec.whatwg.org/multipage/server-sent-events.html> says, with one leniency: an event that the stream's
//! end cut off from its blank line is still an event, because some providers forget it after their last.

use memchr::memchr2;

use super::{
    FRAME_BYTES_MAX, Frame,
    bounded::Bounded,
    lines::{Line, Lines},
};

/// A longer name is none that anybody looks for.
const NAME_BYTES_MAX: usize = 256;

/// What a line of data has besides its value: the limit is on the line.
const LINE_BYTES_MORE: usize = b"data: ".len();

#[derive(Debug, Default)]
pub struct Sse {
    lines: Lines,
    event: Event,
    /// A byte order mark may come before the first line, and only there.
    begun: bool,
}

#[derive(Debug, Default)]
struct Event {
    name: Vec<u8>,
    data: Bounded,
    has_data: bool,
}

// === impl Sse ===

impl Sse {
    pub fn push(&mut self, mut bytes: &[u8], mut each: impl FnMut(Frame<'_>)) {
        if self.is_between_events() {
            while let Some((frame, rest)) = plain_event(bytes) {
                each(frame);
                self.begun = true;
                bytes = rest;
            }
        }
        let Self { lines, event, begun } = self;
        lines.push(bytes, |line| event.take(unmarked(line, begun), &mut each));
    }

    fn is_between_events(&self) -> bool {
        self.lines.is_between() && !self.event.has_data && self.event.name.is_empty()
    }

    pub fn finish(&mut self, mut each: impl FnMut(Frame<'_>)) {
        let Self { lines, event, begun } = self;
        lines.finish(|line| event.take(unmarked(line, begun), &mut each));
        event.dispatch(&mut each);
    }
}

/// The form nearly every event has, when it came in one piece: at most a name, one line of data, each ended by LF. Read where
/// it lies, in half the time; all else goes line by line.
fn plain_event(bytes: &[u8]) -> Option<(Frame<'_>, &[u8])> {
    let (kind, bytes) = match bytes.strip_prefix(b"event: ") {
        Some(named) => plain_line(named)?,
        None => (&b""[..], bytes),
    };
    let (data, rest) = plain_line(bytes.strip_prefix(b"data: ")?)?;
    let rest = rest.strip_prefix(b"\n")?;
    let fits = kind.len() <= NAME_BYTES_MAX && !data.is_empty() && data.len() + LINE_BYTES_MORE <= FRAME_BYTES_MAX;
    fits.then_some((Frame::Whole { kind, data }, rest))
}

fn plain_line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = memchr2(b'\n', b'\r', bytes)?;
    (bytes[end] == b'\n').then(|| (&bytes[..end], &bytes[end + 1..]))
}

fn unmarked<'a>(line: Line<'a>, begun: &mut bool) -> Line<'a> {
    if std::mem::replace(begun, true) {
        return line;
    }
    let unmarked = |bytes: &'a [u8]| bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match line {
        Line::Whole(bytes) => Line::Whole(unmarked(bytes)),
        Line::Long { head, tail } => Line::Long { head: unmarked(head), tail },
    }
}

// === impl Event ===

impl Event {
    fn take(&mut self, line: Line<'_>, each: &mut impl FnMut(Frame<'_>)) {
        match line {
            Line::Whole(b"") => self.dispatch(each),
            Line::Whole(line) => {
                if let Some(value) = field(line, b"data") {
                    self.next_data_line();
                    self.data.push(value);
                } else if let Some(value) = field(line, b"event") {
                    self.name.clear();
                    self.name.extend_from_slice(&value[..value.len().min(NAME_BYTES_MAX)]);
                }
            }
            Line::Long { head, tail } => {
                if field(head, b"data").is_some() {
                    self.next_data_line();
                    self.data.push_tail(tail);
                }
            }
        }
    }

    fn next_data_line(&mut self) {
        if std::mem::replace(&mut self.has_data, true) {
            self.data.push(b"\n");
        }
    }

    fn dispatch(&mut self, each: &mut impl FnMut(Frame<'_>)) {
        if !self.data.is_empty() {
            let (kind, data) = (self.name.as_slice(), self.data.bytes());
            each(if self.data.is_over() { Frame::Tail { kind, data } } else { Frame::Whole { kind, data } });
        }
        self.name.clear();
        self.data.clear();
        self.has_data = false;
    }
}

/// The value of `name: value`, whose one leading space does not count. A line without a colon is a name without a value.
fn field<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    match line.strip_prefix(name)? {
        [] => Some(b""),
        [b':', b' ', value @ ..] | [b':', value @ ..] => Some(value),
        _ => None,
    }
}
