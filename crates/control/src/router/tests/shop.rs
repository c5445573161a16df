//! A whole API over embedded stores in a directory of its own.
//!
//! Enters: requests as text. Leaves: status, headers and body. Never: opens a socket.

use std::sync::Mutex;

use axum::body::Body;
use http::request::Builder;
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tempfile::TempDir;
use tollgate_dial::{Client, Resolver, TlsRoots};
use tollgate_model::token::{Permission, Role};
use tollgate_model::{Clock, Record, Secret};
use tollgate_rules::egress::Egress;
use tollgate_rules::snapshot::Documents;
use tollgate_store::Metrics;
use tollgate_store::embedded::{
    DayRecords, DayRecordsOptions, DiskAnswers, DiskAnswersOptions, FileDocuments, FileEntries,
};
use tollgate_store::records::{Encoded, Entry};
use tower::ServiceExt;

use super::super::*;
use super::declared;
use super::inward::Inward;
use crate::audit::Audit;
use crate::desk::{NewSecret, Wanted};
use crate::people::{ClientSecret, Oidc, People, Person};
use crate::sample::NOW;
use crate::vault::{Allowed, KeySource, Vault};

const ISSUER: &str = "https://id.example";
/// Of a browser that came without TLS.
pub(super) const COOKIE: &str = "tollgate_session=";

pub(super) struct Shop {
    pub(super) desk: Arc<Desk>,
    pub(super) records: Arc<DayRecords>,
    pub(super) answers: Arc<DiskAnswers>,
    pub(super) entries: Arc<FileEntries>,
    pub(super) courier: Arc<Courier>,
    /// What requests drew by the hour, and the cents that they were told of.
    pub(super) drawn: Arc<Mutex<ByHour>>,
    pub(super) clock: Arc<tollgate_model::clock::ManualClock>,
    pub(super) router: Router,
    pub(super) people: Arc<People>,
    pub(super) account: String,
    dir: TempDir,
}

pub(super) struct Said {
    pub(super) status: StatusCode,
    pub(super) headers: http::HeaderMap,
    pub(super) bytes: Bytes,
}

type ByHour = (Vec<(u64, u64)>, i64);

struct Drawn(Arc<Mutex<ByHour>>);

impl Draws for Drawn {
    fn by_hour(&self) -> Vec<(u64, u64)> {
        self.0.lock().unwrap().0.clone()
    }

    fn paid(&self, cents: i64) {
        self.0.lock().unwrap().1 = cents;
    }
}

pub(super) fn public(loopback: bool) -> Public {
    Public {
        url: "http://127.0.0.1:8787".into(),
        loopback,
        ready: Box::new(|| true),
        metrics: Box::new(|| "requests_total 1\n".into()),
    }
}

// === impl Shop ===

impl Shop {
    pub(super) fn open() -> Self {
        Self::with(Documents::default(), public(true), Box::new(|_| true))
    }

    /// With the providers of the catalog.
    pub(super) fn stocked() -> Self {
        let providers = tollgate_wire::provider::Providers::builtin().clone();
        Self::with(Documents { providers, ..Documents::default() }, public(true), Box::new(|_| true))
    }

    pub(super) fn with(base: Documents, public: Public, catch_up: Box<dyn Fn(Duration) -> bool + Send + Sync>) -> Self {
        Self::made(tempfile::tempdir().unwrap(), base, public, catch_up, oidc())
    }

    /// With people of this issuer, in the directory of an earlier shop.
    pub(super) fn signing_in(dir: TempDir, oidc: Oidc) -> Self {
        let providers = tollgate_wire::provider::Providers::builtin().clone();
        Self::made(dir, Documents { providers, ..Documents::default() }, public(true), Box::new(|_| true), oidc)
    }

    /// What is on the disk, for the next process.
    pub(super) fn close(self) -> TempDir {
        self.dir
    }

