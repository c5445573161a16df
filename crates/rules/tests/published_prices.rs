//! Costs worked out by hand from the providers' price pages, to the nano-dollar.
//!
//! A row that fails after `cargo xtask prices` means that a price changed, or that a data set is wrong. Look at the page before the row.

#![allow(clippy::unwrap_used)]

use tollgate_model::Usage;
use tollgate_rules::catalog::Catalog;
use tollgate_rules::cost;

/// Saturday, 21 November 2026, noon.
const NOW: u64 = 1_795_262_400_000;
/// Monday after that, 02:00.
const PEAK: u64 = 1_795_399_200_000;
/// Monday, 04:00: the first minute after the peak.
const AFTER_PEAK: u64 = 1_795_406_400_000;
/// Sunday, 02:00.
const SUNDAY: u64 = 1_795_312_800_000;
/// The last minute and the first of o3's two prices: 9 June 2025, 23:59, and 10 June.
const O3_BEFORE: u64 = 1_749_513_540_000;
const O3_AFTER: u64 = 1_749_513_600_000;

fn usage(input: u64, output: u64) -> Usage {
    Usage { input, output, ..Usage::default() }
}

fn nanos(provider: &str, model: &str, usage: &Usage, at_ms: u64) -> Option<i64> {
    let catalog = Catalog::builtin();
    let found = catalog.find(provider, model, at_ms)?;
    Some(cost::of(usage, found.price)?.total.nanos())
}

#[track_caller]
fn check(provider: &str, rows: &[(&str, Usage, i64)]) {
    for (model, usage, expected) in rows {
        assert_eq!(nanos(provider, model, usage, NOW), Some(*expected), "{provider} {model} {usage:?}");
    }
}

/// <https://platform.openai.com/docs/pricing>
#[test]
fn openai() {
    let cached = Usage { cache_read: 600, ..usage(400, 100) };
    check(
        "openai",
        &[
            ("gpt-4", usage(9, 12), 270_000 + 720_000),
            ("gpt-4-0613", usage(9, 12), 990_000),
            ("gpt-3.5-turbo-0125", usage(13, 7), 6_500 + 10_500),
            ("gpt-3.5-turbo-0613", usage(100, 50), 150_000 + 100_000),
            ("gpt-3.5-turbo-instruct", usage(4, 16), 6_000 + 32_000),
            ("davinci:2023-07-21-v2", usage(5, 16), 42_000),
            ("gpt-4o-2024-08-06", cached, 1_000_000 + 750_000 + 1_000_000),
            ("gpt-4o-2024-05-13", usage(1000, 1000), 20_000_000),
            ("gpt-4o-mini-2024-07-18", usage(17, 3), 2_550 + 1_800),
            ("gpt-4.1-nano-2025-04-14", Usage { cache_read: 8, ..usage(10, 10) }, 1_000 + 200 + 4_000),
            ("gpt-4.1-2025-04-14", usage(1, 1), 10_000),
            ("gpt-5-2025-08-07", Usage { reasoning: 64, ..usage(7, 10) }, 8_750 + 640_000 + 100_000),
            ("gpt-5-nano-2025-08-07", usage(3, 3), 150 + 1_200),
            ("o1", Usage { cache_read: 10, ..usage(10, 10) }, 150_000 + 75_000 + 600_000),
            ("text-embedding-ada-002-v2", usage(5, 0), 500),
            ("text-embedding-3-small", usage(7, 0), 140),
            ("text-embedding-3-large", usage(3, 0), 390),
        ],
    );
}

/// <https://platform.openai.com/docs/pricing>: past 272,000 input tokens the whole request is dearer.
#[test]
fn openai_long_prompts() {
    check(
        "openai",
        &[
            ("gpt-5.4-2026-03-05", usage(100, 10), 250_000 + 150_000),
            ("gpt-5.4", usage(272_000, 10), 680_000_000 + 150_000),
            ("gpt-5.4", usage(272_001, 10), 1_360_005_000 + 225_000),
            ("gpt-5.4", Usage { cache_read: 272_000, ..usage(1, 0) }, 5_000 + 136_000_000),
        ],
    );
}

/// <https://platform.openai.com/docs/pricing>, audio tokens.
#[test]
fn openai_audio() {
    let spoken = Usage { audio_in: 100, audio_out: 50, ..usage(10, 5) };
    check("openai", &[("gpt-4o-audio-preview", spoken, 25_000 + 4_000_000 + 50_000 + 4_000_000)]);
}

