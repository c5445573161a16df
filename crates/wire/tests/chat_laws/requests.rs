//! Requests, one feature each: what the laws and the table are about.

use serde_json::{Map, Value, json};
use tollgate_wire::chat::{
    Block, CacheMark, CallKind, Content, Effort, Format, Reasoning, Request, Role, Seal, Source, Tool, ToolChoice,
    ToolKind, Turn,
};
use tollgate_wire::dialect::Dialect;

pub(crate) struct Feature {
    pub(crate) name: &'static str,
    /// Puts it into a request of one plain user turn. The second dialect is the provider's: seals are its own.
    pub(crate) add: fn(&mut Request, Dialect),
}

/// 1x1 pixels.
pub(crate) const PNG: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
const PDF: &str = "JVBERi0xLjQKJSVFT0YK";

pub(crate) fn base(origin: Dialect) -> Request {
    let mut request = Request::new(origin);
    request.model = "model-1".into();
    request.settings.max_tokens = Some(1_000);
    request.turns.push(turn(Role::User, 0, vec![Block::text("Hello, \"you\"\n\u{1F600}")]));
    request
}

pub(crate) fn turn(role: Role, at: u32, blocks: Vec<Block>) -> Turn {
    Turn { role, blocks, at, extra: Map::new() }
}

fn user(request: &mut Request, block: Block) {
    request.turns[0].blocks.push(block);
}

fn data(media_type: &str, base64: &str) -> Source {
    Source::Data { media_type: media_type.into(), base64: base64.into() }
}

pub(crate) fn schema() -> Value {
    json!({"type": "object", "properties": {"city": {"type": "string", "description": "Where"}}, "required": ["city"]})
}

pub(crate) fn function(name: &str) -> Tool {
    Tool {
        kind: ToolKind::Function {
            name: name.into(),
            description: Some("Tells the weather".into()),
            schema: Some(schema()),
            strict: None,
        },
        cache: None,
        extra: Map::new(),
    }
}

fn call(id: &str, arguments: &str) -> Block {
    Content::ToolUse {
        id: id.into(),
        name: "get_weather".into(),
        arguments: arguments.into(),
        kind: CallKind::Function,
    }
    .into()
}

fn result(id: &str, blocks: Vec<Block>, is_error: bool) -> Block {
    Content::ToolResult { id: id.into(), name: Some("get_weather".into()), blocks, is_error }.into()
}

fn tools(request: &mut Request) {
    request.tools.push(function("get_weather"));
}

