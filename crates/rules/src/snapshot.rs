//! All settings of the installation, compiled: what a request holds for life.
//!
//! Enters: documents. Leaves: an immutable snapshot, or the problems that keep it from serving. Never: is changed in place.

use std::collections::BTreeMap;
use std::sync::Arc;

use hashbrown::HashMap;
use tollgate_model::gateway::DEFAULT_ID;
use tollgate_model::keep::Bound;
use tollgate_model::token::{Digest, Token};
use tollgate_model::{CustomDomain, CustomProvider, Gateway, PolicyDocument, ProviderConfig, RouteDocument};
use tollgate_wire::provider::{ProviderRow, Providers};

use crate::auto::Pool;
use crate::budget::rule::Rules;
use crate::custom;
use crate::egress::Egress;
use crate::key::{self, Keys, OpenSecret};
use crate::limit::Limit;
use crate::limit::rule::LimitRules;
use crate::memory::Mark;
use crate::naming::Aliases;
use crate::options::Manners;
use crate::policy::{Policies, Policy, Verdict, Who};
use crate::route::{Draft, Route};
use crate::scope::Pass;

use self::passes::Passes;

mod passes;

#[derive(Debug)]
pub struct Snapshot {
    /// Grows with each change.
    pub version: u64,
    /// The account that records and cache scopes name.
    pub account: Arc<str>,
    /// Empty: every well-formed account segment names the one account of this installation.
    pub accounts: Vec<String>,
    pub manners: Manners,
    /// Of the catalog, and the enabled ones of the operator's own.
    pub providers: Arc<Providers>,
    /// What base URLs are judged by when they are saved.
    pub egress: Arc<Egress>,
    /// The operator's own names for models.
    pub aliases: Arc<Aliases>,
    /// What the auto router chooses from.
    pub auto: Arc<Pool>,
    gateways: HashMap<String, Arc<GatewayRules>, ahash::RandomState>,
    tokens: Passes,
    secrets: Vec<OpenSecret>,
    /// By id. The next snapshot takes over those whose document is the same one.
    compiled: HashMap<String, Compiled, ahash::RandomState>,
    /// The same for policies. Reading a condition takes a thousand times as long as meeting it.
    conditions: HashMap<String, (Arc<PolicyDocument>, Arc<Policy>), ahash::RandomState>,
    /// By id; taken over in the same way.
    custom: BTreeMap<String, Custom>,
    /// Gateways by host name.
    domains: HashMap<String, Domain, ahash::RandomState>,
}

#[derive(Debug)]
struct Compiled {
    from: Arc<RouteDocument>,
    route: Arc<Route>,
}

#[derive(Debug)]
struct Custom {
    from: Arc<CustomProvider>,
    row: Arc<ProviderRow>,
}

#[derive(Debug)]
struct Domain {
    from: Arc<CustomDomain>,
    gateway: Arc<str>,
}

/// A gateway as the engine reads it.
#[derive(Debug)]
pub struct GatewayRules {
    pub id: Arc<str>,
    pub settings: Gateway,
    pub limit: Option<Limit>,
    /// Under which its requests are counted.
    pub limit_mark: Mark,
    /// Its own rules for requests, tokens and requests at once.
    pub limits: LimitRules,
    /// What may be spent here.
    pub spend: Rules,
    /// Its stored keys for providers.
    pub keys: Keys,
    /// Who may ask for what.
    pub policies: Policies,
    /// Name and inner id: budgets of a gateway that is gone are not those of one made later under its name.
    owner: String,
    /// The deployed versions of its dynamic routes.
    routes: Vec<Arc<Route>>,
}

/// What a snapshot is made of.
#[derive(Clone, Debug, Default)]
pub struct Documents {
    pub account: String,
    pub accounts: Vec<String>,
    pub manners: Manners,
    pub providers: Arc<Providers>,
    pub aliases: Arc<Aliases>,
    pub auto: Arc<Pool>,
    pub gateways: Vec<Gateway>,
    pub tokens: Vec<Arc<Token>>,
    /// Shared, because a route is compiled only when its document is another one than before.
    pub routes: Vec<Arc<RouteDocument>>,
    pub secrets: Vec<OpenSecret>,
    pub provider_configs: Vec<ProviderConfig>,
    pub policies: Vec<Arc<PolicyDocument>>,
    pub custom_providers: Vec<Arc<CustomProvider>>,
    pub custom_domains: Vec<Arc<CustomDomain>>,
    pub egress: Arc<Egress>,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{document}: {what}")]
pub struct Problem {
    pub document: String,
    pub what: String,
}

impl Snapshot {
    /// All problems at once, so that they can be mended at once.
    pub fn compile(version: u64, documents: Documents) -> Result<Self, Vec<Problem>> {
        Self::compile_after(None, version, documents)
    }

