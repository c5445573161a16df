//! Encoded answers: the caller gets the provider's bytes, the log gets what they mean.

use bytes::Bytes;
use tollgate_model::record::{Outcome, Payload};
use tollgate_store::records::Which;
use tollgate_testkit::plan::{Frame, Plan as Answer};

use crate::bodies::encoded;
use crate::town::{Plan, chat_body, town};

const CHAT: &str = "openai/v1/chat/completions";
const WHOLE: &str = r#"{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"gpt-4o-mini","choices":[{"index":0,"message":{"role":"assistant","content":"Hello"},"finish_reason":"stop"}],"usage":{"prompt_tokens":11,"completion_tokens":7,"total_tokens":18}}"#;
const STREAM: &str = concat!(
    "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"model\":\"gpt-4o-mini\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hello\"}}]}\n\n",
    "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"model\":\"gpt-4o-mini\",\"choices\":[],\"usage\":{\"prompt_tokens\":11,\"completion_tokens\":7,\"total_tokens\":18}}\n\n",
    "data: [DONE]\n\n"
);

fn in_pieces(bytes: &Bytes, len: usize) -> Vec<Frame> {
    bytes.chunks(len).map(|piece| Frame::now(Bytes::copy_from_slice(piece))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_encoded_answer_passes_as_it_is_and_is_counted() {
    let town = town(Plan::default()).await;
    for coding in ["gzip", "deflate", "br", "zstd"] {
        for (kind, plain) in [("application/json", WHOLE), ("text/event-stream", STREAM)] {
            for piece in [3, 10_000] {
                let body = encoded(coding, plain.as_bytes());
                let sent = body.clone();
                town.provider.on("POST", "/v1/chat/completions", move |_| {
                    Answer::stream(kind, in_pieces(&sent, piece).into_iter()).header("content-encoding", coding)
                });
                let heard = town.post(CHAT, &[("accept-encoding", coding)], chat_body("gpt-4o-mini", false)).await;
                let what = format!("{coding} {kind} in pieces of {piece}");
                assert_eq!((heard.header("content-encoding"), &heard.body), (Some(coding), &body), "{what}");
                let upstream = town.provider.recorder().last().request;
                assert_eq!(upstream.header("accept-encoding"), Some(coding));
                let record = town.last_record().await;
                let usage = record.usage.clone().unwrap_or_else(|| panic!("{what}"));
                assert_eq!((usage.tokens_in(), usage.tokens_out()), (11, 7), "{what}");
                assert!(record.cost.is_some() && record.outcome == Outcome::Complete, "{what}");
                assert_eq!(town.logged_body(&record, Which::Response).unwrap().bytes, plain.as_bytes(), "{what}");
            }
        }
    }
    town.at_rest().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_decoded_passes_too_and_is_said_not_to_be_known() {
    let town = town(Plan::default()).await;
    for (coding, body) in [
        ("x-unheard-of", Bytes::from_static(WHOLE.as_bytes())),
        ("gzip", Bytes::from_static(b"this is no gzip")),
        ("gzip", encoded("gzip", &vec![b' '; 64 << 20])),
    ] {
        let sent = body.clone();
        town.provider.on("POST", "/v1/chat/completions", move |_| {
            Answer::json(200, sent.clone()).header("content-encoding", coding)
        });
        let heard = town.chat(&[], "gpt-4o-mini").await;
        assert!(heard.status == 200 && heard.body == body, "{coding}");
        let record = town.last_record().await;
        assert!(record.usage.is_none() && record.cost.is_none(), "{coding}: unknown, not nothing");
        let expected = if coding == "gzip" { Payload::TooLarge } else { Payload::Kept };
        assert_eq!(record.response_body, expected, "{coding}");
    }
    town.at_rest().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_remembered_of_an_encoded_answer_is_its_bytes_and_its_counts() {
    let town = town(Plan::caching()).await;
    let body = encoded("br", WHOLE.as_bytes());
    let sent = body.clone();
    town.provider
        .on("POST", "/v1/chat/completions", move |_| Answer::json(200, sent.clone()).header("content-encoding", "br"));
    for status in ["MISS", "HIT"] {
        let heard = town.chat(&[("accept-encoding", "br")], "gpt-4o-mini").await;
        assert_eq!((heard.header("cf-aig-cache-status"), &heard.body), (Some(status), &body));
        assert_eq!(heard.header("content-encoding"), Some("br"));
        assert_eq!(town.last_record().await.usage.unwrap().tokens_out(), 7, "{status}");
    }
    let record = town.last_record().await;
    assert_eq!(town.logged_body(&record, Which::Response).unwrap().bytes, WHOLE.as_bytes(), "legible for a hit too");
}
