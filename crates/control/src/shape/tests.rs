//! Shapes: what is dropped, filled in and refused, and in which words.

use super::*;
use serde_json::json;

static RULE: Shape = Shape::Object(&[
    Member { name: "on", shape: Shape::Flag, presence: Presence::Default("true"), doc: "" },
    Member { name: "n", shape: Shape::Whole { min: 1, max: 5 }, presence: Presence::Required, doc: "" },
    Member { name: "word", shape: Shape::Word(&["a", "b"]), presence: Presence::Optional, doc: "" },
    Member { name: "text", shape: Shape::Text { min: 1, max: 3 }, presence: Presence::RequiredOrNull, doc: "" },
]);
static RULES: Shape = Shape::List { of: &RULE, max: 2 };

fn read(shape: &Shape, value: &Value) -> Result<Value, Vec<String>> {
    let mut faults = Vec::new();
    match shape.read(value, &mut Vec::new(), &mut faults) {
        Some(read) => Ok(read),
        None => Err(faults.iter().map(Fault::to_string).collect()),
    }
}

#[test]
fn unknown_members_are_dropped_and_defaults_filled_in() {
    let value = json!([{"n": 5.0, "text": null, "word": null, "other": {"x": 1}}]);
    assert_eq!(read(&RULES, &value), Ok(json!([{"on": true, "n": 5, "text": null}])));
}

#[test]
fn all_faults_are_told_at_once_with_their_places() {
    let value = json!([{"on": "yes", "n": 0, "word": "c", "text": "long"}, {"n": 1.5}]);
    let expected = [
        "0.on: Expected boolean, received string",
        "0.n: Number must be greater than or equal to 1",
        "0.word: Invalid enum value. Expected 'a' | 'b', received 'c'",
        "0.text: String must contain at most 3 character(s)",
        "1.n: Expected integer, received float",
        "1.text: Required",
    ];
    assert_eq!(read(&RULES, &value), Err(expected.map(str::to_owned).to_vec()));
}

#[test]
fn each_shape_names_what_it_expected() {
    let cases: [(&Shape, Value, &str); 10] = [
        (&Shape::Flag, json!(1), "Expected boolean, received number"),
        (&Shape::TEXT, json!([]), "Expected string, received array"),
        (&Shape::Positive, json!(0), "Number must be greater than 0"),
        (&Shape::Url { max: 99 }, json!("not a url"), "Invalid url"),
        (&Shape::Url { max: 99 }, json!("/relative"), "Invalid url"),
        (&Shape::Url { max: 9 }, json!("http://collector.example"), "String must contain at most 9 character(s)"),
        (&Shape::Word(&["a", "b"]), json!(null), "Expected 'a' | 'b', received null"),
        (&RULES, json!([{}, {}, {}]), "Array must contain at most 2 element(s)"),
        (&RULES, json!("x"), "Expected array, received string"),
        (&Shape::Whole { min: 0, max: 9 }, json!(1e300), "Number must be less than or equal to 9"),
    ];
    for (shape, value, expected) in cases {
        assert_eq!(read(shape, &value), Err(vec![expected.to_owned()]), "{value}");
    }
}

#[test]
fn only_listed_keys_are_kept() {
    static FLAGS: Shape = Shape::Word(&["FLAG", "BLOCK"]);
    let keys = Shape::Keys(&["S1", "S2"], &FLAGS);
    assert_eq!(read(&keys, &json!({"S1": "FLAG", "S2": null, "S99": "x"})), Ok(json!({"S1": "FLAG"})));
    assert!(read(&keys, &json!({"S2": "ALLOW"})).is_err());
}
