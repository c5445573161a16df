//! The verbs of the table, here and on a server: one answer. And what programs rely on: exit statuses, completions, the page's examples.
#![allow(clippy::unwrap_used)]

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

fn tollgate(data: &Path, words: &[String], input: &str, variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tollgate"));
    for name in ["TOLLGATE_CONFIG", "TOLLGATE_CONFIG_FILE", "TOLLGATE_URL", "TOLLGATE_TOKEN", "TOLLGATE_ACCOUNT"] {
        command.env_remove(name);
    }
    command.args(words).envs(variables.iter().copied()).env("TOLLGATE_DATA_DIR", data).current_dir(data);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // One that does not read its input may have ended already.
    drop(child.stdin.take().unwrap().write_all(input.as_bytes()));
    child.wait_with_output().unwrap()
}

/// As a shell cuts it, with single quotes.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let line = line.split(" < ").next().unwrap_or_default();
    for (index, part) in line.split('\'').enumerate() {
        match index % 2 {
            0 => words.extend(part.split_whitespace().map(str::to_owned)),
            _ => words.push(part.to_owned()),
        }
    }
    words
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

struct Server(Child, String);

impl Server {
    fn start(data: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tollgate"));
        command.args(["serve", "--listen", "127.0.0.1:0", "--json", "--data-dir"]).arg(data);
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut banner = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut banner).unwrap();
        let banner: Value = serde_json::from_str(&banner).unwrap();
        Self(process, banner["listening"].as_str().unwrap().trim_end_matches('/').to_owned())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// What differs between two makings of one thing.
fn comparable(text: &str) -> String {
    let digits = |word: &str| word.chars().filter(char::is_ascii_digit).count();
    let is_made_up = |word: &&str| (word.len() >= 16 && digits(word) >= 6) || digits(word) >= 10;
    let cut = |char: char| !(char.is_ascii_alphanumeric() || matches!(char, '-' | '_' | ':' | '.' | '…'));
    let mut same = text.to_owned();
    for word in text.split(cut).filter(is_made_up) {
        same = same.replace(word, "#");
    }
    same.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn here_and_there_say_the_same() {
    let (near, far) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let made = tollgate(far.path(), &words("token create --name me --permissions admin --json"), "", &[]);
    let token: Value = serde_json::from_slice(&made.stdout).unwrap();
    tollgate(near.path(), &words("token create --name me --permissions admin --json"), "", &[]);
    // A server makes what it needs when it starts.
    drop(Server::start(near.path()));
    let server = Server::start(far.path());
    let there = [("TOLLGATE_URL", server.1.as_str()), ("TOLLGATE_TOKEN", token["token"].as_str().unwrap())];
    let lines = [
        "gateway create shop --cache-ttl 60 --json",
        "gateway list",
        "gateway update shop --rate-limit 10 --json",
        "gateway show shop --json",
        "gateway show shpo",
        "gateway create shop",
        "gateway create Upper",
        "gateway url openai --gateway nope",
        r#"dataset create dear --gateway shop --filters '[{"key":"cost","operator":"gt","value":[1]}]' --json"#,
        "dataset show dear --gateway shop --json",
        "dataset update dear --gateway shop --name dearer --json",
        "dataset list --gateway shop",
        "evaluation types",
        "evaluation create weekly --gateway shop --dataset dearer --json",
        "evaluation list --gateway shop",
        r#"route create r --gateway shop --elements '[{"id":"s","type":"start","outputs":{"next":"m"}},{"id":"m","type":"model","properties":{"provider":"openai","model":"x"},"outputs":{"success":"e","fallback":"e"}},{"id":"e","type":"end"}]' --json"#,
        "route list --gateway shop",
        "route explain r --gateway shop",
        "route get r --gateway shop --json",
        "route rename r other --gateway shop --json",
        "route delete other --gateway shop",
        r#"policy create p --gateway shop --action '{"type":"block"}' --commit"#,
        "policy list --gateway shop",
        "policy delete p --gateway shop",
        "key create openai --gateway shop --json",
        "key list --gateway shop",
        "store list",
        "secret create s1 --scopes workers --json",
        "secret list --limit 1",
        "secret update s1 --comment two --json",
        "secret delete s1",
        "custom-provider create acme --slug acme --base-url https://models.example.com/v1 --json",
        "custom-provider update acme --enable false --json",
        "custom-provider delete acme",
        "domain create ai.example.com --gateway shop --json",
        "domain delete ai.example.com --gateway shop",
        "token show nope",
        "token groups",
        "credits book 500 --description first --json",
        "credits balance",
        "credits list",
        "log list --gateway shop",
        "log delete --all --gateway shop --json",
        "cache purge shop",
        "model list --limit 2",
        "gateway delete shop",
        "gateway list --json",
    ];
    for line in lines {
        let input = "fake-value-of-nobody-0123";
        let (here, there) =
            (tollgate(near.path(), &words(line), input, &[]), tollgate(far.path(), &words(line), input, &there));
        assert_eq!(here.status.code(), there.status.code(), "{line}\n{}\n{}", text(&here.stderr), text(&there.stderr));
        for (here, there) in [(here.stdout, there.stdout), (here.stderr, there.stderr)] {
            // Who did it is the operator here, and the holder of a token there.
            let told = |bytes: &[u8]| comparable(&text(bytes).replace("operator", "me"));
            assert_eq!(told(&here), told(&there), "{line}");
        }
    }
}

#[test]
fn exit_statuses_tell_what_went_wrong() {
    let data = tempfile::tempdir().unwrap();
    let reader = tollgate(data.path(), &words("token create --name r --permissions read --json"), "", &[]);
    let reader: Value = serde_json::from_slice(&reader.stdout).unwrap();
    let server = Server::start(data.path());
    let url = server.1.as_str();
    let good = reader["token"].as_str().unwrap();
    for (line, variables, code, hint) in [
        ("gateway list", vec![("TOLLGATE_URL", url), ("TOLLGATE_TOKEN", good)], 0, ""),
        ("gateway lits", vec![], 2, "list"),
        ("gateway list", vec![("TOLLGATE_URL", url), ("TOLLGATE_TOKEN", "tg_no")], 3, "tollgate token create"),
        ("gateway create g", vec![("TOLLGATE_URL", url), ("TOLLGATE_TOKEN", good)], 3, "needed: write, admin"),
        ("gateway show nope", vec![], 4, "tollgate gateway list"),
        ("gateway create Upper", vec![], 5, "lower-case"),
        ("gateway list", vec![("TOLLGATE_URL", "http://127.0.0.1:1"), ("TOLLGATE_TOKEN", "x")], 6, "Is it running?"),
        ("gateway list", vec![("TOLLGATE_URL", url)], 1, "TOLLGATE_TOKEN"),
    ] {
        let output = tollgate(data.path(), &words(line), "", &variables);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{line}: {said}");
        assert!(said.contains(hint), "{line}: {said}");
    }
}

#[test]
fn completions_know_the_nouns_and_their_verbs() {
    let data = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish"] {
        let script = text(&tollgate(data.path(), &words(&format!("completions {shell}")), "", &[]).stdout);
        for word in ["custom-provider", "evaluation", "purge", "cache-ttl"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
}

/// Blocks that begin with `console` are typed as they stand: lines after `$`, and between them what they print; `…` is anything.
#[test]
fn the_page_shows_what_happens() {
    let data = tempfile::tempdir().unwrap();
    let page = include_str!("../../../docs/cli.md");
    let mut count = 0;
    for block in page.split("```console\n").skip(1) {
        let block = block.split("```").next().unwrap();
        for step in block.split("$ tollgate ").skip(1) {
            let (line, expected) = step.split_once('\n').unwrap();
            let output = tollgate(data.path(), &words(line), "sk-fake-key-of-nobody-0123", &[]);
            let said = text(&output.stdout) + &text(&output.stderr);
            for wanted in expected.lines().filter(|line| !line.trim().is_empty()) {
                let parts: Vec<&str> = wanted.split('…').map(str::trim).collect();
                let there = |line: &str| parts.iter().all(|part| line.contains(part));
                assert!(said.lines().any(there), "{line} does not say {wanted:?} but:\n{said}");
            }
            count += 1;
        }
    }
    assert!(count > 10, "{count} lines");
}
