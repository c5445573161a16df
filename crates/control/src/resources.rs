//! THE TABLE of endpoints: one line per resource, whose rows stand at the top of its own file.
//!
//! Enters: nothing. Leaves: rows of method, path, who may, what is asked and answered, and what it is for.
//! Never: a row without one of these; an undeclared endpoint does not exist.

use crate::resource;
use crate::row::Row;

/// In the order of the manual.
static TABLE: &[(&str, &[Row])] = &[
    ("Probes", resource::public::ROWS),
    ("Description", resource::openapi::ROWS),
    ("User and accounts", resource::account::ROWS),
    ("Tokens", resource::tokens::USER_ROWS),
    ("Tokens of the account", resource::tokens::ACCOUNT_ROWS),
    ("Sessions of people", resource::sessions::ROWS),
    ("Audit", resource::audit::ROWS),
    ("Gateways", resource::gateways::ROWS),
    ("Cache", resource::cache::ROWS),
    ("Logs", resource::logs::ROWS),
    ("Datasets", resource::datasets::ROWS),
    ("Evaluations", resource::evaluations::ROWS),
    ("Dynamic routes", resource::routes::ROWS),
    ("Policies", resource::policies::ROWS),
    ("Budgets", resource::budgets::ROWS),
    ("Assistants", crate::mcp::ROWS),
    ("Billing", resource::billing::ROWS),
    ("Models", resource::models::ROWS),
    ("Alerts", resource::alerts::ROWS),
    ("Configuration", resource::config::ROWS),
    ("Custom providers", resource::custom_providers::ROWS),
    ("Custom domains", resource::custom_domains::ROWS),
    ("Provider configs", resource::provider_configs::ROWS),
    ("Secrets store", resource::secrets::ROWS),
];

pub fn rows() -> impl Iterator<Item = &'static Row> {
    TABLE.iter().flat_map(|(_, rows)| *rows)
}

/// Titles, and what stands below them.
pub fn resources() -> &'static [(&'static str, &'static [Row])] {
    TABLE
}
