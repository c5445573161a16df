//! The commands that work without a server, as a shell runs them.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

fn tollgate(data_dir: &Path, line: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tollgate"));
    command
        .env_remove("TOLLGATE_CONFIG")
        .args(line.split_whitespace())
        .arg("--data-dir")
        .arg(data_dir)
        .output()
        .unwrap()
}

fn said(data_dir: &Path, line: &str) -> String {
    let output = tollgate(data_dir, line);
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn json_of(data_dir: &Path, line: &str) -> Value {
    serde_json::from_str(&said(data_dir, &format!("{line} --json"))).unwrap()
}

/// What went wrong, as people read it.
fn refused(data_dir: &Path, line: &str) -> String {
    let output = tollgate(data_dir, line);
    assert!(!output.status.success(), "{line} went through");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_gateway_is_made_changed_shown_and_deleted() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let made = json_of(
        dir,
        "gateway create my-app --authentication true --rate-limit 5 --rate-interval 60 --technique sliding",
    );
    assert_eq!(
        (&made["id"], &made["authentication"], &made["collect_logs"]),
        (&json!("my-app"), &json!(true), &json!(true))
    );
    assert_eq!(
        (&made["cache_ttl"], &made["rate_limiting_limit"], &made["rate_limiting_technique"]),
        (&json!(0), &json!(5), &json!("sliding"))
    );
    let changed = json_of(dir, "gateway update my-app --cache-ttl 300");
    assert_eq!(
        (&changed["cache_ttl"], &changed["rate_limiting_limit"], &changed["authentication"]),
        (&json!(300), &json!(5), &json!(true))
    );
    assert_eq!(json_of(dir, "gateway show my-app"), changed);
    assert_eq!(json_of(dir, "gateway list"), json!([changed]));
    assert!(said(dir, "gateway list").contains("my-app  yes             yes           300"));
    assert_eq!(json_of(dir, "cache purge my-app"), json!({"purged": 0}));
    said(dir, "gateway delete my-app");
    assert_eq!(json_of(dir, "gateway list"), json!([]));
}

#[test]
fn a_token_is_shown_once() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let made = json_of(dir, "token create --name ci --permissions run,read,write --expires-in 90d");
    let names: Vec<&String> = made.as_object().unwrap().keys().collect();
    assert!(names.iter().any(|name| *name == "expires_on") && !names.iter().any(|name| *name == "value"));
    assert_eq!((&made["name"], &made["permissions"]), (&json!("ci"), &json!(["run", "read", "write"])));
    let secret = made["token"].as_str().unwrap();
    assert!(secret.starts_with("tg_") && secret.len() == 46);
    let listed = said(dir, "token list") + &said(dir, "token list --json");
    assert!(listed.contains(made["id"].as_str().unwrap()) && !listed.contains(secret));
    for entry in std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file()) {
        let bytes = std::fs::read(&entry).unwrap();
        assert!(
            !bytes.windows(secret.len()).any(|window| window == secret.as_bytes()),
            "{} holds the secret",
            entry.display()
        );
    }
    said(dir, &format!("token delete {}", made["id"].as_str().unwrap()));
    assert_eq!(json_of(dir, "token list"), json!([]));
}

