//! Every setting: its key, its environment variable, its default and what it means. The one list.
//!
//! Enters: nothing. Leaves: the reference that `tollgate settings` prints and docs/settings.md repeats (a test compares them).

pub(crate) struct Setting {
    pub(crate) key: &'static str,
    pub(crate) env: &'static str,
    pub(crate) default: &'static str,
    pub(crate) doc: &'static str,
}

const fn setting(key: &'static str, env: &'static str, default: &'static str, doc: &'static str) -> Setting {
    Setting { key, env, default, doc }
}

pub(crate) const LISTEN: &str = "127.0.0.1:8787";
pub(crate) const DRAIN_S: u64 = 600;
pub(crate) const CACHE_MEMORY_BYTES: u64 = 16 << 20;
pub(crate) const CACHE_DISK_BYTES: u64 = 1 << 30;
pub(crate) const IDEMPOTENCY_DISK_BYTES: u64 = 256 << 20;
pub(crate) const BODY_BYTES_MAX: u64 = 512 << 20;
pub(crate) const ANSWER_IDLE_S: u64 = 300;
pub(crate) const FIRST_BYTE_S: u64 = 600;
pub(crate) const CONNECTIONS_MAX: u64 = 16_384;
pub(crate) const LOG_RETENTION_DAYS: u64 = 0;
pub(crate) const AUDIT_RETENTION_DAYS: u64 = 365;
pub(crate) const OIDC_IDLE_MINUTES: u64 = 60;
pub(crate) const OIDC_SESSION_HOURS: u64 = 12;
pub(crate) const LOG_FILTER: &str = "info";

