//! Ids for tool calls of dialects that have none, or need not write any.
//!
//! Enters: calls and results in the order they stand in. Leaves: an id for each, the same for everybody who reads the same bytes. Never: an id that
//! another answer of the same conversation could have too, when the answer itself has a name.

use std::collections::VecDeque;

/// More open calls than this are not searched for a result's.
const OPEN_MAX: usize = 256;

/// Which ids calls have, and which results answer them.
#[derive(Debug)]
pub(crate) struct Calls {
    /// Begins the ids that we made. Its dialect knows them by it, and does not write them.
    mark: &'static str,
    /// Names the answer the calls are in: those of later answers must have other ids.
    pub(crate) answer_id: String,
    made: u32,
    /// Names and ids of calls without a result.
    open: VecDeque<(String, String)>,
}

// === impl Calls ===

impl Calls {
    pub(crate) fn new(mark: &'static str) -> Self {
        Self { mark, answer_id: String::new(), made: 0, open: VecDeque::new() }
    }

    pub(crate) fn call(&mut self, given: Option<String>, name: &str) -> String {
        let id = given.filter(|id| !id.is_empty()).unwrap_or_else(|| {
            let separator = if self.answer_id.is_empty() { "" } else { "_" };
            format!("{}{}{separator}{}", self.mark, self.answer_id, self.made)
        });
        self.made += 1;
        if self.open.len() < OPEN_MAX {
            self.open.push_back((name.to_owned(), id.clone()));
        }
        id
    }

    /// Without an id, results answer calls of their name in order, or any when they do not say which.
    pub(crate) fn result(&mut self, given: Option<String>, name: Option<&str>) -> String {
        let given = given.filter(|id| !id.is_empty());
        let fits = |(called, id): &(String, String)| match (&given, name) {
            (Some(given), _) => id == given,
            (None, Some(name)) => called == name,
            (None, None) => true,
        };
        let found = self.open.iter().position(fits).and_then(|at| self.open.remove(at)).map(|(_, id)| id);
        given.or(found).unwrap_or_else(|| format!("{}{}", self.mark, name.unwrap_or("result")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_find_their_calls() {
        let mut calls = Calls::new("x_");
        calls.answer_id = "r1".into();
        let (first, second) = (calls.call(None, "a"), calls.call(Some("given".into()), "b"));
        let third = calls.call(None, "a");
        assert_eq!((first.as_str(), second.as_str(), third.as_str()), ("x_r1_0", "given", "x_r1_2"));
        assert_eq!(calls.result(None, Some("a")), first);
        assert_eq!(calls.result(None, Some("b")), second);
        assert_eq!(calls.result(None, None), third);
        assert_eq!(calls.result(None, Some("nobody")), "x_nobody");
    }
}
