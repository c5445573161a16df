//! Between a whole record and its parts.
//!
//! Enters: a record, or its parts as they were read. Leaves: the other. Never: loses a member: each stands once in one of the parts.

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Serialize, Serializer};
use tollgate_model::record::{Cost, Rating, Unified};
use tollgate_model::{Attempt, Money, Record};

use super::{Course, Kind, Lead, Mark, More, Priced, ReadShape, Rest, Shape, Unreadable};

/// Attempts, each written as what the function makes of it.
pub(super) struct Each<'a, T>(&'a [Attempt], fn(&'a Attempt) -> T);

// === from a record ===

pub(super) fn shape_of(record: &Record) -> Shape<'_, Each<'_, Kind<'_>>> {
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
        priced: None,
    }
}

pub(super) fn mark_of(record: &Record) -> Mark<'_> {
    let cost = record.cost.as_ref().map(|cost| cost.amount);
    Mark { id: record.id, created_ms: record.created_ms, event_id: record.event_id.as_deref(), cost }
}

pub(super) fn rest_of(record: &Record) -> Rest<'_, Each<'_, Course>> {
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

// === to a record ===

pub(crate) fn record(shape: &ReadShape<'_>, mark: Mark<'_>, rest: &[u8]) -> Result<Record, Unreadable> {
    let (rest, behind): (Rest<'_, Vec<Course>>, _) = postcard::take_from_bytes(rest).map_err(|_| Unreadable)?;
    let (unified, reported) = ends(behind)?;
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
        cost: mark.cost.map(|amount| cost(shape, amount)).transpose()?,
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
        unified,
        reported,
        wholesale: shape.priced.as_ref().is_some_and(Priced::wholesale),
        rating: Rating::default(),
    })
}

/// What not every record has.
fn ends(behind: &[u8]) -> Result<(Option<Box<Unified>>, Option<Money>), Unreadable> {
    if behind.is_empty() {
        return Ok((None, None));
    }
    let (unified, behind): (Unified, _) = postcard::take_from_bytes(behind).map_err(|_| Unreadable)?;
    let more = match behind {
        [] => More { reported: None, unified: true },
        bytes => postcard::from_bytes(bytes).map_err(|_| Unreadable)?,
    };
    Ok((more.unified.then(|| Box::new(unified)), more.reported))
}

fn cost(shape: &ReadShape<'_>, amount: Money) -> Result<Cost, Unreadable> {
    let mut cost = Cost { custom: shape.custom_cost, estimated: shape.estimated_cost, ..Cost::plain(amount) };
    shape.priced.iter().try_for_each(|priced| priced.put_into(&mut cost))?;
    Ok(cost)
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
