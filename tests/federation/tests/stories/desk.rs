//! An officer at the desk: who gets in, what a page shows, and that what is signed there stops the clock on both sides.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use puente_core::catalogue::Catalogue;
use puente_core::ids::Realm;
use puente_node::client::{AgencyClient, Officer};
use puente_node::clock::Clock;
use puente_node::desk::{Desk, Listening, Opened, OwnKeys};
use puente_node::keys::{KeyFile, KeyUse, openers};
use puente_node::setup::built_in_schemas;
use puente_test_support::{Federation, post};

use crate::browser::Browser;
use crate::on_duty::{PHONE, alert};

const AGENCIES: &[(&str, &str, &str)] =
    &[("MX", "PFPNNA", "child_protection"), ("GT", "PGN", "child_protection")];

const MINUTE_MS: i64 = 60_000;

/// A desk of an agency's officer, open on a free port.
pub async fn open(federation: &Federation, country: &str, agency: &str, name: &str) -> Result<Opened> {
    open_with(federation, (country, agency, name), &[]).await
}

/// The same, of an agency that opens with keys of its own.
async fn open_with(
    federation: &Federation,
    (country, agency, name): (&str, &str, &str),
    keys: &[KeyFile],
) -> Result<Opened> {
    let own_keys = OwnKeys { openers: openers(keys)?, catalogue: Catalogue::load(built_in_schemas())? };
    let key = federation.officer(country, agency, name, &format!("p-{name}"))?;
    let who = (Realm::Training, country.parse()?, agency.parse()?);
    let officer = Officer::new(who, name.parse()?, &KeyFile::from_pem(&key, KeyUse::Sign)?)?;
    let clock = Arc::clone(&federation.clock) as Arc<dyn Clock>;
    let zone = TimeZone::get("America/Guatemala")?;
    let desk = Desk::new(federation.client(country, agency)?, officer, own_keys, zone, clock);
    Ok(desk.open(Listening { at: "127.0.0.1:0".parse()?, names: Vec::new(), tls: None }).await?)
}

/// A browser that has typed the code.
pub async fn entered(desk: &Opened) -> Result<Browser> {
    let mut browser = Browser::at(&desk.url)?;
    let code = desk.codes.borrow().clone();
    assert_eq!(browser.enter(&code).await?.status, 303);
    Ok(browser)
}

struct Case {
    federation: Federation,
    pfpnna: AgencyClient,
    pgn: AgencyClient,
    desk: Opened,
}

impl Case {
    async fn new() -> Result<Self> {
        let federation = Federation::of(&["GT", "MX"], AGENCIES).await?;
        let (pfpnna, pgn) = (federation.client("MX", "PFPNNA")?, federation.client("GT", "PGN")?);
        let desk = open(&federation, "GT", "PGN", "lucia").await?;
        Ok(Self { federation, pfpnna, pgn, desk })
    }

    /// Sends an alert about a child of this name and waits until the other side's clock runs.
    async fn alert(&self, name: &str) -> Result<String> {
        let mut alert = alert();
        alert["sections"]["id.core"]["given_names"] = json!(name);
        let verdict: Value = post(&self.pfpnna, "/v1/messages", &alert).await?.json()?;
        let id = verdict["message_id"].as_str().with_context(|| format!("{verdict}"))?.to_owned();
        self.until(&self.pgn, &id, "waits").await?;
        Ok(id)
    }

