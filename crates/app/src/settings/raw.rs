//! What was said: each layer as it stands, nothing understood yet.
//!
//! Enters: TOML text, environment variables, flags. Leaves: one raw value for each setting. Never: fills in a default before all layers are laid.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use serde_spanned::Spanned;
use tollgate_rules::auto;
use tollgate_rules::egress::read_ranges;
use tollgate_rules::idempotency;
use tollgate_rules::naming::{Aliases, Naming, resolve};
use tollgate_rules::options::StreamCache;
use tollgate_rules::proxy::read_proxies;
use tollgate_wire::provider::{Origin, Providers};

use super::fault::{Fault, suggestion};
use super::table::{self, SETTINGS};
use super::{Layers, Settings, oidc};
use crate::place;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Raw {
    listen: Option<Spanned<String>>,
    public_url: Option<Spanned<String>>,
    data_dir: Option<PathBuf>,
    allow_unauthenticated: Option<bool>,
    accounts: Option<Vec<String>>,
    trusted_proxies: Option<Vec<Spanned<String>>>,
    workers: Option<usize>,
    drain_seconds: Option<u64>,
    connections_max: Option<usize>,
    body_bytes_max: Option<u64>,
    first_byte_seconds: Option<u64>,
    answer_idle_seconds: Option<u64>,
    providers: BTreeMap<Spanned<String>, Provider>,
    aliases: BTreeMap<Spanned<String>, Spanned<String>>,
    config: Config,
    credits: Credits,
    egress: Egress,
    tls: Tls,
    cache: Cache,
    idempotency: Idempotency,
    log: Log,
    secrets: Secrets,
    auto: auto::Settings,
    oidc: oidc::Section,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Secrets {
    master_key_file: Option<PathBuf>,
    master_key_command: Option<String>,
    env_references: Option<Vec<String>>,
    file_references: Option<Vec<PathBuf>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Provider {
    base_url: Option<Spanned<String>>,
    values: BTreeMap<Spanned<String>, Spanned<String>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Egress {
    allow_private: Option<Vec<Spanned<String>>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Config {
    file: Option<PathBuf>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Credits {
    enabled: Option<bool>,
    requests_per_minute: Option<u64>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Tls {
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Cache {
    memory_bytes: Option<u64>,
    disk_bytes: Option<u64>,
    streams: Option<StreamCache>,
    ttl_header_enables: Option<bool>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Idempotency {
    ttl_seconds: Option<u64>,
    disk_bytes: Option<u64>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Log {
    retention_days: Option<u64>,
    audit_retention_days: Option<u64>,
    filter: Option<String>,
    json: Option<bool>,
}

impl Raw {
    pub(crate) fn read(text: &str) -> Result<Self, Vec<Fault>> {
        toml::from_str(text).map_err(|error| vec![Fault::at(text, error.span(), explained(error.message()))])
    }

    /// Variables are written as the TOML file would write the value; a bare word is a string.
    pub(crate) fn from_environment(look: impl Fn(&str) -> Option<String>) -> Result<Self, Vec<Fault>> {
        let mut document = String::new();
        for setting in SETTINGS.iter().filter(|setting| !setting.key.contains('<')) {
            if let Some(value) = look(setting.env) {
                document.push_str(&format!("{} = {}\n", setting.key, as_toml(&value)));
            }
        }
        for provider in Providers::builtin().all() {
            let name = provider.segment().to_ascii_uppercase().replace('-', "_");
            if let Some(url) = look(&format!("TOLLGATE_PROVIDERS_{name}_BASE_URL")) {
                document.push_str(&format!("providers.{}.base_url = {}\n", provider.segment(), as_toml(&url)));
            }
        }
        let raw: Self = toml::from_str(&document).map_err(|error| {
            let line = error.span().and_then(|span| document[..span.start].lines().count().checked_sub(1)).unwrap_or(0);
            let key = document.lines().nth(line).unwrap_or_default();
            vec![Fault { place: None, what: format!(" {key}: {}", error.message()) }]
        })?;
        Ok(raw)
    }

    pub(crate) fn from_flags(layers: &Layers) -> Self {
        Self {
            listen: layers.listen.clone().map(|listen| Spanned::new(0..0, listen)),
            data_dir: layers.data_dir.clone(),
            allow_unauthenticated: layers.allow_unauthenticated.then_some(true),
            ..Self::default()
        }
    }

    /// This layer with another one over it.
    pub(crate) fn under(self, upper: Self) -> Self {
        let (mut providers, mut aliases) = (self.providers, self.aliases);
        for (segment, upper) in upper.providers {
            let lower = providers.entry(segment).or_default();
            lower.base_url = upper.base_url.or(lower.base_url.take());
            lower.values.extend(upper.values);
        }
        aliases.extend(upper.aliases);
        let mut models = self.auto.models;
        models.extend(upper.auto.models);
        Self {
            listen: upper.listen.or(self.listen),
            public_url: upper.public_url.or(self.public_url),
            data_dir: upper.data_dir.or(self.data_dir),
            allow_unauthenticated: upper.allow_unauthenticated.or(self.allow_unauthenticated),
            accounts: upper.accounts.or(self.accounts),
            trusted_proxies: upper.trusted_proxies.or(self.trusted_proxies),
            workers: upper.workers.or(self.workers),
            drain_seconds: upper.drain_seconds.or(self.drain_seconds),
            connections_max: upper.connections_max.or(self.connections_max),
            body_bytes_max: upper.body_bytes_max.or(self.body_bytes_max),
            first_byte_seconds: upper.first_byte_seconds.or(self.first_byte_seconds),
            answer_idle_seconds: upper.answer_idle_seconds.or(self.answer_idle_seconds),
            providers,
            aliases,
            config: Config { file: upper.config.file.or(self.config.file) },
            credits: Credits {
                enabled: upper.credits.enabled.or(self.credits.enabled),
                requests_per_minute: upper.credits.requests_per_minute.or(self.credits.requests_per_minute),
            },
            egress: Egress { allow_private: upper.egress.allow_private.or(self.egress.allow_private) },
            tls: Tls {
                certificate: upper.tls.certificate.or(self.tls.certificate),
                key: upper.tls.key.or(self.tls.key),
            },
            cache: Cache {
                memory_bytes: upper.cache.memory_bytes.or(self.cache.memory_bytes),
                disk_bytes: upper.cache.disk_bytes.or(self.cache.disk_bytes),
                streams: upper.cache.streams.or(self.cache.streams),
                ttl_header_enables: upper.cache.ttl_header_enables.or(self.cache.ttl_header_enables),
            },
            idempotency: Idempotency {
                ttl_seconds: upper.idempotency.ttl_seconds.or(self.idempotency.ttl_seconds),
                disk_bytes: upper.idempotency.disk_bytes.or(self.idempotency.disk_bytes),
            },
            log: Log {
                retention_days: upper.log.retention_days.or(self.log.retention_days),
                audit_retention_days: upper.log.audit_retention_days.or(self.log.audit_retention_days),
                filter: upper.log.filter.or(self.log.filter),
                json: upper.log.json.or(self.log.json),
            },
            secrets: Secrets {
                master_key_file: upper.secrets.master_key_file.or(self.secrets.master_key_file),
                master_key_command: upper.secrets.master_key_command.or(self.secrets.master_key_command),
                env_references: upper.secrets.env_references.or(self.secrets.env_references),
                file_references: upper.secrets.file_references.or(self.secrets.file_references),
            },
            oidc: self.oidc.under(upper.oidc),
            auto: auto::Settings {
                pool: upper.auto.pool.or(self.auto.pool),
                levels: upper.auto.levels.or(self.auto.levels),
                session_tolerance: upper.auto.session_tolerance.or(self.auto.session_tolerance),
                tries: upper.auto.tries.or(self.auto.tries),
                models,
            },
        }
    }

    /// Everything about this file that can be told to be wrong, with its place.
    pub(crate) fn check(&self, text: &str) -> Result<(), Vec<Fault>> {
        let faults = self.faults(|span, what| Fault::at(text, Some(span), what));
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }

    fn faults(&self, fault: impl Fn(std::ops::Range<usize>, String) -> Fault) -> Vec<Fault> {
        let mut faults = Vec::new();
        if let Some(listen) = &self.listen
            && listen.get_ref().parse::<std::net::SocketAddr>().is_err()
        {
            faults.push(fault(
                listen.span(),
                format!("listen: expected ADDRESS:PORT such as {}, found {:?}", table::LISTEN, listen.get_ref()),
            ));
        }
        if let Some(url) = &self.public_url
            && !Origin::of_url(url.get_ref()).is_ok_and(|(_, path)| path == "/")
        {
            let what = format!("public_url: expected https://HOST[:PORT], found {:?}", url.get_ref());
            faults.push(fault(url.span(), what));
        }
        for range in self.egress.allow_private.iter().flatten() {
            if read_ranges(range.get_ref()).is_none() {
                faults.push(fault(
                    range.span(),
                    format!(
                        "egress.allow_private: expected a range such as \"127.0.0.0/8\", \"loopback\" or \"private\", found {:?}",
                        range.get_ref()
                    ),
                ));
            }
        }
        for range in self.trusted_proxies.iter().flatten() {
            if read_proxies(range.get_ref()).is_none() {
                let what = format!(
                    "trusted_proxies: expected an address, a range such as \"10.0.0.0/8\", \"loopback\" or \"private\", found {:?}",
                    range.get_ref()
                );
                faults.push(fault(range.span(), what));
            }
        }
        for (segment, provider) in &self.providers {
            faults.extend(provider_fault(segment, provider, &fault));
            faults.extend(provider.values.iter().filter_map(|value| value_fault(segment, value, &fault)));
        }
        faults.extend(self.aliases.iter().filter_map(|alias| alias_fault(alias, &fault)));
        faults.extend(self.oidc.faults().into_iter().map(|(span, what)| fault(span, what)));
        if let Err((key, what)) = auto::Pool::new(&self.auto) {
            faults.push(Fault { place: None, what: format!(" {key}: {what}") });
        }
        if self.tls.certificate.is_some() != self.tls.key.is_some() {
            faults.push(Fault {
                place: None,
                what: " tls: certificate and key belong together; one of them is missing".to_owned(),
            });
        }
        if self.secrets.master_key_file.is_some() && self.secrets.master_key_command.is_some() {
            let what = " secrets: there is one master key; choose master_key_file or master_key_command";
            faults.push(Fault { place: None, what: what.to_owned() });
        }
        let relative = self.secrets.file_references.iter().flatten().find(|dir| !dir.is_absolute());
        if let Some(dir) = relative {
            let what = format!(" secrets.file_references: {} is no absolute path", dir.display());
            faults.push(Fault { place: None, what });
        }
        faults
    }

    pub(crate) fn resolve(self) -> Result<Settings, Vec<Fault>> {
        let faults = self.faults(|_, what| Fault { place: None, what: format!(" {what}") });
        if !faults.is_empty() {
            return Err(faults);
        }
        let listen = self.listen.map_or_else(|| table::LISTEN.to_owned(), Spanned::into_inner);
        let ranges = self.egress.allow_private.unwrap_or_default();
        let seconds = |value: Option<u64>, default| Duration::from_secs(value.unwrap_or(default));
        let public_url = self.public_url.map(|url| url.into_inner().trim_end_matches('/').to_owned());
        let oidc = self.oidc.resolve(public_url.as_deref());
        let oidc = oidc.map_err(|what| vec![Fault { place: None, what: format!(" {what}") }])?;
        Ok(Settings {
            listen: listen
                .parse()
                .map_err(|_| vec![Fault { place: None, what: " listen: expected ADDRESS:PORT".to_owned() }])?,
            public_url,
            oidc,
            data_dir: self.data_dir.unwrap_or_else(place::default_dir),
            allow_unauthenticated: self.allow_unauthenticated.unwrap_or(false),
            accounts: self.accounts.unwrap_or_default(),
            trusted_proxies: self
                .trusted_proxies
                .iter()
                .flatten()
                .filter_map(|range| read_proxies(range.get_ref()))
                .flatten()
                .collect(),
            workers: self.workers.filter(|workers| *workers > 0),
            drain: seconds(self.drain_seconds, table::DRAIN_S),
            config_file: self.config.file,
            allow_private: ranges.iter().filter_map(|range| read_ranges(range.get_ref())).flatten().collect(),
            values: self
                .providers
                .iter()
                .map(|(segment, provider)| (segment.get_ref().clone(), plain(&provider.values)))
                .collect(),
            aliases: plain(&self.aliases),
            base_urls: self
                .providers
                .into_iter()
                .filter_map(|(segment, provider)| Some((segment.into_inner(), provider.base_url?.into_inner())))
                .collect(),
            tls: self.tls.certificate.zip(self.tls.key),
            auto: auto::Pool::new(&self.auto)
                .map_err(|(key, what)| vec![Fault { place: None, what: format!(" {key}: {what}") }])?,
            cache_memory_bytes: self.cache.memory_bytes.unwrap_or(table::CACHE_MEMORY_BYTES),
            cache_disk_bytes: self.cache.disk_bytes.unwrap_or(table::CACHE_DISK_BYTES),
            cache_streams: self.cache.streams.unwrap_or_default(),
            cache_ttl_header_enables: self.cache.ttl_header_enables.unwrap_or(false),
            idempotency_ttl: seconds(self.idempotency.ttl_seconds, idempotency::TTL_S),
            idempotency_disk_bytes: self.idempotency.disk_bytes.unwrap_or(table::IDEMPOTENCY_DISK_BYTES),
            body_bytes_max: self.body_bytes_max.unwrap_or(table::BODY_BYTES_MAX),
            answer_idle: seconds(self.answer_idle_seconds, table::ANSWER_IDLE_S),
            first_byte: seconds(self.first_byte_seconds, table::FIRST_BYTE_S),
            connections_max: self.connections_max.unwrap_or(table::CONNECTIONS_MAX as usize),
            log_retention_days: self.log.retention_days.unwrap_or(table::LOG_RETENTION_DAYS),
            audit_retention_days: self.log.audit_retention_days.unwrap_or(table::AUDIT_RETENTION_DAYS),
            log_filter: self.log.filter.unwrap_or_else(|| table::LOG_FILTER.to_owned()),
            log_json: self.log.json.unwrap_or(false),
            credits: self.credits.enabled.unwrap_or(false),
            credit_requests_per_minute: self.credits.requests_per_minute.unwrap_or(tollgate_engine::credits::RATE),
            master_key_file: self.secrets.master_key_file,
            master_key_command: self.secrets.master_key_command,
            env_references: self.secrets.env_references.unwrap_or_default(),
            file_references: self.secrets.file_references.unwrap_or_default(),
        })
    }
}

fn provider_fault(
    segment: &Spanned<String>,
    provider: &Provider,
    fault: &impl Fn(std::ops::Range<usize>, String) -> Fault,
) -> Option<Fault> {
    let known = Providers::builtin();
    if known.get(segment.get_ref()).is_none() {
        let near = suggestion(segment.get_ref(), known.all().map(|row| row.segment()));
        let hint = near.map_or_else(String::new, |near| format!("; did you mean {near:?}?"));
        return Some(fault(
            segment.span(),
            format!("providers.{}: there is no such provider{hint}", segment.get_ref()),
        ));
    }
    let url = provider.base_url.as_ref()?;
    let cause = known.with_base_url(segment.get_ref(), url.get_ref()).err()?;
    Some(fault(url.span(), format!("providers.{}.base_url: {cause}", segment.get_ref())))
}

fn value_fault(
    segment: &Spanned<String>,
    (name, value): (&Spanned<String>, &Spanned<String>),
    fault: &impl Fn(std::ops::Range<usize>, String) -> Fault,
) -> Option<Fault> {
    let row = Providers::builtin().get(segment.get_ref())?;
    let place = format!("providers.{}.values.{}", segment.get_ref(), name.get_ref());
    if !row.value_names().any(|known| known == name.get_ref()) {
        let near = suggestion(name.get_ref(), row.value_names());
        let hint = near.map_or_else(String::new, |near| format!("; did you mean {near:?}?"));
        return Some(fault(name.span(), format!("{place}: this provider has no such value{hint}")));
    }
    let given = |asked: &str, _: &[String]| (asked == name.get_ref()).then(|| value.get_ref().clone());
    row.with_values(given).err().map(|cause| fault(value.span(), format!("providers.{}.{cause}", segment.get_ref())))
}

/// What an alias stands for has to mean something, by whichever surface's names.
fn alias_fault(
    (name, target): (&Spanned<String>, &Spanned<String>),
    fault: &impl Fn(std::ops::Range<usize>, String) -> Fault,
) -> Option<Fault> {
    let mean = |naming| resolve(Providers::builtin(), &Aliases::new(), naming, target.get_ref());
    // Custom providers are known to the control plane alone.
    let is_meant =
        target.get_ref().starts_with("custom-") || mean(Naming::Compat).or_else(|| mean(Naming::Rest)).is_some();
    (!is_meant).then(|| {
        let what =
            format!("aliases.{:?}: nothing is called {:?}; write provider/model", name.get_ref(), target.get_ref());
        fault(target.span(), what)
    })
}

fn plain(table: &BTreeMap<Spanned<String>, Spanned<String>>) -> BTreeMap<String, String> {
    table.iter().map(|(name, value)| (name.get_ref().clone(), value.get_ref().clone())).collect()
}

/// The TOML reader names what it expected; the nearest of those is what was probably meant.
fn explained(message: &str) -> String {
    let Some(rest) = message.strip_prefix("unknown field `") else { return message.to_owned() };
    let Some((written, expected)) = rest.split_once('`') else { return message.to_owned() };
    match suggestion(written, expected.split('`').skip(1).step_by(2)) {
        Some(near) => format!("unknown setting {written:?}; did you mean {near:?}?"),
        None => format!("unknown setting {written:?}; `tollgate settings` lists all of them"),
    }
}

fn as_toml(value: &str) -> String {
    let literal = format!("v = {value}");
    if toml::from_str::<toml::Table>(&literal).is_ok() {
        value.to_owned()
    } else {
        toml::Value::from(value).to_string()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_has_its_place_and_a_suggestion() {
        let fault = |text: &str| Raw::read(text).and_then(|raw| raw.check(text)).unwrap_err()[0].to_string();
        assert_eq!(
            fault("\nlisten = \"nowhere\"\n"),
            "2:10: listen: expected ADDRESS:PORT such as 127.0.0.1:8787, found \"nowhere\""
        );
        assert_eq!(fault("lisen = \"127.0.0.1:1\""), "1:1: unknown setting \"lisen\"; did you mean \"listen\"?");
        assert!(fault("[egress]\nallow_private = [\"127.0.0.0/99\"]").starts_with("2:18: egress.allow_private"));
        assert!(fault("trusted_proxies = [\"10.0.0.0/99\"]").starts_with("1:20: trusted_proxies: expected"));
        assert!(fault("public_url = \"https://h.example/x\"").starts_with("1:14: public_url: expected https://HOST"));
        assert!(fault("[providers.opnai]\nbase_url = \"http://127.0.0.1\"").contains("did you mean \"openai\"?"));
        assert!(
            fault("[providers.aws-bedrock.values]\nregoin = \"x\"")
                .starts_with("2:1: providers.aws-bedrock.values.regoin")
        );
        assert!(fault("[providers.aws-bedrock.values]\nregion = \"a/b\"").contains("cannot stand in a path"));
        assert!(fault("[aliases]\nfast = \"nobody/x\"").starts_with("2:8: aliases.\"fast\": nothing is called"));
        assert!(fault("workers = \"many\"").starts_with("1:11: invalid type"));
    }

    #[test]
    fn later_layers_win() {
        let file = Raw::read("listen = \"127.0.0.1:1\"\ndrain_seconds = 5\n[cache]\nstreams = \"instant\"").unwrap();
        let environment = Raw::from_environment(|name| match name {
            "TOLLGATE_LISTEN" => Some("127.0.0.1:2".to_owned()),
            "TOLLGATE_EGRESS_ALLOW_PRIVATE" => Some("[\"10.0.0.0/8\"]".to_owned()),
            _ => None,
        })
        .unwrap();
        let flags = Raw::from_flags(&Layers { listen: Some("127.0.0.1:3".to_owned()), ..Layers::default() });
        let settings = file.clone().under(environment.clone()).resolve().unwrap();
        assert_eq!(settings.listen.port(), 2);
        assert_eq!(settings.allow_private.len(), 1);
        let settings = file.under(environment).under(flags).resolve().unwrap();
        assert_eq!(
            (settings.listen.port(), settings.drain.as_secs(), settings.cache_streams),
            (3, 5, StreamCache::Instant)
        );
    }

    #[test]
    fn every_setting_in_the_table_is_understood() {
        let samples = [
            ("listen", "\"127.0.0.1:1\""),
            ("data_dir", "\"d\""),
            ("public_url", "\"https://h.example\""),
            ("allow_unauthenticated", "true"),
            ("accounts", "[\"a\"]"),
            ("trusted_proxies", "[\"10.0.0.0/8\", \"192.0.2.1\", \"loopback\"]"),
            ("tls.certificate", "\"c\""),
            ("tls.key", "\"k\""),
            ("config.file", "\"all.toml\""),
            ("credits.enabled", "true"),
            ("egress.allow_private", "[\"10.0.0.0/8\"]"),
            ("cache.streams", "\"off\""),
            ("cache.ttl_header_enables", "true"),
            ("log.filter", "\"info\""),
            ("log.json", "true"),
            ("secrets.master_key_file", "\"f\""),
            ("secrets.master_key_command", "\"c\""),
            ("secrets.env_references", "[\"NAME\"]"),
            ("secrets.file_references", "[\"/run/secrets\"]"),
            ("aliases.\"a/b\"", "\"openai/gpt-5\""),
            ("oidc.issuer", "\"https://id.example.com\""),
            ("oidc.name", "\"n\""),
            ("oidc.client_id", "\"c\""),
            ("oidc.client_secret", "\"env:C\""),
            ("oidc.scopes", "[\"openid\"]"),
            ("oidc.roles_claim", "\"groups\""),
            ("oidc.roles", "{ admins = \"admin\" }"),
            ("oidc.default_role", "\"viewer\""),
            ("oidc.domains", "[\"example.com\"]"),
            ("oidc.redirect_base_url", "\"https://h.example\""),
            ("auto.pool", "[\"openai/gpt-5.5\"]"),
            ("auto.levels", "[1, 2, 3]"),
            ("auto.models.\"a/b\".provider", "\"openai\""),
            ("auto.models.\"a/b\".model", "\"b\""),
            ("auto.models.\"a/b\".images", "true"),
            ("auto.models.\"a/b\".files", "true"),
            ("auto.models.\"a/b\".audio", "true"),
            ("auto.models.\"a/b\".input_price", "\"1\""),
            ("auto.models.\"a/b\".output_price", "\"1\""),
        ];
        for setting in SETTINGS {
            let key = setting.key.replace("<segment>", "openai").replace("<name>", "\"a/b\"");
            let key = key.replace("<value>", "region");
            let default = if key.contains(".values.") {
                "\"eu\""
            } else if key.ends_with("base_url") {
                "\"http://127.0.0.1:1/v1\""
            } else {
                "7"
            };
            let value = samples.iter().find(|(name, _)| *name == key).map_or(default, |(_, value)| value);
            let read = Raw::read(&format!("{key} = {value}"));
            assert!(read.is_ok(), "{key}: {:?}", read.err());
        }
    }
}
