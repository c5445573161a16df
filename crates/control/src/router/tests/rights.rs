//! Whatever the holder of a token does with the API, in whatever order: its rights do not grow.

use proptest::prelude::*;
use serde_json::{Value, json};
use tollgate_model::token::{Permission, Role, Scope};
use tollgate_rules::snapshot::Snapshot;
use tollgate_rules::token::digest;

use super::shop::{COOKIE, Shop, body, elements, showing};
use crate::desk::{Made, Wanted};

const GATEWAYS: [&str; 3] = ["g", "h", "new"];
const STEPS: usize = 24;
const LIFE_MS: u64 = 1_000_000;

/// Everything that a set of secrets is good for now, as far as anything in the gateway asks.
fn rights(shop: &Shop, snapshot: &Snapshot, secrets: &[String], now_ms: u64) -> Vec<String> {
    let mut all = Vec::new();
    for secret in secrets {
        let found = match secret.strip_prefix(COOKIE) {
            Some(session) => shop.people.visitor(session).unwrap().map(|visitor| visitor.pass),
            None => snapshot.pass(&digest(secret), now_ms).cloned(),
        };
        let Some(pass) = found else { continue };
        for (name, _) in Permission::ALL.into_iter().filter(|(_, permission)| pass.has(*permission)) {
            let there = |address: &str| pass.may_come_from(address.parse().ok());
            let places = ["10.0.0.1", "192.0.2.1"].into_iter().filter(|address| there(address));
            for place in places {
                let gateways = GATEWAYS.iter().filter(|gateway| pass.sees_gateway(gateway));
                all.extend(gateways.map(|gateway| format!("{name} on {gateway} from {place}")));
                if pass.is_of_account() {
                    all.push(format!("{name} on the account from {place}"));
                }
            }
        }
    }
    all.sort();
    all.dedup();
    all
}

struct Holder {
    shop: Shop,
    /// What it has seen so far.
    secrets: Vec<String>,
    ids: Vec<String>,
}

impl Holder {
    fn new(permissions: Vec<Permission>, gateways: Option<Vec<String>>) -> (Self, Made) {
        let shop = Shop::stocked();
        shop.gateway("g");
        shop.gateway("h");
        let stronger = shop.desk.create_token(Wanted {
            name: "admin".into(),
            permissions: vec![Permission::Admin],
            ..Wanted::default()
        });
        let stronger = stronger.unwrap();
        let scope = Scope { gateways, from: Some(vec!["10.0.0.0/8".into()]), ..Scope::default() };
        let wanted = Wanted { name: "mine".into(), permissions, scope, lives_ms: Some(LIFE_MS), ..Wanted::default() };
        let mine = shop.desk.create_token(wanted).unwrap();
        let ids = vec![mine.token.id, stronger.token.id.clone()];
        (Self { shop, secrets: vec![mine.secret.expose().to_owned()], ids }, stronger)
    }

    /// A person, beside an administrator's session and token.
    fn of_role(role: Role) -> (Self, Made) {
        let (holder, stronger) = Self::new(vec![Permission::Run], None);
        let Self { shop, mut ids, .. } = holder;
        shop.desk.delete_token(&ids.remove(0)).unwrap();
        shop.session(Role::Admin);
        let secrets = vec![shop.session(role)];
        ids.extend(shop.people.all_sessions().unwrap().into_iter().map(|(session, _)| session.id));
        (Self { shop, secrets, ids }, stronger)
    }

    /// One call, chosen by a number; whatever it answers is kept if it can be of use.
    async fn act(&mut self, choice: u32) {
        let pick = |shift: u32, of: usize| (choice >> shift) as usize % of;
        let secret = self.secrets[pick(0, self.secrets.len())].clone();
        let one = format!("/user/tokens/{}", self.ids[pick(4, self.ids.len())]);
        let wish = wish(choice);
        let sessions = format!("/accounts/{}/sessions", self.shop.account);
        let (method, path, body) = match pick(8, 12) {
            0 | 1 => ("POST", "/user/tokens".to_owned(), wish),
            2 | 3 => ("PUT", one, wish),
            4 => ("PUT", format!("{one}/value"), json!({ "grace_seconds": 3_600 })),
            5 => ("DELETE", if choice.is_multiple_of(3) { one } else { "/user/tokens/none".to_owned() }, Value::Null),
            6 => ("GET", "/user/tokens".to_owned(), Value::Null),
            9 => ("GET", sessions, Value::Null),
            10 => ("DELETE", format!("{sessions}/{}", self.ids[pick(4, self.ids.len())]), Value::Null),
            11 => ("GET", format!("/accounts/{}/audit_logs", self.shop.account), Value::Null),
            7 => ("POST", self.below(""), body(GATEWAYS[pick(12, 3)])),
            _ => {
                let route = json!({ "name": format!("r{choice}"), "elements": elements("o1") });
                ("POST", self.below(&format!("/{}/routes", GATEWAYS[pick(12, 3)])), route)
            }
        };
        let request = showing(http::Request::builder().method(method).uri(path), &secret)
            .extension(tollgate_model::Peer::of("10.0.0.1".parse().unwrap()))
            .body(axum::body::Body::from(body.to_string()));
        let said = self.shop.send(request.unwrap()).await;
        assert!(said.status.as_u16() < 500, "{method}: {:?}", said.bytes);
        if said.status == 200 {
            self.learn(&said.json()["result"]);
        }
    }

