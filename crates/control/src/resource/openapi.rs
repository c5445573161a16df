//! The API's own description.
//!
//! Enters: nothing. Leaves: the OpenAPI document. Never: differs between callers: it is made from the table.

use http::StatusCode;

use crate::answer::Answer;
use crate::openapi;
use crate::router::Public;
use crate::row::Access::Open;
use crate::row::{Answers, OPENAPI, Row, get};

const JSON: &str = "application/json";

pub(crate) static ROWS: &[Row] =
    &[get(OPENAPI, "tollgate-openapi", Open(document), Answers::Plain(JSON), "This API as OpenAPI 3.1.")];

fn document(_: &Public) -> Answer {
    Answer::Plain { status: StatusCode::OK, content_type: JSON, text: openapi::text().to_owned() }
}
