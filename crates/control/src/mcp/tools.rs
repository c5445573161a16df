//! The tools: the five of the original's server under their names, and ours.
//!
//! Enters: nothing. Leaves: names, what they take, and which endpoint each one asks. Never: an endpoint that changes something: a test looks.

use serde_json::{Value, json};

use crate::openapi::schema_of;
use crate::resource::logs::{DIRECTION_WORDS, ORDER_WORDS};
use crate::shape::Presence::{Default, Optional, Required};
use crate::shape::{Member, Presence, Shape};

#[derive(Debug)]
pub(super) struct Tool {
    pub(super) name: &'static str,
    pub(super) doc: &'static str,
    /// The endpoint that is asked, by its operation.
    pub(super) op: &'static str,
    /// `gateway_id` and `log_id` go into its path, all others into its query.
    pub(super) takes: &'static [Member],
    pub(super) gives: Gives,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gives {
    /// What the endpoint answers.
    Everything,
    /// Costs of all pages, by provider and model.
    Costs,
    /// What decided about a request, without its texts.
    Reasons,
}

const fn take(name: &'static str, shape: Shape, presence: Presence, doc: &'static str) -> Member {
    Member::of(name, shape, presence, doc)
}

const GATEWAY: Member = take("gateway_id", Shape::TEXT, Required, "The gateway's id.");
const LOG: Member = take("log_id", Shape::TEXT, Required, "The log's id.");
const PAGE: Member = take("page", Shape::Whole { min: 1, max: 1 << 40 }, Default("1"), "Which page.");
const PER_PAGE: Member = take("per_page", Shape::Whole { min: 1, max: 50 }, Default("20"), "Rows of a page.");
const START: Member = take("start_date", Shape::Time, Optional, "From this moment on, ISO 8601.");
const END: Member = take("end_date", Shape::Time, Optional, "Up to this moment, ISO 8601.");
const MODEL: Member = take("model", Shape::TEXT, Optional, "Only this model.");
const PROVIDER: Member = take("provider", Shape::TEXT, Optional, "Only this provider.");
const DIRECTION: Member = take("order_by_direction", DIRECTION_WORDS, Default("\"desc\""), "Which end comes first.");

pub(super) static TOOLS: &[Tool] = &[
    Tool {
        name: "list_gateways",
        doc: "Lists the gateways with their settings.",
        op: "aig-config-list-gateway",
        takes: &[PAGE, PER_PAGE],
        gives: Gives::Everything,
    },
    Tool {
        name: "list_logs",
        doc: "Lists logged requests of a gateway, the newest first, with filters.",
        op: "aig-config-list-gateway-logs",
        takes: &[
            GATEWAY,
            PAGE,
            PER_PAGE,
            take("order_by", ORDER_WORDS, Default("\"created_at\""), "A column."),
            DIRECTION,
            START,
            END,
            take("feedback", Shape::Number { min: -1.0, max: 1.0 }, Optional, "-1, 0 or 1."),
            take("success", Shape::Flag, Optional, "Only those that succeeded, or did not."),
            take("cached", Shape::Flag, Optional, "Only those from the cache, or not."),
            MODEL,
            PROVIDER,
        ],
        gives: Gives::Everything,
    },
    Tool {
        name: "get_log_details",
        doc: "One logged request with all that is known of it.",
        op: "aig-config-get-gateway-log-detail",
        takes: &[GATEWAY, LOG],
        gives: Gives::Everything,
    },
    Tool {
        name: "get_log_request_body",
        doc: "The body of a logged request, as it came.",
        op: "aig-config-get-gateway-log-request",
        takes: &[GATEWAY, LOG],
        gives: Gives::Everything,
    },
    Tool {
        name: "get_log_response_body",
        doc: "The body of a logged answer, as it went out.",
        op: "aig-config-get-gateway-log-response",
        takes: &[GATEWAY, LOG],
        gives: Gives::Everything,
    },
    Tool {
        name: "list_errors",
        doc: "Lists requests of a gateway that failed, the newest first.",
        op: "aig-config-list-gateway-logs",
        takes: &[
            GATEWAY,
            PAGE,
            PER_PAGE,
            START,
            END,
            MODEL,
            PROVIDER,
            take("success", Shape::Word(&["false"]), Default("\"false\""), "Always false."),
            DIRECTION,
        ],
        gives: Gives::Everything,
    },
    Tool {
        name: "summarize_costs",
        doc: "Adds up requests, tokens, errors and cost in US dollars of a gateway, by provider and model.",
        op: "aig-config-list-gateway-logs",
        takes: &[GATEWAY, START, END, MODEL, PROVIDER],
        gives: Gives::Costs,
    },
    Tool {
        name: "explain_request",
        doc: "Why a request went as it did: attempts, the way through a route, refusal, cache, timing. Without its texts.",
        op: "aig-config-get-gateway-log-detail",
        takes: &[GATEWAY, LOG],
        gives: Gives::Reasons,
    },
];

// === impl Tool ===

impl Tool {
    pub(super) fn described(&self) -> Value {
        json!({
            "name": self.name,
            "description": self.doc,
            "inputSchema": schema_of(self.takes),
            "annotations": { "readOnlyHint": true, "openWorldHint": false }
        })
    }
}