/// <https://openai.com/api/pricing/>: o3 became five times cheaper on 10 June 2025.
#[test]
fn the_price_of_the_day_counts() {
    let thought = Usage { reasoning: 500, ..usage(11, 1000) };
    assert_eq!(nanos("openai", "o3", &thought, O3_BEFORE), Some(110_000 + 60_000_000));
    assert_eq!(nanos("openai", "o3", &thought, O3_AFTER), Some(22_000 + 12_000_000));
    assert_eq!(nanos("openai", "o3-2025-04-16", &thought, NOW), Some(12_022_000));
}

/// <https://www.anthropic.com/pricing#api>
#[test]
fn anthropic() {
    let cached = Usage { cache_read: 1000, cache_write_5m: 200, cache_write_1h: 100, ..usage(3, 50) };
    check(
        "anthropic",
        &[
            ("claude-haiku-4-5-20251001", usage(10, 20), 10_000 + 100_000),
            ("claude-sonnet-4-6", cached, 9_000 + 300_000 + 750_000 + 600_000 + 750_000),
            ("claude-sonnet-4-5-20250929", Usage { searches: 2, ..usage(100, 10) }, 300_000 + 150_000 + 20_000_000),
            ("claude-3-5-haiku-20241022", usage(100, 100), 80_000 + 400_000),
            ("claude-3-5-haiku-latest", usage(100, 100), 480_000),
            ("claude-3-5-sonnet-20240620", usage(17, 221), 51_000 + 3_315_000),
            ("claude-3-opus-20240229", usage(1, 1), 90_000),
            ("claude-3-haiku-20240307", usage(2, 3), 500 + 3_750),
            ("claude-2.1", usage(18, 29), 144_000 + 696_000),
        ],
    );
}

/// <https://ai.google.dev/gemini-api/docs/pricing>, <https://cloud.google.com/vertex-ai/generative-ai/pricing>
#[test]
fn google() {
    check(
        "google-ai-studio",
        &[
            ("gemini-2.5-flash", Usage { reasoning: 20, ..usage(8, 5) }, 2_400 + 50_000 + 12_500),
            ("models/gemini-2.5-flash", Usage { audio_in: 32, ..usage(10, 1) }, 3_000 + 32_000 + 2_500),
            ("gemini-2.5-pro", usage(200_000, 2), 250_000_000 + 20_000),
            ("gemini-2.5-pro", usage(200_001, 2), 500_002_500 + 30_000),
            ("gemini-3.5-flash", usage(4, 4), 6_000 + 36_000),
            ("gemini-embedding-001", usage(10, 0), 1_500),
        ],
    );
    check(
        "google-vertex-ai",
        &[
            ("gemini-2.5-flash", usage(100, 100), 30_000 + 250_000),
            ("publishers/google/models/gemini-2.5-flash", usage(100, 100), 280_000),
            ("claude-sonnet-4-5@20250929", usage(100, 100), 300_000 + 1_500_000),
        ],
    );
}

/// <https://aws.amazon.com/bedrock/pricing/>
#[test]
fn bedrock() {
    let arn = "arn:aws:bedrock:us-east-1:012345678901:inference-profile/us.anthropic.claude-3-7-sonnet-20250219-v1:0";
    check(
        "aws-bedrock",
        &[
            ("amazon.nova-micro-v1:0", usage(3, 7), 105 + 980),
            ("us.amazon.nova-lite-v1:0", usage(10, 10), 600 + 2_400),
            ("amazon.titan-text-express-v1", usage(5, 5), 1_000 + 3_000),
            ("amazon.titan-text-lite-v1", usage(5, 5), 750 + 1_000),
            ("anthropic.claude-v2", usage(10, 10), 320_000),
            ("anthropic.claude-v2:1", usage(10, 10), 320_000),
            ("anthropic.claude-3-sonnet-20240229-v1:0", usage(10, 10), 180_000),
            (arn, usage(1, 1), 18_000),
            // Profiles of one region cost a tenth more than the global one.
            ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", usage(100, 100), 330_000 + 1_650_000),
            ("global.anthropic.claude-sonnet-4-5-20250929-v1:0", usage(100, 100), 300_000 + 1_500_000),
            ("meta.llama3-70b-instruct-v1:0", usage(7, 7), 18_550 + 24_500),
            ("meta.llama2-13b-chat-v1", usage(10, 10), 7_500 + 10_000),
            ("mistral.mistral-7b-instruct-v0:2", usage(9, 9), 1_350 + 1_800),
            ("cohere.command-r-v1:0", usage(10, 10), 5_000 + 15_000),
            ("cohere.command-light-text-v14", usage(10, 10), 3_000 + 6_000),
            ("ai21.j2-mid-v1", usage(10, 10), 250_000),
        ],
    );
}

