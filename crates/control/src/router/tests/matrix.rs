//! The whole matrix, made from the table: every row, as every kind of caller. What the row declares is what happens.

use http::Method;
use serde_json::Value;
use tollgate_model::token::{Permission, Role, Scope};
use tollgate_rules::snapshot::Documents;

use super::access::{path, stocked};
use super::declared;
use super::shop::{COOKIE, Said, Shop, public};
use crate::desk::Wanted;
use crate::resources::rows;
use crate::row::{Access, Needs, PREFIX, Row};

/// The ones that may delete what is asked for come last.
const ALONE: [Permission; 9] = [
    Permission::Run,
    Permission::Read,
    Permission::ReadMetadata,
    Permission::SecretsWrite,
    Permission::AnalyticsRead,
    Permission::LogsEdit,
    Permission::AccountRead,
    Permission::Write,
    Permission::Admin,
];

fn needs(row: &Row) -> Option<Needs> {
    match row.access {
        Access::Guarded(needs, _) => Some(needs),
        Access::Open(_) | Access::OpenOnLoopback(..) => None,
    }
}

async fn ask(shop: &Shop, row: &Row, token: &str) -> Said {
    shop.ask_raw(row.method.as_str(), &path(shop, row), token, None).await
}

fn made(shop: &Shop, wanted: Wanted) -> String {
    let wanted = Wanted { name: "t".into(), ..wanted };
    shop.desk.create_token(wanted).unwrap().secret.expose().to_owned()
}

/// Neither 401 nor a fault of ours; 403 unless it should have been let in.
fn judge(row: &Row, said: &Said, let_in: bool, who: &str) {
    // What nobody may has a code of its own.
    let refused = said.status == 403 && said.problem().1 == 10000;
    assert_eq!(!refused, let_in, "{} {} as {who}: {}", row.method, row.path, said.status);
    assert!(said.status != 401 && said.status.as_u16() < 500, "{} {} as {who}: {}", row.method, row.path, said.status);
}

#[tokio::test]
async fn strangers_are_told_nothing_whatever_they_show() {
    let shop = stocked();
    let permissions = vec![Permission::Admin];
    let ended = made(&shop, Wanted { permissions: permissions.clone(), lives_ms: Some(1), ..Wanted::default() });
    let early =
        made(&shop, Wanted { permissions: permissions.clone(), not_before: Some(u64::MAX - 1), ..Wanted::default() });
    let off = made(&shop, Wanted { permissions: permissions.clone(), disabled: true, ..Wanted::default() });
    let gone = shop.desk.create_token(Wanted { name: "t".into(), permissions, ..Wanted::default() }).unwrap();
    shop.desk.delete_token(&gone.token.id).unwrap();
    shop.clock.advance(std::time::Duration::from_millis(1));
    for row in rows() {
        for stranger in ["", "tg_not_a_token_of_ours", &ended, &early, &off, gone.secret.expose()] {
            let said = ask(&shop, row, stranger).await;
            match needs(row) {
                None => assert_eq!(said.status, 200, "{} {}", row.method, row.path),
                Some(_) => assert_eq!(said.problem(), (401, 10000, Value::Null), "{} {}", row.method, row.path),
            }
        }
    }
}

#[tokio::test]
async fn every_row_lets_in_exactly_the_permissions_that_it_declares() {
    for row in rows() {
        let shop = stocked();
        for permission in ALONE {
            let shop = if permission == Permission::Admin { &stocked() } else { &shop };
            let said = ask(shop, row, &shop.token(&[permission])).await;
            let let_in = needs(row).is_none_or(|needs| needs.met_by(|each| permission.implies(each)));
            judge(row, &said, let_in, permission.name());
        }
    }
}

/// People meet the same table, by what their role stands for; a stranger's cookie is a stranger's token.
#[tokio::test]
async fn every_row_lets_in_exactly_the_roles_that_have_what_it_needs() {
    // Without a body nothing is done but deleted.
    let shared = stocked();
    for row in rows() {
        let own = (row.method == Method::DELETE).then(stocked);
        for (name, role) in Role::ALL {
            let again = (own.is_some() && role == Role::Admin).then(stocked);
            let shop = again.as_ref().or(own.as_ref()).unwrap_or(&shared);
            let said = ask(shop, row, &shop.session(role)).await;
            let has = |permission: Permission| role.permissions().iter().any(|each| each.implies(permission));
            judge(row, &said, needs(row).is_none_or(|needs| needs.met_by(has)), name);
        }
        if needs(row).is_some() {
            let said = ask(&shared, row, &format!("{COOKIE}not-a-session-of-ours")).await;
            assert_eq!(said.problem(), (401, 10000, Value::Null), "{} {}", row.method, row.path);
        }
    }
}

