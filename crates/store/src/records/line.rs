//! A record as bytes, the same in the journal and in the log.
//!
//! Enters: a record, or bytes. Leaves: bytes in three parts, each of which can be read without the others and without copying; or the record again.
//! Never: allocates on the way from the journal into the log, but for labels and for shapes that are new.
//!
//! | part | what it holds | in the log |
//! |---|---|---|
//! | shape | what a record has in common with many others: names, status, flags | stored once a day, rows hold its number |
//! | mark | which record it is | columns |
//! | rest | what was measured, and what unified calls have besides; its lead is summed up in columns | kept as it is |
//!
//! Shape and rest have ends that not every record has: what a later version adds is written behind what an earlier one knew.
//!
//! All is written by postcard. Its version is [`tollgate_model::record::RECORD_VERSION`].

mod priced;
mod whole;

use std::borrow::Cow;

use postcard::ser_flavors::Flavor;
use serde::{Deserialize, Serialize};
use tollgate_model::record::{Outcome, Payload, Refused, Timings, Unified};
use tollgate_model::{Id, Metadata, Money, Record, Usage};

pub(crate) use self::priced::Priced;
pub(crate) use self::whole::record;
use self::whole::{mark_of, rest_of, shape_of};

/// The bytes of one record.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a> {
    pub(crate) shape: &'a [u8],
    pub(crate) mark_and_rest: &'a [u8],
}

/// The same, with a buffer of its own.
#[derive(Clone, Debug)]
pub struct Encoded {
    bytes: Vec<u8>,
    shape_len: usize,
}

/// Bytes that are not a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("these bytes are not a record")]
pub struct Unreadable;

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Shape<'a, A> {
    pub(crate) account: &'a str,
    pub(crate) gateway: &'a str,
    pub(crate) provider: &'a str,
    pub(crate) model: &'a str,
    pub(crate) path: &'a str,
    method: &'a str,
    #[serde(borrow)]
    answered_model: Option<&'a str>,
    #[serde(borrow)]
    pub(crate) model_type: Option<&'a str>,
    #[serde(borrow)]
    pub(crate) request_type: Option<&'a str>,
    #[serde(borrow)]
    pub(crate) request_content_type: Option<&'a str>,
    #[serde(borrow)]
    pub(crate) response_content_type: Option<&'a str>,
    #[serde(borrow)]
    pub(crate) user_agent: Option<&'a str>,
    #[serde(borrow)]
    pub(crate) token_id: Option<&'a str>,
    #[serde(borrow)]
    finish: Option<&'a str>,
    pub(crate) status: u16,
    pub(crate) outcome: Outcome,
    pub(crate) cached: bool,
    streamed: bool,
    custom_cost: bool,
    estimated_cost: bool,
    step: u16,
    request_body: Payload,
    response_body: Payload,
    attempts: A,
    /// Written behind it.
    #[serde(skip)]
    pub(crate) priced: Option<Priced<'a>>,
}

/// What attempts have in common with others.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Kind<'a> {
    provider: &'a str,
    model: &'a str,
    origin: &'a str,
    status: Option<u16>,
    #[serde(borrow)]
    miss: Option<&'a str>,
    reused: bool,
}

pub(crate) type ReadShape<'a> = Shape<'a, Vec<Kind<'a>>>;

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Mark<'a> {
    pub(crate) id: Id,
    pub(crate) created_ms: u64,
    #[serde(borrow)]
    pub(crate) event_id: Option<&'a str>,
    pub(crate) cost: Option<Money>,
}

/// The beginning of the rest: what rows sum up.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Lead<'a> {
    pub(crate) usage: Option<Cow<'a, Usage>>,
    pub(crate) metadata: Cow<'a, Metadata>,
    pub(crate) timings: Timings,
}

#[derive(Debug, Serialize, Deserialize)]
struct Rest<'a, A> {
    lead: Lead<'a>,
    request_size: u64,
    response_size: u64,
    refusal: Option<Cow<'a, Refused>>,
    attempts: A,
}

/// Behind what unified calls have, where there is more to tell.
#[derive(Debug, Default, Serialize, Deserialize)]
struct More {
    reported: Option<Money>,
    /// Whether what stands before this is more than a place.
    unified: bool,
}

