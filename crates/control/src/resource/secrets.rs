//! The secrets store over HTTP (control-plane specification, section 7.4).
//!
//! Enters: bodies and queries. Leaves: stores and secrets without their values. Never: a value.

use std::cmp::Ordering;

use http::Method;
use serde_json::{Value, json};
use tollgate_model::{Secret, SecretStore, StoredSecret};

use crate::answer::Answer;
use crate::call::Call;
use crate::desk::{NewSecret, SECRETS_MAX, SecretChange, SecretsFault};
use crate::keep;
use crate::page::{PAGE, PER_PAGE, Paging};
use crate::problem::Problem;
use crate::row::Access::Guarded;
use crate::row::Answers::{One, Page};
use crate::row::{Needs, Row, get, row};
use crate::shape::Presence::Optional;
use crate::shape::{Fault, Member, Shape};

const PER_PAGE_MAX: u64 = 100;
const STORES: &str = "/accounts/{account}/secrets_store/stores";
const STORE: &str = "/accounts/{account}/secrets_store/stores/{store}";
const SECRETS: &str = "/accounts/{account}/secrets_store/stores/{store}/secrets";
const SECRET: &str = "/accounts/{account}/secrets_store/stores/{store}/secrets/{secret}";
const DIRECTION: Member =
    Member::of("direction", Shape::Word(&["asc", "desc"]), Optional, "Which end of the order comes first.");

pub(crate) static ROWS: &[Row] = &[
    get(
        STORES,
        "secrets-store-list",
        Guarded(Needs::SecretsRead, list_stores),
        Page(&keep::STORE),
        "All stores, the oldest first.",
    )
    .query(&[
        PAGE,
        PER_PAGE,
        Member::of("order", Shape::Word(&["name", "created", "modified"]), Optional, "A column."),
        DIRECTION,
    ])
    .said("store", "list")
    .columns(&["id", "name", "created"]),
    row(
        Method::POST,
        STORES,
        "secrets-store-create",
        Guarded(Needs::SecretsWrite, create_store),
        One(&keep::STORE),
        "A new store.",
    )
    .body(&keep::NEW_STORE)
    .said("store", "create"),
    get(STORE, "secrets-store-get-store-by-id", Guarded(Needs::SecretsRead, get_store), One(&keep::STORE), "A store.")
        .said("store", "show"),
    row(
        Method::DELETE,
        STORE,
        "secrets-store-delete-by-id",
        Guarded(Needs::SecretsWrite, delete_store),
        One(&Shape::OrNull(&keep::STORE)),
        "Deletes a store; one with secrets in it only with ?force=true.",
    )
    .query(&[Member::of("force", Shape::Flag, Optional, "Its secrets go with it.")])
    .said("store", "delete"),
    get(
        SECRETS,
        "secrets-store-secrets-list",
        Guarded(Needs::SecretsRead, list),
        Page(&keep::SECRET),
        "The secrets of a store without their values, the newest first.",
    )
    .query(&[
        PAGE,
        PER_PAGE,
        Member::of("search", Shape::TEXT, Optional, "A piece of the name or the comment."),
        Member::of("order", Shape::Word(&["name", "comment", "created", "modified", "status"]), Optional, "A column."),
        DIRECTION,
        Member::of("scopes", Shape::Any, Optional, "Secrets with one of these scopes; may be repeated."),
    ])
    .said("secret", "list")
    .columns(&["id", "name", "scopes", "comment", "modified"]),
    row(
        Method::POST,
        SECRETS,
        "secrets-store-secret-create",
        Guarded(Needs::SecretsWrite, create),
        One(&keep::SECRETS),
        "Stores secrets: all of them, or none.",
    )
    .body(&keep::NEW_SECRETS)
    .said("secret", "create"),
    row(
        Method::DELETE,
        SECRETS,
        "secrets-store-secret-delete-bulk",
        Guarded(Needs::SecretsWrite, delete_many),
        One(&keep::SECRETS),
        "Deletes secrets by their ids: all of them, or none.",
    )
    .body(&keep::IDS),
    get(
        SECRET,
        "secrets-store-secret-get-by-id",
        Guarded(Needs::SecretsRead, get_one),
        One(&keep::SECRET),
        "A secret without its value.",
    )
    .said("secret", "show"),
    row(
        Method::PATCH,
        SECRET,
        "secrets-store-patch-by-id",
        Guarded(Needs::SecretsWrite, change),
        One(&keep::SECRET),
        "Changes value, scopes or comment; what is absent stays.",
    )
    .body(&keep::CHANGE_SECRET)
    .said("secret", "update"),
    row(
        Method::DELETE,
        SECRET,
        "secrets-store-secret-delete-by-id",
        Guarded(Needs::SecretsWrite, delete),
        One(&keep::SECRET),
        "Deletes a secret.",
    )
    .said("secret", "delete"),
    row(
        Method::POST,
        "/accounts/{account}/secrets_store/stores/{store}/secrets/{secret}/duplicate",
        "secrets-store-duplicate-by-id",
        Guarded(Needs::SecretsWrite, duplicate),
        One(&keep::SECRET),
        "The same value under another name. It goes nowhere that the first could not go.",
    )
    .body(&keep::COPY_SECRET)
    .said("secret", "duplicate"),
    get(
        "/accounts/{account}/secrets_store/quota",
        "secrets-store-quota",
        Guarded(Needs::SecretsRead, quota),
        One(&keep::QUOTA),
        "How many secrets there are, and may be.",
    )
    .said("secret", "quota"),
];

