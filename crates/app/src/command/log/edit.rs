//! `tollgate log delete`: a question's records, or all, however many they are.
//!
//! Enters: a question as `?q=` takes it. Leaves: how many are gone. Never: deletes without a question: who means everything says `--all`.

use clap::Args;
use serde_json::json;

use crate::command::reach::Reach;
use crate::command::show;

/// Each step deletes thousands.
const STEPS_MAX: usize = 100_000;

#[derive(Args, Debug)]
#[command(after_help = "Example:\n  tollgate log delete 'meta.user:42' --gateway my-app")]
pub(crate) struct Delete {
    /// Which records, such as 'meta.user:42'
    query: Option<String>,
    /// All records of the gateway
    #[arg(long, conflicts_with = "query")]
    all: bool,
    /// Only this gateway's
    #[arg(long, required = true)]
    gateway: String,
    /// How many became none, as JSON
    #[arg(long)]
    json: bool,
}

impl Delete {
    /// Bounded steps, until nothing matches. What comes in while it works is not meant.
    pub(super) fn run(&self, reach: &Reach) -> anyhow::Result<()> {
        let is_said = self.query.is_some() || self.all;
        anyhow::ensure!(is_said, "say which records, such as 'meta.user:42', or --all for every record of the gateway");
        let now = tollgate_control::time::text(tollgate_model::Clock::System.unix_ms());
        let mut query = vec![("end_date", now.as_str())];
        query.extend(self.query.as_deref().map(|text| ("q", text)));
        let mut deleted = 0;
        for _ in 0..STEPS_MAX {
            let said = reach.result("aig-config-delete-gateway-logs", &[("gateway", &self.gateway)], &query, None)?;
            match said["deleted"].as_u64() {
                None | Some(0) => break,
                Some(more) => deleted += more,
            }
        }
        match self.json {
            true => show::json(&json!({ "deleted": deleted })),
            false => show::text(&format!("deleted {deleted} records\n")),
        }
    }
}
