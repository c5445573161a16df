//! OpenAI's APIs and those that are like them.

use super::*;
use Dialect::*;

pub fn all() -> Vec<Sample> {
    [chats(), variants(), responses(), media()].concat()
}

fn chats() -> Vec<Sample> {
    let usage = Usage { cache_read: 1024, audio_in: 100, reasoning: 64, audio_out: 50, ..tokens(876, 86) };
    vec![
        whole(
            "chat",
            OpenaiChat,
            r#"{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"gpt-5-mini","choices":[{"index":0,
            "message":{"role":"assistant","content":"Hi, \"usage\" there","refusal":null},"finish_reason":"stop"}],
            "usage":{"prompt_tokens":2000,"completion_tokens":200,"total_tokens":2200,
            "prompt_tokens_details":{"cached_tokens":1024,"audio_tokens":100},
            "completion_tokens_details":{"reasoning_tokens":64,"audio_tokens":50,"accepted_prediction_tokens":0}}}"#,
        )
        .uses(usage.clone())
        .model("gpt-5-mini")
        .finish("stop"),
        events(
            "chat",
            OpenaiChat,
            r#"data: {"id":"1","object":"chat.completion.chunk","model":"gpt-5-mini","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}],"usage":null}

data: {"id":"1","object":"chat.completion.chunk","model":"gpt-5-mini","choices":[{"index":0,"delta":{"content":"Hi, \"usage\":"},"finish_reason":null}],"usage":null,"obfuscation":"x1"}

data: {"id":"1","object":"chat.completion.chunk","model":"gpt-5-mini","choices":[{"index":0,"delta":{"content":" there\u00e9"},"finish_reason":null}],"usage":null,"obfuscation":"x12ab"}

data: {"id":"1","object":"chat.completion.chunk","model":"gpt-5-mini","choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":null}

data: {"id":"1","object":"chat.completion.chunk","model":"gpt-5-mini","choices":[],"usage":{"prompt_tokens":2000,"completion_tokens":200,"total_tokens":2200,"prompt_tokens_details":{"cached_tokens":1024,"audio_tokens":100},"completion_tokens_details":{"reasoning_tokens":64,"audio_tokens":50}}}

data: [DONE]

"#,
        )
        .uses(usage)
        .model("gpt-5-mini")
        .finish("stop"),
        events(
            "chat whose caller did not ask for usage",
            OpenaiChat,
            r#"data: {"model":"m","choices":[{"delta":{"content":"Hi"},"finish_reason":null}]}

data: {"model":"m","choices":[{"delta":{},"finish_reason":"length"}]}

data: [DONE]

"#,
        )
        .model("m")
        .finish("length"),
        events("chat that breaks off", OpenaiChat, "data: {\"model\":\"m\",\"choices\":[{\"delta\":{\"content\":\"Hi\"}}]}\n\ndata: {\"mod")
            .model("m")
            .cut_off(),
        events(
            "chat that fails on its way",
            OpenaiChat,
            "data: {\"model\":\"m\",\"choices\":[{\"delta\":{\"content\":\"Hi\"}}]}\n\ndata: {\"error\":{\"message\":\"overloaded\",\"code\":502}}\n\n",
        )
        .model("m")
        .failed()
        .cut_off(),
        events("chat with an event of errors", OpenaiChat, "event: error\ndata: {\"message\":\"overloaded\"}\n\n").failed().cut_off(),
        whole("chat that fails with status 200", OpenaiChat, r#"{"error":{"message":"no such model"}}"#).failed(),
        whole("chat that does not fail", OpenaiChat, r#"{"error":null,"model":"m","usage":{}}"#).model("m"),
    ]
}

