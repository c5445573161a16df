//! Pages of a list.
//!
//! Enters: `page` and `per_page`. Leaves: which rows, and `result_info`. Never: an error past the end: iterators of the official SDKs ignore totals
//! and ask for the next page until one is empty.

use serde_json::{Value, json};

use crate::query::Reader;
use crate::shape::{Member, Presence, Shape};

pub(crate) const PER_PAGE_DEFAULT: u64 = 20;
/// Beyond any list, and small enough that page times size cannot overflow.
const PAGE_MAX: u64 = 1 << 40;

/// What each list takes, for its row of the table.
pub(crate) const PAGE: Member = Member::of(
    "page",
    Shape::Whole { min: 1, max: PAGE_MAX },
    Presence::Default("1"),
    "Which page; one past the end is empty.",
);
pub(crate) const PER_PAGE: Member = per_page(100);
pub(crate) const DIRECTION: Member = Member::of(
    "order_by_direction",
    Shape::Word(&["asc", "desc"]),
    Presence::Optional,
    "Which end of the order comes first.",
);

pub(crate) const fn per_page(max: u64) -> Member {
    Member::of("per_page", Shape::Whole { min: 1, max }, Presence::Default("20"), "Rows of a page.")
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Paging {
    pub(crate) page: u64,
    pub(crate) per_page: u64,
}

// === impl Paging ===

impl Paging {
    pub(crate) fn read(reader: &mut Reader<'_>, per_page_max: u64) -> Self {
        let page = reader.whole("page", 1, PAGE_MAX).unwrap_or(1);
        let per_page = reader.whole("per_page", 1, per_page_max).unwrap_or(PER_PAGE_DEFAULT);
        Self { page, per_page }
    }

    pub(crate) fn skip(self) -> u64 {
        (self.page - 1) * self.per_page
    }

    /// The rows of this page out of all.
    pub(crate) fn cut<T>(self, all: Vec<T>) -> Vec<T> {
        let skip = usize::try_from(self.skip()).unwrap_or(usize::MAX);
        all.into_iter().skip(skip).take(self.per_page as usize).collect()
    }

    pub(crate) fn info(self, count: usize, total: u64) -> Value {
        json!({
            "count": count,
            "page": self.page,
            "per_page": self.per_page,
            "total_count": total,
            "total_pages": total.div_ceil(self.per_page)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::Query;

    #[test]
    fn a_page_past_the_end_is_empty() {
        let query = Query::parse("page=3&per_page=2");
        let paging = Paging::read(&mut query.reader(), 50);
        assert_eq!(paging.cut(vec![1, 2, 3, 4, 5]), [5]);
        assert_eq!(Paging { page: 4, ..paging }.cut(vec![1, 2, 3, 4, 5]), [0; 0]);
        assert_eq!(Paging { page: PAGE_MAX, per_page: 100 }.cut(vec![1]), [0; 0]);
        let info = json!({"count": 1, "page": 3, "per_page": 2, "total_count": 5, "total_pages": 3});
        assert_eq!(paging.info(1, 5), info);
    }
}
