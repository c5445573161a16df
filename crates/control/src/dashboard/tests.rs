//! What browsers are given, and who is let in. They hold with and without a dashboard in the binary.

use axum::body::{Body, to_bytes};
use tollgate_model::Clock;
use tollgate_rules::snapshot::Documents;
use tollgate_store::embedded::FileDocuments;
use tower::ServiceExt;

use super::*;

fn desk(dir: &tempfile::TempDir) -> Arc<Desk> {
    let documents = Arc::new(FileDocuments::open(&dir.path().join("tollgate.db")).unwrap());
    Arc::new(Desk::new(documents, Clock::System, Box::new(Documents::default)))
}

async fn ask(router: &Router, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> (Response, Vec<u8>) {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = router.clone().oneshot(request.body(Body::from(body.to_owned())).unwrap()).await.unwrap();
    let (head, body) = response.into_parts();
    let bytes = to_bytes(body, 1 << 24).await.unwrap().to_vec();
    (Response::from_parts(head, Body::empty()), bytes)
}

#[tokio::test]
async fn a_code_lets_in_once_and_no_other_does() {
    let dir = tempfile::tempdir().unwrap();
    let desk = desk(&dir);
    let (door, code) = Door::open_once().unwrap();
    let router = router(desk.clone(), Arc::new(door));
    let status = async |said: &str| ask(&router, "POST", "/dashboard/session", &[], said).await;
    assert_eq!(status("wrong").await.0.status(), 403);
    let (response, body) = status(code.expose()).await;
    assert_eq!(
        (response.status().as_u16(), &response.headers()[CACHE_CONTROL]),
        (200, &HeaderValue::from_static("no-store"))
    );
    let said: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert!(said["token"].as_str().unwrap().starts_with("tg_"));
    assert_eq!(status(code.expose()).await.0.status(), 403);
    let [token] = &desk.tokens().unwrap()[..] else { panic!("one token") };
    assert_eq!(token.expires_at, Some(token.created_at + door::LIVES_MS));
}

#[tokio::test]
async fn a_closed_door_opens_for_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let router = router(desk(&dir), Arc::new(Door::closed()));
    for said in ["", "x", &"x".repeat(200)] {
        assert_eq!(ask(&router, "POST", "/dashboard/session", &[], said).await.0.status(), 403);
    }
}

#[tokio::test]
async fn pages_are_strict_and_files_of_another_build_are_missing() {
    let dir = tempfile::tempdir().unwrap();
    let router = router(desk(&dir), Arc::new(Door::closed()));
    let (gone, _) = ask(&router, "GET", "/dashboard/assets/gone.js", &[], "").await;
    assert_eq!(gone.status(), 404);
    for path in ["/dashboard/", "/dashboard/g/default/logs"] {
        let (response, body) = ask(&router, "GET", path, &[("accept-encoding", "br;q=1, gzip")], "").await;
        if Files::get(PAGE).is_none() {
            assert_eq!((response.status().as_u16(), body), (404, MISSING.as_bytes().to_vec()));
            continue;
        }
        assert_eq!(response.status(), 200);
        let policy = response.headers()[CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe") && !policy.contains("http"));
        assert_eq!(response.headers()[CACHE_CONTROL], "no-cache");
    }
}
