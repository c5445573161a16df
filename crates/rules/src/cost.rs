//! What one answer cost, line by line, to the nano-dollar.
//!
//! Enters: the usage a provider counted (or we estimated), and the price that stood when the request began.
//! Leaves: an amount and the rates that made it, from which [`lines()`] tells the ledger whenever somebody asks.
//! Never: says 0 for what it does not know; touches a float; panics on someone else's numbers.
//!
//! Where fractions of a nano-dollar arise, each line is rounded, half up, and the total is the sum of the lines.
//!
//! A special class without a rate of its own is charged as the basic class it belongs to, because that is how providers bill it:
//!
//! | class            | falls back to                                   |
//! |------------------|-------------------------------------------------|
//! | `cache_read`     | `input`                                         |
//! | `cache_write_5m` | `input`                                         |
//! | `cache_write_1h` | `cache_write_5m` (a provider's only write rate), then `input` |
//! | `audio_in`       | `input`                                         |
//! | `reasoning`      | `output`                                        |
//! | `audio_out`      | `output`                                        |
//! | `image_in`, `image_out` | `input`, `output`                        |
//! | `cache_read_audio`, `cache_read_image` | `cache_read`, then `input` |
//!
//! `input`, `output`, `searches`, `images`, `seconds` and `characters` stand for themselves: used without a rate, they make the whole cost unknown.
//! Images are the one exception: a model that counts an image as output tokens has been paid by them.

pub mod bound;
pub mod custom;
pub mod estimate;
pub mod lines;
mod served;

use tollgate_model::Money;
use tollgate_model::charge::{Applied, UnitPrice};
use tollgate_model::price::{PerMillion, Price, Rates};
use tollgate_model::usage::Usage;

pub use custom::{CacheCounts, CustomCost};
pub use estimate::{Heard, estimate};
pub use lines::lines;
pub use served::region;
pub use tollgate_model::charge::Class;

#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Line {
    pub class: Class,
    pub quantity: u64,
    /// What was applied: after fallback, of the tier that counted. `None` where the amount is all that was said.
    pub price: Option<UnitPrice>,
    pub amount: Money,
}

/// Classes of which nothing was used have no line.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Ledger {
    pub lines: Vec<Line>,
    pub total: Money,
}

/// `None` means unknown: something was used that the price does not name, or the sum is beyond what money can hold.
pub fn of(usage: &Usage, price: &Price) -> Option<Ledger> {
    let (_, applied) = charge(usage, price)?;
    lines::of_rates(usage, &applied)
}

/// The amount, and the rates that made it. What a request does as it ends: nothing is allocated.
pub fn charge(usage: &Usage, price: &Price) -> Option<(Money, Applied)> {
    let (mut total, mut applied) = (0_i64, Applied::default());
    for (class, quantity, rate) in charges(usage, served::rates(usage, price)?) {
        if quantity > 0 {
            let rate = rate?;
            total = total.checked_add(amount(quantity, rate)?.nanos())?;
            applied.set(class, rate);
        }
    }
    Some((Money::from_nanos(total), applied))
}

fn charges(usage: &Usage, rates: &Rates) -> [(Class, u64, Option<PerMillion>); 17] {
    let Rates { input, output, .. } = *rates;
    let write_1h = rates.cache_write_1h.or(rates.cache_write_5m).or(input);
    let images = if paid_by_tokens(usage, rates) { 0 } else { usage.images };
    [
        (Class::Input, usage.input, input),
        (Class::CacheRead, usage.cache_read, rates.cache_read.or(input)),
        (Class::CacheWrite5m, usage.cache_write_5m, rates.cache_write_5m.or(input)),
        (Class::CacheWrite1h, usage.cache_write_1h, write_1h),
        (Class::AudioIn, usage.audio_in, rates.audio_in.or(input)),
        (Class::Output, usage.output, output),
        (Class::Reasoning, usage.reasoning, rates.reasoning.or(output)),
        (Class::AudioOut, usage.audio_out, rates.audio_out.or(output)),
        (Class::Request, u64::from(rates.request.is_some()), rates.request),
        (Class::Search, usage.searches, rates.search),
        (Class::Image, images, rates.image),
        (Class::CacheReadAudio, usage.cache_read_audio, rates.cache_read_audio.or(rates.cache_read).or(input)),
        (Class::CacheReadImage, usage.cache_read_image, rates.cache_read_image.or(rates.cache_read).or(input)),
        (Class::ImageIn, usage.image_in, rates.image_in.or(input)),
        (Class::ImageOut, usage.image_out, rates.image_out.or(output)),
        (Class::Second, usage.seconds, rates.second),
        (Class::Character, usage.characters, rates.character),
    ]
}

fn paid_by_tokens(usage: &Usage, rates: &Rates) -> bool {
    let by_tokens = rates.output.is_some() || rates.image_out.is_some();
    rates.image.is_none() && by_tokens && usage.tokens_out() > 0
}

fn amount(quantity: u64, rate: PerMillion) -> Option<Money> {
    // Two u64 multiply within u128 with 2^65 to spare, so the half that rounds up always fits.
    let nanos = (u128::from(quantity) * u128::from(rate) + 500_000) / 1_000_000;
    i64::try_from(nanos).ok().map(Money::from_nanos)
}
