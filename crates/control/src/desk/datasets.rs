//! Datasets: made, changed, deleted.
//!
//! Enters: bodies of the REST API. Leaves: datasets as they are stored now. Never: stores a filter that the log could not answer.

use serde_json::{Map, Value};
use tollgate_model::{Dataset, Gateway};
use tollgate_store::documents::Document;

use super::read::{read, write};
use super::{Change, Desk, DeskError, secret};
use crate::dataset::NEW_MEMBERS;
use crate::filters;
use crate::shape::{Fault, Step, object_of};

pub const DATASET: &str = "dataset";

/// Of a gateway.
const DATASETS_MAX: usize = 10;

/// What a body says.
struct Said {
    name: String,
    enable: bool,
    filters: Value,
}

impl Desk {
    /// The newest first.
    pub fn datasets(&self, gateway: &Gateway) -> Result<Vec<Dataset>, DeskError> {
        let stored = self.documents.list(DATASET, &gateway.id)?;
        let mut all = stored.iter().map(read).collect::<Result<Vec<Dataset>, _>>()?;
        all.retain(|dataset| dataset.gateway_internal_id == gateway.internal_id);
        all.sort_by(|a, b| b.created_at.cmp(&a.created_at).then_with(|| a.id.cmp(&b.id)));
        Ok(all)
    }

    pub fn dataset(&self, gateway: &Gateway, id: &str) -> Result<Dataset, DeskError> {
        let found = self.datasets(gateway)?.into_iter().find(|dataset| dataset.id == id);
        found.ok_or(DeskError::Missing(DATASET))
    }

    /// From the body of a create: `name`, `enable` and `filters`.
    pub fn create_dataset(&self, gateway: &Gateway, body: &Value) -> Result<Dataset, DeskError> {
        let Said { name, enable, filters } = said(body)?;
        let now_ms = self.now_ms();
        let wanted = Dataset {
            id: secret::new_uuid()?,
            gateway: gateway.id.clone(),
            gateway_internal_id: gateway.internal_id.clone(),
            name,
            enable,
            filters,
            created_at: now_ms,
            modified_at: now_ms,
        };
        self.change(DATASET, &wanted.id, |_| {
            let others = self.datasets(gateway)?;
            refuse_namesake(&others, &wanted)?;
            if others.len() >= DATASETS_MAX {
                let fault = Fault::new(["body"], format!("A gateway has at most {DATASETS_MAX} datasets"));
                return Err(DeskError::Faults(vec![fault]));
            }
            Ok(Change::to(document(&wanted)?, wanted.clone()))
        })
    }

    /// From the same body as a create.
    pub fn update_dataset(&self, gateway: &Gateway, id: &str, body: &Value) -> Result<Dataset, DeskError> {
        let id = self.dataset(gateway, id)?.id;
        let Said { name, enable, filters } = said(body)?;
        self.change(DATASET, &id, |before| {
            let before: Dataset = read(before.ok_or(DeskError::Missing(DATASET))?)?;
            let (name, filters) = (name.clone(), filters.clone());
            // Never stands still between two changes.
            let modified_at = self.now_ms().max(before.modified_at + 1);
            let after = Dataset { name, enable, filters, modified_at, ..before };
            refuse_namesake(&self.datasets(gateway)?, &after)?;
            Ok(Change::to(document(&after)?, after))
        })
    }

    pub fn delete_dataset(&self, gateway: &Gateway, id: &str) -> Result<Dataset, DeskError> {
        let id = self.dataset(gateway, id)?.id;
        self.change(DATASET, &id, |before| Ok(Change::gone(read(before.ok_or(DeskError::Missing(DATASET))?)?)))
    }
}

fn document(dataset: &Dataset) -> Result<Document, DeskError> {
    let document = write(DATASET, &dataset.id, &dataset.name, dataset)?;
    Ok(Document { parent: dataset.gateway.clone(), ..document })
}

fn refuse_namesake(others: &[Dataset], dataset: &Dataset) -> Result<(), DeskError> {
    let is_namesake = |other: &Dataset| other.name == dataset.name && other.id != dataset.id;
    match others.iter().any(is_namesake) {
        true => {
            let message = format!("A dataset with the name {:?} already exists", dataset.name);
            Err(DeskError::Faults(vec![Fault::new(["body", "name"], message)]))
        }
        false => Ok(()),
    }
}

/// All members, or every fault.
fn said(body: &Value) -> Result<Said, DeskError> {
    let (mut faults, nothing) = (Vec::new(), Map::new());
    let body = body.as_object().unwrap_or(&nothing);
    let read = object_of(NEW_MEMBERS, body, &mut vec![Step::from("body")], &mut faults);
    if let Some(filters) = body.get("filters").filter(|filters| filters.is_array()) {
        faults.extend(filters::of_dataset(filters).err().into_iter().flatten());
    }
    if !faults.is_empty() {
        return Err(DeskError::Faults(faults));
    }
    let text = |name: &str| read.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let enable = read.get("enable").and_then(Value::as_bool).unwrap_or_default();
    Ok(Said { name: text("name"), enable, filters: plain(body.get("filters")) })
}

/// Known members only, and values always as lists.
fn plain(filters: Option<&Value>) -> Value {
    let many = |value: &Value| if value.is_array() { value.clone() } else { Value::from(vec![value.clone()]) };
    let one = |filter: &Value| serde_json::json!({ "key": filter["key"], "operator": filter["operator"], "value": many(&filter["value"]) });
    filters.and_then(Value::as_array).map(|filters| filters.iter().map(one).collect()).unwrap_or_default()
}
