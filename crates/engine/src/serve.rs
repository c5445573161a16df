//! The spine: every stage of a request, in order, on one page.
//!
//! Enters: a request. Leaves: an answer or a refusal, and books that close themselves. Only this file orders stages.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, HeaderValue, Response};
use hyper::body::Incoming;
use tollgate_model::Refusal;
use tollgate_rules::options::Options;
use tollgate_rules::walk::{self, Ask, Said};

use crate::answer::{Answer, again, follow, refuse};
use crate::books::Books;
use crate::edge::{self, CacheSaid, ReplyBody};
use crate::gate::Gate;
use crate::head::Head;
use crate::kept;
use crate::stage::admit::Caller;
use crate::stage::cache::Looked;
use crate::stage::hear::Coming;
use crate::stage::key::{self, Whose};
use crate::stage::miss::{self, Failed};
use crate::stage::once::{self, Turn};
use crate::stage::plan::Step;
use crate::stage::plan::way::{Next, Way};
use crate::stage::{access, admit, cache, credit, hear, limit, plan, scope, send};
use crate::surface::run::{self, Job};
use crate::surface::{Call, Host, models};
use crate::webhook::{self, Slip};

/// One request of the data plane, from its head to an answer whose body still flows.
pub(crate) async fn serve(gate: &Arc<Gate>, head: &Head, body: Incoming) -> Response<ReplyBody> {
    let mut books = Books::open(gate, head);
    if once::is_asked(gate, head) {
        // Boxed: nearly nobody needs its room.
        return Box::pin(at_most_once(gate, head, body, books)).await;
    }
    let found = walk(gate, head, body, &mut books).await;
    answer(gate, head, found, books).await
}

/// A request with an idempotency key: carried out by the first who brings it, and told again to the others.
async fn at_most_once(gate: &Arc<Gate>, head: &Head, body: Incoming, mut books: Books) -> Response<ReplyBody> {
    let (caller, options, turn) = match turn(gate, head, body, &mut books).await {
        Ok(turn) => turn,
        Err(refusal) => return answer(gate, head, Err(refusal), books).await,
    };
    let (claim, body) = match turn {
        Turn::First(claim, body) => (claim, body),
        Turn::Again(told) => return again(books, head, told).await,
    };
    let (gate, head, mut books) = (gate.clone(), head.clone(), books.hand_on());
    // It goes on when the caller leaves: that is what the next try with the key relies on.
    let carried_out = tokio::spawn(async move {
        let mut owner = kept::Owner::new(&caller);
        let found = go(&gate, &caller, &head, Coming::Held(body), options, &mut books).await;
        if let Ok(found) = &found {
            (owner.provider, owner.model) = found.answer.target();
        }
        let is_refused = found.is_err();
        let response = answer(&gate, &head, found, books).await;
        // What the gateway itself refuses has cost nothing, and may be allowed by then.
        if is_refused { response } else { kept::keep(&gate, claim, owner, response).await }
    });
    carried_out.await.unwrap_or_else(|_| edge::refusal(&Refusal::internal(), Host::Gateway))
}

async fn turn(
    gate: &Arc<Gate>,
    head: &Head,
    body: Incoming,
    books: &mut Books,
) -> Result<(Caller, Options, Turn), Refusal> {
    let (caller, options) = admitted(gate, head, books).await?;
    let key = once::key(&caller, head)?;
    let heard = hear::body(gate, head.headers(), Coming::Wire(body), books).await?;
    let turn = once::turn(gate, &caller, head, key, heard).await?;
    Ok((caller, options, turn))
}

async fn answer(gate: &Arc<Gate>, head: &Head, found: Result<Found, Refusal>, books: Books) -> Response<ReplyBody> {
    let event_id = head.headers().get(edge::EVENT_ID).cloned();
    let host = head.surface().host;
    let Found { answer, options, says } = match found {
        Ok(found) => found,
        Err(refusal) => return refuse(books, &refusal, event_id, host).await,
    };
    let mut response = follow(gate, books, answer, &options, event_id, host).await;
    response.headers_mut().extend(says);
    response
}

