//! `tollgate token ...`
//!
//! Enters: arguments. Leaves: a secret on standard output, once. Never: shows one again: it is not stored.

use std::time::Duration;

use clap::builder::PossibleValuesParser;
use clap::builder::TypedValueParser;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use tollgate_control::time;
use tollgate_model::Clock;
use tollgate_model::token::{Permission, RateLimit, SpendLimit};

use super::reach::Reach;
use super::{duration, show};

#[derive(Subcommand, Debug)]
#[command(after_help = "Examples:
  tollgate token create --name my-app --permissions run
  tollgate token create --name my-app --permissions run --gateway support --model 'gpt-4o*' --rate 600/1m
  tollgate token create --name ci --permissions run,read,write --expires 90d --ip 192.0.2.0/24 --json
  tollgate token roll 3f0c... --grace 1d
  tollgate token list
  tollgate token revoke 3f0c...
  tollgate token new --name ci --permissions run      a declaration for a configuration file

Send a token as `cf-aig-authorization: Bearer TOKEN` with requests to models, and as
`authorization: Bearer TOKEN` to the API below /client/v4.")]
pub(crate) enum Token {
    /// Make a token and print its secret, which is shown only this once
    Create(Box<Create>),
    /// A new secret for a token; the one before stays good for a while
    Roll {
        /// As `token list` shows it
        id: String,
        /// How long both secrets are good, such as 1h or 7d (at most 30d) [default: not at all]
        #[arg(long, value_name = "DURATION", value_parser = duration::read)]
        grace: Option<Duration>,
        /// The token as JSON, with its new secret
        #[arg(long)]
        json: bool,
    },
    /// Make a secret and the lines that declare its token in a configuration file; nothing is stored
    New {
        /// What it is for
        #[arg(long)]
        name: String,
        /// What it may do
        #[arg(long, value_delimiter = ',', required = true, value_parser = permissions())]
        permissions: Vec<Permission>,
    },
}

#[derive(Args, Debug)]
pub(crate) struct Create {
    /// What it is for; shown in lists
    #[arg(long)]
    name: String,
    /// What it may do: run (use models), read (settings, logs and their bodies), read_metadata (the same without bodies), write (change settings),
    /// secrets_write, analytics_read, logs_edit, account_read (the audit log), admin (everything)
    #[arg(long, value_delimiter = ',', required = true, value_parser = permissions())]
    permissions: Vec<Permission>,
    /// After which it is refused, such as 90d or 12h [default: never]
    #[arg(long, visible_alias = "expires", value_name = "DURATION", value_parser = duration::read)]
    expires_in: Option<Duration>,
    /// Only for this gateway; may be repeated
    #[arg(long = "gateway", value_name = "ID")]
    gateways: Vec<String>,
    /// Only for this provider, as paths name it; may be repeated
    #[arg(long = "provider", value_name = "NAME")]
    providers: Vec<String>,
    /// Only for models that match, such as 'gpt-4o*' or 'openai/*'; may be repeated
    #[arg(long = "model", value_name = "PATTERN")]
    models: Vec<String>,
    /// Only for this dynamic route; may be repeated
    #[arg(long = "route", value_name = "NAME")]
    routes: Vec<String>,
    /// Only from this address or range; may be repeated
    #[arg(long = "ip", value_name = "RANGE")]
    from: Vec<String>,
    /// At most so many requests to providers, such as 600/1m
    #[arg(long, value_name = "COUNT/DURATION", value_parser = rate)]
    rate: Option<RateLimit>,
    /// At most so many US dollars, such as 20/30d
    #[arg(long, value_name = "DOLLARS/DURATION", value_parser = spend)]
    spend: Option<SpendLimit>,
    /// The token as JSON, with its secret as `token`
    #[arg(long)]
    json: bool,
}

fn permissions() -> impl TypedValueParser<Value = Permission> {
    let names = PossibleValuesParser::new(Permission::ALL.map(|(name, _)| name));
    names.try_map(|name| Permission::from_name(&name).ok_or("unknown permission"))
}

