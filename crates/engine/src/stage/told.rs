//! A refusal in the caller's own dialect, where its SDK makes more of that than of the gateway's envelope.
//!
//! Enters: a refusal, a dialect. Leaves: the same refusal, with a body. Never: changes what is said.

use serde_json::Value;
use tollgate_model::Refusal;
use tollgate_wire::chat::{Fault, FaultKind};
use tollgate_wire::dialect::Dialect;

pub(crate) fn told(refusal: Refusal, kind: FaultKind, dialect: Dialect) -> Refusal {
    let fault = Fault {
        kind,
        status: refusal.status(),
        message: refusal.said().to_owned(),
        code: None,
        param: None,
        raw: Value::Null,
    };
    let body = match (dialect.chat(), dialect.embed()) {
        (Some(chat), _) => chat.write_fault(&fault),
        (None, Some(embed)) => embed.write_fault(&fault),
        (None, None) => return refusal,
    };
    refusal.told(body)
}
