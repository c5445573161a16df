//! What is written down about one request, and about each try upstream that it took.
//!
//! Enters: the books of a finished request. Leaves: one value, the unit of the journal and of the log store.
//! Never: carries a secret or a header. Bodies travel beside it, not in it.
//!
//! Requests and attempts are separate grains: a request has one record with as many attempts as it took.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::charge::{Basis, ListVersion};
use crate::{Id, Metadata, Money, Trace, Usage};

/// The journal stores this number with each record; it grows when a field changes its meaning or place.
pub const RECORD_VERSION: u8 = 2;

/// A thousandth of a cent.
const GAP_NANOS: u64 = 10_000;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    pub id: Id,
    /// The caller's own trace id; `None` when it is the id itself.
    pub event_id: Option<String>,
    pub account: Arc<str>,
    pub gateway: Arc<str>,
    /// End of the request, unix milliseconds. The start is this minus the duration.
    pub created_ms: u64,
    pub provider: Arc<str>,
    /// As sent upstream; empty when the request names none.
    pub model: String,
    /// As the provider named it in the answer, when it differs.
    pub answered_model: Option<String>,
    pub model_type: Option<Arc<str>>,
    /// Wire family: `chat`, `responses`, `messages`, `embeddings`, ...
    pub request_type: Option<Arc<str>>,
    pub path: String,
    pub method: String,
    pub request_content_type: Option<String>,
    pub response_content_type: Option<String>,
    /// What the caller was told.
    pub status: u16,
    pub outcome: Outcome,
    pub cached: bool,
    pub streamed: bool,
    pub usage: Option<Usage>,
    pub cost: Option<Cost>,
    pub metadata: Metadata,
    pub step: u16,
    pub request_size: u64,
    pub response_size: u64,
    /// The request carried a valid gateway token; which one.
    pub token_id: Option<String>,
    pub user_agent: Option<String>,
    /// The gateway's own code when it refused, and what only the log may know.
    pub refusal: Option<Refused>,
    pub finish: Option<String>,
    pub timings: Timings,
    pub attempts: Vec<Attempt>,
    pub request_body: Payload,
    pub response_body: Payload,
    /// What only calls have that the gateway itself found a target for, or put into other words.
    pub unified: Option<Box<Unified>>,
    /// What the provider says it charged. Few do.
    pub reported: Option<Money>,
    /// It went out with a key of the operator's.
    pub wholesale: bool,
    /// What was said of the answer afterwards. The journal never has it: the log does.
    pub rating: Rating,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Rating {
    /// -1 thumbs down, 0 neither, 1 thumbs up; `None`: nobody said.
    pub feedback: Option<i8>,
    /// 0 to 100.
    pub score: Option<f64>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unified {
    /// What a translation could not carry, question and answer.
    pub losses: Vec<Lost>,
    /// How many more there were.
    pub losses_more: u32,
    /// How the target was found.
    pub trace: Option<Trace>,
}

/// One entry of the loss ledger. No value of the caller's: it is logged even when bodies are not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lost {
    /// As the caller's dialect spells it: `messages[2].content[0]`.
    pub field: String,
    /// `dropped`, `approximated`, `clamped`, `renamed`.
    pub kind: String,
    pub why: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    pub code: u16,
    pub said: String,
    pub cause: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    pub amount: Money,
    /// From `cf-aig-custom-cost`.
    pub custom: bool,
    /// The usage behind it was our estimate.
    pub estimated: bool,
    /// What the amount is made of: with the usage, the lines of the ledger.
    pub basis: Basis,
    /// Of the price list that the rates are from.
    pub list: Option<ListVersion>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The caller has the whole answer, whatever its status.
    Complete,
    /// The provider broke off, or fell silent, in the middle of its answer.
    Truncated,
    /// The caller left.
    Cancelled,
    /// The gateway said no.
    Refused,
}

/// Why a body is or is not kept beside the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Payload {
    Kept,
    /// Nothing was sent.
    Empty,
    /// `cf-aig-collect-log-payload: false`.
    OptedOut,
    /// Over the cap of the log.
    TooLarge,
}

/// Microseconds since the request's head had arrived; `None` when it never came to that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timings {
    /// Spent in the gateway before the first attempt began.
    pub gateway_us: u64,
    pub first_byte_us: Option<u64>,
    /// First byte of the answer's body, which for a stream is the first token.
    pub first_token_us: Option<u64>,
    pub last_byte_us: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    pub provider: Arc<str>,
    pub model: String,
    /// Scheme, host and port. The path is the record's.
    pub origin: Arc<str>,
    /// Microseconds since the request's head had arrived.
    pub started_us: u64,
    /// Waiting for a place in the pool, opening a connection (0 when one was there), first byte of the answer, end; all since `started_us`.
    pub queue_us: u64,
    pub connect_us: u64,
    pub first_byte_us: Option<u64>,
    pub ended_us: u64,
    pub status: Option<u16>,
    /// Why it did not work, in one stable word: `connect`, `tls`, `timeout`, `reset`, `status`, ...
    pub miss: Option<String>,
    pub reused: bool,
}

impl Cost {
    /// Nothing was paid: the answer came from memory.
    pub const FREE: Cost =
        Cost { amount: Money::ZERO, custom: false, estimated: false, basis: Basis::Untold, list: None };

    /// An amount of which nothing more is known.
    pub fn plain(amount: Money) -> Self {
        Self { amount, ..Self::FREE }
    }
}

impl Record {
    /// A request of which nothing is known yet. Who has no name is called `nobody`.
    pub fn blank(id: Id, nobody: &Arc<str>) -> Self {
        Self {
            id,
            event_id: None,
            account: nobody.clone(),
            gateway: nobody.clone(),
            created_ms: 0,
            provider: nobody.clone(),
            model: String::new(),
            answered_model: None,
            model_type: None,
            request_type: None,
            path: String::new(),
            method: String::new(),
            request_content_type: None,
            response_content_type: None,
            status: 0,
            outcome: Outcome::Cancelled,
            cached: false,
            streamed: false,
            usage: None,
            cost: None,
            metadata: Metadata::default(),
            step: 0,
            request_size: 0,
            response_size: 0,
            token_id: None,
            user_agent: None,
            refusal: None,
            finish: None,
            timings: Timings::default(),
            attempts: Vec::new(),
            request_body: Payload::Empty,
            response_body: Payload::Empty,
            unified: None,
            reported: None,
            wholesale: false,
            rating: Rating::default(),
        }
    }

    /// What the provider says it charged beyond what we counted; below zero it charged less. Nothing where only one of the two is known, or where the
    /// price is the caller's own.
    pub fn cost_gap(&self) -> Option<Money> {
        let ours = self.cost.as_ref().filter(|cost| !cost.custom && cost.basis != Basis::Reported)?;
        Some(self.reported? - ours.amount)
    }

    /// The gap is more than what providers round: over one percent of what was reported, and over a thousandth of a cent.
    pub fn cost_differs(&self) -> bool {
        let over = |(gap, reported): (Money, Money)| {
            let gap = gap.nanos().unsigned_abs();
            gap > GAP_NANOS && gap > reported.nanos().unsigned_abs() / 100
        };
        self.cost_gap().zip(self.reported).is_some_and(over)
    }

    pub fn success(&self) -> bool {
        self.outcome == Outcome::Complete && (200..400).contains(&self.status)
    }

    pub fn duration_us(&self) -> u64 {
        self.timings.last_byte_us
    }
}
