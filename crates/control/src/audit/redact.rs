//! Takes the secrets out of a document.
//!
//! Enters: any settings document as JSON. Leaves: the same with `***` where a secret stood. Never: knows a kind of document: what a member is called
//! decides, and a name too many does less harm than one too few.

use serde_json::Value;
use tollgate_model::secret::HIDDEN;

/// Whatever stands in these is hidden, whole.
static SECRETS: &[&str] = &[
    "api_key",
    "apikey",
    "authorization",
    "ciphertext",
    "client_secret",
    "credential",
    "credentials",
    "digest",
    "header_value",
    "nonce",
    "password",
    "private_key",
    "sealed",
    "secret",
    "secret_value",
    "token",
    "value",
];
/// Names of headers may be seen, what they hold may not.
static HEADERS: &str = "headers";

pub fn redacted(mut value: Value) -> Value {
    hide(&mut value);
    value
}

fn hide(value: &mut Value) {
    match value {
        Value::Object(members) => {
            // Who knows the address of such a webhook may write there.
            if members.get("format").is_some_and(|format| format == "slack") && members.contains_key("url") {
                members.insert("url".to_owned(), HIDDEN.into());
            }
            for (name, member) in members.iter_mut() {
                let name = name.to_ascii_lowercase();
                if SECRETS.contains(&name.as_str()) && !member.is_null() {
                    *member = HIDDEN.into();
                } else if name == HEADERS {
                    hide_all(member);
                } else {
                    hide(member);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(hide),
        // A URL may carry a password, or a key in its query.
        Value::String(text) if text.contains("://") => *text = without_credentials(text),
        _ => {}
    }
}

fn hide_all(value: &mut Value) {
    match value {
        Value::Object(members) => members.values_mut().for_each(hide_all),
        Value::Array(items) => items.iter_mut().for_each(hide_all),
        Value::Null => {}
        other => *other = HIDDEN.into(),
    }
}

fn without_credentials(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let authority = match authority.rsplit_once('@') {
        Some((_, host)) => format!("{HIDDEN}@{host}"),
        None => authority.to_owned(),
    };
    let path = match path.split_once('?') {
        Some((path, _)) => format!("{path}?{HIDDEN}"),
        None => path.to_owned(),
    };
    format!("{scheme}://{authority}{path}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn secrets_are_hidden_wherever_they_stand() {
        let document = json!({
            "id": "g", "stripe": { "authorization": "Bearer canary", "usage_events": [{ "payload": "x" }] },
            "otel": [{ "url": "https://u:canary@otel.example/v1?key=canary", "headers": { "x-key": "canary" } }],
            "headers": [{ "name": "canary" }], "digest": "canary", "previous": { "Digest": "canary", "hint": "tg_…abcd" },
            "sealed": { "nonce": "canary" }, "value": null
        });
        let shown = redacted(document);
        assert!(!shown.to_string().contains("canary"), "{shown}");
        assert_eq!(shown["otel"][0]["url"], "https://***@otel.example/v1?***");
        assert_eq!(
            (&shown["id"], &shown["previous"]["hint"], &shown["value"]),
            (&json!("g"), &json!("tg_…abcd"), &Value::Null)
        );
        assert_eq!(shown["otel"][0]["headers"], json!({ "x-key": "***" }));
    }
}
