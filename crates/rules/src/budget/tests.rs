//! Laws of budgets.

#![allow(clippy::unwrap_used)]

use super::*;

const SECOND: u64 = 1_000;

fn claim(name: &str, span: Span, limit: u64, amount: u64) -> Claim {
    let mark = Mark::of(&[name]);
    Claim { mark, shared: mark, span, unit: Unit::Nanos, limit, amount }
}

fn cost(nanos: i64) -> Truth {
    Truth { cost: Some(Money::from_nanos(nanos)), tokens: 0, sent: true }
}

#[test]
fn of_many_at_once_exactly_as_many_are_admitted_as_fit() {
    let mut budgets = Budgets::new(10);
    let claim = claim("a", Span::Sliding(60 * SECOND), 1_000, 7);
    let admitted: Vec<_> = (0..1_000).filter_map(|_| budgets.admit(&[claim], 5).ok()).collect();
    assert_eq!(admitted.len(), 1_000 / 7);
    assert_eq!(budgets.outstanding(), 142 * 7);
    admitted.iter().for_each(|held| budgets.release(held));
    assert!(budgets.outstanding() == 0 && budgets.is_empty());
}

#[test]
fn all_claims_of_a_request_or_none() {
    let mut budgets = Budgets::new(10);
    let (wide, narrow) = (claim("a", Span::Ever, 100, 10), claim("b", Span::Ever, 15, 10));
    budgets.admit(&[wide, narrow], 0).unwrap();
    let over = budgets.admit(&[wide, narrow], 0).unwrap_err();
    assert_eq!((over.claim, over.taken), (1, 10));
    assert_eq!(budgets.taken(wide.mark, 0), (0, 10), "nothing is left behind in the first");
}

#[test]
fn the_truth_takes_the_place_of_what_was_held() {
    let mut budgets = Budgets::new(10);
    let claim = claim("a", Span::Sliding(60 * SECOND), 100, 60);
    let held = budgets.admit(&[claim], 0).unwrap();
    assert!(budgets.admit(&[claim], 0).is_err());
    let spent = budgets.settle(&held, cost(30));
    assert_eq!(spent[0].amount, 30);
    assert_eq!(budgets.taken(claim.mark, 0), (30, 0));
    assert!(budgets.admit(&[claim], 0).is_ok());
}

#[test]
fn what_a_truth_has_over_its_claim_counts_too() {
    let mut budgets = Budgets::new(10);
    let claim = claim("a", Span::Sliding(60 * SECOND), 100, 10);
    let held = budgets.admit(&[claim], 0).unwrap();
    budgets.settle(&held, cost(250));
    let over = budgets.admit(&[claim], SECOND).unwrap_err();
    assert_eq!(over.taken, 250);
    // Its sixtieth of a minute began at 0 and ends at 1 s.
    assert_eq!(over.wait, Some(Duration::from_secs(60)));
    assert!(budgets.admit(&[claim], 61 * SECOND).is_ok());
}

#[test]
fn an_answer_belongs_to_the_window_it_was_admitted_in() {
    let mut budgets = Budgets::new(10);
    let claim = claim("a", Span::Fixed(10 * SECOND), 100, 60);
    let held = budgets.admit(&[claim], 0).unwrap();
    let later = budgets.admit(&[claim], 10 * SECOND).unwrap();
    assert!(budgets.settle(&held, cost(60)).is_empty(), "its window has ended");
    assert_eq!(budgets.taken(claim.mark, 10 * SECOND), (0, 60));
    budgets.settle(&later, cost(60));
    assert_eq!(budgets.admit(&[claim], 12 * SECOND).unwrap_err().wait, Some(Duration::from_secs(8)));
}

