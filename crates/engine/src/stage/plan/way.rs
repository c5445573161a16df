//! What may be asked for one request, and in which order: a single target, the caller's list, a dynamic route, the auto router's ranking.
//!
//! Enters: what was heard. Leaves: a walk, and a `Step` for each target whose turn it is. Never: decides the order: `rules::walk` does.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderName, HeaderValue};
use serde_json::Value;
use tollgate_model::Refusal;
use tollgate_model::refusal::Blame;
use tollgate_rules::auto::Decision;
use tollgate_rules::facts::Facts;
use tollgate_rules::naming::{self, Named, Naming};
use tollgate_rules::options::Options;
use tollgate_rules::route::Route;
use tollgate_rules::token;
use tollgate_rules::walk::{self, StopReason, Target, Walk};
use tollgate_wire::chat::{Losses, input_tokens};
use tollgate_wire::dialect::anthropic;
use tollgate_wire::headers::{RequestPolicy, forward_request};
use tollgate_wire::peek::peek;
use tollgate_wire::provider::ProviderRow;

use super::foreign::Foreign;
use super::question::{Question, bad_field, own_key, told_in};
use super::{Asking, Step, automatic, foreign, misdirected, provider};
use crate::books::Books;
use crate::edge;
use crate::gate::Gate;
use crate::head::Head;
use crate::stage::admit::{self, Caller};
use crate::stage::key::{self, Alias, Whose};
use crate::stage::send::Sent;
use crate::stage::{access, scope};
use crate::surface::run::Job;
use crate::surface::universal::Listed;
use crate::surface::{COUNT_TOKENS, Call, Host, MESSAGES, compat};

pub(crate) struct Way {
    pub(crate) walk: Walk,
    put: Put,
    /// The request's own.
    options: Options,
    /// The caller does not wait for it.
    pub(crate) job: Option<Job>,
}

enum Put {
    /// One question for one target, which its name says.
    Single { question: Box<Question>, row: Arc<ProviderRow>, model: String },
    /// One question for whichever target the route comes to.
    Route(Box<Question>),
    /// One question for the models that the auto router has ranked.
    Auto(Box<Question>, Box<Decision>),
    /// The caller's steps.
    List(Vec<Listed>),
}

/// What the walk's next target comes to.
pub(crate) enum Next {
    Step(Box<Step>, Box<Options>),
    /// It has a walk of its own.
    Way(Box<Way>),
}

impl Way {
    /// One question, and what its model means.
    pub(crate) fn of_question(
        gate: &Gate,
        caller: &Caller,
        question: Question,
        options: &Options,
        books: &mut Books,
    ) -> Result<Self, Refusal> {
        let options = options.clone();
        match named(caller, &question)? {
            Named::Model { row, model } => {
                let (provider, name) = (row.name().clone(), model.as_str().into());
                let walk = Walk::single(Target { provider, model: name, ..Target::default() });
                Ok(Self { walk, put: Put::Single { question: Box::new(question), row, model }, options, job: None })
            }
            Named::Route(name) => {
                let route = caller.gateway.route(&name).ok_or_else(Refusal::nothing_answered)?;
                scope::check_route(caller, route, question.asked.dialect)?;
                let facts = facts(gate, caller, route, &question, &options, books);
                let walk = Walk::route(route.clone(), Arc::new(facts));
                let way = Self { walk, put: Put::Route(Box::new(question)), options, job: None };
                way.aim_at_nobody(books);
                Ok(way)
            }
            Named::Auto => {
                let decision = automatic::decide(gate, caller, &question)?;
                let put = Put::Auto(Box::new(question), Box::new(decision.clone()));
                let way = Self { walk: decision.walk(), put, options, job: None };
                way.aim_at_nobody(books);
                Ok(way)
            }
        }
    }

    pub(crate) fn of_list(steps: Vec<Listed>, options: &Options) -> Self {
        let target = |step: &Listed| Target { provider: step.provider.as_str().into(), ..Target::default() };
        let walk = Walk::list(steps.iter().map(target).collect());
        Self { walk, put: Put::List(steps), options: options.clone(), job: None }
    }

    /// How long the question is, where nobody is there to count it: at a provider that does not count, or before a route is walked. An estimate.
    pub(crate) fn estimated(&self) -> Result<Option<Bytes>, Refusal> {
        let question = match &self.put {
            Put::Single { question, row, model } if row.reaches(question.asked.used_for, model).next().is_none() => {
                question
            }
            Put::Route(question) | Put::Auto(question, _) => question,
            Put::Single { .. } | Put::List(_) => return Ok(None),
        };
        if question.asked != COUNT_TOKENS {
            return Ok(None);
        }
        let chat = MESSAGES.dialect.chat().ok_or_else(Refusal::internal)?;
        let request = chat.read_request(&question.body).map_err(|bad| bad_field(MESSAGES.dialect, bad))?;
        Ok(Some(anthropic::token_count(input_tokens(&request)).into()))
    }

