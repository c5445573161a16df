//! Custom providers: the table of their members, and the object that is shown (control-plane specification, section 8).
//!
//! Enters: JSON bodies of create and change. Leaves: a document, or all its faults; the object for answers. Never: shows the value of a header.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value, json};
use tollgate_model::CustomProvider;
use tollgate_model::custom::CustomHeader;
use tollgate_model::secret::HIDDEN;
use tollgate_rules::custom::{self, HEADERS_MAX, SLUG_CHARS_MAX};
use tollgate_rules::egress::Egress;
use tollgate_wire::provider::Origin;

use crate::shape::Presence::{Default, Optional, Required};
use crate::shape::{Fault, Member, Presence, Shape, Step, object_of};
use crate::time;

const NAME_CHARS_MAX: usize = 256;
const URL_CHARS_MAX: usize = 2_048;
const HEADERS_CHARS_MAX: usize = 8_192;

/// What becomes of a header's `***` where no value is known.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unknown {
    Refused,
    /// A file holds no values: the header is declared, and waits for its value.
    Declared,
}

/// What can be set, with what the absence of a name, a slug or a base URL means.
const fn members(of_identity: Presence) -> [Member; 11] {
    [
        Member::of("name", Shape::Text { min: 1, max: NAME_CHARS_MAX }, of_identity, "What people call it."),
        Member::of(
            "slug",
            Shape::Like(&Shape::Text { min: 1, max: SLUG_CHARS_MAX }, "^[A-Za-z0-9-]+$"),
            of_identity,
            "Letters, digits and hyphens; callers say `custom-{slug}`.",
        ),
        Member::of(
            "base_url",
            Shape::Like(&Shape::Text { min: 1, max: URL_CHARS_MAX }, "^https?://[^/]"),
            of_identity,
            "`https://host/prefix`; plain `http://` only to what `egress.allow_private` opens.",
        ),
        Member::of("description", Shape::TEXT, Optional, "For people."),
        Member::of("link", Shape::Url { max: URL_CHARS_MAX }, Optional, "Where people read about it; never fetched."),
        Member::of("curl_example", Shape::TEXT, Optional, "How it is called with curl; for people."),
        Member::of("js_example", Shape::TEXT, Optional, "How it is called from JavaScript; for people."),
        Member::of("enable", Shape::Flag, Default("false"), "Only then is it there for callers."),
        Member::of("beta", Shape::Flag, Default("false"), "A mark for people."),
        Member::of(
            "headers",
            Shape::Text { min: 0, max: HEADERS_CHARS_MAX },
            Optional,
            "A JSON object as text: headers of every request to it. Values are shown as `***`, and go when the base URL's origin changes.",
        ),
        Member::of(
            "position",
            Shape::Number { min: -1e9, max: 1e9 },
            Default("0"),
            "Lists are ordered by it, then by name.",
        ),
    ]
}

pub static MEMBERS: &[Member] = &members(Required);

pub(crate) static NEW: Shape = Shape::Named("NewCustomProvider", &Shape::Object(MEMBERS));
pub(crate) static CHANGE: Shape = Shape::Named("CustomProviderChange", &Shape::Object(&members(Optional)));
pub(crate) static OBJECT: Shape = Shape::Named("CustomProvider", &Shape::Parts(&[SHOWN, MEMBERS]));

static SHOWN: &[Member] = &[
    Member::of("id", Shape::TEXT, Required, "A UUID."),
    Member::of("logo", Shape::TEXT, Required, "An SVG image as a `data:` URL, made from the slug."),
    Member::of("account_id", Shape::TEXT, Required, "The account."),
    Member::of("account_tag", Shape::TEXT, Required, "The account."),
    Member::of("created_at", Shape::Time, Required, "When it was made."),
    Member::of("modified_at", Shape::Time, Required, "When it was last saved."),
];

