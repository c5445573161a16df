//! THE TABLE of what stands in a configuration file.
//!
//! Enters: stored documents, or what a file says of one thing. Leaves: the other. Never: a secret's value.
//!
//! A new kind of document is one line: what it is called in the file, where it stands, and either a table of its members ([`Plain`]) or two functions of
//! its own. Order of the table is order of the file; what refers to something stands below it.

use std::collections::{BTreeMap, HashSet};

use serde_json::{Map, Value};
use tollgate_model::Gateway;
use tollgate_store::documents::Document;

use crate::desk::world::World;
use crate::desk::{CUSTOM_DOMAIN, CUSTOM_PROVIDER, DATASET, Desk, DeskError};
use crate::shape::{Fault, Member, Shape};

use self::plain::Plain;

mod custom;
mod datasets;
mod gateways;
mod plain;
mod routes;
mod tokens;

pub(super) static KINDS: &[Kind] = &[
    Kind { kind: CUSTOM_PROVIDER, word: "custom_provider", place: Place::Account, way: custom::PROVIDERS },
    Kind { kind: "gateway", word: "gateway", place: Place::Account, way: gateways::WAY },
    Kind { kind: "route", word: "route", place: Place::Gateway, way: routes::WAY },
    Kind { kind: CUSTOM_DOMAIN, word: "custom_domain", place: Place::Gateway, way: custom::DOMAINS },
    Kind { kind: DATASET, word: "dataset", place: Place::Gateway, way: Way::Plain(&datasets::PLAIN) },
    Kind { kind: "token", word: "token", place: Place::Account, way: tokens::WAY },
];

#[derive(Debug)]
pub(super) struct Kind {
    /// As documents have it.
    pub(super) kind: &'static str,
    /// As the file has it: `[gateway.NAME]`, or `[gateway.NAME.route.NAME]`.
    pub(super) word: &'static str,
    pub(super) place: Place,
    pub(super) way: Way,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// At the top of the file.
    Account,
    /// Below its gateway, whose id is the document's parent.
    Gateway,
}

/// What is said of a thing, member by member.
pub(super) type Fields = Map<String, Value>;

/// How a document is written down and made again.
#[derive(Clone, Copy, Debug)]
pub(super) enum Way {
    /// By its table of members alone.
    Plain(&'static Plain),
    Own {
        /// What may be said of it.
        members: &'static [Member],
        declare: fn(&Document) -> Result<(String, Fields), DeskError>,
        make: fn(&Making<'_>) -> Result<Document, Vec<Fault>>,
    },
}

/// What a file says of one thing, and what there is.
pub(super) struct Making<'a> {
    pub(super) desk: &'a Desk,
    pub(super) name: &'a str,
    /// An id that the name itself gives, where two have one name.
    pub(super) id: Option<&'a str>,
    pub(super) fields: &'a Map<String, Value>,
    pub(super) before: Option<&'a Document>,
    /// Whose it is, when it stands below a gateway.
    pub(super) owner: Option<&'a Gateway>,
}

/// Where a thing stands in the file: its place in [`KINDS`] comes after its gateway, so that a gateway and what is below it stand together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Name {
    /// Of the outermost table: the place of its kind.
    pub(super) section: usize,
    /// The gateway's id, or the thing's own name.
    pub(super) top: String,
    /// The place of its kind and its name, when it stands below a gateway.
    pub(super) below: Option<(usize, String)>,
}

/// A thing as the file would say it.
#[derive(Clone, Debug)]
pub(super) struct Declared {
    pub(super) fields: Map<String, Value>,
    pub(super) document: Document,
}

/// Between a name and the id of the second one that has it.
const TWIN: char = '#';
/// No id is shorter, and no name that a person chose ends in so many of its letters.
const ID_CHARS_MIN: usize = 32;

/// Whether a kind of document is what files are about: settings that people choose, not what the gateway notes by itself.
pub fn is_managed(kind: &str) -> bool {
    KINDS.iter().any(|each| each.kind == kind)
}

