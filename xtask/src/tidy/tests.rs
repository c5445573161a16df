//! Every rule fires on a bad sample and is silent on a good one.

use std::collections::BTreeSet;

use super::rust::Code;
use super::tree::{Dependency, File, Package, Tree};
use super::{RULES, broken};

/// Rule, file, text, and the lines that must be found (0: the file as a whole).
type Sample = (&'static str, &'static str, &'static str, &'static [usize]);

const ENGINE: &str = "crates/engine/src/a.rs";

const SAMPLES: &[Sample] = &[
    ("provider-names", ENGINE, "if name == \"acme\" {}", &[1]),
    ("provider-names", ENGINE, "if \"acme\" != name {}", &[1]),
    ("provider-names", ENGINE, "if name == Some(\"acme\") {}", &[1]),
    ("provider-names", ENGINE, "match name {\n    \"acme\" => 1,\n    \"other\" | \"acme\" => 2,\n}", &[2, 3]),
    ("provider-names", ENGINE, "match name {\n    Some(\"acme\") if x => 1,\n}", &[2]),
    ("provider-names", ENGINE, "matches!(name, \"acme\")", &[1]),
    ("provider-names", ENGINE, "if let Some(\"acme\") = name {}", &[1]),
    ("provider-names", ENGINE, "name.starts_with(\"acme\")", &[1]),
    ("provider-names", ENGINE, "const FIRST: &str = \"acme\";", &[1]),
    (
        "provider-names",
        ENGINE,
        "warn!(\"acme\"); // == \"acme\"\nlet acme = [\"acme\", \"b\"]; a || b(\"acme\") || c",
        &[],
    ),
    ("provider-names", ENGINE, "#[cfg(test)]\nmod tests { fn a() { name == \"acme\" } }", &[]),
    ("provider-names", "crates/wire/src/a.rs", "if name == \"acme\" {}", &[]),
    (
        "provider-names",
        ENGINE,
        "// tidy-allow(provider-names): the word means something else here\nif name == \"acme\" {}",
        &[],
    ),
    ("provider-names", ENGINE, "// tidy-allow(length): table\nif name == \"acme\" {}", &[1 + 1]),
    ("room-cards", ENGINE, "use a::b;", &[1]),
    ("room-cards", ENGINE, "//! routes\nuse a::b;", &[1]),
    ("room-cards", ENGINE, "//!\n//! Routes.\nuse a::b;", &[1]),
    ("room-cards", ENGINE, "//! Finds the\n//! way.\n//!\n//! more", &[]),
    ("room-cards", "crates/engine/build.rs", "fn main() {}", &[]),
    ("banned", ENGINE, "let now = SystemTime::now();", &[1]),
    ("banned", ENGINE, "use std::time::Instant;", &[1]),
    ("banned", ENGINE, "use std::time::{\n    Duration,\n    Instant,\n};", &[1]),
    ("banned", ENGINE, "use std::time::{Duration};\nuse tokio::time::Instant;", &[]),
    ("banned", "crates/model/src/clock.rs", "use std::time::{Instant, SystemTime};\nSystemTime::now()", &[]),
    ("banned", "crates/engine/tests/a.rs", "use std::time::Instant;", &[]),
    ("banned", ENGINE, "let (a, b) = mpsc::unbounded_channel();", &[1]),
    ("banned", ENGINE, "std::process::Command::new(\"a\")", &[1]),
    ("banned", "crates/app/src/a.rs", "std::process::Command::new(\"a\")", &[]),
    ("banned", ENGINE, "println!(\"a\");\neprintln!(\"a\");\nprint!(\"a\");\neprint!(\"a\");", &[1, 2, 3, 4]),
    ("banned", "crates/engine/build.rs", "println!(\"a\");", &[]),
    ("banned", "xtask/src/a.rs", "println!(\"a\");", &[]),
    ("banned", ENGINE, "TcpStream::connect(a).await", &[1]),
    ("banned", "crates/control/src/a.rs", "HttpConnector::new()", &[1]),
    ("banned", "crates/dial/src/connect.rs", "TcpStream::connect(a).await", &[]),
    ("banned", "crates/wire/src/a.rs", "use std::fs;\nasync fn a() {}\nlet a: Mutex<u8>;", &[1, 2, 3]),
    ("banned", "crates/engine/tests/a.rs", "#[ignore = \"slow\"]\nfn a() { todo!() }", &[1, 2]),
    ("banned", ENGINE, "use crate::*;\nunimplemented!();", &[1, 2]),
    ("banned", "crates/engine/src/a/mod.rs", "", &[0]),
    ("banned", ENGINE, "// println!\nlet a = \"println!\"; let b = r#\"todo!() \"#; my_todo!();", &[]),
    ("privacy", "a.sh", concat!("cd /wo", "rk/tree"), &[1]),
    ("privacy", "a.md", concat!("\n`/ro", "ot/.cargo`"), &[2]),
    ("privacy", "package-lock.json", concat!("  \"resol", "ved\": \"https://a.example/b.tgz\","), &[1]),
    ("privacy", "a.toml", concat!("index = \"https://registry.np", "mjs.org\""), &[1]),
    ("privacy", "a.md", concat!("see a.example/wo", "rk/tree and ~/ro", "ot/"), &[]),
    ("links", "docs/a.md", "[b](b.md)\n[c](../src/c.rs \"c\") [d](/nowhere)", &[1, 2, 2]),
    ("links", "docs/a.md", "[up](../../outside)", &[1]),
    (
        "links",
        "docs/a.md",
        "[a](a.md#b) [b](#b) [c](https://a.example) [d](../catalog) [e](/catalog)\n```\n[x](y)\n```",
        &[],
    ),
    ("catalog", "catalog/providers/half/provider.toml", "base_url = \"https://a.example\"", &[0]),
    ("catalog", "catalog/providers/acme/vectors.toml", "\na = ", &[2]),
    ("catalog", "catalog/providers/Big/provider.toml", "", &[0, 0]),
];

