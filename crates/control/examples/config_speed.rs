//! How long ten thousand routes and tokens take: `cargo run --release -p tollgate-control --example config_speed [COUNT]`
//!
//! Enters: nothing. Leaves: milliseconds for a cold load, an apply, a change of one route, and for swapping the snapshot. Never: is a test: it is about time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use serde_json::json;
use tollgate_control::config::{self, Manner};
use tollgate_control::desk::Desk;
use tollgate_model::Clock;
use tollgate_model::token::Permission;
use tollgate_rules::snapshot::Documents;
use tollgate_store::embedded::{FileDocuments, FileEntries};
use tollgate_wire::provider::Providers;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> Result<()> {
    let count: usize = std::env::args().nth(1).map_or(Ok(10_000), |text| text.parse())?;
    let dir = tempfile::tempdir()?;
    let entries = FileEntries::open(&dir.path().join("entries.db"))?;
    let text = furnished(count)?;
    println!("{count} routes and {count} tokens: a file of {} KB", text.len() / 1_024);

    let published = Arc::new(AtomicU64::new(0));
    let desk = desk(dir.path(), &published)?;
    desk.current()?;
    told("apply all of it", || Ok(config::apply(&desk, &entries, &text, Manner::default())?))?;
    told("apply the same again", || Ok(config::apply(&desk, &entries, &text, Manner::default())?))?;
    let one = text.replacen("\"m0\"", "\"another\"", 1);
    told("apply with one route changed", || Ok(config::apply(&desk, &entries, &one, Manner::default())?))?;
    let gateway = desk.gateway("g0")?.ok_or("no gateway")?;
    let elements = elements("yet-another");
    let route = desk.routes(&gateway)?.into_iter().next().ok_or("no route")?;
    let saved = desk.add_version(&gateway, &route.id, &json!({ "elements": elements }))?;
    told("deploy one route", || Ok(desk.deploy(&gateway, &route.id, &saved.version_id)?))?;
    told("export", || Ok(config::export(&desk)?))?;
    drop(desk);
    let cold = self::desk(dir.path(), &published)?;
    told("cold load of everything", || Ok(cold.current()?))?;
    println!("{} snapshots were published", published.load(Ordering::SeqCst));
    Ok(())
}

fn told<T>(what: &str, work: impl FnOnce() -> Result<T>) -> Result<()> {
    let began = Instant::now();
    work()?;
    println!("{what}: {:.1} ms", began.elapsed().as_secs_f64() * 1_000.0);
    Ok(())
}

fn desk(dir: &std::path::Path, published: &Arc<AtomicU64>) -> Result<Desk> {
    let documents = Arc::new(FileDocuments::open(&dir.join("tollgate.db"))?);
    let base = || Documents { providers: Providers::builtin().clone(), ..Documents::default() };
    let published = published.clone();
    let publish = Box::new(move |_| {
        published.fetch_add(1, Ordering::SeqCst);
    });
    Ok(Desk::new(documents, Clock::System, Box::new(base)).publishing(publish))
}

fn elements(model: &str) -> serde_json::Value {
    json!([
        { "id": "s", "type": "start", "outputs": { "next": "m" } },
        { "id": "m", "type": "model", "properties": { "provider": "openai", "model": model } },
    ])
}

/// Ten routes to a gateway.
fn furnished(count: usize) -> Result<String> {
    let mut text = String::from("format = 1\n");
    for number in 0..count {
        if number % 10 == 0 {
            text.push_str(&format!("[gateway.g{}]\nauthentication = true\n", number / 10));
        }
        text.push_str(&format!(
            "[gateway.g{}.route.r{number}]\nelements = [\n  {{ id = \"s\", type = \"start\", outputs = {{ next = \"m\" }} }},\n  \
             {{ id = \"m\", type = \"model\", properties = {{ provider = \"openai\", model = \"m{number}\" }} }},\n]\n",
            number / 10
        ));
    }
    for number in 0..count {
        text.push_str(&config::new_token(&format!("t{number}"), &[Permission::Run])?.1);
    }
    Ok(text)
}
