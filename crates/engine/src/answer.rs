//! From what was found to the bytes that a caller hears.
//!
//! Enters: an answer, remembered, followed, fresh or our own, or a refusal; and the open books. Leaves: a response whose body closes them.
//! Never: decides what is asked: `serve` has done that.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use http_body::Body;
use hyper::body::Incoming;
use tollgate_model::Refusal;
use tollgate_model::record::Outcome;
use tollgate_rules::cacheable;
use tollgate_rules::options::{Options, StreamCache};
use tollgate_store::answers::CachedAnswer;
use tollgate_wire::dialect::Dialect;
use tollgate_wire::headers::forward_response;

use crate::books::Books;
use crate::edge::{self, CacheSaid, Marks, ReplyBody};
use crate::fill::{Follower, Leader, Shown};
use crate::gate::{Gate, Held};
use crate::head::Head;
use crate::relay::{Relay, Source, Upstream, fault_frame};
use crate::replay::Replay;
use crate::stage::cache::Keep;
use crate::stage::plan::Step;
use crate::stage::send::Sent;
use crate::stage::translate;
use crate::surface::Host;
use crate::tally::{Tally, declared_length};
use crate::turned;

/// Nearly every answer is the large kind: a box around it would be an allocation for each.
#[allow(clippy::large_enum_variant)]
pub(crate) enum Answer {
    Remembered(Arc<CachedAnswer>),
    Followed(Follower, Arc<Shown>, Step),
    Fresh {
        sent: Sent,
        step: Step,
        share: Option<(Leader, Keep)>,
        cache: CacheSaid,
    },
    /// The gateway's own knowledge: nobody was asked.
    Own(Bytes),
}

impl Answer {
    /// Provider and model, by name.
    pub(crate) fn target(&self) -> (String, String) {
        match self {
            Self::Remembered(answer) => (answer.provider.to_string(), answer.model.to_string()),
            Self::Followed(_, _, step) | Self::Fresh { step, .. } => (step.row.name().to_string(), step.model.clone()),
            Self::Own(_) => Default::default(),
        }
    }
}

pub(crate) async fn refuse(
    mut books: Books,
    refusal: &Refusal,
    event_id: Option<HeaderValue>,
    host: Host,
) -> Response<ReplyBody> {
    let mut response = edge::refusal(refusal, host);
    books.refused(refusal);
    Marks {
        id: books.id(),
        event_id,
        logged: books.writes(),
        step: books.step(),
        rates: books.rates(),
        cache: CacheSaid::Nothing,
    }
    .write(response.headers_mut());
    let outcome = if refusal.is_for_nobody() { Outcome::Cancelled } else { Outcome::Refused };
    books.close(outcome).await;
    response
}

// This and `pass` are no `async fn`s: those keep what they are given beside the place they move it to, for as long as they wait, and hyper copies
// the future of every request.
#[allow(clippy::manual_async_fn)]
pub(crate) fn follow(
    gate: &Arc<Gate>,
    books: Books,
    answer: Answer,
    options: &Options,
    event_id: Option<HeaderValue>,
    host: Host,
) -> impl Future<Output = Response<ReplyBody>> {
    async move {
        let marks = |cache| Marks {
            id: books.id(),
            event_id,
            logged: books.writes(),
            step: books.step(),
            rates: books.rates(),
            cache,
        };
        match answer {
            Answer::Remembered(answer) => {
                let ttl_s = answer.expires_ms.saturating_sub(books.started_ms()) / 1_000;
                let marks = marks(CacheSaid::Hit { ttl_s });
                remembered(books, answer, options, marks).await
            }
            Answer::Followed(follower, shown, step) => {
                let marks = marks(CacheSaid::Collapsed);
                pass(followed(gate, books, follower, &shown, &step), marks, host).await
            }
            Answer::Fresh { sent, step, share, cache } => {
                let marks = marks(cache);
                let passing = match fresh(gate, books, sent, step, share) {
                    Ok(passing) => passing,
                    Err((books, refusal)) => return refuse(books, &refusal, marks.event_id, host).await,
                };
                pass(passing, marks, host).await
            }
            Answer::Own(body) => {
                let marks = Marks { logged: false, ..marks(CacheSaid::Nothing) };
                own(books, body, marks).await
            }
        }
    }
}

async fn own(mut books: Books, body: Bytes, marks: Marks) -> Response<ReplyBody> {
    let mut response = Response::new(ReplyBody::Whole(Some(body)));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    books.unlogged(response.status().as_u16());
    marks.write(response.headers_mut());
    books.close(Outcome::Complete).await;
    response
}

async fn remembered(
    mut books: Books,
    answer: Arc<CachedAnswer>,
    options: &Options,
    marks: Marks,
) -> Response<ReplyBody> {
    let mut response = Response::new(ReplyBody::Whole(None));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or_default();
    *response.headers_mut() = answer.headers.clone();
    let streamed = !answer.frames.is_empty();
    books.remembered(&answer, response.headers(), streamed);
    marks.write(response.headers_mut());
    if streamed && options.cache.streams == StreamCache::Recorded {
        response.headers_mut().remove(CONTENT_LENGTH);
        *response.body_mut() = ReplyBody::Replay(Box::new(Replay::new(answer, books)));
    } else {
        books.close(Outcome::Complete).await;
        *response.body_mut() = ReplyBody::Whole(Some(answer.body.clone()));
    }
    response
}