/// A repository with one whole provider, `acme`, and the file in question.
fn tree(path: &str, text: &str) -> Tree {
    let around = ["provider.toml", "vectors.toml"].map(|name| format!("catalog/providers/acme/{name}"));
    let mut files: Vec<File> = around.iter().filter(|other| *other != path).map(|other| File::new(other, "")).collect();
    files.push(File::new(path, text));
    Tree { files, packages: Vec::new() }
}

fn lines_found(rule: &str, tree: &Tree) -> Vec<usize> {
    let rule = RULES.iter().find(|known| known.name == rule).expect("the sample names a rule");
    broken(rule, tree).iter().filter(|finding| !finding.hint).map(|finding| finding.line.unwrap_or(0)).collect()
}

#[test]
fn every_rule_finds_what_is_bad_and_nothing_else() {
    for (rule, path, text, lines) in SAMPLES {
        let mut found = lines_found(rule, &tree(path, text));
        found.sort_unstable();
        assert_eq!(found, *lines, "{rule} on {path}: {text}");
    }
}

#[test]
fn every_rule_has_a_bad_sample() {
    let with_sample: BTreeSet<&str> =
        SAMPLES.iter().filter(|(.., lines)| !lines.is_empty()).map(|(rule, ..)| *rule).collect();
    // These two are about more than a few lines and have tests of their own below.
    let on_their_own = ["floors", "length"];
    for rule in RULES {
        assert!(
            with_sample.contains(rule.name) || on_their_own.contains(&rule.name),
            "{} is never seen to fail",
            rule.name
        );
    }
}

#[test]
fn a_room_stands_only_on_lower_ones() {
    let cases = [
        ("wire", "tollgate-model", None, 0),
        ("wire", "tollgate-rules", None, 1),
        ("wire", "tokio", None, 1),
        ("wire", "tokio", Some("dev"), 0),
        ("rules", "tokio", Some("build"), 1),
        ("store", "tollgate-rules", None, 1),
        ("store", "tokio", None, 0),
        ("engine", "tollgate-control", None, 1),
        ("control", "tollgate-engine", Some("dev"), 1),
        ("control", "tollgate-testkit", Some("dev"), 0),
        ("control", "tollgate-testkit", None, 1),
        ("testkit", "tollgate-model", None, 1),
        ("engine", "tollgate-app", None, 1),
        ("app", "tollgate-engine", None, 0),
        ("bench", "tollgate-app", None, 0),
    ];
    for (room, on, kind, wanted) in cases {
        let dependency = Dependency { name: on.into(), kind: kind.map(str::to_owned) };
        let package = Package { name: format!("tollgate-{room}"), dependencies: vec![dependency] };
        let found = lines_found("floors", &Tree { files: Vec::new(), packages: vec![package] });
        assert_eq!(found.len(), wanted, "{room} on {on} ({kind:?})");
    }
}

#[test]
fn a_long_file_is_a_hint_and_a_longer_one_a_finding() {
    let rule = RULES.iter().find(|rule| rule.name == "length").expect("there is a rule about length");
    for (lines, hints, findings) in [(400, 0, 0), (401, 1, 0), (700, 1, 0), (701, 0, 1)] {
        let found = broken(rule, &tree(ENGINE, &"a();\n".repeat(lines)));
        let hinted = found.iter().filter(|finding| finding.hint).count();
        assert_eq!((hinted, found.len() - hinted), (hints, findings), "{lines} lines");
    }
    let table = format!("// tidy-allow(length): table\n{}", "a();\n".repeat(800));
    assert!(broken(rule, &tree(ENGINE, &table)).is_empty());
}

#[test]
fn a_long_module_says_what_enters_and_what_leaves() {
    let long = "a();\n".repeat(101);
    assert_eq!(lines_found("room-cards", &tree(ENGINE, &format!("//! Walks.\n{long}"))), [1]);
    let bounded = format!("//! Walks.\n//!\n//! Enters: a. Leaves: b.\n{long}");
    assert!(lines_found("room-cards", &tree(ENGINE, &bounded)).is_empty());
}

#[test]
fn strings_comments_and_tests_are_told_from_code() {
    let cases = [
        ("a(\"b\\\"c\") d", "a(      ) d"),
        ("a(r#\"b\"c\"#) d", "a(        ) d"),
        ("b\"x\" 'y' '\\'' &'a str", "              &'a str"),
        ("a /* b /* c */ d */ e // f\ng", "a                   e     \ng"),
        ("'\"' b", "    b"),
        ("'é' \"é\" b", "          b"),
        ("for'r\"x\"", "for'   "),
    ];
    for (text, bare) in cases {
        let code = Code::read(text, true);
        assert_eq!(code.bare.trim_end(), bare.trim_end(), "{text}");
        assert_eq!(code.bare.len(), text.len(), "{text}");
    }
    let code = Code::read(
        "a();\n#[cfg(test)]\nmod tests {\n    fn b() { if x { } }\n}\nc();\n#[cfg(test)]\nmod d;\ne();",
        true,
    );
    assert_eq!(code.shipped.split_whitespace().collect::<Vec<_>>(), ["a();", "c();", "e();"]);
}
