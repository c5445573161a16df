//! Edits change what they name and keep every other byte.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;

const BODY: &[u8] = b" { \"model\" : \"a\" ,\n\t\"n\":1.50, \"stop\":[ 1 ,2 ],\"n\" : 9e0,\"x\":null } \n";

fn edited(body: &[u8], changes: &[Change<'_>]) -> String {
    String::from_utf8(edit(body, changes).unwrap().body.into_owned()).unwrap()
}

#[test]
fn keeps_every_other_byte() {
    let cases: [(Change<'_>, &str); 8] = [
        (
            Change::Set { name: "model", value: "\"b\"".into() },
            " { \"model\" : \"b\" ,\n\t\"n\":1.50, \"stop\":[ 1 ,2 ],\"n\" : 9e0,\"x\":null } \n",
        ),
        (
            Change::Clamp { name: "n", min: None, max: Some(2.0) },
            " { \"model\" : \"a\" ,\n\t\"n\":1.50, \"stop\":[ 1 ,2 ],\"n\" : 2,\"x\":null } \n",
        ),
        (Change::Drop { name: "n" }, " { \"model\" : \"a\", \"stop\":[ 1 ,2 ],\"x\":null } \n"),
        (Change::Drop { name: "model" }, " { \"n\":1.50, \"stop\":[ 1 ,2 ],\"n\" : 9e0,\"x\":null } \n"),
        (
            Change::Rename { name: "n", to: "m\"" },
            " { \"model\" : \"a\" ,\n\t\"m\\\"\":1.50, \"stop\":[ 1 ,2 ],\"m\\\"\" : 9e0,\"x\":null } \n",
        ),
        (Change::Rename { name: "n", to: "model" }, " { \"model\" : \"a\", \"stop\":[ 1 ,2 ],\"x\":null } \n"),
        (
            Change::Default { name: "x", value: "7".into() },
            " { \"model\" : \"a\" ,\n\t\"n\":1.50, \"stop\":[ 1 ,2 ],\"n\" : 9e0,\"x\":7 } \n",
        ),
        (
            Change::Set { name: "y", value: "{}".into() },
            " { \"model\" : \"a\" ,\n\t\"n\":1.50, \"stop\":[ 1 ,2 ],\"n\" : 9e0,\"x\":null,\"y\":{} } \n",
        ),
    ];
    for (change, after) in cases {
        assert_eq!(edited(BODY, std::slice::from_ref(&change)), after, "{change:?}");
    }
}

#[test]
fn says_what_was_done() {
    let changes = [
        Change::Drop { name: "not there" },
        Change::Drop { name: "n" },
        Change::Default { name: "model", value: "\"z\"".into() },
        Change::Clamp { name: "stop", min: Some(5.0), max: None },
        Change::Require { name: "model" },
    ];
    assert_eq!(edit(BODY, &changes).unwrap().done, [Done { change: 1, was: Some("9e0".into()) }]);
    let untouched = edit(BODY, &changes[2..]).unwrap();
    assert!(matches!(untouched.body, Cow::Borrowed(BODY)));
    let missing = edit(BODY, &[Change::Require { name: "x" }]).unwrap_err();
    assert_eq!(missing.to_string(), "x: expected a value: the provider requires one, found nothing");
}

#[test]
fn takes_objects_alone() {
    for body in [&b""[..], b"[]", b"7", b"{", b"{} x", b"{\"a\":}", b"\xff"] {
        assert!(edit(body, &[]).is_err(), "{body:?}");
    }
    assert_eq!(edited(b"{ }", &[Change::Set { name: "a", value: "1".into() }]), "{\"a\":1 }");
    assert_eq!(edited(b"{\"a\":1}", &[Change::Drop { name: "a" }]), "{}");
    assert_eq!(set(b"{\"mod\\u0065l\":\"a\"}", "model", "b\"").unwrap().as_ref(), b"{\"mod\\u0065l\":\"b\\\"\"}");
}

/// The same changes on a tree.
fn on_tree(tree: &mut Map<String, Value>, change: &Change<'_>) {
    let value = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    let has = |tree: &Map<String, Value>, name: &str| tree.get(name).is_some_and(|value| !value.is_null());
    match change {
        Change::Set { name, value: text } => drop(tree.insert((*name).into(), value(text))),
        Change::Default { name, value: text } if !has(tree, name) => drop(tree.insert((*name).into(), value(text))),
        Change::Drop { name } => drop(tree.remove(*name)),
        Change::Rename { name, to } => {
            let had = has(tree, name);
            if let Some(value) = tree.remove(*name).filter(|_| had && !has(tree, to)) {
                tree.insert((*to).into(), value);
            }
        }
        Change::Clamp { name, min, max } => {
            if let Some(number) = tree.get(*name).and_then(Value::as_f64) {
                let clamped = number.max(min.unwrap_or(f64::MIN)).min(max.unwrap_or(f64::MAX));
                if clamped != number {
                    tree.insert((*name).into(), json!(clamped as i64));
                }
            }
        }
        _ => {}
    }
}

const NAMES: [&str; 4] = ["a", "b", "\u{e4}\"", ""];

fn change() -> impl Strategy<Value = Change<'static>> {
    let (name, other) = (prop::sample::select(&NAMES), prop::sample::select(&NAMES));
    (0..5u8, name, other, -3..3i64).prop_map(|(kind, name, to, number)| match kind {
        0 => Change::Set { name, value: number.to_string().into() },
        1 => Change::Default { name, value: format!("[{number}]").into() },
        2 => Change::Drop { name },
        3 if name != to => Change::Rename { name, to },
        _ => Change::Clamp { name, min: Some(-1.0), max: Some(1.0) },
    })
}

/// Objects as text, with blanks and escapes, names that come again and values that hold anything.
fn object() -> impl Strategy<Value = String> {
    let blank = || prop::sample::select(&["", " ", "\n\t"][..]);
    let name = prop::sample::select(&["\"a\"", "\"b\"", "\"\\u0061\"", "\"\u{e4}\\\"\"", "\"\"", "\"other\""][..]);
    let value =
        prop::sample::select(&["1", "-7.5e0", "null", "\"a,}\\\"\"", "[{\"a\":[ ]} ]", "{ \"b\" : 2}", "true"][..]);
    let member = (blank(), name, blank(), value, blank());
    let member = member.prop_map(|(one, name, two, value, three)| format!("{one}{name}{two}:{two}{value}{three}"));
    (prop::collection::vec(member, 0..7), blank())
        .prop_map(|(members, blank)| format!("{blank}{{{blank}{}}}{blank}", members.join(",")))
}

proptest! {
    #[test]
    fn nothing_to_do_is_nothing_done(body in object()) {
        let untouched = edit(body.as_bytes(), &[]).unwrap();
        prop_assert!(matches!(untouched.body, Cow::Borrowed(_)));
        // The members put together again are the text, too.
        prop_assert_eq!(Members::read(body.as_bytes()).unwrap().write(), body.as_bytes());
    }

    #[test]
    fn is_the_edit_of_the_tree(body in object(), changes in prop::collection::vec(change(), 0..5)) {
        let mut tree: Map<String, Value> = serde_json::from_str(&body).unwrap();
        let after = edited(body.as_bytes(), &changes);
        let parsed: Map<String, Value> = serde_json::from_str(&after).unwrap();
        changes.iter().for_each(|change| on_tree(&mut tree, change));
        prop_assert!(parsed == tree, "{} became {}, not {:?}", body, after, tree);
    }

    #[test]
    fn no_bytes_panic(body in prop::collection::vec(any::<u8>(), 0..60), changes in prop::collection::vec(change(), 0..5)) {
        let _ = edit(&body, &changes);
    }
}
