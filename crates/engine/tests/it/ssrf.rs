//! The corpus of URLs that lead inward, where callers and settings can name one: base URLs of providers, webhooks of background jobs.

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::BoxFuture;
use serde_json::json;
use tokio::net::TcpListener;
use tollgate_dial::{Resolve, Resolver};
use tollgate_rules::custom;
use tollgate_rules::snapshot::{Documents, Snapshot};
use tollgate_wire::provider::Providers;

use crate::custom::provider;
use crate::town::{Plan, Town, chat_body, town};

const URLS: &str = include_str!("../../../../tests/ssrf/urls.txt");

fn urls(port: u16) -> Vec<String> {
    let lines = URLS.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| line.replace("{port}", &port.to_string())).collect()
}

/// Every name is on this machine.
struct Inward;

impl Resolve for Inward {
    fn resolve(&self, _: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        Box::pin(async { Ok(vec![Ipv4Addr::LOCALHOST.into()]) })
    }
}

/// Connections to any address of this machine at one port.
async fn listening() -> (u16, Arc<AtomicUsize>) {
    let heard = Arc::new(AtomicUsize::new(0));
    let four = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let port = four.local_addr().unwrap().port();
    let six = TcpListener::bind(format!("[::1]:{port}")).await.ok();
    for listener in [Some(four), six].into_iter().flatten() {
        let heard = heard.clone();
        tokio::spawn(async move {
            while listener.accept().await.is_ok() {
                heard.fetch_add(1, Ordering::SeqCst);
            }
        });
    }
    (port, heard)
}

async fn closed() -> Town {
    let plan = Plan::default().served(|serving| {
        serving.egress = Arc::default();
        serving.resolver = Resolver::Given(Arc::new(Inward));
        serving.workers = 1;
    });
    town(plan).await
}

/// As if each of them had found its way into the settings, past the check that refuses most of them there.
#[tokio::test(flavor = "multi_thread")]
async fn no_base_url_of_the_corpus_is_connected_to() {
    let (port, heard) = listening().await;
    let town = closed().await;
    let all = urls(port).into_iter().enumerate().map(|(number, url)| provider(&format!("s{number}"), &url));
    let providers: Vec<_> = all.filter(|provider| custom::row(provider).is_ok()).map(Arc::new).collect();
    assert!(providers.len() > 200, "{}", providers.len());
    let documents = Documents {
        account: "account".to_owned(),
        gateways: town.shared.snapshot.load().gateways().map(|gateway| gateway.settings.clone()).collect(),
        providers: Providers::builtin().clone(),
        custom_providers: providers.clone(),
        ..Documents::default()
    };
    town.shared.snapshot.store(Arc::new(Snapshot::compile(2, documents).unwrap()));
    for provider in &providers {
        let native = town.post(&format!("{}/x", provider.segment()), &[], "{}").await.status;
        let unified = chat_body(&format!("{}/m", provider.segment()), false);
        let unified = town.post("compat/chat/completions", &[], unified).await.status;
        assert_eq!((native, unified), (502, 502), "{}", provider.base_url);
    }
    assert_eq!(heard.load(Ordering::SeqCst), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_webhook_of_the_corpus_is_called() {
    let (port, heard) = listening().await;
    // The operator opened loopback for providers, which is nothing to callers' webhooks.
    let plan = Plan::default().served(|serving| {
        serving.resolver = Resolver::Given(Arc::new(Inward));
        serving.workers = 1;
    });
    let town = town(plan).await;
    let (mut taken, mut refused) = (0, 0);
    for url in urls(port) {
        let options = json!({ "background": true, "webhookUrl": url });
        let asked = json!({ "model": "openai/gpt-4o-mini", "input": { "messages": [{ "role": "user", "content": "x" }] }, "options": options });
        let url = format!("http://{}/client/v4/accounts/acc/ai/run", town.address);
        let headers = [("cf-aig-gateway-id", "g")];
        match town.send("POST", &url, &headers, asked.to_string().into()).await.unwrap().status {
            200 => taken += 1,
            400 => refused += 1,
            other => panic!("{other}: {asked}"),
        }
        town.at_rest().await;
    }
    assert!(taken > 100 && refused > 100, "{taken} {refused}");
    assert_eq!(heard.load(Ordering::SeqCst), 0);
}
