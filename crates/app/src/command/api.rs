//! `tollgate api`: any operation of the REST API, by its name in the table of endpoints.
//!
//! Enters: a name, parameters, perhaps a body. Leaves: what the server answered as JSON. Never: knows an endpoint by itself.

use anyhow::Context;
use clap::Args;
use serde_json::Value;
use tollgate_control::resources::rows;
use tollgate_control::row::Row;

use super::reach::encoded;
use super::remote::Remote;
use super::show;

#[derive(Args, Debug)]
#[command(after_help = "Examples:
  tollgate api                                              every operation, with its path and parameters
  tollgate api aig-config-list-gateway --url http://127.0.0.1:8787
  tollgate api tollgate-purge-cache gateway=support model=gpt-5
  tollgate api aig-config-create-gateway --body '{\"id\":\"new\", ...}'")]
pub(crate) struct Api {
    /// As the list shows it; without it, the list
    operation: Option<String>,
    /// Segments of the path and parameters of the query
    #[arg(value_name = "NAME=VALUE")]
    parameters: Vec<String>,
    /// JSON
    #[arg(long, value_name = "JSON")]
    body: Option<String>,
}

impl Api {
    pub(crate) fn run(&self, remote: Option<&Remote>) -> anyhow::Result<()> {
        let Some(operation) = &self.operation else { return list() };
        let row = rows().find(|row| row.op == operation);
        let row = row.with_context(|| format!("there is no operation {operation:?}; `tollgate api` lists them"))?;
        let remote = remote.context("say which server: --url URL or TOLLGATE_URL")?;
        let body: Option<Value> =
            self.body.as_deref().map(serde_json::from_str).transpose().context("--body is not JSON")?;
        let (status, text) = remote.call(row.method.clone(), &self.path(row, remote.account())?, body.as_ref())?;
        show::text(&(text + "\n"))?;
        anyhow::ensure!(status.is_success(), "the server said {}", status.as_u16());
        Ok(())
    }

    /// What the path names goes into it, the rest behind it.
    fn path(&self, row: &Row, account: &str) -> anyhow::Result<String> {
        let mut path = row.path.replace("{account}", &encoded(account));
        let mut query = Vec::new();
        for parameter in &self.parameters {
            let (name, value) =
                parameter.split_once('=').with_context(|| format!("expected NAME=VALUE, found {parameter:?}"))?;
            let hole = format!("{{{name}}}");
            match path.contains(&hole) {
                true => path = path.replace(&hole, &encoded(value)),
                false => query.push(format!("{}={}", encoded(name), encoded(value))),
            }
        }
        if let Some((_, rest)) = path.split_once('{') {
            let name = rest.split('}').next().unwrap_or_default();
            anyhow::bail!("{} needs {name}=...: its path is {}", row.op, row.path);
        }
        Ok(if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) })
    }
}

fn list() -> anyhow::Result<()> {
    let row = |row: &Row| {
        let query: Vec<&str> = row.query.iter().map(|member| member.name).collect();
        let query = if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) };
        [row.op.to_owned(), row.method.to_string(), format!("{}{query}", row.path)]
    };
    let all: Vec<[String; 3]> = rows().filter(|row| row.is_of_the_api()).map(row).collect();
    show::table(["OPERATION", "METHOD", "PATH"], &all)
}
