//! The two cookies: one for a session, one for a login that is under way.
//!
//! Enters: values, and whether the browser came over TLS. Leaves: `Set-Cookie` lines; the value of a cookie that was sent. Never: one that scripts can read,
//! that is sent from another site's form, or, over TLS, that another host of the same domain could have set (`__Host-`).

use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};
use tollgate_model::peer::Secure;

/// Of the path below which logins happen.
pub(super) const LOGIN_PATH: &str = "/dashboard/oidc";
const LOGIN: &str = "tollgate_login";
const SESSION: &str = "tollgate_session";
const HOST_SESSION: &str = "__Host-tollgate_session";

/// The secret of a session. Over TLS only the cookie counts that was set over TLS.
pub(super) fn presented(headers: &HeaderMap, secure: Secure) -> Option<&str> {
    find(headers, session_name(secure))
}

pub(super) fn login(headers: &HeaderMap) -> Option<&str> {
    find(headers, LOGIN)
}

fn session_name(secure: Secure) -> &'static str {
    if secure.0 { HOST_SESSION } else { SESSION }
}

fn find<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(each, value)| *each == name && !value.is_empty()).map(|(_, value)| value)
}

pub(super) fn set_session(value: &str, seconds: u64, secure: Secure) -> Option<HeaderValue> {
    line(session_name(secure), value, "/", seconds, secure)
}

pub(super) fn forget_session(secure: Secure) -> Option<HeaderValue> {
    set_session("", 0, secure)
}

pub(super) fn set_login(value: &str, seconds: u64, secure: Secure) -> Option<HeaderValue> {
    line(LOGIN, value, LOGIN_PATH, seconds, secure)
}

pub(super) fn forget_login(secure: Secure) -> Option<HeaderValue> {
    set_login("", 0, secure)
}

/// `Lax`, not `Strict`: who comes back from the issuer, or follows a link to a log, comes from another site.
fn line(name: &str, value: &str, path: &str, seconds: u64, secure: Secure) -> Option<HeaderValue> {
    let secure = if secure.0 { "; Secure" } else { "" };
    let text = format!("{name}={value}; Path={path}; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
    HeaderValue::try_from(text).ok()
}
