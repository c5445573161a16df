//! A filter as SQL over one day.
//!
//! Enters: a filter, an order. Leaves: text with placeholders, and the values for them.
//! Never: puts a word of the caller into the text. Every test of a value is true or false, never null, so that it can be negated.

use rusqlite::types::Value as Sql;
use tollgate_model::Id;

use super::row;
use crate::records::{Condition, Field, Filter, Operator, OrderBy, Place, Value};

/// A condition with its values.
#[derive(Debug, Default)]
pub(super) struct Clause {
    pub(super) sql: String,
    pub(super) values: Vec<Sql>,
}

/// How a field is compared.
enum Kind {
    /// A text of the shape.
    Shape(&'static str),
    Status,
    Text(String),
    /// An expression, and what a number of the caller is multiplied by to be in its unit.
    Number(&'static str, f64),
    AnyText,
    /// A bit of the shape's flags.
    Flag(i64),
    /// A key or value of `labels`, perhaps only under one key.
    Label(&'static str, Option<String>),
    AlwaysNull,
    AlwaysFalse,
}

const NANOS: f64 = 1e9;

// === impl Clause ===

impl Clause {
    pub(super) fn of(filter: &Filter) -> Self {
        let mut clause = Self { sql: "1".to_owned(), values: Vec::new() };
        if let Some(gateway) = &filter.gateway {
            clause.and("gateway = (SELECT code FROM gateway WHERE name = ?)", [text(gateway)]);
        }
        if let Some(from) = filter.from_ms {
            clause.and("created_ms >= ?", [row::whole(from).into()]);
        }
        if let Some(to) = filter.to_ms {
            clause.and("created_ms <= ?", [row::whole(to).into()]);
        }
        if let Some(search) = &filter.search {
            let wanted = text(&search.to_ascii_lowercase());
            let sql =
                "EXISTS (SELECT 1 FROM json_each(labels) WHERE instr(lower(key), ?) > 0 OR instr(lower(atom), ?) > 0)";
            clause.and(sql, [wanted.clone(), wanted]);
        }
        for condition in &filter.conditions {
            clause.condition(condition);
        }
        if !filter.any_of.is_empty() {
            clause.sql.push_str(" AND (0");
            for set in &filter.any_of {
                clause.sql.push_str(" OR (1");
                set.iter().for_each(|condition| clause.condition(condition));
                clause.sql.push(')');
            }
            clause.sql.push(')');
        }
        for condition in &filter.none_of {
            clause.sql.push_str(" AND NOT (1");
            clause.condition(condition);
            clause.sql.push(')');
        }
        clause
    }

    /// Only what comes behind a place, in the order of creation.
    pub(super) fn behind(&mut self, place: Place, descending: bool) {
        let sql = if descending { "(created_ms, id) < (?, ?)" } else { "(created_ms, id) > (?, ?)" };
        self.and(sql, [row::whole(place.created_ms).into(), place.key.into()]);
    }

    fn and(&mut self, sql: &str, values: impl IntoIterator<Item = Sql>) {
        self.sql.push_str(" AND ");
        self.sql.push_str(sql);
        self.values.extend(values);
    }

    fn condition(&mut self, condition: &Condition) {
        let (operator, negated) = match condition.operator {
            Operator::Neq => (Operator::Eq, true),
            other => (other, false),
        };
        let values = match operator {
            Operator::Eq | Operator::Contains | Operator::Like => &condition.values[..],
            _ => &condition.values[..condition.values.len().min(1)],
        };
        self.sql.push_str(if negated { " AND NOT (0" } else { " AND (0" });
        for value in values {
            self.sql.push_str(" OR ");
            self.test(&condition.field, operator, value);
        }
        self.sql.push(')');
        if matches!(condition.field, Field::Feedback | Field::Score) && !negated && !values.contains(&Value::Null) {
            // Said again for SQLite, which then looks only at the few that were rated.
            self.sql.push_str(if condition.field == Field::Score {
                " AND score IS NOT NULL"
            } else {
                " AND feedback IS NOT NULL"
            });
        }
    }

    /// One value against one field.
    fn test(&mut self, field: &Field, operator: Operator, value: &Value) {
        if operator == Operator::Eq && self.same_id(field, value) {
            return;
        }
        let value = match (operator, value) {
            (Operator::Like, Value::Text(wanted)) => &Value::Text(glob(wanted)),
            _ => value,
        };
        match (kind(field), value) {
            (Kind::Shape(column), Value::Text(wanted)) => {
                let test = compare(&format!("lower({column})"), operator);
                self.push(&of_shape(&test), lower(wanted));
            }
            (Kind::AnyText, Value::Text(wanted)) => self.any_text(operator, wanted),
            (Kind::Status, Value::Number(wanted)) if is_of_numbers(operator) => {
                self.push(&of_shape(&compare("status", operator)), Sql::Real(*wanted));
            }
            (Kind::Text(expression), Value::Text(wanted)) => {
                let test = compare(&format!("lower({expression})"), operator);
                self.push(&format!("ifnull({test}, 0)"), lower(wanted));
            }
            (Kind::Label(part, under), Value::Text(wanted)) => {
                let test = compare(&format!("lower({part})"), operator);
                self.label(&test, under, Some(lower(wanted)));
            }
            (Kind::Number(expression, scale), Value::Number(wanted)) if is_of_numbers(operator) => {
                let wanted = if scale == NANOS { (wanted * scale).round() } else { wanted * scale };
                let test = compare(expression, operator);
                self.push(&format!("ifnull({test}, 0)"), wanted.into());
            }
            (Kind::Flag(bit), Value::Flag(wanted)) if operator == Operator::Eq => {
                self.sql.push_str(&of_shape(&format!("(flags & {bit} <> 0) = {}", i64::from(*wanted))));
            }
            (kind, Value::Null) if operator == Operator::Eq => self.null(kind),
            (Kind::AlwaysFalse, Value::Flag(false)) if operator == Operator::Eq => self.sql.push('1'),
            _ => self.sql.push('0'),
        }
    }

    fn null(&mut self, kind: Kind) {
        match kind {
            Kind::Shape(column) => self.sql.push_str(&of_shape(&format!("{column} IS NULL"))),
            Kind::Text(expression) => self.sql.push_str(&format!("{expression} IS NULL")),
            Kind::Number(expression, _) => self.sql.push_str(&format!("{expression} IS NULL")),
            Kind::Label(_, under) => {
                self.sql.push_str("NOT ");
                self.label("1", under, None);
            }
            Kind::AlwaysNull => self.sql.push('1'),
            Kind::Status | Kind::AnyText | Kind::Flag(_) | Kind::AlwaysFalse => self.sql.push('0'),
        }
    }

    /// In one of the texts of the shape, in the trace id, in a key or value of the metadata.
    fn any_text(&mut self, operator: Operator, wanted: &str) {
        let columns = ["provider", "model", "path", "ifnull(user_agent, '')"];
        let tests = columns.map(|column| compare(&format!("lower({column})"), operator)).join(" OR ");
        let [event, key, atom] = ["event_id", "key", "atom"].map(|text| compare(&format!("lower({text})"), operator));
        self.sql.push_str(&format!(
            "({} OR ifnull({event}, 0) OR EXISTS (SELECT 1 FROM json_each(labels) WHERE {key} OR {atom}))",
            of_shape(&tests)
        ));
        self.values.extend(std::iter::repeat_n(lower(wanted), columns.len() + 3));
    }

    fn label(&mut self, test: &str, under: Option<String>, wanted: Option<Sql>) {
        let only = if under.is_some() { "key = ? AND " } else { "" };
        self.sql.push_str(&format!("EXISTS (SELECT 1 FROM json_each(labels) WHERE {only}{test})"));
        self.values.extend(under.map(Sql::Text));
        self.values.extend(wanted);
    }

    /// Ids are found by their numbers: their text would have to be made for every row. False when the value is not an id as we write it.
    fn same_id(&mut self, field: &Field, value: &Value) -> bool {
        let Value::Text(wanted) = value else { return false };
        let id = wanted.parse::<Id>().ok().filter(|id| id.to_string().eq_ignore_ascii_case(wanted));
        let numbers = |id: Id| [id.key().into(), id.noise().into()];
        match (field, id) {
            (Field::Id, Some(id)) => {
                self.sql.push_str("(id = ? AND noise = ?)");
                self.values.extend(numbers(id));
                true
            }
            (Field::EventId, Some(id)) => {
                self.sql.push_str("(event_id IS NULL AND id = ? AND noise = ? OR ifnull(lower(event_id) = ?, 0))");
                self.values.extend(numbers(id));
                self.values.push(lower(wanted));
                true
            }
            (Field::EventId, None) => {
                self.push("ifnull(lower(event_id) = ?, 0)", lower(wanted));
                true
            }
            _ => false,
        }
    }

    fn push(&mut self, sql: &str, value: Sql) {
        self.sql.push_str(sql);
        self.values.push(value);
    }
}

/// A test of the shape as one of its row. Never null, as the list of codes holds none.
fn of_shape(test: &str) -> String {
    format!("shape IN (SELECT code FROM shape WHERE {test})")
}

fn compare(expression: &str, operator: Operator) -> String {
    match operator {
        Operator::Contains => format!("instr({expression}, ?) > 0"),
        Operator::Like => format!("{expression} GLOB ?"),
        Operator::Eq | Operator::Neq => format!("{expression} = ?"),
        Operator::Lt => format!("{expression} < ?"),
        Operator::Gt => format!("{expression} > ?"),
        Operator::AtLeast => format!("{expression} >= ?"),
        Operator::AtMost => format!("{expression} <= ?"),
    }
}

fn is_of_numbers(operator: Operator) -> bool {
    !matches!(operator, Operator::Contains | Operator::Like)
}

/// SQLite's pattern for a text in which only `*` means something.
fn glob(wanted: &str) -> String {
    wanted.chars().fold(String::new(), |pattern, character| match character {
        '?' | '[' => pattern + &format!("[{character}]"),
        plain => pattern + plain.encode_utf8(&mut [0; 4]),
    })
}

fn lower(wanted: &str) -> Sql {
    Sql::Text(wanted.to_ascii_lowercase())
}

fn text(wanted: &str) -> Sql {
    Sql::Text(wanted.to_owned())
}

fn kind(field: &Field) -> Kind {
    match field {
        Field::Id => Kind::Text(id_text()),
        Field::EventId => Kind::Text(format!("ifnull(event_id, {})", id_text())),
        Field::CreatedAt => Kind::Number("created_ms", 1.0),
        Field::RequestContentType => Kind::Shape("request_content_type"),
        Field::ResponseContentType => Kind::Shape("response_content_type"),
        Field::RequestType => Kind::Shape("request_type"),
        Field::ModelType => Kind::Shape("model_type"),
        Field::Provider => Kind::Shape("provider"),
        Field::Model => Kind::Shape("model"),
        Field::Path => Kind::Shape("path"),
        Field::UserAgent => Kind::Shape("user_agent"),
        Field::Status => Kind::Status,
        Field::Success => Kind::Flag(row::SUCCESS),
        Field::Cached => Kind::Flag(row::CACHED),
        Field::Authentication => Kind::Flag(row::AUTHENTICATED),
        Field::Cost => Kind::Number("cost", NANOS),
        Field::Tokens => Kind::Number("(tokens_in + tokens_out)", 1.0),
        Field::TokensIn => Kind::Number("tokens_in", 1.0),
        Field::TokensOut => Kind::Number("tokens_out", 1.0),
        Field::Duration => Kind::Number("duration_ms", 1.0),
        Field::AnyText => Kind::AnyText,
        Field::MetadataKey => Kind::Label("key", None),
        Field::MetadataValue(under) => Kind::Label("atom", under.clone()),
        Field::Feedback => Kind::Number("feedback", 1.0),
        Field::Score => Kind::Number("score", 1.0),
        Field::DlpAction => Kind::AlwaysNull,
        Field::CostDiffers => Kind::Flag(row::COST_DIFFERS),
        Field::Wholesale => Kind::Flag(row::WHOLESALE),
        Field::CompatibilityMode => Kind::AlwaysFalse,
    }
}

/// What rows are ordered by.
pub(super) fn order(by: OrderBy) -> &'static str {
    match by {
        OrderBy::CreatedAt => "created_ms",
        OrderBy::Provider => "(SELECT provider FROM shape WHERE code = log.shape)",
        OrderBy::Model => "(SELECT model FROM shape WHERE code = log.shape)",
        OrderBy::ModelType => "(SELECT model_type FROM shape WHERE code = log.shape)",
        OrderBy::Success => "(SELECT flags & 1 FROM shape WHERE code = log.shape)",
        OrderBy::Cached => "(SELECT flags & 2 FROM shape WHERE code = log.shape)",
        OrderBy::Cost => "cost",
        OrderBy::TokensIn => "tokens_in",
        OrderBy::TokensOut => "tokens_out",
        OrderBy::Duration => "duration_ms",
        OrderBy::Feedback => "feedback",
    }
}

/// The id as it is written, from its two numbers. The model says what time they count from.
fn id_text() -> String {
    let epoch = Id::from_parts(0, 0).unix_ms();
    let ms = format!("((id >> 21) + {epoch})");
    format!(
        "printf('%08x-%04x-%04x-%04x-%012x', {ms} >> 16, {ms} & 65535, 28672 | ((id & 2097151) >> 9), \
         32768 | ((id & 511) << 5) | (noise >> 48), noise & 281474976710655)"
    )
}
