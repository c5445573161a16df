//! URLs that lead inward, in what people may have called from here: webhooks of alerts, the issuer that they sign in with.
//!
//! Base URLs of providers and webhooks of jobs are tried where they are dialed, in the engine; the dialer itself in `tollgate-dial`.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tollgate_dial::{Client, Resolve, Resolver, TlsRoots};
use tollgate_model::token::Permission;

use super::super::*;
use super::shop::{Shop, oidc};
use crate::people::{Oidc, People};

const URLS: &str = include_str!("../../../../../tests/ssrf/urls.txt");

/// Every name is on this machine.
pub(super) struct Inward;

impl Resolve for Inward {
    fn resolve(&self, _: &str) -> BoxFuture<'static, std::io::Result<Vec<std::net::IpAddr>>> {
        Box::pin(async { Ok(vec![Ipv4Addr::LOCALHOST.into()]) })
    }
}

/// Connections to any address of this machine, and the URLs that would lead there.
async fn listening() -> (Vec<String>, Arc<AtomicUsize>) {
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
    let lines = URLS.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    (lines.map(|line| line.replace("{port}", &port.to_string())).collect(), heard)
}

/// What shows where it leads is refused when it is saved; a name is, when it turns out to lead here.
#[tokio::test]
async fn no_webhook_of_an_alert_is_called() {
    let (urls, heard) = listening().await;
    let shop = Shop::open();
    let token = shop.token(&[Permission::Admin]);
    let (mut taken, mut refused) = (0, 0);
    for url in &urls {
        let wanted = json!({ "name": "money", "kind": "budget", "webhook": { "url": url } });
        let made = shop.ask("POST", "alerts", &token, Some(wanted)).await;
        if made.status == 400 {
            refused += 1;
            continue;
        }
        let path = format!("alerts/{}", made.result()["id"].as_str().unwrap());
        let said = shop.ask("POST", &format!("{path}/test"), &token, None).await.result();
        assert_eq!((&said["state"], &said["last_status"]), (&json!("failed"), &Value::Null), "{url}");
        shop.ask("DELETE", &path, &token, None).await.result();
        taken += 1;
    }
    assert!(taken > 20 && refused > 300 && taken + refused >= 400, "{taken} {refused}");
    assert_eq!(heard.load(Ordering::SeqCst), 0);
}

/// As if each of them had found its way into the settings.
#[tokio::test]
async fn no_issuer_is_asked() {
    let (urls, heard) = listening().await;
    let shop = Shop::open();
    for url in &urls {
        let client = Client::new(Arc::default(), TlsRoots::default(), Resolver::Given(Arc::new(Inward)));
        let issuer = Oidc { issuer: url.clone(), ..oidc() };
        let people = People::new(issuer, shop.desk.clone(), shop.entries.clone(), client);
        assert!(people.begin("http://127.0.0.1:8787", "/").await.is_err(), "{url}");
    }
    assert!(urls.len() >= 400, "{}", urls.len());
    assert_eq!(heard.load(Ordering::SeqCst), 0);
}
