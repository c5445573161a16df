//! How many records each gateway may have, and how many more fit.
//!
//! Enters: caps, and what is about to be inserted. Leaves: how much of it may be, and who has too many. Never: counts rows for every batch: what a count
//! left room for is given out until it is used up. Whoever deletes only makes more room, so that this errs on the safe side.

use std::collections::{HashMap, HashSet};

use parking_lot::Mutex;

use crate::failure::StoreError;
use crate::records::{AtTheCap, Cap};

#[derive(Debug, Default)]
pub(super) struct Caps(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    caps: HashMap<String, Cap>,
    /// Rows that may still be inserted before somebody has to count.
    room: HashMap<String, u64>,
    /// Gateways whose cap is new: nobody has looked whether they keep to it.
    unseen: HashSet<String>,
}

/// A gateway that has more than it may.
#[derive(Debug)]
pub(super) struct Overfull {
    pub(super) gateway: String,
    pub(super) rows: u64,
}

// === impl Caps ===

impl Caps {
    pub(super) fn set(&self, caps: HashMap<String, Cap>) {
        let mut inner = self.0.lock();
        let Inner { caps: before, mut room, mut unseen } = std::mem::take(&mut *inner);
        unseen.retain(|gateway| caps.contains_key(gateway));
        unseen.extend(caps.iter().filter(|(name, cap)| before.get(*name) != Some(*cap)).map(|(name, _)| name.clone()));
        room.retain(|gateway, _| caps.contains_key(gateway) && !unseen.contains(gateway));
        *inner = Inner { caps, room, unseen };
    }

    /// How many of the records that a gateway is about to get may be inserted.
    pub(super) fn admit(
        &self,
        gateway: &str,
        wanted: u64,
        count: impl FnOnce() -> Result<u64, StoreError>,
    ) -> Result<u64, StoreError> {
        let mut inner = self.0.lock();
        let Some(cap) = inner.caps.get(gateway).copied() else { return Ok(wanted) };
        if let Some(room) = inner.room.get_mut(gateway).filter(|room| **room >= wanted) {
            *room -= wanted;
            return Ok(wanted);
        }
        let room = cap.rows.saturating_sub(count()?);
        inner.room.insert(gateway.to_owned(), room.saturating_sub(wanted));
        Ok(match cap.then {
            AtTheCap::LeaveOut => wanted.min(room),
            AtTheCap::RemoveOldest => wanted,
        })
    }

    /// Gateways whose oldest records are to go, and how many. Only those are counted that can have too many: nothing is left of their room.
    pub(super) fn overfull(
        &self,
        count: impl Fn(&str) -> Result<u64, StoreError>,
    ) -> Result<Vec<Overfull>, StoreError> {
        let suspects: Vec<(String, Cap)> = {
            let inner = self.0.lock();
            let full = |gateway: &str| inner.room.get(gateway) == Some(&0) || inner.unseen.contains(gateway);
            let removing = inner.caps.iter().filter(|(_, cap)| cap.then == AtTheCap::RemoveOldest);
            removing.filter(|(gateway, _)| full(gateway)).map(|(gateway, cap)| (gateway.clone(), *cap)).collect()
        };
        let mut overfull = Vec::new();
        for (gateway, cap) in suspects {
            let excess = count(&gateway)?.saturating_sub(cap.rows);
            if excess == 0 {
                self.0.lock().unseen.remove(&gateway);
            } else {
                // A thousandth more than has to go, so that the next ones find room.
                overfull.push(Overfull { gateway, rows: excess + cap.rows / 1_000 });
            }
        }
        Ok(overfull)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn capped(rows: u64, then: AtTheCap) -> Caps {
        let caps = Caps::default();
        caps.set(HashMap::from([("g".to_owned(), Cap { rows, then })]));
        caps
    }

    #[test]
    fn what_there_is_room_for_is_counted_once() {
        let caps = capped(100, AtTheCap::LeaveOut);
        assert_eq!(caps.admit("g", 10, || Ok(50)).unwrap(), 10);
        let nobody_counts = || -> Result<u64, StoreError> { panic!("there was room for forty more") };
        assert_eq!(caps.admit("g", 40, nobody_counts).unwrap(), 40);
        assert_eq!(caps.admit("g", 5, || Ok(98)).unwrap(), 2, "somebody else deleted some");
        assert_eq!(caps.admit("g", 1, || Ok(100)).unwrap(), 0);
        assert_eq!(caps.admit("other", 1_000, nobody_counts).unwrap(), 1_000);
    }

    #[test]
    fn only_a_cap_that_is_new_is_looked_after() {
        let caps = capped(100, AtTheCap::RemoveOldest);
        assert!(caps.overfull(|_| Ok(50)).unwrap().is_empty());
        let nobody_counts = |_: &str| -> Result<u64, StoreError> { panic!("seen, and nothing came") };
        assert!(caps.overfull(nobody_counts).unwrap().is_empty());
        caps.set(HashMap::from([("g".to_owned(), Cap { rows: 100, then: AtTheCap::RemoveOldest })]));
        assert!(caps.overfull(nobody_counts).unwrap().is_empty());
        caps.set(HashMap::from([("g".to_owned(), Cap { rows: 40, then: AtTheCap::RemoveOldest })]));
        assert_eq!(caps.overfull(|_| Ok(50)).unwrap()[0].rows, 10);
    }

    #[test]
    fn a_thousandth_more_goes_than_must() {
        let caps = capped(10_000, AtTheCap::RemoveOldest);
        assert_eq!(caps.admit("g", 20, || Ok(9_990)).unwrap(), 20);
        let overfull = caps.overfull(|_| Ok(10_010)).unwrap();
        assert_eq!((&*overfull[0].gateway, overfull[0].rows), ("g", 20));
        assert!(caps.overfull(|_| Ok(9_990)).unwrap().is_empty());
        assert!(capped(10_000, AtTheCap::LeaveOut).overfull(|_| Ok(20_000)).unwrap().is_empty());
    }
}
