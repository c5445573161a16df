//! What the cost of a record is made of, as the end of its shape.
//!
//! Enters: a record, or what is behind a shape. Leaves: the rates and the list they are from; many records share them, so they are stored once a day.
//! Never: is written where there is nothing to tell: then a shape ends as those of earlier versions do.

use std::sync::Arc;

use serde::ser::SerializeSeq;
use serde::{Deserialize, Serialize, Serializer};
use tollgate_model::Record;
use tollgate_model::charge::{Applied, Basis, Class, UnitPrice};
use tollgate_model::record::Cost;

use super::{Onto, Unreadable};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Priced<'a, F = Vec<(Class, u128)>> {
    kind: Kind,
    #[serde(borrow)]
    list: Option<&'a str>,
    flags: u8,
    /// Rates of the list, or units of 10⁻³⁰ dollars, as the kind says.
    figures: F,
}

const DIFFERS: u8 = 1;
const WHOLESALE: u8 = 2;

/// The number is stored.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
enum Kind {
    Untold,
    Rates,
    Units,
    Total,
    Reported,
}

/// Figures, written as a list without being one.
struct Told<'a>(&'a Basis);

pub(super) fn write(record: &Record, buffer: &mut Vec<u8>) -> postcard::Result<()> {
    let cost = record.cost.as_ref().unwrap_or(&Cost::FREE);
    let flags = (u8::from(record.cost_differs()) * DIFFERS) | (u8::from(record.wholesale) * WHOLESALE);
    if cost.basis == Basis::Untold && flags == 0 {
        return Ok(());
    }
    let kind = match &cost.basis {
        Basis::Untold => Kind::Untold,
        Basis::Rates(_) => Kind::Rates,
        Basis::Units(_) => Kind::Units,
        Basis::Total => Kind::Total,
        Basis::Reported => Kind::Reported,
    };
    let priced = Priced { kind, list: cost.list.as_deref(), flags, figures: Told(&cost.basis) };
    postcard::serialize_with_flavor(&priced, Onto(buffer))
}

pub(super) fn read(behind: &[u8]) -> Result<Option<Priced<'_>>, Unreadable> {
    match behind {
        [] => Ok(None),
        bytes => postcard::from_bytes(bytes).map(Some).map_err(|_| Unreadable),
    }
}

// === impl Told ===

impl Serialize for Told<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let figures: [Option<(Class, u128)>; Class::ALL.len()] = match self.0 {
            Basis::Rates(applied) => each(applied.rates().map(|(class, rate)| (class, rate.into()))),
            Basis::Units(units) => each(units.iter().map(|(class, price)| (*class, price.units()))),
            Basis::Untold | Basis::Total | Basis::Reported => each(std::iter::empty()),
        };
        let mut list = serializer.serialize_seq(Some(figures.iter().flatten().count()))?;
        figures.iter().flatten().try_for_each(|figure| list.serialize_element(figure))?;
        list.end()
    }
}

/// A class has one figure, so there are never more of them than classes.
fn each(mut figures: impl Iterator<Item = (Class, u128)>) -> [Option<(Class, u128)>; Class::ALL.len()] {
    std::array::from_fn(|_| figures.next())
}

// === impl Priced ===

impl Priced<'_> {
    pub(crate) fn differs(&self) -> bool {
        self.flags & DIFFERS != 0
    }

    pub(crate) fn wholesale(&self) -> bool {
        self.flags & WHOLESALE != 0
    }

    pub(super) fn put_into(&self, cost: &mut Cost) -> Result<(), Unreadable> {
        cost.list = self.list.map(Arc::from);
        cost.basis = match self.kind {
            Kind::Untold => Basis::Untold,
            Kind::Rates => Basis::Rates(self.rates()?),
            Kind::Units => Basis::Units(self.units()),
            Kind::Total => Basis::Total,
            Kind::Reported => Basis::Reported,
        };
        Ok(())
    }

    fn rates(&self) -> Result<Applied, Unreadable> {
        let mut applied = Applied::default();
        for (class, rate) in &self.figures {
            applied.set(*class, u64::try_from(*rate).map_err(|_| Unreadable)?);
        }
        Ok(applied)
    }

    fn units(&self) -> Box<[(Class, UnitPrice)]> {
        self.figures.iter().map(|(class, units)| (*class, UnitPrice::from_units(*units))).collect()
    }
}