/// The whole of it said anew, as a file does: `***` stands for the value of a header of before, as long as the origin is the same.
pub(crate) fn replace(
    before: Option<&CustomProvider>,
    body: &Map<String, Value>,
    egress: &Egress,
) -> Result<CustomProvider, Vec<Fault>> {
    let stays = |before: &&CustomProvider| origin(body, egress) == origin(&said(before), egress);
    // What is known and may not follow is refused: who mistypes a URL shall not lose it.
    let has_values = before.is_some_and(|before| before.headers.iter().any(|header| header.value != HIDDEN));
    let moves = before.is_some_and(|before| !stays(&before)) && has_values;
    let unknown = if moves { Unknown::Refused } else { Unknown::Declared };
    read(before.filter(stays), body, egress, unknown)
}

/// From the body of a create. Identity and times are the desk's to fill in.
pub(crate) fn create(body: &Value, egress: &Egress) -> Result<CustomProvider, Vec<Fault>> {
    read(None, object(body)?, egress, Unknown::Refused)
}

/// From the body of a change: absent members stay, `null` sets back what may be absent.
pub(crate) fn change(before: &CustomProvider, body: &Value, egress: &Egress) -> Result<CustomProvider, Vec<Fault>> {
    let mut merged = said(before);
    let body = object(body)?;
    for member in MEMBERS {
        match body.get(member.name) {
            Some(Value::Null) if member.presence == Required => {}
            Some(Value::Null) => drop(merged.remove(member.name)),
            Some(value) => drop(merged.insert(member.name.to_owned(), value.clone())),
            None => {}
        }
    }
    // Headers that nobody speaks of stay, but do not follow a base URL to somebody else's server.
    let moves = origin(&merged, egress).is_some_and(|now| Some(&now) != origin(&said(before), egress).as_ref());
    if !body.contains_key("headers") {
        merged.remove("headers");
    }
    let kept = (!body.contains_key("headers") && !moves).then(|| before.headers.clone());
    let mut after = read(Some(before).filter(|_| !moves), &merged, egress, Unknown::Refused)?;
    after.headers = kept.unwrap_or(after.headers);
    Ok(CustomProvider {
        id: before.id.clone(),
        created_at: before.created_at,
        modified_at: before.modified_at,
        ..after
    })
}

/// `known`: whose header values `***` stands for.
fn read(
    known: Option<&CustomProvider>,
    body: &Map<String, Value>,
    egress: &Egress,
    unknown: Unknown,
) -> Result<CustomProvider, Vec<Fault>> {
    let mut faults = Vec::new();
    let read = object_of(MEMBERS, body, &mut vec![Step::from("body")], &mut faults);
    let text = |name: &str| read.get(name).and_then(Value::as_str);
    let owned = |name: &str| text(name).filter(|text| !text.is_empty()).map(str::to_owned);
    let flag = |name: &str| read.get(name).and_then(Value::as_bool).unwrap_or_default();
    if text("slug").is_some_and(|slug| !custom::is_slug(slug)) {
        faults.push(Fault::new(["body", "slug"], "Invalid: only letters, digits and hyphens"));
    }
    if let Some(Err(wrong)) = text("base_url").map(|url| custom::base_url(egress, url)) {
        faults.push(Fault::new(["body", "base_url"], format!("Invalid base_url: {}", wrong.what)));
    }
    let headers = text("headers").map_or(Ok(Vec::new()), |text| read_headers(text, known, unknown));
    let headers = headers.unwrap_or_else(|message| {
        faults.push(Fault::new(["body", "headers"], message));
        Vec::new()
    });
    let provider = CustomProvider {
        id: String::new(),
        name: text("name").unwrap_or_default().to_owned(),
        slug: text("slug").unwrap_or_default().to_owned(),
        base_url: text("base_url").unwrap_or_default().to_owned(),
        description: owned("description"),
        link: owned("link"),
        curl_example: owned("curl_example"),
        js_example: owned("js_example"),
        enable: flag("enable"),
        beta: flag("beta"),
        headers,
        position: read.get("position").and_then(Value::as_f64).unwrap_or_default(),
        created_at: 0,
        modified_at: 0,
    };
    // What passed the table may still not map requests: a dot segment in the path of the base URL, for example.
    if faults.is_empty()
        && let Err(wrong) = custom::row(&provider)
    {
        faults.push(Fault::new(["body", wrong.member], format!("Invalid: {}", wrong.what)));
    }
    if faults.is_empty() { Ok(provider) } else { Err(faults) }
}

