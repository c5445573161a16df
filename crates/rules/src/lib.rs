//! The judgments: values and `now` in, values out.

pub mod catalog;
pub mod cost;
