//! Reads a content-encoded body alongside, so that usage can be counted and the log is legible.
//!
//! Enters: encoded bytes, split anywhere. Leaves: decoded bytes. Never: touches what the caller receives, or decodes past a bound:
//! sixteen kilobytes can stand for half a gigabyte.

use std::io::{self, Write};

use bytes::Bytes;
use http::HeaderMap;
use http::header::CONTENT_ENCODING;

/// Decoded bytes at most this many times the encoded ones, once there are more than a megabyte.
const RATIO_MAX: usize = 200;
const RATIO_FREE: usize = 1 << 20;

pub(crate) struct Decoder {
    coding: Coding,
    encoded: usize,
    decoded: usize,
    decoded_max: usize,
}

enum Coding {
    Gzip(flate2::write::MultiGzDecoder<Vec<u8>>),
    Deflate(flate2::write::ZlibDecoder<Vec<u8>>),
    Brotli(Box<brotli::DecompressorWriter<Vec<u8>>>),
    Zstd(zstd::stream::write::Decoder<'static, Vec<u8>>),
}

/// How a body is encoded, as far as it matters here.
pub(crate) enum Encoding {
    Identity,
    Known(Box<Decoder>),
    /// Forwarded as it is, not looked into.
    Unknown,
}

pub(crate) fn encoding(headers: &HeaderMap, decoded_max: usize) -> Encoding {
    let mut values = headers.get_all(CONTENT_ENCODING).iter();
    let Some(value) = values.next() else { return Encoding::Identity };
    if values.next().is_some() {
        return Encoding::Unknown;
    }
    let name = value.to_str().unwrap_or_default().trim().to_ascii_lowercase();
    if matches!(name.as_str(), "" | "identity") {
        return Encoding::Identity;
    }
    coding(&name).map_or(Encoding::Unknown, |coding| {
        Encoding::Known(Box::new(Decoder { coding, encoded: 0, decoded: 0, decoded_max }))
    })
}

fn coding(name: &str) -> Option<Coding> {
    match name {
        "gzip" | "x-gzip" => Some(Coding::Gzip(flate2::write::MultiGzDecoder::new(Vec::new()))),
        "deflate" => Some(Coding::Deflate(flate2::write::ZlibDecoder::new(Vec::new()))),
        "br" => Some(Coding::Brotli(Box::new(brotli::DecompressorWriter::new(Vec::new(), 8 * 1024)))),
        "zstd" => zstd::stream::write::Decoder::new(Vec::new()).ok().map(Coding::Zstd),
        _ => None,
    }
}

/// How many encoded bytes are decoded at a time: what one step can expand to is bounded by it.
const STEP: usize = 4 * 1024;

impl Decoder {
    /// What these bytes decode to. An error is final: broken data, or a bomb.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> io::Result<Bytes> {
        let mut decoded = Vec::new();
        for step in bytes.chunks(STEP) {
            self.encoded += step.len();
            decoded.append(&mut self.coding.write(step)?);
            self.check(decoded.len())?;
        }
        self.decoded += decoded.len();
        Ok(decoded.into())
    }

    fn check(&self, fresh: usize) -> io::Result<()> {
        let decoded = self.decoded + fresh;
        let bomb = decoded > RATIO_FREE && decoded / RATIO_MAX > self.encoded;
        if bomb || decoded > self.decoded_max { Err(io::Error::other("decodes to too much")) } else { Ok(()) }
    }
}

impl Coding {
    fn write(&mut self, step: &[u8]) -> io::Result<Vec<u8>> {
        match self {
            Self::Gzip(decoder) => write_through(decoder, step, |decoder| decoder.get_mut()),
            Self::Deflate(decoder) => write_through(decoder, step, |decoder| decoder.get_mut()),
            Self::Brotli(decoder) => write_through(&mut **decoder, step, |decoder| decoder.get_mut()),
            Self::Zstd(decoder) => write_through(decoder, step, |decoder| decoder.get_mut()),
        }
    }
}

fn write_through<D: Write>(
    decoder: &mut D,
    step: &[u8],
    inner: impl Fn(&mut D) -> &mut Vec<u8>,
) -> io::Result<Vec<u8>> {
    decoder.write_all(step)?;
    decoder.flush()?;
    Ok(std::mem::take(inner(decoder)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn encoded(name: &str, plain: &[u8]) -> Vec<u8> {
        match name {
            "gzip" => {
                let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
                writer.write_all(plain).unwrap();
                writer.finish().unwrap()
            }
            "deflate" => {
                let mut writer = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
                writer.write_all(plain).unwrap();
                writer.finish().unwrap()
            }
            "br" => {
                let mut out = Vec::new();
                brotli::CompressorWriter::new(&mut out, 4096, 5, 22).write_all(plain).unwrap();
                out
            }
            _ => zstd::encode_all(plain, 3).unwrap(),
        }
    }

    fn decoder(name: &'static str, decoded_max: usize) -> Decoder {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_ENCODING, http::HeaderValue::from_static(name));
        match encoding(&headers, decoded_max) {
            Encoding::Known(decoder) => *decoder,
            _ => panic!("{name} is known"),
        }
    }

    #[test]
    fn every_coding_is_read_however_it_is_cut() {
        let plain: Vec<u8> = (0..40_000_u32).flat_map(|n| (n * n).to_le_bytes()).collect();
        for name in ["gzip", "deflate", "br", "zstd"] {
            let bytes = encoded(name, &plain);
            for piece in [1, 7, 1_000, bytes.len()] {
                let mut decoder = decoder(name, usize::MAX);
                let read: Vec<u8> =
                    bytes.chunks(piece).flat_map(|chunk| decoder.push(chunk).unwrap().to_vec()).collect();
                assert!(read == plain, "{name} in pieces of {piece}");
            }
        }
    }

    #[test]
    fn a_bomb_is_stopped_early() {
        for name in ["gzip", "deflate", "br", "zstd"] {
            let bytes = encoded(name, &vec![0; 64 << 20]);
            let mut decoder = decoder(name, 10 << 20);
            let mut decoded = 0;
            let stopped = bytes.chunks(512).any(|chunk| decoder.push(chunk).map(|out| decoded += out.len()).is_err());
            assert!(stopped && decoded <= 10 << 20, "{name}: {decoded}");
        }
    }

    #[test]
    fn garbage_is_an_error_and_not_a_panic() {
        for name in ["gzip", "deflate", "br", "zstd"] {
            assert!(decoder(name, 1 << 20).push(&[0xff; 64]).is_err(), "{name}");
        }
    }
}
