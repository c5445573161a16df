//! Policies as the specification tells them.

#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};
use tollgate_model::Metadata;

use super::*;
use crate::metadata;

fn policy(body: Value) -> Result<Policy, Vec<Fault>> {
    let text = |name: &str, or: &str| body[name].as_str().unwrap_or(or).to_owned();
    let body = PolicyBody {
        name: text("name", "p"),
        actor: text("actor", "all"),
        resource: body.get("resource").cloned().unwrap_or(json!("*")),
        condition: text("condition", "true"),
        action: body["action"].clone(),
    };
    Policy::compile("id", &body)
}

fn policies(bodies: &[Value]) -> Policies {
    Policies::new(bodies.iter().map(|body| Arc::new(policy(body.clone()).unwrap())).collect())
}

fn ann() -> Identity {
    Identity {
        id: Some("u1".into()),
        email: Some("ann@example.com".into()),
        groups: Some(vec!["eng".into(), "ops".into()]),
        custom: vec![("plan".into(), "gold".into())],
        country: Some("DE".into()),
    }
}

fn judged(policies: &Policies, identity: &Identity, metadata: &str, model: &str) -> Verdict {
    let metadata = metadata::read(metadata);
    policies.judge("g", &Who { identity, metadata: &metadata }, "openai", model)
}

fn limit(amount: u64, period: &str) -> Value {
    json!({ "type": "limit", "amount": amount, "period": period, "technique": "named-interval" })
}

fn checked(verdict: Verdict) -> Vec<(String, Period, i64)> {
    let Verdict::Check(buckets) = verdict else { panic!("{verdict:?}") };
    buckets.into_iter().map(|each| (each.id, each.period, each.limit.nanos() / 1_000_000_000)).collect()
}

#[test]
fn without_policies_everything_is_allowed_and_with_them_what_matches_none_is_not() {
    assert_eq!(judged(&policies(&[]), &ann(), "", "m"), Verdict::NoLimit);
    let other = policies(&[json!({ "resource": { "provider": "anthropic" }, "action": { "type": "no-limit" } })]);
    assert_eq!(judged(&other, &ann(), "", "m"), Verdict::Block(None));
}

#[test]
fn a_block_is_stronger_than_anything_else() {
    let both = policies(&[
        json!({ "action": { "type": "no-limit" } }),
        json!({ "name": "stop", "resource": { "model": "gpt-5*" }, "condition": "\"eng\" in cf.user.groups", "action": { "type": "block" } }),
    ]);
    assert_eq!(judged(&both, &ann(), "", "gpt-5.5"), Verdict::Block(Some("stop".into())));
    assert_eq!(judged(&both, &ann(), "", "o4"), Verdict::NoLimit);
    let sales = Identity { groups: Some(vec!["sales".into()]), ..ann() };
    assert_eq!(judged(&both, &sales, "", "gpt-5.5"), Verdict::NoLimit);
}

