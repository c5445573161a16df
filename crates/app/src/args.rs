//! The command line.
//!
//! Enters: arguments. Leaves: a command that runs. Never: decides what a setting means: flags are one layer of `settings`.

use std::path::PathBuf;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use tollgate_control::row::Row;

use crate::command::config::At;
use crate::command::reach::{Here, Reach};
use crate::command::remote::Remote;
use crate::settings::{self, Layers, Settings};
use crate::{command, place, serve};

#[derive(Parser)]
#[command(
    name = "tollgate",
    version,
    about = "An open, self-hosted AI gateway that speaks Cloudflare AI Gateway's protocol",
    after_help = "Examples:
  tollgate                                     start on 127.0.0.1:8787, settings by default
  tollgate serve --listen 127.0.0.1:0 --json   any free port, told as JSON
  tollgate check tollgate.toml                 is this file right? if not, where and why
  tollgate gateway create support              a gateway of its own for one application
  tollgate route explain support               which model would answer, and why
  tollgate token create --name ci --permissions run,read --json
  tollgate logs tail --follow                  watch requests go by
  tollgate export > gateways.toml              everything that is configured, as one file
  tollgate plan gateways.toml                  what applying it would change, and for whom

First request, once it runs:
  curl http://127.0.0.1:8787/v1/local/default/sandbox/v1/chat/completions \\
    -H 'content-type: application/json' \\
    -d '{\"model\":\"sandbox-1\",\"messages\":[{\"role\":\"user\",\"content\":\"Hello\"}]}'"
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(subcommand)]
    command: Option<Command>,
    /// The same flags without `serve`, which is the default.
    #[command(flatten)]
    serve: ServeFlags,
}

/// Flags that every command understands.
#[derive(Args, Clone)]
pub(crate) struct Common {
    /// Settings file (TOML)
    #[arg(long, global = true, value_name = "FILE", env = "TOLLGATE_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// Where everything is kept; created with mode 0700
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// A server to work on instead of the data directory, such as https://gateway.example.com
    #[arg(long, global = true, value_name = "URL", env = "TOLLGATE_URL")]
    pub(crate) url: Option<String>,
    /// The token for it; other users of this machine can see a flag, so prefer the variable
    #[arg(long, global = true, value_name = "TOKEN", env = "TOLLGATE_TOKEN", hide_env_values = true)]
    pub(crate) token: Option<String>,
    /// The account there
    #[arg(long, global = true, value_name = "ID", env = "TOLLGATE_ACCOUNT")]
    pub(crate) account: Option<String>,
}

#[derive(Subcommand)]
enum Command {
    /// Start the gateway (the default)
    Serve(ServeFlags),
    /// Check a settings file: every fault with its line, column and a suggestion
    #[command(after_help = "Example:\n  tollgate check tollgate.toml")]
    Check {
        /// The file to check; `--config` or the default settings without it
        file: Option<PathBuf>,
    },
    /// List every setting with its key, environment variable, default and meaning
    Settings,
    /// The master key that stored secrets are sealed with
    #[command(subcommand)]
    Secrets(command::secrets::Secrets),
    /// Dynamic routes: which model answers, decided by conditions, shares, budgets and fallbacks
    #[command(subcommand)]
    Route(command::route::Route),
    /// Providers of your own
    #[command(subcommand)]
    Provider(command::provider::Provider),
    /// Tokens for callers, scripts and people
    #[command(subcommand)]
    Token(command::token::Token),
    /// What models cost: the list, another list's differences, your own prices
    #[command(subcommand)]
    Prices(command::prices::Prices),
    /// Read the log, rate its records, delete some
    #[command(subcommand, visible_alias = "logs")]
    Log(command::log::Logs),
    /// What evaluators find in the records of datasets
    #[command(subcommand)]
    Evaluation(command::evaluation::Evaluations),
    /// Compare a provider's own export of usage or costs with the log
    Reconcile(command::reconcile::Reconcile),
    /// Print a link that signs a browser in to the dashboard, for a day
    #[command(after_help = "Example:\n  tollgate dashboard")]
    Dashboard,
    /// The response cache
    #[command(subcommand)]
    Cache(command::cache::Cache),
    /// Write everything that is configured as one TOML file
    Export(command::config::Export),
    /// What applying a file would change: field by field, for whom, and for the last logged requests
    Plan(command::config::Plan),
    /// Make it so: all of a file in one step, or nothing
    Apply(command::config::Apply),
    /// Go back to an earlier state
    Rollback(command::config::Rollback),
    /// Ask a running server to read its settings file again, and tell what is wrong with it
    Reload(command::config::Reload),
    /// Turn another gateway's configuration into a file for `tollgate apply`
    #[command(subcommand)]
    Import(command::import::Import),
    /// Copy everything that is kept, also while the server runs
    Backup(command::backup::Backup),
    /// Put a backup in place
    Restore(command::backup::Restore),
    /// Call any operation of a server's REST API
    Api(command::api::Api),
    /// Write completions for a shell
    #[command(
        after_help = "Example:\n  tollgate completions bash > ~/.local/share/bash-completion/completions/tollgate"
    )]
    Completions { shell: clap_complete::Shell },
}

#[derive(Args, Clone, Default)]
#[command(after_help = "Examples:
  tollgate serve --listen 127.0.0.1:8787
  tollgate serve --config tollgate.toml --data-dir ./data --listen 127.0.0.1:0 --json
  TOLLGATE_LISTEN=127.0.0.1:9000 tollgate serve")]
