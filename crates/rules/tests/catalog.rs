//! The price list as it ships, how names are found in it, and what its build refuses.

#![allow(clippy::unwrap_used)]

use std::collections::HashSet;

use tollgate_rules::catalog::layers::Asker;
use tollgate_rules::catalog::{Catalog, names, sheet};

const NOW: u64 = 1_795_262_400_000;

#[track_caller]
fn id(provider: &str, name: &str) -> Option<String> {
    Catalog::builtin().model(provider, name).map(|model| model.id.clone())
}

fn sheet_with(rates: &str) -> String {
    format!("[[model]]\nid = \"m-1\"\n[[model.prices]]\nsource = \"https://example.com\"\nrates = {{ {rates} }}\n")
}

#[test]
fn every_price_that_ships_has_a_source_and_says_something() {
    let catalog = Catalog::builtin();
    let mut count = 0;
    for provider in catalog.providers() {
        for model in catalog.all(provider) {
            count += 1;
            for price in &model.prices {
                assert!(!price.source.is_empty() && price.rates != Default::default(), "{provider} {}", model.id);
            }
            assert_eq!(id(provider, &model.id), Some(model.id.clone()), "{provider} finds its own id");
            assert_eq!(id(provider, &model.id.to_ascii_uppercase()), Some(model.id.clone()), "whatever the case");
            for alias in &model.aliases {
                assert_eq!(id(provider, alias).as_ref(), Some(&model.id), "{provider} {alias}");
            }
        }
    }
    assert!(count > 1_500, "only {count} models");
    assert_eq!(catalog.version().len(), 16);
}

#[test]
fn providers_that_we_have_rows_for_have_a_sheet() {
    let sheets: HashSet<&str> = Catalog::builtin().providers().collect();
    for provider in [
        "openai",
        "anthropic",
        "google-ai-studio",
        "google-vertex-ai",
        "aws-bedrock",
        "azure-openai",
        "azure",
        "workers-ai",
        "grok",
        "groq",
        "mistral",
        "cohere",
        "perplexity-ai",
        "deepseek",
        "cerebras",
        "openrouter",
        "hf-router",
        "replicate",
        "baseten",
        "fireworks",
        "together",
        "voyage",
        "sandbox",
    ] {
        assert!(sheets.contains(provider), "{provider}");
    }
}

#[test]
fn nothing_is_free_unless_its_name_says_so() {
    let catalog = Catalog::builtin();
    for provider in catalog.providers() {
        for model in catalog.all(provider) {
            let rates = model.prices.iter().map(|price| &price.rates);
            let free = rates.clone().any(|rates| rates.input == Some(0) && rates.output.is_none_or(|rate| rate == 0));
            assert!(!free || model.id.ends_with(":free"), "{provider} {} costs nothing", model.id);
        }
    }
}

#[test]
fn names_are_found_as_people_and_providers_write_them() {
    for (provider, name, expected) in [
        ("openai", "gpt-4o-mini", "gpt-4o-mini"),
        ("openai", "GPT-4o-Mini", "gpt-4o-mini"),
        ("openai", "openai/gpt-4o-mini", "gpt-4o-mini"),
        ("openai", "gpt-4o-mini-2031-01-02", "gpt-4o-mini"),
        ("anthropic", "claude-sonnet-4-6-20260217", "claude-sonnet-4-6"),
        ("anthropic", "anthropic/claude-haiku-4-5-latest", "claude-haiku-4-5"),
        ("google-ai-studio", "models/gemini-2.5-flash-preview-05-20", "gemini-2.5-flash"),
        ("google-ai-studio", "gemini-2.5-flash-preview-09-2025", "gemini-2.5-flash"),
        ("google-vertex-ai", "claude-3-5-haiku@20991231", "claude-3-5-haiku"),
        ("aws-bedrock", "apac.meta.llama3-70b-instruct-v1:0", "meta.llama3-70b-instruct-v1:0"),
        ("aws-bedrock", "anthropic.claude-3-haiku-20240307-v1:0:48k", "anthropic.claude-3-haiku-20240307-v1:0"),
        ("sandbox", "any/name", "sandbox"),
    ] {
        assert_eq!(id(provider, name).as_deref(), Some(expected), "{provider} {name}");
    }
}

#[test]
fn what_may_change_the_price_is_never_cut() {
    for (provider, name) in [
        ("openai", "gpt-4o-mini:free"),
        ("openai", "gpt-4o-mini-turbo"),
        ("openai", "gpt-4o-mini-0613"),
        ("mistral", "mistral-large-2399"),
        ("hf-router", "meta-llama/Llama-3.1-8B-Instruct"),
        ("openai", "-2024-01-01"),
        ("openai", "@"),
        ("openai", "/"),
        ("openai", ""),
    ] {
        assert_eq!(id(provider, name), None, "{provider} {name}");
    }
    assert_eq!(id("openai", &"a".repeat(100_000)), None);
    assert_eq!(id("openai", &"-2024-01-01".repeat(40)), None);
}