pub(crate) const SETTINGS: &[Setting] = &[
    setting(
        "listen",
        "TOLLGATE_LISTEN",
        LISTEN,
        "address and port; port 0 takes a free one. Beyond loopback every gateway must require a token",
    ),
    setting(
        "public_url",
        "TOLLGATE_PUBLIC_URL",
        "the listener's",
        "https://HOST as clients reach the gateway, where a proxy stands before it: told by the API, no custom domain",
    ),
    setting(
        "data_dir",
        "TOLLGATE_DATA_DIR",
        "~/.local/share/tollgate",
        "where everything is kept; created with mode 0700",
    ),
    setting(
        "allow_unauthenticated",
        "TOLLGATE_ALLOW_UNAUTHENTICATED",
        "false",
        "listen beyond loopback although some gateway lets anybody in",
    ),
    setting(
        "accounts",
        "TOLLGATE_ACCOUNTS",
        "[]",
        "account segments that are accepted; empty: any, and all mean this one installation",
    ),
    setting(
        "trusted_proxies",
        "TOLLGATE_TRUSTED_PROXIES",
        "[]",
        "addresses and ranges of proxies whose x-forwarded-for, forwarded and x-forwarded-proto are believed; see docs/access.md",
    ),
    setting("workers", "TOLLGATE_WORKERS", "one per core", "threads that serve traffic"),
    setting("drain_seconds", "TOLLGATE_DRAIN_SECONDS", "600", "how long streams may go on after SIGTERM"),
    setting(
        "connections_max",
        "TOLLGATE_CONNECTIONS_MAX",
        "16384",
        "open connections of callers; more wait to be accepted",
    ),
    setting("body_bytes_max", "TOLLGATE_BODY_BYTES_MAX", "536870912", "largest request body"),
    setting(
        "first_byte_seconds",
        "TOLLGATE_FIRST_BYTE_SECONDS",
        "600",
        "longest wait for the head of a provider's answer",
    ),
    setting("answer_idle_seconds", "TOLLGATE_ANSWER_IDLE_SECONDS", "300", "longest gap inside a provider's answer"),
    setting(
        "providers.<segment>.base_url",
        "TOLLGATE_PROVIDERS_<SEGMENT>_BASE_URL",
        "the provider's own",
        "where a provider is reached instead",
    ),
    setting(
        "providers.<segment>.values.<value>",
        "that of the provider's row",
        "that of the provider's row",
        "what the unified API needs to know to reach a provider: a project, a region, a resource",
    ),
    setting("aliases.<name>", "none", "none", "another name for a model: fast = \"openai/gpt-5-mini\""),
    setting(
        "config.file",
        "TOLLGATE_CONFIG_FILE",
        "none",
        "gateways, routes, providers and tokens come from this file alone; it is watched, and the API refuses to change them",
    ),
    setting(
        "credits.enabled",
        "TOLLGATE_CREDITS_ENABLED",
        "false",
        "requests with the operator's keys draw on booked credits and are refused without; see docs/billing.md",
    ),
    setting(
        "credits.requests_per_minute",
        "TOLLGATE_CREDITS_REQUESTS_PER_MINUTE",
        "200",
        "requests of a gateway with the operator's keys in a minute, where credits are enabled",
    ),
    setting(
        "egress.allow_private",
        "TOLLGATE_EGRESS_ALLOW_PRIVATE",
        "[]",
        "private address ranges that may be connected to: CIDR, loopback or private; see docs/egress.md",
    ),
    setting("tls.certificate", "TOLLGATE_TLS_CERTIFICATE", "none", "PEM file; with tls.key the listener speaks TLS"),
    setting("tls.key", "TOLLGATE_TLS_KEY", "none", "PEM file"),
    setting("cache.memory_bytes", "TOLLGATE_CACHE_MEMORY_BYTES", "16777216", "answers kept in memory"),
    setting("cache.disk_bytes", "TOLLGATE_CACHE_DISK_BYTES", "1073741824", "answers kept on disk"),
    setting(
        "cache.streams",
        "TOLLGATE_CACHE_STREAMS",
        "off",
        "cache streamed answers: off, instant or recorded; a header changes it for one request",
    ),
    setting(
        "cache.ttl_header_enables",
        "TOLLGATE_CACHE_TTL_HEADER_ENABLES",
        "false",
        "let a positive cf-aig-cache-ttl alone switch caching on",
    ),
    setting(
        "idempotency.ttl_seconds",
        "TOLLGATE_IDEMPOTENCY_TTL_SECONDS",
        "86400",
        "how long an answer is told again to who brings its idempotency key; 0: keys are not looked at",
    ),
    setting(
        "idempotency.disk_bytes",
        "TOLLGATE_IDEMPOTENCY_DISK_BYTES",
        "268435456",
        "such answers kept on disk; the oldest go first",
    ),
    setting(
        "log.retention_days",
        "TOLLGATE_LOG_RETENTION_DAYS",
        "0",
        "days after which request logs are deleted; 0 keeps them",
    ),
    setting(
        "log.audit_retention_days",
        "TOLLGATE_LOG_AUDIT_RETENTION_DAYS",
        "365",
        "days after which entries of the audit log are deleted; 0 keeps them",
    ),
    setting(
        "log.filter",
        "TOLLGATE_LOG_FILTER",
        "info",
        "what the process says of itself: error, warn, info, debug, or a tracing filter",
    ),
    setting("log.json", "TOLLGATE_LOG_JSON", "false", "say it as JSON"),
    setting(
        "secrets.master_key_file",
        "TOLLGATE_SECRETS_MASTER_KEY_FILE",
        "master.key in data_dir",
        "the key that stored secrets are sealed with; made with mode 0600 at first use. TOLLGATE_MASTER_KEY may hold the key itself instead",
    ),
    setting(
        "secrets.master_key_command",
        "TOLLGATE_SECRETS_MASTER_KEY_COMMAND",
        "none",
        "a command (for sh) that prints the master key; run once at start",
    ),
    setting(
        "secrets.env_references",
        "TOLLGATE_SECRETS_ENV_REFERENCES",
        "[]",
        "variables that stored secrets may name as env:NAME, besides those where providers' keys are usually found",
    ),
    setting(
        "secrets.file_references",
        "TOLLGATE_SECRETS_FILE_REFERENCES",
        "[]",
        "directories whose files stored secrets may name as file:/path",
    ),
    setting(
        "oidc.issuer",
        "TOLLGATE_OIDC_ISSUER",
        "none",
        "where people sign in: the URL exactly as the issuer's discovery document says it; see docs/access.md",
    ),
    setting("oidc.name", "TOLLGATE_OIDC_NAME", "the issuer's host", "what the button calls the issuer"),
    setting("oidc.client_id", "TOLLGATE_OIDC_CLIENT_ID", "none", "as the issuer registered this gateway"),
    setting(
        "oidc.client_secret",
        "TOLLGATE_OIDC_CLIENT_SECRET",
        "none",
        "env:NAME, file:/path, secret:NAME of the Secrets Store, or the secret itself; a public client has none",
    ),
    setting(
        "oidc.scopes",
        "TOLLGATE_OIDC_SCOPES",
        "[\"openid\", \"profile\", \"email\"]",
        "what the issuer is asked for; some give groups only with a scope of their own",
    ),
    setting(
        "oidc.roles_claim",
        "TOLLGATE_OIDC_ROLES_CLAIM",
        "groups",
        "the claim that says who may what: its name, or a path such as realm_access.roles",
    ),
    setting(
        "oidc.roles",
        "TOLLGATE_OIDC_ROLES",
        "{}",
        "values of that claim to roles: { ai-admins = \"admin\" }; viewer, payload_viewer, operator or admin, the highest counts",
    ),
    setting(
        "oidc.default_role",
        "TOLLGATE_OIDC_DEFAULT_ROLE",
        "none",
        "of everybody whom the issuer lets in; without it who has no role stays outside",
    ),
    setting(
        "oidc.domains",
        "TOLLGATE_OIDC_DOMAINS",
        "[]",
        "only people with a verified e-mail address of one of these; empty: any",
    ),
    setting(
        "oidc.redirect_base_url",
        "TOLLGATE_OIDC_REDIRECT_BASE_URL",
        "public_url, else where the browser came to",
        "https://HOST where browsers reach the gateway; the issuer must know HOST/dashboard/oidc/callback",
    ),
    setting("oidc.idle_minutes", "TOLLGATE_OIDC_IDLE_MINUTES", "60", "who was away so long has to sign in again"),
    setting("oidc.session_hours", "TOLLGATE_OIDC_SESSION_HOURS", "12", "and who signed in so long ago"),
    setting("auto.pool", "TOLLGATE_AUTO_POOL", "see docs/routes.md", "models that cloudflare/auto chooses from"),
    setting(
        "auto.levels",
        "TOLLGATE_AUTO_LEVELS",
        "[50, 70, 85]",
        "least quality that an easy, a usual and a hard task ask for",
    ),
    setting(
        "auto.session_tolerance",
        "TOLLGATE_AUTO_SESSION_TOLERANCE",
        "1.5",
        "how many times as much as the cheapest a session's last model may cost and still be kept",
    ),
    setting("auto.tries", "TOLLGATE_AUTO_TRIES", "3", "models that are tried, the first included"),
    setting("auto.models.<name>.provider", "none", "author in the name", "path segment of the model's provider"),
    setting("auto.models.<name>.model", "none", "rest of the name", "the model as its provider calls it"),
    setting("auto.models.<name>.quality", "none", "none", "0 to 100; a model that is not in the table needs it"),
    setting("auto.models.<name>.images", "none", "false", "takes images"),
    setting("auto.models.<name>.files", "none", "false", "takes files"),
    setting("auto.models.<name>.audio", "none", "false", "takes audio"),
    setting("auto.models.<name>.input_price", "none", "the catalog's", "dollars per million tokens, as text"),
    setting("auto.models.<name>.output_price", "none", "the catalog's", "dollars per million tokens, as text"),
    setting("auto.models.<name>.context_window", "none", "the catalog's", "tokens"),
];

