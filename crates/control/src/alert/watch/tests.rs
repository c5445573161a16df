//! Alerts over a log that is written as it happens, at times that the test chooses.

use std::sync::Arc;

use proptest::prelude::*;
use tempfile::TempDir;
use tollgate_model::alert::{Anomaly, Format, Webhook};
use tollgate_model::record::{Cost, Outcome};
use tollgate_model::{Attempt, Ids, Meta, Metadata, Money};
use tollgate_store::Metrics;
use tollgate_store::embedded::{DayRecords, DayRecordsOptions};
use tollgate_store::records::{Encoded, Entry};

use super::*;
use crate::sample;

const NOW: u64 = 1_790_000_000_000;

struct Office {
    records: DayRecords,
    ids: Ids,
    watcher: Watcher,
    alerts: Vec<Alert>,
    now_ms: u64,
    dir: TempDir,
}

fn alert(id: &str, watch: Watch) -> Alert {
    Alert {
        id: id.to_owned(),
        name: format!("the {id}"),
        enable: true,
        gateway_id: None,
        watch,
        cooldown_seconds: 600,
        webhook: Webhook { url: "https://h.example/x".into(), format: Format::Json, secret_id: "s".into() },
        created_at: 0,
        modified_at: 0,
    }
}

fn rate(window_seconds: u64, threshold_percent: f64, minimum_requests: u64) -> Rate {
    Rate { provider: None, window_seconds, threshold_percent, minimum_requests }
}

fn anomaly() -> Watch {
    Watch::SpendAnomaly(Anomaly { session_key: "session_id".into(), user_key: "user_id".into(), minimum_cost: 0.0 })
}

impl Office {
    fn of(alerts: Vec<Alert>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let records =
            DayRecords::open(&dir.path().join("logs"), DayRecordsOptions::default(), Arc::new(Metrics::default()))
                .unwrap();
        let watcher = Watcher::open(&dir.path().join("alerts.json"));
        Self { records, ids: Ids::new(), watcher, alerts, now_ms: NOW, dir }
    }

    fn log(&mut self, change: impl FnOnce(&mut Record)) {
        let mut record = Record {
            id: self.ids.next(self.now_ms),
            created_ms: self.now_ms,
            gateway: "g".into(),
            provider: "openai".into(),
            status: 200,
            outcome: Outcome::Complete,
            cost: None,
            ..sample::full()
        };
        record.attempts.clear();
        change(&mut record);
        let line = Encoded::of(&record);
        self.records.append(&[Entry { line: line.line(), request: b"", response: b"" }]).unwrap();
    }

    fn answered(&mut self, provider: &str, status: Option<u16>) {
        let mut tried = sample::full().attempts.first().cloned().unwrap_or_else(unreachable_attempt);
        (tried.provider, tried.status) = (provider.into(), status);
        tried.miss = status.is_none().then(|| "connect".to_owned());
        self.log(|record| {
            record.provider = provider.into();
            record.status = status.unwrap_or(502);
            record.attempts = vec![tried];
        });
    }

    fn spent(&mut self, user: &str, session: &str, dollars: f64) {
        self.log(|record| {
            let text = |text: &str| Meta::Text(text.to_owned());
            record.metadata =
                Metadata(vec![("session_id".to_owned(), text(session)), ("user_id".to_owned(), text(user))]);
            let amount = Money::from_nanos((dollars * 1e9) as i64);
            record.cost = Some(Cost::plain(amount));
        });
    }

    fn pass(&mut self, ms: u64) {
        self.now_ms += ms;
    }

    fn look(&mut self) -> Vec<Finding> {
        self.look_with(Losses::default())
    }

    fn look_with(&mut self, losses: Losses) -> Vec<Finding> {
        self.watcher.look(&self.alerts, &self.records, losses, self.now_ms).unwrap()
    }

    fn restart(&mut self) {
        self.watcher.save().unwrap();
        self.watcher = Watcher::open(&self.dir.path().join("alerts.json"));
    }
}

