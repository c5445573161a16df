//! Laws of budgets.

#![allow(clippy::unwrap_used)]

use super::*;

const SECOND: u64 = 1_000;

fn claim(name: &str, span: Span, limit: u64, amount: u64) -> Claim {
    let mark = Mark::of(&[name]);
    Claim { mark, shared: mark, span, unit: Unit::Nanos, limit, amount, soft: false }
}

fn cost(nanos: i64) -> Truth {
    Truth { cost: Some(Money::from_nanos(nanos)), tokens: Tokens::default(), sent: true }
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
    assert_eq!(spent.lines[0].amount, 30);
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
    assert!(budgets.settle(&held, cost(60)).lines.is_empty(), "its window has ended");
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
    assert!(budgets.settle(&held, Truth { sent: true, ..cost(5) }).lines.is_empty());
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
        journal.extend(budgets.settle(&held, cost(9)).lines);
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

fn percents(settled: &Settled) -> Vec<u8> {
    settled.crossed.iter().map(|crossed| crossed.percent).collect()
}

#[test]
fn each_threshold_is_told_once_in_a_period_and_again_in_the_next() {
    let mut budgets = Budgets::new(10);
    let claim = claim("a", Span::Fixed(60 * SECOND), 100, 10);
    let mut spend = |at_s: u64, nanos: i64| {
        let held = budgets.admit(&[Claim { amount: 0, ..claim }], at_s * SECOND).unwrap();
        percents(&budgets.settle(&held, cost(nanos)))
    };
    assert_eq!(spend(0, 49), [0_u8; 0]);
    assert_eq!(spend(1, 1), [50]);
    assert_eq!(spend(2, 35), [80]);
    assert_eq!(spend(3, 4), [0_u8; 0]);
    assert_eq!(spend(4, 30), [100]);
    assert_eq!(spend(60, 120), [50, 80, 100], "another period, all at once");
}

#[test]
fn what_was_told_is_not_told_again_after_a_restart() {
    for span in [Span::Fixed(60 * SECOND), Span::Sliding(60 * SECOND), Span::Calendar(Period::Hourly)] {
        let claim = claim("a", span, 100, 0);
        let mut budgets = Budgets::new(10);
        let held = budgets.admit(&[claim], 0).unwrap();
        let settled = budgets.settle(&held, cost(60));
        assert_eq!(percents(&settled), [50]);
        let mut later = Budgets::new(10);
        settled.lines.iter().for_each(|line| later.restore(line));
        let held = later.admit(&[claim], SECOND).unwrap();
        assert_eq!(percents(&later.settle(&held, cost(1))), [0_u8; 0], "{span:?}");
        let held = later.admit(&[claim], SECOND).unwrap();
        assert_eq!(percents(&later.settle(&held, cost(20))), [80], "{span:?}");
    }
}

#[test]
fn a_sliding_window_tells_again_when_its_length_has_passed() {
    let mut budgets = Budgets::new(10);
    let claim = claim("a", Span::Sliding(60 * SECOND), 100, 0);
    let mut spend = |at_s: u64, nanos: i64| {
        let held = budgets.admit(&[claim], at_s * SECOND).unwrap();
        percents(&budgets.settle(&held, cost(nanos)))
    };
    assert_eq!(spend(0, 50), [50]);
    // Below the threshold at 61 s, above it again at once: still the same minute.
    assert_eq!(spend(59, 20), [0_u8; 0]);
    assert_eq!(spend(62, 40), [50], "60 of the last minute, and a minute after it was told");
}

#[test]
fn the_first_refusal_of_a_period_says_that_a_budget_is_used_up() {
    let mut budgets = Budgets::new(10);
    let claim = claim("a", Span::Fixed(60 * SECOND), 100, 60);
    let held = budgets.admit(&[claim], 0).unwrap();
    let told = budgets.admit(&[claim], 0).unwrap_err().told.unwrap();
    assert!(budgets.admit(&[claim], 1).unwrap_err().told.is_none());
    assert_eq!(percents(&budgets.settle(&held, cost(100))), [50, 80], "100 was told");
    let mut later = Budgets::new(10);
    later.restore(&told);
    later.admit(&[claim], 2).unwrap();
    // Restored without what was spent, so the hold alone is in the way.
    assert!(later.admit(&[claim], 2).unwrap_err().told.is_none());
    // What can never fit says nothing about the budget.
    assert!(budgets.admit(&[Claim { amount: 101, ..claim }], 61 * SECOND).unwrap_err().told.is_none());
}

#[test]
fn a_budget_says_when_it_will_be_used_up() {
    let mut budgets = Budgets::new(10);
    let minute = 60 * SECOND;
    for (span, at_ms, spent, until_ms, used_up_ms) in [
        // 20 of 100 in the first of ten minutes: four more minutes.
        (Span::Fixed(10 * minute), minute, 20, Some(10 * minute), Some(5 * minute)),
        (Span::Fixed(10 * minute), minute, 9, Some(10 * minute), None),
        // A window that slides: by then the first minute's would have left.
        (Span::Sliding(10 * minute), minute, 20, Some(10 * minute + 10 * SECOND), Some(5 * minute)),
        (Span::Sliding(10 * minute), minute, 10, Some(10 * minute + 10 * SECOND), None),
        (Span::Calendar(Period::Hourly), 30 * minute, 80, Some(60 * minute), Some(37 * minute + 30 * SECOND)),
        (Span::Calendar(Period::Hourly), 30 * minute, 40, Some(60 * minute), None),
        (Span::Ever, minute, 1, None, Some(100 * minute)),
        (Span::Fixed(10 * minute), minute, 120, Some(10 * minute), Some(minute)),
        (Span::Fixed(10 * minute), minute, 0, None, None),
    ] {
        let claim = claim("a", span, 100, 0);
        let held = budgets.admit(&[claim], 0).unwrap();
        budgets.settle(&held, cost(spent));
        let state = budgets.state(&claim, at_ms);
        assert_eq!(
            (state.spent, state.until_ms, state.used_up_ms),
            (spent as u64, until_ms, used_up_ms),
            "{span:?} {spent}"
        );
        budgets = Budgets::new(10);
    }
}

#[test]
fn a_soft_budget_is_measured_and_told_and_refuses_nobody() {
    let mut budgets = Budgets::new(10);
    let soft = Claim { soft: true, ..claim("a", Span::Fixed(60 * SECOND), 100, 90) };
    let (first, second) = (budgets.admit(&[soft], 0).unwrap(), budgets.admit(&[soft], 0).unwrap());
    assert_eq!(percents(&budgets.settle(&first, cost(90))), [50, 80]);
    assert_eq!(percents(&budgets.settle(&second, cost(90))), [100]);
    assert_eq!(budgets.taken(soft.mark, 0), (180, 0));
    assert!(budgets.admit(&[Claim { amount: 1_000, ..soft }], 1).is_ok());
}