/// What another site makes a browser send is nobody's wish, whoever is signed in.
#[tokio::test]
async fn no_row_takes_a_cookie_from_another_site() {
    let shop = stocked();
    let cookie = shop.session(Role::Admin);
    for row in rows().filter(|row| needs(row).is_some()) {
        for header in
            [("sec-fetch-site", "cross-site"), ("sec-fetch-site", "same-site"), ("origin", "https://evil.example")]
        {
            let request = http::Request::builder().method(row.method.clone()).uri(path(&shop, row));
            let request = request.header("cookie", &cookie).header("host", "gw").header(header.0, header.1);
            let said = shop.send(request.body(axum::body::Body::empty()).unwrap()).await;
            assert_eq!(said.problem(), (403, 10000, Value::Null), "{} {} {header:?}", row.method, row.path);
        }
    }
}

#[tokio::test]
async fn a_token_of_some_gateways_is_let_in_there_and_where_a_row_narrows_itself() {
    let permissions: Vec<Permission> =
        ALONE.into_iter().filter(|permission| *permission != Permission::Admin).collect();
    for row in rows() {
        let shop = stocked();
        for gateway in ["another", "g"] {
            let scope = Scope { gateways: Some(vec![gateway.to_owned()]), ..Scope::default() };
            let token = made(&shop, Wanted { permissions: permissions.clone(), scope, ..Wanted::default() });
            let said = ask(&shop, row, &token).await;
            let let_in = match (needs(row), row.path.contains("{gateway}")) {
                (None, _) => true,
                (Some(Needs::Admin), _) => false,
                (Some(_), true) => gateway == "g",
                (Some(needs), false) => row.narrowed || needs == Needs::Token,
            };
            judge(row, &said, let_in, gateway);
        }
    }
}

#[tokio::test]
async fn rows_of_another_account_are_nobodys() {
    let base = Documents { accounts: vec!["mine".to_owned()], ..Documents::default() };
    let shop = Shop::with(base, public(true), Box::new(|_| true));
    let token = shop.token(&[Permission::Admin]);
    for row in rows().filter(|row| row.path.contains("{account}")) {
        // There is nothing that a row could act on, and no need of it.
        let theirs = path(&shop, row).replace("/accounts/mine", "/accounts/theirs").replace("//", "/x/");
        let theirs = if theirs.ends_with('/') { theirs + "x" } else { theirs };
        let said = shop.ask_raw(row.method.as_str(), &theirs, &token, None).await;
        assert_eq!(said.problem(), (403, 10000, Value::Null), "{} {}", row.method, row.path);
    }
}

/// Thousands of paths put together from pieces of declared ones: whatever the router answers, the table says the same.
#[tokio::test]
async fn what_the_router_serves_is_what_the_table_declares() {
    let shop = stocked();
    let mut pieces: Vec<String> =
        rows().flat_map(|row| path(&shop, row).split('/').map(str::to_owned).collect::<Vec<_>>()).collect();
    pieces.sort();
    pieces.dedup();
    pieces.retain(|piece| !piece.is_empty());
    pieces.extend(["..", ".", "*", "{gateway}", "admin", "%2e%2e"].map(str::to_owned));
    let methods = [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];
    let paths: Vec<String> = rows().map(|row| path(&shop, row)).collect();
    let own: Vec<&Method> = rows().map(|row| &row.method).collect();
    let mut state = 7_u64;
    let mut next = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let mut met = [0, 0];
    for _ in 0..3_000 {
        // A declared path with a piece or two exchanged, left out or added.
        let from = next(paths.len());
        let mut parts: Vec<String> = paths[from].split('/').skip(1).map(str::to_owned).collect();
        for _ in 0..next(3) {
            let at = next(parts.len());
            match next(3) {
                0 => parts[at] = pieces[next(pieces.len())].clone(),
                1 if parts.len() > 1 => drop(parts.remove(at)),
                _ => parts.insert(at, pieces[next(pieces.len())].clone()),
            }
        }
        let path = format!("{}/{}", ["", PREFIX][next(2)], parts.join("/"));
        let method = if next(2) == 0 { own[from] } else { &methods[next(methods.len())] };
        let said = shop.ask_raw(method.as_str(), &path, "", None).await;
        let declared = methods
            .iter()
            .filter_map(|each| declared::find(each, &path))
            .min_by_key(|row| row.path.matches('{').count());
        let declared = declared.and_then(|best| rows().find(|row| row.path == best.path && row.method == *method));
        let of_the_api = declared.filter(|row| row.is_of_the_api());
        let is_served = of_the_api.is_some() || declared.is_some_and(|_| !path.starts_with(PREFIX));
        met[usize::from(is_served)] += 1;
        match (is_served, of_the_api) {
            (true, Some(row)) if needs(row).is_some() => assert_eq!(said.status, 401, "{method} {path}"),
            (true, _) => assert_eq!(said.status, 200, "{method} {path}"),
            (false, _) => assert!([404, 405].contains(&said.status.as_u16()), "{method} {path}: {}", said.status),
        }
    }
    assert!(met.iter().all(|count| *count > 300), "{met:?}");
}