/// <https://azure.microsoft.com/en-us/pricing/details/cognitive-services/openai-service/>
#[test]
fn azure() {
    check(
        "azure-openai",
        &[
            ("gpt-4.1-mini-2025-04-14", usage(19, 7), 7_600 + 11_200),
            ("gpt-5-nano", usage(3, 3), 1_350),
            ("gpt-35-turbo", usage(10, 10), 5_000 + 15_000),
        ],
    );
    check("azure", &[("claude-sonnet-4-5", usage(1, 1), 18_000)]);
}

/// <https://mistral.ai/pricing/api>, <https://cohere.com/pricing>
#[test]
fn mistral_and_cohere() {
    check(
        "mistral",
        &[
            ("mistral-tiny", usage(11, 9), 5_000),
            ("mistral-large-latest", usage(10, 10), 20_000),
            ("mistral-embed", usage(10, 0), 1_000),
        ],
    );
    check(
        "cohere",
        &[
            ("command", usage(10, 10), 30_000),
            ("command-r-08-2024", usage(10, 10), 1_500 + 6_000),
            ("command-a-03-2025", usage(1, 1), 12_500),
            // 37.5 nano-dollars of input: rounded half up, in its own line.
            ("command-r7b-12-2024", usage(1, 1), 38 + 150),
            ("rerank-english-v3.0", Usage { searches: 1, ..usage(0, 0) }, 2_000_000),
            ("embed-english-light-v3.0", usage(3, 0), 300),
        ],
    );
}

/// <https://api-docs.deepseek.com/quick_start/pricing>: twice as much in the working hours of Beijing.
#[test]
fn deepseek_by_the_hour() {
    let asked = Usage { cache_read: 1000, ..usage(100, 10) };
    let (peak, off_peak) = (30_000 + 6_000 + 12_000, 15_000 + 3_000 + 6_000);
    for (at_ms, expected) in [(NOW, off_peak), (PEAK, peak), (AFTER_PEAK, off_peak), (SUNDAY, off_peak)] {
        assert_eq!(nanos("deepseek", "deepseek-v4-flash", &asked, at_ms), Some(expected), "{at_ms}");
    }
    // Between these days nobody wrote down what the peak cost.
    let august_20 = 1_787_184_000_000;
    assert_eq!(nanos("deepseek", "deepseek-v4-flash", &asked, august_20), None);
}

/// <https://groq.com/pricing>, <https://www.cerebras.ai/pricing>, <https://docs.x.ai/docs/models>, <https://www.together.ai/pricing>,
/// <https://docs.voyageai.com/docs/pricing>, <https://openrouter.ai/openai/gpt-4o-mini>, <https://developers.cloudflare.com/workers-ai/platform/pricing/>
#[test]
fn the_others() {
    check("groq", &[("llama-3.3-70b-versatile", usage(3, 3), 1_770 + 2_370)]);
    check("cerebras", &[("llama3.1-8b", usage(10, 10), 2_000)]);
    check("grok", &[("grok-4-0709", usage(1, 1), 18_000)]);
    check("together", &[("mistralai/Mixtral-8x7B-Instruct-v0.1", usage(10, 10), 12_000)]);
    check("voyage", &[("voyage-3-lite", usage(6, 0), 120), ("rerank-2-lite", usage(50, 0), 1_000)]);
    check("openrouter", &[("openai/gpt-4o-mini-2024-07-18", usage(100, 100), 15_000 + 60_000)]);
    check("workers-ai", &[("@cf/meta/llama-3.1-8b-instruct", usage(10, 10), 2_820 + 8_270)]);
    check("sandbox", &[("anything-at-all", usage(10, 10), 30_000)]);
}

/// What cannot be known stays unknown.
#[test]
fn unknown_is_not_nothing() {
    for (provider, model) in [
        ("openai", "gpt-4-does-not-exist-12345"),
        ("openai", "dall-e-2"),
        ("openai", ""),
        ("hf-router", "meta-llama/Llama-3.1-8B-Instruct"),
        ("ollama", "llama3"),
        ("no-such-provider", "gpt-4o"),
    ] {
        assert_eq!(nanos(provider, model, &usage(10, 10), NOW), None, "{provider} {model}");
    }
}
