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
use tollgate_control::desk::{Desk, Made, Wanted};
use tollgate_control::time;
use tollgate_model::token;
use tollgate_model::token::Permission;

use super::{duration, open_desk, show};

#[derive(Subcommand, Debug)]
#[command(after_help = "Examples:
  tollgate token create --name my-app --permissions run
  tollgate token create --name ci --permissions run,read,write --expires-in 90d --json
  tollgate token list
  tollgate token delete 3f0c...

Send a token as `cf-aig-authorization: Bearer TOKEN` with requests to models, and as
`authorization: Bearer TOKEN` to the API below /client/v4.")]
pub(crate) enum Token {
    /// Make a token and print its secret, which is shown only this once
    Create(Create),
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
    /// Revoke a token
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
    /// What it may do: run (use models), read (settings, logs and their bodies), read_metadata (the same without bodies), write (change settings)
    #[arg(long, value_delimiter = ',', required = true, value_parser = permissions())]
    permissions: Vec<Permission>,
    /// After which it is refused, such as 90d or 12h [default: never]
    #[arg(long, value_name = "DURATION", value_parser = duration::read)]
    expires_in: Option<Duration>,
    /// The token as JSON: id, name, token, permissions, hint, created_at, expires_at
    #[arg(long)]
    json: bool,
}

fn permissions() -> impl TypedValueParser<Value = Permission> {
    let names = PossibleValuesParser::new(Permission::ALL.map(|(name, _)| name));
    names.try_map(|name| Permission::from_name(&name).ok_or("unknown permission"))
}

impl Token {
    pub(crate) fn run(self, data_dir: &Path) -> anyhow::Result<()> {
        let desk = open_desk(data_dir)?;
        match self {
            Self::New { name, permissions } => {
                let (secret, lines) = tollgate_control::config::new_token(&name, &permissions)?;
                show::text(&format!("# The secret, shown only this once: {}\n{}", secret.expose(), lines.trim_start()))
            }
            Self::Create(create) => make(&desk, create),
            Self::List { json } => list(&desk, json),
            Self::Delete { id, json } => delete(&desk, &id, json),
        }
    }
}

fn make(desk: &Desk, create: Create) -> anyhow::Result<()> {
    let lives_ms = create.expires_in.map(|lives| lives.as_millis() as u64);
    let Made { token, secret } =
        desk.create_token(Wanted { name: create.name, permissions: create.permissions, lives_ms })?;
    if create.json {
        let mut shown = object(&token);
        shown["token"] = secret.expose().into();
        return show::json(&shown);
    }
    show::text(&format!(
        "{}\n\nThis is the only time it is shown. It may: {}. Revoke it with: tollgate token delete {}\n",
        secret.expose(),
        names(&token),
        token.id
    ))
}

fn list(desk: &Desk, json: bool) -> anyhow::Result<()> {
    let all = desk.tokens()?;
    if json {
        return show::json(&all.iter().map(object).collect());
    }
    let rows: Vec<[String; 6]> = all.iter().map(row).collect();
    show::table(["ID", "NAME", "PERMISSIONS", "TOKEN", "CREATED", "EXPIRES"], &rows)
}

fn row(token: &token::Token) -> [String; 6] {
    let expires = token.expires_at.map_or_else(|| "never".to_owned(), time::text);
    [token.id.clone(), token.name.clone(), names(token), token.hint.clone(), time::text(token.created_at), expires]
}

fn delete(desk: &Desk, id: &str, json: bool) -> anyhow::Result<()> {
    let gone = desk.delete_token(id).map_err(|problem| match problem {
        DeskError::Missing(_) => {
            anyhow::anyhow!("no token with the id {id:?}; `tollgate token list` shows those there are")
        }
        other => other.into(),
    })?;
    if json { show::json(&object(&gone)) } else { show::text(&format!("revoked token {} ({})\n", gone.id, gone.name)) }
}

/// Without the digest: nobody needs it.
fn object(token: &token::Token) -> Value {
    json!({
        "id": token.id,
        "name": token.name,
        "permissions": token.permissions,
        "hint": token.hint,
        "created_at": time::text(token.created_at),
        "expires_at": token.expires_at.map(time::text)
    })
}

fn names(token: &token::Token) -> String {
    token.permissions.iter().map(|permission| permission.name()).collect::<Vec<_>>().join(",")
}
