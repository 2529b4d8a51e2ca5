//! Two countries whose child-protection authorities are on duty: rosters, a mail server that takes every call, an alert to
//! send.

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use puente_core::duty::{TYP_TAKEN, Taken};
use puente_core::personal::Personal;
use puente_node::client::AgencyClient;
use puente_node::config::{Config, MailSecurity};
use puente_node::home::write_file;
use puente_test_support::{Federation, MailServer, post, signed};

const AGENCIES: &[(&str, &str, &str)] = &[
    ("MX", "PFPNNA", "child_protection"),
    ("GT", "PGN", "child_protection"),
    ("GT", "IGM", "returns_reception"),
];

const MINUTE_MS: i64 = 60_000;
pub const PHONE: &str = "+50224148888";

pub struct OnDuty {
    pub federation: Federation,
    pub mails: MailServer,
    pub pfpnna: AgencyClient,
    pub pgn: AgencyClient,
    /// The key of PGN's officer.
    pub lucia: Vec<u8>,
}

pub fn roster(agency: &str, zone: &str) -> Value {
    let mail = |name: &str| json!({"mail": format!("{name}@{}.example", agency.to_lowercase())});
    json!({
        "agency": agency, "zone": zone,
        "contacts": {"guardia": mail("guardia"), "relevo": mail("relevo"), "jefa": mail("jefa")},
        "week": [{
            "days": ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"],
            "hours": [{"from": "00:00", "to": "00:00", "officers": ["guardia"], "deputies": ["relevo"]}],
        }],
        "supervisors": ["jefa"],
    })
}

impl OnDuty {
    pub async fn new() -> Result<Self> {
        let mails = MailServer::start().await?;
        let port = mails.port;
        let calls = move |config: &mut Config| {
            let operator = format!("operador@{}.example", config.country.lower());
            config.duty.operators_mail = vec![Personal::new(operator)];
            config.duty.mail_host = "127.0.0.1".to_owned();
            config.duty.mail_port = port;
            config.duty.mail_security = MailSecurity::None;
            config.duty.mail_from = "puente@node.example".to_owned();
        };
        let federation = Federation::with(&["GT", "MX"], AGENCIES, calls).await?;
        let (pfpnna, pgn) = (federation.client("MX", "PFPNNA")?, federation.client("GT", "PGN")?);
        let lucia = federation.officer("GT", "PGN", "lucia", "p-lucia")?;
        let case = Self { federation, mails, pfpnna, pgn, lucia };
        case.rostered("MX", "PFPNNA", "America/Mexico_City")?;
        case.rostered("GT", "PGN", "America/Guatemala")?;
        Ok(case)
    }

    fn rostered(&self, country: &str, agency: &str, zone: &str) -> Result<()> {
        let member = self.federation.member(country)?;
        let folder = member.home.rosters();
        std::fs::create_dir_all(&folder)?;
        let bytes = serde_json::to_vec(&roster(agency, zone))?;
        write_file(&folder.join(format!("{agency}.json")), &bytes)?;
        member.running.as_ref().context("runs")?.reload()?;
        Ok(())
    }

    /// Sends an alert and waits until the other side's clock runs; answers its id.
    pub async fn alert(&self) -> Result<String> {
        let verdict: Value = post(&self.pfpnna, "/v1/messages", &alert()).await?.json()?;
        assert_eq!(verdict["verdict"], "accepted", "{verdict}");
        let id = verdict["message_id"].as_str().context("no id")?.to_owned();
        self.until_state(&self.pgn, &id, "waits").await?;
        Ok(id)
    }

    pub async fn until_state(&self, client: &AgencyClient, id: &str, state: &str) -> Result<Value> {
        self.federation.until(client, &format!("/v1/alerts/{id}"), |alert| alert["state"] == state).await
    }

    pub fn pass(&self, minutes: i64) {
        self.federation.clock.advance_ms(minutes * MINUTE_MS);
    }

    pub fn taken(&self, alert: &str, phone: &str) -> Result<String> {
        let says = Taken { alert: alert.parse()?, phone: Some(Personal::new(phone.to_owned())) };
        let act =
            signed(&self.lucia, TYP_TAKEN, ("GT", "PGN", "lucia"), says, self.federation.clock.as_ref())?;
        Ok(act["statement"].as_str().context("no statement")?.to_owned())
    }
}

pub fn alert() -> Value {
    let example = include_str!("../../../../schemas/messages/child.alert/1/examples/valid-full.json");
    let sections: Value = serde_json::from_str(example).unwrap();
    json!({
        "type": "child.alert",
        "recipient": {"country": "GT", "role": "child_protection", "agency": "PGN"},
        "purpose": "child_protection",
        "legal_basis": {"type": "best_interests"},
        "subject": {
            "kind": "child", "age": 11, "nationality": "GT", "residence": "GT", "risk_countries": [],
            "protection": "none_expressed",
            "flags": {"unaccompanied": "yes", "screening_done": "yes", "age_disputed": "no",
                      "open_family_link_in_custody": "no", "stateless_risk": "no"}
        },
        "sections": sections["sections"],
    })
}

pub fn answer(alert: &str, statement: &str) -> Value {
    json!({
        "type": "child.alert.ack", "in_reply_to": alert,
        "recipient": {"country": "MX", "role": "child_protection", "agency": "PFPNNA"},
        "purpose": "child_protection", "legal_basis": {"type": "best_interests"}, "subject": alert_subject(),
        "sections": {"ops.metadata": {
            "status": "taken", "office": "PGN", "officer": "lucia", "phone": PHONE, "statement": statement,
        }},
    })
}

fn alert_subject() -> Value {
    alert()["subject"].clone()
}