/// Everything, in the order of the file.
pub(super) fn declared(world: &World) -> Result<BTreeMap<Name, Declared>, DeskError> {
    let mut all = BTreeMap::new();
    let mut owners: BTreeMap<String, Document> = BTreeMap::new();
    for (at, kind) in KINDS.iter().enumerate() {
        let mut taken = HashSet::new();
        for document in world.of_kind(kind.kind).map(|held| &held.document) {
            let below_whom = match kind.place {
                Place::Account => None,
                Place::Gateway => match owners.get(&document.parent).filter(|owner| owns(owner, document)) {
                    Some(owner) => Some(owner.id.clone()),
                    None => continue,
                },
            };
            let (name, fields) = kind.way.declare(document)?;
            let name = match taken.insert((below_whom.clone(), name.clone())) {
                true => name,
                false => format!("{name}{TWIN}{}", document.id),
            };
            if kind.kind == gateways::KIND {
                owners.insert(document.id.clone(), document.clone());
            }
            all.insert(Name::new(at, below_whom, name), Declared { fields, document: document.clone() });
        }
    }
    Ok(all)
}

/// What was left by a gateway that went and came anew belongs to nobody.
fn owns(owner: &Document, document: &Document) -> bool {
    let member = |document: &Document, name: &str| {
        serde_json::from_str::<Value>(&document.body).ok().and_then(|body| body[name].as_str().map(str::to_owned))
    };
    let of = member(document, "gateway_internal_id");
    of.is_none() || of == member(owner, "internal_id")
}

// === impl Name ===

impl Name {
    pub(super) fn new(kind: usize, gateway: Option<String>, name: String) -> Self {
        match gateway {
            Some(top) => Self { section: gateways::at(), top, below: Some((kind, name)) },
            None => Self { section: kind, top: name, below: None },
        }
    }

    pub(super) fn kind(&self) -> &'static Kind {
        &KINDS[self.below.as_ref().map_or(self.section, |(at, _)| *at)]
    }

    pub(super) fn name(&self) -> &str {
        self.below.as_ref().map_or(&self.top, |(_, name)| name)
    }

    /// `None`: it stands at the top.
    pub(super) fn gateway(&self) -> Option<&str> {
        self.below.as_ref().map(|_| self.top.as_str())
    }

    /// The way to it in the file.
    pub(super) fn path(&self) -> Vec<&str> {
        let mut path = vec![KINDS[self.section].word, self.top.as_str()];
        if let Some((at, name)) = &self.below {
            path.extend([KINDS[*at].word, name]);
        }
        path
    }

    /// The name without the id of a twin, and that id.
    pub(super) fn parts(&self) -> (&str, Option<&str>) {
        let is_id = |text: &str| {
            text.len() >= ID_CHARS_MIN && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
        };
        match self.name().rsplit_once(TWIN) {
            Some((name, id)) if is_id(id) => (name, Some(id)),
            _ => (self.name(), None),
        }
    }
}

/// `gateway "support"`, `route "chat" of gateway "support"`: as the problems of a compilation call it.
impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {:?}", self.kind().word, self.name())?;
        match self.gateway() {
            Some(gateway) => write!(f, " of gateway {gateway:?}"),
            None => Ok(()),
        }
    }
}

// === impl Way ===

impl Way {
    pub(super) fn members(self) -> &'static [Member] {
        match self {
            Self::Plain(plain) => plain.members,
            Self::Own { members, .. } => members,
        }
    }

    /// Its name, and what is said of it.
    pub(super) fn declare(self, document: &Document) -> Result<(String, Fields), DeskError> {
        match self {
            Self::Plain(plain) => plain.declare(document),
            Self::Own { declare, .. } => declare(document),
        }
    }

    pub(super) fn make(self, making: &Making<'_>) -> Result<Document, Vec<Fault>> {
        match self {
            Self::Plain(plain) => plain.make(making),
            Self::Own { make, .. } => make(making),
        }
    }
}

/// Members in the order of their table, whatever order they were stored in: the same settings are the same bytes.
fn in_order(member: &Member, value: &Value) -> Value {
    let read = member.shape.read(value, &mut Vec::new(), &mut Vec::new());
    read.filter(|_| !matches!(member.shape, Shape::Any)).unwrap_or_else(|| value.clone())
}

/// What only the machine can get wrong while it makes a document.
pub(super) fn failed(cause: impl ToString) -> Vec<Fault> {
    vec![Fault { path: Vec::new(), message: cause.to_string() }]
}
