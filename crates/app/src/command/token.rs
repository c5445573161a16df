//! `tollgate token ...`
//!
//! Enters: arguments. Leaves: a secret on standard output, once. Never: shows one again: it is not stored.

use std::path::Path;
use std::time::Duration;

use clap::builder::PossibleValuesParser;
use clap::builder::TypedValueParser;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use tollgate_control::DeskError;
use tollgate_control::desk::{By, Desk, Made, Wanted};
use tollgate_control::time;
use tollgate_model::token::{self, Permission, RateLimit, Scope, SpendLimit};

use super::{duration, open_desk, show};

#[derive(Subcommand, Debug)]
#[command(after_help = "Examples:
  tollgate token create --name my-app --permissions run
  tollgate token create --name my-app --permissions run --gateway support --model 'gpt-4o*' --rate 600/1m
  tollgate token create --name ci --permissions run,read,write --expires 90d --ip 192.0.2.0/24 --json
  tollgate token roll 3f0c... --grace 1d
  tollgate token list
  tollgate token revoke 3f0c...

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
    /// All tokens, the newest first, without their secrets
    List {
        /// One JSON array
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
    /// Revoke a token, and those that were made with it
    #[command(alias = "revoke")]
    Delete {
        /// As `token list` shows it
        id: String,
        /// The revoked token as JSON
        #[arg(long)]
        json: bool,
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
    /// The token as JSON: id, name, token, permissions, hint, created_at, expires_at
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
    pub(crate) fn run(self, data_dir: &Path) -> anyhow::Result<()> {
        let desk = open_desk(data_dir)?;
        match self {
            Self::New { name, permissions } => {
                let (secret, lines) = tollgate_control::config::new_token(&name, &permissions)?;
                show::text(&format!("# The secret, shown only this once: {}\n{}", secret.expose(), lines.trim_start()))
            }
            Self::Create(create) => make(&desk, *create),
            Self::Roll { id, grace, json } => roll(&desk, &id, grace, json),
            Self::List { json } => list(&desk, json),
            Self::Delete { id, json } => delete(&desk, &id, json),
        }
    }
}

impl Create {
    fn wanted(self) -> Wanted {
        let some = |list: Vec<String>| Some(list).filter(|list| !list.is_empty());
        let scope = Scope {
            gateways: some(self.gateways),
            providers: some(self.providers),
            models: some(self.models),
            routes: some(self.routes),
            from: some(self.from),
            not_from: None,
            rate_limit: self.rate,
            spend_limit: self.spend,
        };
        let lives_ms = self.expires_in.map(|lives| lives.as_millis() as u64);
        Wanted { name: self.name, permissions: self.permissions, lives_ms, scope, ..Wanted::default() }
    }
}

fn make(desk: &Desk, create: Create) -> anyhow::Result<()> {
    let json = create.json;
    let made = desk.create_token(create.wanted())?;
    tell(&made, json)
}

fn roll(desk: &Desk, id: &str, grace: Option<Duration>, json: bool) -> anyhow::Result<()> {
    let grace_ms = grace.unwrap_or_default().as_millis() as u64;
    let made = desk.roll_token(id, grace_ms, By::Operator).map_err(|problem| missing(problem, id))?;
    tell(&made, json)
}

fn tell(Made { token, secret }: &Made, json: bool) -> anyhow::Result<()> {
    if json {
        let mut shown = object(token);
        shown["token"] = secret.expose().into();
        return show::json(&shown);
    }
    show::text(&format!(
        "{}\n\nThis is the only time it is shown. It may: {}. Revoke it with: tollgate token revoke {}\n",
        secret.expose(),
        names(token),
        token.id
    ))
}

fn list(desk: &Desk, json: bool) -> anyhow::Result<()> {
    let all = desk.tokens()?;
    if json {
        return show::json(&all.iter().map(object).collect());
    }
    let rows: Vec<[String; 7]> = all.iter().map(row).collect();
    show::table(["ID", "NAME", "PERMISSIONS", "TOKEN", "CREATED", "EXPIRES", "ONLY"], &rows)
}

fn row(token: &token::Token) -> [String; 7] {
    let expires = token.expires_at.map_or_else(|| "never".to_owned(), time::text);
    let (id, name) = (token.id.clone(), token.name.clone());
    [id, name, names(token), token.hint.clone(), time::text(token.created_at), expires, borders(&token.scope)]
}

/// What narrows it, in a few words.
fn borders(scope: &Scope) -> String {
    let lists = [
        ("gateway", &scope.gateways),
        ("provider", &scope.providers),
        ("model", &scope.models),
        ("route", &scope.routes),
        ("ip", &scope.from),
        ("not ip", &scope.not_from),
    ];
    let list = |(name, list): (&str, &Option<Vec<String>>)| Some(format!("{name} {}", list.as_ref()?.join(",")));
    let mut all: Vec<String> = lists.into_iter().filter_map(list).collect();
    all.extend(scope.rate_limit.map(|rate| format!("{} requests in {} s", rate.limit, rate.window)));
    all.extend(scope.spend_limit.map(|spend| format!("${} in {} s", spend.limit_usd, spend.window)));
    if all.is_empty() { "-".to_owned() } else { all.join("; ") }
}

fn delete(desk: &Desk, id: &str, json: bool) -> anyhow::Result<()> {
    let gone = desk.delete_token(id).map_err(|problem| missing(problem, id))?;
    if json { show::json(&object(&gone)) } else { show::text(&format!("revoked token {} ({})\n", gone.id, gone.name)) }
}

fn missing(problem: DeskError, id: &str) -> anyhow::Error {
    match problem {
        DeskError::Missing(_) => {
            anyhow::anyhow!("no token with the id {id:?}; `tollgate token list` shows those there are")
        }
        other => other.into(),
    }
}

/// Without the digest: nobody needs it. What narrows it is there when something does.
fn object(token: &token::Token) -> Value {
    let mut shown = json!({
        "id": token.id,
        "name": token.name,
        "permissions": token.permissions,
        "hint": token.hint,
        "created_at": time::text(token.created_at),
        "expires_at": token.expires_at.map(time::text)
    });
    if !token.scope.is_whole() {
        shown["scope"] = serde_json::to_value(&token.scope).unwrap_or_default();
    }
    shown
}

fn names(token: &token::Token) -> String {
    token.permissions.iter().map(|permission| permission.name()).collect::<Vec<_>>().join(",")
}
