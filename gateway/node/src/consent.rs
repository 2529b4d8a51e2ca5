//! The consents that this node keeps, and what it knows of those that peers collected: for both faces.
//!
//! Not here: routes, and what a consent says (`puente_core::consent`). INVARIANT: a message that rests on a consent
//! is judged by what is stored now, at sending, at dequeuing, at receiving and at hand-over alike.

use jiff::Timestamp;

use puente_core::consent::{Evaluation, Relied, StatusEvent, VerifiedEvent, VerifiedRecord, evaluate};
use puente_core::delivery::{DisclosureRow, WithdrawalRow};
use puente_core::envelope::{ConsentExtract, VerifiedOuter};
use puente_core::ids::{AgencyId, Category, ConsentId, CountryCode, Purpose};
use puente_core::policy::{BasisType, Consent, ConsentStatus, Scope};
use puente_core::problem::{self, Problem};

use crate::node::{Node, store_problem};
use crate::store::StoreError;

/// A consent that one of this country's agencies collected.
#[derive(Debug, Clone)]
pub struct Kept {
    /// The collecting agency.
    pub agency: AgencyId,
    /// The record.
    pub record: VerifiedRecord,
    /// What happened to it, in order.
    pub events: Vec<VerifiedEvent>,
}

/// What a submission rests on.
#[derive(Debug, Clone)]
pub enum Rests {
    /// A consent of this country.
    Own(Box<Kept>),
    /// One that the country which asks has vouched for.
    Relied(Box<Relied>),
}

/// Who collected a consent, as far as this node knows.
enum Collected {
    /// One of this country's agencies.
    Here(Box<Kept>),
    /// One of this country's agencies, and the person was erased since: it covers nothing more.
    Erased,
    /// Nobody here.
    Elsewhere,
}

impl Collected {
    async fn look(node: &Node, id: ConsentId) -> Result<Self, Problem> {
        let (row, rows) = match node.store.consent(id).await {
            Ok(Some(found)) => found,
            Ok(None) => return Ok(Self::Elsewhere),
            Err(StoreError::Erased) => return Ok(Self::Erased),
            Err(error) => return Err(store_problem(&error)),
        };
        let damaged = || Problem::new(&problem::INTERNAL);
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).map_err(|_| damaged());
        let record = VerifiedRecord::stored(text(row.record)?).ok_or_else(damaged)?;
        let mut events = Vec::with_capacity(rows.len());
        for event in rows {
            events.push(VerifiedEvent::stored(text(event.event)?).ok_or_else(damaged)?);
        }
        Ok(Self::Here(Box::new(Kept { agency: row.agency, record, events })))
    }
}

impl Kept {
    /// The consent with this id; one of an erased person is none.
    ///
    /// # Errors
    /// The store's problem; `node.internal` when what is stored does not read back.
    pub async fn find(node: &Node, id: ConsentId) -> Result<Option<Self>, Problem> {
        match Collected::look(node, id).await? {
            Collected::Here(kept) => Ok(Some(*kept)),
            Collected::Erased | Collected::Elsewhere => Ok(None),
        }
    }

    /// What happened to it, as claims.
    #[must_use]
    pub fn claims_of_events(&self) -> Vec<StatusEvent> {
        self.events.iter().map(|event| event.claims().clone()).collect()
    }

    /// What it says for this purpose now.
    #[must_use]
    pub fn evaluate(&self, node: &Node, purpose: &Purpose) -> Evaluation {
        let rules = node.rules.get();
        evaluate(self.record.claims(), &self.claims_of_events(), now(node), purpose, &rules.texts)
    }
}

