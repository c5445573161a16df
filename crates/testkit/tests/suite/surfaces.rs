//! Every surface, as exchanges that read like a story (`tests/exchanges`). `BLESS=1` rewrites them; the diff is the review.

use std::path::Path;

use tollgate_testkit::Sandbox;

use super::caller::ask;

const ASKS: &str = "==== caller asks: ";

#[tokio::test(start_paused = true)]
async fn every_recorded_exchange_still_holds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/exchanges");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let recorded = std::fs::read_to_string(&path).unwrap();
        let mut replayed = String::new();
        for story in recorded.split(ASKS).skip(1) {
            replayed += &replay(story).await;
            count += 1;
        }
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(&path, replayed).unwrap();
        } else {
            assert_eq!(replayed, recorded, "{}", path.display());
        }
    }
    assert!(count >= 40, "only {count} exchanges were found");
}

/// One exchange with the answer that it gets today.
async fn replay(story: &str) -> String {
    let asked = story.split("==== ").next().unwrap().trim_end();
    let (line, rest) = asked.split_once('\n').unwrap_or((asked, ""));
    let (headers, body) = rest.split_at(rest.find('{').unwrap_or(rest.len()));
    let headers: String = headers.lines().map(|header| format!("{header}\r\n")).collect();
    let request = format!("{line} HTTP/1.1\r\nhost: sandbox\r\ncontent-length: {}\r\n{headers}\r\n{body}", body.len());
    let answer = ask(&Sandbox::new(), &request).await;
    let content_type = answer.head.lines().find_map(|line| line.strip_prefix("content-type: ")).unwrap_or("-");
    let said = match String::from_utf8(answer.body) {
        Ok(text) => text.replace("\r\n", "\n"),
        Err(bytes) => format!("({} bytes)", bytes.as_bytes().len()),
    };
    format!("{ASKS}{asked}\n==== sandbox says: {} {content_type}\n{}\n\n", answer.status, said.trim_end())
}

#[tokio::test(start_paused = true)]
async fn the_same_request_gets_the_same_answer_and_another_one_another_id() {
    use super::caller::chat;
    let (one, other) = (Sandbox::new(), Sandbox::new());
    let first = ask(&one, &chat("sandbox-1", r#","stream":true"#)).await;
    let again = ask(&other, &chat("sandbox-1", r#","stream":true"#)).await;
    assert_eq!((&first.head, &first.body), (&again.head, &again.body));
    let different = ask(&one, &chat("sandbox-1", r#","stream":true,"seed":1"#)).await;
    assert_ne!(first.body, different.body);
}

#[tokio::test(start_paused = true)]
async fn a_stream_says_what_the_whole_says() {
    use super::caller::chat;
    let sandbox = Sandbox::new();
    let whole = ask(&sandbox, &chat("sandbox-1:tokens=1000", "")).await.json();
    let stream = ask(&sandbox, &chat("sandbox-1:tokens=1000,chunks=77", r#","stream":true"#)).await;
    let parts: Vec<String> = stream.events().iter().filter_map(|event| piece(event)).collect();
    assert_eq!(parts.concat(), whole["choices"][0]["message"]["content"].as_str().unwrap());
    assert_eq!(parts.iter().filter(|part| !part.is_empty()).count(), 77);
}

fn piece(event: &str) -> Option<String> {
    let event: serde_json::Value = serde_json::from_str(event).ok()?;
    event["choices"][0]["delta"]["content"].as_str().map(str::to_owned)
}
