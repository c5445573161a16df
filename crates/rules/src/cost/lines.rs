//! The ledger of a request: one line for each class that was charged.
//!
//! Enters: the usage and the cost of a record. Leaves: lines that sum to its amount, the same whenever they are asked for: the rates are the record's, not
//! today's. Never: shows lines that do not sum up: then it has none to show.
//!
//! A caller's own price is rounded once, as a whole, because that is its formula; its lines get the nano-dollars by largest remainder.

use tollgate_model::charge::{Applied, Basis, UnitPrice};
use tollgate_model::record::Cost;
use tollgate_model::{Money, Usage};

use super::{Class, Ledger, Line, amount};

/// 10⁻³⁰ dollars in a nano-dollar.
const UNITS_PER_NANO: u128 = 10_u128.pow(UnitPrice::PLACES - 9);

/// `None`: nobody can tell, as with records from before lines were kept.
pub fn lines(usage: Option<&Usage>, cost: &Cost) -> Option<Ledger> {
    let ledger = match &cost.basis {
        Basis::Untold if cost.amount == Money::ZERO => Some(Ledger::default()),
        Basis::Untold => None,
        Basis::Rates(applied) => of_rates(usage?, applied),
        Basis::Units(units) => of_units(usage?, units, cost.amount),
        Basis::Total | Basis::Reported => Some(whole(cost.amount)),
    };
    ledger.filter(|ledger| ledger.total == cost.amount)
}

pub(super) fn of_rates(usage: &Usage, applied: &Applied) -> Option<Ledger> {
    let mut ledger = Ledger::default();
    for (class, rate) in applied.rates() {
        let quantity = class.quantity(usage);
        ledger.add(Line { class, quantity, price: Some(rate.into()), amount: amount(quantity, rate)? })?;
    }
    Some(ledger)
}

fn of_units(usage: &Usage, units: &[(Class, UnitPrice)], total: Money) -> Option<Ledger> {
    let mut ledger = Ledger::default();
    let mut remainders = Vec::with_capacity(units.len());
    for (class, price) in units {
        let quantity = class.quantity(usage);
        let exact = price.units().checked_mul(u128::from(quantity))?;
        let amount = Money::from_nanos(i64::try_from(exact / UNITS_PER_NANO).ok()?);
        remainders.push((exact % UNITS_PER_NANO, ledger.lines.len()));
        ledger.add(Line { class: *class, quantity, price: Some(*price), amount })?;
    }
    remainders.sort_by_key(|(remainder, place)| (std::cmp::Reverse(*remainder), *place));
    let short = usize::try_from(total.nanos().checked_sub(ledger.total.nanos())?).ok()?;
    for (_, place) in remainders.into_iter().take(short) {
        ledger.lines[place].amount = ledger.lines[place].amount + Money::from_nanos(1);
        ledger.total = ledger.total + Money::from_nanos(1);
    }
    ledger.lines.retain(|line| line.quantity > 0);
    Some(ledger)
}

/// Somebody said what all of it costs.
fn whole(amount: Money) -> Ledger {
    let line = Line { class: Class::Request, quantity: 1, price: None, amount };
    Ledger { lines: vec![line], total: amount }
}

// === impl Ledger ===

impl Ledger {
    fn add(&mut self, line: Line) -> Option<()> {
        let total = self.total.nanos().checked_add(line.amount.nanos())?;
        self.total = Money::from_nanos(total);
        self.lines.push(line);
        Some(())
    }
}
