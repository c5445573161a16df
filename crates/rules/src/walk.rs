//! Where a request goes, and where to when that fails: one target, the caller's list, a dynamic route, or the auto router's choice.
//!
//! Enters: what became of the last question (`Said`). Leaves: the next one (`Ask`), and a trace of every decision.
//! Never: asks a target, counts, waits, or looks at a clock: whoever walks does that and says what came of it.
//!
//! ```text
//! let mut said = Said::Start;
//! loop {
//!     said = match walk.next(said) {
//!         Ask::Try(step) => match take(&step).await {
//!             Ok(answer) => { walk.answered(); return Ok(answer) }
//!             Err(miss) => Said::Missed(miss),
//!         },
//!         Ask::Count(need) => Said::Counted(meters.admit(&need, now_ms)),
//!         Ask::Stop(reason) => return Err(refusal(reason)),
//!     }
//! }
//! ```
//!
//! Every walk ends: a list has an end, and a route is left after [`VISITS_MAX`] elements or [`TRIES_MAX`] targets.

mod list;
mod road;

use std::sync::Arc;

use tollgate_model::Trace;

use crate::auto::Decision;
use crate::facts::Facts;
use crate::memory::Mark;
use crate::meter::Need;
use crate::route::Route;

use self::list::List;
use self::road::Road;

/// Elements that one walk may visit.
pub const VISITS_MAX: usize = 64;
/// Targets that one walk of a route may try.
pub const TRIES_MAX: u16 = 16;

#[derive(Clone, Debug)]
pub struct Walk {
    way: Way,
    trace: Trace,
}

#[derive(Clone, Debug)]
enum Way {
    List(List),
    Road(Box<Road>),
}

/// Where something can be asked: a step of the caller's, an element of a route, a model of the pool.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Target {
    /// The path segment of the provider.
    pub provider: Arc<str>,
    pub model: Arc<str>,
    /// To the first byte; `None`: what the request or the gateway says.
    pub timeout_ms: Option<u64>,
    /// In all, the first included; `None`: what the request or the gateway says.
    pub attempts: Option<u8>,
}

/// A target whose turn it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    pub target: Target,
    /// Of a list: its place in it, which is what `cf-aig-step` says. Of a route: how many targets were tried before.
    pub index: u16,
    /// Something else will be tried should this one be too slow: the last attempt's deadline then stands (see [`crate::retry::Plan::timeout`]).
    pub more: bool,
    /// The element of the route; `None` outside of routes.
    pub element: Option<Arc<str>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Ask this target, as often as it says. Then [`Said::Missed`], or [`Walk::answered`].
    Try(Step),
    /// Is there room in this window? Then [`Said::Counted`].
    Count(Need),
    /// There is nothing more to try.
    Stop(StopReason),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    Start,
    /// Whether there was room.
    Counted(bool),
    /// All attempts at the target failed; what the last of them met.
    Missed(Miss),
}

/// Why a target did not answer, as far as falling back is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Miss {
    Timeout,
    /// 429 of the provider.
    RateLimited,
    ServerError,
    /// Any other 4xx.
    ClientError,
    ContextTooLong,
    ContentPolicy,
    /// A spend limit of the gateway, before the target was asked.
    SpendLimited,
    /// No connection, or one that broke before an answer began.
    Connect,
    /// It cannot be asked at all: no such provider, no key for it, a request its dialect cannot say.
    Unusable,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopReason {
    /// What could be tried was tried. Of a list the last answer is shown; a route is refused with 2005.
    Exhausted,
    /// A rate element without a `fallback` output had no room.
    RateLimited,
    /// The route came to its end and no model was on the way.
    NoModel,
    /// More elements or targets than one walk may visit.
    TooLong,
}

// === impl Walk ===

impl Walk {
    pub fn single(target: Target) -> Self {
        Self { way: Way::List(List::single(target)), trace: Trace::default() }
    }

    /// The universal endpoint: in order, and whatever goes wrong with one passes control to the next.
    pub fn list(targets: Vec<Target>) -> Self {
        Self { way: Way::List(List::new(targets)), trace: Trace::default() }
    }

    pub fn route(route: Arc<Route>, facts: Arc<Facts>) -> Self {
        let trace = Trace { route: Some(route.name.clone()), ..Trace::default() };
        Self { way: Way::Road(Box::new(Road::new(route, facts))), trace }
    }

    pub fn auto(decision: &Decision) -> Self {
        let trace = Trace { candidates: decision.candidates.clone(), ..Trace::default() };
        Self { way: Way::List(List::new(decision.targets.clone())), trace }
    }

    /// What to do now. Said twice, `Start` begins nothing anew: a walk goes one way.
    pub fn next(&mut self, said: Said) -> Ask {
        let ask = match &mut self.way {
            Way::List(list) => list.next(said, &mut self.trace),
            Way::Road(road) => road.next(said, &mut self.trace),
        };
        if let Ask::Stop(reason) = &ask {
            self.trace.stopped.get_or_insert_with(|| reason.word().to_owned());
        }
        ask
    }

    /// The target of the last step answered, or has begun to: the walk is over.
    pub fn answered(&mut self) {
        match &mut self.way {
            Way::List(list) => list.answered(&mut self.trace),
            Way::Road(road) => road.answered(&mut self.trace),
        }
    }

    pub fn trace(&self) -> &Trace {
        &self.trace
    }

    pub fn into_trace(self) -> Trace {
        self.trace
    }

    /// Windows of cost that this request passed and must be entered in when it is priced: [`crate::meter::Meters::spend`].
    pub fn owed(&self) -> &[Need] {
        match &self.way {
            Way::List(_) => &[],
            Way::Road(road) => road.owed(),
        }
    }

    /// The choice that later requests of the same user or session shall meet again, once it has answered.
    pub fn kept(&self) -> Option<(Mark, Arc<str>)> {
        match &self.way {
            Way::List(_) => None,
            Way::Road(road) => road.kept(),
        }
    }
}

// === impl Miss ===

impl Miss {
    pub const ALL: [Self; 9] = [
        Self::Timeout,
        Self::RateLimited,
        Self::ServerError,
        Self::ClientError,
        Self::ContextTooLong,
        Self::ContentPolicy,
        Self::SpendLimited,
        Self::Connect,
        Self::Unusable,
    ];

    /// As `fallbackOn` and traces spell it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::RateLimited => "rate_limited",
            Self::ServerError => "server_error",
            Self::ClientError => "client_error",
            Self::ContextTooLong => "context_too_long",
            Self::ContentPolicy => "content_policy",
            Self::SpendLimited => "spend_limited",
            Self::Connect => "connect",
            Self::Unusable => "unusable",
        }
    }

    /// What a status says when nothing finer is known of the answer.
    pub fn of_status(status: u16) -> Self {
        match status {
            408 | 504 => Self::Timeout,
            429 => Self::RateLimited,
            400..=499 => Self::ClientError,
            _ => Self::ServerError,
        }
    }
}

// === impl StopReason ===

impl StopReason {
    pub fn word(self) -> &'static str {
        match self {
            Self::Exhausted => "nothing is left to try",
            Self::RateLimited => "a rate element had no room and no fallback output",
            Self::NoModel => "the route ended before any model",
            Self::TooLong => "the walk visited more elements than it may",
        }
    }
}

// === impl Target ===

impl Target {
    /// `provider/model`.
    pub fn name(&self) -> Arc<str> {
        match self.model.is_empty() {
            true => self.provider.clone(),
            false => format!("{}/{}", self.provider, self.model).into(),
        }
    }
}

#[cfg(test)]
mod tests;
