//! An OpenID Connect issuer in this process: real HTTP, real keys, and as dishonest as a test wants it.
//!
//! Enters: whom it lets in, and how its tokens are twisted. Leaves: an address. Never: shares a line with what checks its tokens: it signs with the library
//! itself.

use std::collections::HashMap;
use std::sync::Arc;

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RSA_PSS_SHA256,
};
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use parking_lot::Mutex;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use tollgate_rules::token::digest;

pub(super) const CLIENT_ID: &str = "tollgate";
pub(super) const CLIENT_SECRET: &str = "a-fake-client-secret";

type Fields = HashMap<String, String>;
/// Header and claims of the next tokens.
type Twist = Box<dyn Fn(&mut Value, &mut Value) + Send>;

pub(super) struct Issuer {
    pub(super) url: String,
    book: Arc<Mutex<Book>>,
}

#[derive(Default)]
struct Book {
    url: String,
    now_s: u64,
    /// Those that are published, the one that signs first.
    keys: Vec<Signer>,
    claims: Value,
    more: Value,
    twist: Option<Twist>,
    codes: HashMap<String, Grant>,
    asked: HashMap<&'static str, usize>,
}

struct Grant {
    nonce: String,
    challenge: String,
    redirect: String,
}

pub(super) struct Signer {
    id: String,
    algorithm: &'static str,
    key: Secret,
}

enum Secret {
    Rsa(Box<RsaKeyPair>),
    P256(Box<EcdsaKeyPair>),
    Ed25519(Box<Ed25519KeyPair>),
}

// === impl Issuer ===

impl Issuer {
    /// Lets one person in, of these claims.
    pub(super) async fn open(signer: Signer, now_ms: u64, claims: Value) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/realms/x", listener.local_addr().unwrap());
        let book = Book { url: url.clone(), now_s: now_ms / 1_000, keys: vec![signer], claims, ..Book::default() };
        let book = Arc::new(Mutex::new(book));
        let router = Router::new()
            .route("/realms/x/.well-known/openid-configuration", get(discovery))
            .route("/realms/x/authorize", get(authorize))
            .route("/realms/x/token", post(token))
            .route("/realms/x/jwks", get(jwks))
            .route("/realms/x/userinfo", get(userinfo))
            .with_state(book.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, book }
    }

    pub(super) fn claims(&self, claims: Value) {
        self.book.lock().claims = claims;
    }

    /// What only the user info says.
    pub(super) fn more(&self, more: Value) {
        self.book.lock().more = more;
    }

    pub(super) fn twist(&self, twist: impl Fn(&mut Value, &mut Value) + Send + 'static) {
        self.book.lock().twist = Some(Box::new(twist));
    }

    pub(super) fn straight(&self) {
        self.book.lock().twist = None;
    }

    /// Signs with this one from now on, and publishes no other.
    pub(super) fn rotate(&self, signer: Signer) {
        self.book.lock().keys = vec![signer];
    }

    /// Another clock than the gateway's moves on.
    pub(super) fn pass(&self, seconds: u64) {
        self.book.lock().now_s += seconds;
    }

    pub(super) fn asked(&self, what: &str) -> usize {
        self.book.lock().asked.get(what).copied().unwrap_or_default()
    }
}

// === impl Signer ===

impl Signer {
    pub(super) fn new(algorithm: &'static str, id: &str) -> Self {
        let key = match algorithm {
            "ES256" => Secret::P256(Box::new(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())),
            "EdDSA" => Secret::Ed25519(Box::new(Ed25519KeyPair::generate().unwrap())),
            _ => Secret::Rsa(Box::new(RsaKeyPair::generate(KeySize::Rsa2048).unwrap())),
        };
        Self { id: id.to_owned(), algorithm, key }
    }

    fn sign(&self, algorithm: &str, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.key {
            _ if algorithm == "none" => Vec::new(),
            // With what everybody knows as the secret: the oldest trick on those who let the token choose.
            _ if algorithm == "HS256" => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, self.published().to_string().as_bytes());
                hmac::sign(&key, message).as_ref().to_vec()
            }
            Secret::Rsa(key) => {
                let mut signature = vec![0; key.public_modulus_len()];
                let padding = if algorithm == "PS256" { &RSA_PSS_SHA256 } else { &RSA_PKCS1_SHA256 };
                key.sign(padding, &random, message, &mut signature).unwrap();
                signature
            }
            Secret::P256(key) => key.sign(&random, message).unwrap().as_ref().to_vec(),
            Secret::Ed25519(key) => key.sign(message).as_ref().to_vec(),
        }
    }

    fn published(&self) -> Value {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let mut key = match &self.key {
            Secret::Rsa(key) => {
                let [n, e] = integers(key.public_key().as_ref());
                json!({ "kty": "RSA", "n": text(&n), "e": text(&e) })
            }
            Secret::P256(key) => {
                let point = key.public_key().as_ref();
                json!({ "kty": "EC", "crv": "P-256", "x": text(&point[1..33]), "y": text(&point[33..]) })
            }
            Secret::Ed25519(key) => json!({ "kty": "OKP", "crv": "Ed25519", "x": text(key.public_key().as_ref()) }),
        };
        key["kid"] = json!(self.id);
        key["alg"] = json!(self.algorithm);
        key["use"] = json!("sig");
        key
    }
}

