//! Providers that operators add: called as those of the catalog are, by `custom-{slug}`.

use std::sync::Arc;

use serde_json::json;
use tollgate_model::CustomProvider;
use tollgate_model::custom::CustomHeader;
use tollgate_rules::snapshot::Documents;
use tollgate_testkit::plan;

use crate::town::{Plan, chat_body, town};

pub fn provider(slug: &str, base_url: &str) -> CustomProvider {
    CustomProvider {
        id: slug.to_owned(),
        name: slug.to_owned(),
        slug: slug.to_owned(),
        base_url: base_url.to_owned(),
        description: None,
        link: None,
        curl_example: None,
        js_example: None,
        enable: true,
        beta: false,
        headers: Vec::new(),
        position: 0.0,
        created_at: 0,
        modified_at: 0,
    }
}

/// `acme` at the scripted provider's root, `local` below its `/v1`, `off` switched off.
fn shelf(upstream: &str, documents: &mut Documents) {
    let header = |name: &str, value: &str| CustomHeader { name: name.to_owned(), value: value.to_owned() };
    let headers = vec![header("x-tenant", "mine"), header("authorization", "Bearer operators-fake")];
    let all = [
        CustomProvider { headers, ..provider("acme", upstream) },
        provider("local", &format!("{upstream}/v1")),
        CustomProvider { enable: false, ..provider("off", upstream) },
    ];
    documents.custom_providers = all.into_iter().map(Arc::new).collect();
}

fn plan() -> Plan {
    Plan { custom: shelf, ..Plan::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_called_by_any_path_and_method() {
    let town = town(plan()).await;
    town.provider.on("GET", "/v1/models", |_| plan::Plan::json(200, r#"{"data":[]}"#));
    let heard = town.send("GET", &town.url("custom-acme/v1/models?x=1"), &[], Default::default()).await.unwrap();
    assert_eq!((heard.status, &heard.json()), (200, &json!({ "data": [] })));
    assert_eq!(town.provider.recorder().last().request.target, "/v1/models?x=1");
    for path in ["custom-acme/v1/chat/completions", "custom-local/v1/chat/completions", "custom-local/chat/completions"]
    {
        let heard = town.post(path, &[], chat_body("any-model", false)).await;
        assert_eq!(heard.status, 200, "{path}");
        assert_eq!(town.provider.recorder().last().request.target, "/v1/chat/completions", "{path}");
        let record = town.last_record().await;
        assert_eq!((record.provider.split('-').next(), record.model.as_str()), (Some("custom"), "any-model"));
        assert!(record.usage.is_some(), "its dialect is understood");
    }
    assert_eq!(&*town.last_record().await.provider, "custom-local");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_unified_api_knows_it_by_its_prefix() {
    let town = town(plan()).await;
    for (model, slug) in
        [("custom-acme/vendor/model-1", "custom-acme"), ("custom-local/vendor/model-1", "custom-local")]
    {
        for stream in [false, true] {
            let heard = town.post("compat/chat/completions", &[], chat_body(model, stream)).await;
            assert_eq!(heard.status, 200, "{model}");
            let request = town.provider.recorder().last().request;
            let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
            assert_eq!((request.target.as_str(), &body["model"]), ("/v1/chat/completions", &json!("vendor/model-1")));
            let record = town.last_record().await;
            assert_eq!((&*record.provider, record.model.as_str(), record.streamed), (slug, "vendor/model-1", stream));
        }
    }
    let embedding = json!({ "model": "custom-local/e", "input": "x" }).to_string();
    assert_eq!(town.post("compat/embeddings", &[], embedding).await.status, 200);
    assert_eq!(town.provider.recorder().last().request.target, "/v1/embeddings");
    let steps = json!([{ "provider": "custom-acme", "endpoint": "v1/chat/completions", "headers": {}, "query": serde_json::from_str::<serde_json::Value>(&chat_body("m", false)).unwrap() }]);
    assert_eq!(town.post("", &[], steps.to_string()).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operators_headers_go_with_every_request() {
    let town = town(plan()).await;
    let said = |headers: &'static [(&'static str, &'static str)], path: &'static str, model: &'static str| {
        let town = &town;
        async move {
            assert_eq!(town.post(path, headers, chat_body(model, false)).await.status, 200);
            let request = town.provider.recorder().last().request;
            ["x-tenant", "authorization"].map(|name| request.header(name).unwrap_or_default().to_owned())
        }
    };
    for (path, model) in [("custom-acme/v1/chat/completions", "m"), ("compat/chat/completions", "custom-acme/m")] {
        assert_eq!(said(&[("x-tenant", "another")], path, model).await, ["mine", "Bearer operators-fake"], "{path}");
        let own = said(&[("authorization", "Bearer callers-fake")], path, model).await;
        assert_eq!(own, ["mine", "Bearer callers-fake"], "{path}");
    }
    assert_eq!(said(&[], "custom-local/chat/completions", "m").await, ["", ""], "and with nobody else's");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_switched_off_or_unknown_is_refused() {
    let town = town(plan()).await;
    for (path, model, said) in [
        ("custom-off/v1/chat/completions", "m", "Invalid provider: custom-off is disabled, its `enable` is false"),
        ("compat/chat/completions", "custom-off/m", "Invalid provider: custom-off is disabled, its `enable` is false"),
        ("custom-other/v1/chat/completions", "m", "Invalid provider"),
        ("acme/v1/chat/completions", "m", "Invalid provider"),
    ] {
        let heard = town.post(path, &[], chat_body(model, false)).await;
        let body = heard.json();
        assert_eq!(
            (heard.status, &body["internalCode"], &body["message"]),
            (400, &json!(2008), &json!(said)),
            "{path}"
        );
    }
    assert_eq!(town.asked(), 0);
}

/// The address that was opened for nobody: the setting that lets a local model server be reached is the only thing that does.
#[tokio::test(flavor = "multi_thread")]
async fn a_local_server_is_reached_by_one_setting() {
    let closed = plan().served(|serving| serving.egress = Arc::default());
    let town = town(closed).await;
    let heard = town.post("custom-local/chat/completions", &[], chat_body("m", false)).await;
    assert_eq!((heard.status, town.asked(), town.provider.counts().connections), (502, 0, 0));
    assert_eq!(town.last_record().await.attempts[0].miss.as_deref(), Some("connect"));
}
