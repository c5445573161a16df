//! What the provider says: exports of OpenAI and Anthropic, usage and costs, JSON and CSV.
//!
//! Enters: a file. Leaves: sums by day and model, and the lines that could not be read. Never: guesses a format; reads more than a bounded piece at a time.
//!
//! | format | told by | source |
//! |---|---|---|
//! | OpenAI usage, JSON | `start_time`, results with `num_model_requests` | platform.openai.com/docs/api-reference/usage |
//! | OpenAI costs, JSON | `start_time`, results with `amount.value` (dollars) | platform.openai.com/docs/api-reference/usage/costs |
//! | OpenAI, CSV | `start_time` with `amount_value` or `input_tokens` | the dashboard's exports |
//! | Anthropic usage, JSON | `starting_at`, results with `uncached_input_tokens` | platform.claude.com/docs: usage_report/messages |
//! | Anthropic costs, JSON | `starting_at`, results with `amount` (cents, as text) | platform.claude.com/docs: cost_report |
//! | Anthropic, CSV | `usage_date_utc` with `cost_usd` or `usage_output_tokens` | the console's exports |

mod page;
mod row;

use std::io::{BufRead, Read};

use anyhow::{Context, ensure};
use serde_json::Value;
use tollgate_rules::catalog::Catalog;

use super::Unread;
use super::csv::Rows;
use super::sums::{Key, Sum, Sums, model};

/// Pages of JSON are read as wholes; a month of them is far below.
const JSON_BYTES_MAX: u64 = 64 << 20;
/// Faults beyond that are of the format, not of a line.
const UNREAD_MAX: usize = 10_000;

#[derive(Debug, Default)]
pub(super) struct Theirs {
    /// Our name for the provider.
    pub(super) provider: String,
    /// For people.
    pub(super) format: &'static str,
    pub(super) sums: Sums,
    pub(super) unread: Vec<Unread>,
}

/// What one line or result says.
struct Said {
    day: u64,
    model: String,
    sum: Sum,
}

/// Each of the formats, by whom it is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    OpenaiUsage,
    OpenaiCosts,
    AnthropicUsage,
    AnthropicCosts,
}

pub(super) fn read(mut file: impl BufRead, provider: Option<&str>, catalog: &Catalog) -> anyhow::Result<Theirs> {
    let mut bytes = file.fill_buf().context("cannot read the file")?.iter().copied();
    let first = bytes.find(|byte| !byte.is_ascii_whitespace() && !matches!(byte, 0xef | 0xbb | 0xbf));
    let mut theirs = Theirs::default();
    match first {
        None => anyhow::bail!("the file is empty"),
        Some(b'{' | b'[') => theirs.pages(file, provider, catalog)?,
        Some(_) => theirs.rows(file, provider, catalog)?,
    }
    Ok(theirs)
}

// === impl Theirs ===

impl Theirs {
    /// One page after the other, as several calls of the API give them, or a list of them.
    fn pages(&mut self, file: impl Read, provider: Option<&str>, catalog: &Catalog) -> anyhow::Result<()> {
        let mut file = file.take(JSON_BYTES_MAX + 1);
        let read = serde_json::Deserializer::from_reader(&mut file).into_iter::<Value>();
        for (number, page) in (1..).zip(read) {
            let page = page.context("this is not JSON as the usage and cost APIs give it")?;
            let pages = match page {
                Value::Array(pages) => pages,
                page => vec![page],
            };
            for page in &pages {
                self.page(page, provider, catalog).with_context(|| format!("page {number}"))?;
            }
        }
        ensure!(file.limit() > 0, "more than {JSON_BYTES_MAX} bytes of JSON: ask for fewer days at a time");
        Ok(())
    }

    fn page(&mut self, page: &Value, provider: Option<&str>, catalog: &Catalog) -> anyhow::Result<()> {
        let buckets = page["data"].as_array().context("expected the member data, a list of buckets")?;
        for (number, bucket) in buckets.iter().enumerate() {
            let results = bucket["results"].as_array().map_or(&[][..], Vec::as_slice);
            for result in results {
                let format = page::format(bucket, result)
                    .context("expected results of OpenAI's or Anthropic's usage or cost API")?;
                self.is_of(format, provider);
                match page::said(format, bucket, result) {
                    Ok(said) => self.add(said, catalog)?,
                    Err(why) => self.unread(number + 1, format!("bucket {}: {why}", number + 1))?,
                }
            }
        }
        Ok(())
    }

    fn rows(&mut self, file: impl BufRead, provider: Option<&str>, catalog: &Catalog) -> anyhow::Result<()> {
        let mut rows = Rows::new(file);
        let header = rows.next()?.context("the file is empty")?;
        let columns = row::Columns::of(&header.fields)
            .context("the first line names no columns of a usage or cost export of OpenAI or Anthropic")?;
        self.is_of(columns.format(), provider);
        while let Some(row) = rows.next()? {
            match columns.said(&row.fields) {
                Ok(Some(said)) => self.add(said, catalog)?,
                Ok(None) => {}
                Err(why) => self.unread(row.line, why)?,
            }
        }
        Ok(())
    }

    fn is_of(&mut self, format: Format, provider: Option<&str>) {
        let (name, whose) = match format {
            Format::OpenaiUsage => ("OpenAI usage", "openai"),
            Format::OpenaiCosts => ("OpenAI costs", "openai"),
            Format::AnthropicUsage => ("Anthropic usage", "anthropic"),
            Format::AnthropicCosts => ("Anthropic costs", "anthropic"),
        };
        self.format = name;
        if self.provider.is_empty() {
            self.provider = provider.unwrap_or(whose).to_owned();
        }
    }

    fn add(&mut self, said: Said, catalog: &Catalog) -> anyhow::Result<()> {
        let name = if said.model.is_empty() { String::new() } else { model(catalog, &self.provider, &said.model) };
        let key: Key = (said.day, name);
        self.sums.add(key, &said.sum)
    }

    fn unread(&mut self, line: usize, why: String) -> anyhow::Result<()> {
        ensure!(self.unread.len() < UNREAD_MAX, "line {line}: {why}; {UNREAD_MAX} others could not be read either");
        self.unread.push(Unread { line, why });
        Ok(())
    }

    /// Whether costs are told by model at all. OpenAI's are not unless they were asked for by line item.
    pub(super) fn is_by_model(&self) -> bool {
        self.sums.0.keys().any(|(_, model)| !model.is_empty())
    }

    /// First and last day.
    pub(super) fn days(&self) -> Option<(u64, u64)> {
        let days = || self.sums.0.keys().map(|(day, _)| *day);
        Some((days().min()?, days().max()?))
    }
}