/// Of a DER sequence of two.
fn integers(der: &[u8]) -> [Vec<u8>; 2] {
    fn read(der: &[u8]) -> (&[u8], &[u8]) {
        let (length, head) = match der[1] {
            0x82 => (usize::from(der[2]) << 8 | usize::from(der[3]), 4),
            0x81 => (usize::from(der[2]), 3),
            short => (usize::from(short), 2),
        };
        (&der[head..head + length], &der[head + length..])
    }
    let (inside, _) = read(der);
    let (n, rest) = read(inside);
    let (e, _) = read(rest);
    [n, e].map(|number| number.iter().copied().skip_while(|byte| *byte == 0).collect())
}

// === impl Book ===

impl Book {
    fn note(&mut self, what: &'static str) {
        *self.asked.entry(what).or_default() += 1;
    }

    fn id_token(&self, nonce: &str) -> String {
        let signer = &self.keys[0];
        let mut header = json!({ "alg": signer.algorithm, "kid": signer.id, "typ": "JWT" });
        let mut claims = json!({
            "iss": self.url, "aud": CLIENT_ID, "nonce": nonce, "iat": self.now_s, "nbf": self.now_s, "exp": self.now_s + 300
        });
        for (name, value) in self.claims.as_object().unwrap() {
            claims[name] = value.clone();
        }
        if let Some(twist) = &self.twist {
            twist(&mut header, &mut claims);
        }
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", part(&header), part(&claims));
        let signature = signer.sign(header["alg"].as_str().unwrap(), message.as_bytes());
        // A last twist, after the signature.
        let message = match claims.get("tampered") {
            Some(_) => format!("{}.{}", part(&header), part(&json!({ "sub": "mallory" }))),
            None => message,
        };
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

type Shared = State<Arc<Mutex<Book>>>;

async fn discovery(State(book): Shared) -> Json<Value> {
    let mut book = book.lock();
    book.note("discovery");
    let at = |path: &str| format!("{}/{path}", book.url);
    Json(json!({
        "issuer": book.url, "authorization_endpoint": at("authorize"), "token_endpoint": at("token"), "jwks_uri": at("jwks"),
        "userinfo_endpoint": at("userinfo"), "end_session_endpoint": at("logout"), "response_types_supported": ["code"]
    }))
}

async fn jwks(State(book): Shared) -> Json<Value> {
    let mut book = book.lock();
    book.note("jwks");
    let mut keys: Vec<Value> = book.keys.iter().map(Signer::published).collect();
    // Of kinds that are not ours to use.
    keys.push(json!({ "kty": "AKP", "kid": "future", "alg": "ML-DSA-65" }));
    keys.push(json!({ "kty": "oct", "kid": "shared", "k": "AAAA" }));
    Json(json!({ "keys": keys }))
}

async fn authorize(State(book): Shared, Query(asked): Query<Fields>) -> Response {
    let mut book = book.lock();
    book.note("authorize");
    for (name, value) in [("response_type", "code"), ("client_id", CLIENT_ID), ("code_challenge_method", "S256")] {
        if asked.get(name).map(String::as_str) != Some(value) {
            return (StatusCode::BAD_REQUEST, format!("{name}: {asked:?}")).into_response();
        }
    }
    let code = format!("code-{}", book.codes.len());
    let [nonce, challenge, redirect] = ["nonce", "code_challenge", "redirect_uri"].map(|name| asked[name].clone());
    let back = format!("{redirect}?code={code}&state={}", asked["state"]);
    book.codes.insert(code, Grant { nonce, challenge, redirect });
    Redirect::to(&back).into_response()
}

async fn token(State(book): Shared, headers: HeaderMap, body: String) -> Response {
    let (mut book, said) = (book.lock(), fields(&body));
    book.note("token");
    let pair = format!("Basic {}", STANDARD.encode(format!("{CLIENT_ID}:{CLIENT_SECRET}").replace('-', "%2D")));
    if headers.get("authorization").and_then(|value| value.to_str().ok()) != Some(&pair) {
        return (StatusCode::UNAUTHORIZED, Json(json!({ "error": "invalid_client" }))).into_response();
    }
    // Removed: a code is good once.
    let grant = book.codes.remove(&said["code"]);
    let is_theirs = |grant: &Grant| {
        let challenge = URL_SAFE_NO_PAD.encode(digest(&said["code_verifier"]));
        said["grant_type"] == "authorization_code"
            && grant.challenge == challenge
            && grant.redirect == said["redirect_uri"]
    };
    let Some(grant) = grant.filter(is_theirs) else {
        return (StatusCode::BAD_REQUEST, Json(json!({ "error": "invalid_grant" }))).into_response();
    };
    let id_token = book.id_token(&grant.nonce);
    Json(json!({ "access_token": "a-fake-access-token", "token_type": "Bearer", "id_token": id_token })).into_response()
}

fn fields(form: &str) -> Fields {
    let decoded = |text: &str| percent_decode_str(text).decode_utf8().unwrap().into_owned();
    form.split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (decoded(name), decoded(value)))
        .collect()
}

async fn userinfo(State(book): Shared, headers: HeaderMap) -> Response {
    let mut book = book.lock();
    book.note("userinfo");
    if headers.get("authorization").is_none_or(|value| value != "Bearer a-fake-access-token") {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    Json(book.more.clone()).into_response()
}