/// A call and its result, after the first turn.
fn tool_turn(request: &mut Request, before: Vec<Block>, outcome: Vec<Block>, is_error: bool) {
    tools(request);
    let mut blocks = before;
    blocks.push(call("call_1", r#"{"city":"Paris"}"#));
    request.turns.push(turn(Role::Assistant, 1, blocks));
    request.turns.push(turn(Role::User, 2, vec![result("call_1", outcome, is_error)]));
}

fn thought(text: &str, seal: Option<Seal>) -> Block {
    Block::from(Content::Reasoning { text: text.into(), summary: false }).sealed(seal)
}

pub(crate) const ALL: &[Feature] = &[
    Feature { name: "one user turn", add: |_, _| {} },
    Feature {
        name: "system instructions",
        add: |r, _| r.turns.insert(0, turn(Role::System, Turn::OUTSIDE, vec![Block::text("Be brief.")])),
    },
    Feature {
        name: "developer instructions",
        add: |r, _| r.turns.insert(0, turn(Role::Developer, 0, vec![Block::text("Be brief.")])),
    },
    Feature {
        name: "system text in mid-conversation",
        add: |r, _| {
            r.turns.push(turn(Role::Assistant, 1, vec![Block::text("Hi.")]));
            r.turns.push(turn(Role::System, 2, vec![Block::text("Now be long.")]));
            r.turns.push(turn(Role::User, 3, vec![Block::text("Go on.")]));
        },
    },
    Feature {
        name: "several turns",
        add: |r, _| {
            r.turns.push(turn(Role::Assistant, 1, vec![Block::text("Hi.")]));
            r.turns.push(turn(Role::User, 2, vec![Block::text("And?")]));
        },
    },
    Feature { name: "several text parts", add: |r, _| user(r, Block::text("Second part.")) },
    Feature {
        name: "image as data",
        add: |r, _| user(r, Content::Image { source: data("image/png", PNG), detail: None }.into()),
    },
    Feature {
        name: "image by URL",
        add: |r, _| {
            let source = Source::Url { url: "https://example.com/cat.png".into(), media_type: None };
            user(r, Content::Image { source, detail: None }.into());
        },
    },
    Feature {
        name: "image detail",
        add: |r, _| {
            let image = Content::Image { source: data("image/png", PNG), detail: Some("low".into()) };
            user(r, image.into());
        },
    },
    Feature {
        name: "PDF as data",
        add: |r, _| {
            let file = Content::File { source: data("application/pdf", PDF), name: Some("a.pdf".into()) };
            user(r, file.into());
        },
    },
    Feature {
        name: "PDF by URL",
        add: |r, _| {
            let source =
                Source::Url { url: "https://example.com/a.pdf".into(), media_type: Some("application/pdf".into()) };
            user(r, Content::File { source, name: None }.into());
        },
    },
    Feature {
        name: "document as text",
        add: |r, _| {
            let source = Source::Text { text: "Some text.".into() };
            user(r, Content::File { source, name: Some("a.txt".into()) }.into());
        },
    },
    Feature {
        name: "audio as data",
        add: |r, _| user(r, Content::Audio { source: data("audio/wav", "UklGRg==") }.into()),
    },
    Feature { name: "tools", add: |r, _| tools(r) },
    Feature {
        name: "strict tool",
        add: |r, _| {
            tools(r);
            if let ToolKind::Function { strict, .. } = &mut r.tools[0].kind {
                *strict = Some(true);
            }
        },
    },
    Feature {
        name: "tool without a schema",
        add: |r, _| {
            tools(r);
            if let ToolKind::Function { schema, description, .. } = &mut r.tools[0].kind {
                (*schema, *description) = (None, None);
            }
        },
    },
    Feature {
        name: "free-text tool",
        add: |r, _| {
            let kind = ToolKind::Custom { name: "patch".into(), description: Some("Edits".into()), format: None };
            r.tools.push(Tool { kind, cache: None, extra: Map::new() });
        },
    },
    Feature {
        name: "tool choice: auto",
        add: |r, _| {
            tools(r);
            r.settings.tool_choice = Some(ToolChoice::Auto);
        },
    },
    Feature {
        name: "tool choice: none",
        add: |r, _| {
            tools(r);
            r.settings.tool_choice = Some(ToolChoice::None);
        },
    },
    Feature {
        name: "tool choice: any",
        add: |r, _| {
            tools(r);
            r.settings.tool_choice = Some(ToolChoice::Required);
        },
    },
    Feature {
        name: "tool choice: this one",
        add: |r, _| {
            tools(r);
            r.settings.tool_choice = Some(ToolChoice::Named("get_weather".into()));
        },
    },
    Feature {
        name: "tool choice: one of these",
        add: |r, _| {
            tools(r);
            r.tools.push(function("get_time"));
            let names = vec!["get_weather".into()];
            r.settings.tool_choice = Some(ToolChoice::Allowed { names, required: true });
        },
    },
    Feature {
        name: "no parallel tool calls",
        add: |r, _| {
            tools(r);
            r.settings.parallel_tools = Some(false);
        },
    },
    Feature {
        name: "tool call and result",
        add: |r, _| tool_turn(r, Vec::new(), vec![Block::text("18 degrees")], false),
    },
    Feature {
        name: "text before a tool call",
        add: |r, _| tool_turn(r, vec![Block::text("I look.")], vec![Block::text("18 degrees")], false),
    },
    Feature {
        name: "parallel tool calls",
        add: |r, _| {
            tools(r);
            let calls = vec![call("call_1", r#"{"city":"Paris"}"#), call("call_2", r#"{"city":"Rome"}"#)];
            r.turns.push(turn(Role::Assistant, 1, calls));
            let results = vec![
                result("call_1", vec![Block::text("18")], false),
                result("call_2", vec![Block::text("25")], false),
            ];
            r.turns.push(turn(Role::User, 2, results));
        },
    },
    Feature {
        name: "text after a tool result",
        add: |r, _| {
            tool_turn(r, Vec::new(), vec![Block::text("18")], false);
            r.turns[2].blocks.push(Block::text("In Fahrenheit, please."));
        },
    },
    Feature {
        name: "tool result: error",
        add: |r, _| tool_turn(r, Vec::new(), vec![Block::text("no such city")], true),
    },
    Feature {
        name: "tool result: image",
        add: |r, _| {
            let image = Content::Image { source: data("image/png", PNG), detail: None };
            tool_turn(r, Vec::new(), vec![Block::text("a map"), image.into()], false);
        },
    },
    Feature {
        name: "sealed thought before a tool call, back to who sealed it",
        add: |r, provider| {
            let seal = Seal::new(provider, "c2VhbA==");
            tool_turn(r, vec![thought("Let me see.", Some(seal))], vec![Block::text("18")], false);
        },
    },
    Feature {
        name: "thought without a seal",
        add: |r, _| {
            r.turns.push(turn(Role::Assistant, 1, vec![thought("Let me see.", None), Block::text("Hi.")]));
            r.turns.push(turn(Role::User, 2, vec![Block::text("And?")]));
        },
    },
    Feature { name: "prompt-cache mark", add: |r, _| r.turns[0].blocks[0].cache = Some(CacheMark::Usual) },
    Feature {
        name: "prompt-cache mark for an hour",
        add: |r, _| r.turns[0].blocks[0].cache = Some(CacheMark::OneHour),
    },
    Feature { name: "JSON object", add: |r, _| r.settings.format = Some(Format::Json) },
    Feature {
        name: "JSON schema",
        add: |r, _| {
            let format =
                Format::Schema { name: "place".into(), description: None, schema: schema(), strict: Some(true) };
            r.settings.format = Some(format);
        },
    },
    Feature { name: "stop sequences", add: |r, _| r.settings.stop = vec!["END".into(), "STOP".into()] },
    Feature { name: "temperature up to 1", add: |r, _| r.settings.temperature = Some(0.7) },
    Feature { name: "temperature over 1", add: |r, _| r.settings.temperature = Some(1.5) },
    Feature { name: "top_p", add: |r, _| r.settings.top_p = Some(0.9) },
    Feature { name: "top_k", add: |r, _| r.settings.top_k = Some(40) },
    Feature { name: "frequency penalty", add: |r, _| r.settings.frequency_penalty = Some(0.5) },
    Feature { name: "presence penalty", add: |r, _| r.settings.presence_penalty = Some(0.5) },
    Feature { name: "seed", add: |r, _| r.settings.seed = Some(7) },
    Feature { name: "several answers (n)", add: |r, _| r.settings.n = Some(2) },
    Feature {
        name: "logprobs",
        add: |r, _| {
            r.settings.logprobs = Some(true);
            r.settings.top_logprobs = Some(3);
        },
    },
    Feature {
        name: "logit bias",
        add: |r, _| r.settings.logit_bias = Some(Map::from_iter([("50256".to_owned(), json!(-100))])),
    },
    Feature {
        name: "reasoning effort",
        add: |r, _| {
            let reasoning = Reasoning { effort: Some(Effort::Low), ..Reasoning::default() };
            r.settings.reasoning = Some(reasoning);
        },
    },
    Feature {
        name: "reasoning budget",
        add: |r, _| {
            r.settings.max_tokens = Some(16_000);
            r.settings.reasoning = Some(Reasoning { budget: Some(2_048), ..Reasoning::default() });
        },
    },
    Feature { name: "verbosity", add: |r, _| r.settings.verbosity = Some("low".into()) },
    Feature { name: "service tier", add: |r, _| r.settings.service_tier = Some("flex".into()) },
    Feature { name: "end user's id", add: |r, _| r.settings.user = Some("user-7".into()) },
    Feature { name: "prompt-cache key", add: |r, _| r.settings.cache_key = Some("session-7".into()) },
    Feature {
        name: "streaming",
        add: |r, _| {
            r.stream = true;
            r.settings.stream_usage = Some(true);
        },
    },
    Feature {
        name: "a member nobody knows",
        add: |r, _| {
            r.extra.insert("x_unheard_of".into(), json!({"a": [1, "two"]}));
        },
    },
];