    pub(crate) fn later(self, job: Option<Job>) -> Self {
        Self { job, ..self }
    }

    /// What to ask at this step of the walk.
    pub(crate) fn at(
        &mut self,
        gate: &Gate,
        caller: &Caller,
        head: &Head,
        step: &walk::Step,
        books: &mut Books,
    ) -> Result<Next, Refusal> {
        let mut options = self.options.clone();
        let mut made = match &mut self.put {
            Put::Single { question, row, model } => {
                let own = question.own_key.clone();
                let alias = if head.surface().host == Host::Gateway { Alias::Binding } else { Alias::Ignored };
                let whose = whose(gate, caller, question, row, &options, alias)?;
                foreign::step(head.account(), question, row, model, (whose, own.as_ref()), options.strict)?
            }
            Put::Route(question) | Put::Auto(question, _) => {
                options.retry.timeout_ms = step.target.timeout_ms.or(options.retry.timeout_ms);
                options.retry.attempts = step.target.attempts.unwrap_or(options.retry.attempts);
                let row = provider(caller, &step.target.provider)?;
                // A key of the caller's is for one provider, and this leads to any.
                question.own_key = None;
                let whose = whose(gate, caller, question, row, &options, Alias::Wished)?;
                foreign::step(head.account(), question, row, &step.target.model, (whose, None), options.strict)?
            }
            Put::List(steps) => {
                let listed = steps.get(usize::from(step.index)).ok_or_else(Refusal::internal)?;
                options = Options::read(&listed.headers, &caller.gateway.settings, caller.snapshot.manners);
                books.stepped(step.index);
                if listed.provider == compat::SEGMENT {
                    return Ok(Next::Way(Box::new(unified(gate, caller, listed, &options, books)?)));
                }
                native(head.account(), caller, listed)?
            }
        };
        made.more = step.more;
        made.by_route = matches!(self.put, Put::Route(_));
        Ok(Next::Step(Box::new(made), Box::new(options)))
    }

    /// Whether an answer of this kind is passed over. The last step of a list shows whatever it was told; a route is either answered or refused.
    pub(crate) fn falls_through(&self, step: &walk::Step, sent: &Sent) -> bool {
        let is_failure = sent.answered.response.status().as_u16() >= 400;
        is_failure && (step.more || matches!(self.put, Put::Route(_)))
    }

    /// What the caller is told of a target that it did not choose.
    pub(crate) fn says(&self, step: &walk::Step, books: &Books) -> Vec<(HeaderName, HeaderValue)> {
        let value = |text: &str| HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("unspeakable"));
        let target = || vec![(edge::MODEL, value(&step.target.model)), (edge::PROVIDER, value(&step.target.provider))];
        match &self.put {
            Put::Single { .. } | Put::List(_) => Vec::new(),
            Put::Route(_) => target(),
            Put::Auto(_, decision) => {
                let mut says = target();
                let name = decision.name_for(step.index).map_or("", |name| &**name);
                says.push((edge::ROUTED_MODEL, value(name)));
                says.push((edge::ROUTING_REASON, HeaderValue::from_static(decision.reason_for(step.index).word())));
                says.push((edge::ROUTING_DECISION_ID, value(&books.id().to_string())));
                says
            }
        }
    }

    /// The target of this step has answered, or failed for good.
    pub(crate) fn met(&mut self, gate: &Gate, step: &walk::Step, answered: bool) {
        let now_ms = gate.shared.clock.unix_ms();
        if answered {
            self.walk.answered();
        }
        if let Put::Auto(_, decision) = &self.put {
            gate.shared.health.lock().note(&step.target.provider, &step.target.model, answered, now_ms);
            if answered {
                decision.learn(step.index, &mut gate.shared.memory.lock(), now_ms);
            }
        }
    }

    /// The walk is over: what it decided is written down, and remembered for those who come after.
    pub(crate) fn settle(&self, gate: &Gate, books: &mut Books) {
        if matches!(self.put, Put::Single { .. }) {
            return;
        }
        books.walked(self.walk.trace().clone(), self.walk.owed());
        if self.walk.kept().is_some() {
            gate.shared.memory.lock().learn_from(&self.walk, gate.shared.clock.unix_ms());
        }
    }

    /// The no when nothing is left to try. `last` is what the last target met.
    pub(crate) fn stopped(&self, reason: StopReason, last: Option<Refusal>, books: &mut Books) -> Refusal {
        if !matches!(self.put, Put::Route(_) | Put::Auto(..)) {
            return last.unwrap_or_else(Refusal::nothing_answered);
        }
        self.aim_at_nobody(books);
        match last {
            // What is wrong with the question itself is more use than that nobody answered it.
            Some(last) if last.blame() == Blame::Caller => last,
            Some(last) => Refusal::nothing_answered().because(last),
            None => Refusal::nothing_answered().because(reason.word()),
        }
    }

    /// One record for the whole of a route, as the original writes it, until a model has answered.
    fn aim_at_nobody(&self, books: &mut Books) {
        if let Put::Route(question) | Put::Auto(question, _) = &self.put {
            books.aimed(&UNKNOWN.with(Arc::clone), question.path.clone(), Some(&question.asked.kind.into()));
            books.asked_for(question.model.clone(), question.streamed);
        }
    }
}

