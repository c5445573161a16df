//! What a request cost, line by line, and what its provider says it charged.

use std::time::Duration;

use http_body_util::BodyExt;
use tollgate_model::charge::{Basis, Class};
use tollgate_model::record::Outcome;
use tollgate_model::usage::UsageSource;
use tollgate_model::{Money, Record};
use tollgate_rules::cost::{Ledger, lines};
use tollgate_testkit::plan;

use crate::town::{Plan, Town, chat_body, town};

const CHAT: &str = "openai/v1/chat/completions";
/// 100 in, 20 out: 15,000 and 12,000 nano-dollars with gpt-4o-mini.
const OURS: i64 = 27_000;

/// The provider answers everything with this usage, whole or as a stream.
fn telling(town: &Town, usage: &'static str) {
    town.provider.on("POST", "/v1/chat/completions", move |request| {
        let asked: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
        if asked["stream"] == true {
            let text = format!(
                "data: {{\"model\":\"m\",\"choices\":[{{\"delta\":{{\"content\":\"hi\"}}}}]}}\n\n\
                 data: {{\"model\":\"m\",\"choices\":[],\"usage\":{usage}}}\n\ndata: [DONE]\n\n"
            );
            return plan::Plan::whole(200, "text/event-stream", text);
        }
        plan::Plan::json(
            200,
            format!(r#"{{"model":"m","choices":[{{"message":{{"content":"hi"}}}}],"usage":{usage}}}"#),
        )
    });
}

async fn told(town: &Town, model: &str, stream: bool) -> Record {
    assert_eq!(town.post(CHAT, &[], chat_body(model, stream)).await.status, 200);
    town.last_record().await
}

fn ledger(record: &Record) -> Ledger {
    lines(record.usage.as_ref(), record.cost.as_ref().unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_tells_its_lines_and_the_list_they_are_from() {
    let town = town(Plan::default()).await;
    telling(&town, r#"{"prompt_tokens":100,"completion_tokens":20,"total_tokens":120}"#);
    for stream in [false, true] {
        let record = told(&town, "gpt-4o-mini", stream).await;
        let ledger = ledger(&record);
        let shown: Vec<_> = ledger.lines.iter().map(|line| (line.class, line.quantity, line.amount.nanos())).collect();
        assert_eq!(shown, [(Class::Input, 100, 15_000), (Class::Output, 20, 12_000)]);
        assert_eq!((ledger.total.nanos(), record.cost_gap(), record.cost_differs()), (OURS, None, false));
        let list = record.cost.unwrap().list;
        assert_eq!(list.as_ref(), Some(town.shared.catalog.version()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_provider_charged_stands_beside_ours_and_a_gap_is_flagged() {
    let town = town(Plan::default()).await;
    let cases = [
        (r#"{"prompt_tokens":100,"completion_tokens":20,"cost":0.000027}"#, 0, false),
        // Under a thousandth of a cent apart, and under one percent.
        (r#"{"prompt_tokens":100,"completion_tokens":20,"cost":0.000036}"#, 9_000, false),
        (r#"{"prompt_tokens":100,"completion_tokens":20,"cost":0.001}"#, 973_000, true),
        (r#"{"prompt_tokens":100,"completion_tokens":20,"cost_in_usd_ticks":10000000}"#, 973_000, true),
        (r#"{"prompt_tokens":100,"completion_tokens":20,"cost":{"total_cost":0.001}}"#, 973_000, true),
    ];
    let mut flagged = 0;
    for (usage, gap, differs) in cases {
        telling(&town, usage);
        for stream in [false, true] {
            let record = told(&town, "gpt-4o-mini", stream).await;
            assert_eq!(record.cost.as_ref().unwrap().amount.nanos(), OURS, "ours is charged: {usage}");
            assert_eq!(record.cost_gap(), Some(Money::from_nanos(gap)), "{usage}");
            assert_eq!(record.cost_differs(), differs, "{usage}");
            flagged += u32::from(differs);
        }
    }
    assert!(town.gauges().contains(&format!("tollgate_cost_differs_total {flagged}")), "{}", town.gauges());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_provider_charged_is_the_cost_where_ours_is_unknown() {
    let town = town(Plan::default()).await;
    telling(&town, r#"{"prompt_tokens":100,"completion_tokens":20,"cost":0.0125}"#);
    for stream in [false, true] {
        let record = told(&town, "a-model-nobody-knows", stream).await;
        let cost = record.cost.clone().unwrap();
        assert_eq!((cost.amount.nanos(), &cost.basis), (12_500_000, &Basis::Reported));
        assert_eq!((record.cost_gap(), ledger(&record).total), (None, cost.amount));
    }
    // The caller's own price is the caller's own affair.
    let custom = [("cf-aig-custom-cost", r#"{"per_token_in":1e-6,"per_token_out":2e-6}"#)];
    assert_eq!(town.post(CHAT, &custom, chat_body("gpt-4o-mini", false)).await.status, 200);
    let record = town.last_record().await;
    assert_eq!((ledger(&record).total.nanos(), record.cost_gap()), (140_000, None));
}

/// 40 words of one token each, then the count if it is asked for, or silence.
fn speaking(town: &Town, ends: bool) {
    town.provider.on("POST", "/v1/chat/completions", move |_| {
        let word = "data: {\"model\":\"gpt-4o-mini\",\"choices\":[{\"delta\":{\"content\":\"word \"}}]}\n\n";
        let end = match ends {
            true => plan::Frame::now("data: [DONE]\n\n"),
            false => plan::Frame::after(Duration::from_secs(600), "data: [DONE]\n\n"),
        };
        let words = (0..40).map(move |_| plan::Frame::now(word));
        plan::Plan::stream("text/event-stream", words.chain(std::iter::once(end)))
    });
}

fn estimated(record: &Record) -> (u64, u64) {
    let usage = record.usage.as_ref().unwrap();
    assert_eq!(usage.source, UsageSource::Estimated);
    let cost = record.cost.as_ref().unwrap();
    assert!(cost.estimated && ledger(record).total == cost.amount);
    (usage.tokens_in(), usage.tokens_out())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_answer_and_a_stream_without_a_count_are_estimated() {
    let town = town(Plan::default()).await;
    let question = chat_body("gpt-4o-mini", true).len() as u64;
    speaking(&town, true);
    let record = told(&town, "gpt-4o-mini", true).await;
    assert_eq!(estimated(&record), (question.div_ceil(4), 50), "40 words of five bytes, one or more tokens each");
    town.provider.on("POST", "/v1/chat/completions", |_| {
        let text = "word ".repeat(40);
        plan::Plan::json(200, format!(r#"{{"model":"m","choices":[{{"message":{{"content":"{text}"}}}}]}}"#))
    });
    let question = chat_body("gpt-4o-mini", false).len() as u64;
    assert_eq!(estimated(&told(&town, "gpt-4o-mini", false).await), (question.div_ceil(4), 50));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_stream_is_charged_its_whole_input_and_what_was_delivered() {
    let town = town(Plan::default()).await;
    speaking(&town, false);
    let question = chat_body("gpt-4o-mini", true);
    let url = town.url(CHAT);
    for (number, wanted) in [0, 1, 20, 40].into_iter().enumerate() {
        let mut response = town.begin("POST", &url, &[], question.clone().into()).await.unwrap();
        let mut heard = 0;
        while heard < wanted {
            let frame = response.body_mut().frame().await.unwrap().unwrap();
            let text = String::from_utf8(frame.into_data().unwrap().to_vec()).unwrap();
            heard += text.matches("word").count();
        }
        drop(response);
        let record = town.logged(number + 1).await.into_iter().next().unwrap();
        assert_eq!(record.outcome, Outcome::Cancelled);
        let (tokens_in, tokens_out) = estimated(&record);
        assert_eq!(tokens_in, (question.len() as u64).div_ceil(4), "all of the question was read");
        assert!(tokens_out >= heard as u64 && tokens_out <= 50, "{tokens_out} for {heard}");
        assert!(record.cost.unwrap().amount > Money::ZERO);
    }
}
