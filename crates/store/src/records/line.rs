//! A record as bytes, the same in the journal and in the log.
//!
//! Enters: a record, or bytes. Leaves: bytes in three parts, each of which can be read without the others and without copying; or the record again.
//! Never: allocates on the way from the journal into the log, but for labels and for shapes that are new.
//!
//! | part | what it holds | in the log |
//! |---|---|---|
//! | shape | what a record has in common with many others: names, status, flags | stored once a day, rows hold its number |
//! | mark | which record it is | columns |
//! | rest | what was measured; its lead is summed up in columns | kept as it is |
//!
//! All is written by postcard. Its version is [`tollgate_model::record::RECORD_VERSION`].

use std::borrow::Cow;
use std::sync::Arc;

use postcard::ser_flavors::Flavor;
use serde::{Deserialize, Serialize, Serializer};
use tollgate_model::record::{Cost, Outcome, Payload, Refused, Timings};
use tollgate_model::{Attempt, Id, Metadata, Money, Record, Usage};

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

/// What is measured of an attempt.
#[derive(Debug, Serialize, Deserialize)]
struct Course {
    started_us: u64,
    queue_us: u64,
    connect_us: u64,
    first_byte_us: Option<u64>,
    ended_us: u64,
}

/// Attempts, each written as what the function makes of it.
struct Each<'a, T>(&'a [Attempt], fn(&'a Attempt) -> T);

// === impl Line ===

/// Appends the record to the buffer. Returns how long its shape is.
pub(crate) fn encode(record: &Record, buffer: &mut Vec<u8>) -> Result<usize, Unreadable> {
    let start = buffer.len();
    let shape = postcard::serialize_with_flavor(&shape_of(record), Onto(buffer));
    let shape_len = buffer.len() - start;
    let mark = postcard::serialize_with_flavor(&mark_of(record), Onto(buffer));
    let rest = postcard::serialize_with_flavor(&rest_of(record), Onto(buffer));
    shape.and(mark).and(rest).map_err(|_| Unreadable)?;
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
    postcard::from_bytes(bytes).map_err(|_| Unreadable)
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

// === from a record ===

fn shape_of(record: &Record) -> Shape<'_, Each<'_, Kind<'_>>> {
    Shape {
        account: &record.account,
        gateway: &record.gateway,
        provider: &record.provider,
        model: &record.model,
        path: &record.path,
        method: &record.method,
        answered_model: record.answered_model.as_deref(),
        model_type: record.model_type.as_deref(),
        request_type: record.request_type.as_deref(),
        request_content_type: record.request_content_type.as_deref(),
        response_content_type: record.response_content_type.as_deref(),
        user_agent: record.user_agent.as_deref(),
        token_id: record.token_id.as_deref(),
        finish: record.finish.as_deref(),
        status: record.status,
        outcome: record.outcome,
        cached: record.cached,
        streamed: record.streamed,
        custom_cost: record.cost.as_ref().is_some_and(|cost| cost.custom),
        estimated_cost: record.cost.as_ref().is_some_and(|cost| cost.estimated),
        step: record.step,
        request_body: record.request_body,
        response_body: record.response_body,
        attempts: Each(&record.attempts, |attempt| Kind {
            provider: &attempt.provider,
            model: &attempt.model,
            origin: &attempt.origin,
            status: attempt.status,
            miss: attempt.miss.as_deref(),
            reused: attempt.reused,
        }),
    }
}

fn mark_of(record: &Record) -> Mark<'_> {
    let cost = record.cost.as_ref().map(|cost| cost.amount);
    Mark { id: record.id, created_ms: record.created_ms, event_id: record.event_id.as_deref(), cost }
}

fn rest_of(record: &Record) -> Rest<'_, Each<'_, Course>> {
    let usage = record.usage.as_ref().map(Cow::Borrowed);
    Rest {
        lead: Lead { usage, metadata: Cow::Borrowed(&record.metadata), timings: record.timings },
        request_size: record.request_size,
        response_size: record.response_size,
        refusal: record.refusal.as_ref().map(Cow::Borrowed),
        attempts: Each(&record.attempts, |attempt| Course {
            started_us: attempt.started_us,
            queue_us: attempt.queue_us,
            connect_us: attempt.connect_us,
            first_byte_us: attempt.first_byte_us,
            ended_us: attempt.ended_us,
        }),
    }
}

impl<T: Serialize> Serialize for Each<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(self.1))
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

// === to a record ===

pub(crate) fn record(shape: &ReadShape<'_>, mark: Mark<'_>, rest: &[u8]) -> Result<Record, Unreadable> {
    let rest: Rest<'_, Vec<Course>> = postcard::from_bytes(rest).map_err(|_| Unreadable)?;
    let shared = |word: Option<&str>| word.map(Arc::from);
    let owned = |word: Option<&str>| word.map(str::to_owned);
    let Lead { usage, metadata, timings } = rest.lead;
    Ok(Record {
        id: mark.id,
        event_id: owned(mark.event_id),
        account: shape.account.into(),
        gateway: shape.gateway.into(),
        created_ms: mark.created_ms,
        provider: shape.provider.into(),
        model: shape.model.to_owned(),
        answered_model: owned(shape.answered_model),
        model_type: shared(shape.model_type),
        request_type: shared(shape.request_type),
        path: shape.path.to_owned(),
        method: shape.method.to_owned(),
        request_content_type: owned(shape.request_content_type),
        response_content_type: owned(shape.response_content_type),
        status: shape.status,
        outcome: shape.outcome,
        cached: shape.cached,
        streamed: shape.streamed,
        usage: usage.map(Cow::into_owned),
        cost: mark.cost.map(|amount| Cost { amount, custom: shape.custom_cost, estimated: shape.estimated_cost }),
        metadata: metadata.into_owned(),
        step: shape.step,
        request_size: rest.request_size,
        response_size: rest.response_size,
        token_id: owned(shape.token_id),
        user_agent: owned(shape.user_agent),
        refusal: rest.refusal.map(Cow::into_owned),
        finish: owned(shape.finish),
        timings,
        attempts: attempts(&shape.attempts, &rest.attempts)?,
        request_body: shape.request_body,
        response_body: shape.response_body,
    })
}

fn attempts(kinds: &[Kind<'_>], courses: &[Course]) -> Result<Vec<Attempt>, Unreadable> {
    if kinds.len() != courses.len() {
        return Err(Unreadable);
    }
    let attempt = |(kind, course): (&Kind<'_>, &Course)| Attempt {
        provider: kind.provider.into(),
        model: kind.model.to_owned(),
        origin: kind.origin.into(),
        started_us: course.started_us,
        queue_us: course.queue_us,
        connect_us: course.connect_us,
        first_byte_us: course.first_byte_us,
        ended_us: course.ended_us,
        status: kind.status,
        miss: kind.miss.map(str::to_owned),
        reused: kind.reused,
    };
    Ok(kinds.iter().zip(courses).map(attempt).collect())
}