#[test]
fn the_least_changed_spelling_comes_first() {
    let arn = "arn:aws:bedrock:eu-west-1:1:inference-profile/eu.maker.model-20240620-v1:0";
    let spellings = [
        "eu.maker.model-20240620-v1:0",
        "maker.model-20240620-v1:0",
        "arn:aws:bedrock:eu-west-1:1:inference-profile/eu.maker.model-20240620-v1",
        "eu.maker.model-20240620-v1",
        "maker.model-20240620-v1",
    ];
    assert_eq!(names::shortened(arn)[..5], spellings);
    assert!(names::shortened(arn).contains(&"maker.model"));
    assert_eq!(names::shortened("plain"), Vec::<&str>::new());
}

#[test]
fn a_price_begins_and_ends_on_its_day() {
    let catalog = Catalog::builtin();
    let rate = |at_ms| catalog.find("google-ai-studio", "gemini-4-argon", at_ms).unwrap().price.rates.input;
    let december = 1_796_083_200_000;
    assert_eq!(rate(december - 1), Some(2_000_000_000));
    assert_eq!(rate(december), Some(4_000_000_000));
    assert!(rate(0).is_some() && rate(u64::MAX).is_some());
    assert!(catalog.find("sandbox", "sandbox", NOW).is_some());
}

#[test]
fn figures_are_read_exactly() {
    let read = |text: &str| {
        sheet::read(&sheet_with(&format!("input = \"{text}\""))).map(|models| models[0].prices[0].rates.input)
    };
    for (text, expected) in
        [("0.0375", 37_500_000), ("0", 0), ("1e-9", 1), ("30", 30_000_000_000), ("0.00875", 8_750_000)]
    {
        assert_eq!(read(text), Ok(Some(expected)), "{text}");
    }
}

#[test]
fn a_tier_names_only_what_differs() {
    let text = sheet_with("input = \"1\", output = \"2\"") + "tiers = [{ above = 10, rates = { input = \"3\" } }]\n";
    let models = sheet::read(&text).unwrap();
    let tier = &models[0].prices[0].tiers[0];
    assert_eq!(
        (tier.above_input_tokens, tier.rates.input, tier.rates.output),
        (10, Some(3_000_000_000), Some(2_000_000_000))
    );
}

#[test]
fn days_are_counted_from_1970() {
    for (day, expected) in [
        ("1970-01-01", 0),
        ("2000-03-01", 951_868_800_000),
        ("2024-02-29", 1_709_164_800_000),
        ("2026-11-21", 1_795_219_200_000),
    ] {
        let text = sheet_with("input = \"1\"").replace("source", &format!("from = {day}\nsource"));
        assert_eq!(sheet::read(&text).unwrap()[0].prices[0].from_ms, expected, "{day}");
    }
}

#[test]
fn the_build_refuses_what_is_doubtful_and_names_it() {
    let good = sheet_with("input = \"1\"");
    assert!(sheet::read(&good).is_ok());
    for (text, problem) in [
        (sheet_with("input = \"1,5\""), "m-1: input: expected dollars as a decimal number"),
        (sheet_with("input = \"-1\""), "m-1: input: expected dollars per million between 0 and 10000"),
        (sheet_with("input = \"10001\""), "m-1: input: expected dollars per million between"),
        (sheet_with("input = \"0.0000000001\""), "m-1: input: expected dollars as a decimal number with at most 9"),
        (sheet_with("inputs = \"1\""), "m-1: unknown class \"inputs\""),
        (sheet_with("input = 1.5"), "file: "),
        (sheet_with(""), "m-1: expected a source and at least one rate"),
        (format!("{good}{good}"), "m-1: the name \"m-1\" is there twice"),
        (good.replace("id = \"m-1\"", "id = \"m-1\"\naliases = [\"M-1\"]"), "m-1: the name \"M-1\" is there twice"),
        (good.replace("m-1", "m*1"), "m*1: expected a name"),
        (good.replace("https://example.com", ""), "m-1: expected a source"),
        (good.replace("source", "colour = 1\nsource"), "file: "),
        (good.replace("source", "from = 2026-01-02\nto = 2026-01-02\nsource"), "m-1: a price ends before it begins"),
        (
            good.replace("source", "hours = { from = 04:00:00, to = 01:00:00 }\nsource"),
            "m-1: expected hours that end later",
        ),
        (
            good.clone() + "[[model.prices]]\nsource = \"x\"\nrates = { input = \"2\" }\n",
            "m-1: expected prices with the newest first",
        ),
        (
            good + "tiers = [{ above = 2, rates = {} }, { above = 1, rates = {} }]\n",
            "m-1: expected tiers with the lowest first",
        ),
    ] {
        let refused = sheet::read(&text).unwrap_err().to_string();
        assert!(refused.starts_with(problem), "{text}\n{refused}\nexpected {problem}");
    }
}

