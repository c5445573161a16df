//! What is wrong with a question that has to be translated, in the words of whoever asked: status 400, the place of the fault, nobody asked.

use serde_json::{Value, json};

use crate::town::{Heard, Plan, Town, town};

/// A caller's surface.
struct Caller {
    /// Behind the account, on REST.
    path: &'static str,
    /// A model of another dialect.
    model: &'static str,
    /// Members that every question of this dialect needs.
    base: Value,
}

fn callers() -> [Caller; 3] {
    [
        Caller {
            path: "v1/chat/completions",
            model: "anthropic/m",
            base: json!({"messages": [{"role": "user", "content": "Hi"}]}),
        },
        Caller { path: "v1/responses", model: "anthropic/m", base: json!({"input": "Hi"}) },
        Caller {
            path: "v1/messages",
            model: "openai/m",
            base: json!({"max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]}),
        },
    ]
}

impl Caller {
    async fn ask(&self, town: &Town, more: Value) -> Heard {
        let mut body = self.base.clone();
        let members = body.as_object_mut().unwrap();
        members.insert("model".into(), self.model.into());
        members.extend(more.as_object().unwrap().clone());
        self.send(town, &[], body.to_string()).await
    }

    async fn send(&self, town: &Town, headers: &[(&str, &str)], body: String) -> Heard {
        let url = format!("http://{}/client/v4/accounts/acc/ai/{}", town.address, self.path);
        let headers: Vec<_> = headers.iter().copied().chain([("cf-aig-gateway-id", "g")]).collect();
        town.send("POST", &url, &headers, body.into()).await.unwrap()
    }

    fn assert_refused(&self, heard: &Heard, place: &str, what: &str) {
        let told = heard.json();
        assert_eq!(heard.status, 400, "{}, {what}: {told}", self.path);
        assert_eq!(told["error"]["type"], json!("invalid_request_error"), "{}, {what}: {told}", self.path);
        let said = told["error"]["message"].as_str().unwrap_or_default();
        assert!(said.contains(place), "{}, {what}: {said:?} does not name {place}", self.path);
    }
}

/// Chat completions, Responses, Messages: the fault, and where each of them must say it is.
fn faults() -> Vec<(&'static str, [Value; 3], [&'static str; 3])> {
    let chat_part = |part: Value| json!({"messages": [{"role": "user", "content": [part]}]});
    let input_part = |part: Value| json!({"input": [{"role": "user", "content": [part]}]});
    vec![
        (
            "a number of the wrong type",
            [json!({"temperature": "warm"}), json!({"temperature": "warm"}), json!({"temperature": "warm"})],
            ["temperature", "temperature", "temperature"],
        ),
        (
            "messages that are none",
            [json!({"messages": "Hi"}), json!({"input": 7}), json!({"messages": "Hi"})],
            ["messages", "input", "messages"],
        ),
        (
            "an unknown role",
            [
                json!({"messages": [{"role": "narrator", "content": "Hi"}]}),
                json!({"input": [{"role": "narrator", "content": "Hi"}]}),
                json!({"messages": [{"role": "narrator", "content": "Hi"}]}),
            ],
            ["messages[0].role", "input[0].role", "messages[0].role"],
        ),
        (
            "an invalid tool",
            [
                json!({"tools": [{"type": "function", "function": {"parameters": {}}}]}),
                json!({"tools": [{"type": "function", "parameters": {}}]}),
                json!({"tools": [{"input_schema": {}}]}),
            ],
            ["tools[0].function.name", "tools[0].name", "tools[0].name"],
        ),
        (
            "an image that is no base64",
            [
                chat_part(json!({"type": "image_url", "image_url": {"url": "data:image/png;base64,???"}})),
                input_part(json!({"type": "input_image", "image_url": "data:image/png;base64,???"})),
                chat_part(
                    json!({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "???"}}),
                ),
            ],
            ["messages[0].content[0].image_url", "input[0].content[0].image_url", "messages[0].content[0].source"],
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn each_fault_is_named_with_its_place() {
    let town = town(Plan::default()).await;
    for (what, bodies, places) in faults() {
        for ((caller, more), place) in callers().iter().zip(bodies).zip(places) {
            let heard = caller.ask(&town, more).await;
            caller.assert_refused(&heard, place, what);
        }
    }
    assert!(town.provider.recorder().is_empty(), "nobody was asked");
}

#[tokio::test(flavor = "multi_thread")]
async fn depth_and_width_have_bounds_and_the_process_stays_up() {
    let town = town(Plan::default()).await;
    for caller in callers() {
        let deep = format!("{}1{}", "[".repeat(5_000), "]".repeat(5_000));
        let body = format!(r#"{{"model":"{}","messages":{deep},"input":{deep}}}"#, caller.model);
        let heard = caller.send(&town, &[], body).await;
        assert_eq!(heard.status, 400, "{}: {:?}", caller.path, heard.json());
        // A hundred thousand elements, of which the last is wrong.
        let wide = vec![json!({"role": "user", "content": "Hi"}); 100_000];
        let mut wide = Value::from(wide);
        wide.as_array_mut().unwrap().push(json!({"role": "user", "content": [{"type": "text", "text": 7}]}));
        let body = json!({"model": caller.model, "max_tokens": 9, "messages": wide, "input": wide});
        let heard = caller.send(&town, &[], body.to_string()).await;
        caller.assert_refused(&heard, "[100000].content", "one of very many");
    }
    assert!(town.provider.recorder().is_empty(), "nobody was asked");
    let heard = callers()[2].ask(&town, json!({})).await;
    assert_eq!(heard.status, 200, "{:?}", heard.json());
}

#[tokio::test(flavor = "multi_thread")]
async fn members_nobody_knows_are_losses_and_refused_when_strict() {
    let town = town(Plan::default()).await;
    for caller in callers() {
        let mut body = caller.base.clone();
        let members = body.as_object_mut().unwrap();
        members.insert("model".into(), caller.model.into());
        members.insert("x_unheard_of".into(), json!({"a": 1}));
        let heard = caller.send(&town, &[("tollgate-strict", "true")], body.to_string()).await;
        caller.assert_refused(&heard, "x_unheard_of", "an unknown member, strictly");
        assert!(town.provider.recorder().is_empty(), "nobody was asked");
    }
}
