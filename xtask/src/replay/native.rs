//! How a client would address the gateway to make it send a recorded request.
//!
//! Enters: a provider and a path on its own host. Leaves: the path behind the provider's segment of the gateway, and the header that carries
//! the credential. Never: reads `catalog/providers`: what is to be checked would then check itself.

/// `from` at the beginning of a path on the provider's host is written `to` behind its segment. A path that no line fits is written as it is.
struct Line {
    provider: &'static str,
    from: &'static str,
    to: &'static str,
}

const fn line(provider: &'static str, from: &'static str, to: &'static str) -> Line {
    Line { provider, from, to }
}

/// The first line that fits counts.
const PATHS: &[Line] = &[
    line("aws-bedrock", "/", "bedrock-runtime/us-east-1/"),
    line("azure", "/anthropic/", "replay/anthropic/"),
    line("azure-openai", "/openai/deployments/", "replay/"),
    line("azure-openai", "/openai/", "replay/openai/"),
    line("baseten", "/production/predict", "model/replay"),
    line("fireworks", "/inference/v1/", ""),
    line("groq", "/openai/v1/", ""),
    line("huggingface", "/models/", ""),
    line("openai", "/v1/", ""),
    line("openrouter", "/api/v1/", "v1/"),
    line("replicate", "/v1/", ""),
    line("workers-ai", "/client/v4/accounts/local/ai/run/", ""),
    line("workers-ai", "/client/v4/accounts/local/ai/", ""),
];

/// Where providers expect a key, when it is not `authorization: Bearer KEY`.
const CREDENTIALS: &[(&str, &str, &str)] = &[
    ("anthropic", "x-api-key", "KEY"),
    // Signed by the caller: a gateway that touches what is signed breaks it.
    ("aws-bedrock", "authorization", SIGNATURE),
    ("azure", "x-api-key", "KEY"),
    ("azure-openai", "api-key", "KEY"),
    ("cartesia", "x-api-key", "KEY"),
    ("deepgram", "authorization", "Token KEY"),
    ("elevenlabs", "xi-api-key", "KEY"),
    ("fal", "authorization", "Key KEY"),
    ("google-ai-studio", "x-goog-api-key", "KEY"),
    ("ideogram", "api-key", "KEY"),
    ("parallel", "x-api-key", "KEY"),
];

const SIGNATURE: &str = "AWS4-HMAC-SHA256 Credential=KEY/20260101/us-east-1/bedrock/aws4_request, \
    SignedHeaders=host;x-amz-date, Signature=0000000000000000000000000000000000000000000000000000000000000000";

/// The path behind `/v1/{account}/{gateway}/{provider}/`, with its query.
pub(super) fn path(provider: &str, on_host: &str) -> String {
    let fitting = PATHS.iter().find(|line| line.provider == provider && on_host.starts_with(line.from));
    match fitting {
        Some(line) => format!("{}{}", line.to, &on_host[line.from.len()..]),
        None => on_host.trim_start_matches('/').to_owned(),
    }
}

/// The header with the caller's own key for the provider.
pub(super) fn credential(provider: &str, key: &str) -> (&'static str, String) {
    let known = CREDENTIALS.iter().find(|(known, _, _)| *known == provider);
    let (_, name, form) = known.copied().unwrap_or(("", "authorization", "Bearer KEY"));
    (name, form.replace("KEY", key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_written_as_clients_of_the_gateway_write_them() {
        let cases = [
            ("openai", "/v1/chat/completions?a=%2F", "chat/completions?a=%2F"),
            ("anthropic", "/v1/messages", "v1/messages"),
            (
                "azure-openai",
                "/openai/deployments/d/chat/completions?api-version=1",
                "replay/d/chat/completions?api-version=1",
            ),
            ("azure-openai", "/openai/responses", "replay/openai/responses"),
            ("aws-bedrock", "/model/a%3A0/converse", "bedrock-runtime/us-east-1/model/a%3A0/converse"),
            ("workers-ai", "/client/v4/accounts/local/ai/run/@cf/a/b", "@cf/a/b"),
            ("workers-ai", "/client/v4/accounts/local/ai/v1/chat/completions", "v1/chat/completions"),
            ("somebody-new", "/v1/x", "v1/x"),
        ];
        for (provider, on_host, expected) in cases {
            assert_eq!(path(provider, on_host), expected, "{provider} {on_host}");
        }
    }

    #[test]
    fn every_credential_carries_its_key() {
        for (provider, _, _) in CREDENTIALS {
            assert!(credential(provider, "fake-7").1.contains("fake-7"), "{provider}");
        }
        assert_eq!(credential("somebody-new", "fake-7"), ("authorization", "Bearer fake-7".to_owned()));
    }
}
