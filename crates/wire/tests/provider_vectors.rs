//! Every row maps the paths of its `vectors.toml` to the URLs that stand there.
//!
//! A vector: `path`, what a caller writes after the provider's segment; `url`, what goes upstream, or `refused`, a part of the sentence that
//! says why not. If given: `account`, `headers`, `base_url` (an override), and what is understood: `operation`, `dialect`, `model`, `log`.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use tollgate_wire::provider::{Providers, Target};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vectors {
    vector: Vec<Vector>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    path: String,
    url: Option<String>,
    refused: Option<String>,
    #[serde(default = "usual_account")]
    account: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    base_url: Option<String>,
    operation: Option<String>,
    dialect: Option<String>,
    model: Option<String>,
    log: Option<String>,
}

fn usual_account() -> String {
    "acc".to_owned()
}

fn catalog() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../catalog/providers")
}

fn folders() -> Vec<(String, PathBuf)> {
    let entries = fs::read_dir(catalog()).unwrap().map(|entry| entry.unwrap().path());
    let mut folders: Vec<(String, PathBuf)> = entries
        .filter(|path| path.is_dir())
        .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), path))
        .collect();
    folders.sort();
    folders
}

#[test]
fn every_vector_of_every_row_holds() {
    let mut wrong = Vec::new();
    for (segment, folder) in folders() {
        let text = fs::read_to_string(folder.join("vectors.toml")).unwrap_or_else(|error| panic!("{segment}: {error}"));
        let vectors: Vectors = toml::from_str(&text).unwrap_or_else(|error| panic!("{segment}: {error}"));
        assert!(!vectors.vector.is_empty(), "{segment} has no vector");
        wrong.extend(vectors.vector.iter().filter_map(|vector| check(&segment, vector).err()));
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn every_folder_is_a_row_and_every_row_a_folder() {
    let named: Vec<String> = folders().into_iter().map(|(segment, _)| segment).collect();
    let built: Vec<&str> = Providers::builtin().all().map(|row| row.segment()).collect();
    assert_eq!(built, named);
}

fn check(segment: &str, vector: &Vector) -> Result<(), String> {
    let found = find(segment, vector);
    match (&found, &vector.url, &vector.refused) {
        (Ok(target), Some(url), None) => agree(segment, vector, target, url),
        (Err(said), None, Some(part)) if said.contains(part.as_str()) => Ok(()),
        (_, None, None) | (_, Some(_), Some(_)) => Err(format!("{segment}/{}: give url or refused", vector.path)),
        _ => Err(format!("{segment}/{}: {:?}", vector.path, found.map(|target| url_of(&target)))),
    }
}

fn find(segment: &str, vector: &Vector) -> Result<Target, String> {
    let mut providers = Providers::builtin().as_ref().clone();
    if let Some(url) = &vector.base_url {
        providers = providers.with_base_url(segment, url).map_err(|fault| fault.to_string())?;
    }
    let row = providers.get(segment).ok_or("there is no such row")?;
    row.target(&vector.account, &vector.path, &headers(vector)).map_err(|fault| fault.to_string())
}

fn headers(vector: &Vector) -> HeaderMap {
    let pair = |(name, value): (&String, &String)| {
        (HeaderName::try_from(name.as_str()).unwrap(), HeaderValue::try_from(value.as_str()).unwrap())
    };
    vector.headers.iter().map(pair).collect()
}

fn agree(segment: &str, vector: &Vector, target: &Target, url: &str) -> Result<(), String> {
    let operation = target.operation.as_ref();
    for (what, wanted, found) in [
        ("url", Some(url), Some(url_of(target))),
        ("operation", vector.operation.as_deref(), operation.map(|operation| operation.name.to_string())),
        ("dialect", vector.dialect.as_deref(), operation.map(|operation| operation.dialect.name().to_owned())),
        ("model", vector.model.as_deref(), target.model_in_path.clone()),
        ("log", vector.log.as_deref(), Some(target.log_path.clone())),
    ] {
        if wanted.is_some() && wanted != found.as_deref() {
            return Err(format!("{segment}/{}: {what} is {found:?}, expected {wanted:?}", vector.path));
        }
    }
    match target.path_and_query.parse::<http::uri::PathAndQuery>() {
        Ok(parsed) if parsed.as_str() == target.path_and_query => Ok(()),
        _ => Err(format!("{segment}/{}: {} is no request target", vector.path, target.path_and_query)),
    }
}

fn url_of(target: &Target) -> String {
    format!("{}{}", target.origin, target.path_and_query)
}
