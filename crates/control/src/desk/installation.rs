//! What is decided once in the life of an installation.
//!
//! Enters: the first start. Leaves: an account id, a date, perhaps a gateway to begin with. Never: decides twice, whoever starts at the same time.

use tollgate_model::Gateway;
use tollgate_model::gateway::DEFAULT_ID;

use super::{Desk, DeskError, secret};

const ACCOUNT: &str = "account_id";
const INSTALLED: &str = "installed_ms";
const SEEDED: &str = "seeded";

impl Desk {
    /// The one account of this installation: 32 hexadecimal digits, made up at the first start.
    pub fn account(&self) -> Result<String, DeskError> {
        match self.documents.constant(ACCOUNT)? {
            Some(account) => Ok(account),
            None => Ok(self.documents.settle_constant(ACCOUNT, &secret::new_id()?)?),
        }
    }

    /// When the installation began, unix milliseconds.
    pub fn installed_ms(&self) -> Result<u64, DeskError> {
        let text = match self.documents.constant(INSTALLED)? {
            Some(text) => text,
            None => self.documents.settle_constant(INSTALLED, &self.now_ms().to_string())?,
        };
        Ok(text.parse().unwrap_or_default())
    }

    /// At the very first start, and only then: makes the gateway `default` without authentication when `open`, so that a first request works
    /// without a token. Otherwise `default` comes with authentication, at the first authenticated request that names it. Returns whether a
    /// gateway was made.
    pub fn seed_default(&self, open: bool) -> Result<bool, DeskError> {
        let mine = secret::new_id()?;
        self.installed_ms()?;
        if self.documents.settle_constant(SEEDED, &mine)? != mine || !open {
            return Ok(false);
        }
        let wanted = Gateway { id: DEFAULT_ID.to_owned(), cache_invalidate_on_update: true, ..Gateway::default() };
        match self.insert_gateway(wanted) {
            // Made by hand before the first start: the maker's choice stands.
            Err(DeskError::Exists(_)) => Ok(false),
            Ok(_) => Ok(true),
            Err(cause) => Err(cause),
        }
    }
}
