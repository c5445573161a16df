//! Workers AI, Hugging Face, Aleph Alpha, rerankers in Voyage's form, and bytes of which nothing is known.

use super::*;
use Dialect::{AlephAlpha, Huggingface, OllamaChat, OllamaEmbed, Raw, Rerank, WorkersAi};

const USAGE: &str = r#""usage":{"prompt_tokens":20,"completion_tokens":3,"total_tokens":23}"#;

pub fn all() -> Vec<Sample> {
    vec![
        whole("workers", WorkersAi, &format!(r#"{{"result":{{"response":"Hi",{USAGE}}},"success":true,"errors":[],"messages":[]}}"#)).uses(tokens(20, 3)),
        events("workers", WorkersAi, &format!("data: {{\"response\":\"H\",\"p\":\"ab\"}}\n\ndata: {{\"response\":\"i\",\"p\":\"ab\"}}\n\ndata: {{\"response\":\"\",{USAGE}}}\n\ndata: [DONE]\n\n"))
            .uses(tokens(20, 3)),
        whole("workers that fail", WorkersAi, r#"{"result":null,"success":false,"errors":[{"code":7009}]}"#).failed(),
        whole("generated text", Huggingface, r#"[{"generated_text":"Hi","details":{"finish_reason":"length","generated_tokens":3,"prefill":[]}}]"#)
            .header("x-prompt-tokens", "20")
            .uses(tokens(20, 3))
            .finish("length"),
        events("generated text", Huggingface, "data:{\"token\":{\"text\":\"H\"},\"generated_text\":null,\"details\":null}\n\ndata:{\"token\":{\"text\":\"i\"},\"generated_text\":\"Hi\",\"details\":{\"finish_reason\":\"length\",\"generated_tokens\":3,\"input_length\":20}}\n\n")
            .uses(tokens(20, 3))
            .finish("length"),
        whole("generated text without its input", Huggingface, r#"[{"generated_text":"Hi","details":{"finish_reason":"length","generated_tokens":3}}]"#)
            .finish("length"),
        whole("routed chat", Huggingface, &format!(r#"{{"model":"m","choices":[{{"finish_reason":"stop"}}],{USAGE}}}"#)).uses(tokens(20, 3)).model("m").finish("stop"),
        whole("luminous", AlephAlpha, r#"{"model_version":"1","completions":[{"completion":"Hi","finish_reason":"end_of_text"}],"num_tokens_prompt_total":20,"num_tokens_generated":3}"#)
            .uses(tokens(20, 3))
            .finish("end_of_text"),
        events("luminous", AlephAlpha, "data: {\"type\":\"stream_chunk\",\"index\":0,\"completion\":\"Hi\"}\n\ndata: {\"type\":\"stream_summary\",\"index\":0,\"model_version\":\"1\",\"finish_reason\":\"end_of_text\"}\n\ndata: {\"type\":\"completion_summary\",\"num_tokens_prompt_total\":20,\"num_tokens_generated\":3}\n\n")
            .uses(tokens(20, 3))
            .finish("end_of_text"),
        whole("local chat", OllamaChat, r#"{"model":"llama3.2","created_at":"2025-06-15T15:06:40Z","message":{"role":"assistant","content":"Hi"},"done":true,"done_reason":"stop","prompt_eval_count":20,"eval_count":3}"#)
            .uses(tokens(20, 3))
            .model("llama3.2")
            .finish("stop"),
        lines("local chat", OllamaChat, "{\"model\":\"llama3.2\",\"message\":{\"role\":\"assistant\",\"content\":\"H\"},\"done\":false}\n{\"model\":\"llama3.2\",\"message\":{\"role\":\"assistant\",\"content\":\"i\"},\"done\":false}\n{\"model\":\"llama3.2\",\"message\":{\"role\":\"assistant\",\"content\":\"\"},\"done\":true,\"done_reason\":\"stop\",\"prompt_eval_count\":20,\"eval_count\":3}\n")
            .uses(tokens(20, 3))
            .model("llama3.2")
            .finish("stop"),
        lines("local chat that breaks off", OllamaChat, "{\"model\":\"llama3.2\",\"message\":{\"role\":\"assistant\",\"content\":\"H\"},\"done\":false}\n")
            .model("llama3.2")
            .cut_off(),
        whole("local embedding", OllamaEmbed, r#"{"model":"all-minilm","embeddings":[[0.1]],"prompt_eval_count":7}"#).uses(tokens(7, 0)).model("all-minilm"),
        whole("ranking", Rerank, r#"{"model":"rerank-2","data":[{"index":0}],"usage":{"total_tokens":43}}"#).uses(tokens(43, 0)).model("rerank-2"),
        whole("unknown bytes", Raw, "\u{0}not JSON").cut_off(),
    ]
}