fn now(node: &Node) -> Timestamp {
    Timestamp::from_millisecond(node.clock.now_ms()).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// What is known here of a consent that this country vouched for in its message.
///
/// # Errors
/// The store's problem.
pub async fn relied_on(
    node: &Node,
    country: &CountryCode,
    extract: &ConsentExtract,
) -> Result<Relied, Problem> {
    let left = withdrawals(node, country, extract.id).await?;
    let pair =
        |row: WithdrawalRow| (row.purposes.into_iter().collect(), row.categories.into_iter().collect());
    Ok(Relied {
        country: country.clone(),
        extract: extract.clone(),
        left: left.into_iter().map(pair).collect(),
    })
}

async fn withdrawals(
    node: &Node,
    country: &CountryCode,
    consent: ConsentId,
) -> Result<Vec<WithdrawalRow>, Problem> {
    node.store.withdrawals(country.clone(), consent).await.map_err(|error| store_problem(&error))
}

/// Whether what is to leave is still covered: asked for every queued message that rests on a consent.
///
/// # Errors
/// The store's problem.
pub async fn still_covers(node: &Node, consent: ConsentId, told: &DisclosureRow) -> Result<bool, Problem> {
    let ended = told.not_after_ms.is_none_or(|end| end <= node.clock.now_ms());
    if ended {
        return Ok(false);
    }
    match Collected::look(node, consent).await? {
        Collected::Erased => Ok(false),
        Collected::Here(kept) => {
            let said = kept.evaluate(node, &told.purpose).consent;
            let reaches =
                matches!(&said.recipients, Scope::Only(countries) if countries.contains(&told.country));
            Ok(reaches && covers(&said, &told.categories))
        }
        Collected::Elsewhere => {
            let left = withdrawals(node, &told.country, consent).await?;
            Ok(!left.iter().any(|row| takes_away(row, &told.purpose, &told.categories)))
        }
    }
}

/// Whether a consent stands and names all of these categories.
fn covers(said: &Consent, categories: &[Category]) -> bool {
    let named = matches!(&said.categories, Scope::Only(covered) if categories.iter().all(|one| covered.contains(one)));
    said.status == ConsentStatus::Given && named
}

/// Whether a peer's notice leaves this purpose or one of these categories no longer covered.
fn takes_away(row: &WithdrawalRow, purpose: &Purpose, categories: &[Category]) -> bool {
    !row.purposes.contains(purpose) || !categories.iter().all(|category| row.categories.contains(category))
}

/// Whether a withdrawal known here takes away what this message of a peer rests on.
///
/// # Errors
/// The store's problem.
pub async fn is_withdrawn(node: &Node, outer: &VerifiedOuter) -> Result<bool, Problem> {
    let claims = outer.claims();
    let Some(extract) = claims.consent.as_ref().filter(|_| rests_on_consent(outer)) else { return Ok(false) };
    // A consent stays with the country that collected it, also when an answer under it comes from another.
    match Collected::look(node, extract.id).await? {
        Collected::Here(kept) => {
            return Ok(!covers(&kept.evaluate(node, &claims.puente.purpose).consent, outer.labels()));
        }
        Collected::Erased => return Ok(true),
        Collected::Elsewhere => {}
    }
    let left = withdrawals(node, &claims.iss, extract.id).await?;
    Ok(left.iter().any(|row| takes_away(row, &claims.puente.purpose, outer.labels())))
}

/// Whether a message that was accepted may still be handed over.
///
/// # Errors
/// `consent.lapsed` when its consent was withdrawn or has ended since; otherwise the store's problem.
pub async fn permit_hand_over(node: &Node, outer: &VerifiedOuter) -> Result<(), Problem> {
    let extract = outer.claims().consent.as_ref().filter(|_| rests_on_consent(outer));
    let ended = extract.is_some_and(|extract| extract.not_after <= node.clock.now_s());
    if ended || is_withdrawn(node, outer).await? {
        return Err(Problem::new(&problem::CONSENT_LAPSED));
    }
    Ok(())
}

fn rests_on_consent(outer: &VerifiedOuter) -> bool {
    let basis = outer.claims().puente.legal_basis.kind.as_str();
    [BasisType::Consent, BasisType::BestInterests].iter().any(|resting| resting.code() == basis)
}
