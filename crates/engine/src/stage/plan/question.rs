//! A unified call, read once for all the targets it may be put to.
//!
//! Enters: a body and headers, of a request or of one step of a list. Leaves: the model it names, and its form when somebody needs to be asked
//! in other words. Never: reads a body into the form that goes out as it is.

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName};
use serde_json::Value;
use tollgate_model::{Refusal, Secret};
use tollgate_rules::naming::Naming;
use tollgate_wire::chat::{BadField, Fault, FaultKind, Request};
use tollgate_wire::dialect::Dialect;
use tollgate_wire::headers::{CREDENTIALS, is_blank};
use tollgate_wire::peek::{Peek, peek};

use crate::surface::Asked;

pub(crate) struct Question {
    pub(crate) asked: Asked,
    pub(crate) naming: Naming,
    /// The caller's, without content encoding.
    pub(crate) body: Bytes,
    /// As the caller named it.
    pub(crate) model: String,
    pub(crate) streamed: bool,
    /// The request's, or those of a step over them.
    pub(crate) headers: HeaderMap,
    /// The caller's own key for whichever provider this goes to.
    pub(crate) own_key: Option<Secret>,
    /// As the log shows it.
    pub(crate) path: String,
    /// Its answer is put into the envelope of the run surface.
    pub(crate) enveloped: bool,
    form: Option<Box<Request>>,
}

impl Question {
    pub(crate) fn read(
        asked: Asked,
        naming: Naming,
        body: Bytes,
        headers: HeaderMap,
        path: String,
    ) -> Result<Self, Refusal> {
        let Peek { model, stream, .. } =
            peek(&body).map_err(|cause| bad_field(asked.dialect, not_json(&cause.found)))?;
        let model = model.filter(|model| !model.is_empty());
        let model = model.ok_or_else(|| bad_field(asked.dialect, no_model()))?;
        Ok(Self {
            asked,
            naming,
            body,
            model,
            streamed: stream,
            headers,
            own_key: None,
            path,
            enveloped: false,
            form: None,
        })
    }

    /// What is asked, in nobody's words. Its model is for whoever asks to set.
    pub(crate) fn form(&mut self) -> Result<&mut Request, Refusal> {
        if self.form.is_none() {
            let dialect = self.asked.dialect;
            let chat = dialect.chat().ok_or_else(|| Refusal::bad_request("this dialect is not translated"))?;
            let read = chat.read_request(&self.body).map_err(|bad| bad_field(dialect, bad))?;
            self.form = Some(Box::new(read));
        }
        self.form.as_deref_mut().ok_or_else(Refusal::internal)
    }
}

fn not_json(found: &str) -> BadField {
    BadField { path: String::new(), expected: "JSON".to_owned(), found: found.to_owned() }
}

fn no_model() -> BadField {
    let expected = "a model as `provider/model`".to_owned();
    BadField { path: "model".to_owned(), expected, found: "nothing".to_owned() }
}

/// A field that cannot be understood, told as the caller's dialect tells it.
pub(crate) fn bad_field(dialect: Dialect, bad: BadField) -> Refusal {
    let said = bad.to_string();
    let param = Some(bad.path).filter(|path| !path.is_empty());
    in_words_of(dialect, said, param)
}

/// A no to what was asked, in the caller's dialect where that has words for it.
pub(crate) fn in_words_of(dialect: Dialect, said: String, param: Option<String>) -> Refusal {
    told_in(dialect, Refusal::bad_request(said), param)
}

/// The same no, in words that the caller's SDK understands.
pub(crate) fn told_in(dialect: Dialect, refusal: Refusal, param: Option<String>) -> Refusal {
    let (message, status) = (refusal.said().to_owned(), refusal.status());
    let fault = Fault { kind: FaultKind::BadRequest, status, message, code: None, param, raw: Value::Null };
    let told = match (dialect.chat(), dialect.embed()) {
        (Some(chat), _) => Some(chat.write_fault(&fault)),
        (None, Some(embed)) => Some(embed.write_fault(&fault)),
        (None, None) => None,
    };
    match told {
        Some(body) => refusal.told(body),
        None => refusal,
    }
}

/// The key that a caller sent along for a provider, in whichever header its SDK puts one.
pub(crate) fn own_key(headers: &HeaderMap, is_spent: impl Fn(&HeaderName) -> bool) -> Option<Secret> {
    let carries = |name: &&HeaderName| !is_spent(name) && headers.get(*name).is_some_and(|value| !is_blank(value));
    let name = CREDENTIALS.iter().find(carries)?;
    let text = headers.get(name)?.to_str().ok()?.trim();
    Some(Secret::new(if *name == AUTHORIZATION { bare(text) } else { text }))
}

/// Without its scheme.
pub(crate) fn bare(text: &str) -> &str {
    match text.trim().split_once(' ') {
        Some((scheme, key)) if is_scheme(scheme) => key.trim(),
        _ => text.trim(),
    }
}

fn is_scheme(word: &str) -> bool {
    ["bearer", "token", "key", "api-key"].iter().any(|scheme| scheme.eq_ignore_ascii_case(word))
}
