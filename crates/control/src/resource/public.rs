//! What anyone may see: a page for people, and probes for machines.
//!
//! Enters: nothing of the desk. Leaves: plain answers. Never: names a gateway, a token or a provider key.

use http::StatusCode;

use crate::answer::Answer;
use crate::router::Public;
use crate::row::Access::{Open, OpenOnLoopback};
use crate::row::{Answers, Needs, Row, get};

const TEXT: &str = "text/plain; charset=utf-8";
const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";
pub(crate) static ROWS: &[Row] = &[
    get(
        "/",
        "tollgate-start",
        Open(start),
        Answers::Plain(TEXT),
        "What runs here, and how to begin. Browsers are led to the dashboard.",
    ),
    get("/livez", "tollgate-live", Open(live), Answers::Plain(TEXT), "200 while the process runs."),
    get(
        "/readyz",
        "tollgate-ready",
        Open(ready),
        Answers::Plain(TEXT),
        "200 while it takes traffic, 503 while it starts or drains.",
    ),
    get(
        "/metrics",
        "tollgate-metrics",
        OpenOnLoopback(Needs::Metadata, metrics),
        Answers::Plain(PROMETHEUS),
        "Prometheus metrics.",
    ),
];

static PAGE: &str = include_str!("start.txt");

/// For programs and terminals: `dashboard::lead_people` has led browsers elsewhere.
pub(crate) fn start(public: &Public) -> Answer {
    let text = PAGE.replace("{url}", &public.url).replace("{version}", env!("CARGO_PKG_VERSION"));
    Answer::Plain { status: StatusCode::OK, content_type: TEXT, text }
}

pub(crate) fn live(_: &Public) -> Answer {
    Answer::Plain { status: StatusCode::OK, content_type: TEXT, text: "live\n".to_owned() }
}

pub(crate) fn ready(public: &Public) -> Answer {
    let (status, text) =
        if (public.ready)() { (StatusCode::OK, "ready\n") } else { (StatusCode::SERVICE_UNAVAILABLE, "not ready\n") };
    Answer::Plain { status, content_type: TEXT, text: text.to_owned() }
}

pub(crate) fn metrics(public: &Public) -> Answer {
    Answer::Plain { status: StatusCode::OK, content_type: PROMETHEUS, text: (public.metrics)() }
}
