//! `/v1/{account}/{gateway}/{provider}/...`: a provider's own API. Bytes pass; the row of the provider says all there is to know.
//!
//! Enters: a provider's segment. Leaves: this row. Never: has a list of paths: they are the provider's.

use super::{Call, Surface};

pub(crate) static ROW: Surface = Surface::gateway("{provider}/{rest}", Call::Native);
