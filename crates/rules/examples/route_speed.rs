//! How many decisions a second the simulator makes on one core.
//!
//! Enters: nothing. Leaves: a figure for a route with every kind of element. Never: fails on a slow machine.
//!
//! ```text
//! cargo run --release -p tollgate-rules --example route_speed
//! ```
#![allow(clippy::print_stdout)]

use std::sync::Arc;
use std::time::Instant;

use serde_json::json;
use tollgate_model::Money;
use tollgate_rules::facts::Facts;
use tollgate_rules::metadata;
use tollgate_rules::route::{Draft, Route};
use tollgate_rules::simulate::{Assumed, Simulator};
use tollgate_rules::walk::Miss;

const DECISIONS: u64 = 500_000;
const USERS: u64 = 1_000;

fn main() {
    let elements = json!([
        { "id": "start", "type": "start", "outputs": { "next": "plan" } },
        { "id": "plan", "type": "conditional", "outputs": { "true": "budget", "false": "split" },
          "properties": { "conditions": { "$or": [
              { "metadata.plan": { "$in": ["free", "trial"] } },
              { "body.messages.-1.content": { "$regex": "(?i)summari[sz]e" }, "metadata.seats": { "$lt": 5 } } ] } } },
        { "id": "budget", "type": "rate", "outputs": { "success": "split", "fallback": "small" },
          "properties": { "limitType": "cost", "key": "metadata.user_id", "limit": 0.01, "window": 3600 } },
        { "id": "split", "type": "percentage", "properties": { "sticky": "metadata.user_id" }, "outputs": { "20%": "new", "else": "old" } },
        { "id": "new", "type": "model", "properties": { "provider": "openai", "model": "new", "sticky": true },
          "outputs": { "success": "end", "fallback": "old" } },
        { "id": "old", "type": "model", "properties": { "provider": "anthropic", "model": "old" },
          "outputs": { "success": "end", "fallback": "small" } },
        { "id": "small", "type": "model", "properties": { "provider": "openai", "model": "small" }, "outputs": { "success": "end" } },
        { "id": "end", "type": "end", "outputs": {} }
    ]);
    let draft = Draft { gateway: "g", id: "r", name: "speed", version_id: "v", elements: &elements };
    let route = Arc::new(Route::compile(&draft).expect("the route is sound"));
    let facts: Vec<Facts> = (0..USERS).map(facts).collect();
    let misses = [("new".to_owned(), Miss::RateLimited)].into();
    let mut simulator = Simulator::new(route, Assumed { misses, ..Assumed::default() });
    let (mut visited, mut chosen) = (0, 0_u64);
    let began = Instant::now();
    for n in 0..DECISIONS {
        let facts = Facts { seed: n, ..facts[(n % USERS) as usize].clone() };
        let decided = simulator.decide(facts, n, Money::from_nanos(1_000_000));
        visited += decided.trace.visited.len();
        chosen += u64::from(decided.chosen.is_some());
    }
    let seconds = began.elapsed().as_secs_f64();
    println!(
        "{:.0} decisions/s on one core; {:.1} elements each, {chosen} of {DECISIONS} chosen",
        DECISIONS as f64 / seconds,
        visited as f64 / DECISIONS as f64
    );
}

fn facts(user: u64) -> Facts {
    let plan = ["free", "trial", "pro", "team"][(user % 4) as usize];
    let body = json!({ "model": "dynamic/speed", "stream": true, "messages": [
        { "role": "system", "content": "You are a helpful assistant." },
        { "role": "user", "content": "Please summarise the discussion below in three sentences." } ] });
    Facts {
        metadata: metadata::read(&format!(r#"{{"plan":"{plan}","user_id":"user-{user}","seats":{}}}"#, user % 9)),
        body,
        ..Facts::default()
    }
}
