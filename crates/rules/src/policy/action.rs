//! What a policy does when it matches.
//!
//! Enters: the member `action`. Leaves: one of three, or what is wrong with it. Never: rounds an amount that can be kept whole.

use serde_json::Value;
use tollgate_model::Money;

use super::Fault;
use crate::budget::calendar::Period;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    NoLimit,
    /// `except`: everything but the resource.
    Block {
        except: bool,
    },
    Limit {
        amount: Money,
        period: Period,
    },
}

impl Action {
    pub(super) fn read(said: &Value) -> Result<Self, Fault> {
        match said["type"].as_str() {
            Some("no-limit") => Ok(Self::NoLimit),
            Some("block") => Ok(Self::Block { except: said["except"].as_bool().unwrap_or(false) }),
            Some("limit") => {
                let technique = said["technique"].as_str().unwrap_or("named-interval");
                if technique != "named-interval" {
                    return Err(fault("technique", "Invalid enum value. Expected 'named-interval'"));
                }
                Ok(Self::Limit { amount: amount(&said["amount"])?, period: period(&said["period"])? })
            }
            _ => Err(fault("type", "Invalid enum value. Expected 'no-limit' | 'block' | 'limit'")),
        }
    }
}

fn amount(said: &Value) -> Result<Money, Fault> {
    let amount = match said {
        Value::Number(number) => crate::budget::rule::dollars(number).ok(),
        _ => None,
    };
    amount.filter(|amount| *amount > Money::ZERO).ok_or_else(|| fault("amount", "Number must be greater than 0"))
}

fn period(said: &Value) -> Result<Period, Fault> {
    let known = serde_json::from_value(said.clone());
    known.map_err(|_| fault("period", "Invalid enum value. Expected 'hourly' | 'daily' | 'weekly' | 'monthly'"))
}

fn fault(member: &str, said: &str) -> Fault {
    Fault { member: vec!["action".to_owned(), member.to_owned()], said: said.to_owned() }
}
