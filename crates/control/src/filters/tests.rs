//! The captured queries of all clients, and what is refused.

#![allow(clippy::unwrap_used)]

use super::*;
use crate::query::Query;

/// Keys, operators, values; and how many values each filter gets, if there is one way.
type Grouped<'a> = (&'a [&'a str], &'a [&'a str], &'a [&'a str], Option<&'a [usize]>);
type Plain = (Field, Operator, Vec<Value>);

fn decode(raw: &str) -> Result<Vec<Plain>, String> {
    let query = Query::parse(raw);
    let mut reader = query.reader();
    let read = super::read(&mut reader);
    match reader.finish() {
        Ok(()) => {
            Ok(read.into_iter().map(|condition| (condition.field, condition.operator, condition.values)).collect())
        }
        Err(problem) => Err(format!("{problem:?}")),
    }
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

/// Provider in {openai, anthropic}, cost > 0.5, a metadata key "a b", cached.
fn four(key_values: Vec<Value>) -> Vec<Plain> {
    vec![
        (Field::Provider, Operator::Eq, vec![text("openai"), text("anthropic")]),
        (Field::Cost, Operator::Gt, vec![Value::Number(0.5)]),
        (Field::MetadataKey, Operator::Eq, key_values),
        (Field::Cached, Operator::Eq, vec![Value::Flag(true)]),
    ]
}

#[test]
fn the_captured_queries_of_all_clients_mean_the_same() {
    let python = "filters.key=provider&filters.key=cost&filters.key=metadata.key&filters.key=cached&filters.operator=eq\
        &filters.operator=gt&filters.operator=eq&filters.operator=eq&filters.value=openai&filters.value=anthropic\
        &filters.value=0.5&filters.value=a+b&filters.value=true";
    assert_eq!(decode(python).unwrap(), four(vec![text("a b")]));
    let npm = "filters.key=provider&filters.operator=eq&filters.value=openai&filters.value=anthropic&filters.key=cost\
        &filters.operator=gt&filters.value=0.5&filters.key=metadata.key&filters.operator=eq&filters.value=a%20b\
        &filters.value=&filters.key=cached&filters.operator=eq&filters.value=true";
    assert_eq!(decode(npm).unwrap(), four(vec![text("a b"), Value::Null]));
    let json = "filters=%5B%7B%22key%22%3A%22provider%22%2C%22operator%22%3A%22eq%22%2C%22value%22%3A%5B%22openai%22%2C%22anthropic%22%5D%7D\
        %2C%7B%22key%22%3A%22cost%22%2C%22operator%22%3A%22gt%22%2C%22value%22%3A%5B0.5%5D%7D\
        %2C%7B%22key%22%3A%22metadata.key%22%2C%22operator%22%3A%22eq%22%2C%22value%22%3A%5B%22a%20b%22%2Cnull%5D%7D\
        %2C%7B%22key%22%3A%22cached%22%2C%22operator%22%3A%22eq%22%2C%22value%22%3Atrue%7D%5D";
    assert_eq!(decode(json).unwrap(), four(vec![text("a b"), Value::Null]));
    let brackets = "filters[0][key]=provider&filters[0][operator]=eq&filters[0][value][]=openai&filters[0][value][]=anthropic\
        &filters[1][key]=cost&filters[1][operator]=gt&filters[1][value]=0.5&filters%5B2%5D%5Bkey%5D=metadata.key\
        &filters[2][operator]=eq&filters[2][value][0]=a+b&filters[3][key]=cached&filters[3][operator]=eq&filters[3][value]=true";
    assert_eq!(decode(brackets).unwrap(), four(vec![text("a b")]));
}

#[test]
fn one_filter_works_in_every_form() {
    let cost = vec![(Field::Cost, Operator::Lt, vec![Value::Number(2.0)])];
    for form in [
        "filters.key=cost&filters.operator=lt&filters.value=2",
        "filters={\"key\":\"cost\",\"operator\":\"lt\",\"value\":\"2\"}",
        "filters=[{\"key\":\"cost\",\"operator\":\"lt\",\"value\":2}]",
        "filters[7][key]=cost&filters[7][operator]=lt&filters[7][value]=2",
    ] {
        assert_eq!(decode(form).unwrap(), cost, "{form}");
    }
    assert!(decode("filters.value=9&filters.key=cost").is_err());
    assert_eq!(decode("page=1&per_page=5").unwrap(), []);
    assert_eq!(decode("filters=").unwrap(), []);
}

#[test]
fn grouped_values_are_shared_out_when_there_is_one_way() {
    let grouped = |keys: &[&str], operators: &[&str], values: &[&str]| {
        let pairs =
            |name: &str, list: &[&str]| list.iter().map(|each| format!("filters.{name}={each}")).collect::<Vec<_>>();
        decode(&[pairs("key", keys), pairs("operator", operators), pairs("value", values)].concat().join("&"))
    };
    let counts = |found: Result<Vec<Plain>, String>| {
        found.map(|plain| plain.iter().map(|(_, _, values)| values.len()).collect::<Vec<_>>())
    };
    let cases: [Grouped<'_>; 10] = [
        (&["model", "provider"], &["eq", "eq"], &["m", "p"], Some(&[1, 1])),
        (&["model", "cost"], &["eq", "gt"], &["m", "n", "o", "0.5"], Some(&[3, 1])),
        (&["cost", "model"], &["gt", "neq"], &["0.5", "m", "n"], Some(&[1, 2])),
        // A contains takes one value, so the surplus is the other's.
        (&["model", "provider"], &["contains", "eq"], &["m", "p", "q"], Some(&[1, 2])),
        (&["created_at", "model"], &["gt", "eq"], &["2026-11-18T00:00:00Z", "a", "b"], Some(&[1, 2])),
        // Two lists and nothing between them: could be cut anywhere.
        (&["model", "provider"], &["eq", "eq"], &["m", "n", "p"], None),
        (&["model", "cost"], &["eq", "gt"], &["m", "n"], None),
        // The SDK dropped a null: only feedback can be null.
        (&["feedback", "model"], &["eq", "eq"], &["m"], Some(&[1, 1])),
        (&["provider", "model"], &["eq", "eq"], &["m"], None),
        (&["cost", "duration", "cached"], &["gt", "lt", "eq"], &["1", "2", "true"], Some(&[1, 1, 1])),
    ];
    for (keys, operators, values, expected) in cases {
        let found = counts(grouped(keys, operators, values));
        match expected {
            Some(expected) => assert_eq!(found.unwrap(), expected, "{keys:?} {values:?}"),
            None => assert!(found.is_err(), "{keys:?} {values:?}: {found:?}"),
        }
    }
    let null = grouped(&["feedback", "model"], &["eq", "eq"], &["m"]).unwrap();
    assert_eq!(null[0].2, [Value::Null]);
    assert!(decode("filters.key=model&filters.key=cost&filters.operator=eq&filters.value=m").is_err());
}

#[test]
fn faults_name_the_filter() {
    let cases = [
        (
            "filters=[{\"key\":\"colour\",\"operator\":\"eq\",\"value\":1}]",
            "Array [String(\"query\"), String(\"filters\"), Number(0), String(\"key\")]",
        ),
        ("filters=[{\"key\":\"model\",\"operator\":\"like\",\"value\":1}]", "String(\"operator\")"),
        ("filters=[{\"key\":\"model\",\"operator\":\"eq\"}]", "String(\"value\")"),
        ("filters=[{\"key\":\"cost\",\"operator\":\"gt\",\"value\":\"dear\"}]", "Expected number, received string"),
        ("filters=[{\"key\":\"cached\",\"operator\":\"eq\",\"value\":1}]", "Expected boolean, received number"),
        ("filters=[{\"key\":\"created_at\",\"operator\":\"gt\",\"value\":\"soon\"}]", "Invalid datetime"),
        ("filters=[1", "expected a JSON array"),
        ("filters[x][key]=model", "expected filters[0][key]"),
    ];
    for (raw, expected) in cases {
        let said = decode(raw).unwrap_err();
        assert!(said.contains(expected) && said.contains("7001"), "{raw}: {said}");
    }
    let many = vec!["{\"key\":\"model\",\"operator\":\"eq\",\"value\":\"m\"}"; 51].join(",");
    assert!(decode(&format!("filters=[{many}]")).is_err());
}

#[test]
fn a_metadata_value_belongs_to_the_only_key_that_is_named() {
    let of = |keys: &str| {
        let value = "{\"key\":\"metadata.value\",\"operator\":\"eq\",\"value\":\"a\"}";
        decode(&format!("filters=[{value}{keys}]")).unwrap().remove(0).0
    };
    let key = |name: &str| format!(",{{\"key\":\"metadata.key\",\"operator\":\"eq\",\"value\":\"{name}\"}}");
    assert_eq!(of(&key("team")), Field::MetadataValue(Some("team".to_owned())));
    assert_eq!(of(""), Field::MetadataValue(None));
    assert_eq!(of(&(key("team") + &key("env"))), Field::MetadataValue(None));
}

#[test]
fn flat_parameters_are_conditions() {
    let query = Query::parse("provider=openai&success=false&min_cost=0.5&max_total_tokens=9&feedback=-1");
    let mut reader = query.reader();
    let read: Vec<Plain> = flat::read(&mut reader).into_iter().map(|c| (c.field, c.operator, c.values)).collect();
    let expected = [
        (Field::Provider, Operator::Eq, vec![text("openai")]),
        (Field::Success, Operator::Eq, vec![Value::Flag(false)]),
        (Field::Cost, Operator::AtLeast, vec![Value::Number(0.5)]),
        (Field::Tokens, Operator::AtMost, vec![Value::Number(9.0)]),
        (Field::Feedback, Operator::Eq, vec![Value::Number(-1.0)]),
    ];
    assert_eq!(read, expected);
    assert!(reader.finish().is_ok());
}