    fn below(&self, path: &str) -> String {
        format!("/accounts/{}/ai-gateway/gateways{path}", self.shop.account)
    }

    fn learn(&mut self, result: &Value) {
        let secret = result.as_str().or(result["value"].as_str());
        self.secrets.extend(secret.filter(|text| text.starts_with("tg_")).map(str::to_owned));
        let listed = result.as_array().map(Vec::as_slice).unwrap_or(std::slice::from_ref(result));
        for id in listed.iter().filter_map(|token| token["id"].as_str()) {
            if !self.ids.iter().any(|known| known == id) {
                self.ids.push(id.to_owned());
            }
        }
    }
}

/// Some token that one could wish for: too much, too little, with and without each border.
fn wish(choice: u32) -> Value {
    let mut wish = json!({ "name": "x" });
    let names: Vec<&str> = Permission::ALL.iter().map(|(name, _)| *name).collect();
    let chosen: Vec<&str> =
        names.iter().enumerate().filter(|(at, _)| choice >> (at + 10) & 3 == 0).map(|(_, name)| *name).collect();
    if !chosen.is_empty() {
        wish["permissions"] = json!(chosen);
    }
    let borders = [
        ("gateways", [json!(["g"]), json!(["g", "h"]), Value::Null]),
        (
            "condition",
            [
                json!({ "request_ip": { "in": ["10.0.0.1"] } }),
                json!({ "request_ip": { "in": ["0.0.0.0/0"] } }),
                Value::Null,
            ],
        ),
        ("expires_on", [json!("2026-11-18T11:10:00Z"), json!("2036-01-01T00:00:00Z"), Value::Null]),
    ];
    for (at, (member, values)) in borders.into_iter().enumerate() {
        let which = (choice >> (20 + 2 * at)) as usize & 3;
        if let Some(value) = values.get(which) {
            wish[member] = value.clone();
        }
    }
    wish
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20, max_shrink_iters: 60, ..ProptestConfig::default() })]
    #[test]
    fn a_holder_s_rights_never_grow(choices in proptest::collection::vec(any::<u32>(), STEPS), scoped: bool) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let permissions = vec![Permission::Write, Permission::Run];
            let (mut holder, stronger) = Holder::new(permissions, scoped.then(|| vec!["g".to_owned()]));
            let now_ms = holder.shop.desk.now_ms();
            let at_first = rights(&holder.shop, &holder.shop.desk.current().unwrap(), &holder.secrets, now_ms);
            for choice in choices {
                holder.act(choice).await;
                let snapshot = holder.shop.desk.current().unwrap();
                let now = rights(&holder.shop, &snapshot, &holder.secrets, now_ms);
                let more: Vec<&String> = now.iter().filter(|right| !at_first.contains(right)).collect();
                assert!(more.is_empty(), "{more:?}");
                let later = rights(&holder.shop, &snapshot, &holder.secrets, now_ms + LIFE_MS);
                assert!(later.is_empty(), "past its end: {later:?}");
                assert!(snapshot.tokens().any(|token| **token == stronger.token), "the stronger token was touched");
            }
        });
    }

    /// The same for people: whatever a session that is not an administrator's does, its holder has the rights of its role and no others.
    #[test]
    fn a_person_s_rights_never_grow(choices in proptest::collection::vec(any::<u32>(), STEPS), role in 0_usize..3) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (mut holder, stronger) = Holder::of_role(Role::ALL[role].1);
            let now_ms = holder.shop.desk.now_ms();
            let at_first = rights(&holder.shop, &holder.shop.desk.current().unwrap(), &holder.secrets, now_ms);
            assert!(!at_first.is_empty());
            for choice in choices {
                holder.act(choice).await;
                let snapshot = holder.shop.desk.current().unwrap();
                assert_eq!(rights(&holder.shop, &snapshot, &holder.secrets, now_ms), at_first);
                assert!(snapshot.tokens().any(|token| **token == stronger.token), "the stronger token was touched");
                assert_eq!(snapshot.tokens().count(), 1, "a person who is no administrator made a token");
                assert_eq!(holder.shop.people.all_sessions().unwrap().len(), 2, "a session was opened or ended");
            }
        });
    }
}
