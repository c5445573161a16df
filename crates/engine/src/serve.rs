//! The spine: every stage of a request, in order, on one page.
//!
//! Enters: a request. Leaves: an answer or a refusal, and books that close themselves. Only this file orders stages.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use http_body::Body;
use hyper::body::Incoming;
use tollgate_model::Refusal;
use tollgate_model::record::Outcome;
use tollgate_rules::cacheable;
use tollgate_rules::options::{Options, StreamCache};
use tollgate_rules::walk::{self, Ask, Said};
use tollgate_store::answers::CachedAnswer;
use tollgate_wire::dialect::Dialect;
use tollgate_wire::headers::forward_response;

use crate::books::Books;
use crate::edge::{self, CacheSaid, Marks, ReplyBody};
use crate::fill::{Follower, Leader, Shown};
use crate::gate::{Gate, Held};
use crate::head::Head;
use crate::keys::Key;
use crate::relay::{Relay, Source, Upstream, fault_frame};
use crate::replay::Replay;
use crate::stage::admit::Caller;
use crate::stage::cache::{Keep, Looked};
use crate::stage::miss::{self, Failed};
use crate::stage::plan::Step;
use crate::stage::plan::foreign::Credential;
use crate::stage::plan::way::{Next, Way};
use crate::stage::send::Sent;
use crate::stage::{admit, cache, hear, limit, plan, send, translate};
use crate::surface::run::{self, Job};
use crate::surface::{Call, Host, models};
use crate::tally::{Tally, declared_length};
use crate::turned;
use crate::webhook::{self, Slip};

/// One request of the data plane, from its head to an answer whose body still flows.
pub(crate) async fn serve(gate: &Arc<Gate>, head: &Head, body: Incoming) -> Response<ReplyBody> {
    let mut books = Books::open(gate, head);
    let event_id = head.headers().get(edge::EVENT_ID).cloned();
    let host = head.surface().host;
    let Found { answer, options, says } = match walk(gate, head, body, &mut books).await {
        Ok(found) => found,
        Err(refusal) => return refuse(books, &refusal, event_id, host).await,
    };
    let mut response = follow(gate, books, answer, &options, event_id, host).await;
    response.headers_mut().extend(says);
    response
}

/// Nearly every answer is the large kind: a box around it would be an allocation for each.
#[allow(clippy::large_enum_variant)]
enum Answer {
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
    fn target(&self) -> (String, String) {
        match self {
            Self::Remembered(answer) => (answer.provider.to_string(), answer.model.to_string()),
            Self::Followed(_, _, step) | Self::Fresh { step, .. } => (step.row.name().to_string(), step.model.clone()),
            Self::Own(_) => Default::default(),
        }
    }
}

struct Found {
    answer: Answer,
    options: Options,
    /// Headers of a target that the caller did not choose.
    says: Vec<(HeaderName, HeaderValue)>,
}

/// What happens once.
async fn walk(gate: &Arc<Gate>, head: &Head, body: Incoming, books: &mut Books) -> Result<Found, Refusal> {
    let caller = admit::caller(gate, head, books).await?; //                     who: Head -> Caller                    (2001, 2009)
    let options = Options::read(head.headers(), &caller.gateway.settings, caller.snapshot.manners);
    books.wished(&options);
    if head.surface().call != Call::Native {
        // Boxed: the native path's future has no need for its room.
        return Box::pin(elsewhere(gate, &caller, head, body, options, books)).await;
    }
    let aim = plan::aim(&caller, head)?; //                                      where: a provider's row and a target   (2008)
    let heard = hear::body(gate, head.headers(), body, books).await?; //         what: the body                         (408, 413)
    let step = plan::step(gate, head, aim, heard, books)?; //                    its model, as the body says            (400)
    let answer = take(gate, &caller, head, step, &options, &mut false, books).await?;
    Ok(Found { answer, options, says: Vec::new() })
}

