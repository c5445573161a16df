//! The law: what serde_json takes for JSON is passed over, and nothing else is.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use serde::de::IgnoredAny;

use super::*;

fn is_json(text: &[u8]) -> bool {
    let mut json = Json::new(text);
    json.skip().and_then(|()| json.end()).is_ok()
}

/// serde_json looks at the letters of a string only where somebody wants it, so both leave them alone here.
fn agrees(text: &[u8]) -> bool {
    is_json(text) == serde_json::from_slice::<IgnoredAny>(text).is_ok()
}

#[test]
fn faults_are_found_where_they_are() {
    for (text, said) in [
        ("", "no value at byte 0"),
        ("nul", "no value at byte 0"),
        ("[1,]", "no value at byte 3"),
        ("[1 2]", "neither a comma nor a closing bracket at byte 3"),
        ("{\"a\" 1}", "no colon after a name at byte 5"),
        ("{\"a\":1,}", "no name of a member at byte 7"),
        ("{} {}", "more than one value at byte 3"),
        ("-", "a broken number at byte 0"),
        ("1.e5", "a broken number at byte 0"),
        ("\"\\x\"", "a string with an escape that does not exist at byte 0"),
        ("\"\\u12g4\"", "a string with an escape that does not exist at byte 0"),
        ("\"a\nb\"", "a string with a control character at byte 0"),
        ("[\"a", "a string without an end at byte 1"),
        ("[1]]", "more than one value at byte 3"),
        ("[1}", "neither a comma nor a closing bracket at byte 2"),
    ] {
        let mut json = Json::new(text.as_bytes());
        let fault = json.skip().and_then(|()| json.end()).unwrap_err();
        assert_eq!(fault.to_string(), said, "{text}");
        assert!(agrees(text.as_bytes()), "{text}");
    }
}

#[test]
fn brackets_nest_up_to_a_bound() {
    let nested = |depth: usize| [vec![b'['; depth], vec![b']'; depth]].concat();
    assert!(is_json(&nested(Open::DEPTH_MAX)));
    assert!(!is_json(&nested(Open::DEPTH_MAX + 2)));
    assert!(!is_json(&vec![b'['; 1 << 20]));
    let mixed = r#"{"a":["#.repeat(300) + &"]}".repeat(300);
    assert!(is_json(mixed.as_bytes()) && !is_json(mixed.replacen("]}", "}]", 1).as_bytes()));
}

/// A byte at every distance from a string's beginning: the search changes its ways thirty-two bytes in.
#[test]
fn no_byte_is_overlooked_wherever_it_stands() {
    for length in 0..100 {
        for byte in 0..=u8::MAX {
            let mut text = [b"\"", &vec![b'x'; length][..], b"\""].concat();
            text.insert(1 + length / 2, byte);
            assert!(agrees(&text), "{byte} in {length}");
            text.insert(1, 0x80);
            assert!(agrees(&text), "{byte} in {length}, after a high byte");
        }
    }
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        ".{0,40}".prop_map(Into::into),
        "[ -~\n\"\\\\]{0,80}".prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 64, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
            prop::collection::vec((".{0,30}", inner), 0..6)
                .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn documents_pass_and_their_faults_do_not(value in json(), pretty: bool, cut: prop::sample::Index, byte: u8) {
        let text = if pretty { serde_json::to_vec_pretty(&value) } else { serde_json::to_vec(&value) }.unwrap();
        prop_assert!(is_json(&text));
        let mut broken = text.clone();
        broken[cut.index(text.len())] = byte;
        prop_assert!(agrees(&broken), "{}", String::from_utf8_lossy(&broken));
        prop_assert!(agrees(&text[..cut.index(text.len())]));
    }

    #[test]
    fn pieces_of_json_in_any_order_are_judged_alike(
        pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..12)
    ) {
        let text = pieces.concat();
        prop_assert!(agrees(text.as_bytes()), "{}", text);
    }

    #[test]
    fn strings_are_read_as_they_were_written(text in ".{0,80}") {
        let written = serde_json::to_vec(&text).unwrap();
        let Ok(Token::Text(quoted)) = Json::new(&written).value() else { return Err(TestCaseError::fail("no string")) };
        prop_assert!(quoted.find(&[("", ()), (&text, ())]).is_some() && quoted.is_empty() == text.is_empty());
        prop_assert_eq!(quoted.text().unwrap(), text);
    }
}

const PIECES: [&str; 24] = [
    "{", "}", "[", "]", ",", ":", " ", "\n", "\"a\"", "\"", "\\", "\\u00e9", "0", "-", "1", "01", ".", "5", "e", "E+",
    "true", "false", "null", "\t",
];