fn variants() -> Vec<Sample> {
    vec![
        whole(
            "DeepSeek's cache",
            OpenaiChat,
            r#"{"model":"deepseek-chat","choices":[{"finish_reason":"stop"}],"usage":{"prompt_tokens":100,"completion_tokens":10,
            "total_tokens":110,"prompt_cache_hit_tokens":64,"prompt_cache_miss_tokens":36}}"#,
        )
        .uses(Usage { cache_read: 64, ..tokens(36, 10) })
        .model("deepseek-chat")
        .finish("stop"),
        whole(
            "xAI's reasoning beside the completion",
            OpenaiChat,
            r#"{"model":"grok-4","usage":{"prompt_tokens":32,"completion_tokens":9,"total_tokens":135,
            "completion_tokens_details":{"reasoning_tokens":94},"num_sources_used":2}}"#,
        )
        .uses(Usage { reasoning: 94, searches: 2, ..tokens(32, 9) })
        .model("grok-4"),
        whole(
            "Perplexity's research",
            OpenaiChat,
            r#"{"model":"sonar-deep-research","usage":{"prompt_tokens":33,"completion_tokens":7163,"total_tokens":7196,
            "citation_tokens":20016,"num_search_queries":21,"reasoning_tokens":73997}}"#,
        )
        .uses(Usage { searches: 21, reasoning: 73_997, ..tokens(20_049, 7163) })
        .model("sonar-deep-research"),
        events(
            "Groq's last chunk",
            OpenaiChat,
            r#"data: {"model":"llama","choices":[{"delta":{"content":"Hi"},"finish_reason":null}],"x_groq":{"id":"req_1"}}

data: {"model":"llama","choices":[{"delta":{},"finish_reason":"stop"}],"x_groq":{"id":"req_1","usage":{"prompt_tokens":4,"completion_tokens":2,"total_tokens":6}}}

data: [DONE]

"#,
        )
        .uses(tokens(4, 2))
        .model("llama")
        .finish("stop"),
        events(
            "usage so far in every chunk",
            OpenaiChat,
            r#"data: {"model":"sonar","choices":[{"delta":{"content":"a"},"finish_reason":null}],"usage":{"prompt_tokens":5,"completion_tokens":1,"total_tokens":6}}

data: {"model":"sonar","choices":[{"delta":{"content":"b"},"finish_reason":null}],"usage":{"prompt_tokens":5,"completion_tokens":2,"total_tokens":7}}

data: {"model":"sonar","choices":[{"delta":{"content":"c"},"finish_reason":"stop"}],"usage":{"prompt_tokens":5,"completion_tokens":3,"total_tokens":8}}

data: {"model":"sonar","choices":[{"delta":{"content":""},"finish_reason":null}],"usage":{"prompt_tokens":5,"completion_tokens":4,"total_tokens":9}}

"#,
        )
        .uses(tokens(5, 4))
        .model("sonar")
        .finish("stop")
        .cut_off(),
        whole("completion", OpenaiCompletions, r#"{"model":"d","choices":[{"text":"Hi","finish_reason":"stop"}],"usage":{"prompt_tokens":4,"completion_tokens":2,"total_tokens":6}}"#)
            .uses(tokens(4, 2))
            .model("d")
            .finish("stop"),
        events("completion", OpenaiCompletions, "data: {\"model\":\"d\",\"choices\":[{\"text\":\"Hi\",\"finish_reason\":\"stop\"}]}\n\ndata: {\"model\":\"d\",\"choices\":[],\"usage\":{\"prompt_tokens\":4,\"completion_tokens\":2}}\n\ndata: [DONE]\n\n")
            .uses(tokens(4, 2))
            .model("d")
            .finish("stop"),
        whole("embedding", OpenaiEmbeddings, r#"{"object":"list","data":[{"embedding":[0.1,-2e-3]}],"model":"e","usage":{"prompt_tokens":8,"total_tokens":8}}"#)
            .uses(tokens(8, 0))
            .model("e"),
        whole("Voyage's embedding", OpenaiEmbeddings, r#"{"data":[],"model":"voyage-3","usage":{"total_tokens":12}}"#)
            .uses(tokens(12, 0))
            .model("voyage-3"),
    ]
}

fn responses() -> Vec<Sample> {
    let usage = Usage { cache_read: 64, reasoning: 30, ..tokens(36, 20) };
    vec![
        whole(
            "response",
            OpenaiResponses,
            r#"{"id":"resp_1","object":"response","status":"completed","error":null,"incomplete_details":null,"model":"gpt-5",
            "output":[{"type":"message","status":"completed","content":[{"type":"output_text","text":"Hi"}]}],
            "usage":{"input_tokens":100,"input_tokens_details":{"cached_tokens":64},"output_tokens":50,
            "output_tokens_details":{"reasoning_tokens":30},"total_tokens":150},"user":null,"metadata":{}}"#,
        )
        .uses(usage.clone())
        .model("gpt-5")
        .finish("completed"),
        events(
            "response",
            OpenaiResponses,
            r#"event: response.created
data: {"type":"response.created","sequence_number":0,"response":{"id":"resp_1","status":"in_progress","error":null,"model":"gpt-5","usage":null}}

event: response.output_text.delta
data: {"type":"response.output_text.delta","sequence_number":1,"delta":"Hi"}

event: response.output_text.done
data: {"type":"response.output_text.done","sequence_number":2,"text":"Hi"}

event: response.completed
data: {"type":"response.completed","sequence_number":3,"response":{"id":"resp_1","status":"completed","error":null,"incomplete_details":null,"model":"gpt-5","output":[{"content":[{"text":"Hi"}]}],"usage":{"input_tokens":100,"input_tokens_details":{"cached_tokens":64},"output_tokens":50,"output_tokens_details":{"reasoning_tokens":30},"total_tokens":150}}}

"#,
        )
        .uses(usage)
        .model("gpt-5")
        .finish("completed"),
        events("incomplete response", OpenaiResponses, "data: {\"type\":\"response.incomplete\",\"response\":{\"status\":\"incomplete\",\"incomplete_details\":{\"reason\":\"max_output_tokens\"},\"model\":\"gpt-5\",\"usage\":{\"input_tokens\":1,\"output_tokens\":2,\"total_tokens\":3}}}\n\n")
            .uses(tokens(1, 2))
            .model("gpt-5")
            .finish("max_output_tokens"),
        events("failed response", OpenaiResponses, "data: {\"type\":\"response.failed\",\"response\":{\"status\":\"failed\",\"error\":{\"code\":\"server_error\"},\"model\":\"gpt-5\",\"usage\":null}}\n\n")
            .model("gpt-5")
            .finish("failed")
            .failed(),
        events("response with an error event", OpenaiResponses, "event: error\ndata: {\"type\":\"error\",\"code\":\"x\",\"message\":\"y\"}\n\n").failed().cut_off(),
    ]
}

