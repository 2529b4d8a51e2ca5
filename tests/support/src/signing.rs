//! Agencies that sign their messages, or open what is for them, themselves.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use puente_core::envelope::{IssuerClaims, SignatureProfile, issue};
use puente_core::ids::Category;
use puente_core::personal::Personal;
use puente_node::client::AgencyClient;
use puente_node::domestic::submit::ToSign;
use puente_node::home::write_file;
use puente_node::keys::{KeyFile, KeyUse, SystemRandom};
use puente_node::setup::agency_key::{self, HeldFor};

use crate::{Federation, post};

impl Federation {
    /// Gives an agency a signing key of its own, which every country then knows.
    ///
    /// # Errors
    /// When it cannot be registered.
    pub fn signs_itself(&self, country: &str, agency: &str) -> Result<KeyFile> {
        self.held_key(country, agency, &HeldFor::Signing, KeyUse::Sign)
    }

    /// Gives an agency a key of its own to open what is for it in this role, which every country then knows; the private
    /// half is nowhere but in what is answered.
    ///
    /// # Errors
    /// When it cannot be registered.
    pub fn opens_itself(&self, country: &str, agency: &str, role: &str) -> Result<KeyFile> {
        self.held_key(country, agency, &HeldFor::Opening(role.parse()?), KeyUse::Open)
    }

    fn held_key(&self, country: &str, agency: &str, held_for: &HeldFor, usage: KeyUse) -> Result<KeyFile> {
        let key = KeyFile::generate(SignatureProfile::P256, usage)?;
        let home = &self.member(country)?.home;
        let public = home.keys().join(format!("{agency}.jwk"));
        write_file(&public, &serde_json::to_vec(&key.public_jwk())?)?;
        agency_key::add(home, &agency.parse()?, held_for, &public, 30, self.clock.as_ref())?;
        self.spread(country)?;
        Ok(key)
    }
}

/// What the gateway would have its agency sign of this message.
///
/// # Errors
/// When it would not be taken.
pub async fn to_sign(client: &AgencyClient, row: &Value) -> Result<ToSign> {
    let would: Value = post(client, "/v1/messages/dry-run", row).await?.json()?;
    let demanded = would.get("sign").cloned().with_context(|| format!("nothing to sign: {would}"))?;
    Ok(serde_json::from_value(demanded)?)
}

/// The message with these claims and its content signed, as it is submitted.
///
/// # Errors
/// When the key cannot be used.
pub fn signed_with(key: &KeyFile, claims: IssuerClaims, row: &Value) -> Result<Value> {
    let sections: BTreeMap<Category, Personal<Value>> = serde_json::from_value(row["sections"].clone())?;
    let signed = issue(claims, &sections, &key.signer()?, &SystemRandom)?;
    let mut message = row.clone();
    message.as_object_mut().context("no message")?.remove("sections");
    message["signed"] = json!(signed);
    Ok(message)
}

/// Asks what to sign of a message, and signs that.
///
/// # Errors
/// As the two steps.
pub async fn sign_message(client: &AgencyClient, key: &KeyFile, row: &Value) -> Result<Value> {
    signed_with(key, to_sign(client, row).await?.claims, row)
}
