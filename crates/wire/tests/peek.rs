//! What is peeked from a request.
#![allow(clippy::unwrap_used)]

use tollgate_wire::peek::{Peek, peek};

fn found(model: Option<&str>, stream: bool) -> Peek {
    Peek { model: model.map(str::to_owned), stream, ..Peek::default() }
}

#[test]
fn only_the_top_level_counts() {
    let cases = [
        (r#"{"model":"m","stream":true}"#, found(Some("m"), true)),
        (r#"{"messages":[{"model":"x","stream":true}],"model":"m"}"#, found(Some("m"), false)),
        (r#"{"model":"a","model":"b","stream":true,"stream":false}"#, found(Some("b"), false)),
        (r#"{"mod\u0065l":"m\u00e9"}"#, found(Some("mé"), false)),
        (r#"{"model":7,"stream":"true"}"#, found(None, false)),
        (r#"{"model":null,"stream":null}"#, found(None, false)),
        ("  {}\n", found(None, false)),
        ("[]", found(None, false)),
    ];
    for (body, expected) in cases {
        assert_eq!(peek(body.as_bytes()).unwrap(), expected, "{body}");
    }
}

#[test]
fn what_is_not_json_is_malformed_and_says_where() {
    for body in ["", "{", "{\"model\":\"m\"", "{\"model\":\"m\"}}", "nonsense", "\"m\"", "7", "{\"a\":\u{1}}"] {
        let error = peek(body.as_bytes()).unwrap_err();
        assert!(error.to_string().starts_with("request body: expected JSON, found "), "{error}");
    }
}

#[test]
fn a_form_names_its_model() {
    let body = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.mp3\"\r\nContent-Type: audio/mpeg\r\n\r\n\
                \u{0}\u{1}\r\n--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\ngpt-4o-transcribe\r\n--b\r\n\
                Content-Disposition: form-data; name=\"stream\"\r\n\r\ntrue\r\n--b--\r\n";
    assert_eq!(peek(body.as_bytes()).unwrap(), found(Some("gpt-4o-transcribe"), true));
    assert_eq!(peek(b"--b\r\n\r\n").unwrap(), Peek::default());
}

#[test]
fn how_it_wants_to_be_served_is_heard() {
    let body = br#"{"model":"m","service_tier":"Flex","size":"1024x1792","web_search_options":{"search_context_size":"high"},"n":1}"#;
    let terms = peek(body).unwrap().terms;
    assert_eq!((terms.tier.as_deref(), terms.size.as_deref()), (Some("flex"), Some("1024x1792")));
    assert_eq!((terms.depth.as_deref(), terms.quality), (Some("high"), None));
    assert_eq!(tollgate_wire::peek::letters(r#"{"voice":"a","input":"hé\n!"}"#.as_bytes()), 4);
    assert_eq!(tollgate_wire::peek::letters(br#"{"input":["a"]}"#), 0);
}