    fn made(
        dir: TempDir,
        base: Documents,
        public: Public,
        catch_up: Box<dyn Fn(Duration) -> bool + Send + Sync>,
        oidc: Oidc,
    ) -> Self {
        let own = base.egress.clone();
        let (clock, hand) = Clock::manual(NOW);
        let metrics = Arc::new(Metrics::default());
        let documents = Arc::new(FileDocuments::open(&dir.path().join("tollgate.db")).unwrap());
        let entries = Arc::new(FileEntries::open(&dir.path().join("entries.db")).unwrap());
        let desk = Desk::new(documents, clock, Box::new(move || base.clone())).with_vault(vault());
        let desk = Arc::new(desk.audited(Audit::new(entries.clone(), Actor::default())));
        let records =
            DayRecords::open(&dir.path().join("logs"), DayRecordsOptions::default(), metrics.clone()).unwrap();
        let answers = DiskAnswers::open(&dir.path().join("a.db"), DiskAnswersOptions::default(), metrics).unwrap();
        let (records, answers) = (Arc::new(records), Arc::new(answers));
        let account = desk.current().unwrap().account.to_string();
        let egress = Egress { allow_private: vec!["127.0.0.0/8".parse().unwrap()] };
        let client = Client::new(Arc::new(egress), TlsRoots::System, Resolver::System);
        let people = Arc::new(People::new(oidc, desk.clone(), entries.clone(), client));
        let client = Client::new(own, TlsRoots::default(), Resolver::Given(Arc::new(Inward)));
        let courier = Arc::new(Courier::new(desk.clone(), entries.clone(), client));
        let drawn = Arc::new(Mutex::new((Vec::new(), 0)));
        let parts = Parts {
            desk: desk.clone(),
            records: records.clone(),
            answers: answers.clone(),
            entries: entries.clone(),
            evaluations: Worker::default(),
            courier: courier.clone(),
            uses: Arc::default(),
            draws: Some(Box::new(Drawn(drawn.clone()))),
            budgets: Box::new(crate::drawer::NoDrawer),
            public,
            door: Arc::new(crate::dashboard::Door::closed()),
            people: Some(people.clone()),
            catch_up,
            reload: Box::new(|| Ok("settings read again".to_owned())),
        };
        let router = router(parts);
        Self { desk, records, answers, entries, courier, drawn, clock: hand, router, people, account, dir }
    }

    /// Somebody who is signed in: what their browser sends along.
    pub(super) fn session(&self, role: Role) -> String {
        let name = role.name().to_owned();
        let person = Person {
            issuer: ISSUER.to_owned(),
            subject: format!("of-{name}"),
            name: format!("Ann the {name}"),
            email: Some("ann@example.com".to_owned()),
            values: vec![name],
        };
        format!("{COOKIE}{}", self.people.open_session(person).expose())
    }

    pub(super) fn token(&self, permissions: &[Permission]) -> String {
        let wanted = Wanted { name: "t".into(), permissions: permissions.to_vec(), ..Wanted::default() };
        self.desk.create_token(wanted).unwrap().secret.expose().to_owned()
    }

    pub(super) fn dir(&self) -> &std::path::Path {
        self.dir.path()
    }

    pub(super) fn gateway(&self, id: &str) {
        self.desk.create_gateway(&body(id)).unwrap();
    }

    pub(super) fn route(&self, gateway: &str, name: &str) {
        let gateway = self.desk.gateway(gateway).unwrap().unwrap();
        self.desk.create_route(&gateway, &json!({ "name": name, "elements": elements("gpt-4o") })).unwrap();
    }

    /// A store, a secret in it and a provider config of gateway `g`, by their ids.
    pub(super) fn secrets(&self) -> [String; 3] {
        let store = self.desk.ensure_store().unwrap().id;
        let new = NewSecret {
            name: "plain".into(),
            scopes: vec!["workers".into()],
            value: Secret::new("a-fake-value"),
            comment: None,
        };
        let secret = self.desk.create_secrets(&store, &[new]).unwrap().remove(0).id;
        let gateway = self.desk.gateway("g").unwrap().unwrap();
        let body = json!({ "provider_slug": "openai", "alias": "default", "default_config": true, "secret": "sk-fake-1234567890" });
        let config = self.desk.create_provider_config(&gateway, &body).unwrap().config.id;
        [store, secret, config]
    }

    /// A dataset of everything, and an evaluation of it.
    pub(super) fn evaluation(&self, gateway: &str) {
        let gateway = self.desk.gateway(gateway).unwrap().unwrap();
        let body = json!({ "name": "all", "enable": true, "filters": [] });
        let dataset = self.desk.create_dataset(&gateway, &body).unwrap();
        let kinds = [crate::evaluation::KINDS[0].id];
        let body = json!({ "name": "all", "dataset_ids": [dataset.id], "evaluation_type_ids": kinds });
        let evaluation = crate::evaluation::wanted(&self.desk, &gateway, &body).unwrap();
        crate::evaluation::Book(&*self.entries).add(&evaluation).unwrap();
    }

