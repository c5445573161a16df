//! A buffer that keeps everything up to a limit, and beyond it only the end.
//!
//! Enters: bytes. Leaves: all of them, or the last [`TAIL_BYTES`].
//! Never: grows much beyond [`FRAME_BYTES_MAX`], however long the frame.

use super::FRAME_BYTES_MAX;

/// Providers write the usage last, after an image of megabytes too, and this is room for it and for what follows it.
pub(super) const TAIL_BYTES: usize = 16 << 10;

#[derive(Debug, Default)]
pub(super) struct Bounded {
    bytes: Vec<u8>,
    over: bool,
}

// === impl Bounded ===

impl Bounded {
    pub(super) fn push(&mut self, more: &[u8]) {
        self.over |= self.bytes.len() + more.len() > FRAME_BYTES_MAX;
        if !self.over {
            self.bytes.extend_from_slice(more);
            return;
        }
        self.bytes.extend_from_slice(tail(more));
        if self.bytes.len() > 2 * TAIL_BYTES {
            self.bytes.drain(..self.bytes.len() - TAIL_BYTES);
        }
    }

    /// The end of something whose beginning is lost already.
    pub(super) fn push_tail(&mut self, more: &[u8]) {
        self.over = true;
        self.push(more);
    }

    pub(super) fn is_over(&self) -> bool {
        self.over
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub(super) fn bytes(&self) -> &[u8] {
        if self.over { tail(&self.bytes) } else { &self.bytes }
    }

    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.over = false;
    }
}

pub(super) fn tail(bytes: &[u8]) -> &[u8] {
    &bytes[bytes.len().saturating_sub(TAIL_BYTES)..]
}
