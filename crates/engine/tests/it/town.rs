//! A whole gateway in one process, and a client to talk to it.
//!
//! Enters: settings of one gateway. Leaves: a place to send requests to, what the provider heard, what the log says. Never: uses a fixed port.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{HeaderMap, Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tollgate_engine::keys::Keys;
use tollgate_engine::metrics::Metrics;
use tollgate_engine::server::{self, Fallback, Serving};
use tollgate_engine::{BoxError, Credits, Limits, Once, Parts, Refresh, Shared, Till, Wish};
use tollgate_model::record::Outcome;
use tollgate_model::route::{Deployment, RouteVersion};
use tollgate_model::token::{Permission, Scope, Token};
use tollgate_model::{Clock, Gateway, Money, PolicyBody, PolicyDocument, ProviderConfig, Record, RouteDocument};
use tollgate_rules::catalog::Catalog;
use tollgate_rules::egress::Egress;
use tollgate_rules::key::OpenSecret;
use tollgate_rules::snapshot::{Documents, Snapshot};
use tollgate_rules::token;
use tollgate_store::Answers;
use tollgate_store::embedded::{DayRecords, DayRecordsOptions, DiskAnswers, DiskAnswersOptions};
use tollgate_store::ingest::IngestOptions;
use tollgate_store::records::{Body, Filter, Page, Which};
use tollgate_store::{Ingest, Journal, JournalOptions, Ledger, Records};
use tollgate_testkit::{Listening, Sandbox};
use tollgate_wire::provider::Providers;

pub const TOKEN: &str = "tg_fake-token-for-tests";

pub struct Town {
    pub address: SocketAddr,
    pub provider: Sandbox,
    pub shared: Arc<Shared>,
    /// What the stores count.
    pub stores: Arc<tollgate_store::Metrics>,
    records: Arc<DayRecords>,
    ingest: Ingest,
    client: Client<HttpConnector, Full<Bytes>>,
    stop: watch::Sender<bool>,
    running: JoinHandle<()>,
    _listening: Listening,
    dir: tempfile::TempDir,
}

pub struct Plan {
    pub gateway: Gateway,
    /// Besides `gateway`.
    pub others: Vec<Gateway>,
    pub limits: Limits,
    pub clock: Clock,
    pub serving: Box<dyn FnOnce(&mut Serving)>,
    /// Where `openai` and its like are, instead of the scripted provider.
    pub upstream: Option<String>,
    /// Dynamic routes of `gateway`: names and elements.
    pub routes: Vec<(&'static str, serde_json::Value)>,
    /// Policies of `gateway`.
    pub policies: Vec<PolicyBody>,
    /// Custom providers and domains, by where the scripted provider is.
    pub custom: fn(&str, &mut Documents),
    /// Besides the one that may everything: secrets and scopes.
    pub tokens: Vec<(&'static str, Scope)>,
    /// The operator has a key for every provider.
    pub keys: bool,
    /// Credits in dollars that the operator's key draws on, where it does, and how often in a minute.
    pub credits: Option<(f64, u64)>,
    /// Keys that `gateway` has stored, each bound to wherever its provider is, unless it is bound already.
    pub stored: Vec<(OpenSecret, ProviderConfig)>,
    /// How long answers to idempotency keys are kept.
    pub once: Duration,
    /// For streams in flight, once told to stop.
    pub patience: Duration,
    /// What an earlier town left.
    pub dir: Option<tempfile::TempDir>,
}

pub struct Heard {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            gateway: Gateway { id: "g".to_owned(), ..Gateway::default() },
            others: Vec::new(),
            limits: Limits::default(),
            clock: Clock::System,
            serving: Box::new(|_| {}),
            upstream: None,
            routes: Vec::new(),
            policies: Vec::new(),
            custom: |_, _| {},
            tokens: Vec::new(),
            keys: false,
            credits: None,
            stored: Vec::new(),
            once: Duration::from_secs(86_400),
            patience: Duration::from_secs(5),
            dir: None,
        }
    }
}