    /// The first of each there is, or a name that is none.
    pub(super) fn dataset_and_evaluation(&self, gateway: &str) -> [String; 2] {
        let Some(gateway) = self.desk.gateway(gateway).unwrap() else { return ["none", "none"].map(str::to_owned) };
        let datasets = self.desk.datasets(&gateway).unwrap();
        let evaluations = crate::evaluation::Book(&*self.entries).all(&gateway).unwrap();
        let of = |id: Option<&String>| id.cloned().unwrap_or_else(|| "none".to_owned());
        [of(datasets.first().map(|each| &each.id)), of(evaluations.first().map(|each| &each.id))]
    }

    pub(super) fn keep(&self, record: Record, request: &[u8], response: &[u8]) {
        let line = Encoded::of(&record);
        self.records.append(&[Entry { line: line.line(), request, response }]).unwrap();
    }

    /// Below the account's AI gateway.
    pub(super) async fn ask(&self, method: &str, path: &str, token: &str, body: Option<Value>) -> Said {
        let path = format!("/client/v4/accounts/{}/ai-gateway/{path}", self.account);
        self.ask_raw(method, &path, token, body.map(|body| body.to_string())).await
    }

    pub(super) async fn get(&self, path: &str, token: &str) -> Said {
        self.ask("GET", path, token, None).await
    }

    pub(super) async fn ask_raw(&self, method: &str, path: &str, token: &str, body: Option<String>) -> Said {
        let request = showing(Request::builder().method(method).uri(path), token);
        self.send(request.body(Body::from(body.unwrap_or_default())).unwrap()).await
    }

    /// Every good answer is held against what its row declares.
    pub(super) async fn send(&self, request: Request<Body>) -> Said {
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let said = Said::read(self.router.clone().oneshot(request).await.unwrap()).await;
        declared::hold(&method, &path, &said);
        said
    }
}

/// With a token, a person's cookie on a page of ours, or nothing.
pub(super) fn showing(request: Builder, who: &str) -> Builder {
    match who {
        "" => request,
        cookie if cookie.starts_with(COOKIE) => {
            request.header("cookie", cookie).header("sec-fetch-site", "same-origin")
        }
        token => request.header("authorization", format!("Bearer {token}")),
    }
}

/// An issuer that nobody asks, whose roles are called as ours are.
pub(super) fn oidc() -> Oidc {
    Oidc {
        issuer: ISSUER.to_owned(),
        name: "Example".to_owned(),
        client_id: "tollgate".to_owned(),
        client_secret: ClientSecret::None,
        scopes: vec!["openid".to_owned()],
        roles_claim: "groups".to_owned(),
        roles: Role::ALL.map(|(name, role)| (name.to_owned(), role)).into(),
        default_role: None,
        domains: Vec::new(),
        base_url: None,
        idle_ms: 3_600_000,
        absolute_ms: 12 * 3_600_000,
    }
}

/// With a key that is the same everywhere.
pub(super) fn vault() -> Arc<Vault> {
    let source = KeySource::Environment("TESTS".into(), Secret::new("ab".repeat(32)));
    Arc::new(Vault::open(source, Allowed { env: vec!["CARGO_PKG_NAME".into()], dirs: Vec::new() }, &[]).unwrap())
}

// === impl Said ===

impl Said {
    async fn read(response: Response<Body>) -> Self {
        let (head, body) = response.into_parts();
        Self { status: head.status, headers: head.headers, bytes: body.collect().await.unwrap().to_bytes() }
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|_| panic!("not JSON: {:?}", self.bytes))
    }

    pub(super) fn result(&self) -> Value {
        assert_eq!(self.status, 200, "{:?}", self.bytes);
        let mut json = self.json();
        assert_eq!((&json["success"], &json["errors"], &json["messages"]), (&json!(true), &json!([]), &json!([])));
        json["result"].take()
    }

    /// Status, first code, `result`.
    pub(super) fn problem(&self) -> (u16, u64, Value) {
        let mut json = self.json();
        assert_eq!((&json["success"], &json["messages"]), (&json!(false), &json!([])));
        (self.status.as_u16(), json["errors"][0]["code"].as_u64().unwrap(), json["result"].take())
    }
}

pub(super) fn body(id: &str) -> Value {
    json!({
        "id": id, "cache_invalidate_on_update": true, "cache_ttl": 0, "collect_logs": true,
        "rate_limiting_interval": 0, "rate_limiting_limit": 0
    })
}

/// The smallest route: everything goes to one model.
pub(super) fn elements(model: &str) -> Value {
    json!([
        { "id": "s", "type": "start", "outputs": { "next": { "elementId": "m" } } },
        { "id": "m", "type": "model", "properties": { "provider": "openai", "model": model, "timeout": 0, "retries": 0 },
          "outputs": { "success": { "elementId": "e" } } },
        { "id": "e", "type": "end", "outputs": {} }
    ])
}
