//! Prepaid credits: what was paid in, what was drawn, what is held for requests under way.
//!
//! Enters: what was paid, the most a request can come to, the truth. Leaves: yes or no. Never: lets requests pass that together could draw more than there
//! is; looks at a clock; asks who pays.
//!
//! ```text
//! drawn + held + amount <= paid        at every admission
//! ```
//! So the balance falls below zero only by as much as a truth is larger than what was held for it, or when what was paid is taken back.

use tollgate_model::Money;

/// In nano-dollars.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Balance {
    paid: i64,
    drawn: u64,
    held: u64,
}

// === impl Balance ===

impl Balance {
    /// All that was ever paid in, less what was taken back.
    pub fn pay(&mut self, total: Money) {
        self.paid = total.nanos();
    }

    /// What an earlier process had drawn.
    pub fn restore(&mut self, drawn: u64) {
        self.drawn = self.drawn.saturating_add(drawn);
    }

    /// False where so much is not left. What costs nothing needs something to be left as well: it is the operator's key.
    pub fn hold(&mut self, amount: Money) -> bool {
        let amount = nanos(amount);
        let left = i128::from(self.paid) - i128::from(self.drawn) - i128::from(self.held);
        if left <= 0 || i128::from(amount) > left {
            return false;
        }
        self.held = self.held.saturating_add(amount);
        true
    }

    /// The truth in the place of what was held; `None`: nothing was drawn. Returns what is to be written down.
    pub fn settle(&mut self, held: Money, truth: Option<Money>) -> u64 {
        let truth = truth.map_or(0, nanos);
        self.held = self.held.saturating_sub(nanos(held));
        self.drawn = self.drawn.saturating_add(truth);
        truth
    }

    /// Without what is held.
    pub fn left(&self) -> i128 {
        i128::from(self.paid) - i128::from(self.drawn)
    }

    pub fn held(&self) -> u64 {
        self.held
    }
}

fn nanos(amount: Money) -> u64 {
    u64::try_from(amount.nanos()).unwrap_or(0)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn money(nanos: u64) -> Money {
        Money::from_nanos(i64::try_from(nanos).unwrap())
    }

    #[test]
    fn exactly_as_many_pass_as_there_is_credit_for() {
        let mut balance = Balance::default();
        assert!(!balance.hold(money(0)), "nothing was ever paid");
        balance.pay(money(1_000));
        let passed = (0..1_000).filter(|_| balance.hold(money(30))).count();
        assert_eq!((passed, balance.held(), balance.left()), (33, 990, 1_000));
        balance.settle(money(30), None);
        assert!(balance.hold(money(30)) && !balance.hold(money(30)), "what is given back is there again");
    }

    #[test]
    fn what_was_taken_back_cannot_be_drawn() {
        let mut balance = Balance::default();
        balance.pay(money(100));
        balance.restore(60);
        balance.pay(money(50));
        assert_eq!(balance.left(), -10);
        assert!(!balance.hold(money(0)));
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_nothing_drawn_twice(
            paid in 0..5_000_u64,
            requests in prop::collection::vec((0..400_u64, prop::option::of(0..400_u64), any::<bool>()), 0..200),
        ) {
            let mut balance = Balance::default();
            balance.pay(money(paid));
            let (mut open, mut drawn, mut over) = (Vec::new(), 0, 0);
            for (most, truth, at_once) in requests {
                if balance.hold(money(most)) {
                    prop_assert!(drawn + balance.held() <= paid + over);
                    open.push((most, truth));
                }
                if at_once && !open.is_empty() {
                    let (most, truth) = open.remove(0);
                    drawn += balance.settle(money(most), truth.map(money));
                    over += truth.unwrap_or(0).saturating_sub(most);
                }
            }
            for (most, truth) in open {
                drawn += balance.settle(money(most), truth.map(money));
            }
            prop_assert_eq!(balance.held(), 0);
            prop_assert_eq!(balance.left(), i128::from(paid) - i128::from(drawn));
        }
    }
}
