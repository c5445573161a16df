//! What models cost: the price list that ships with the program, and the operator's own over it.
//!
//! Enters: catalog/models/*.toml, checked and compiled into one block of bytes by build.rs; then a provider, a model's name, a day.
//! Leaves: the one model meant, and the price that stood on that day. Never: guesses between two models, or reads a file at run time.
//!
//! The block stays where the program was mapped. A provider's shelf is decoded when it is first asked for, so that a process that
//! speaks with two providers does not keep the prices of twenty-five in memory.
//!
//! A name is looked up as `names` documents: as it is written, then by patterns, then shortened step by step.

pub mod layers;
pub mod names;
pub mod sheet;

use std::sync::{Arc, LazyLock, OnceLock};

use hashbrown::HashTable;
use layers::{Asker, BadPrices, Layer};
use tollgate_model::charge::ListVersion;
use tollgate_model::price::{ModelPrices, Price};

static BLOCK: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/models.postcard"));

/// Longer names are of no model that exists, and looking for them should cost nothing.
const NAME_BYTES_MAX: usize = 512;

pub struct Catalog {
    shelves: Vec<Shelf>,
    /// The operator's own, the most special first.
    layers: Vec<Layer>,
    version: ListVersion,
}

/// A model, and the price that stood at the time asked for.
#[derive(Clone, Copy, Debug)]
pub struct Found<'a> {
    pub model: &'a ModelPrices,
    pub price: &'a Price,
    /// A price of this gateway or of this token alone.
    pub custom: bool,
}

/// One provider's models.
struct Shelf {
    provider: &'static str,
    encoded: &'static [u8],
    decoded: OnceLock<Models>,
}

struct Models {
    models: Vec<ModelPrices>,
    /// Every id and exact alias, whatever its case, to its model.
    exact: HashTable<Name>,
    /// Aliases that end in `*`, longest first, to their model.
    patterns: Vec<Name>,
}

/// A place in `models`: the id, or the alias numbered from 1. Names are not kept twice.
#[derive(Clone, Copy)]
struct Name {
    model: u32,
    spelling: u32,
}

// === impl Catalog ===

impl Catalog {
    pub fn builtin() -> Arc<Catalog> {
        static BUILTIN: LazyLock<Arc<Catalog>> = LazyLock::new(|| Arc::new(Catalog::open(BLOCK)));
        BUILTIN.clone()
    }

    /// Names the prices themselves: the same figures give the same version. Recorded with each cost.
    pub fn version(&self) -> &ListVersion {
        &self.version
    }

    /// `provider` is the path segment; `at_ms` is when the request began, in Unix milliseconds.
    pub fn find(&self, provider: &str, model: &str, at_ms: u64) -> Option<Found<'_>> {
        self.find_for(Asker::default(), provider, model, at_ms)
    }

    /// With what stands for one gateway or token alone.
    pub fn find_for(&self, asker: Asker<'_>, provider: &str, model: &str, at_ms: u64) -> Option<Found<'_>> {
        let own = self.layers.iter().find_map(|layer| layer.find(asker, provider, model, at_ms));
        own.or_else(|| self.models(provider)?.priced(model, at_ms))
    }

    /// The list that ships, with the operator's file over it.
    pub fn with(file: &str) -> Result<Arc<Catalog>, BadPrices> {
        let mut catalog = Catalog::open(BLOCK);
        catalog.layers = layers::read(file)?;
        let version = file
            .bytes()
            .chain(catalog.version.bytes())
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
        catalog.version = format!("{version:016x}").into();
        Ok(Arc::new(catalog))
    }

    /// The model alone, for what does not depend on a day.
    pub fn model(&self, provider: &str, model: &str) -> Option<&ModelPrices> {
        self.models(provider)?.find(model)
    }

    /// Everything known of a provider; empty when nothing is. Decodes its shelf.
    pub fn all(&self, provider: &str) -> &[ModelPrices] {
        self.models(provider).map_or(&[], |models| &models.models)
    }

    pub fn providers(&self) -> impl Iterator<Item = &'static str> {
        self.shelves.iter().map(|shelf| shelf.provider)
    }

    fn open(block: &'static [u8]) -> Catalog {
        let shelves: Vec<(&str, &[u8])> = postcard::from_bytes(block).expect("build.rs wrote it with the same types");
        let shelf = |(provider, encoded)| Shelf { provider, encoded, decoded: OnceLock::new() };
        Catalog {
            shelves: shelves.into_iter().map(shelf).collect(),
            layers: Vec::new(),
            version: env!("CATALOG_VERSION").into(),
        }
    }

    fn models(&self, provider: &str) -> Option<&Models> {
        let shelf = self.shelves.iter().find(|shelf| shelf.provider == provider)?;
        Some(shelf.decoded.get_or_init(|| Models::decode(shelf.encoded)))
    }
}

fn stands(price: &Price, at_ms: u64) -> bool {
    let on_that_day = price.from_ms <= at_ms && price.to_ms.is_none_or(|to_ms| at_ms < to_ms);
    on_that_day && price.hours.as_ref().is_none_or(|hours| hours.contain(at_ms))
}

// === impl Models ===

impl Models {
    fn decode(encoded: &[u8]) -> Models {
        Self::new(postcard::from_bytes(encoded).expect("build.rs wrote it with the same types"))
    }

    fn new(models: Vec<ModelPrices>) -> Models {
        let names: Vec<Name> = (0_u32..).zip(&models).flat_map(|(place, model)| Name::of(place, model)).collect();
        let (mut patterns, exact): (Vec<Name>, Vec<Name>) =
            names.into_iter().partition(|name| name.text(&models).ends_with('*'));
        patterns.sort_by_key(|name| std::cmp::Reverse(name.text(&models).len()));
        let mut table = HashTable::with_capacity(exact.len());
        for name in exact {
            table.insert_unique(names::hash(name.text(&models)), name, |name| names::hash(name.text(&models)));
        }
        Models { exact: table, patterns, models }
    }

    fn priced(&self, model: &str, at_ms: u64) -> Option<Found<'_>> {
        let model = self.find(model)?;
        let price = model.prices.iter().find(|price| stands(price, at_ms))?;
        Some(Found { model, price, custom: false })
    }

    fn find(&self, model: &str) -> Option<&ModelPrices> {
        if model.is_empty() || model.len() > NAME_BYTES_MAX {
            return None;
        }
        let spelled = |name: &str| self.exactly(name).or_else(|| self.by_pattern(name));
        let name = spelled(model).or_else(|| names::shortened(model).into_iter().find_map(spelled))?;
        self.models.get(name.model as usize)
    }

    fn exactly(&self, wanted: &str) -> Option<Name> {
        let same = |name: &Name| name.text(&self.models).eq_ignore_ascii_case(wanted);
        self.exact.find(names::hash(wanted), same).copied()
    }

    fn by_pattern(&self, wanted: &str) -> Option<Name> {
        let fits = |name: &&Name| names::fits(name.text(&self.models), wanted);
        self.patterns.iter().find(fits).copied()
    }
}

// === impl Name ===

impl Name {
    fn of(place: u32, model: &ModelPrices) -> impl Iterator<Item = Name> + use<> {
        (0..=model.aliases.len() as u32).map(move |spelling| Name { model: place, spelling })
    }

    fn text(self, models: &[ModelPrices]) -> &str {
        let model = &models[self.model as usize];
        match self.spelling.checked_sub(1) {
            None => &model.id,
            Some(alias) => &model.aliases[alias as usize],
        }
    }
}
