//! `tollgate dashboard`
//!
//! Enters: the settings, for the address. Leaves: a link with a token for a day. Never: asks the server: whoever may write the data directory is the
//! operator.

use tollgate_control::dashboard::sign_in;

use super::{open_desk, show};
use crate::place;
use crate::settings::Settings;

/// The token stands behind the `#`: browsers do not send that part, and the page takes it out of the address at once.
pub(crate) fn run(settings: &Settings) -> anyhow::Result<()> {
    place::prepare(&settings.data_dir)?;
    let made = sign_in(&open_desk(&settings.data_dir)?)?;
    let scheme = if settings.tls.is_some() { "https" } else { "http" };
    show::text(&format!("{scheme}://{}/dashboard/#token={}\n", settings.listen, made.secret.expose()))
}