fn unreachable_attempt() -> Attempt {
    Attempt {
        provider: "openai".into(),
        model: String::new(),
        origin: "https://h.example".into(),
        started_us: 0,
        queue_us: 0,
        connect_us: 0,
        first_byte_us: None,
        ended_us: 0,
        status: None,
        miss: None,
        reused: false,
    }
}

fn events(found: &[Finding]) -> Vec<(&str, &str)> {
    found.iter().map(|finding| (finding.event, finding.subject.as_str())).collect()
}

#[test]
fn an_error_rate_is_told_once_and_again_when_it_is_over() {
    let mut office = Office::of(vec![alert("rate", Watch::ErrorRate(rate(300, 50.0, 4)))]);
    for _ in 0..3 {
        office.answered("openai", Some(500));
    }
    office.pass(3_000);
    assert_eq!(events(&office.look()), [], "three say nothing");
    office.answered("openai", Some(500));
    // What the caller got wrong, and whom nobody waited for, is no failure.
    office.log(|record| record.status = 400);
    office.log(|record| record.outcome = Outcome::Cancelled);
    office.pass(3_000);
    let found = office.look();
    assert_eq!(events(&found), [("alert.error_rate", "g")]);
    assert_eq!((&found[0].data["failed"], &found[0].data["requests"]), (&json!(4), &json!(5)));
    for _ in 0..50 {
        office.answered("openai", Some(500));
        office.pass(3_000);
        assert_eq!(events(&office.look()), [], "a storm is told once");
    }
    office.restart();
    for _ in 0..200 {
        office.answered("openai", Some(200));
    }
    office.pass(3_000);
    let over = office.look();
    assert_eq!(events(&over), [("alert.error_rate.resolved", "g")]);
    assert_ne!(over[0].id, found[0].id);
    // Bad again at once: within the pause nothing is told, behind it all is.
    for _ in 0..300 {
        office.answered("openai", Some(503));
    }
    office.pass(3_000);
    assert_eq!(events(&office.look()), []);
    office.pass(600_000);
    for _ in 0..10 {
        office.answered("openai", Some(503));
    }
    office.pass(3_000);
    assert_eq!(events(&office.look()), [("alert.error_rate", "g")]);
}

#[test]
fn a_provider_is_down_by_its_attempts_and_up_when_it_answers() {
    let mut of_one = rate(60, 90.0, 5);
    of_one.provider = Some("anthropic".into());
    let mut office = Office::of(vec![
        alert("down", Watch::ProviderDown(rate(60, 90.0, 5))),
        alert("one", Watch::ProviderDown(of_one)),
    ]);
    office.alerts[1].gateway_id = Some("h".into());
    for _ in 0..6 {
        office.answered("openai", None);
        office.answered("anthropic", Some(429));
    }
    office.pass(3_000);
    let found = office.look();
    assert_eq!(events(&found), [("alert.provider_down", "openai")], "who says no is not down");
    office.pass(120_000);
    assert_eq!(events(&office.look()), [], "silence is no recovery");
    office.answered("openai", Some(200));
    office.pass(3_000);
    let over = office.look();
    assert_eq!(events(&over), [("alert.provider_down.resolved", "openai")]);
    assert!(over[0].text.contains("answers again"), "{}", over[0].text);
}

#[test]
fn a_session_over_twice_the_users_and_over_everybodys_usual_is_told_once() {
    let mut office = Office::of(vec![alert("spend", anomaly())]);
    for number in 0..6 {
        office.spent("ann", &format!("a{number}"), 1.0);
    }
    for number in 0..20 {
        office.spent("bob", &format!("b{number}"), 3.0);
    }
    office.pass(3_000);
    assert_eq!(events(&office.look()), []);
    // Over twice Ann's usual, and not over everybody's; then over both.
    office.spent("ann", "big", 2.9);
    office.pass(3_000);
    assert_eq!(events(&office.look()), []);
    office.spent("ann", "big", 0.2);
    office.pass(3_000);
    let found = office.look();
    assert_eq!(events(&found), [("alert.spend_anomaly", "ann/big")]);
    assert_eq!(
        (&found[0].data["user_p95"], &found[0].data["all_p99"]),
        (&json!(1.0), &json!(3.0)),
        "{}",
        found[0].data
    );
    office.spent("ann", "big", 9.0);
    office.pass(3_000);
    assert_eq!(events(&office.look()), [], "once");
    // Over everybody's, and not over twice Bob's.
    office.spent("bob", "large", 5.9);
    office.pass(3_000);
    assert_eq!(events(&office.look()), []);
    // Of somebody new nothing is known.
    office.spent("eve", "first", 1_000.0);
    office.pass(3_000);
    assert_eq!(events(&office.look()), []);
}

