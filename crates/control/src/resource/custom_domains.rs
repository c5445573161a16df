//! Custom domains over HTTP (control-plane specification, section 10).
//!
//! Enters: host names. Leaves: domains of a gateway, active at once: whoever may write settings here needs no proof of owning a name, and a name that does not
//! lead here in DNS brings no requests. Never: asks DNS.

use http::Method;
use serde_json::{Value, json};
use tollgate_model::{CustomDomain, Gateway};
use tollgate_wire::provider::Origin;

use crate::answer::Answer;
use crate::call::Call;
use crate::desk::{DOMAIN, DeskError};
use crate::page::{PAGE, PER_PAGE, Paging};
use crate::problem::Problem;
use crate::row::Access::Guarded;
use crate::row::Answers::{One, Page};
use crate::row::{Needs, Row, get, row};
use crate::shape::Presence::Required;
use crate::shape::{Fault, Member, Shape};

const PER_PAGE_MAX: u64 = 100;
const ALL: &str = "/accounts/{account}/ai-gateway/gateways/{gateway}/custom-domains";
const ONE: &str = "/accounts/{account}/ai-gateway/gateways/{gateway}/custom-domains/{hostname}";

static NEW: Shape = Shape::Named("NewCustomDomain", &Shape::Object(DOMAIN));
static OBJECT: Shape = Shape::Named(
    "CustomDomain",
    &Shape::Object(&[
        Member::of("hostname", Shape::TEXT, Required, "The name, in lower case."),
        Member::of("gateway_id", Shape::TEXT, Required, "The gateway that it leads to."),
        Member::of("status", Shape::Word(&["active"]), Required, "Always `active`."),
        Member::of("cname_target", Shape::TEXT, Required, "The host that the name should lead to in DNS."),
        Member::of("zone_id", Shape::OrNull(&Shape::TEXT), Required, "As it was given."),
        Member::of("created_at", Shape::COUNT, Required, "Unix milliseconds."),
        Member::of("modified_at", Shape::COUNT, Required, "Unix milliseconds."),
    ]),
);

pub(crate) static ROWS: &[Row] = &[
    get(
        ALL,
        "aig-config-list-custom-domains",
        Guarded(Needs::Metadata, list),
        Page(&OBJECT),
        "The host names that lead to a gateway, in order.",
    )
    .query(&[PAGE, PER_PAGE])
    .said("domain", "list")
    .columns(&["hostname", "gateway_id", "status", "cname_target"]),
    row(
        Method::POST,
        ALL,
        "aig-config-create-custom-domain",
        Guarded(Needs::Write, create),
        One(&OBJECT),
        "A host name for this gateway: requests with it need no /v1/{account}/{gateway}.",
    )
    .body(&NEW)
    .said("domain", "create"),
    get(ONE, "aig-config-fetch-custom-domain", Guarded(Needs::Metadata, get_one), One(&OBJECT), "One host name.")
        .said("domain", "show"),
    row(
        Method::DELETE,
        ONE,
        "aig-config-delete-custom-domain",
        Guarded(Needs::Write, delete),
        One(&OBJECT),
        "The name leads nowhere from now on.",
    )
    .said("domain", "delete"),
];

fn list(call: &Call) -> Result<Answer, Problem> {
    let mut reader = call.query.reader();
    let paging = Paging::read(&mut reader, PER_PAGE_MAX);
    reader.finish()?;
    let all = call.parts.desk.custom_domains(gateway(call)?)?;
    let total = all.len() as u64;
    let rows: Vec<Value> = paging.cut(all).iter().map(|domain| shown(call, domain)).collect();
    Ok(Answer::Page { info: paging.info(rows.len(), total), rows })
}

fn create(call: &Call) -> Result<Answer, Problem> {
    let made = call.parts.desk.create_custom_domain(gateway(call)?, &call.json(), &own_host(call));
    match made {
        Ok(made) => Ok(Answer::Result(shown(call, &made))),
        Err(DeskError::Exists(_)) => {
            let said = "This domain already exists: one host name leads to one gateway";
            Err(Problem::invalid(vec![Fault::new(["body", "domain"], said)]))
        }
        Err(other) => Err(other.into()),
    }
}

fn get_one(call: &Call) -> Result<Answer, Problem> {
    let found = call.parts.desk.custom_domain(gateway(call)?, call.params.get("hostname"))?;
    Ok(Answer::Result(shown(call, &found)))
}

fn delete(call: &Call) -> Result<Answer, Problem> {
    let gone = call.parts.desk.delete_custom_domain(gateway(call)?, call.params.get("hostname"))?;
    Ok(Answer::Result(shown(call, &gone)))
}

fn gateway(call: &Call) -> Result<&Gateway, Problem> {
    Ok(&call.gateway()?.settings)
}

fn shown(call: &Call, domain: &CustomDomain) -> Value {
    json!({
        "hostname": domain.hostname,
        "gateway_id": domain.gateway,
        "status": "active",
        "cname_target": own_host(call),
        "zone_id": domain.zone_id,
        "created_at": domain.created_at,
        "modified_at": domain.modified_at,
    })
}

/// What this gateway is called by everybody.
fn own_host(call: &Call) -> String {
    Origin::of_url(&call.parts.public.url).map(|(origin, _)| origin.host).unwrap_or_default()
}