fn whose(
    gate: &Gate,
    caller: &Caller,
    question: &Question,
    row: &ProviderRow,
    options: &Options,
    alias: Alias,
) -> Result<Whose, Refusal> {
    let whose = key::of_unified(gate, caller, row, question.own_key.as_ref(), options, alias);
    whose.map_err(|refusal| told_in(question.asked.dialect, refusal, None))
}

thread_local!(static UNKNOWN: Arc<str> = Arc::from("unknown"));

fn facts(gate: &Gate, caller: &Caller, route: &Route, question: &Question, options: &Options, books: &Books) -> Facts {
    let body = match route.reads_body() {
        true => serde_json::from_slice(&question.body).unwrap_or_default(),
        false => Value::Null,
    };
    let mut facts = Facts {
        headers: question.headers.clone(),
        metadata: options.metadata.clone(),
        body,
        budget_used: if route.reads_budget() { access::used(gate, caller, options).into() } else { Value::Null },
        seed: books.id().noise().unsigned_abs(),
        remembered: Vec::new(),
    };
    gate.shared.memory.lock().remind(route, &mut facts, gate.shared.clock.unix_ms());
    facts
}

fn named(caller: &Caller, question: &Question) -> Result<Named, Refusal> {
    let snapshot = &caller.snapshot;
    let named = naming::resolve(&snapshot.providers, &snapshot.aliases, question.naming, &question.model);
    let prefix = question.model.split('/').next().unwrap_or_default();
    named.ok_or_else(|| match question.naming {
        _ if snapshot.is_disabled(prefix) => Refusal::disabled_provider(prefix),
        Naming::Compat => Refusal::invalid_provider(),
        Naming::Rest => Refusal::no_model(&question.model),
    })
}

/// A step of a list that asks the gateway itself.
fn unified(
    gate: &Gate,
    caller: &Caller,
    listed: &Listed,
    options: &Options,
    books: &mut Books,
) -> Result<Way, Refusal> {
    let path = listed.endpoint.split('?').next().unwrap_or_default();
    let Call::Unified(asked) = compat::row(path).call else { return Err(Refusal::invalid_provider()) };
    let spent = admit::spent(&listed.headers);
    let mut question =
        Question::read(asked, Naming::Compat, listed.body.clone(), listed.headers.clone(), path.to_owned())?;
    question.own_key = own_key(&listed.headers, |name| spent.contains(name));
    Way::of_question(gate, caller, question, options, books)
}

/// A step of a list that calls a provider's own API.
fn native(account: &str, caller: &Caller, listed: &Listed) -> Result<Step, Refusal> {
    let row = provider(caller, &listed.provider)?.clone();
    if listed.endpoint.split_once('?').is_some_and(|(_, query)| token::is_in_query(query)) {
        return Err(Refusal::unauthorized());
    }
    let target = row.target(account, &listed.endpoint, &listed.headers).map_err(misdirected)?;
    let spent = admit::spent(&listed.headers);
    let is_spent = |name: &HeaderName| spent.contains(name);
    let mut headers = forward_request(&listed.headers, &RequestPolicy { spent: &is_spent, own: row.own_headers() });
    headers.remove(http::header::CONTENT_ENCODING);
    headers.insert(http::header::CONTENT_TYPE, foreign::JSON);
    let dialect = target.dialect();
    let said = peek(&listed.body).unwrap_or_default();
    let foreign = Foreign {
        headers,
        // Decided with the step: whether the caller's headers hold a key is a matter of the row.
        whose: Whose::Nobodys,
        as_native: true,
        told: dialect,
        asked: listed.body.clone(),
        tongue: None,
        losses: Losses::default(),
        enveloped: false,
        path: target.log_path.clone(),
        kind: target.operation.as_ref().map(|operation| operation.name.clone()),
    };
    Ok(Step {
        model: target.model_in_path.clone().or(said.model).unwrap_or_default(),
        streamed: said.stream,
        method: http::Method::POST,
        body: Asking::Held(listed.body.clone()),
        more: false,
        by_route: false,
        foreign: Some(Box::new(foreign)),
        dialect,
        row,
        target,
    })
}