const FILE: &str = r#"
[[provider.openai.model]]
id = "gpt-5"
prices = [{ from = 2026-11-01, source = "contract", rates = { input = "1", output = "8" } }]
[[custom]]
gateway = "support"
[[custom.provider.openai.model]]
id = "gpt-5"
aliases = ["gpt-5*"]
prices = [{ source = "internal", rates = { input = "2", output = "16" } }]
[[custom]]
token = "t-1"
[[custom.provider.openai.model]]
id = "gpt-5"
prices = [{ source = "internal", rates = { input = "3", output = "24" } }]
"#;

#[test]
fn the_operator_s_prices_lie_over_the_list_the_most_special_first() {
    let catalog = Catalog::with(FILE).unwrap();
    assert_ne!(catalog.version(), Catalog::builtin().version());
    let rate = |gateway, token, model, at_ms| {
        let found = catalog.find_for(Asker { gateway, token }, "openai", model, at_ms).unwrap();
        (found.price.rates.input.unwrap() / 1_000_000, found.custom)
    };
    assert_eq!(rate("other", None, "gpt-5", NOW), (1_000, false));
    assert_eq!(rate("support", None, "gpt-5", NOW), (2_000, true));
    assert_eq!(rate("support", Some("t-1"), "gpt-5", NOW), (3_000, true));
    assert_eq!(rate("support", Some("t-1"), "gpt-5-mini", NOW), (2_000, true));
    // Before its first day the list below stands, and so it does for what the file does not name.
    assert_eq!(rate("other", None, "gpt-5", 1_760_000_000_000), (1_250, false));
    assert_eq!(rate("other", Some("t-1"), "gpt-5-mini", NOW), (250, false));
}

#[test]
fn a_faulty_price_file_is_refused_with_its_place() {
    for (text, problem) in [
        ("[[custom]]\nprovider = {}\n".to_owned(), "custom[0]: expected either a gateway or a token"),
        (FILE.replace("\"1\"", "\"-1\""), "provider.openai: gpt-5: input: expected dollars per million"),
        (FILE.replace("\"24\"", "\"x\""), "custom[1].provider.openai: gpt-5: output: expected dollars"),
        (FILE.replace("t-1", "t\"1"), "file: TOML parse error at line"),
        (FILE.replace("token = \"t-1\"", "gateway = \"support\""), "custom: Gateway(\"support\") is there twice"),
    ] {
        let refused = Catalog::with(&text).err().unwrap().to_string();
        assert!(refused.starts_with(problem), "{refused}\nexpected {problem}");
    }
}

#[test]
fn other_ways_of_being_served_have_prices_of_their_own() {
    let variants = "variants = [{ tier = \"flex\", rates = { input = \"0.5\" } }, { region = \"us\", factor = \"1.1\" }, { depth = \"high\", rates = { request = \"7\" } }]\n";
    let price = sheet::read(&(sheet_with("input = \"1\", request = \"5\"") + variants)).unwrap()[0].prices[0].clone();
    let input = |at: usize| {
        (price.variants[at].rates.input.unwrap() / 1_000_000, price.variants[at].rates.request.unwrap() / 1_000_000_000)
    };
    // The more special first: flex in the US, high in the US, the US, flex, high.
    assert_eq!(
        [input(0), input(1), input(2), input(3), input(4)],
        [(550, 5), (1_100, 7), (1_100, 5), (500, 5), (1_000, 7)]
    );
    for (variant, problem) in [
        ("{ rates = { input = \"1\" } }", "m-1: expected a variant that says when it counts"),
        ("{ tier = \"flex\" }", "m-1: expected a variant with rates or a factor"),
        (
            "{ tier = \"flex\", factor = \"0.5\", rates = { input = \"1\" } }",
            "m-1: expected a variant with either rates or a factor",
        ),
        ("{ tier = \"flex\", factor = \"0.0000001\" }", "m-1: factor: expected dollars"),
        ("{ teir = \"flex\", factor = \"0.5\" }", "file: "),
    ] {
        let text = format!("{}variants = [{variant}]\n", sheet_with("input = \"1\""));
        let refused = sheet::read(&text).unwrap_err().to_string();
        assert!(refused.starts_with(problem), "{variant}: {refused}");
    }
}