/// What an earlier request with the same idempotency key was answered.
pub(crate) async fn again(mut books: Books, head: &Head, told: Arc<CachedAnswer>) -> Response<ReplyBody> {
    let mut response = Response::new(ReplyBody::Whole(Some(told.body.clone())));
    *response.status_mut() = StatusCode::from_u16(told.status).unwrap_or_default();
    *response.headers_mut() = told.headers.clone();
    books.replayed(head, &told);
    let event_id = head.headers().get(edge::EVENT_ID).cloned();
    let (id, logged) = (books.id(), books.writes());
    Marks { id, event_id, logged, step: 0, rates: Vec::new(), cache: CacheSaid::Nothing }
        .write_again(response.headers_mut());
    books.close(Outcome::Complete).await;
    response
}

/// An answer that is there, before any of its body was read.
struct Passing {
    relay: Relay,
    gathers: bool,
    status: StatusCode,
    headers: HeaderMap,
}

fn followed(gate: &Arc<Gate>, mut books: Books, follower: Follower, shown: &Shown, step: &Step) -> Passing {
    let status = StatusCode::from_u16(shown.status).unwrap_or_default();
    let left = declared_length(&shown.headers);
    let tally = tally(gate, step.told(), &shown.headers);
    let is_stream = tally.is_stream();
    books.collapsed(shown.status, &shown.headers, tally);
    let fault = if is_stream { fault_frame(step.told()) } else { None };
    let relay = Relay::new(gate.clone(), books, Source::Follower(follower), left, fault);
    Passing { relay, gathers: is_short(left, is_stream), status, headers: shown.headers.clone() }
}

fn tally(gate: &Arc<Gate>, dialect: Dialect, headers: &HeaderMap) -> Tally {
    Tally::new(dialect, headers, gate.shared.limits.log_body_bytes_max, Held::new(gate.shared.clone()))
}

fn fresh(
    gate: &Arc<Gate>,
    mut books: Books,
    sent: Sent,
    mut step: Step,
    share: Option<(Leader, Keep)>,
) -> Result<Passing, (Books, Refusal)> {
    let (parts, body) = sent.answered.response.into_parts();
    let status = parts.status.as_u16();
    let tally = tally(gate, step.dialect, &parts.headers);
    let is_stream = tally.is_stream();
    books.answered(status, &parts.headers, tally);
    let turned = match translate::turned(gate, &mut step, status, &parts.headers, &books) {
        Ok(turned) => turned,
        Err(refusal) => return Err((books, refusal)),
    };
    let left = if turned.is_none() { length_to_come(&body, &parts.headers) } else { None };
    let mut headers = forward_response(parts.headers);
    let gathers = match &turned {
        None => is_short(left, is_stream),
        Some(turned) => {
            turned::set_head(&mut headers, turned);
            turned.is_whole()
        }
    };
    step.tell_losses(&mut headers);
    let fault = if is_stream { fault_frame(step.told()) } else { None };
    let share = lead(gate, share, status, &headers);
    if sent.exhausted && !headers.contains_key(edge::SHOULD_RETRY) {
        headers.insert(edge::SHOULD_RETRY, HeaderValue::from_static("false"));
    }
    let upstream = Upstream { body, lease: Some(sent.answered.lease), share, turned: turned.map(Box::new) };
    let relay = Relay::new(gate.clone(), books, Source::Upstream(upstream), left, fault);
    Ok(Passing { relay, gathers, status: parts.status, headers })
}

/// The leader shows the head to those who wait, or sends them off when this answer is not to be shared.
fn lead(gate: &Gate, share: Option<(Leader, Keep)>, status: u16, headers: &HeaderMap) -> Option<(Leader, Keep)> {
    let (mut leader, keep) = share?;
    let fits = declared_length(headers).is_none_or(|length| length <= cacheable::BODY_BYTES_MAX);
    if fits && cacheable::answer(status, headers, keep.streams != StreamCache::Off) {
        leader.begin(status, headers.clone(), gate.shared.clock.now());
        Some((leader, keep))
    } else {
        leader.decline();
        None
    }
}

/// Short answers of known length leave in one piece: head and body in one write, after one wait for the journal. One that breaks off is refused
/// then, while it still can be.
const GATHER_BYTES_MAX: u64 = 256 * 1024;

fn is_short(left: Option<u64>, is_stream: bool) -> bool {
    !is_stream && left.is_some_and(|length| length <= GATHER_BYTES_MAX)
}

fn pass(passing: Passing, marks: Marks, host: Host) -> impl Future<Output = Response<ReplyBody>> {
    let Passing { mut relay, gathers, status, mut headers } = passing;
    async move {
        let body = match gathers {
            false => Ok(ReplyBody::Relay(Box::new(relay))),
            true => relay.gather().await.map(|(pieces, lost)| {
                // Now with what the answer has lost.
                if let Some((caller, losses)) = lost {
                    translate::tell_losses(caller, &losses, &mut headers);
                }
                whole(pieces)
            }),
        };
        let mut response = match body {
            Ok(body) => {
                let mut response = Response::new(body);
                *response.status_mut() = status;
                *response.headers_mut() = headers;
                response
            }
            Err(refusal) => edge::refusal(&refusal, host),
        };
        marks.write(response.headers_mut());
        response
    }
}

fn whole(pieces: Vec<Bytes>) -> ReplyBody {
    ReplyBody::Whole(match <[Bytes; 1]>::try_from(pieces) {
        Ok([one]) => Some(one),
        Err(pieces) => Some(Bytes::from(pieces.concat())).filter(|all| !all.is_empty()),
    })
}

/// How many bytes of body will follow this head; `None` when only its end will tell.
fn length_to_come(body: &Incoming, headers: &HeaderMap) -> Option<u64> {
    // HEAD, 204 and 304 have none, whatever their headers say.
    if body.is_end_stream() { Some(0) } else { declared_length(headers) }
}
