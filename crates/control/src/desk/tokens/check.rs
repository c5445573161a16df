//! Whether a token that is wished for makes sense.
//!
//! Enters: the wish. Leaves: all that is wrong with it. Never: asks who wishes.

use tollgate_model::token::{Permission, Scope};
use tollgate_rules::scope::read_range;
use tollgate_rules::snapshot::is_well_formed;

use super::{DeskError, Wanted};
use crate::shape::Fault;

const NAME_CHARS_MAX: usize = 120;
const LIST_MAX: usize = 200;
const PATTERN_CHARS_MAX: usize = 200;
const WINDOW_S_MAX: u64 = 366 * 86_400;
const RATE_MAX: u64 = 1_000_000;
/// What goes together with a narrowed choice of targets. Who may change routes and settings could undo that choice.
const READING: [Permission; 4] =
    [Permission::Run, Permission::Read, Permission::ReadMetadata, Permission::AnalyticsRead];

pub(super) fn all(wanted: &Wanted) -> Result<(), DeskError> {
    let mut faults = Vec::new();
    let mut note = |is_right: bool, member: &str, said: String| {
        if !is_right {
            faults.push(Fault::new(["body", member], said));
        }
    };
    let chars = wanted.name.trim().chars().count();
    note(
        (1..=NAME_CHARS_MAX).contains(&chars),
        "name",
        format!("a token needs a name of 1 to {NAME_CHARS_MAX} characters"),
    );
    let names: Vec<&str> = Permission::ALL.iter().map(|(name, _)| *name).collect();
    note(!wanted.permissions.is_empty(), "permissions", format!("at least one of {}", names.join(", ")));
    let ends = wanted.expires_at.unwrap_or(u64::MAX);
    note(wanted.not_before.unwrap_or_default() < ends, "not_before", "must be before expires_on".to_owned());
    lists(&wanted.scope, &mut note);
    limits(&wanted.scope, &mut note);
    together(wanted, &mut note);
    if faults.is_empty() { Ok(()) } else { Err(DeskError::Faults(faults)) }
}

/// A member, its entries, what each has to be, and that in words.
type Borders<'a> = (&'a str, &'a Option<Vec<String>>, fn(&str) -> bool, &'a str);

fn lists(scope: &Scope, note: &mut impl FnMut(bool, &str, String)) {
    let range = |text: &str| read_range(text).is_some();
    let lists: [Borders<'_>; 6] = [
        ("gateways", &scope.gateways, is_well_formed, "the id of a gateway"),
        ("providers", &scope.providers, is_well_formed, "a provider as paths name it, such as openai"),
        ("models", &scope.models, is_pattern, "a model's name, * for any part, such as gpt-4o* or openai/*"),
        ("routes", &scope.routes, is_well_formed, "the name of a dynamic route"),
        ("condition", &scope.from, range, "an IP address or a range such as 192.0.2.0/24"),
        ("condition", &scope.not_from, range, "an IP address or a range such as 192.0.2.0/24"),
    ];
    for (member, list, is_right, what) in lists {
        let Some(list) = list else { continue };
        // An empty list would leave nothing; who writes one means everything, as a rule.
        note(!list.is_empty(), member, "an empty list would leave nothing; leave it out for no limit".to_owned());
        note(list.len() <= LIST_MAX, member, format!("at most {LIST_MAX} entries"));
        for (index, _) in list.iter().enumerate().filter(|(_, each)| !is_right(each)) {
            note(false, member, format!("entry {index}: expected {what}"));
        }
    }
}

fn is_pattern(text: &str) -> bool {
    (1..=PATTERN_CHARS_MAX).contains(&text.len()) && !text.chars().any(|each| each.is_control() || each.is_whitespace())
}

fn limits(scope: &Scope, note: &mut impl FnMut(bool, &str, String)) {
    let window = |seconds: u64| (1..=WINDOW_S_MAX).contains(&seconds);
    if let Some(rate) = scope.rate_limit {
        let said = format!("limit: 1 to {RATE_MAX} requests; window: 1 to {WINDOW_S_MAX} seconds");
        note((1..=RATE_MAX).contains(&rate.limit) && window(rate.window), "rate_limit", said);
    }
    if let Some(spend) = scope.spend_limit {
        let said = format!("limit_usd: more than 0 and at most 1e9; window: 1 to {WINDOW_S_MAX} seconds");
        let is_right = spend.limit_usd > 0.0 && spend.limit_usd <= 1e9 && window(spend.window);
        note(is_right, "spend_limit", said);
    }
}

fn together(wanted: &Wanted, note: &mut impl FnMut(bool, &str, String)) {
    let scope = &wanted.scope;
    if scope.narrows_targets() {
        let others = wanted.permissions.iter().filter(|permission| !READING.contains(permission));
        let others: Vec<&str> = others.map(|permission| permission.name()).collect();
        let said = format!("a token of certain providers, models or routes cannot have {}", others.join(", "));
        note(others.is_empty(), "permissions", said);
    }
    let is_admin = wanted.permissions.contains(&Permission::Admin);
    note(!is_admin || scope.gateways.is_none(), "gateways", "an administrator's token is for all gateways".to_owned());
}
