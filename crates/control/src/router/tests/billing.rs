//! The credit ledger over HTTP.

use serde_json::{Value, json};
use tollgate_model::token::Permission;

use super::shop::Shop;
use crate::credits::Credits;
use crate::sample::NOW;

#[tokio::test]
async fn credits_are_booked_drawn_and_told_as_invoices() {
    let shop = Shop::open();
    let token = shop.token(&[Permission::Admin]);
    let balance = async || shop.get("billing/credit-balance", &token).await.result()["balance"].clone();
    assert_eq!(balance().await, 0);
    for (amount, description) in [(5_000, "first"), (2_500, "second")] {
        let body = json!({ "amount": amount, "description": description });
        shop.ask("POST", "billing/credits", &token, Some(body)).await.result();
    }
    let credits = Credits { entries: &*shop.entries, account: &shop.account };
    credits.book(-120, "drawn", "test", NOW).unwrap();
    credits.book(-30, "drawn", "test", NOW + 7_200_000).unwrap();
    assert_eq!(balance().await, 7_350);

    let invoices = shop.get("billing/invoice-history?type=manual&per_page=1", &token).await.result();
    assert_eq!(
        (&invoices["invoices"][0]["amount_paid"], &invoices["pagination"]["has_more"]),
        (&json!(2_500), &json!(true))
    );
    assert_eq!(shop.get("billing/invoice-history?type=auto", &token).await.result()["invoices"], json!([]));
    let sums = async |window: &str| {
        let said = shop.get(&format!("billing/usage-history?value_grouping_window={window}"), &token).await.result();
        said["history"]
            .as_array()
            .unwrap()
            .iter()
            .map(|each| each["aggregated_value"].as_u64().unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!((sums("hour").await, sums("day").await), (vec![120, 30], vec![150]));
    let preview = shop.get("billing/invoice-preview", &token).await.result();
    assert_eq!((&preview["amount_paid"], &preview["invoice_lines"][0]["amount"]), (&json!(150), &json!(150)));
    let lines = shop.get("billing/credits?per_page=3", &token).await.result();
    assert_eq!(lines.as_array().unwrap().len(), 3);
    let asked = json!({ "payment_intent_id": "credit-1" });
    assert_eq!(shop.ask("POST", "billing/topup/status", &token, Some(asked)).await.result()["status"], "completed");
}

#[tokio::test]
async fn what_requests_drew_is_told_to_the_cent_and_parts_sum_to_the_whole() {
    const HOUR: u64 = 3_600_000;
    let shop = Shop::open();
    let token = shop.token(&[Permission::Admin]);
    shop.ask("POST", "billing/credits", &token, Some(json!({ "amount": 1_000 }))).await.result();
    assert_eq!(shop.drawn.lock().unwrap().1, 1_000, "the data plane was told");
    // 0.6, 0.6 and 1.3 cents: two and a half.
    let day = NOW - NOW % (24 * HOUR);
    shop.drawn.lock().unwrap().0 = vec![(day, 6_000_000), (day + HOUR, 6_000_000), (day + 2 * HOUR, 13_000_000)];
    let history = async |query: &str| {
        let path = format!("billing/usage-history?value_grouping_window={query}");
        let said = shop.get(&path, &token).await.result();
        let each =
            |each: &Value| (each["start_time"].as_u64().unwrap() - day, each["aggregated_value"].as_u64().unwrap());
        said["history"].as_array().unwrap().iter().map(each).collect::<Vec<_>>()
    };
    assert_eq!(history("day").await, [(0, 2)]);
    assert_eq!(history("hour").await, [(HOUR, 1), (2 * HOUR, 1)], "a cent is told in the hour that completed it");
    assert_eq!(history(&format!("hour&start_time={}", day + 2 * HOUR)).await, [(2 * HOUR, 1)]);
    assert_eq!(shop.get("billing/credit-balance", &token).await.result()["balance"], 998);
    assert_eq!(shop.get("billing/invoice-preview", &token).await.result()["amount_paid"], 2);
    // Taking credits back is told as well.
    shop.ask("POST", "billing/credits", &token, Some(json!({ "amount": -400 }))).await.result();
    assert_eq!(shop.drawn.lock().unwrap().1, 600);
    let noted = tollgate_store::Entries::count(&*shop.entries, crate::audit::KIND, "", 0, u64::MAX).unwrap();
    assert!(noted >= 2, "bookings are written down: {noted}");
}

#[tokio::test]
async fn purchases_are_refused_after_their_bodies_were_looked_at() {
    let shop = Shop::open();
    let token = shop.token(&[Permission::Admin]);
    for (path, good, said) in [
        ("topup", json!({ "amount": 1_000 }), "NO_MANUAL_TOPUP"),
        ("topup/config", json!({ "amount": 1_000, "threshold": 500 }), "NO_MANUAL_TOPUP"),
        (
            "spending-limit",
            json!({ "amount": 100, "duration": "daily", "strategy": "fixed" }),
            "spending limits are deprecated",
        ),
    ] {
        let path = format!("billing/{path}");
        let refused = shop.ask("POST", &path, &token, Some(good)).await;
        assert_eq!(refused.problem(), (403, 1000, json!({})), "{path}");
        assert!(refused.json()["errors"][0]["message"].as_str().unwrap().contains(said), "{path}");
        assert_eq!(shop.ask("POST", &path, &token, Some(json!({ "amount": 5 }))).await.problem().0, 400, "{path}");
    }
    let fraction = shop.ask("POST", "billing/credits", &token, Some(json!({ "amount": 1.5 }))).await;
    assert_eq!(fraction.problem(), (400, 7001, json!({})));
}

#[tokio::test]
async fn models_are_found_by_name_and_maker() {
    let shop = Shop::stocked();
    let token = shop.token(&[Permission::Read]);
    let names = async |query: &str| {
        let path = format!("/client/v4/accounts/{}/ai/models/search?{query}", shop.account);
        let said = shop.ask_raw("GET", &path, &token, None).await.result();
        said.as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert!(names("author=openai&per_page=100").await.iter().all(|name| name.starts_with("openai/")));
    assert!(names("search=GPT-4o-mini&author=openai").await.contains(&"openai/gpt-4o-mini".to_owned()));
    assert!(names("search=llama&author=workers-ai").await.iter().any(|name| name.starts_with("@cf/meta/llama")));
    assert_eq!(names("task=text-generation").await, [""; 0]);
    let tasks = format!("/client/v4/accounts/{}/ai/tasks/search", shop.account);
    assert_eq!(shop.ask_raw("GET", &tasks, &token, None).await.result(), Value::Array(vec![]));
}
