//! Alerts over HTTP, and their messages as a receiver meets them.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Mutex;

use axum::routing::post;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tollgate_model::token::Permission;
use tollgate_model::{BudgetCrossing, BudgetKind, Money};
use tollgate_rules::egress::Egress;
use tollgate_rules::snapshot::Documents;

use super::super::*;
use super::shop::{Shop, public};
use crate::alert::{Book, State as Became, of_crossings};
use crate::sample::NOW;

/// Answers with what it was told to, and remembers what it heard.
#[derive(Clone)]
struct Receiver {
    address: SocketAddr,
    says: Arc<Mutex<VecDeque<axum::response::Response>>>,
    heard: Arc<Mutex<Vec<(HeaderMap, String)>>>,
}

impl Receiver {
    async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let receiver = Self { address: listener.local_addr().unwrap(), says: Arc::default(), heard: Arc::default() };
        let mine = receiver.clone();
        let hear = move |headers: HeaderMap, body: String| {
            mine.heard.lock().unwrap().push((headers, body));
            let said = mine.says.lock().unwrap().pop_front();
            async move { said.unwrap_or_else(|| http::StatusCode::NO_CONTENT.into_response()) }
        };
        let router = Router::new().route("/hook", post(hear.clone())).route("/elsewhere", post(hear));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        receiver
    }

    fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    fn will_say(&self, answer: impl IntoResponse) {
        self.says.lock().unwrap().push_back(answer.into_response());
    }

    fn heard(&self) -> Vec<(HeaderMap, String)> {
        std::mem::take(&mut self.heard.lock().unwrap())
    }
}

fn open_to_loopback() -> (Shop, String) {
    let egress = Arc::new(Egress { allow_private: vec!["127.0.0.0/8".parse().unwrap()] });
    let shop = Shop::with(Documents { egress, ..Documents::default() }, public(true), Box::new(|_| true));
    shop.gateway("g");
    let token = shop.token(&[Permission::Write]);
    (shop, token)
}

fn budget(url: &str) -> Value {
    json!({ "name": "money", "kind": "budget", "webhook": { "url": url } })
}

fn crossing(percent: u8) -> BudgetCrossing {
    BudgetCrossing {
        at_ms: NOW,
        kind: BudgetKind::Rule,
        gateway: "g".into(),
        id: "r1".into(),
        bucket: "team=red".into(),
        percent,
        refused: false,
        spent: Money::from_nanos(8_000_000_000),
        limit: Money::from_nanos(10_000_000_000),
        from_ms: NOW,
        until_ms: NOW + 3_600_000,
    }
}

/// By the letter of standardwebhooks.com, apart from the code that signs.
fn verify(secret: &str, headers: &HeaderMap, body: &str) {
    let text = |name: &str| headers[name].to_str().unwrap();
    let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let signed = format!("{}.{}.{body}", text("webhook-id"), text("webhook-timestamp"));
    let tag = STANDARD.decode(text("webhook-signature").strip_prefix("v1,").unwrap()).unwrap();
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, &key);
    aws_lc_rs::hmac::verify(&key, signed.as_bytes(), &tag).unwrap();
}

#[tokio::test]
async fn an_alert_is_made_changed_listed_and_deleted() {
    let (shop, token) = open_to_loopback();
    let made = shop.ask("POST", "alerts", &token, Some(budget("https://h.example/x"))).await.result();
    assert_eq!((&made["thresholds"], &made["cooldown_seconds"]), (&json!([50, 80, 100]), &json!(3600)));
    assert!(made["webhook_secret"].as_str().unwrap().starts_with("whsec_"));
    let path = format!("alerts/{}", made["id"].as_str().unwrap());
    let fetched = shop.get(&path, &token).await.result();
    assert_eq!((&fetched["webhook_secret"], &fetched["name"]), (&Value::Null, &json!("money")), "told once");
    let rate = json!({ "name": "errors", "kind": "error_rate", "gateway_id": "g", "threshold_percent": 5,
        "webhook": { "url": "https://hooks.example/services/T0/B0/secret", "format": "slack" } });
    let put = shop.ask("PUT", &path, &token, Some(rate.clone())).await.result();
    assert_eq!((&put["threshold_percent"], &put["window_seconds"]), (&json!(5.0), &json!(300)));
    assert_eq!(put["webhook"]["url"], "https://hooks.example/***", "its path is the receiver's secret");
    let mut same = rate;
    same["webhook"]["url"] = put["webhook"]["url"].clone();
    shop.ask("PUT", &path, &token, Some(same)).await.result();
    let kept = shop.desk.alert(made["id"].as_str().unwrap()).unwrap();
    assert_eq!(kept.webhook.url, "https://hooks.example/services/T0/B0/secret");
    for (query, count) in
        [("", 1), ("?search=ERR", 1), ("?search=money", 0), ("?gateway_id=g", 1), ("?gateway_id=h", 0)]
    {
        let listed = shop.get(&format!("alerts{query}"), &token).await.result();
        assert_eq!(listed.as_array().unwrap().len(), count, "{query}");
    }
    let secrets = |shop: &Shop| shop.desk.secrets_count().unwrap();
    assert_eq!(secrets(&shop), 1);
    shop.ask("DELETE", &path, &token, None).await.result();
    assert_eq!((shop.get(&path, &token).await.problem().0, secrets(&shop)), (404, 0));
}