impl Plan {
    pub fn gateway(change: impl FnOnce(&mut Gateway)) -> Self {
        let mut plan = Self::default();
        change(&mut plan.gateway);
        plan
    }

    pub fn caching() -> Self {
        Self::gateway(|gateway| gateway.cache_ttl = Some(600))
    }

    pub fn retrying(attempts: u8) -> Self {
        Self::gateway(|gateway| {
            gateway.retry_max_attempts = Some(attempts);
            gateway.retry_delay = Some(1);
        })
    }

    pub fn routed(name: &'static str, elements: serde_json::Value) -> Self {
        Self { routes: vec![(name, elements)], keys: true, ..Self::default() }
    }

    #[must_use]
    pub fn limited(mut self, change: impl FnOnce(&mut Limits)) -> Self {
        change(&mut self.limits);
        self
    }

    #[must_use]
    pub fn served(mut self, change: impl FnOnce(&mut Serving) + 'static) -> Self {
        self.serving = Box::new(change);
        self
    }
}

/// The gateway `g`, with the provider `openai` led to a scripted one.
pub async fn town(plan: Plan) -> Town {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let dir = plan.dir.unwrap_or_else(|| tempfile::tempdir().unwrap());
    let provider = Sandbox::for_tests();
    let listening = provider.listen("127.0.0.1:0").await.unwrap();
    let stores = Arc::new(tollgate_store::Metrics::default());
    let metrics = stores.clone();
    let journal =
        Arc::new(Journal::open(&dir.path().join("journal"), JournalOptions::default(), metrics.clone()).unwrap());
    let records =
        Arc::new(DayRecords::open(&dir.path().join("logs"), DayRecordsOptions::default(), metrics.clone()).unwrap());
    let ingest = Ingest::start(journal.clone(), records.clone(), IngestOptions::default()).unwrap();
    let answers = DiskAnswers::open(&dir.path().join("answers.db"), DiskAnswersOptions::default(), metrics).unwrap();
    let told = DiskAnswers::open(&dir.path().join("told.db"), DiskAnswersOptions::default(), Arc::default()).unwrap();
    told.settle().await;
    let (ledger, spent) = Ledger::open(&dir.path().join("ledger")).unwrap();
    let gateways = std::iter::once(plan.gateway).chain(plan.others).collect();
    let upstream = plan.upstream.unwrap_or(listening.url());
    let snapshot = snapshot(gateways, plan.tokens, plan.routes, plan.policies, &upstream, plan.custom, plan.stored);
    let look = |_: &str| plan.keys.then(|| "sk-operator-fake".to_owned());
    let keys = Keys::find(snapshot.providers.all().map(|row| &**row), look);
    let shared = Arc::new(Shared::new(Parts {
        snapshot: Arc::new(ArcSwap::from_pointee(snapshot)),
        clock: plan.clock,
        catalog: Catalog::builtin(),
        answers: Arc::new(answers),
        keys,
        metrics: Metrics::default(),
        limits: plan.limits,
        uses: Arc::default(),
        refresh: Arc::new(Unchanging),
        till: Arc::new(Till::new(ledger, &spent)),
        credits: plan.credits.map(|(dollars, rate)| credits(dir.path(), dollars, rate)),
        once: Arc::new(Once::new(Arc::new(told), plan.once)),
    }));
    let mut serving = Serving::new(provider.clone());
    serving.egress = Arc::new(Egress { allow_private: vec!["127.0.0.0/8".parse().unwrap()] });
    (plan.serving)(&mut serving);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, drain) = watch::channel(false);
    let serves = shared.clone();
    let running = tokio::spawn(async move {
        server::run(listener, serves, &journal, Arc::new(Nothing), serving, drain, plan.patience).await.unwrap()
    });
    let client = Client::builder(TokioExecutor::new()).build_http();
    Town { address, provider, shared, stores, records, ingest, client, stop, running, _listening: listening, dir }
}

/// With so much paid in.
fn credits(dir: &std::path::Path, dollars: f64, rate: u64) -> Arc<Credits> {
    let (ledger, drawn) = Ledger::open(&dir.join("credits")).unwrap();
    let credits = Credits::new(ledger, &drawn, rate);
    credits.paid(Money::from_nanos((dollars * 1e9).round() as i64));
    Arc::new(credits)
}

