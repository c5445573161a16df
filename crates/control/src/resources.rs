//! THE TABLE of endpoints: one line per resource, whose rows stand at the top of its own file.
//!
//! Enters: nothing. Leaves: rows of method, path, who may, what is asked and answered, and what it is for.
//! Never: a row without one of these; an undeclared endpoint does not exist.

use crate::resource::{
    account, audit, cache, config, custom_domains, custom_providers, datasets, evaluations, gateways, logs, openapi,
    public, routes, tokens,
};
use crate::row::Row;

/// In the order of the manual.
static TABLE: &[(&str, &[Row])] = &[
    ("Probes", public::ROWS),
    ("Description", openapi::ROWS),
    ("User and accounts", account::ROWS),
    ("Tokens", tokens::USER_ROWS),
    ("Tokens of the account", tokens::ACCOUNT_ROWS),
    ("Audit", audit::ROWS),
    ("Gateways", gateways::ROWS),
    ("Cache", cache::ROWS),
    ("Logs", logs::ROWS),
    ("Datasets", datasets::ROWS),
    ("Evaluations", evaluations::ROWS),
    ("Dynamic routes", routes::ROWS),
    ("Configuration", config::ROWS),
    ("Custom providers", custom_providers::ROWS),
    ("Custom domains", custom_domains::ROWS),
];

pub fn rows() -> impl Iterator<Item = &'static Row> {
    TABLE.iter().flat_map(|(_, rows)| *rows)
}

/// Titles, and what stands below them.
pub fn resources() -> &'static [(&'static str, &'static [Row])] {
    TABLE
}