#[test]
fn a_block_with_a_missing_field_applies_and_anything_else_does_not() {
    let nobody = Identity::default();
    let block = policies(&[
        json!({ "action": { "type": "no-limit" } }),
        json!({ "name": "stop", "condition": "cf.user.email == 'x'", "action": { "type": "block" } }),
    ]);
    assert_eq!(judged(&block, &nobody, "", "m"), Verdict::Block(Some("stop".into())));
    let free =
        policies(&[json!({ "condition": "cf.user.email.endsWith('@example.com')", "action": { "type": "no-limit" } })]);
    assert_eq!(judged(&free, &nobody, "", "m"), Verdict::Block(None));
    assert_eq!(judged(&free, &ann(), "", "m"), Verdict::NoLimit);
    // Nor can a block be switched off by metadata of another type.
    let typed = policies(&[
        json!({ "action": { "type": "no-limit" } }),
        json!({ "name": "stop", "condition": "metadata.team == 'red' && metadata.level > 3", "action": { "type": "block" } }),
    ]);
    assert_eq!(judged(&typed, &ann(), r#"{"team":"red","level":"high"}"#, "m"), Verdict::Block(Some("stop".into())));
    assert_eq!(judged(&typed, &ann(), r#"{"team":"blue","level":"high"}"#, "m"), Verdict::NoLimit);
}

#[test]
fn a_block_of_everything_except_lets_its_resource_pass() {
    let only = policies(&[
        json!({ "name": "only", "resource": { "model": "openai/gpt-5*" }, "action": { "type": "block", "except": true } }),
    ]);
    assert_eq!(judged(&only, &ann(), "", "gpt-5.5"), Verdict::NoLimit);
    assert_eq!(judged(&only, &ann(), "", "o4"), Verdict::Block(Some("only".into())));
}

#[test]
fn limits_are_grouped_by_actor_and_resource() {
    let all = policies(&[
        json!({ "actor": "user:{cf.user.email}", "action": limit(50, "weekly") }),
        json!({ "actor": "user:{cf.user.email}", "action": limit(80, "weekly") }),
        json!({ "actor": "user:{cf.user.email}", "action": limit(10, "daily") }),
        json!({ "actor": "team:{metadata.team}", "resource": { "provider": "openai" }, "action": limit(7, "monthly") }),
        json!({ "actor": "x:{metadata.missing}", "action": limit(1, "hourly") }),
    ]);
    let found = checked(judged(&all, &ann(), r#"{"team":"red"}"#, "m"));
    let user = || "user:ann@example.com|*".to_owned();
    assert_eq!(
        found,
        [(user(), Period::Weekly, 80), (user(), Period::Daily, 10), ("team:red|openai".into(), Period::Monthly, 7)]
    );
}

#[test]
fn a_bucket_with_a_no_limit_is_not_checked() {
    let all = policies(&[
        json!({ "actor": "a", "action": limit(1, "daily") }),
        json!({ "actor": "a", "condition": "'ops' in cf.user.groups", "action": { "type": "no-limit" } }),
        json!({ "actor": "b", "action": limit(2, "daily") }),
    ]);
    assert_eq!(checked(judged(&all, &ann(), "", "m")), [("b|*".to_owned(), Period::Daily, 2)]);
    let sales = Identity { groups: Some(Vec::new()), ..ann() };
    assert_eq!(checked(judged(&all, &sales, "", "m")).len(), 2);
}

#[test]
fn what_is_wrong_is_told_with_its_member_line_and_column() {
    for (condition, said) in [
        ("cf.user.id ==", "line 1, column 14: Syntax error: mismatched input '<EOF>'"),
        ("true &&\n  metadata.team = 'a'", "line 2, column 17: Syntax error"),
        (
            "cf.user.id == 'a' &&\n user.email == 'b'",
            "line 2, column 2: there is no user; there are cf.user, cf.custom, cf.country and metadata",
        ),
        ("cf.user.email.lower() == 'a'", "line 1, column 20: there is no function lower"),
        ("1 + 1", "line 1, column 1: expected a boolean, found int"),
        ("cf.user.id.matches('(')", "line 1, column 20: not a regular expression"),
        ("Message{a: 1} == 2", "line 1"),
        ("[1].all(a, [1].all(b, [1].all(c, a == b)))", "line 1, column 30: more than 2 loops within each other"),
        ("", "String must contain"),
    ] {
        let faults = policy(json!({ "condition": condition, "action": { "type": "block" } })).unwrap_err();
        assert_eq!(faults[0].member, ["condition"], "{condition}");
        assert!(faults[0].said.starts_with(said), "{condition}: {}", faults[0].said);
    }
    let faults = policy(json!({ "actor": "{cf.nope}", "resource": 1, "action": { "type": "limit" } })).unwrap_err();
    assert_eq!(
        faults.iter().map(|fault| fault.member.join(".")).collect::<Vec<_>>(),
        ["actor", "resource", "action.amount"]
    );
}

/// Cases of the public CEL specification (github.com/google/cel-spec, tests/simple/testdata) over the types that fields can have.
#[test]
fn conditions_conform_to_the_specification_of_cel() {
    let metadata = r#"{"team":"red","n":7,"x":2.5,"on":true,"none":null}"#;
    let (ann, read) = (ann(), metadata::read(metadata));
    let fields = Fields::of(&Who { identity: &ann, metadata: &read });
    for (file, cases) in CONFORMANCE {
        for (condition, found) in *cases {
            let compiled =
                Condition::compile(condition).unwrap_or_else(|fault| panic!("{file}: {condition}: {}", fault.said));
            assert_eq!(compiled.is_met(&fields), *found, "{file}: {condition}");
        }
    }
}

use Found::{False, True, Unknown};

type Cases = &'static [(&'static str, Found)];

const CONFORMANCE: &[(&str, Cases)] = &[
    (
        "basic",
        &[
            ("true", True),
            ("!false", True),
            ("'' == \"\"", True),
            ("r'\\n' == '\\\\n'", True),
            ("0x55555555 == 1431655765", True),
            ("-42 == 0 - 42", True),
            ("1.5e-3 == 0.0015", True),
            ("b'abc' == b'abc'", True),
            ("null == null", True),
            ("[] == []", True),
            ("{} == {}", True),
            ("'''x\ny''' == 'x\\ny'", True),
            ("metadata.none == null", True),
        ],
    ),
    (
        "logic",
        &[
            ("true && true", True),
            ("true && false", False),
            ("false || true", True),
            ("false || false", False),
            ("!true", False),
            ("true ? true : false", True),
            ("false ? true : false", False),
            ("metadata.missing == 1 || true", True),
            ("true || metadata.missing == 1", True),
            ("metadata.missing == 1 && false", False),
            ("false && metadata.missing == 1", False),
            ("metadata.missing == 1 && true", Unknown),
            ("metadata.missing == 1 || false", Unknown),
            ("!metadata.team", Unknown),
            ("1 / 0 > 0 || true", True),
            ("false ? 1 / 0 > 0 : true", True),
        ],
    ),
    (
        "comparisons",
        &[
            ("1 == 1", True),
            ("1 == 2", False),
            ("1 != 2", True),
            ("1 == 1.0", True),
            ("1u == 1", True),
            ("'a' == 'A'", False),
            ("'a' < 'b'", True),
            ("'abc' <= 'abc'", True),
            ("'b' > 'a'", True),
            ("2 >= 3", False),
            ("1 < 1.5", True),
            ("-1 < 1u", True),
            ("true > false", True),
            ("b'a' < b'b'", True),
            ("[1, 2] == [1, 2]", True),
            ("[1, 2] == [2, 1]", False),
            ("{'a': 1} == {'a': 1.0}", True),
            ("{'a': 1} != {'b': 1}", True),
            ("'1' == 1", False),
            ("null != 1", True),
            ("'a' < 1", Unknown),
        ],
    ),
    (
        "integer_math",
        &[
            ("1 + 2 * 3 == 7", True),
            ("(1 + 2) * 3 == 9", True),
            ("7 / 2 == 3", True),
            ("-7 / 2 == -3", True),
            ("7 % 4 == 3", True),
            ("-7 % 4 == -3", True),
            ("9223372036854775807 + 1 > 0", Unknown),
            ("1 / 0 == 1", Unknown),
            ("1 % 0 == 1", Unknown),
            ("0u - 1u == 0u", Unknown),
            ("- -1 == 1", True),
            ("-(-9223372036854775808) > 0", Unknown),
        ],
    ),
    (
        "fp_math",
        &[
            ("0.5 + 0.25 == 0.75", True),
            ("1.0 / 0.0 > 1.0", True),
            ("2.5 * 2.0 == 5.0", True),
            ("1 + 1.0 == 2.0", Unknown),
        ],
    ),
    (
        "string",
        &[
            ("size('') == 0", True),
            ("size('four') == 4", True),
            ("'übér'.size() == 4", True),
            ("'foobar'.startsWith('foo')", True),
            ("'foobar'.startsWith('bar')", False),
            ("''.startsWith('')", True),
            ("'foobar'.endsWith('bar')", True),
            ("'foobar'.contains('oba')", True),
            ("'foobar'.contains('')", True),
            ("'hubba'.matches('ubb')", True),
            ("'hubba'.matches('^ubb')", False),
            ("matches('abc', '[a-z]+')", True),
            ("'grey'.matches('gr(a|e)y')", True),
            ("'ab' + 'c' == 'abc'", True),
            ("'x'.matches(metadata.team + '(')", Unknown),
        ],
    ),
    (
        "lists",
        &[
            ("'eng' in cf.user.groups", True),
            ("'sales' in cf.user.groups", False),
            ("1 in [1.0, 2.0]", True),
            ("3 in []", False),
            ("[1, 2] + [3] == [1, 2, 3]", True),
            ("[7, 8][1] == 8", True),
            ("[7, 8][2] == 8", Unknown),
            ("size(cf.user.groups) == 2", True),
            ("cf.user.groups[0] == 'eng'", True),
            ("cf.user.groups == ['eng', 'ops']", True),
        ],
    ),
    (
        "fields",
        &[
            ("metadata.team == 'red'", True),
            ("metadata['team'] == 'red'", True),
            ("'team' in metadata", True),
            ("'nope' in metadata", False),
            ("metadata.nope == 1", Unknown),
            ("has(metadata.team)", True),
            ("has(metadata.nope)", False),
            ("has(cf.user.email)", True),
            ("has(cf.custom.plan) && cf.custom.plan == 'gold'", True),
            ("has(cf.nope.x)", Unknown),
            ("cf.country == 'DE'", True),
            ("metadata.n == 7 && metadata.x == 2.5 && metadata.on", True),
            ("metadata.n > 6.9", True),
            ("cf.user.id == 'u1'", True),
            ("{'a': {'b': 1}}.a.b == 1", True),
            ("size(metadata) == 5", True),
        ],
    ),
    (
        "macros",
        &[
            ("cf.user.groups.exists(g, g == 'ops')", True),
            ("cf.user.groups.all(g, g.size() == 3)", True),
            ("[].all(x, x > 0)", True),
            ("[].exists(x, x > 0)", False),
            ("[1, 2, 3].exists_one(x, x > 2)", True),
            ("[1, 2, 3].exists_one(x, x > 1)", False),
            ("[1, 2, 3].map(x, x * 2) == [2, 4, 6]", True),
            ("[1, 2, 3].filter(x, x > 1) == [2, 3]", True),
            ("[1, 2, 3].exists(x, x / 0 == 1 || x == 2)", True),
            ("[1, 2].all(x, [3, 4].all(y, x < y))", True),
            ("metadata.exists(k, k == 'team')", True),
            ("[1, 0].exists(x, 1 / x == 5)", Unknown),
        ],
    ),
    (
        "conversions",
        &[
            ("int('42') == 42", True),
            ("int(3.9) == 3", True),
            ("int('x') == 1", Unknown),
            ("double('1.5') == 1.5", True),
            ("string(7) == '7'", True),
            ("uint(7) == 7u", True),
            ("uint(-1) == 0u", Unknown),
            ("string(true) == 'true'", True),
            ("bool('true')", True),
            ("type(1) == int", True),
            ("type('a') == string", True),
            ("type(metadata.n) == int", True),
            ("dyn(1) == 1", True),
            ("bytes('a') == b'a'", True),
        ],
    ),
];

#[test]
fn no_text_makes_a_condition_panic() {
    let words = [
        "cf",
        ".",
        "user",
        "groups",
        "metadata",
        "[",
        "]",
        "(",
        ")",
        "1",
        "'a'",
        " in ",
        "&&",
        "||",
        "!",
        "==",
        "<",
        "?",
        ":",
        "{",
        "}",
        ",",
        "has",
        "all",
        "x",
        "-",
        "9223372036854775807",
        "u",
        "+",
        "/",
        "%",
        "\n",
        "\"",
        "size",
        "matches",
        "true",
        "null",
        "b'",
        "e5",
        "é",
    ];
    let (identity, metadata) = (ann(), Metadata::default());
    let fields = Fields::of(&Who { identity: &identity, metadata: &metadata });
    let mut state = 7_u64;
    let mut compiled = 0;
    for _ in 0..3_000 {
        let mut text = String::new();
        for _ in 0..(state >> 60) + 2 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            text.push_str(words[(state >> 33) as usize % words.len()]);
        }
        if let Ok(condition) = Condition::compile(&text) {
            compiled += 1;
            condition.is_met(&fields);
        }
    }
    assert!(compiled > 0, "nothing was worth trying");
}
