//! What we speak of: the nouns that every room above uses.
//!
//! Enters: nothing. Leaves: plain values with their laws (ids sort by time, money is whole, secrets print `***`).
//! Never: does I/O, reads the clock by itself (`Clock` is handed in), or knows a provider.

pub mod alert;
pub mod charge;
pub mod clock;
pub mod crossing;
pub mod custom;
pub mod dataset;
pub mod evaluation;
pub mod gateway;
pub mod id;
pub mod keep;
pub mod metadata;
pub mod money;
pub mod peer;
pub mod policy;
pub mod price;
pub mod record;
pub mod refusal;
pub mod route;
pub mod secret;
pub mod token;
pub mod trace;
pub mod usage;

pub use alert::Alert;
pub use clock::{Clock, Moment};
pub use crossing::{BudgetCrossing, BudgetKind};
pub use custom::{CustomDomain, CustomProvider};
pub use dataset::Dataset;
pub use evaluation::Evaluation;
pub use gateway::Gateway;
pub use id::{Id, Ids};
pub use keep::{Kept, ProviderConfig, SecretStore, StoredSecret};
pub use metadata::{Meta, Metadata};
pub use money::Money;
pub use peer::Peer;
pub use policy::{PolicyBody, PolicyDocument};
pub use record::{Attempt, Record};
pub use refusal::Refusal;
pub use route::RouteDocument;
pub use secret::Secret;
pub use trace::Trace;
pub use usage::Usage;
