//! The members of routes, versions and deployments, as data.
//!
//! Enters: nothing. Leaves: shapes for the OpenAPI document. Never: judges elements: `rules::route` does, and names the place of each fault.

use crate::shape::Presence::{Optional, Required, RequiredOrNull};
use crate::shape::{Member, Presence, Shape};

const fn row(name: &'static str, shape: Shape, presence: Presence, doc: &'static str) -> Member {
    Member::of(name, shape, presence, doc)
}

const NAME_MEMBER: Member =
    row("name", Shape::Like(&Shape::Text { min: 1, max: 256 }, PLAIN), Required, "Called as model `dynamic/{name}`.");
/// No control characters, and no space at its ends.
const PLAIN: &str = r"^[^\s\x00-\x1f\x7f-\x9f]([^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f])?$";
const ELEMENTS_MEMBER: Member = row("elements", Shape::Some(&GRAPH), Required, "The graph; see docs/routes.md.");
const GRAPH: Shape = Shape::Named("RouteElements", &Shape::List { of: &ELEMENT, max: usize::MAX });
static KINDS: &[&str] = &["start", "conditional", "percentage", "rate", "rate_limit", "model", "end"];
static ELEMENT: Shape = Shape::Object(&[
    row("id", Shape::TEXT, Required, "By which outputs name it."),
    row("type", Shape::Word(KINDS), Required, "What it does."),
    row("properties", Shape::Map(&Shape::Any), Optional, "By type."),
    row("outputs", Shape::Map(&Shape::Any), Optional, "Name to `{elementId}`."),
]);

pub(crate) static NEW: Shape = Shape::Named("NewRoute", &Shape::Object(&[NAME_MEMBER, ELEMENTS_MEMBER]));
pub(crate) static NAME: Shape = Shape::Object(&[NAME_MEMBER]);
pub(crate) static ELEMENTS: Shape = Shape::Object(&[ELEMENTS_MEMBER]);
pub(crate) static WHICH: Shape =
    Shape::Object(&[row("version_id", Shape::TEXT, Required, "The version that shall be in force.")]);

static SAID: &[Member] = &[
    row("id", Shape::TEXT, Required, "Made up; never changes."),
    row("name", Shape::TEXT, Required, "Called as model `dynamic/{name}`."),
    row("gateway_id", Shape::TEXT, Required, "Whose it is."),
    row("account_tag", Shape::TEXT, Required, "Whose it is."),
    row("created_at", Shape::Time, Required, "When it was made."),
    row("modified_at", Shape::Time, Required, "When it was changed last."),
    row("elements", GRAPH, RequiredOrNull, "What is in force."),
];

static DEPLOYMENT: Shape = Shape::Named(
    "RouteDeployment",
    &Shape::Object(&[
        row("deployment_id", Shape::TEXT, Required, "Made up."),
        row("version_id", Shape::TEXT, Required, "What is in force since then."),
        row("created_at", Shape::Time, Required, "Since when."),
    ]),
);

static VERSION: &[Member] = &[
    row("version_id", Shape::TEXT, Required, "Made up; never changes."),
    row("active", Shape::Flag, Required, "Whether it is in force."),
    row("is_valid", Shape::Flag, Required, "Always true: what is not valid is refused."),
    row("created_at", Shape::Time, Required, "When it was made."),
];
/// JSON text where versions stand by themselves, the list itself where they stand in their route, and absent in a list of routes.
const AS_TEXT: &[Member] = &[row("data", Shape::TEXT, Required, "The elements as JSON text.")];
const AS_LIST: &[Member] = &[row("data", GRAPH, Optional, "The elements.")];
static VERSION_IN_ROUTE: Shape = Shape::Parts(&[VERSION, AS_LIST]);
static VERSION_ALONE: Shape = Shape::Named("RouteVersion", &Shape::Parts(&[VERSION, AS_TEXT]));

static IN_FORCE: &[Member] = &[
    row("deployment", Shape::OrNull(&DEPLOYMENT), RequiredOrNull, "What was deployed last."),
    row("version", Shape::OrNull(&VERSION_IN_ROUTE), Optional, "What is in force."),
];

pub(crate) static BARE: Shape = Shape::Parts(&[SAID]);
pub(crate) static FULL: Shape = Shape::Named("Route", &Shape::Parts(&[SAID, IN_FORCE]));
pub(crate) static ONE_VERSION: Shape = Shape::Parts(&[SAID_OF_VERSION, VERSION, AS_TEXT]);
static SAID_OF_VERSION: &[Member] = &[
    row("id", Shape::TEXT, Required, "Of the route."),
    row("name", Shape::TEXT, Required, "Of the route."),
    row("gateway_id", Shape::TEXT, Required, "Whose it is."),
    row("elements", GRAPH, Required, "The graph."),
    row("modified_at", Shape::Time, Required, "As created_at: versions never change."),
];
pub(crate) static DEPLOYED: Shape =
    Shape::Parts(&[SAID, &[row("deployment", Shape::OrNull(&DEPLOYMENT), RequiredOrNull, "What was deployed now.")]]);

pub(crate) static RENAMED: &[Member] = &[
    row("route", Shape::Named("Route", &Shape::Parts(&[SAID, IN_FORCE])), Required, "For the SDKs."),
    row("result", Shape::Named("Route", &Shape::Parts(&[SAID, IN_FORCE])), Required, "As every other answer has it."),
    row("id", Shape::TEXT, Required, "At top level, as all members of the route: for Terraform."),
    row("name", Shape::TEXT, Required, "As renamed."),
];

const fn rows_of(of: &'static Shape) -> Member {
    row("result", Shape::List { of, max: usize::MAX }, Required, "A page of them.")
}
const INFO: Member = row("result_info", Shape::Map(&Shape::Any), Required, "Which page.");
const DATA: Member = row("data", Shape::Map(&Shape::Any), Required, "The same page, where the SDKs look for it.");

pub(crate) static LISTED_ROUTES: &[Member] = &[DATA, rows_of(&FULL), INFO];
pub(crate) static LISTED_VERSIONS: &[Member] = &[DATA, rows_of(&VERSION_ALONE), INFO];
pub(crate) static LISTED_DEPLOYMENTS: &[Member] = &[DATA, rows_of(&DEPLOYMENT), INFO];

pub(crate) static ASKED: Shape = Shape::Object(&[
    row("route", Shape::TEXT, Optional, "Id or name of a saved route."),
    row("version_id", Shape::TEXT, Optional, "Of that route; without it the one in force."),
    row("elements", Shape::Any, Optional, "Or a route that is not saved."),
    row("request", Shape::Map(&Shape::Any), Optional, "What to decide: `headers`, `metadata`, `body`."),
    row("log_ids", Shape::List { of: &Shape::TEXT, max: 1_000 }, Optional, "Or logged requests,"),
    row("last", Shape::Whole { min: 1, max: 1_000 }, Optional, "or the last so many."),
    row("seed", Shape::Any, Optional, "A number or its digits: what chance is drawn from."),
    row("assume", Shape::Map(&Shape::Any), Optional, "`misses` by target, `full` windows."),
]);
pub(crate) static SIMULATED: Shape = Shape::Object(&[
    row("route", Shape::Map(&Shape::Any), Required, "Which route and version."),
    row("warnings", Shape::List { of: &Shape::TEXT, max: usize::MAX }, Required, "About the route."),
    row("chosen", Shape::Map(&Shape::COUNT), Required, "How often each target was chosen."),
    row("decisions", Shape::List { of: &Shape::Any, max: usize::MAX }, Required, "One for each request, with reasons."),
]);