#[test]
fn a_route_is_made_explained_changed_and_rolled_back() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, model: &str| {
        let path = dir.path().join(name);
        let elements = json!([
            { "id": "s", "type": "start", "outputs": { "next": "c" } },
            { "id": "c", "type": "conditional", "properties": { "conditions": { "metadata.plan": "paid" } },
              "outputs": { "true": "large", "false": "small" } },
            { "id": "large", "type": "model", "properties": { "provider": "anthropic", "model": "large" }, "outputs": { "fallback": "small" } },
            { "id": "small", "type": "model", "properties": { "provider": "openai", "model": model }, "outputs": { "success": "e" } },
            { "id": "e", "type": "end" }
        ]);
        std::fs::write(&path, elements.to_string()).unwrap();
        path.display().to_string()
    };
    let data = dir.path().join("data");
    let dir = data.as_path();
    said(dir, "gateway create default");
    let made = json_of(dir, &format!("route create support --elements {}", file("one.json", "one")));
    assert_eq!((&made["name"], &made["gateway_id"]), (&json!("support"), &json!("default")));
    assert_eq!(json_of(dir, "route get support"), made);
    assert_eq!(json_of(dir, "route list")[0]["id"], made["id"]);
    assert!(said(dir, "route list").contains("support  "));

    let explained = said(dir, r#"route explain support --metadata {"plan":"paid"} --miss large=timeout"#);
    let expected = concat!(
        "openai/one\n",
        "  s      start        next\n",
        "  c      conditional  true      metadata.plan $eq \"paid\": is \"paid\"\n",
        "  large  model        fallback  anthropic/large: missed: timeout\n",
        "  small  model        success   openai/one: answered\n",
    );
    assert_eq!(explained, expected);
    let explained = json_of(dir, &format!("route explain --elements {}", file("two.json", "two")));
    assert_eq!(explained["chosen"], json!({ "openai/two": 1 }));
    assert_eq!(said(dir, "route explain support --last 5"), "no logged request\n");

    let deployed = json_of(dir, &format!("route deploy support --elements {}", file("two.json", "two")));
    assert_eq!(deployed["elements"][3]["properties"]["model"], "two");
    let first = made["version"]["version_id"].as_str().unwrap();
    assert!(said(dir, &format!("route deploy support --version {first}")).contains("deployed version"));
    assert_eq!(json_of(dir, "route get support")["elements"], made["elements"]);

    let broken = dir.join("broken.json");
    std::fs::write(&broken, r#"[{"id":"s","type":"start","outputs":{"next":"x"}}]"#).unwrap();
    for (line, hint) in [
        (
            format!("route create other --elements {}", broken.display()),
            "elements.0.outputs.next.elementId: there is no element",
        ),
        (format!("route create support --elements {}", file("one.json", "one")), "already exists"),
        ("route get nope".to_owned(), "tollgate route list"),
        ("route get suport".to_owned(), "did you mean \"support\"?"),
        ("route deploy support --version nope".to_owned(), "version not found"),
        ("route explain support --miss large=late".to_owned(), "Expected one of timeout"),
        ("route list --gateway nope".to_owned(), "tollgate gateway list"),
    ] {
        let said = refused(dir, &line);
        assert!(said.contains(hint), "{line}: {said}");
    }
}

#[test]
fn a_custom_provider_is_added_changed_and_removed() {
    let dir = tempfile::tempdir().unwrap();
    let headers = dir.path().join("headers.json");
    std::fs::write(&headers, r#"{"X-Api-Key":"sk-fake"}"#).unwrap();
    let data = dir.path().join("data");
    let dir = data.as_path();
    let add = format!("provider custom add acme --base-url https://h.example/v1 --headers {}", headers.display());
    let made = json_of(dir, &add);
    assert_eq!(
        (&made["slug"], &made["name"], &made["enable"], &made["headers"]),
        (&json!("acme"), &json!("acme"), &json!(true), &json!(r#"{"X-Api-Key":"***"}"#))
    );
    for named in ["acme", "custom-acme", made["id"].as_str().unwrap()] {
        assert_eq!(json_of(dir, &format!("provider custom show {named}")), made, "{named}");
    }
    assert_eq!(json_of(dir, "provider custom list"), json!([made]));
    assert!(said(dir, "provider custom list").contains("custom-acme  acme  yes      https://h.example/v1"));
    let changed = json_of(dir, "provider custom edit acme --enable false --slug acme-2 --position 3");
    assert_eq!(
        (&changed["slug"], &changed["enable"], &changed["position"], &changed["headers"]),
        (&json!("acme-2"), &json!(false), &json!(3), &made["headers"])
    );
    let moved = tollgate(dir, "provider custom edit acme-2 --base-url https://elsewhere.example --json");
    assert!(String::from_utf8_lossy(&moved.stderr).contains("headers are gone"));
    assert!(!String::from_utf8_lossy(&moved.stdout).contains("X-Api-Key"));
    assert_eq!(said(dir, "provider custom remove acme-2"), "removed custom-acme-2\n");
    assert_eq!(json_of(dir, "provider custom list"), json!([]));
}

#[test]
fn a_local_model_server_needs_one_setting() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("tollgate.toml");
    std::fs::write(&config, "[egress]\nallow_private = [\"loopback\"]\n").unwrap();
    let data = dir.path().join("data");
    for url in ["http://127.0.0.1:11434/v1", "http://localhost:11434/v1", "http://[::1]:8000"] {
        let add = format!("provider custom add local --base-url {url}");
        let said = refused(&data, &add);
        assert!(said.contains("[egress] allow_private"), "{said}");
        let made = json_of(&data, &format!("{add} --config {}", config.display()));
        assert_eq!(made["base_url"], url);
        self::said(&data, "provider custom remove local");
    }
}

#[test]
fn errors_say_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    said(dir, "gateway create twice");
    for (line, hint) in [
        ("gateway create twice", "tollgate gateway update"),
        ("gateway create Upper", "lower-case letters"),
        ("gateway show nope", "tollgate gateway list"),
        ("gateway show twise", "did you mean \"twice\"?"),
        ("dataset list --gateway twise", "did you mean \"twice\"?"),
        ("gateway update twice --cache-ttl soon", "--cache-ttl is number, found \"soon\""),
        ("gateway update twice --cache-ttl -1", "cache_ttl: Number must be greater than or equal to 0"),
        ("key create openai --gateway twice --secret sk-fake-0123456789", "takes no secret itself"),
        ("provider custom show nope", "tollgate provider custom list"),
        ("provider custom add a_b --base-url https://h.example", "slug: Invalid: only letters, digits and hyphens"),
        ("provider custom add a --base-url http://h.example", "write https://"),
        ("provider custom add a --base-url https://127.0.0.1", "[egress] allow_private"),
        ("provider custom add a --base-url https://0x7f.1", "four decimal numbers"),
        ("provider custom add a", "base_url: Required"),
        ("gateway delete nope", "tollgate gateway list"),
        ("cache purge nope", "tollgate gateway list"),
        ("token create --name t --permissions fly", "read_metadata"),
        ("token create --name t --permissions run --expires-in soon", "90d"),
        ("token delete nope", "tollgate token list"),
        ("log show nope --gateway twice", "no log"),
        ("log show 0199b7c2-6c1e-7d41-9a55-0c3f6f2a1b00 --gateway twice", "no log"),
    ] {
        let said = refused(dir, line);
        assert!(said.contains(hint), "{line}: {said}");
    }
}

#[test]
fn an_empty_log_is_an_empty_answer() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(said(dir.path(), "logs tail"), "");
    assert_eq!(said(dir.path(), "logs tail --json -n 5 --gateway g"), "");
}

#[test]
fn datasets_and_evaluations_are_made_without_a_server() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    said(dir, "gateway create default");
    let filters = r#"[{"key":"cost","operator":"gt","value":[0.05]}]"#;
    let made = json_of(dir, &format!("dataset create dear --filters {filters}"));
    assert_eq!((&made["name"], &made["filters"][0]["key"]), (&json!("dear"), &json!("cost")));
    assert_eq!(json_of(dir, "dataset show dear")["total_logs"], 0);
    assert_eq!(json_of(dir, "dataset list"), json!([made]));
    assert!(refused(dir, "dataset create dear").contains("already exists"));
    assert!(refused(dir, "dataset create other --filters [{\"key\":\"colour\"}]").contains("filters"));
    let evaluated = json_of(dir, "evaluation create weekly --dataset dear --type cost");
    assert_eq!((&evaluated["processed"], &evaluated["results"][0]["status"]), (&json!(true), &json!(3)));
    assert!(said(dir, "evaluation show weekly").contains("No log has a known cost"));
    assert!(said(dir, "evaluation list").contains("weekly"));
    assert_eq!(json_of(dir, "evaluation types").as_array().unwrap().len(), 3);
    said(dir, "evaluation delete weekly");
    assert_eq!(json_of(dir, "evaluation list"), json!([]));
    said(dir, "dataset delete dear");
    assert!(refused(dir, "dataset show dear").contains("tollgate dataset list"));
}

#[test]
fn the_log_is_asked_and_thinned_out_in_one_line() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    said(dir, "gateway create default");
    assert_eq!(said(dir, "log list status:>=400"), "none\n");
    assert!(refused(dir, "logs list colour:red").contains("is not a key"));
    assert_eq!(json_of(dir, "log delete --all --gateway default"), json!({ "deleted": 0 }));
    assert!(refused(dir, "log delete --gateway default").contains("--all"));
    let id = "0199b7c2-6c1e-7d41-9a55-0c3f6f2a1b00";
    assert!(refused(dir, &format!("log patch {id} --feedback maybe")).contains("--feedback is"));
    assert!(refused(dir, &format!("log patch {id} --feedback -1")).contains("no log"));
}
