//! Names whose answers change, and answers that lead inside and outside at once.
//!
//! Nothing public can be connected to in a test, so `127.0.0.1` is opened and stands for it; `127.0.0.2` stays blocked.

use tollgate_dial::Resolver;

use crate::script::{Ear, OK, Scripted, client, egress, get};

const OPEN: &[&str] = &["127.0.0.1/32"];

async fn two_ears() -> (Ear, Ear, String) {
    let open = Ear::at("127.0.0.1:0", OK).await.unwrap();
    let port = open.address.port();
    let blocked = Ear::at(&format!("127.0.0.2:{port}"), OK).await.unwrap();
    (open, blocked, format!("http://rebind.internal:{port}/x"))
}

#[tokio::test]
async fn the_first_answer_is_the_one_that_is_connected_to() {
    let (open, blocked, url) = two_ears().await;
    let resolver = Scripted::new(&[("rebind.internal", &[&["127.0.0.1"], &["127.0.0.2"]])], &[]);
    let client = client(&egress(OPEN), Resolver::Given(resolver.clone()));
    assert!(get(&client, &url).await.unwrap().is_ok());
    assert_eq!(resolver.asked.lock().unwrap().len(), 1, "a connection asks once");
    for _ in 0..5 {
        assert!(get(&client, &url).await.unwrap().is_err());
    }
    assert_eq!((open.connections(), blocked.connections()), (1, 0));
}

#[tokio::test]
async fn a_name_that_flips_never_leads_inward() {
    let (open, blocked, url) = two_ears().await;
    let flip: Vec<&[&str]> = [&["127.0.0.1"][..], &["127.0.0.2"][..]].into_iter().cycle().take(40).collect();
    let resolver = Scripted::new(&[("rebind.internal", &flip)], &[]);
    let client = client(&egress(OPEN), Resolver::Given(resolver));
    let mut answered = 0;
    for _ in 0..40 {
        answered += usize::from(get(&client, &url).await.unwrap().is_ok());
    }
    assert_eq!((answered, open.connections(), blocked.connections()), (20, 20, 0));
}

/// One bad address among good ones refuses the name: connecting to the good one would only teach the owner of the name to try again.
#[tokio::test]
async fn a_mixed_answer_is_refused_whole() {
    let (open, blocked, url) = two_ears().await;
    let mixed: &[&[&str]] = &[&["127.0.0.1", "127.0.0.2"], &["127.0.0.2", "127.0.0.1"], &["127.0.0.1", "::1"], &[]];
    let client = client(&egress(OPEN), Resolver::Given(Scripted::new(&[("rebind.internal", mixed)], &[])));
    for _ in mixed {
        assert!(get(&client, &url).await.unwrap().is_err());
    }
    assert_eq!((open.connections(), blocked.connections()), (0, 0));
}