#[test]
fn what_was_counted_outlives_a_restart_and_history_is_not_told() {
    let mut office = Office::of(vec![alert("spend", anomaly())]);
    for number in 0..30 {
        office.spent("ann", &format!("a{number}"), 1.0);
    }
    office.spent("ann", "old", 50.0);
    // Nobody looked for a day: it is counted, and told to nobody.
    office.pass(DAY_MS);
    assert_eq!(events(&office.look()), []);
    office.restart();
    office.spent("ann", "new", 45.0);
    office.pass(3_000);
    assert_eq!(events(&office.look()), [], "not over everybody's: the old one counts");
    office.spent("ann", "new", 60.0);
    office.pass(3_000);
    assert_eq!(events(&office.look()), [("alert.spend_anomaly", "ann/new")]);
    // Forgotten after thirty days.
    office.pass(31 * DAY_MS);
    assert_eq!(events(&office.look()), []);
    office.spent("ann", "alone", 1_000.0);
    office.pass(3_000);
    assert_eq!(events(&office.look()), []);
}

#[test]
fn losses_are_told_as_they_grow() {
    let mut office = Office::of(vec![alert("loss", Watch::LogLoss)]);
    assert_eq!(events(&office.look()), []);
    let found = office.look_with(Losses { records: 3, damaged_bytes: 0 });
    assert_eq!((events(&found), &found[0].data["records"]), (vec![("alert.log_loss", "log")], &json!(3)));
    office.pass(5_000);
    assert_eq!(events(&office.look_with(Losses { records: 9, damaged_bytes: 0 })), [], "within the pause");
    office.pass(600_000);
    assert_eq!(events(&office.look_with(Losses { records: 9, damaged_bytes: 0 })), []);
    assert_eq!(office.look_with(Losses { records: 9, damaged_bytes: 7 })[0].data["damaged_bytes"], 7);
}

#[test]
fn an_alert_that_is_off_or_gone_says_nothing() {
    let mut office = Office::of(vec![alert("rate", Watch::ErrorRate(rate(300, 50.0, 1)))]);
    office.alerts[0].enable = false;
    office.answered("openai", Some(500));
    office.pass(3_000);
    assert_eq!(events(&office.look()), []);
    office.alerts.clear();
    assert_eq!(events(&office.look()), []);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// However the looks fall, and however often the process starts again in between: what begins is told before it ends, by turns.
    #[test]
    fn begins_and_ends_take_turns(steps in prop::collection::vec((0_u8..4, 1_u64..40_000), 1..60)) {
        let mut office = Office::of(vec![alert("rate", Watch::ErrorRate(rate(60, 50.0, 2)))]);
        office.alerts[0].cooldown_seconds = 0;
        let mut told = Vec::new();
        for (what, pause) in steps {
            match what {
                0 => office.answered("openai", Some(200)),
                1 => office.answered("openai", Some(500)),
                2 => office.restart(),
                _ => told.extend(office.look()),
            }
            office.pass(pause);
        }
        for (number, finding) in told.iter().enumerate() {
            let expected = if number % 2 == 0 { "alert.error_rate" } else { "alert.error_rate.resolved" };
            prop_assert_eq!(finding.event, expected);
        }
        let mut names: Vec<&str> = told.iter().map(|finding| finding.id.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        prop_assert_eq!(names.len(), told.len(), "each has a name of its own");
    }
}
