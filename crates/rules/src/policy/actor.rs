//! Whose bucket: text with fields in braces.
//!
//! Enters: `user:{cf.user.email}`. Leaves: `user:ann@example.com`; nothing when a field is not there. Never: takes an unknown field for text.

use super::{Fault, Who};

const CHARS_MAX: usize = 256;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Actor(Vec<Piece>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Field(String),
}

impl Actor {
    pub(super) fn read(said: &str) -> Result<Self, Fault> {
        if said.is_empty() || said.chars().count() > CHARS_MAX {
            return Err(fault(format!("String must contain 1 to {CHARS_MAX} character(s)")));
        }
        let mut pieces = Vec::new();
        let mut rest = said;
        while let Some((text, after)) = rest.split_once('{') {
            let (field, after) = after.split_once('}').ok_or_else(|| fault("Invalid: a { without its }".to_owned()))?;
            if !Who::has_field(field) {
                return Err(fault(format!(
                    "Invalid: {{{field}}} is no field; there are cf.user.id, cf.user.email, cf.custom.<claim>, cf.country and metadata.<key>"
                )));
            }
            pieces.push(Piece::Text(text.to_owned()));
            pieces.push(Piece::Field(field.to_owned()));
            rest = after;
        }
        pieces.push(Piece::Text(rest.to_owned()));
        Ok(Self(pieces))
    }

    pub(super) fn resolve(&self, who: &Who<'_>) -> Option<String> {
        let mut resolved = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => resolved.push_str(text),
                Piece::Field(field) => resolved.push_str(&who.field(field)?),
            }
        }
        Some(resolved)
    }
}

fn fault(said: String) -> Fault {
    Fault { member: vec!["actor".to_owned()], said }
}
