//! What a recorded answer says was used: a second reader, written apart from `wire`, so that two have to be wrong in the same way.
//!
//! Enters: the documents of an answer. Leaves: input and output in all, and what was read from the provider's cache. Never: knows which
//! provider or operation answered: it recognises a count by its name. Never estimates.

use serde_json::{Map, Value};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    /// All of it, cached or not.
    pub(super) input: u64,
    /// All of it, reasoning included.
    pub(super) output: u64,
    pub(super) cache_read: u64,
    pub(super) searches: u64,
}

/// Where usage objects stand in a document.
const PLACES: &[&str] = &[
    "/usage",
    "/usageMetadata",
    "/message/usage",
    "/response/usage",
    "/delta/usage",
    "/metadata/usage",
    "/result/usage",
    "/x_groq/usage",
    "/choices/0/usage",
    "/meta",
    "/response/meta",
    "/amazon-bedrock-invocationMetrics",
];

/// Counts that some models write between the rest of the answer. Others found there are answers to a question for counts.
const LOOSE: &[&str] = &[
    "inputTextTokenCount",
    "totalOutputTextTokenCount",
    "results",
    "prompt_token_count",
    "generation_token_count",
    "num_tokens_prompt_total",
    "num_tokens_generated",
    "prompt_eval_count",
    "eval_count",
    "predictions",
];

/// One way of counting. Members are sums of what is there; `|` parts names of which the first one there counts, `.` goes into an object or
/// sums over an array.
struct Form {
    input: &'static [&'static str],
    output: &'static [&'static str],
    cache_read: &'static str,
    searches: &'static str,
}

const NOTHING: Form = Form { input: &[], output: &[], cache_read: "", searches: "" };

/// The first of which anything is there counts.
const FORMS: &[Form] = &[
    // Cohere: what it bills, rather than what it processed.
    Form {
        input: &["billed_units.input_tokens"],
        output: &["billed_units.output_tokens"],
        searches: "billed_units.search_units",
        ..NOTHING
    },
    // Chat completions and all that is like them.
    Form {
        input: &["prompt_tokens", "citation_tokens"],
        output: &["completion_tokens"],
        cache_read: "prompt_tokens_details.cached_tokens|prompt_cache_hit_tokens|cached_tokens",
        searches: "num_search_queries",
    },
    // Anthropic, which counts what was cached beside the rest, and OpenAI's Responses, which count it within.
    Form {
        input: &["input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"],
        output: &["output_tokens"],
        cache_read: "cache_read_input_tokens|input_tokens_details.cached_tokens",
        searches: "server_tool_use.web_search_requests",
    },
    // Gemini
    Form {
        input: &["promptTokenCount", "toolUsePromptTokenCount"],
        output: &["candidatesTokenCount", "thoughtsTokenCount"],
        cache_read: "cachedContentTokenCount",
        ..NOTHING
    },
    // Bedrock's Converse, and Nova
    Form {
        input: &[
            "inputTokens",
            "cacheReadInputTokens|cacheReadInputTokenCount",
            "cacheWriteInputTokens|cacheWriteInputTokenCount",
        ],
        output: &["outputTokens"],
        cache_read: "cacheReadInputTokens|cacheReadInputTokenCount",
        ..NOTHING
    },
    // Titan, whole and streamed
    Form { input: &["inputTextTokenCount"], output: &["totalOutputTextTokenCount|results.tokenCount"], ..NOTHING },
    // Llama on Bedrock
    Form { input: &["prompt_token_count"], output: &["generation_token_count"], ..NOTHING },
    // Aleph Alpha
    Form { input: &["num_tokens_prompt_total"], output: &["num_tokens_generated"], ..NOTHING },
    // Ollama's own API
    Form { input: &["prompt_eval_count"], output: &["eval_count"], ..NOTHING },
    // Bedrock's own count, behind a stream of any model
    Form {
        input: &["inputTokenCount", "cacheReadInputTokenCount", "cacheWriteInputTokenCount"],
        output: &["outputTokenCount"],
        cache_read: "cacheReadInputTokenCount",
        ..NOTHING
    },
    // Embeddings of Vertex's `predict`, text by text
    Form { input: &["predictions.embeddings.statistics.token_count"], ..NOTHING },
    // Voyage has nothing but the total, and no output.
    Form { input: &["total_tokens"], ..NOTHING },
];

/// `None` when the answer counts nothing.
pub(super) fn counts(documents: &[Value]) -> Option<Counts> {
    let said = said(documents);
    FORMS.iter().find_map(|form| form.read(&said))
}

/// All that was said about usage. A later word replaces an earlier one of the same name: streams count as they go.
fn said(documents: &[Value]) -> Map<String, Value> {
    let mut said = Map::new();
    for document in documents {
        let objects = PLACES.iter().filter_map(|place| document.pointer(place)?.as_object());
        let loose = LOOSE.iter().filter_map(|name| document.as_object()?.get_key_value(*name));
        let members = objects.flatten().chain(loose).filter(|(_, value)| !value.is_null());
        said.extend(members.map(|(name, value)| (name.clone(), value.clone())));
    }
    said
}

// === impl Form ===

impl Form {
    fn read(&self, said: &Map<String, Value>) -> Option<Counts> {
        let sum = |names: &[&str]| names.iter().filter_map(|names| first(said, names)).reduce(u64::saturating_add);
        let (input, output, searches) = (sum(self.input), sum(self.output), first(said, self.searches));
        if input.is_none() && output.is_none() && searches.is_none() {
            return None;
        }
        let mut counts = Counts {
            input: input.unwrap_or(0),
            output: output.unwrap_or(0),
            cache_read: first(said, self.cache_read).unwrap_or(0),
            searches: searches.unwrap_or(0),
        };
        counts.output += reasoning_beside(said, counts);
        Some(counts)
    }
}

/// Most count reasoning within the output. The total tells when somebody does not.
fn reasoning_beside(said: &Map<String, Value>, counts: Counts) -> u64 {
    let reasoning = first(said, "completion_tokens_details.reasoning_tokens|reasoning_tokens").unwrap_or(0);
    let is_beside = first(said, "total_tokens") == Some(counts.input + counts.output + reasoning);
    if is_beside { reasoning } else { 0 }
}

fn first(said: &Map<String, Value>, names: &str) -> Option<u64> {
    names.split('|').find_map(|name| {
        let (outer, inner) = name.split_once('.').unwrap_or((name, ""));
        sum(said.get(outer)?, inner)
    })
}

fn sum(value: &Value, path: &str) -> Option<u64> {
    match value {
        Value::Array(elements) => elements.iter().map(|element| sum(element, path)).sum(),
        _ if path.is_empty() => whole(value),
        _ => {
            let (outer, inner) = path.split_once('.').unwrap_or((path, ""));
            sum(value.get(outer)?, inner)
        }
    }
}

/// Some write `10.0`.
fn whole(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_f64().filter(|number| *number >= 0.0).map(|number| number as u64))
}

#[cfg(test)]
mod tests;