fn media() -> Vec<Sample> {
    let usage = Usage { image_in: 40, ..tokens(10, 4160) };
    vec![
        whole("image", OpenaiImages, r#"{"created":1,"data":[{"b64_json":"AAAA"}],"usage":{"input_tokens":50,"input_tokens_details":{"text_tokens":10,"image_tokens":40},"output_tokens":4160,"total_tokens":4210}}"#)
            .uses(usage.clone()),
        events("image", OpenaiImages, "event: image_generation.partial_image\ndata: {\"type\":\"image_generation.partial_image\",\"b64_json\":\"AA\"}\n\nevent: image_generation.completed\ndata: {\"type\":\"image_generation.completed\",\"b64_json\":\"AAAA\",\"usage\":{\"total_tokens\":4210,\"input_tokens\":50,\"input_tokens_details\":{\"text_tokens\":10,\"image_tokens\":40},\"output_tokens\":4160}}\n\n")
            .uses(usage),
        whole("images by the piece", OpenaiImages, r#"{"created":1,"data":[{"url":"u"},{"url":"v"}]}"#)
            .uses(Usage { images: 2, ..Usage::default() }),
        whole("transcription", OpenaiAudio, r#"{"text":"Hello","usage":{"type":"tokens","input_tokens":14,"input_token_details":{"text_tokens":4,"audio_tokens":10},"output_tokens":45,"total_tokens":59}}"#)
            .uses(Usage { audio_in: 10, ..tokens(4, 45) }),
        events("transcription", OpenaiAudio, "data: {\"type\":\"transcript.text.delta\",\"delta\":\"Hello\"}\n\ndata: {\"type\":\"transcript.text.done\",\"text\":\"Hello\",\"usage\":{\"input_tokens\":14,\"input_token_details\":{\"audio_tokens\":10},\"output_tokens\":45,\"total_tokens\":59}}\n\n")
            .uses(Usage { audio_in: 10, ..tokens(4, 45) }),
        whole("transcription by the second", OpenaiAudio, r#"{"text":"Hello","usage":{"type":"duration","seconds":3}}"#)
            .uses(Usage { seconds: 3, ..Usage::default() }),
    ]
}
