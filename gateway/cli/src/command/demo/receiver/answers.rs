//! What Guatemala's agencies say to one message.
//!
//! INVARIANT: an answer goes to the agency that asked, in its thread, and names what it answers; only the arrival of
//! somebody who is on no list answers nothing.

use anyhow::Context as _;
use jiff::civil::Date;
use serde_json::{Value, json};

use crate::command::demo::message::{
    ZONE, now_at_port, rfc3339, screened_adult, under_agreement, under_consent,
};

/// What the next person is reported as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Report {
    /// The first did not travel, and somebody came who is on no list; from then on everybody arrives.
    NoShowThenArrived,
    /// Everybody arrives.
    Arrived,
}

impl Report {
    /// The status of the next person, and whether one more came who is on no list.
    pub fn next(&mut self) -> (&'static str, bool) {
        match std::mem::replace(self, Self::Arrived) {
            Self::NoShowThenArrived => ("no_show", true),
            Self::Arrived => ("arrived", false),
        }
    }
}

/// The answers to one message.
pub struct Answers<'c> {
    content: &'c Value,
    message_type: &'c str,
    at: String,
}

impl<'c> Answers<'c> {
    /// To this content.
    pub fn to(content: &'c Value) -> anyhow::Result<Self> {
        let message_type = content["header"]["type"].as_str().context("content without a type")?;
        Ok(Self { content, message_type, at: rfc3339(&now_at_port()?) })
    }

    /// The type of the message.
    pub fn message_type(&self) -> &str {
        self.message_type
    }

    /// The operation can come as announced.
    pub fn notice_accepted(&self) -> anyhow::Result<Value> {
        self.about_nobody("return.notice.ack", &self.status("accepted"))
    }

    /// The row is fine.
    pub fn row_fine(&self) -> anyhow::Result<Value> {
        self.about_the_person("return.manifest.ack", "return_reception", &self.status("ok"))
    }

    /// The correction is fine.
    pub fn amendment_fine(&self) -> anyhow::Result<Value> {
        self.about_the_person("return.manifest.amend.ack", "return_reception", &self.status("ok"))
    }

    /// The cancellation was seen.
    pub fn cancellation_seen(&self) -> anyhow::Result<Value> {
        self.about_nobody("return.cancel.ack", &self.status("ok"))
    }

    /// Whether the person came.
    pub fn arrival(&self, status: &str) -> anyhow::Result<Value> {
        let mut report = self.status(status);
        if let Some(object) = report.as_object_mut() {
            object.insert("operation".to_owned(), self.content["header"]["operation"].clone());
            object.insert("captured".to_owned(), json!("screen"));
            object.insert("recorded_at".to_owned(), json!(self.at));
        }
        self.about_the_person("return.arrival", "return_reconciliation", &report)
    }

    /// Somebody came who is on no list of this operation.
    pub fn unlisted_arrival(&self) -> anyhow::Result<Value> {
        let mut answer = self.arrival("unlisted")?;
        let person = json!({
            "given_names": "Ángel Daniel", "first_surname": "Núñez", "second_surname": "de la Cruz", "sex": "M",
            "age": 41, "age_estimated": true, "nationalities": ["GT"],
        });
        if let Some(object) = answer.as_object_mut() {
            object.remove("in_reply_to");
            object.remove("case");
            object.insert("subject".to_owned(), screened_adult());
        }
        if let Some(sections) = answer.get_mut("sections").and_then(Value::as_object_mut) {
            sections.insert("id.core".to_owned(), person);
        }
        Ok(answer)
    }

    /// The document that was asked for, with the paper attached.
    pub fn document(&self, attachment: Value) -> anyhow::Result<Value> {
        let asked = &self.content["sections"]["doc.civil"];
        let today = now_at_port()?.date().to_string();
        let document = json!({
            "kind": asked["kind"], "registry": asked["registry"], "year": asked["year"], "number": asked["number"],
            "delivery": "signed_pdf", "issued_on": today, "attachment": attachment,
        });
        let sections = json!({"ops.metadata": self.status("issued"), "doc.civil": document});
        Ok(self.reply(
            "document.response",
            "regularisation",
            &under_consent(&self.content["consent"]["id"]),
            &screened_adult(),
            &sections,
        ))
    }

    fn status(&self, status: &str) -> Value {
        json!({"status": status, "at": self.at, "zone": ZONE})
    }

    fn about_nobody(&self, message_type: &str, metadata: &Value) -> anyhow::Result<Value> {
        let sections = json!({"ops.metadata": metadata});
        let nobody = json!({"kind": "none"});
        Ok(self.reply(message_type, "return_reception", &under_agreement(), &nobody, &sections))
    }

    fn about_the_person(&self, message_type: &str, purpose: &str, metadata: &Value) -> anyhow::Result<Value> {
        let sections = json!({"ops.metadata": metadata});
        Ok(self.reply(message_type, purpose, &under_agreement(), &self.person()?, &sections))
    }

    fn reply(
        &self,
        message_type: &str,
        purpose: &str,
        basis: &Value,
        subject: &Value,
        sections: &Value,
    ) -> Value {
        let (from, header) = (&self.content["from"], &self.content["header"]);
        let mut reply = json!({
            "type": message_type,
            "recipient": {"country": from["country"], "role": from["role"], "agency": from["agency"]},
            "case": header["case"],
            "in_reply_to": self.content["message_id"],
            "purpose": purpose,
            "legal_basis": basis,
            "subject": subject,
            "sections": sections,
        });
        if let (Some(object), Some(operation)) = (reply.as_object_mut(), header.get("operation")) {
            object.insert("operation".to_owned(), operation.clone());
        }
        reply
    }

    /// The person of the row, as reception knows them after its own screening.
    fn person(&self) -> anyhow::Result<Value> {
        let core = &self.content["sections"]["id.core"];
        let age = match core["birth_date"].as_str() {
            Some(born) => Some(years_between(born.parse()?, now_at_port()?.date())),
            None => core["age"].as_i64(),
        };
        let kind = match age {
            Some(age) if age < 18 => "child",
            Some(_) => "adult",
            None => "unknown",
        };
        let nationality = core["nationalities"][0].as_str().unwrap_or("GT");
        Ok(json!({
            "kind": kind, "age": age, "nationality": nationality, "residence": nationality, "risk_countries": [],
            "protection": "none_expressed", "flags": {"age_disputed": "no"},
        }))
    }
}

/// Whole years from one date to another.
fn years_between(born: Date, today: Date) -> i64 {
    let before_birthday = (today.month(), today.day()) < (born.month(), born.day());
    i64::from(today.year()) - i64::from(born.year()) - i64::from(before_birthday)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_person_does_not_travel_and_one_is_on_no_list() {
        let mut report = Report::NoShowThenArrived;
        assert_eq!(report.next(), ("no_show", true));
        assert_eq!(report.next(), ("arrived", false));
    }

    #[test]
    fn years_are_whole_years() {
        let date = |year, month, day| jiff::civil::date(year, month, day);
        assert_eq!(years_between(date(2008, 11, 25), date(2026, 11, 25)), 18);
        assert_eq!(years_between(date(2008, 11, 26), date(2026, 11, 25)), 17);
    }
}
