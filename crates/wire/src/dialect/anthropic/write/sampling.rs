//! How the model picks its words, as far as Claude lets itself be told.
//!
//! Enters: a request, and what the model takes. Leaves: temperature, `top_p` and `top_k` that it will not refuse. Never: a loss for 1, the default of the
//! first two.

use serde_json::Value;

use crate::chat::{Field, Losses, Place, Request};
use crate::dialect::Dialect;
use crate::dialect::anthropic::Claude;

#[derive(Debug, Default)]
pub(in crate::dialect) struct Sampling {
    pub(in crate::dialect) temperature: Option<Value>,
    pub(in crate::dialect) top_p: Option<Value>,
    pub(in crate::dialect) top_k: Option<u64>,
}

/// While it thinks, the model takes no less.
const TOP_P_MIN_THINKING: f64 = 0.95;

/// `home`: whose words are left as they are. Others' are fitted.
pub(in crate::dialect) fn of(
    request: &Request,
    home: Dialect,
    model: Claude,
    thinks: bool,
    losses: &mut Losses,
) -> Sampling {
    let settings = &request.settings;
    let foreign = request.origin != home;
    let refused = foreign && !model.takes_sampling();
    let why = if refused { "the model takes none" } else { "the model takes none while it thinks" };
    let bound = refused || (foreign && thinks);
    let mut told = Sampling::default();
    if let Some(temperature) = settings.temperature {
        if bound {
            lost_unless(temperature == 1.0, Field::Temperature, why, losses);
        } else {
            if !(0.0..=1.0).contains(&temperature) {
                losses.clamped(Place::Setting(Field::Temperature), "0 to 1");
            }
            told.temperature = Some(number(temperature.clamp(0.0, 1.0)));
        }
    }
    if let Some(top_p) = settings.top_p {
        if refused || (bound && top_p < TOP_P_MIN_THINKING) {
            lost_unless(top_p == 1.0, Field::TopP, why, losses);
        } else if foreign && told.temperature.is_some() && model.takes_one_of_sampling() {
            lost_unless(top_p == 1.0, Field::TopP, "the model takes temperature or top_p", losses);
        } else {
            told.top_p = Some(number(top_p));
        }
    }
    match settings.top_k {
        Some(_) if bound => losses.dropped(Place::Setting(Field::TopK), why),
        top_k => told.top_k = top_k,
    }
    told
}

fn lost_unless(neutral: bool, field: Field, why: &'static str, losses: &mut Losses) {
    if !neutral {
        losses.dropped(Place::Setting(field), why);
    }
}

/// Whole numbers without a point, as callers write them.
fn number(value: f64) -> Value {
    if value.fract() == 0.0 { (value as i64).into() } else { value.into() }
}