struct Found {
    answer: Answer,
    options: Options,
    /// Headers of a target that the caller did not choose.
    says: Vec<(HeaderName, HeaderValue)>,
}

/// What happens once.
async fn walk(gate: &Arc<Gate>, head: &Head, body: Incoming, books: &mut Books) -> Result<Found, Refusal> {
    let (caller, options) = admitted(gate, head, books).await?;
    go(gate, &caller, head, Coming::Wire(body), options, books).await
}

async fn admitted(gate: &Arc<Gate>, head: &Head, books: &mut Books) -> Result<(Caller, Options), Refusal> {
    let caller = admit::caller(gate, head, books).await?; //                     who: Head -> Caller                    (2001, 2009)
    let options = Options::read(head.headers(), &caller.gateway.settings, caller.snapshot.manners);
    books.wished(&options);
    Ok((caller, options))
}

async fn go(
    gate: &Arc<Gate>,
    caller: &Caller,
    head: &Head,
    body: Coming,
    options: Options,
    books: &mut Books,
) -> Result<Found, Refusal> {
    if head.surface().call != Call::Native {
        // Boxed: the native path's future has no need for its room.
        return Box::pin(elsewhere(gate, caller, head, body, options, books)).await;
    }
    let aim = plan::aim(caller, head)?; //                                      where: a provider's row and a target   (2008)
    let heard = hear::body(gate, head.headers(), body, books).await?; //         what: the body                         (408, 413)
    let step = plan::step(gate, head, aim, heard, books)?; //                    its model, as the body says            (400)
    let answer = take(gate, caller, head, step, &options, &mut false, books).await?;
    Ok(Found { answer, options, says: Vec::new() })
}

/// The surfaces on which the caller has not named one target: what is asked is read, then one target after the other tried.
async fn elsewhere(
    gate: &Arc<Gate>,
    caller: &Caller,
    head: &Head,
    body: Coming,
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
                Err(Failed::Refused(refusal)) => {
                    way.settle(gate, books);
                    return Err(refusal);
                }
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
    scope::check(gate, caller, head, &step)?; //                                 what the caller's token is limited to  (403)
    let whose = whose(gate, caller, head, &step, options)?; //                   the caller's key, a stored one, ours   (2040)
    let looked = cache::find(gate, caller, head, &step, options).await?; //      a hit costs no unit and no budget
    let (share, cache) = match looked {
        Looked::Hit(answer) => {
            access::recall(gate, caller, &step, options)?; //                    unless the gateway is strict            (403, 429/2041)
            return Ok(Answer::Remembered(answer));
        }
        Looked::Follow(follower, shown) => {
            access::recall(gate, caller, &step, options)?;
            return Ok(Answer::Followed(follower, shown, step));
        }
        Looked::Lead(leader, keep) => (Some((leader, keep)), CacheSaid::Miss),
        Looked::Alone => (None, CacheSaid::Miss),
        Looked::Off => (None, CacheSaid::Nothing),
    };
    if !std::mem::replace(entered, true) {
        limit::enter(gate, caller, books)?; //                                   one unit a request                     (2003)
    }
    access::spend(gate, caller, &step, options, books)?; //                      policies; budgets: held before sending  (403, 429/2041)
    credit::draw(gate, caller, head, &step, &whose, books)?; //                   the operator's key: credits             (402/2021, 2018)
    let key = key::ready(gate, &step, &whose).await?; //                         counted, opened, exchanged             (2003, 2907)
    let sent = send::out(gate, caller, head, &mut step, &key, options.retry, books).await?; // deadlines, asking again (2005)
    Ok(Answer::Fresh { sent, step, share, cache })
}

fn whose(gate: &Gate, caller: &Caller, head: &Head, step: &Step, options: &Options) -> Result<Whose, Refusal> {
    match &step.foreign {
        Some(foreign) if !foreign.as_native => Ok(foreign.whose.clone()),
        _ => key::of_native(gate, caller, head, step, options),
    }
}