type StoreOrder = fn(&SecretStore, &SecretStore) -> Ordering;
type SecretOrder = fn(&StoredSecret, &StoredSecret) -> Ordering;

static STORE_ORDERS: &[(&str, StoreOrder)] = &[
    ("name", |a, b| a.name.cmp(&b.name)),
    ("created", |a, b| a.created_at.cmp(&b.created_at)),
    ("modified", |a, b| a.modified_at.cmp(&b.modified_at)),
];

static SECRET_ORDERS: &[(&str, SecretOrder)] = &[
    ("name", |a, b| a.name.cmp(&b.name)),
    ("comment", |a, b| a.comment.cmp(&b.comment)),
    ("created", |a, b| a.created_at.cmp(&b.created_at)),
    ("modified", |a, b| a.modified_at.cmp(&b.modified_at)),
    // All are active.
    ("status", |_, _| Ordering::Equal),
];
const DIRECTIONS: &[(&str, bool)] = &[("asc", false), ("desc", true)];

fn list_stores(call: &Call) -> Result<Answer, Problem> {
    let mut reader = call.query.reader();
    let paging = Paging::read(&mut reader, PER_PAGE_MAX);
    let order = reader.word("order", STORE_ORDERS);
    let descending = reader.word("direction", DIRECTIONS).unwrap_or(false);
    reader.finish()?;
    let mut all = call.parts.desk.stores()?;
    if let Some(order) = order {
        all.sort_by(order);
    }
    if descending {
        all.reverse();
    }
    let total = all.len() as u64;
    let rows: Vec<Value> = paging.cut(all).iter().map(|store| keep::store(store, call.account())).collect();
    Ok(Answer::Page { info: paging.info(rows.len(), total), rows })
}

/// Older clients send a list with one store in it, and expect one store.
fn create_store(call: &Call) -> Result<Answer, Problem> {
    let body = call.json();
    let body = body.as_array().and_then(|list| list.first()).unwrap_or(&body);
    refuse_missing(body, &["name"])?;
    let made = call.parts.desk.create_store(body["name"].as_str().unwrap_or_default())?;
    Ok(Answer::Result(keep::store(&made, call.account())))
}

fn refuse_missing(body: &Value, names: &[&str]) -> Result<(), Problem> {
    let missing = names.iter().filter(|name| body[**name].is_null());
    let faults: Vec<Fault> = missing.map(|name| Fault::new(["body", name], "Required")).collect();
    if faults.is_empty() { Ok(()) } else { Err(Problem::invalid(faults)) }
}

fn get_store(call: &Call) -> Result<Answer, Problem> {
    let store = call.parts.desk.store(call.params.get("store"))?;
    Ok(Answer::Result(keep::store(&store, call.account())))
}

/// The result is null: the SDKs say so.
fn delete_store(call: &Call) -> Result<Answer, Problem> {
    let mut reader = call.query.reader();
    let force = reader.flag("force").unwrap_or(false);
    reader.finish()?;
    call.parts.desk.delete_store(call.params.get("store"), force)?;
    Ok(Answer::Result(Value::Null))
}

fn list(call: &Call) -> Result<Answer, Problem> {
    let mut reader = call.query.reader();
    let paging = Paging::read(&mut reader, PER_PAGE_MAX);
    let search = reader.text("search").map(str::to_lowercase);
    let order = reader.word("order", SECRET_ORDERS);
    let descending = reader.word("direction", DIRECTIONS).unwrap_or(false);
    let scopes = scopes_asked(reader.pairs());
    reader.finish()?;
    let mut all = call.parts.desk.secrets(call.params.get("store"))?;
    all.retain(|secret| search.as_deref().is_none_or(|text| holds(secret, text)));
    all.retain(|secret| scopes.is_empty() || secret.scopes.iter().any(|scope| scopes.contains(&scope.as_str())));
    match order {
        Some(order) => {
            all.sort_by(order);
            if descending {
                all.reverse();
            }
        }
        // They come with the newest first.
        None if call.query.reader().text("direction") == Some("asc") => all.reverse(),
        None => {}
    }
    let total = all.len() as u64;
    let rows: Vec<Value> = paging.cut(all).iter().map(keep::secret).collect();
    Ok(Answer::Page { info: paging.info(rows.len(), total), rows })
}

