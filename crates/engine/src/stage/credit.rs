//! Has the operator's key go out only for who can pay for it (data-plane specification, 5.2 and 9.3).
//!
//! Enters: a caller, a step, whose key it goes out with. Leaves: nothing, with what it can come to at most held from the credits; or a refusal.
//! Never: asks anything of a request with a key of its caller's or of the gateway's; believes a caller about the price of what the operator pays for.
//!
//! Off unless the operator has switched credits on: then their key is for those who paid.

use tollgate_model::Refusal;
use tollgate_rules::cost::bound::Asked;

use crate::books::Books;
use crate::credits::Dry;
use crate::gate::Gate;
use crate::head::Head;
use crate::stage::admit::Caller;
use crate::stage::key::Whose;
use crate::stage::plan::Step;
use crate::surface::Host;

pub(crate) fn draw(
    gate: &Gate,
    caller: &Caller,
    head: &Head,
    step: &Step,
    whose: &Whose,
    books: &mut Books,
) -> Result<(), Refusal> {
    let is_operators = matches!(whose, Whose::Operators);
    books.paid_by_operator(is_operators);
    let Some(credits) = gate.shared.credits.as_ref().filter(|_| is_operators) else { return Ok(()) };
    let found = gate.shared.catalog.find(step.row.name(), &step.model, books.started_ms());
    let asked = Asked {
        body: step.body.held().map_or(&[][..], |body| body),
        body_bytes: books.request_size(),
        context_window: found.as_ref().and_then(|found| found.model.context_window),
    };
    let most = asked.cost(found.map(|found| found.price), None).ok_or_else(Refusal::not_for_credits)?;
    let draft = credits.hold(&caller.gateway.id, most, gate.shared.clock.unix_ms());
    books.draw(draft.map_err(|dry| match (dry, head.surface().host) {
        (Dry::Rate, _) => Refusal::credit_rate_limited(),
        (Dry::Empty, Host::Gateway) => Refusal::no_credits(),
        (Dry::Empty, Host::Rest) => Refusal::no_credits_on_rest(),
    })?);
    Ok(())
}
