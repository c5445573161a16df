//! Errors as providers document them.

use super::*;

/// Each as its provider's documentation shows it.
const TOLD: &[(u16, &str, FaultKind, &str, Option<&str>)] = &[
    (
        400,
        r#"{"error":{"message":"This model's maximum context length is 8192 tokens.","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}"#,
        FaultKind::ContextTooLong,
        "This model's maximum context length is 8192 tokens.",
        Some("context_length_exceeded"),
    ),
    (
        429,
        r#"{"error":{"message":"You exceeded your current quota","type":"insufficient_quota","param":null,"code":"insufficient_quota"}}"#,
        FaultKind::Billing,
        "You exceeded your current quota",
        Some("insufficient_quota"),
    ),
    (
        400,
        r#"{"error":{"message":"The response was filtered","type":null,"param":"prompt","code":"content_filter","status":400}}"#,
        FaultKind::ContentPolicy,
        "The response was filtered",
        Some("content_filter"),
    ),
    (401, r#"{"message":"Unauthorized","request_id":"a"}"#, FaultKind::Unauthorized, "Unauthorized", None),
    (
        422,
        r#"{"detail":[{"type":"extra_forbidden","loc":["body","user"],"msg":"Extra inputs are not permitted"}]}"#,
        FaultKind::BadRequest,
        "body.user: Extra inputs are not permitted",
        None,
    ),
    (
        402,
        r#"{"error":{"code":402,"message":"Insufficient credits"}}"#,
        FaultKind::Billing,
        "Insufficient credits",
        Some("402"),
    ),
    (
        400,
        r#"[{"error":{"code":400,"message":"API key not valid.","status":"INVALID_ARGUMENT"}}]"#,
        FaultKind::BadRequest,
        "API key not valid.",
        Some("400"),
    ),
    (
        400,
        r#"{"object":"error","message":"Please reduce the length of the messages.","type":"BadRequestError","param":null,"code":400}"#,
        FaultKind::ContextTooLong,
        "Please reduce the length of the messages.",
        Some("400"),
    ),
    (
        403,
        r#"{"success":false,"errors":[{"code":10000,"message":"Authentication error"}]}"#,
        FaultKind::Forbidden,
        "Authentication error",
        Some("10000"),
    ),
    (503, r#"{"error":"Model is loading"}"#, FaultKind::Overloaded, "Model is loading", None),
    (504, "upstream request timeout", FaultKind::Timeout, "upstream request timeout", None),
];

#[test]
fn reads_what_hosts_write() {
    for (status, body, kind, message, code) in TOLD {
        let fault = read(*status, body.as_bytes());
        let found = (fault.kind, fault.message.as_str(), fault.code.as_deref());
        assert_eq!(found, (*kind, *message, *code), "{body}");
    }
}

#[test]
fn keeps_the_words_of_others() {
    let fault = read(400, TOLD[0].1.as_bytes());
    let again = read(400, write(&fault).to_string().as_bytes());
    assert_eq!(
        (again.kind, again.message, again.code, again.param),
        (fault.kind, fault.message, fault.code, fault.param)
    );
}

#[test]
fn finds_a_status_in_a_frame() {
    for (error, status) in [
        (json!({"error": {"code": 502, "message": "m"}}), 502),
        (json!({"error": {"code": "rate_limit_exceeded"}}), 500),
        (json!({"error": {"code": "429"}}), 429),
        (json!({"error": "m"}), 500),
    ] {
        assert_eq!(status_within(&error), status);
    }
}
