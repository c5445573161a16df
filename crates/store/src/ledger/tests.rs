//! What the ledger promises, with a crash at every byte.

use super::*;

fn line(budget: u128, amount: u64) -> Line {
    Line { budget, from_ms: 1_000, until_ms: 2_000, amount }
}

fn open(dir: &Path) -> (Ledger, Vec<Line>) {
    Ledger::open(dir).unwrap()
}

#[test]
fn what_was_appended_is_there_after_a_restart_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let (mut ledger, none) = open(dir.path());
    assert!(none.is_empty());
    ledger.append(&[line(1, 5), line(2, 6)]);
    ledger.append(&[]);
    ledger.append(&[line(u128::MAX, u64::MAX)]);
    let written = [line(1, 5), line(2, 6), line(u128::MAX, u64::MAX)];
    // Not closed: a process does not get to.
    let (mut second, found) = open(dir.path());
    assert_eq!(found, written);
    second.append(&[line(3, 7)]);
    assert_eq!(open(dir.path()).1.len(), 4);
}

#[test]
fn a_file_cut_at_any_byte_gives_whole_appends_only() {
    let dir = tempfile::tempdir().unwrap();
    let (mut ledger, _) = open(dir.path());
    let mut ends = vec![0];
    for append in [vec![line(1, 1)], vec![line(2, 2), line(3, 3)], vec![line(4, 4)]] {
        ledger.append(&append);
        ends.push(ledger.bytes());
    }
    let file = dir.path().join("00000001.lines");
    let whole = std::fs::read(&file).unwrap();
    for cut in 0..=whole.len() {
        let other = tempfile::tempdir().unwrap();
        std::fs::write(other.path().join("00000001.lines"), &whole[..cut]).unwrap();
        let appends = ends.iter().filter(|end| **end > 0 && **end <= cut as u64).count();
        assert_eq!(open(other.path()).1.len(), [0, 1, 3, 4][appends], "cut at {cut}");
    }
}

#[test]
fn a_sum_takes_the_place_of_what_it_holds_and_of_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let (mut ledger, _) = open(dir.path());
    ledger.append(&[line(1, 1)]);
    ledger.append(&[line(1, 2)]);
    let cut = ledger.cut().unwrap();
    ledger.append(&[line(1, 4)]);
    // Killed before the sum is there: nothing is lost.
    assert_eq!(open(dir.path()).1.iter().map(|line| line.amount).sum::<u64>(), 7);
    cut.finish(&[line(1, 3)]).unwrap();
    let (mut ledger, found) = open(dir.path());
    assert_eq!(found, [line(1, 3), line(1, 4)]);
    ledger.append(&[line(1, 8)]);
    assert_eq!(open(dir.path()).1.iter().map(|line| line.amount).sum::<u64>(), 15);
}

#[test]
fn files_that_a_sum_holds_are_not_counted_again_should_they_still_be_there() {
    let dir = tempfile::tempdir().unwrap();
    let (mut ledger, _) = open(dir.path());
    ledger.append(&[line(1, 1)]);
    let before = std::fs::read(dir.path().join("00000001.lines")).unwrap();
    ledger.cut().unwrap().finish(&[line(1, 1)]).unwrap();
    std::fs::write(dir.path().join("00000001.lines"), before).unwrap();
    assert_eq!(open(dir.path()).1, [line(1, 1)]);
}

#[test]
fn a_damaged_sum_is_not_taken_for_none() {
    let dir = tempfile::tempdir().unwrap();
    let (mut ledger, _) = open(dir.path());
    ledger.cut().unwrap().finish(&[line(1, 1)]).unwrap();
    let sum = dir.path().join("sum");
    let mut bytes = std::fs::read(&sum).unwrap();
    bytes[20] ^= 1;
    std::fs::write(&sum, bytes).unwrap();
    assert!(Ledger::open(dir.path()).is_err());
}
