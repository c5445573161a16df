//! What a token may ask for, case by case.

use tollgate_model::token::{RateLimit, Scope};

use super::*;
use crate::memory::Mark;

fn token(id: &str, made_by: Option<&str>, scope: Scope) -> Token {
    Token {
        id: id.into(),
        permissions: vec![Permission::Run],
        made_by: made_by.map(str::to_owned),
        scope,
        ..Token::default()
    }
}

fn some(names: &[&str]) -> Option<Vec<String>> {
    Some(names.iter().map(|name| (*name).to_owned()).collect())
}

fn pass(scope: Scope) -> Pass {
    Pass::alone(token("t", None, scope)).unwrap()
}

/// The last of the line.
fn line(tokens: Vec<Token>) -> Pass {
    let links: Vec<Arc<Link>> =
        tokens.into_iter().map(|each| Arc::new(Link::compile(Arc::new(each)).unwrap())).collect();
    let known = |id: &str| links.iter().find(|link| link.token.id == id).cloned();
    Pass::new(links.last().unwrap(), &known)
}

fn address(text: &str) -> Option<IpAddr> {
    Some(text.parse().unwrap())
}

#[test]
fn what_is_not_narrowed_is_open() {
    let pass = pass(Scope::default());
    assert!(pass.enter("any", None).is_ok() && pass.is_of_account() && pass.limits().count() == 0);
    assert!(pass.ask_route("r", "id").is_ok() && pass.reach("openai", &[""], false).is_ok());
}

#[test]
fn gateways_and_addresses_are_borders() {
    let pass = pass(Scope {
        gateways: some(&["a"]),
        from: some(&["10.0.0.0/8", "::1"]),
        not_from: some(&["10.9.0.0/16"]),
        ..Scope::default()
    });
    assert_eq!(pass.enter("a", address("10.1.2.3")), Ok(()));
    assert_eq!(pass.enter("a", address("::ffff:10.1.2.3")), Ok(()));
    assert_eq!(pass.enter("a", address("::1")), Ok(()));
    assert_eq!(pass.enter("b", address("10.1.2.3")), Err(Border::Gateway));
    for other in [address("11.0.0.1"), address("10.9.0.1"), None] {
        assert_eq!(pass.enter("a", other), Err(Border::Address), "{other:?}");
    }
}

#[test]
fn providers_and_models_are_both_asked() {
    let pass = pass(Scope { providers: some(&["openai"]), models: some(&["gpt-4o*"]), ..Scope::default() });
    assert_eq!(pass.reach("openai", &["gpt-4o-mini"], false), Ok(()));
    assert_eq!(pass.reach("anthropic", &["gpt-4o-mini"], false), Err(Border::Provider));
    assert_eq!(pass.reach("openai", &["o1"], false), Err(Border::Model));
    assert_eq!(pass.reach("openai", &["gpt-4o", "o1"], false), Err(Border::Model));
    assert_eq!(pass.reach("openai", &[""], false), Err(Border::UnknownModel));
    assert_eq!(pass.reach("openai", &[], false), Err(Border::UnknownModel));
    // A route is no way around.
    assert_eq!(pass.reach("openai", &["o1"], true), Err(Border::Model));
}

#[test]
fn a_route_that_was_named_may_lead_anywhere_and_nothing_else_is_open() {
    let pass = pass(Scope { routes: some(&["support"]), ..Scope::default() });
    assert_eq!((pass.ask_route("support", "1"), pass.ask_route("other", "2")), (Ok(()), Err(Border::Route)));
    assert_eq!(pass.reach("openai", &["o1"], true), Ok(()));
    assert_eq!(pass.reach("openai", &["o1"], false), Err(Border::OnlyRoutes));
}

#[test]
fn a_token_has_no_more_than_those_it_was_made_with() {
    let above = token(
        "a",
        None,
        Scope { gateways: some(&["g", "h"]), rate_limit: Some(RateLimit { limit: 5, window: 60 }), ..Scope::default() },
    );
    let mut below = token("b", Some("a"), Scope { gateways: some(&["g", "x"]), ..Scope::default() });
    below.permissions = vec![Permission::Admin];
    let pass = line(vec![above.clone(), below.clone()]);
    assert_eq!(["g", "h", "x"].map(|id| pass.sees_gateway(id)), [true, false, false]);
    assert!(pass.has(Permission::Run) && !pass.has(Permission::Write));
    assert_eq!(pass.limits().map(|(counter, _)| counter).collect::<Vec<_>>(), [Mark::of(&["token requests", "a"])]);
    assert!(pass.is_under("a") && !pass.is_under("b"));
    // It goes with the one above: when that is gone, switched off, or past its end.
    assert!(pass.is_in_force(7) && !line(vec![below.clone()]).is_in_force(7));
    assert!(!line(vec![below.clone()]).has(Permission::Run));
    let ended = Token { expires_at: Some(7), ..above.clone() };
    assert!(!line(vec![ended, below.clone()]).is_in_force(7));
    let off = Token { disabled: true, ..above };
    assert!(!line(vec![off, below.clone()]).is_in_force(7));
    // A circle is nobody's child.
    let circle = [Token { made_by: Some("b".into()), id: "a".into(), ..below.clone() }, below];
    assert!(!line(circle.to_vec()).is_in_force(7));
}

#[test]
fn what_goes_beyond_is_named() {
    let outer = Token {
        permissions: vec![Permission::Write],
        expires_at: Some(100),
        scope: Scope {
            gateways: some(&["a"]),
            models: some(&["gpt-*"]),
            from: some(&["10.0.0.0/8"]),
            ..Scope::default()
        },
        ..Token::default()
    };
    assert_eq!(beyond(&outer, &outer), [""; 0]);
    let narrower = Token {
        permissions: vec![Permission::ReadMetadata],
        expires_at: Some(99),
        scope: Scope {
            gateways: some(&["a"]),
            models: some(&["gpt-4o"]),
            from: some(&["10.1.1.1"]),
            ..Scope::default()
        },
        ..Token::default()
    };
    assert_eq!(beyond(&narrower, &outer), [""; 0]);
    let wider = Token { permissions: vec![Permission::Run], ..Token::default() };
    assert_eq!(beyond(&wider, &outer), ["permissions", "gateways", "models", "condition", "expires_on"]);
    assert_eq!(beyond(&wider, &Token { permissions: vec![Permission::Admin], ..Token::default() }), [""; 0]);
}
