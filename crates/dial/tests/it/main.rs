//! The door out, tried from both sides: by those who want through, and by those who must not get through.
#![allow(clippy::unwrap_used)]

mod bounds;
mod corpus;
mod rebinding;
mod script;
