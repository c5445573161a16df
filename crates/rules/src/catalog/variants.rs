//! Other prices for other ways of being served, as a sheet writes them.
//!
//! Enters: a price and the rows beside it. Leaves: one variant for each way, the more special first. Never: rounds: a factor that leaves a fraction of
//! a nano-dollar per million is refused.

use tollgate_model::money::scaled;
use tollgate_model::price::{PerMillion, Price, Rates, Tier, Variant};
use tollgate_model::usage::Term;

use super::{CLASSES, PIECES, VariantRow, overlay, tiers};

/// Factors have at most so many decimals.
const FACTOR_PLACES: usize = 6;
const FACTOR_ONE: i128 = 1_000_000;

pub(super) fn of(price: &Price, rows: &[VariantRow], usual_tiers: &[String]) -> Result<Vec<Variant>, String> {
    let (regions, plain): (Vec<&VariantRow>, Vec<&VariantRow>) = rows.iter().partition(|row| is_region(row));
    let mut plain = plain.into_iter().map(|row| variant(price, row)).collect::<Result<Vec<_>, _>>()?;
    for tier in usual_tiers {
        let mut variant = Variant { rates: price.rates.clone(), tiers: price.tiers.clone(), ..Variant::default() };
        variant.when.tier = Some(tier.clone());
        plain.push(variant);
    }
    let mut all = Vec::new();
    for region in regions {
        for base in &plain {
            let mut when = base.when.clone();
            when.region.clone_from(&region.region);
            all.push(Variant { when, ..times(&base.rates, &base.tiers, region)? });
        }
        all.push(Variant { when: region.when(), ..times(&price.rates, &price.tiers, region)? });
    }
    all.append(&mut plain);
    Ok(all)
}

/// A factor for a region and for nothing else.
fn is_region(row: &VariantRow) -> bool {
    let when = row.when();
    let named = |term: &&Term| when.word(**term).is_some();
    row.factor.is_some() && Term::ALL.iter().filter(named).eq(&[Term::Region])
}

fn variant(price: &Price, row: &VariantRow) -> Result<Variant, String> {
    let when = row.when();
    if Term::ALL.iter().all(|term| when.word(*term).is_none()) {
        return Err("expected a variant that says when it counts".to_owned());
    }
    if row.factor.is_some() {
        return Ok(Variant { when, ..times(&price.rates, &price.tiers, row)? });
    }
    if row.rates.is_empty() {
        return Err("expected a variant with rates or a factor".to_owned());
    }
    if row.tiers.is_empty() && row.rates.keys().all(|class| PIECES.contains(&class.as_str())) {
        let of_tier = |tier: &Tier| Ok(Tier { rates: overlay(tier.rates.clone(), &row.rates)?, ..tier.clone() });
        let tiers = price.tiers.iter().map(of_tier).collect::<Result<_, String>>()?;
        return Ok(Variant { when, rates: overlay(price.rates.clone(), &row.rates)?, tiers });
    }
    let rates = overlay(pieces(&price.rates), &row.rates)?;
    Ok(Variant { when, tiers: tiers(&rates, &row.tiers)?, rates })
}

fn pieces(of: &Rates) -> Rates {
    let (mut from, mut rates) = (of.clone(), Rates::default());
    for (_, slot) in CLASSES.iter().filter(|(class, _)| PIECES.contains(class)) {
        *slot(&mut rates) = *slot(&mut from);
    }
    rates
}

fn times(rates: &Rates, tiers: &[Tier], row: &VariantRow) -> Result<Variant, String> {
    let factor = row.factor.as_deref().unwrap_or_default();
    if !row.rates.is_empty() || !row.tiers.is_empty() {
        return Err("expected a variant with either rates or a factor".to_owned());
    }
    let factor = scaled(factor, FACTOR_PLACES).map_err(|problem| format!("factor: {problem}"))?;
    let tier = |tier: &Tier| Ok(Tier { rates: multiplied(&tier.rates, factor)?, ..tier.clone() });
    let tiers = tiers.iter().map(tier).collect::<Result<_, String>>()?;
    Ok(Variant { rates: multiplied(rates, factor)?, tiers, ..Variant::default() })
}

fn multiplied(rates: &Rates, factor: i128) -> Result<Rates, String> {
    let mut rates = rates.clone();
    for (class, slot) in CLASSES.iter().filter(|(class, _)| !PIECES.contains(class)) {
        if let Some(rate) = slot(&mut rates) {
            let product = i128::from(*rate).checked_mul(factor).filter(|product| product % FACTOR_ONE == 0);
            let product = product.and_then(|product| PerMillion::try_from(product / FACTOR_ONE).ok());
            *rate = product.ok_or(format!("{class}: the factor does not leave a whole number"))?;
        }
    }
    Ok(rates)
}
