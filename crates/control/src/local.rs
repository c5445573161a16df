//! The API without a socket: the operator, at the machine where the data is, asks the rows of the table themselves.
//!
//! Enters: a row, what its path names, a query, a body. Leaves: status and bytes, the same as over HTTP. Never: asks for a token: whoever may write the
//! data directory is the operator, and the audit log says so.

use std::sync::Arc;

use axum::body::to_bytes;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::StatusCode;
use tollgate_model::token::{Permission, Token};
use tollgate_rules::scope::Pass;

use crate::audit::{self, Actor};
use crate::authorize;
use crate::call::{Call, Params};
use crate::problem::Problem;
use crate::query::Query;
use crate::router::Parts;
use crate::row::{Access, Row};

/// An export may be long; what a terminal shows is not longer.
const ANSWER_BYTES_MAX: usize = 64 << 20;

#[derive(Debug)]
pub struct Local {
    parts: Arc<Parts>,
    pass: Arc<Pass>,
    actor: Actor,
}

// === impl Local ===

impl Local {
    pub fn new(parts: Parts, actor: Actor) -> Result<Self, String> {
        let operator = Token {
            id: actor.id.clone(),
            name: actor.name.clone(),
            permissions: vec![Permission::Admin],
            ..Token::default()
        };
        Ok(Self { parts: Arc::new(parts), pass: Arc::new(Pass::alone(operator)?), actor })
    }

    pub fn parts(&self) -> &Arc<Parts> {
        &self.parts
    }

    /// Runs on a runtime: handlers may wait for a store's answer.
    pub async fn ask(
        &self,
        row: &'static Row,
        params: Vec<(String, String)>,
        query: &str,
        body: Vec<u8>,
    ) -> (StatusCode, Bytes) {
        let (parts, pass, actor) = (self.parts.clone(), self.pass.clone(), Arc::new(self.actor.clone()));
        let query = Query::parse(query).declared(row.query);
        let work = move || {
            let answered = prepare(parts, pass, row, params, query, body);
            match answered {
                Ok((call, handler)) => audit::acting(actor, || handler(&call))
                    .map_or_else(IntoResponse::into_response, IntoResponse::into_response),
                Err(problem) => problem.into_response(),
            }
        };
        let answered: Response =
            tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| Problem::internal().into_response());
        let status = answered.status();
        (status, to_bytes(answered.into_body(), ANSWER_BYTES_MAX).await.unwrap_or_default())
    }
}

fn prepare(
    parts: Arc<Parts>,
    pass: Arc<Pass>,
    row: &'static Row,
    params: Vec<(String, String)>,
    query: Query,
    body: Vec<u8>,
) -> Result<(Call, crate::row::Handler), Problem> {
    let Access::Guarded(needs, handler) = row.access else { return Err(Problem::no_route()) };
    let snapshot = parts.desk.current()?;
    let params = Params(params);
    let caller = authorize::judge(pass, &snapshot, (needs, row), &params)?;
    Ok((Call { parts, snapshot, caller, params, query, body: body.into() }, handler))
}
