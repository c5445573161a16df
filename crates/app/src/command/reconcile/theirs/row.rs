//! Lines of the exports of dashboard and console.
//!
//! Enters: the names of the columns, then fields. Leaves: what a line says. Never: depends on the order of columns, or on those it does not need.

use tollgate_control::time;

use super::super::sums::{DAY_MS, Sum};
use super::page::line_item;
use super::{Format, Said};

pub(super) struct Columns {
    format: Format,
    day: usize,
    model: Option<usize>,
    requests: Option<usize>,
    /// All that went in, of which each is a part.
    tokens_in: Vec<usize>,
    tokens_out: Option<usize>,
    amount: Option<usize>,
    currency: Option<usize>,
}

/// Beside each other.
const ANTHROPIC_INPUT: [&str; 4] = [
    "usage_input_tokens_no_cache",
    "usage_input_tokens_cache_write_5m",
    "usage_input_tokens_cache_write_1h",
    "usage_input_tokens_cache_read",
];

// === impl Columns ===

impl Columns {
    pub(super) fn of(names: &[String]) -> Option<Self> {
        let at = |wanted: &str| names.iter().position(|name| name.trim().trim_start_matches('\u{feff}') == wanted);
        let (format, day) = match (at("start_time"), at("usage_date_utc")) {
            (Some(day), _) if at("amount_value").is_some() => (Format::OpenaiCosts, day),
            (Some(day), _) if at("input_tokens").is_some() => (Format::OpenaiUsage, day),
            (_, Some(day)) if at("cost_usd").is_some() => (Format::AnthropicCosts, day),
            (_, Some(day)) if at("usage_output_tokens").is_some() => (Format::AnthropicUsage, day),
            _ => return None,
        };
        Some(Self {
            format,
            day,
            model: at("model").or_else(|| at("model_version")).or_else(|| at("line_item")),
            requests: at("num_model_requests"),
            tokens_in: match format {
                Format::AnthropicUsage => ANTHROPIC_INPUT.iter().filter_map(|name| at(name)).collect(),
                _ => at("input_tokens").into_iter().collect(),
            },
            tokens_out: at("output_tokens").or_else(|| at("usage_output_tokens")),
            amount: at("amount_value").or_else(|| at("cost_usd")),
            currency: at("amount_currency"),
        })
    }

    pub(super) fn format(&self) -> Format {
        self.format
    }

    /// `None`: the line says nothing. OpenAI writes one for each day on which there was nothing to say.
    pub(super) fn said(&self, fields: &[String]) -> Result<Option<Said>, String> {
        let field = |at: usize| fields.get(at).map(|text| text.trim()).unwrap_or_default();
        if fields.iter().all(|field| field.trim().is_empty()) {
            return Ok(None);
        }
        let told = [self.amount, self.tokens_out, self.requests];
        if told.into_iter().flatten().all(|at| field(at).is_empty()) {
            return match fields.len() > self.day + 1 {
                true => Ok(None),
                false => Err(format!("expected as many fields as columns, found {}", fields.len())),
            };
        }
        let model = self.model.map_or("", field);
        let model = if self.format == Format::OpenaiCosts { line_item(model) } else { model }.to_owned();
        Ok(Some(Said { day: day(field(self.day))?, model, sum: self.sum(field)? }))
    }

    fn sum<'a>(&self, field: impl Fn(usize) -> &'a str) -> Result<Sum, String> {
        if let Some(at) = self.amount {
            let currency = self.currency.map_or("usd", &field);
            if !currency.eq_ignore_ascii_case("usd") {
                return Err(format!("expected US dollars, found {currency:?}"));
            }
            return Sum::spent(field(at), false);
        }
        let mut tokens_in = 0_u64;
        for at in &self.tokens_in {
            tokens_in = tokens_in.saturating_add(count(field(*at))?);
        }
        let requests = self.requests.map(|at| count(field(at))).transpose()?;
        Ok(Sum::used(requests, tokens_in, self.tokens_out.map_or(Ok(0), |at| count(field(at)))?))
    }
}

fn count(text: &str) -> Result<u64, String> {
    match text {
        "" => Ok(0),
        text => text.parse().map_err(|_| format!("expected a count, found {text:?}")),
    }
}

/// Seconds since 1970, or a date.
fn day(text: &str) -> Result<u64, String> {
    if let Ok(seconds) = text.parse::<u64>() {
        return Ok(seconds / 86_400);
    }
    time::read(text).map(|ms| ms / DAY_MS).ok_or_else(|| format!("expected a day, found {text:?}"))
}