fn object(body: &Value) -> Result<&Map<String, Value>, Vec<Fault>> {
    body.as_object().ok_or_else(|| vec![Fault::new(["body"], format!("Expected object, received {}", kind(body)))])
}

fn kind(value: &Value) -> &'static str {
    crate::shape::type_name(value)
}

fn origin(body: &Map<String, Value>, egress: &Egress) -> Option<Origin> {
    custom::base_url(egress, body.get("base_url")?.as_str()?).ok()
}

fn read_headers(text: &str, known: Option<&CustomProvider>, unknown: Unknown) -> Result<Vec<CustomHeader>, String> {
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    let object: Map<String, Value> =
        serde_json::from_str(text).map_err(|_| "Invalid: expected a JSON object as text".to_owned())?;
    if object.len() > HEADERS_MAX {
        return Err(format!("Invalid: at most {HEADERS_MAX} headers"));
    }
    let header = |(name, value): (&String, &Value)| {
        let value = value.as_str().ok_or_else(|| format!("Invalid: the value of {name:?} is not a string"))?;
        let kept = || known?.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
        let value = match value {
            HIDDEN => match kept() {
                Some(header) => header.value.as_str(),
                None if unknown == Unknown::Declared => HIDDEN,
                None => return Err(format!("Invalid: {name:?} needs its value")),
            },
            value => value,
        };
        custom::read_header(name, value).map_err(|wrong| format!("Invalid: {}", wrong.what))?;
        Ok(CustomHeader { name: name.clone(), value: value.to_owned() })
    };
    object.iter().map(header).collect()
}

/// The members as somebody would set them.
pub(crate) fn said(provider: &CustomProvider) -> Map<String, Value> {
    let headers: Map<String, Value> =
        provider.headers.iter().map(|header| (header.name.clone(), HIDDEN.into())).collect();
    let object = json!({
        "name": provider.name,
        "slug": provider.slug,
        "base_url": provider.base_url,
        "description": provider.description,
        "link": provider.link,
        "curl_example": provider.curl_example,
        "js_example": provider.js_example,
        "enable": provider.enable,
        "beta": provider.beta,
        "headers": (!headers.is_empty()).then(|| Value::Object(headers).to_string()),
        "position": number(provider.position),
    });
    match object {
        Value::Object(object) => object.into_iter().filter(|(_, value)| !value.is_null()).collect(),
        _ => Map::new(),
    }
}

/// The whole object for answers.
pub fn shown(provider: &CustomProvider, account: &str) -> Value {
    let mut shown = said(provider);
    for (name, value) in [
        ("id", provider.id.clone()),
        ("logo", logo(&provider.slug)),
        ("account_id", account.to_owned()),
        ("account_tag", account.to_owned()),
        ("created_at", time::text(provider.created_at)),
        ("modified_at", time::text(provider.modified_at)),
    ] {
        shown.insert(name.to_owned(), value.into());
    }
    Value::Object(shown)
}

/// Whole numbers without a fraction, as they were written.
fn number(position: f64) -> Value {
    if position.fract() == 0.0 { Value::from(position as i64) } else { Value::from(position) }
}

/// The first letter on a colour of its own: the slug has nothing that would have to be escaped.
fn logo(slug: &str) -> String {
    let hue = slug.bytes().fold(7_u32, |hash, byte| hash.wrapping_mul(31).wrapping_add(byte.into())) % 360;
    let letter = slug.chars().find(char::is_ascii_alphanumeric).unwrap_or('?').to_ascii_uppercase();
    let svg = format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="6" fill="hsl({hue} 55% 40%)"/><text x="16" y="22" text-anchor="middle" font-family="sans-serif" font-size="17" fill="#fff">{letter}</text></svg>"##
    );
    format!("data:image/svg+xml;base64,{}", BASE64_STANDARD.encode(svg))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