pub(crate) fn text() -> String {
    let width = |pick: fn(&Setting) -> &str| SETTINGS.iter().map(|setting| pick(setting).len()).max().unwrap_or(0);
    let (keys, envs, defaults) = (width(|s| s.key), width(|s| s.env), width(|s| s.default));
    let line = |setting: &Setting| {
        format!("{:keys$}  {:envs$}  {:defaults$}  {}\n", setting.key, setting.env, setting.default, setting.doc)
    };
    SETTINGS.iter().map(line).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const INTRODUCTION: &str = "# Settings

Four layers, later ones win: defaults, a TOML file (`--config FILE` or `TOLLGATE_CONFIG`), environment variables, flags. `tollgate check FILE` names every fault
of a file with its line and column. In the environment a value is written as the TOML file would write it; a bare word is a string. SIGHUP reads the
settings again: accounts, base URLs of providers, the cache's manners and the auto router's pool are then in force, the others need a restart.

```toml
# tollgate.toml
listen = \"127.0.0.1:8787\"

[providers.ollama]
base_url = \"http://127.0.0.1:11434/v1\"

[egress]
allow_private = [\"loopback\"]
```

| key | environment | default | meaning |
|---|---|---|---|
";

    /// `BLESS=1 cargo test -p tollgate-app` rewrites the page.
    #[test]
    fn the_page_of_settings_is_this_table() {
        let row = |setting: &Setting| {
            format!("| `{}` | `{}` | {} | {} |\n", setting.key, setting.env, setting.default, setting.doc)
        };
        let page = format!("{INTRODUCTION}{}", SETTINGS.iter().map(row).collect::<String>());
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/settings.md");
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(&path, &page).unwrap();
        }
        assert!(std::fs::read_to_string(&path).unwrap() == page, "docs/settings.md is not the table; run with BLESS=1");
    }

    #[test]
    fn every_request_header_is_on_its_page() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/requests.md");
        let page = std::fs::read_to_string(path).unwrap();
        for (name, _) in tollgate_rules::options::HEADERS {
            assert!(page.contains(&format!("`{name}`")), "{name}");
        }
    }
}