#[tokio::test]
async fn what_cannot_be_an_alert_is_refused_with_its_place() {
    let shop = Shop::open();
    shop.gateway("g");
    let token = shop.token(&[Permission::Write]);
    let ok = "https://h.example/x";
    for (body, place) in [
        (json!({ "kind": "budget", "webhook": { "url": ok } }), "name"),
        (json!({ "name": "a", "kind": "weather", "webhook": { "url": ok } }), "kind"),
        (json!({ "name": "a", "kind": "budget" }), "webhook"),
        (json!({ "name": "a", "kind": "budget", "webhook": { "url": "http://h.example/x" } }), "url"),
        (json!({ "name": "a", "kind": "budget", "webhook": { "url": "https://127.0.0.1/x" } }), "url"),
        (json!({ "name": "a", "kind": "budget", "webhook": { "url": "https://169.254.169.254/latest" } }), "url"),
        (json!({ "name": "a", "kind": "budget", "webhook": { "url": ok, "secret": "short" } }), "secret"),
        (json!({ "name": "a", "kind": "budget", "thresholds": [33], "webhook": { "url": ok } }), "thresholds"),
        (json!({ "name": "a", "kind": "budget", "window_seconds": 60, "webhook": { "url": ok } }), "window_seconds"),
        (json!({ "name": "a", "kind": "error_rate", "window_seconds": 5, "webhook": { "url": ok } }), "window_seconds"),
        (json!({ "name": "a", "kind": "budget", "gateway_id": "nope", "webhook": { "url": ok } }), "gateway_id"),
    ] {
        let said = shop.ask("POST", "alerts", &token, Some(body.clone())).await;
        let text = said.json()["errors"].to_string();
        assert!(said.status == 400 && text.contains(place), "{body}: {} {text}", said.status);
    }
    shop.ask("POST", "alerts", &token, Some(budget(ok))).await.result();
    assert!(
        shop.ask("POST", "alerts", &token, Some(budget(ok))).await.json()["errors"].to_string().contains("already")
    );
}

/// Saved or refused: none of them is connected to from here.
#[tokio::test]
async fn a_test_is_signed_sent_at_once_and_its_end_is_told() {
    let (shop, token) = open_to_loopback();
    let receiver = Receiver::open().await;
    let made = shop.ask("POST", "alerts", &token, Some(budget(&receiver.url()))).await.result();
    let path = format!("alerts/{}/test", made["id"].as_str().unwrap());
    let said = shop.ask("POST", &path, &token, None).await.result();
    assert_eq!(
        (&said["state"], &said["attempts"], &said["last_status"]),
        (&json!("delivered"), &json!(1), &json!(204))
    );
    let [(headers, body)] = &receiver.heard()[..] else { panic!("heard once") };
    verify(made["webhook_secret"].as_str().unwrap(), headers, body);
    let told: Value = serde_json::from_str(body).unwrap();
    assert_eq!((&told["type"], &told["data"]["alert_name"]), (&json!("alert.test"), &json!("money")));
    // A failure is told as one, and is not tried again by itself.
    receiver.will_say(http::StatusCode::INTERNAL_SERVER_ERROR);
    let said = shop.ask("POST", &path, &token, None).await.result();
    assert_eq!((&said["state"], &said["last_status"]), (&json!("failed"), &json!(500)));
    assert_eq!(shop.courier.round().await.unwrap(), 0);
    // A redirect is a failure too: nothing follows it.
    let elsewhere = format!("http://{}/elsewhere", receiver.address);
    receiver.will_say(axum::response::Redirect::temporary(&elsewhere));
    receiver.heard();
    let said = shop.ask("POST", &path, &token, None).await.result();
    assert!(said["last_error"].as_str().unwrap().contains("redirects are not followed"), "{said}");
    assert_eq!(receiver.heard().len(), 1);
    // An endless answer is cut off.
    receiver.will_say("x".repeat(1 << 20));
    let said = shop.ask("POST", &path, &token, None).await.result();
    assert!(said["last_error"].as_str().unwrap().contains("longer than 65536 bytes"), "{said}");
    let listed = shop.get(&format!("alerts/{}/deliveries", made["id"].as_str().unwrap()), &token).await.result();
    assert_eq!(listed.as_array().unwrap().len(), 4);
}

