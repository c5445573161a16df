//! Sends a recorded request through the gateway and compares both sides of it with the recording.
//!
//! Enters: an exchange and its number. Leaves: every difference, in words, and the id of its log record. Never: tries twice.

use std::time::Duration;

use anyhow::Context;
use bytes::Bytes;
use http::{HeaderMap, Method};

use super::exchange::{Exchange, Message};
use super::native;
use super::upstream::{Forwarded, Upstream, key};
use crate::gateway::{ACCOUNT, Caller, Heard};

/// A gateway that does not answer must not keep the others from being reported.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where requests go, and who asks.
pub(super) struct Asker {
    pub(super) caller: Caller,
    /// Of the gateway process.
    pub(super) url: String,
    /// The id of the gateway.
    pub(super) gateway: &'static str,
    /// A gateway token.
    pub(super) token: String,
}

#[derive(Debug, Default)]
pub(super) struct Asked {
    /// Empty when request and answer came through as recorded.
    pub(super) differences: Vec<String>,
    pub(super) log_id: Option<String>,
}

/// The caller's own trace id, by which a record is recognised too.
pub(super) fn event_id(index: usize) -> String {
    format!("replay-{index}")
}

impl Asker {
    pub(super) async fn ask(&self, index: usize, exchange: &Exchange, upstream: &Upstream) -> Asked {
        let heard = match tokio::time::timeout(PATIENCE, self.send(index, exchange)).await {
            Ok(Ok(heard)) => heard,
            Err(_) => return Asked { differences: vec![format!("no answer within {PATIENCE:?}")], log_id: None },
            Ok(Err(error)) => return Asked { differences: vec![format!("no answer: {error:#}")], log_id: None },
        };
        let mut differences = Vec::new();
        compare_request(&mut differences, exchange, &upstream.take(index), &self.credential(index, exchange));
        compare_answer(&mut differences, exchange, &heard);
        let header = |name| heard.headers.get(name).and_then(|value| value.to_str().ok());
        if header("cf-aig-event-id") != Some(&event_id(index)) {
            differences.push("the answer has another cf-aig-event-id".to_owned());
        }
        Asked { differences, log_id: header("cf-aig-log-id").map(str::to_owned) }
    }

