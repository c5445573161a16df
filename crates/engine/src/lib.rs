//! The walk of one request through the gateway.
//!
//! Enters: requests of callers, and a snapshot of the settings. Leaves: answers, refusals, and a record of each.
//! Never: stores settings, or waits for a store on the network.
//!
//! Begin reading at [`serve`]: it is the order of all stages on one page.

mod alarm;
mod answer;
mod body;
mod books;
pub mod credits;
mod decode;
mod edge;
mod exchange;
mod fill;
mod gate;
mod head;
mod kept;
pub mod keys;
pub mod metrics;
mod once;
mod purse;
mod rates;
mod relay;
mod replay;
mod serve;
pub mod server;
mod stage;
mod strict;
mod surface;
mod tally;
mod till;
mod turned;
mod upstream;
mod watched;
mod webhook;

pub use body::BoxError;
pub use credits::Credits;
pub use gate::{Gate, Limits, Parts, Refresh, Shared, Wish};
pub use once::Once;
pub use till::{Named, Till};
pub use tollgate_dial::{Resolver, TlsRoots};
pub use upstream::Bounds;