#[test]
fn a_claim_larger_than_the_budget_never_fits() {
    let mut budgets = Budgets::new(10);
    let large = claim("a", Span::Sliding(SECOND), 100, 101);
    assert_eq!(budgets.admit(&[large], 0).unwrap_err().wait, None);
    budgets.admit(&[claim("a", Span::Sliding(SECOND), 100, 1)], 0).unwrap();
    assert_eq!(budgets.admit(&[large], 0).unwrap_err().wait, None);
}

#[test]
fn a_clock_that_steps_back_opens_nothing_again() {
    let mut budgets = Budgets::new(10);
    let claim = claim("a", Span::Calendar(Period::Hourly), 100, 100);
    let hour = 3_600 * SECOND;
    let first = budgets.admit(&[claim], hour - 1).unwrap();
    budgets.settle(&first, cost(100));
    let second = budgets.admit(&[claim], hour).unwrap();
    budgets.settle(&second, cost(100));
    assert!(budgets.admit(&[claim], hour - 1).is_err(), "the hour before is over");
    assert!(budgets.admit(&[claim], 2 * hour).is_ok());
}

#[test]
fn values_without_a_place_share_one_budget() {
    let mut budgets = Budgets::new(2);
    let of = |name: &str| Claim { shared: Mark::of(&["shared"]), ..claim(name, Span::Ever, 10, 6) };
    assert!(budgets.admit(&[of("a")], 0).is_ok());
    assert!(budgets.admit(&[of("b")], 0).is_ok());
    assert!(budgets.admit(&[of("c")], 0).is_ok(), "the shared one");
    assert!(budgets.admit(&[of("d")], 0).is_err(), "the shared one again");
    assert_eq!(budgets.len(), 3);
}

#[test]
fn requests_at_once_are_held_and_never_spent() {
    let mut budgets = Budgets::new(10);
    let two = Claim { unit: Unit::AtOnce, ..claim("a", Span::Ever, 2, 1) };
    let held = budgets.admit(&[two], 0).unwrap();
    budgets.admit(&[two], 0).unwrap();
    assert!(budgets.admit(&[two], 0).is_err());
    assert!(budgets.settle(&held, Truth { sent: true, ..cost(5) }).is_empty());
    assert!(budgets.admit(&[two], 0).is_ok());
}

#[test]
fn a_request_is_counted_if_it_was_sent() {
    let mut budgets = Budgets::new(10);
    let one = Claim { unit: Unit::Requests, ..claim("a", Span::Sliding(SECOND), 1, 1) };
    let held = budgets.admit(&[one], 0).unwrap();
    budgets.settle(&held, Truth::default());
    let held = budgets.admit(&[one], 0).unwrap();
    budgets.settle(&held, cost(0));
    assert!(budgets.admit(&[one], 0).is_err());
}

#[test]
fn who_claims_nothing_needs_a_budget_that_is_not_used_up() {
    let mut budgets = Budgets::new(10);
    let nothing = claim("a", Span::Sliding(SECOND), 10, 0);
    let held = budgets.admit(&[nothing], 0).unwrap();
    budgets.settle(&held, cost(10));
    assert!(budgets.admit(&[nothing], 0).unwrap_err().wait.is_some());
}

#[test]
fn what_was_written_down_is_what_a_later_process_counts() {
    let mut budgets = Budgets::new(10);
    let claim = claim("a", Span::Sliding(60 * SECOND), 100, 10);
    let mut journal = Vec::new();
    for second in 0..5 {
        let held = budgets.admit(&[claim], second * SECOND).unwrap();
        journal.extend(budgets.settle(&held, cost(9)));
    }
    budgets.admit(&[claim], 5 * SECOND).unwrap();
    let restored = |spent: &[Spent]| {
        let mut budgets = Budgets::new(10);
        spent.iter().for_each(|spent| budgets.restore(spent));
        budgets.taken(claim.mark, 6 * SECOND)
    };
    assert_eq!(restored(&journal), (45, 0), "the hold ended with its process");
    assert_eq!(restored(&budgets.spent()), (45, 0));
}