    async fn send(&self, index: usize, exchange: &Exchange) -> anyhow::Result<Heard> {
        let path = native::path(&exchange.provider, &exchange.path);
        let url = format!("{}/v1/{ACCOUNT}/{}/{}/{path}", self.url, self.gateway, exchange.provider);
        let method: Method = exchange.method.parse().context("method")?;
        let (credential, event_id) = (self.credential(index, exchange), event_id(index));
        let token = format!("Bearer {}", self.token);
        let mut headers = vec![
            (credential.0, credential.1.as_str()),
            ("cf-aig-authorization", &token),
            ("cf-aig-event-id", &event_id),
        ];
        headers.extend(exchange.request.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        self.caller.send(method, &url, &headers, exchange.request.body.clone()).await
    }

    fn credential(&self, index: usize, exchange: &Exchange) -> (&'static str, String) {
        native::credential(&exchange.provider, &key(index))
    }
}

fn compare_request(
    differences: &mut Vec<String>,
    exchange: &Exchange,
    forwarded: &[Forwarded],
    credential: &(&str, String),
) {
    let [forwarded] = forwarded else {
        return differences.push(format!("forwarded {} times instead of once", forwarded.len()));
    };
    if forwarded.method != exchange.method {
        differences.push(format!("forwarded {} instead of {}", forwarded.method, exchange.method));
    }
    if forwarded.path != exchange.path {
        differences.push(format!("forwarded to {} instead of {}", forwarded.path, exchange.path));
    }
    compare_headers(differences, "forwarded", &exchange.request, &forwarded.headers);
    compare_bodies(differences, "forwarded", &exchange.request.body, &forwarded.body);
    if forwarded.headers.get(credential.0).is_none_or(|value| value != &credential.1) {
        differences.push(format!("forwarded another {}", credential.0));
    }
    let ours = forwarded.headers.keys().filter(|name| name.as_str().starts_with("cf-"));
    differences.extend(ours.map(|name| format!("forwarded the gateway's own {name}")));
}

fn compare_answer(differences: &mut Vec<String>, exchange: &Exchange, heard: &Heard) {
    if heard.status != exchange.response.status {
        differences.push(format!("answered {} instead of {}", heard.status, exchange.response.status));
    }
    let recorded = &exchange.response.message;
    compare_headers(differences, "answered", recorded, &heard.headers);
    compare_bodies(differences, "answered", &recorded.body, &heard.body);
}

fn compare_headers(differences: &mut Vec<String>, verb: &str, recorded: &Message, headers: &HeaderMap) {
    for (name, value) in &recorded.headers {
        let came = headers.get(name).and_then(|came| came.to_str().ok());
        if came != Some(value) {
            differences.push(format!("{verb} {name}: {came:?} instead of {value:?}"));
        }
    }
}

pub(super) fn compare_bodies(differences: &mut Vec<String>, verb: &str, recorded: &Bytes, came: &Bytes) {
    if came != recorded {
        let same = recorded.iter().zip(came).take_while(|(left, right)| left == right).count();
        let (came, recorded) = (came.len(), recorded.len());
        differences.push(format!("{verb} a body of {came} bytes instead of {recorded}, different from byte {same} on"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exchange() -> Exchange {
        let line = r#"{"id":"a","provider":"p","operation":"chat","method":"POST","path":"/x?y",
            "request":{"headers":{"content-type":"a/b"},"text":"hi"},"response":{"status":201,"headers":{"x-id":"1"},"text":"ho"}}"#;
        serde_json::from_str(line).unwrap()
    }

    fn forwarded(change: impl Fn(&mut Forwarded)) -> Forwarded {
        let headers = [("content-type", "a/b"), ("authorization", "key")];
        let headers =
            headers.map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).into_iter().collect();
        let mut forwarded = Forwarded { method: "POST".into(), path: "/x?y".into(), headers, body: "hi".into() };
        change(&mut forwarded);
        forwarded
    }

    fn differences(forwarded: &[Forwarded]) -> Vec<String> {
        let mut differences = Vec::new();
        compare_request(&mut differences, &exchange(), forwarded, &("authorization", "key".to_owned()));
        differences
    }

    #[test]
    fn every_change_of_a_request_is_noticed() {
        assert!(differences(&[forwarded(|_| ())]).is_empty());
        let changes: [fn(&mut Forwarded); 7] = [
            |it| it.method = "GET".into(),
            |it| it.path = "/x".into(),
            |it| it.body = "Hi".into(),
            |it| it.body = "hi!".into(),
            |it| drop(it.headers.remove("content-type")),
            |it| drop(it.headers.insert("authorization", "other".parse().unwrap())),
            |it| drop(it.headers.insert("cf-aig-step", "1".parse().unwrap())),
        ];
        for (number, change) in changes.into_iter().enumerate() {
            assert_eq!(differences(&[forwarded(change)]).len(), 1, "change {number}");
        }
        assert_eq!(differences(&[]).len(), 1);
        assert_eq!(differences(&[forwarded(|_| ()), forwarded(|_| ())]).len(), 1);
    }

    #[test]
    fn every_change_of_an_answer_is_noticed() {
        let headers: HeaderMap = [("x-id".parse().unwrap(), "1".parse().unwrap())].into_iter().collect();
        for (status, headers, body, count) in [
            (201, headers.clone(), "ho", 0),
            (200, headers.clone(), "ho", 1),
            (201, HeaderMap::new(), "ho", 1),
            (201, headers, "h", 1),
        ] {
            let mut differences = Vec::new();
            compare_answer(&mut differences, &exchange(), &Heard { status, headers, body: body.into() });
            assert_eq!(differences.len(), count, "{differences:?}");
        }
    }
}