/// In any of the ways in which clients write lists: repeated, with brackets, or with commas.
fn scopes_asked(pairs: &[(String, String)]) -> Vec<&str> {
    let named = pairs.iter().filter(|(name, _)| name == "scopes" || name.starts_with("scopes["));
    named.flat_map(|(_, value)| value.split(',')).filter(|scope| !scope.is_empty()).collect()
}

fn holds(secret: &StoredSecret, text: &str) -> bool {
    let comment = secret.comment.as_deref().unwrap_or_default();
    secret.name.to_lowercase().contains(text) || comment.to_lowercase().contains(text)
}

fn create(call: &Call) -> Result<Answer, Problem> {
    let body = call.json();
    let list = body.as_array().ok_or_else(|| Problem::from(SecretsFault::invalid("invalid_json_body")))?;
    if list.len() > 100 {
        return Err(Problem::invalid(vec![Fault::new(["body"], "Array must contain at most 100 element(s)")]));
    }
    list.iter().try_for_each(refuse_mistyped)?;
    let wanted: Vec<NewSecret> = list.iter().map(new_secret).collect();
    let made = call.parts.desk.create_secrets(call.params.get("store"), &wanted)?;
    Ok(Answer::Result(made.iter().map(keep::secret).collect()))
}

/// What a member says is judged by the desk, in the store's own words; what kind of value it is, here.
fn refuse_mistyped(item: &Value) -> Result<(), Problem> {
    if !item.is_object() {
        return Err(Problem::invalid(vec![Fault::new(["body"], "Expected object")]));
    }
    let is_good = |name: &str| match (&item[name], name) {
        (Value::Null, _) | (Value::String(_), "name" | "value" | "comment") => true,
        (Value::Array(items), "scopes") => items.iter().all(Value::is_string),
        _ => false,
    };
    let wrong = ["name", "value", "comment", "scopes"].into_iter().filter(|name| !is_good(name));
    let expected = |name: &str| if name == "scopes" { "Expected array of strings" } else { "Expected string" };
    let faults: Vec<Fault> = wrong.map(|name| Fault::new(["body", name], expected(name))).collect();
    if faults.is_empty() { Ok(()) } else { Err(Problem::invalid(faults)) }
}

fn new_secret(item: &Value) -> NewSecret {
    NewSecret {
        name: item["name"].as_str().unwrap_or_default().to_owned(),
        scopes: texts(&item["scopes"]).unwrap_or_default(),
        value: Secret::new(item["value"].as_str().unwrap_or_default()),
        comment: item["comment"].as_str().map(str::to_owned),
    }
}

fn texts(value: &Value) -> Option<Vec<String>> {
    let items = value.as_array()?;
    Some(items.iter().map(|item| item.as_str().unwrap_or_default().to_owned()).collect())
}

fn get_one(call: &Call) -> Result<Answer, Problem> {
    let secret = call.parts.desk.secret(call.params.get("store"), call.params.get("secret"))?;
    Ok(Answer::Result(keep::secret(&secret)))
}

fn change(call: &Call) -> Result<Answer, Problem> {
    let body = call.json();
    refuse_mistyped(&body)?;
    let change = SecretChange {
        scopes: texts(&body["scopes"]),
        value: body["value"].as_str().map(Secret::new),
        comment: body["comment"].as_str().map(str::to_owned),
    };
    let after = call.parts.desk.change_secret(call.params.get("store"), call.params.get("secret"), &change)?;
    Ok(Answer::Result(keep::secret(&after)))
}

fn delete(call: &Call) -> Result<Answer, Problem> {
    let gone = call.parts.desk.delete_secrets(call.params.get("store"), &[call.params.get("secret")])?;
    Ok(Answer::Result(gone.first().map_or(Value::Null, keep::secret)))
}

fn delete_many(call: &Call) -> Result<Answer, Problem> {
    let body = call.json();
    let items = body.as_array().map(Vec::as_slice).unwrap_or_default();
    let ids: Vec<&str> = items.iter().filter_map(|item| item["id"].as_str()).collect();
    let gone = call.parts.desk.delete_secrets(call.params.get("store"), &ids)?;
    Ok(Answer::Result(gone.iter().map(keep::secret).collect()))
}

fn duplicate(call: &Call) -> Result<Answer, Problem> {
    let body = call.json();
    refuse_missing(&body, &["name", "scopes"])?;
    refuse_mistyped(&body)?;
    let scopes = texts(&body["scopes"]).unwrap_or_default();
    let wanted = (body["name"].as_str().unwrap_or_default(), scopes.as_slice(), body["comment"].as_str());
    let made = call.parts.desk.duplicate_secret(call.params.get("store"), call.params.get("secret"), wanted)?;
    Ok(Answer::Result(keep::secret(&made)))
}

fn quota(call: &Call) -> Result<Answer, Problem> {
    let usage = call.parts.desk.secrets_count()?;
    Ok(Answer::Result(json!({ "secrets": { "quota": SECRETS_MAX, "usage": usage } })))
}