    async fn until(&self, client: &AgencyClient, id: &str, state: &str) -> Result<Value> {
        self.federation.until(client, &format!("/v1/alerts/{id}"), |alert| alert["state"] == state).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_officer_sees_the_clock_takes_the_case_acts_and_both_sides_know() -> Result<()> {
    let case = Case::new().await?;
    let id = case.alert("Yeimi").await?;
    case.federation.clock.advance_ms(18 * MINUTE_MS);
    let browser = entered(&case.desk).await?;
    let inbox = browser.get("/alerts").await?;
    assert!(inbox.body.contains("responder en 42 min"), "{}", inbox.body);
    assert!(!inbox.body.contains("Yeimi"), "the list opens nothing");
    let opened = |message: &Value| {
        let receipts = message["receipts"].as_array();
        receipts.is_some_and(|receipts| receipts.iter().any(|receipt| receipt["state"] == "opened"))
    };
    let message: Value = case.pfpnna.get(&format!("/v1/messages/{id}")).await?.json()?;
    assert!(!opened(&message), "looking at the list is not reading an alert");

    let page = format!("/alerts/{id}");
    let card = browser.get(&page).await?.body;
    for said in ["11 años (estimada)", "Mujer", "No acompañado", "necesita intérprete", "Yeimi"] {
        assert!(card.contains(said), "`{said}` is missing: {card}");
    }
    let take = [("phone", PHONE), ("protection", "none_expressed")];
    let taken = browser.fill(&page, &format!("{page}/take"), &take).await?.body;
    assert!(taken.contains("el caso es suyo"), "{taken}");
    case.until(&case.pgn, &id, "answered").await?;
    case.until(&case.pfpnna, &id, "answered").await?;

    let acted = browser.fill(&page, &format!("{page}/act"), &[("action", "child_visited")]).await?.body;
    assert!(acted.contains("quedó firmada"), "{acted}");
    case.until(&case.pfpnna, &id, "acted").await?;
    let twice = browser.fill("/alerts", &format!("{page}/act"), &[("action", "child_visited")]).await?.body;
    assert!(twice.contains("alert.closed"), "the node's refusal is shown with its code: {twice}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_waited_enters_an_answer_by_telephone_and_the_late_clock_says_by_how_much() -> Result<()> {
    let case = Case::new().await?;
    let id = case.alert("Yeimi").await?;
    let desk = open(&case.federation, "MX", "PFPNNA", "nora").await?;
    case.federation.clock.advance_ms(65 * MINUTE_MS);
    let browser = entered(&desk).await?;
    let inbox = browser.get("/alerts?lang=en").await?.body;
    assert!(inbox.contains("<html lang=\"en\">") && inbox.contains("overdue by 5 min"), "{inbox}");
    let page = format!("/alerts/{id}");
    let form = [("officer", "Lucía"), ("number", PHONE), ("at", "2026-11-25T09:30")];
    let entered = browser.fill(&page, &format!("{page}/telephone"), &form).await?.body;
    assert!(entered.contains("signature is still to come"), "{entered}");
    case.until(&case.pfpnna, &id, "answered_by_telephone").await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_is_written_like_a_script_is_shown_as_text() -> Result<()> {
    let case = Case::new().await?;
    let id = case.alert("<script>alert(1)</script>").await?;
    let browser = entered(&case.desk).await?;
    let card = browser.get(&format!("/alerts/{id}")).await?;
    assert!(card.body.contains("&#60;script&#62;alert(1)"), "{}", card.body);
    assert!(!card.body.contains("<script>"));
    assert!(card.header("content-security-policy").starts_with("default-src 'none'"));
    assert_eq!(card.header("cache-control"), "no-store");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_gets_in_without_the_code_or_under_another_address_and_no_form_counts_from_elsewhere()
-> Result<()> {
    let case = Case::new().await?;
    let id = case.alert("Yeimi").await?;
    let page = format!("/alerts/{id}");
    let mut stranger = Browser::at(&case.desk.url)?;
    assert_eq!(stranger.get(&page).await?.header("location"), "/login");
    assert_eq!(stranger.enter("AAAA-AAAA").await?.status, 403);
    assert!(stranger.cookie.is_none());
    assert_eq!(stranger.get("/pulse").await?.status, 401);

    let browser = entered(&case.desk).await?;
    let lured = Browser { says_host: "rebound.example".to_owned(), ..browser.clone() };
    assert_eq!(lured.get("/alerts").await?.status, 421);
    let take = [("phone", PHONE), ("protection", "none_expressed")];
    let mark = browser.get(&page).await?.hidden("mark")?;
    let marked: Vec<_> = take.into_iter().chain([("mark", mark.as_str())]).collect();
    for origin in [None, Some("null".to_owned()), Some("https://evil.example".to_owned())] {
        let elsewhere = Browser { origin, ..browser.clone() };
        assert_eq!(elsewhere.send(&format!("{page}/take"), &marked).await?.status, 403);
    }
    let unmarked = browser.send(&format!("{page}/take"), &take).await?;
    let said = browser.get(unmarked.header("location")).await?.body;
    assert!(said.contains("no es de esta sesión"), "a stolen cookie alone does nothing: {said}");
    case.until(&case.pgn, &id, "waits").await?;

    let gone = browser.fill("/alerts", "/logout", &[]).await?;
    assert!(gone.body.contains("La sesión terminó"));
    assert_eq!(browser.get(&page).await?.header("location"), "/login", "who left is out");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_authority_alone_can_open_is_opened_at_its_desk_and_its_sender_is_told() -> Result<()> {
    let mut case = Case::new().await?;
    let key = case.federation.opens_itself("GT", "PGN", "child_protection")?;
    let id = case.alert("Yeimi").await?;
    let page = format!("/alerts/{id}");
    let without = entered(&case.desk).await?.get(&page).await?.body;
    assert!(without.contains("seal.key_missing") && !without.contains("Yeimi"), "{without}");
    let path = format!("/v1/messages/{id}");
    let opened = |message: &Value| message["receipts"].to_string().contains("\"opened\"");
    assert!(!opened(&case.pfpnna.get(&path).await?.json()?), "nobody has read it");

    case.desk = open_with(&case.federation, ("GT", "PGN", "marta"), &[key]).await?;
    let browser = entered(&case.desk).await?;
    let card = browser.get(&page).await?.body;
    assert!(card.contains("Yeimi"), "{card}");
    case.federation.until(&case.pfpnna, &path, opened).await?;
    let take = [("phone", PHONE), ("protection", "none_expressed")];
    let taken = browser.fill(&page, &format!("{page}/take"), &take).await?.body;
    assert!(taken.contains("el caso es suyo"), "{taken}");
    case.until(&case.pfpnna, &id, "answered").await?;
    Ok(())
}