    /// The same snapshot, made sooner: what compiled the last time and is the same document now is not compiled again.
    pub fn compile_after(
        last: Option<&Snapshot>,
        version: u64,
        mut documents: Documents,
    ) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let tokens = Passes::compile(last.map(|last| &last.tokens), documents.tokens, &mut problems);
        let mut gateways: HashMap<String, GatewayRules, ahash::RandomState> = documents
            .gateways
            .into_iter()
            .map(|gateway| (gateway.id.clone(), GatewayRules::new(gateway, &mut problems)))
            .collect();
        // Of two with one name, made by two processes in one moment, the older one counts.
        documents.routes.sort_by_key(|route| route.created_at);
        let mut compiled = HashMap::with_hasher(ahash::RandomState::new());
        for document in &documents.routes {
            // A route whose gateway is gone, or was made anew since, belongs to nobody.
            let owner = gateways.get_mut(&document.gateway);
            let owner = owner.filter(|gateway| gateway.settings.internal_id == document.gateway_internal_id);
            let Some(gateway) = owner else { continue };
            let known = last.and_then(|last| last.compiled.get(&document.id));
            let known = known.filter(|known| Arc::ptr_eq(&known.from, document)).map(|known| known.route.clone());
            if let Some(route) = known.or_else(|| compile_route(document, &mut problems)) {
                gateway.routes.push(route.clone());
                compiled.insert(document.id.clone(), Compiled { from: document.clone(), route });
            }
        }
        let mut conditions = HashMap::with_hasher(ahash::RandomState::new());
        documents.policies.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
        for document in &documents.policies {
            let owner = gateways.get_mut(&document.gateway);
            let owner = owner.filter(|gateway| gateway.settings.internal_id == document.gateway_internal_id);
            let Some(gateway) = owner else { continue };
            let known = last.and_then(|last| last.conditions.get(&document.id));
            let known = known.filter(|(from, _)| Arc::ptr_eq(from, document)).map(|(_, policy)| policy.clone());
            if let Some(policy) = known.or_else(|| compile_policy(document, &mut problems)) {
                gateway.policies.add(policy.clone());
                conditions.insert(document.id.clone(), (document.clone(), policy));
            }
        }
        let custom = compile_custom(last, documents.custom_providers, &mut problems);
        let domains = read_domains(documents.custom_domains, &gateways, &mut problems);
        if !problems.is_empty() {
            return Err(problems);
        }
        let providers = with_custom(documents.providers, &custom);
        let settings: Vec<&Gateway> = gateways.values().map(|gateway| &gateway.settings).collect();
        let (secrets, configs) = (documents.secrets, documents.provider_configs);
        let keys = key::compile(&documents.account, &providers, &settings, &secrets, &configs);
        for (gateway, keys) in keys {
            if let Some(gateway) = gateways.get_mut(&gateway) {
                gateway.keys = keys;
            }
        }
        let gateways = gateways.into_iter().map(|(id, gateway)| (id, Arc::new(gateway.in_order()))).collect();
        let account = documents.account.into();
        Ok(Self {
            version,
            account,
            accounts: documents.accounts,
            manners: documents.manners,
            providers,
            egress: documents.egress,
            aliases: documents.aliases,
            auto: documents.auto,
            gateways,
            tokens,
            secrets,
            compiled,
            conditions,
            custom,
            domains,
        })
    }

    pub fn gateway(&self, id: &str) -> Option<&Arc<GatewayRules>> {
        self.gateways.get(id)
    }

    pub fn gateways(&self) -> impl Iterator<Item = &Arc<GatewayRules>> {
        self.gateways.values()
    }

    /// Whether this is or was a secret of ours, in force or not: none of them ever goes to a provider.
    pub fn token(&self, digest: &Digest) -> Option<&Arc<Token>> {
        self.tokens.known(digest)
    }

    /// What the secret is good for now.
    pub fn pass(&self, digest: &Digest, now_ms: u64) -> Option<&Arc<Pass>> {
        self.tokens.good(digest, now_ms)
    }

    pub fn tokens(&self) -> impl Iterator<Item = &Arc<Token>> {
        self.tokens.all().map(|pass| &pass.token)
    }

    pub fn passes(&self) -> impl Iterator<Item = &Arc<Pass>> {
        self.tokens.all()
    }

