//! Shapes with and without the end that tells what a cost is made of.

use tollgate_model::charge::{Applied, Basis, Class};
use tollgate_model::record::Cost;
use tollgate_model::{Ids, Money};

use super::*;

fn record(basis: Basis) -> Record {
    let cost = Cost { basis, ..Cost::plain(Money::from_nanos(7)) };
    Record { cost: Some(cost), ..Record::blank(Ids::new().next(1), &"".into()) }
}

fn rates() -> Basis {
    let mut applied = Applied::default();
    applied.set(Class::Output, 10_000_000_000);
    Basis::Rates(applied)
}

#[test]
fn a_shape_of_an_earlier_version_is_one_without_the_end() {
    let (with, without) = (Encoded::of(&record(rates())), Encoded::of(&record(Basis::Untold)));
    let (with, without) = (with.line().shape, without.line().shape);
    assert!(with.starts_with(without), "what was there before is where it was");
    assert_eq!(without, postcard::to_stdvec(&shape_of(&record(rates()))).unwrap());
    assert!(shape(without).unwrap().priced.is_none());
    assert!(shape(with).unwrap().priced.is_some());
}

#[test]
fn an_end_cut_anywhere_is_no_shape() {
    let (with, without) = (Encoded::of(&record(rates())), Encoded::of(&record(Basis::Untold)));
    let (with, without) = (with.line().shape, without.line().shape);
    for cut in without.len() + 1..with.len() {
        assert!(shape(&with[..cut]).is_err(), "cut at {cut}");
    }
}

#[test]
fn what_a_cost_is_made_of_comes_back() {
    for basis in [Basis::Untold, rates(), Basis::Total, Basis::Reported] {
        for (reported, unified) in [(None, None), (Some(5), None), (None, Some(())), (Some(70_000), Some(()))] {
            let record = Record {
                reported: reported.map(Money::from_nanos),
                unified: unified.map(|()| Box::default()),
                wholesale: reported.is_some(),
                ..record(basis.clone())
            };
            let encoded = Encoded::of(&record);
            assert_eq!(encoded.line().record().unwrap(), record);
            let shape = shape(encoded.line().shape).unwrap();
            assert_eq!(shape.priced.is_some_and(|priced| priced.differs()), record.cost_differs());
        }
    }
}
