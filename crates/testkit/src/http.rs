//! HTTP/1.1 as the sandbox needs it: strict when it reads, obedient when it writes.
//!
//! Enters: bytes in both directions. Leaves: requests and performed plans.
//! Never: corrects a plan. A server library would refuse to send two `content-length`s; saying wrong things exactly is the point here.

pub(crate) mod inbound;
pub(crate) mod perform;
pub(crate) mod request;