fn route((name, elements): (&str, serde_json::Value)) -> RouteDocument {
    RouteDocument {
        id: name.to_owned(),
        gateway: "g".to_owned(),
        gateway_internal_id: String::new(),
        name: name.to_owned(),
        versions: vec![RouteVersion { id: "v1".to_owned(), elements, created_at: 0 }],
        deployments: vec![Deployment { id: "d1".to_owned(), version_id: "v1".to_owned(), created_at: 0 }],
        created_at: 0,
        modified_at: 0,
    }
}

fn policy((number, body): (usize, PolicyBody)) -> PolicyDocument {
    PolicyDocument {
        id: format!("p{number}"),
        gateway: "g".to_owned(),
        gateway_internal_id: String::new(),
        committed: Some(body),
        draft: None,
        created_at: number as u64,
        updated_at: 0,
    }
}

fn token(id: &str, secret: &str, scope: Scope) -> Token {
    let digest = token::digest(secret).iter().map(|byte| format!("{byte:02x}")).collect();
    Token { id: id.to_owned(), permissions: vec![Permission::Run], digest, scope, ..Token::default() }
}

fn bound(mut secret: OpenSecret, providers: &Providers) -> OpenSecret {
    if let Some(bound) = &mut secret.stored.bound {
        let today = providers.get(&bound.provider).and_then(|row| row.fixed_origin());
        bound.origin = bound.origin.take().or_else(|| today.map(|origin| origin.text()));
    }
    secret
}