    /// A stored secret by its name, else by its id: what other settings refer to instead of holding a value.
    pub fn secret(&self, name_or_id: &str) -> Option<&OpenSecret> {
        let named = self.secrets.iter().find(|secret| secret.stored.name == name_or_id);
        named.or_else(|| self.secrets.iter().find(|secret| secret.stored.id == name_or_id))
    }

    /// Whose key a secret of this name is: what it is bound to when its value is written now.
    pub fn binding(&self, name: &str) -> Option<Bound> {
        let gateway = |id: &str| self.gateways.get(id).map(|gateway| &gateway.settings);
        let (gateway, row, _) = key::meanings(name, gateway, &self.providers).into_iter().next()?;
        Some(Bound {
            gateway_internal_id: gateway.internal_id.clone(),
            provider: row.segment().to_owned(),
            origin: row.fixed_origin().map(|origin| origin.text()),
        })
    }

    pub fn secrets(&self) -> &[OpenSecret] {
        &self.secrets
    }

    /// In order of their ids.
    pub fn custom_providers(&self) -> impl Iterator<Item = &Arc<CustomProvider>> {
        self.custom.values().map(|custom| &custom.from)
    }

    pub fn custom_provider(&self, id: &str) -> Option<&Arc<CustomProvider>> {
        self.custom.get(id).map(|custom| &custom.from)
    }

    /// Why there is no such provider: it is there, and switched off.
    pub fn is_disabled(&self, segment: &str) -> bool {
        self.custom.values().any(|custom| !custom.from.enable && custom.row.segment() == segment)
    }

    pub fn has_domains(&self) -> bool {
        !self.domains.is_empty()
    }

    /// The gateway of a host name, which [`custom::named_host`] has read.
    pub fn gateway_of_host(&self, hostname: &str) -> Option<&Arc<str>> {
        self.domains.get(hostname).map(|domain| &domain.gateway)
    }

    pub fn custom_domains(&self) -> impl Iterator<Item = &Arc<CustomDomain>> {
        self.domains.values().map(|domain| &domain.from)
    }

    pub fn knows_account(&self, account: &str) -> bool {
        if self.accounts.is_empty() {
            is_well_formed(account)
        } else {
            self.accounts.iter().any(|each| each == account)
        }
    }
}

impl GatewayRules {
    fn new(settings: Gateway, problems: &mut Vec<Problem>) -> Self {
        let owner = [settings.id.as_str(), settings.internal_id.as_str()];
        let spend = Rules::compile(&owner, settings.spend_limits.as_ref()).unwrap_or_else(|what| {
            problems.push(Problem { document: format!("gateway {:?}", settings.id), what });
            Rules::default()
        });
        let limits = LimitRules::compile(&owner, settings.tollgate_limits.as_ref()).unwrap_or_else(|what| {
            problems.push(Problem { document: format!("gateway {:?}", settings.id), what });
            LimitRules::default()
        });
        let owner = owner.join("/");
        let limit_mark = Mark::of(&["gateway requests", &owner]);
        let (id, limit) = (settings.id.as_str().into(), Limit::of_gateway(&settings));
        let (keys, policies) = (Keys::default(), Policies::default());
        Self { id, limit, limit_mark, limits, spend, keys, policies, owner, settings, routes: Vec::new() }
    }

    fn in_order(mut self) -> Self {
        self.routes.sort_by(|a, b| a.name.name.cmp(&b.name.name));
        self
    }

    /// What its policies say.
    pub fn judge(&self, who: &Who<'_>, provider: &str, model: &str) -> Verdict {
        self.policies.judge(&self.owner, who, provider, model)
    }

    /// What the buckets of its policies have in common.
    pub fn policy_marks(&self) -> Vec<Mark> {
        self.policies.shared_marks(&self.owner)
    }

    /// What `dynamic/{name}` means: a route by its name, else by its id.
    pub fn route(&self, name: &str) -> Option<&Arc<Route>> {
        let at = self.routes.partition_point(|route| &*route.name.name < name);
        let named = self.routes.get(at).filter(|route| &*route.name.name == name);
        named.or_else(|| self.routes.iter().find(|route| &*route.name.id == name))
    }

    /// In order of their names.
    pub fn routes(&self) -> &[Arc<Route>] {
        &self.routes
    }

    pub fn is_default(&self) -> bool {
        &*self.id == DEFAULT_ID
    }
}

/// `None`: nothing of it is deployed, or a problem was noted.
fn compile_policy(document: &PolicyDocument, problems: &mut Vec<Problem>) -> Option<Arc<Policy>> {
    let faults = match Policy::of(document)? {
        Ok(policy) => return Some(Arc::new(policy)),
        Err(faults) => faults,
    };
    problems.extend(faults.into_iter().map(|fault| Problem {
        document: format!("policy {:?} of gateway {:?}", document.id, document.gateway),
        what: format!("{}: {}", fault.member.join("."), fault.said),
    }));
    None
}

