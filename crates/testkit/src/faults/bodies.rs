//! Faults of a whole body.
//!
//! Enters: sizes. Leaves: plans. Never: holds a body larger than a mebibyte.

use std::io::Write as _;
use std::sync::LazyLock;
use std::time::Duration;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::plan::{Frame, Framing, Plan};

pub(super) const HUGE_BYTES: u64 = 10_000_000_000;
const BLOCK_BYTES: u64 = 50_000;
const BOMB_BYTES: usize = 1 << 30;

static BLOCK: LazyLock<Bytes> = LazyLock::new(|| Bytes::from(vec![b' '; BLOCK_BYTES as usize]));
/// A second of work, once, and only for those who ask.
static BOMB: LazyLock<Bytes> = LazyLock::new(bomb);

pub(super) fn drip() -> Plan {
    let answer = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 11\r\n\r\n{\"ok\":true}";
    let drops = answer.as_bytes().chunks(1).map(|byte| Frame::after(Duration::from_secs(1), Bytes::from_static(byte)));
    Plan::new(0, Framing::Raw, drops)
}

/// So many bytes of JSON whitespace, in which a parser finds no fault until the end. Never more than one block is held.
pub fn huge_body(bytes: u64, framing: Framing) -> Plan {
    let blocks = (0..bytes / BLOCK_BYTES).map(|_| BLOCK.clone());
    let rest = BLOCK.slice(..(bytes % BLOCK_BYTES) as usize);
    Plan::new(200, framing, blocks.chain([rest]).map(Frame::now)).header("content-type", "application/json")
}

pub(super) fn truncated_gzip() -> Plan {
    let whole = gzip(std::iter::once(br#"{"id":"chatcmpl-1","choices":[],"usage":{}}"#.as_slice()));
    Plan::json(200, whole.slice(..whole.len() / 2)).header("content-encoding", "gzip")
}

pub(super) fn gzip_bomb() -> Plan {
    Plan::json(200, BOMB.clone()).header("content-encoding", "gzip")
}

fn bomb() -> Bytes {
    gzip(std::iter::repeat_n([0_u8; 64 * 1024].as_slice(), BOMB_BYTES / (64 * 1024)))
}

fn gzip<'a>(parts: impl Iterator<Item = &'a [u8]>) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    for part in parts {
        encoder.write_all(part).expect("writing to memory does not fail");
    }
    encoder.finish().expect("writing to memory does not fail").into()
}