#[tokio::test]
async fn a_message_is_sent_until_it_is_taken_with_the_same_id_and_body() {
    let (shop, token) = open_to_loopback();
    let receiver = Receiver::open().await;
    let made = shop.ask("POST", "alerts", &token, Some(budget(&receiver.url()))).await.result();
    let found = of_crossings(&shop.desk.alerts().unwrap(), &[crossing(80)]);
    assert_eq!(shop.courier.queue(&found).unwrap(), 1);
    assert_eq!(shop.courier.queue(&found).unwrap(), 0, "the same is told once");
    for _ in 0..3 {
        receiver.will_say(http::StatusCode::SERVICE_UNAVAILABLE);
    }
    let mut heard = Vec::new();
    for pause_s in [0, 7, 25, 100] {
        shop.clock.advance(Duration::from_secs(pause_s));
        assert_eq!(shop.courier.round().await.unwrap(), 1, "after {pause_s} s");
        assert_eq!(shop.courier.round().await.unwrap(), 0, "not before its time");
        heard.extend(receiver.heard());
    }
    assert_eq!(heard.len(), 4);
    for (headers, body) in &heard {
        verify(made["webhook_secret"].as_str().unwrap(), headers, body);
        assert_eq!((&headers["webhook-id"], body), (&heard[0].0["webhook-id"], &heard[0].1));
    }
    assert_ne!(heard[0].0["webhook-timestamp"], heard[3].0["webhook-timestamp"], "a receiver may mind old ones");
    let told: Value = serde_json::from_str(&heard[0].1).unwrap();
    assert_eq!((&told["type"], &told["data"]["percent"]), (&json!("alert.budget"), &json!(80)));
    assert_eq!((&told["data"]["spent"], &told["data"]["limit"]), (&json!(8.0), &json!(10.0)));
    let one = &Book(&*shop.entries).all(made["id"].as_str().unwrap(), 0, 9).unwrap()[0];
    assert_eq!((one.state, one.attempts, one.last_status), (Became::Delivered, 4, Some(204)));
}

#[tokio::test]
async fn what_nobody_takes_is_given_up_and_a_queue_outlives_its_courier() {
    let (shop, token) = open_to_loopback();
    let receiver = Receiver::open().await;
    let made = shop.ask("POST", "alerts", &token, Some(budget(&receiver.url()))).await.result();
    let id = made["id"].as_str().unwrap().to_owned();
    let alerts = shop.desk.alerts().unwrap();
    shop.courier.queue(&of_crossings(&alerts, &[crossing(50), crossing(80), crossing(100)])).unwrap();
    // As a process does that starts again.
    let egress = Arc::new(Egress { allow_private: vec!["127.0.0.0/8".parse().unwrap()] });
    let client = tollgate_dial::Client::new(egress, Default::default(), Default::default());
    let courier = Arc::new(Courier::new(shop.desk.clone(), shop.entries.clone(), client));
    receiver.will_say(http::StatusCode::GONE);
    assert_eq!(courier.round().await.unwrap(), 3);
    let states = |shop: &Shop| -> Vec<Became> {
        Book(&*shop.entries).all(&id, 0, 9).unwrap().iter().map(|each| each.state).collect()
    };
    assert_eq!(states(&shop).iter().filter(|state| **state == Became::Failed).count(), 1, "410: it wants no more");
    shop.courier.queue(&of_crossings(&alerts, &[BudgetCrossing { id: "r2".into(), ..crossing(50) }])).unwrap();
    let mut attempts = 0;
    for _ in 0..20 {
        receiver.will_say(http::StatusCode::INTERNAL_SERVER_ERROR);
        attempts += courier.round().await.unwrap();
        shop.clock.advance(Duration::from_secs(5 * 3_600));
    }
    assert_eq!(attempts, 8);
    assert!(states(&shop).iter().all(|state| *state != Became::Pending));
    // With the alert goes what waits for it.
    shop.courier.queue(&of_crossings(&alerts, &[BudgetCrossing { id: "r3".into(), ..crossing(50) }])).unwrap();
    shop.ask("DELETE", &format!("alerts/{id}"), &token, None).await.result();
    receiver.heard();
    assert_eq!((courier.round().await.unwrap(), receiver.heard().len()), (0, 0));
}

#[tokio::test]
async fn only_who_asks_for_a_threshold_hears_of_it() {
    let (shop, token) = open_to_loopback();
    let more = |name: &str, more: Value| {
        let mut body = budget("https://h.example/x");
        body["name"] = name.into();
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    shop.gateway("h");
    for body in [
        more("all", json!({})),
        more("whole", json!({ "thresholds": [100] })),
        more("of h", json!({ "gateway_id": "h" })),
        more("off", json!({ "enable": false })),
        more("slack", json!({ "gateway_id": "g", "webhook": { "url": "https://h.example/x", "format": "slack" } })),
    ] {
        shop.ask("POST", "alerts", &token, Some(body)).await.result();
    }
    let found = of_crossings(&shop.desk.alerts().unwrap(), &[crossing(80)]);
    let mut names: Vec<&str> = found.iter().map(|finding| finding.alert_name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["all", "slack"]);
    let slack = found.iter().find(|finding| finding.alert_name == "slack").unwrap().payload();
    let told: Value = serde_json::from_str(&slack).unwrap();
    assert_eq!(told.as_object().unwrap().len(), 1);
    assert!(told["text"].as_str().unwrap().contains("used to 80 %: 8 of 10 dollars"), "{told}");
}
