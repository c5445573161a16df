//! The spine: every stage of a request, in order, on one page.
//!
//! Enters: a request. Leaves: an answer or a refusal, and books that close themselves. Only this file orders stages.

use std::sync::Arc;

use bytes::Bytes;
use http::header::CONTENT_LENGTH;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use http_body::Body;
use hyper::body::Incoming;
use tollgate_model::Refusal;
use tollgate_model::record::Outcome;
use tollgate_rules::cacheable;
use tollgate_rules::options::{Options, StreamCache};
use tollgate_store::answers::CachedAnswer;
use tollgate_wire::headers::forward_response;

use crate::books::Books;
use crate::edge::{self, CacheSaid, Marks, ReplyBody};
use crate::fill::{Follower, Leader, Shown};
use crate::gate::{Gate, Held};
use crate::head::Head;
use crate::relay::{Relay, Source, Upstream, fault_frame};
use crate::replay::Replay;
use crate::stage::admit::Caller;
use crate::stage::cache::{Keep, Looked};
use crate::stage::plan::Step;
use crate::stage::send::Sent;
use crate::stage::{admit, cache, hear, limit, plan, send};
use crate::tally::{Tally, declared_length};

/// One request of the data plane, from its head to an answer whose body still flows.
pub(crate) async fn serve(gate: &Arc<Gate>, request: Request<Incoming>) -> Response<ReplyBody> {
    let (parts, body) = request.into_parts();
    let head = Head::read(parts);
    let mut books = Books::open(gate, &head);
    let event_id = head.headers().get(edge::EVENT_ID).cloned();
    match walk(gate, &head, body, &mut books).await {
        Ok((answer, options)) => follow(gate, books, answer, &options, event_id).await,
        Err(refusal) => refuse(books, &refusal, event_id).await,
    }
}

/// Nearly every answer is the large kind: a box around it would be an allocation for each.
#[allow(clippy::large_enum_variant)]
enum Answer {
    Remembered(Arc<CachedAnswer>),
    Followed(Follower, Arc<Shown>, Step),
    Fresh { sent: Sent, step: Step, share: Option<(Leader, Keep)>, cache: CacheSaid },
}

async fn walk(gate: &Arc<Gate>, head: &Head, body: Incoming, books: &mut Books) -> Result<(Answer, Options), Refusal> {
    let caller = admit::caller(gate, head, books).await?; //                     who: Head -> Caller                    (2001, 2009)
    let options = Options::read(head.headers(), &caller.gateway.settings, caller.snapshot.manners);
    books.wished(&options);
    let aim = plan::aim(&caller, head)?; //                                      where: a provider's row and a target   (2008)
    let heard = hear::body(gate, head.headers(), body, books).await?; //         what: the body                         (408, 413)
    let mut step = plan::step(gate, head, aim, heard, books)?; //                its model, as the body says            (400)
    let looked = cache::find(gate, &caller, head, &step, &options).await?; //    a hit costs no unit and no budget
    let (share, cache) = match looked {
        Looked::Hit(answer) => return Ok((Answer::Remembered(answer), options)),
        Looked::Follow(follower, shown) => return Ok((Answer::Followed(follower, shown, step), options)),
        Looked::Lead(leader, keep) => (Some((leader, keep)), CacheSaid::Miss),
        Looked::Alone => (None, CacheSaid::Miss),
        Looked::Off => (None, CacheSaid::Nothing),
    };
    limit::enter(gate, &caller)?; //                                             one unit a request                     (2003)
    let key = pick(gate, &caller, head, &step);
    let sent = send::out(gate, &caller, head, &mut step, &key, options.retry, books).await?; // deadlines, asking again (2005)
    Ok((Answer::Fresh { sent, step, share, cache }, options))
}

fn pick(gate: &Gate, caller: &Caller, head: &Head, step: &Step) -> crate::keys::Key {
    let query = step.target.path_and_query.split_once('?').map_or("", |(_, query)| query);
    gate.shared.keys.pick(&step.row, head.headers(), query, |name| caller.spent.contains(name), &step.target.origin)
}