/// The surfaces on which the caller has not named one target: what is asked is read, then one target after the other tried.
async fn elsewhere(
    gate: &Arc<Gate>,
    caller: &Caller,
    head: &Head,
    body: Incoming,
    options: Options,
    books: &mut Books,
) -> Result<Found, Refusal> {
    plan::check(head)?; //                                                       is there anything of that method here? (404)
    if head.surface().call == Call::Models {
        let answer = Answer::Own(models::list(gate, caller, head));
        return Ok(Found { answer, options, says: Vec::new() });
    }
    let heard = hear::body(gate, head.headers(), body, books).await?; //         what: the body                         (408, 413)
    let mut way = plan::way(gate, caller, head, heard, &options, books)?; //     where: one target, a list, a walk      (400, 2008)
    if let Some(counted) = way.estimated()? {
        return Ok(Found { answer: Answer::Own(counted), options, says: Vec::new() });
    }
    if let Some(job) = way.job.take() {
        return later(gate, caller, head, way, job, options, books);
    }
    choose(gate, caller, head, &mut way, &mut false, books).await
}

/// The caller has its answer now; the work is done behind its back.
fn later(
    gate: &Arc<Gate>,
    caller: &Caller,
    head: &Head,
    mut way: Way,
    job: Job,
    options: Options,
    books: &mut Books,
) -> Result<Found, Refusal> {
    let place = gate.shared.jobs.clone().try_acquire_owned();
    let place = place.map_err(|_| Refusal::unavailable("too many background jobs at once", Duration::from_secs(1)))?;
    let (gate, caller, head, id) = (gate.clone(), caller.clone(), head.clone(), books.id().to_string());
    let answer = Answer::Own(run::receipt(&id));
    let mut books = books.hand_on();
    tokio::spawn(async move {
        let _place = place;
        let mut slip = Slip { id, provider: String::new(), model: String::new() };
        let answer = match choose(&gate, &caller, &head, &mut way, &mut false, &mut books).await {
            Ok(found) => {
                (slip.provider, slip.model) = found.answer.target();
                follow(&gate, books, found.answer, &found.options, None, Host::Rest).await
            }
            Err(refusal) => refuse(books, &refusal, None, Host::Rest).await,
        };
        webhook::deliver(&gate, job.webhook, slip, answer).await;
    });
    Ok(Found { answer, options, says: Vec::new() })
}

/// One target after the other, until one answers. `entered`: the request has paid its unit of the rate limit.
async fn choose(
    gate: &Arc<Gate>,
    caller: &Caller,
    head: &Head,
    way: &mut Way,
    entered: &mut bool,
    books: &mut Books,
) -> Result<Found, Refusal> {
    let (mut said, mut last) = (Said::Start, None);
    loop {
        let (miss, refusal) = match way.walk.next(said) {
            //                     pure: asks and is told
            Ask::Count(need) => {
                said = Said::Counted(limit::admit(gate, &need));
                continue;
            }
            Ask::Stop(reason) => {
                way.settle(gate, books);
                return Err(way.stopped(reason, last, books));
            }
            Ask::Try(step) => match attempt(gate, caller, head, way, &step, entered, books).await {
                Ok(found) => {
                    way.met(gate, &step, true);
                    way.settle(gate, books);
                    return Ok(found);
                }
                Err(Failed::Refused(refusal)) => return Err(refusal),
                Err(Failed::Missed(miss, refusal)) => {
                    way.met(gate, &step, false);
                    (miss, refusal)
                }
            },
        };
        (said, last) = (Said::Missed(miss), Some(refusal));
    }
}