pub(crate) struct ServeFlags {
    /// Address and port; port 0 takes a free one
    #[arg(long, value_name = "ADDR:PORT")]
    pub(crate) listen: Option<String>,
    /// Listen beyond loopback although some gateway lets anybody in
    #[arg(long)]
    pub(crate) allow_unauthenticated: bool,
    /// Tell the banner as one line of JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// The whole parser: what is written here, and the nouns of the table of endpoints.
pub(crate) fn tree() -> clap::Command {
    command::nouns::grow(Cli::command())
}

pub(crate) fn run() -> anyhow::Result<()> {
    let matches = tree().get_matches();
    let meant = command::nouns::meant(&Cli::command(), &matches);
    if let Some((row, ..)) = &meant {
        let common = Common::from_arg_matches(&matches)?;
        let reach = common.reach(Some(row))?;
        return meant.map_or(Ok(()), |meant| command::nouns::run(&reach, meant));
    }
    done(Cli::from_arg_matches(&matches)?)
}

impl Common {
    fn settings(&self) -> anyhow::Result<Settings> {
        let layers = Layers { file: self.config.clone(), data_dir: self.data_dir.clone(), ..Layers::default() };
        let settings = settings::resolve(&layers)?;
        place::prepare(&settings.data_dir)?;
        Ok(settings)
    }

    fn remote(&self) -> anyhow::Result<Option<Remote>> {
        let remote = |url: &str| Remote::new(url, self.token.as_deref(), self.account.as_deref());
        self.url.as_deref().map(remote).transpose()
    }

    /// Where rows are asked; which row decides whether secrets are needed here.
    fn reach(&self, row: Option<&Row>) -> anyhow::Result<Reach> {
        Ok(match self.remote()? {
            Some(remote) => Reach::There(remote),
            None => Reach::Here(Box::new(Here::open(&self.settings()?, row)?)),
        })
    }
}

fn done(cli: Cli) -> anyhow::Result<()> {
    let layers = |flags: &ServeFlags| Layers {
        file: cli.common.config.clone(),
        data_dir: cli.common.data_dir.clone(),
        listen: flags.listen.clone(),
        allow_unauthenticated: flags.allow_unauthenticated,
    };
    let all = || cli.common.settings();
    let data_dir = || -> anyhow::Result<PathBuf> { Ok(all()?.data_dir) };
    let remote = || cli.common.remote();
    let reach = |row: Option<&Row>| cli.common.reach(row);
    let at = || -> anyhow::Result<At> {
        Ok(match remote()? {
            Some(remote) => At::There(remote),
            None => At::Here(Box::new(all()?)),
        })
    };
    if let (Some(url), Some(command)) = (&cli.common.url, &cli.command) {
        refuse_far(command, url)?;
    }
    match cli.command {
        None => serve::run(&layers(&cli.serve), cli.serve.json),
        Some(Command::Serve(flags)) => serve::run(&layers(&flags), flags.json),
        Some(Command::Check { file }) => settings::check(file.or(cli.common.config).as_deref()),
        Some(Command::Settings) => settings::print_table(),
        Some(Command::Provider(command)) => command.run(&all()?),
        Some(Command::Secrets(command)) => command.run(&all()?),
        Some(Command::Route(command)) => command.run(&reach(None)?),
        Some(Command::Token(command)) => command.run(|| reach(None)),
        Some(Command::Log(command)) => command.run(data_dir, || reach(None)),
        Some(Command::Prices(command)) => command.run(&data_dir()?),
        Some(Command::Evaluation(command)) => command.run(&reach(None)?),
        Some(Command::Reconcile(command)) => command.run(&data_dir()?),
        Some(Command::Dashboard) => {
            let settings = settings::resolve(&layers(&ServeFlags::default()))?;
            command::dashboard::run(&settings)
        }
        Some(Command::Cache(command)) => command.run(data_dir, &reach(None)?),
        Some(Command::Export(command)) => command.run(&at()?),
        Some(Command::Plan(command)) => command.run(&at()?),
        Some(Command::Apply(command)) => command.run(&at()?),
        Some(Command::Rollback(command)) => command.run(&at()?),
        Some(Command::Reload(command)) => {
            let here = || -> anyhow::Result<Remote> {
                let settings = settings::resolve(&layers(&ServeFlags::default()))?;
                let scheme = if settings.tls.is_some() { "https" } else { "http" };
                let Common { token, account, .. } = &cli.common;
                Remote::new(&format!("{scheme}://{}", settings.listen), token.as_deref(), account.as_deref())
            };
            command.run(&remote()?.map_or_else(here, Ok)?)
        }
        Some(Command::Import(command)) => command.run(),
        Some(Command::Backup(command)) => command.run(&data_dir()?),
        Some(Command::Restore(command)) => command.run(&settings::resolve(&layers(&ServeFlags::default()))?.data_dir),
        Some(Command::Api(command)) => command.run(remote()?.as_ref()),
        Some(Command::Completions { shell }) => {
            clap_complete::generate(shell, &mut tree(), "tollgate", &mut std::io::stdout());
            Ok(())
        }
    }
}

/// Silently working on the data directory here would be the wrong answer to `--url`.
fn refuse_far(command: &Command, url: &str) -> anyhow::Result<()> {
    let is_near = matches!(
        command,
        Command::Secrets(_)
            | Command::Provider(_)
            | Command::Reconcile(_)
            | Command::Prices(_)
            | Command::Backup(_)
            | Command::Restore(_)
    );
    anyhow::ensure!(
        !is_near,
        "this command works on the data directory of this machine, not on {url}; `tollgate api` lists what can be called there"
    );
    Ok(())
}