async fn refuse(mut books: Books, refusal: &Refusal, event_id: Option<HeaderValue>) -> Response<ReplyBody> {
    let mut response = edge::refusal(refusal);
    books.refused(refusal);
    Marks { id: books.id(), event_id, logged: books.writes(), step: 0, cache: CacheSaid::Nothing }
        .write(response.headers_mut());
    let outcome = if refusal.is_for_nobody() { Outcome::Cancelled } else { Outcome::Refused };
    books.close(outcome).await;
    response
}

async fn follow(
    gate: &Arc<Gate>,
    books: Books,
    answer: Answer,
    options: &Options,
    event_id: Option<HeaderValue>,
) -> Response<ReplyBody> {
    let marks = |cache| Marks { id: books.id(), event_id, logged: books.writes(), step: 0, cache };
    match answer {
        Answer::Remembered(answer) => {
            let ttl_s = answer.expires_ms.saturating_sub(books.started_ms()) / 1_000;
            let marks = marks(CacheSaid::Hit { ttl_s });
            remembered(books, answer, options, marks).await
        }
        Answer::Followed(follower, shown, step) => {
            let marks = marks(CacheSaid::Collapsed);
            followed(gate, books, follower, &shown, &step, marks).await
        }
        Answer::Fresh { sent, step, share, cache } => {
            let marks = marks(cache);
            fresh(gate, books, sent, &step, share, marks).await
        }
    }
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

async fn followed(
    gate: &Arc<Gate>,
    mut books: Books,
    follower: Follower,
    shown: &Shown,
    step: &Step,
    marks: Marks,
) -> Response<ReplyBody> {
    let status = StatusCode::from_u16(shown.status).unwrap_or_default();
    let left = declared_length(&shown.headers);
    let tally = tally(gate, step, &shown.headers);
    let is_stream = tally.is_stream();
    books.collapsed(shown.status, &shown.headers, tally);
    let fault = if is_stream { fault_frame(step.dialect) } else { None };
    let relay = Relay::new(gate.clone(), books, Source::Follower(follower), left, fault);
    let mut response = pass(relay, is_short(left, is_stream), status, shown.headers.clone()).await;
    marks.write(response.headers_mut());
    response
}

fn tally(gate: &Arc<Gate>, step: &Step, headers: &HeaderMap) -> Tally {
    Tally::new(step.dialect, headers, gate.shared.limits.log_body_bytes_max, Held::new(gate.shared.clone()))
}

async fn fresh(
    gate: &Arc<Gate>,
    mut books: Books,
    sent: Sent,
    step: &Step,
    share: Option<(Leader, Keep)>,
    marks: Marks,
) -> Response<ReplyBody> {
    let (parts, body) = sent.answered.response.into_parts();
    let status = parts.status.as_u16();
    let left = length_to_come(&body, &parts.headers);
    let tally = tally(gate, step, &parts.headers);
    let is_stream = tally.is_stream();
    let fault = if is_stream { fault_frame(step.dialect) } else { None };
    books.answered(status, &parts.headers, tally);
    let mut headers = forward_response(parts.headers);
    let share = lead(gate, share, status, &headers);
    if sent.exhausted && !headers.contains_key(edge::SHOULD_RETRY) {
        headers.insert(edge::SHOULD_RETRY, HeaderValue::from_static("false"));
    }
    let upstream = Upstream { body, lease: Some(sent.answered.lease), share };
    let relay = Relay::new(gate.clone(), books, Source::Upstream(upstream), left, fault);
    let mut response = pass(relay, is_short(left, is_stream), parts.status, headers).await;
    marks.write(response.headers_mut());
    response
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

async fn pass(relay: Relay, gathers: bool, status: StatusCode, headers: HeaderMap) -> Response<ReplyBody> {
    let body = match gathers {
        false => ReplyBody::Relay(Box::new(relay)),
        true => match relay.gather().await {
            Ok(pieces) => whole(pieces),
            Err(refusal) => return edge::refusal(&refusal),
        },
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
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
