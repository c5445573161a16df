//! The public conformance cases of the Common Expression Language, as far as a condition can say them.
//!
//! Each line of `conformance.txt` is an outcome and an expression, facts taken from the tests of github.com/google/cel-spec (`tests/simple`); what yields
//! another value than a flag is compared with it. `error`: nothing comes of it, so its policy applies if it blocks, and else does not. `refused`: it cannot
//! be saved. `true>refused` is a deviation: the specification says `true`, here it is refused when it is saved. Those there are name things that no request
//! has, or stand in backquotes.
//!
//! Enters: the table. Leaves: the lines that mean something else here. Never: a deviation that turns true into false or false into true.

use super::*;

const TABLE: &str = include_str!("conformance.txt");

/// The same laws, on what requests do have.
const FIELDS: &[(&str, &str)] = &[
    ("true", "cf.user.id == 'u1'"),
    ("true", "cf.user['id'] == 'u1' && cf['user']['email'] == 'ann@example.com'"),
    ("true", "cf.user.email.endsWith('@example.com')"),
    ("false", "cf.user.email.endsWith('@example.org')"),
    ("true", "cf.user.email.matches('^[a-z]+@example[.]com$')"),
    ("true", "'eng' in cf.user.groups"),
    ("false", "'hr' in cf.user.groups"),
    ("true", "cf.user.groups.exists(g, g.startsWith('e')) && !cf.user.groups.all(g, g == 'eng')"),
    ("true", "cf.user.groups.exists_one(g, g == 'ops') && cf.user.groups.filter(g, g == 'ops') == ['ops']"),
    ("true", "cf.user.groups.map(g, size(g)) == [3, 3] && size(cf.user.groups) == 2"),
    ("true", "cf.user.groups[1] == 'eng'"),
    ("error", "cf.user.groups[2] == 'eng'"),
    ("true", "cf.country in ['DE', 'FR']"),
    ("true", "cf.custom.plan == 'pro' && has(cf.custom.plan)"),
    ("false", "has(cf.custom.nope)"),
    ("error", "cf.custom.nope == 'x'"),
    ("true", "cf.custom.nope == 'x' || true"),
    ("false", "cf.custom.nope == 'x' && false"),
    ("error", "cf.custom.nope == 'x' || false"),
    ("true", "!has(cf.custom.nope) || cf.custom.nope == 'x'"),
    ("true", "metadata.team == 'red' ? metadata.n > 5 : metadata.nope"),
    ("true", "metadata.n == 7 && metadata.n == 7.0 && metadata.n != 8"),
    ("true", "metadata.n < 7.5 && metadata.n >= 7 && metadata.n % 4 == 3"),
    ("error", "metadata.n > 'a'"),
    ("error", "metadata.n && true"),
    ("false", "metadata.n == '7'"),
    ("error", "metadata.team > 5"),
    ("true", "metadata.f == 1.5 && int(metadata.f) == 1 && string(metadata.n) == '7'"),
    ("true", "metadata.flag"),
    ("error", "metadata.none"),
    ("true", "metadata.none == null"),
    ("true", "'team' in metadata && !('nope' in metadata)"),
    ("true", "metadata.exists(key, key == 'team')"),
    ("true", "metadata['team'] == 'red'"),
    ("error", "metadata.large + metadata.large > 0"),
    ("error", "metadata.n / 0 > 1"),
    ("true", "metadata.n / 0 > 1 || metadata.team == 'red'"),
    ("refused", "user.email == 'x'"),
    ("refused", "metadata.team = 'red'"),
    ("refused", "metadata.team.upper() == 'RED'"),
    ("refused", "metadata.team.matches('(')"),
    ("refused", "timestamp('2026-01-01T00:00:00Z') > timestamp('2025-01-01T00:00:00Z')"),
    ("refused", "'a' + 'b'"),
    ("refused", "[1].all(a, [1].all(b, [1].all(c, true)))"),
];

fn outcome(expression: &str, who: &Who<'_>) -> &'static str {
    let Ok(condition) = Condition::compile(expression) else { return "refused" };
    match condition.is_met(&Fields::of(who)) {
        Found::True => "true",
        Found::False => "false",
        Found::Unknown => "error",
    }
}

#[test]
fn conditions_mean_what_the_specification_says() {
    let (identity, metadata) = (Identity::default(), Metadata::default());
    let nobody = Who { identity: &identity, metadata: &metadata };
    let (mut cases, mut deviations, mut wrong) = (0, 0, Vec::new());
    for line in TABLE.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (expected, expression) = line.split_once('\t').unwrap();
        let (specified, ours) = expected.split_once('>').unwrap_or((expected, expected));
        assert!(specified == ours || !["true", "false"].contains(&ours), "{line}: wrong is worse than refused");
        cases += 1;
        deviations += usize::from(specified != ours);
        let found = outcome(expression, &nobody);
        if found != ours {
            wrong.push(format!("{specified}>{found}\t{expression}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {cases}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(cases > 800 && deviations < 100, "{cases} cases, {deviations} deviations");
}

#[test]
fn conditions_on_fields_follow_the_same_laws() {
    let identity = Identity {
        id: Some("u1".into()),
        email: Some("ann@example.com".into()),
        groups: Some(vec!["ops".into(), "eng".into()]),
        custom: vec![("plan".into(), "pro".into())],
        country: Some("DE".into()),
    };
    let mut metadata = crate::metadata::read(r#"{"team":"red","n":7,"f":1.5,"flag":true,"none":null}"#);
    metadata.0.extend(crate::metadata::read(r#"{"large":9223372036854775807}"#).0);
    let who = Who { identity: &identity, metadata: &metadata };
    let found: Vec<_> = FIELDS.iter().map(|(_, expression)| (outcome(expression, &who), *expression)).collect();
    assert_eq!(found, FIELDS);
}

#[test]
fn what_would_take_long_or_go_deep_is_refused_with_its_place() {
    let said = |expression: &str| Condition::compile(expression).unwrap_err().said;
    let list = format!("[{}]", vec!["1"; 150].join(","));
    for (expression, why) in [
        (format!("{} > 0", vec!["1"; 1_000].join("+")), "more than 128 levels"),
        (format!("{}true{}", "(".repeat(1_000), ")".repeat(1_000)), ""),
        (format!("{list}.all(a, {list}.all(b, a == b))"), "too much work"),
        ("metadata.all(a, metadata.all(b, cf.user.groups.all(c, true)))".to_owned(), "loops"),
    ] {
        let said = said(&expression);
        assert!(said.starts_with("line 1, column ") && said.contains(why), "{said}");
    }
    // Within the bounds: a list of a thousand, and each of somebody's groups beside each of three.
    let many = format!("cf.country in [{}]", vec!["'DE'"; 780].join(","));
    let pairs = "cf.user.groups.exists(a, ['ops', 'eng', 'hr'].exists(b, a + b == 'opseng'))".to_owned();
    let chain = vec!["metadata.team == 'red'"; 100].join(" || ");
    for expression in [many, pairs, chain] {
        let compiled = Condition::compile(&expression);
        assert!(compiled.is_ok(), "{expression:.80}: {:?}", compiled.err());
    }
}