fn compile_route(document: &RouteDocument, problems: &mut Vec<Problem>) -> Option<Arc<Route>> {
    let version = document.deployed()?;
    match Route::compile(&Draft::of(document, version)) {
        Ok(route) => Some(Arc::new(route)),
        Err(faults) => {
            problems.extend(faults.iter().filter(|fault| fault.is_error()).map(|fault| Problem {
                document: format!("route {:?} of gateway {:?}", document.name, document.gateway),
                what: fault.to_string(),
            }));
            None
        }
    }
}

fn compile_custom(
    last: Option<&Snapshot>,
    documents: Vec<Arc<CustomProvider>>,
    problems: &mut Vec<Problem>,
) -> BTreeMap<String, Custom> {
    let mut custom = BTreeMap::new();
    for from in documents {
        let known = last.and_then(|last| last.custom.get(&from.id)).filter(|known| Arc::ptr_eq(&known.from, &from));
        let row = match known {
            Some(known) => Ok(known.row.clone()),
            None => custom::row(&from).map(Arc::new),
        };
        let is_twin = |other: &Custom| other.from.slug.eq_ignore_ascii_case(&from.slug);
        let row = match custom.values().any(is_twin) {
            true => Err(custom::Wrong { member: "slug", what: "another one has it".to_owned() }),
            false => row,
        };
        match row {
            Ok(row) => drop(custom.insert(from.id.clone(), Custom { from, row })),
            Err(wrong) => {
                let document = format!("custom provider {:?}", from.slug);
                problems.push(Problem { document, what: wrong.to_string() });
            }
        }
    }
    custom
}

fn with_custom(catalog: Arc<Providers>, custom: &BTreeMap<String, Custom>) -> Arc<Providers> {
    let mut enabled = custom.values().filter(|custom| custom.from.enable).peekable();
    if enabled.peek().is_none() {
        return catalog;
    }
    Arc::new(Providers::clone(&catalog).with_all(enabled.map(|custom| custom.row.clone())))
}

/// A domain whose gateway is gone, or was made anew since, leads nowhere.
fn read_domains(
    documents: Vec<Arc<CustomDomain>>,
    gateways: &HashMap<String, GatewayRules, ahash::RandomState>,
    problems: &mut Vec<Problem>,
) -> HashMap<String, Domain, ahash::RandomState> {
    let mut domains = HashMap::with_hasher(ahash::RandomState::new());
    for from in documents {
        let owner = gateways.get(&from.gateway);
        if let Some(owner) = owner.filter(|gateway| gateway.settings.internal_id == from.gateway_internal_id) {
            let document = format!("custom domain {:?} of gateway {:?}", from.hostname, from.gateway);
            let domain = Domain { gateway: owner.id.clone(), from };
            if let Some(other) = domains.insert(domain.from.hostname.clone(), domain) {
                let what = format!("gateway {:?} has it already", other.gateway);
                problems.push(Problem { document, what });
            }
        }
    }
    domains
}

