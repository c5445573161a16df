//! The older, flat parameters of the log's list. All of them hold together with each other and with `filters`.
//!
//! Enters: a query. Leaves: conditions. Never: accepts what it cannot read: a filter that is silently left out shows rows that were not asked for.

use tollgate_store::records::{Condition, Field, Operator, Value};

use crate::query::Reader;

static TEXTS: &[(&str, Field)] = &[
    ("provider", Field::Provider),
    ("model", Field::Model),
    ("model_type", Field::ModelType),
    ("request_content_type", Field::RequestContentType),
    ("response_content_type", Field::ResponseContentType),
];

static FLAGS: &[(&str, Field)] = &[("success", Field::Success), ("cached", Field::Cached)];

static RANGES: &[(&str, Operator, Field)] = &[
    ("min_cost", Operator::AtLeast, Field::Cost),
    ("max_cost", Operator::AtMost, Field::Cost),
    ("min_duration", Operator::AtLeast, Field::Duration),
    ("max_duration", Operator::AtMost, Field::Duration),
    ("min_tokens_in", Operator::AtLeast, Field::TokensIn),
    ("max_tokens_in", Operator::AtMost, Field::TokensIn),
    ("min_tokens_out", Operator::AtLeast, Field::TokensOut),
    ("max_tokens_out", Operator::AtMost, Field::TokensOut),
    ("min_total_tokens", Operator::AtLeast, Field::Tokens),
    ("max_total_tokens", Operator::AtMost, Field::Tokens),
];

static FEEDBACK: &[(&str, f64)] = &[("-1", -1.0), ("0", 0.0), ("1", 1.0)];

pub(crate) fn read(reader: &mut Reader<'_>) -> Vec<Condition> {
    let mut conditions = Vec::new();
    for (name, field) in TEXTS {
        let text = reader.text(name).map(|text| Value::Text(text.to_owned()));
        conditions.extend(text.map(|text| is(field, Operator::Eq, text)));
    }
    for (name, field) in FLAGS {
        conditions.extend(reader.flag(name).map(|flag| is(field, Operator::Eq, Value::Flag(flag))));
    }
    for (name, operator, field) in RANGES {
        conditions.extend(reader.number(name).map(|number| is(field, *operator, Value::Number(number))));
    }
    let feedback = reader.word("feedback", FEEDBACK).map(Value::Number);
    conditions.extend(feedback.map(|feedback| is(&Field::Feedback, Operator::Eq, feedback)));
    conditions
}

fn is(field: &Field, operator: Operator, value: Value) -> Condition {
    Condition { field: field.clone(), operator, values: vec![value] }
}