/// One target of several. Its answer is the caller's if it is a success, or if there is nothing else to try.
async fn attempt(
    gate: &Arc<Gate>,
    caller: &Caller,
    head: &Head,
    way: &mut Way,
    step: &walk::Step,
    entered: &mut bool,
    books: &mut Books,
) -> Result<Found, Failed> {
    let taken = match way.at(gate, caller, head, step, books) {
        Err(refusal) => Err(refusal),
        Ok(Next::Way(mut way)) => Box::pin(choose(gate, caller, head, &mut way, entered, books)).await,
        Ok(Next::Step(next, options)) => {
            books.wished(&options);
            next.enter(books);
            let answer = take(gate, caller, head, *next, &options, entered, books).await;
            answer.map(|answer| Found { answer, options: *options, says: way.says(step, books) })
        }
    };
    match taken {
        Ok(Found { answer: Answer::Fresh { sent, step: asked, .. }, .. }) if way.falls_through(step, &sent) => {
            Err(miss::judge(gate, sent, asked.dialect).await)
        }
        Ok(found) => Ok(found),
        Err(refusal) => Err(miss::of_refusal(refusal)),
    }
}

/// What happens at each target. A cached answer costs no unit of the limit and no budget.
async fn take(
    gate: &Arc<Gate>,
    caller: &Caller,
    head: &Head,
    mut step: Step,
    options: &Options,
    entered: &mut bool,
    books: &mut Books,
) -> Result<Answer, Refusal> {
    let looked = cache::find(gate, caller, head, &step, options).await?; //      a hit costs no unit and no budget
    let (share, cache) = match looked {
        Looked::Hit(answer) => return Ok(Answer::Remembered(answer)),
        Looked::Follow(follower, shown) => return Ok(Answer::Followed(follower, shown, step)),
        Looked::Lead(leader, keep) => (Some((leader, keep)), CacheSaid::Miss),
        Looked::Alone => (None, CacheSaid::Miss),
        Looked::Off => (None, CacheSaid::Nothing),
    };
    if !std::mem::replace(entered, true) {
        limit::enter(gate, caller)?; //                                          one unit a request                     (2003)
    }
    let key = pick(gate, caller, head, &step);
    let sent = send::out(gate, caller, head, &mut step, &key, options.retry, books).await?; // deadlines, asking again (2005)
    Ok(Answer::Fresh { sent, step, share, cache })
}

fn pick(gate: &Gate, caller: &Caller, head: &Head, step: &Step) -> Key {
    let keys = &gate.shared.keys;
    let query = step.target.path_and_query.split_once('?').map_or("", |(_, query)| query);
    let spent = |name: &HeaderName| caller.spent.contains(name);
    let Some(foreign) = &step.foreign else {
        return keys.pick(&step.row, head.headers(), query, spent, &step.target.origin);
    };
    match foreign.credential {
        Credential::Callers => Key::Callers,
        Credential::Operators => keys.of_operator(&step.row, &step.target.origin),
        // Tokens of ours were taken out of these.
        Credential::AsNative => keys.pick(&step.row, &foreign.headers, query, |_| false, &step.target.origin),
    }
}

async fn refuse(mut books: Books, refusal: &Refusal, event_id: Option<HeaderValue>, host: Host) -> Response<ReplyBody> {
    let mut response = edge::refusal(refusal, host);
    books.refused(refusal);
    Marks { id: books.id(), event_id, logged: books.writes(), step: books.step(), cache: CacheSaid::Nothing }
        .write(response.headers_mut());
    let outcome = if refusal.is_for_nobody() { Outcome::Cancelled } else { Outcome::Refused };
    books.close(outcome).await;
    response
}

// This and `pass` are no `async fn`s: those keep what they are given beside the place they move it to, for as long as they wait, and hyper copies
// the future of every request.
#[allow(clippy::manual_async_fn)]
fn follow(
    gate: &Arc<Gate>,
    books: Books,
    answer: Answer,
    options: &Options,
    event_id: Option<HeaderValue>,
    host: Host,
) -> impl Future<Output = Response<ReplyBody>> {
    async move {
        let marks = |cache| Marks { id: books.id(), event_id, logged: books.writes(), step: books.step(), cache };
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