/// What is measured of an attempt.
#[derive(Debug, Serialize, Deserialize)]
struct Course {
    started_us: u64,
    queue_us: u64,
    connect_us: u64,
    first_byte_us: Option<u64>,
    ended_us: u64,
}

// === impl Line ===

/// Appends the record to the buffer. Returns how long its shape is.
pub(crate) fn encode(record: &Record, buffer: &mut Vec<u8>) -> Result<usize, Unreadable> {
    let start = buffer.len();
    let shape = postcard::serialize_with_flavor(&shape_of(record), Onto(buffer));
    let priced = priced::write(record, buffer);
    let shape_len = buffer.len() - start;
    let mark = postcard::serialize_with_flavor(&mark_of(record), Onto(buffer));
    let rest = postcard::serialize_with_flavor(&rest_of(record), Onto(buffer));
    shape.and(priced).and(mark).and(rest).map_err(|_| Unreadable)?;
    // Most records have neither, and then not a byte of it.
    if record.unified.is_some() || record.reported.is_some() {
        let none = Unified::default();
        let unified = record.unified.as_deref().unwrap_or(&none);
        postcard::serialize_with_flavor(unified, Onto(buffer)).map_err(|_| Unreadable)?;
    }
    if let Some(reported) = record.reported {
        let more = More { reported: Some(reported), unified: record.unified.is_some() };
        postcard::serialize_with_flavor(&more, Onto(buffer)).map_err(|_| Unreadable)?;
    }
    Ok(shape_len)
}

impl<'a> Line<'a> {
    /// The mark, and the bytes of the rest.
    pub(crate) fn mark(&self) -> Result<(Mark<'a>, &'a [u8]), Unreadable> {
        postcard::take_from_bytes(self.mark_and_rest).map_err(|_| Unreadable)
    }

    pub fn record(&self) -> Result<Record, Unreadable> {
        let (mark, rest) = self.mark()?;
        record(&shape(self.shape)?, mark, rest)
    }
}

pub(crate) fn shape(bytes: &[u8]) -> Result<ReadShape<'_>, Unreadable> {
    let (shape, behind): (ReadShape<'_>, _) = postcard::take_from_bytes(bytes).map_err(|_| Unreadable)?;
    Ok(Shape { priced: priced::read(behind)?, ..shape })
}

/// The rest with other metadata.
pub(crate) fn with_metadata(rest: &[u8], metadata: &Metadata) -> Result<Vec<u8>, Unreadable> {
    let (lead, behind): (Lead<'_>, _) = postcard::take_from_bytes(rest).map_err(|_| Unreadable)?;
    let mut bytes = Vec::with_capacity(rest.len());
    let changed = Lead { metadata: Cow::Borrowed(metadata), ..lead };
    postcard::serialize_with_flavor(&changed, Onto(&mut bytes)).map_err(|_| Unreadable)?;
    bytes.extend_from_slice(behind);
    Ok(bytes)
}

pub(crate) fn lead(rest: &[u8]) -> Result<Lead<'_>, Unreadable> {
    postcard::take_from_bytes(rest).map(|(lead, _)| lead).map_err(|_| Unreadable)
}

impl Encoded {
    pub fn of(record: &Record) -> Self {
        let mut bytes = Vec::new();
        let shape_len =
            encode(record, &mut bytes).expect("postcard can write all types of a record, and memory does not refuse");
        Self { bytes, shape_len }
    }

    pub fn line(&self) -> Line<'_> {
        let (shape, mark_and_rest) = self.bytes.split_at(self.shape_len);
        Line { shape, mark_and_rest }
    }
}

/// postcard onto the end of a buffer that others write to as well. Its own flavours either allocate or push byte by byte.
struct Onto<'a>(&'a mut Vec<u8>);

impl Flavor for Onto<'_> {
    type Output = ();

    fn try_extend(&mut self, data: &[u8]) -> postcard::Result<()> {
        self.0.extend_from_slice(data);
        Ok(())
    }

    fn try_push(&mut self, data: u8) -> postcard::Result<()> {
        self.0.push(data);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
