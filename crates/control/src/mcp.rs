//! The Model Context Protocol, for assistants that look into the gateway: streamable HTTP without sessions, one JSON answer for each question.
//!
//! Enters: a JSON-RPC message from someone with a token. Leaves: what a tool found, as text. Never: a right that the token has not: each tool is a row
//! of the table of endpoints, and is judged as that row is. Nothing here changes anything.

use http::{Method, StatusCode};
use serde_json::{Map, Value, json};

use self::tools::{TOOLS, Tool};
use crate::answer::Answer;
use crate::call::Call;
use crate::problem::Problem;
use crate::row::Access::Guarded;
use crate::row::{Answers, Needs, Row, row};
use crate::shape::{Fault, Shape};

mod run;
mod tools;

const JSON: &str = "application/json";
/// The newest first; a client that asks for another is offered the first.
const VERSIONS: &[&str] = &["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"];
const INSTRUCTIONS: &str = "Read-only tools on the gateways of one installation: list gateways and logs, read a request and its answer, \
    add up costs, see what failed and why.";

const INVALID_REQUEST: i64 = -32_600;
const METHOD_NOT_FOUND: i64 = -32_601;
const INVALID_PARAMS: i64 = -32_602;

pub(crate) static ROWS: &[Row] = &[row(
    Method::POST,
    "/mcp",
    "tollgate-mcp",
    Guarded(Needs::Token, serve),
    Answers::Plain(JSON),
    "A message of the Model Context Protocol; see docs/mcp.md. Each tool needs what its endpoint needs.",
)
.unaudited("its tools only read; one that shows prompts leaves the entry of its endpoint")
.body(&Shape::Any)
.narrowed()];

/// An error of the protocol, which is no error of the tool.
struct Refused(i64, String);

fn serve(call: &Call) -> Result<Answer, Problem> {
    // The transport has it that what cannot be taken at all is an HTTP error.
    let unreadable = |_| Problem::invalid(vec![Fault::new(["body"], "Parse error: a message is JSON")]);
    let message = serde_json::from_slice::<Value>(&call.body).map_err(unreadable)?;
    let id = message["id"].clone();
    let Some(method) = message["method"].as_str() else {
        return Ok(match message.get("result").or(message.get("error")) {
            // An answer to a question that was never asked: taken, as the protocol has it.
            Some(_) => accepted(),
            None => refused(id, &Refused(INVALID_REQUEST, "Invalid Request: a message has a method".to_owned())),
        });
    };
    if message.get("id").is_none() {
        return Ok(accepted());
    }
    Ok(match answer(call, method, &message["params"]) {
        Ok(result) => told(StatusCode::OK, &json!({ "jsonrpc": "2.0", "id": id, "result": result })),
        Err(error) => refused(id, &error),
    })
}

fn answer(call: &Call, method: &str, params: &Value) -> Result<Value, Refused> {
    match method {
        "initialize" => Ok(initialized(params)),
        "ping" => Ok(json!({})),
        "tools/list" => Ok(json!({ "tools": TOOLS.iter().map(Tool::described).collect::<Vec<_>>() })),
        "tools/call" => called(call, params),
        other => Err(Refused(METHOD_NOT_FOUND, format!("Method not found: {other}"))),
    }
}

fn initialized(params: &Value) -> Value {
    let asked = params["protocolVersion"].as_str().unwrap_or_default();
    let version = VERSIONS.iter().find(|version| **version == asked).unwrap_or(&VERSIONS[0]);
    json!({
        "protocolVersion": version,
        "capabilities": { "tools": { "listChanged": false } },
        "serverInfo": { "name": "tollgate", "title": "Tollgate", "version": env!("CARGO_PKG_VERSION") },
        "instructions": INSTRUCTIONS
    })
}

/// What goes wrong in a tool is an answer of the tool, so that the model hears of it.
fn called(call: &Call, params: &Value) -> Result<Value, Refused> {
    let name = params["name"].as_str().unwrap_or_default();
    let tool = TOOLS.iter().find(|tool| tool.name == name);
    let tool = tool.ok_or_else(|| Refused(INVALID_PARAMS, format!("Unknown tool: {name}")))?;
    let nothing = Map::new();
    let arguments = params["arguments"].as_object().unwrap_or(&nothing);
    let (text, is_error) = match run::run(call, tool, arguments) {
        Ok(found) => (found.to_string(), false),
        Err(problem) => (format!("Error in {name}: {}", problem.said()), true),
    };
    Ok(json!({ "content": [{ "type": "text", "text": text }], "isError": is_error }))
}

fn told(status: StatusCode, message: &Value) -> Answer {
    Answer::Plain { status, content_type: JSON, text: message.to_string() }
}

/// Notifications are heard and not answered.
fn accepted() -> Answer {
    Answer::Plain { status: StatusCode::ACCEPTED, content_type: JSON, text: String::new() }
}

fn refused(id: Value, Refused(code, message): &Refused) -> Answer {
    told(StatusCode::OK, &json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": message } }))
}