/// What may stand as an account or gateway segment of a URL.
pub fn is_well_formed(segment: &str) -> bool {
    (1..=64).contains(&segment.len())
        && segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;
    use tollgate_model::route::{Deployment, RouteVersion};
    use tollgate_model::token::Previous;

    use super::*;
    use crate::token;

    fn hex(digest: &Digest) -> String {
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn tokens_are_found_by_their_digest() {
        let mine = token::digest("tg_fake");
        let document = Token {
            id: "t".into(),
            name: "n".into(),
            permissions: vec![],
            digest: hex(&mine),
            previous: Some(Previous { digest: hex(&token::digest("tg_before")), hint: String::new(), until: 9 }),
            ..Token::default()
        };
        let snapshot =
            Snapshot::compile(1, Documents { tokens: vec![document.into()], ..Documents::default() }).unwrap();
        assert_eq!(snapshot.token(&mine).unwrap().id, "t");
        assert_eq!(snapshot.tokens().count(), 1);
        // The one before the last roll is good for a while, and known for ever.
        let before = token::digest("tg_before");
        assert!(snapshot.pass(&before, 8).is_some() && snapshot.pass(&before, 9).is_none());
        assert!(snapshot.token(&before).is_some() && snapshot.pass(&mine, 9).is_some());
        assert!(snapshot.token(&token::digest("tg_other")).is_none());
    }

    #[test]
    fn a_document_that_cannot_serve_is_a_problem() {
        let broken =
            Token { id: "t".into(), name: "n".into(), permissions: vec![], digest: "zz".into(), ..Token::default() };
        let problems =
            Snapshot::compile(1, Documents { tokens: vec![broken.into()], ..Documents::default() }).unwrap_err();
        assert_eq!(problems[0].to_string(), "token \"t\": digest: expected 64 hexadecimal digits");
    }

    fn with_routes(elements: serde_json::Value, internal_id: &str) -> Result<Snapshot, Vec<Problem>> {
        let version = |id: &str, elements| RouteVersion { id: id.into(), elements, created_at: 0 };
        let document = RouteDocument {
            id: "r1".into(),
            gateway: "g".into(),
            gateway_internal_id: internal_id.into(),
            name: "support".into(),
            versions: vec![version("old", json!("no route at all")), version("new", elements)],
            deployments: vec![Deployment { id: "d".into(), version_id: "new".into(), created_at: 0 }],
            created_at: 0,
            modified_at: 0,
        };
        let gateway = Gateway { id: "g".into(), internal_id: "i".into(), ..Gateway::default() };
        let documents = Documents { gateways: vec![gateway], routes: vec![document.into()], ..Documents::default() };
        Snapshot::compile(1, documents)
    }

    #[test]
    fn the_deployed_version_of_a_route_is_found_by_name_and_by_id() {
        let elements = json!([
            { "id": "s", "type": "start", "outputs": { "next": "m" } },
            { "id": "m", "type": "model", "properties": { "provider": "openai", "model": "gpt-4o" } }
        ]);
        let snapshot = with_routes(elements.clone(), "i").unwrap();
        let gateway = snapshot.gateway("g").unwrap();
        assert_eq!(&*gateway.route("support").unwrap().name.version_id, "new");
        assert!(gateway.route("r1").is_some() && gateway.route("other").is_none());
        // A gateway that was deleted and made again has no routes.
        assert!(with_routes(elements, "before").unwrap().gateway("g").unwrap().routes().is_empty());
        let problems = with_routes(json!([]), "i").unwrap_err();
        assert!(problems[0].to_string().starts_with("route \"support\" of gateway \"g\": elements: there is no start"));
    }

    #[test]
    fn what_is_the_same_document_is_not_compiled_again() {
        let document = |name: &str| {
            let elements = json!([
                { "id": "s", "type": "start", "outputs": { "next": "m" } },
                { "id": "m", "type": "model", "properties": { "provider": "openai", "model": "gpt-4o" } }
            ]);
            Arc::new(RouteDocument {
                id: name.into(),
                gateway: "g".into(),
                gateway_internal_id: "i".into(),
                name: name.into(),
                versions: vec![RouteVersion { id: "v".into(), elements, created_at: 0 }],
                deployments: vec![Deployment { id: "d".into(), version_id: "v".into(), created_at: 0 }],
                created_at: 0,
                modified_at: 0,
            })
        };
        let gateway = Gateway { id: "g".into(), internal_id: "i".into(), ..Gateway::default() };
        let documents = |routes: &[&Arc<RouteDocument>]| Documents {
            gateways: vec![gateway.clone()],
            routes: routes.iter().map(|route| Arc::clone(route)).collect(),
            ..Documents::default()
        };
        let (stays, goes, changes) = (document("stays"), document("goes"), document("changes"));
        let first = Snapshot::compile(1, documents(&[&stays, &goes, &changes])).unwrap();
        let second =
            Snapshot::compile_after(Some(&first), 2, documents(&[&stays, &document("changes"), &document("new")]))
                .unwrap();
        let route = |snapshot: &Snapshot, name| snapshot.gateway("g").unwrap().route(name).cloned();
        assert!(Arc::ptr_eq(&route(&first, "stays").unwrap(), &route(&second, "stays").unwrap()));
        assert!(!Arc::ptr_eq(&route(&first, "changes").unwrap(), &route(&second, "changes").unwrap()));
        assert!(route(&second, "goes").is_none() && route(&second, "new").is_some());
    }

    #[test]
    fn any_account_is_the_one_account_until_accounts_are_named() {
        let open = Snapshot::compile(1, Documents::default()).unwrap();
        assert!(open.knows_account("0123456789abcdef0123456789abcdef"));
        assert!(!open.knows_account("") && !open.knows_account("a/b"));
        let closed = Snapshot::compile(1, Documents { accounts: vec!["mine".into()], ..Documents::default() }).unwrap();
        assert!(closed.knows_account("mine") && !closed.knows_account("other"));
    }
}
