//! `tollgate log tail` of a server.
//!
//! Enters: the rows that the server tells. Leaves: a line for each, or its JSON. Never: asks more often than a person reads.

use std::time::Duration;

use serde_json::Value;

use super::{Tail, line};
use crate::command::reach::{Reach, Said, operation};
use crate::command::{nouns, show};

const PAUSE: Duration = Duration::from_millis(500);
const PER_PAGE_MAX: u32 = 50;

pub(super) fn tail(reach: &Reach, tail: &Tail) -> anyhow::Result<()> {
    let gateway = tail.gateway.as_deref().unwrap_or(tollgate_model::gateway::DEFAULT_ID);
    let mut after = next(&ask(reach, gateway, None)?.body);
    let path = [("gateway", gateway)];
    if tail.count > 0 {
        let count = tail.count.min(PER_PAGE_MAX).to_string();
        let newest = reach.result("aig-config-list-gateway-logs", &path, &[("per_page", &count)], None)?;
        newest.as_array().into_iter().flatten().rev().try_for_each(|row| shown(tail, row))?;
    }
    if !tail.follow {
        return Ok(());
    }
    loop {
        std::thread::sleep(PAUSE);
        let said = ask(reach, gateway, after)?;
        after = next(&said.body).or(after);
        said.result().as_array().into_iter().flatten().try_for_each(|row| shown(tail, row))?;
    }
}

fn ask(reach: &Reach, gateway: &str, after: Option<u64>) -> anyhow::Result<Said> {
    let row = operation("tollgate-tail-gateway-logs")?;
    let path = vec![("gateway".to_owned(), gateway.to_owned())];
    let query = after.map(|after| ("after".to_owned(), after.to_string())).into_iter().collect();
    let said = reach.ask(row, &path, &query, None)?;
    if said.status.is_success() { Ok(said) } else { Err(nouns::told::failed(reach, row, &path, &said)) }
}

fn next(body: &Value) -> Option<u64> {
    body["result_info"]["next"].as_u64()
}

fn shown(tail: &Tail, row: &Value) -> anyhow::Result<()> {
    if tail.json { show::json(row) } else { show::text(&line::of_row(row)) }
}
