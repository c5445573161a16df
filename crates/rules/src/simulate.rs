//! A route walked without asking anybody: what would be chosen for a request, and why.
//!
//! Enters: a compiled route, requests with their times, what to assume of the world. Leaves: the same decisions and traces that serving makes.
//! Never: walks by rules of its own: it is [`crate::walk::Walk`] that is fed.
//!
//! Requests are handed in as they came: each takes its place in the windows of rate elements, spends what it cost, and is remembered by sticky
//! models, as it would have been.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use tollgate_model::{Money, Trace};

use crate::facts::Facts;
use crate::memory::Memory;
use crate::meter::Meters;
use crate::route::Route;
use crate::walk::{Ask, Miss, Said, Step, Walk};

/// What is supposed to go wrong. By default every model answers.
#[derive(Clone, Debug, Default)]
pub struct Assumed {
    /// By element, or by `provider/model`.
    pub misses: HashMap<String, Miss>,
    /// Rate elements without room, whatever their windows say.
    pub full: HashSet<String>,
}

#[derive(Debug)]
pub struct Simulator {
    route: Arc<Route>,
    assumed: Assumed,
    meters: Meters,
    memory: Memory,
}

#[derive(Clone, Debug)]
pub struct Decided {
    /// Who would have answered.
    pub chosen: Option<Step>,
    pub trace: Trace,
}

// === impl Simulator ===

impl Simulator {
    pub fn new(route: Arc<Route>, assumed: Assumed) -> Self {
        Self { route, assumed, meters: Meters::default(), memory: Memory::default() }
    }

    /// One request that came at `now_ms` and cost so much.
    pub fn decide(&mut self, mut facts: Facts, now_ms: u64, cost: Money) -> Decided {
        self.memory.remind(&self.route, &mut facts, now_ms);
        let mut walk = Walk::route(self.route.clone(), Arc::new(facts));
        let chosen = self.follow(&mut walk, now_ms);
        if chosen.is_some() {
            walk.answered();
            self.memory.learn_from(&walk, now_ms);
            self.meters.spend(walk.owed(), cost, now_ms);
        }
        Decided { chosen, trace: walk.into_trace() }
    }

    fn follow(&mut self, walk: &mut Walk, now_ms: u64) -> Option<Step> {
        let mut said = Said::Start;
        loop {
            said = match walk.next(said) {
                Ask::Stop(_) => return None,
                Ask::Count(need) => {
                    let is_full = self.assumed.full.contains(&*need.element);
                    Said::Counted(!is_full && self.meters.admit(&need, now_ms))
                }
                Ask::Try(step) => match self.miss(&step) {
                    Some(miss) => Said::Missed(miss),
                    None => return Some(step),
                },
            };
        }
    }

    fn miss(&self, step: &Step) -> Option<Miss> {
        if self.assumed.misses.is_empty() {
            return None;
        }
        let by_element = step.element.as_ref().and_then(|element| self.assumed.misses.get(&**element));
        by_element.or_else(|| self.assumed.misses.get(&*step.target.name())).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::route::Draft;
    use serde_json::json;

    #[test]
    fn requests_take_their_place_in_windows_as_they_came() {
        let elements = json!([
            { "id": "s", "type": "start", "outputs": { "next": "r" } },
            { "id": "r", "type": "rate", "outputs": { "success": "a", "fallback": "b" },
              "properties": { "limitType": "count", "limit": 2, "window": 60, "key": "metadata.user_id" } },
            { "id": "a", "type": "model", "properties": { "provider": "p", "model": "a" }, "outputs": { "fallback": "b" } },
            { "id": "b", "type": "model", "properties": { "provider": "p", "model": "b" } }
        ]);
        let draft = Draft { gateway: "g", id: "r", name: "n", version_id: "v", elements: &elements };
        let route = Arc::new(Route::compile(&draft).expect("it is sound"));
        let facts = || Facts { metadata: crate::metadata::read(r#"{"user_id":"u"}"#), ..Facts::default() };
        let models = |assumed: Assumed| -> Vec<String> {
            let mut simulator = Simulator::new(route.clone(), assumed);
            let decide = |at_s: u64| simulator.decide(facts(), at_s * 1_000, Money::ZERO);
            [0, 1, 2, 90]
                .map(decide)
                .iter()
                .filter_map(|it| Some(it.chosen.as_ref()?.target.model.to_string()))
                .collect()
        };
        assert_eq!(models(Assumed::default()), ["a", "a", "b", "a"]);
        assert_eq!(models(Assumed { full: ["r".to_owned()].into(), ..Assumed::default() }), ["b", "b", "b", "b"]);
        let broken = Assumed { misses: [("p/a".to_owned(), Miss::ServerError)].into(), ..Assumed::default() };
        assert_eq!(models(broken), ["b", "b", "b", "b"]);
        let both = [("a".to_owned(), Miss::Timeout), ("b".to_owned(), Miss::Timeout)];
        assert!(models(Assumed { misses: both.into(), ..Assumed::default() }).is_empty());
    }
}