fn snapshot(
    gateways: Vec<Gateway>,
    tokens: Vec<(&'static str, Scope)>,
    routes: Vec<(&str, serde_json::Value)>,
    policies: Vec<PolicyBody>,
    upstream: &str,
    custom: fn(&str, &mut Documents),
    stored: Vec<(OpenSecret, ProviderConfig)>,
) -> Snapshot {
    let scoped = tokens.into_iter().map(|(secret, scope)| token(secret, secret, scope));
    let tokens = std::iter::once(token("t1", TOKEN, Scope::default())).chain(scoped).map(Arc::new).collect();
    let elsewhere =
        [("openai", "/v1"), ("anthropic", ""), ("google-ai-studio", ""), ("aws-bedrock", ""), ("google-vertex-ai", "")];
    let providers = elsewhere.into_iter().fold((**Providers::builtin()).clone(), |providers, (segment, path)| {
        providers.with_base_url(segment, &format!("{upstream}{path}")).unwrap()
    });
    let (secrets, provider_configs) =
        stored.into_iter().map(|(secret, config)| (bound(secret, &providers), config)).unzip();
    let mut documents = Documents {
        account: "account".to_owned(),
        secrets,
        provider_configs,
        gateways,
        routes: routes.into_iter().map(|document| Arc::new(route(document))).collect(),
        policies: policies.into_iter().enumerate().map(|each| Arc::new(policy(each))).collect(),
        tokens,
        providers: Arc::new(providers),
        ..Documents::default()
    };
    custom(upstream, &mut documents);
    Snapshot::compile(1, documents).unwrap()
}

impl Town {
    pub fn url(&self, rest: &str) -> String {
        format!("http://{}/v1/acc/g/{rest}", self.address)
    }

    pub async fn post(&self, rest: &str, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Heard {
        self.send("POST", &self.url(rest), headers, body.into()).await.unwrap()
    }

    pub async fn chat(&self, headers: &[(&str, &str)], model: &str) -> Heard {
        self.post("openai/v1/chat/completions", headers, chat_body(model, false)).await
    }

    pub async fn send(
        &self,
        method: &str,
        url: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> Result<Heard, BoxError> {
        let response = self.begin(method, url, headers, body).await?;
        let (parts, body) = response.into_parts();
        let body = body.collect().await?.to_bytes();
        Ok(Heard { status: parts.status.as_u16(), headers: parts.headers, body })
    }

    pub async fn begin(
        &self,
        method: &str,
        url: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> Result<Response<Incoming>, BoxError> {
        let mut request = Request::builder().method(method).uri(url);
        if !headers.iter().any(|(name, _)| *name == "content-type") {
            request = request.header("content-type", "application/json");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Ok(self.client.request(request.body(Full::new(body))?).await?)
    }

    /// Everything logged so far, newest first.
    pub async fn log(&self) -> Vec<Record> {
        tokio::task::block_in_place(|| {
            assert!(self.ingest.catch_up(Duration::from_secs(10)));
            self.records.list(&Filter::of_gateway("g"), &Page::newest(1_000)).unwrap().records
        })
    }

    /// How each request in the log ended, however many there are.
    pub async fn outcomes(&self) -> Vec<Outcome> {
        self.whole_log().await.iter().map(|record| record.outcome).collect()
    }

    /// However long it is.
    pub async fn whole_log(&self) -> Vec<Record> {
        let mut records = Vec::new();
        self.log().await;
        loop {
            let page = Page { skip: records.len() as u64, ..Page::newest(1_000) };
            let listed = self.records.list(&Filter::of_gateway("g"), &page).unwrap();
            if listed.records.is_empty() {
                return records;
            }
            records.extend(listed.records);
        }
    }

    /// The log once it has so many records. Who leaves does not wait until that is written down.
    pub async fn logged(&self, count: usize) -> Vec<Record> {
        for _ in 0..1_000 {
            let log = self.log().await;
            if log.len() >= count {
                return log;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("fewer than {count} records: {:#?}", self.log().await);
    }

    /// Everything has ended and nothing is held for anybody.
    pub async fn at_rest(&self) {
        self.until(|| self.is_at_rest()).await;
    }

    /// Waits until this is so. What it waits for has no deadline of its own to be told apart from: ten seconds are for ever.
    pub async fn until(&self, so: impl Fn() -> bool) {
        let waiting = async {
            while !so() {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        if tokio::time::timeout(Duration::from_secs(10), waiting).await.is_err() {
            let (held, fills) = (self.shared.held(), self.shared.fills_open());
            panic!("held {held}, fills {fills}, {:?}, {}", self.provider.counts(), self.gauges());
        }
    }

    pub fn gauges(&self) -> String {
        self.shared.metrics.text().unwrap()
    }

    fn is_at_rest(&self) -> bool {
        self.shared.held() == 0
            && self.shared.once.open() == 0
            && self.shared.fills_open() == 0
            && self.provider.counts().answers_open == 0
            && self.gauges().contains("tollgate_requests_in_flight 0\n")
    }

    /// As a process is told to.
    pub fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// Stops, and leaves its directory.
    pub async fn close(self) -> tempfile::TempDir {
        self.stop();
        self.running.await.unwrap();
        self.dir
    }

    pub async fn last_record(&self) -> Record {
        self.log().await.into_iter().next().unwrap()
    }

    /// How often the provider was asked.
    pub fn asked(&self) -> usize {
        self.provider.recorder().len()
    }

    pub fn logged_body(&self, record: &Record, which: Which) -> Option<Body> {
        self.records.body(record.id, which).unwrap()
    }
}

impl Heard {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|cause| panic!("{cause}: {:?}", self.body))
    }
}

pub fn chat_body(model: &str, stream: bool) -> String {
    format!(r#"{{"model":"{model}","stream":{stream},"messages":[{{"role":"user","content":"Hello"}}]}}"#)
}

struct Nothing;

impl Fallback for Nothing {
    fn call(&self, _: Request<Incoming>) -> BoxFuture<'static, Response<UnsyncBoxBody<Bytes, BoxError>>> {
        let body = Full::new(Bytes::new()).map_err(|never| match never {});
        Box::pin(async { Response::builder().status(404).body(UnsyncBoxBody::new(body)).unwrap() })
    }
}

struct Unchanging;

impl Refresh for Unchanging {
    fn refresh(&self, _: Wish) -> BoxFuture<'static, ()> {
        Box::pin(async {})
    }
}