fn rate(text: &str) -> Result<RateLimit, String> {
    let (count, window) = text.split_once('/').ok_or("expected requests and a duration, such as 600/1m")?;
    let limit = count.trim().parse().map_err(|_| "expected a whole number of requests before the slash")?;
    Ok(RateLimit { limit, window: duration::read(window.trim())?.as_secs() })
}

fn spend(text: &str) -> Result<SpendLimit, String> {
    let (dollars, window) = text.split_once('/').ok_or("expected US dollars and a duration, such as 20/30d")?;
    let limit_usd = dollars.trim().parse().map_err(|_| "expected a number of US dollars before the slash")?;
    Ok(SpendLimit { limit_usd, window: duration::read(window.trim())?.as_secs() })
}

impl Token {
    /// Only what makes no token needs neither a data directory nor a server.
    pub(crate) fn run(self, reach: impl FnOnce() -> anyhow::Result<Reach>) -> anyhow::Result<()> {
        match self {
            Self::New { name, permissions } => {
                let (secret, lines) = tollgate_control::config::new_token(&name, &permissions)?;
                show::text(&format!("# The secret, shown only this once: {}\n{}", secret.expose(), lines.trim_start()))
            }
            Self::Create(create) => make(&reach()?, &create),
            Self::Roll { id, grace, json } => roll(&reach()?, &id, grace, json),
        }
    }
}

impl Create {
    /// As the REST API hears it.
    fn body(&self) -> Value {
        let names: Vec<&str> = self.permissions.iter().map(|permission| permission.name()).collect();
        let mut body = json!({ "name": self.name, "permissions": names });
        let lists = [
            ("gateways", &self.gateways),
            ("providers", &self.providers),
            ("models", &self.models),
            ("routes", &self.routes),
        ];
        for (name, list) in lists.into_iter().filter(|(_, list)| !list.is_empty()) {
            body[name] = json!(list);
        }
        if !self.from.is_empty() {
            body["condition"] = json!({ "request_ip": { "in": self.from } });
        }
        if let Some(lives) = self.expires_in {
            body["expires_on"] = time::text(Clock::System.unix_ms() + lives.as_millis() as u64).into();
        }
        if let Some(rate) = &self.rate {
            body["rate_limit"] = json!({ "limit": rate.limit, "window": rate.window });
        }
        if let Some(spend) = &self.spend {
            body["spend_limit"] = json!({ "limit_usd": spend.limit_usd, "window": spend.window });
        }
        body
    }
}

fn make(reach: &Reach, create: &Create) -> anyhow::Result<()> {
    let mut made = reach.result("account-api-tokens-create-token", &[], &[], Some(&create.body()))?;
    let secret = made["value"].take();
    made.as_object_mut().map(|made| made.remove("value"));
    tell(made, secret, create.json)
}

fn roll(reach: &Reach, id: &str, grace: Option<Duration>, json: bool) -> anyhow::Result<()> {
    let body = json!({ "grace_seconds": grace.unwrap_or_default().as_secs() });
    let secret = reach.result("account-api-tokens-roll-token", &[("token", id)], &[], Some(&body))?;
    tell(reach.result("account-api-tokens-token-details", &[("token", id)], &[], None)?, secret, json)
}

/// The secret is `token` here: what a script wants of `token create`.
fn tell(mut made: Value, secret: Value, json: bool) -> anyhow::Result<()> {
    if json {
        made["token"] = secret;
        return show::json(&made);
    }
    let may =
        made["permissions"].as_array().into_iter().flatten().filter_map(Value::as_str).collect::<Vec<_>>().join(",");
    let (secret, id) = (secret.as_str().unwrap_or_default(), made["id"].as_str().unwrap_or_default());
    show::text(&format!(
        "{secret}\n\nThis is the only time it is shown. It may: {may}. Revoke it with: tollgate token revoke {id}\n"
    ))
}
