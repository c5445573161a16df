//! What may be asked of the log: conditions, order, page.
//!
//! Enters: what `control` understood of a query. Leaves: a value that every record store can answer the same way.
//! Never: holds SQL.
//!
//! Text comparisons ignore ASCII case, as clients lower-case model and provider before they ask. A field that a record does not have is null: it
//! equals null, differs from everything else, and is neither less nor greater than anything.

/// All parts must hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    pub gateway: Option<String>,
    /// `created_ms`, both inclusive.
    pub from_ms: Option<u64>,
    pub to_ms: Option<u64>,
    pub conditions: Vec<Condition>,
    /// Besides, all conditions of at least one of these sets; no set: nothing more is asked.
    pub any_of: Vec<Vec<Condition>>,
    /// None of these.
    pub none_of: Vec<Condition>,
    /// Text that occurs in a metadata key or value.
    pub search: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    pub field: Field,
    pub operator: Operator,
    /// `Eq`, `Contains` and `Like`: one of them; `Neq`: none of them; the others look at the first. Never empty when made by `control`; an empty list
    /// makes `Neq` true and all others false.
    pub values: Vec<Value>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    Eq,
    Neq,
    Contains,
    /// Text with `*` for anything.
    Like,
    Lt,
    Gt,
    /// The inclusive bounds of the older flat parameters (`min_cost`, `max_duration`, ...).
    AtLeast,
    AtMost,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Text(String),
    /// Dollars for `Cost`, milliseconds for `Duration` and `CreatedAt`, tokens for the rest.
    Number(f64),
    Flag(bool),
    Null,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Field {
    Id,
    EventId,
    CreatedAt,
    RequestContentType,
    ResponseContentType,
    RequestType,
    ModelType,
    Provider,
    Model,
    Path,
    UserAgent,
    Status,
    Success,
    Cached,
    Authentication,
    Cost,
    /// In and out together.
    Tokens,
    TokensIn,
    TokensOut,
    Duration,
    /// Some text of the record: provider, model, path, user agent, trace id, a metadata key or value.
    AnyText,
    /// Some metadata key.
    MetadataKey,
    /// Some metadata value, or the one under this key.
    MetadataValue(Option<String>),
    Feedback,
    Score,
    /// A field of the original that no record of ours has a value for yet: always null.
    DlpAction,
    /// Likewise: always false.
    CompatibilityMode,
    /// It went out with the operator's key.
    Wholesale,
    /// What the provider says it charged is not what we counted.
    CostDiffers,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    pub by: OrderBy,
    pub descending: bool,
}

/// Ties are broken by creation time and id, in the same direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderBy {
    CreatedAt,
    Provider,
    Model,
    ModelType,
    Success,
    Cached,
    Cost,
    TokensIn,
    TokensOut,
    Duration,
    Feedback,
}

/// Where a walk over records stands: behind this one, in the order of creation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub created_ms: u64,
    pub key: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// Records to leave out before the first one shown.
    pub skip: u64,
    /// At most [`Page::SIZE_MAX`].
    pub size: u32,
    pub order: Order,
    /// Also find the ranges of all that match.
    pub ranges: bool,
}

// === impl Page ===

impl Page {
    pub const SIZE_MAX: u32 = 1_000;

    /// The newest first, as the log is mostly read.
    pub fn newest(size: u32) -> Self {
        let order = Order { by: OrderBy::CreatedAt, descending: true };
        Self { skip: 0, size, order, ranges: false }
    }
}

// === impl Filter ===

impl Filter {
    pub fn of_gateway(gateway: impl Into<String>) -> Self {
        Self { gateway: Some(gateway.into()), ..Self::default() }
    }
}
