//! How people are called over an alert: the operators, and the channels that carry a notice.

use serde::{Deserialize, Serialize};

use puente_core::duty::Contact;
use puente_core::personal::Personal;

use crate::config::Network;

/// How the connection to a mail server is secured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailSecurity {
    /// TLS from the first byte (RFC 8314).
    Tls,
    /// STARTTLS, required (RFC 3207).
    Starttls,
    /// None: for a server on loopback only.
    None,
}

/// Calling people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Duty {
    /// The zone in whose hours the operators are spoken to.
    pub zone: String,
    /// Mail addresses of this node's operators.
    pub operators_mail: Vec<Personal<String>>,
    /// Addresses of this node's operators for the hook.
    pub operators_hook: Vec<Personal<String>>,
    /// The mail server; empty for none.
    pub mail_host: String,
    /// Its port.
    pub mail_port: u16,
    /// How the connection to it is secured.
    pub mail_security: MailSecurity,
    /// The address that notices come from.
    pub mail_from: String,
    /// The name to log in with; empty for none.
    pub mail_user: String,
    /// The file that holds the password.
    pub mail_password_file: String,
    /// Where notices for people without mail are posted: a gateway to SMS, voice or pagers, `https`; empty for none.
    pub hook_url: String,
    /// The networks that it may lie in.
    pub hook_networks: Vec<Network>,
    /// The certificate authorities, PEM, that the channels' servers are verified with.
    pub ca_file: String,
}

impl Default for Duty {
    fn default() -> Self {
        Self {
            zone: "UTC".to_owned(),
            operators_mail: Vec::new(),
            operators_hook: Vec::new(),
            mail_host: String::new(),
            mail_port: 465,
            mail_security: MailSecurity::Tls,
            mail_from: String::new(),
            mail_user: String::new(),
            mail_password_file: String::new(),
            hook_url: String::new(),
            hook_networks: Vec::new(),
            ca_file: "/etc/ssl/certs/ca-certificates.crt".to_owned(),
        }
    }
}

impl Duty {
    /// The operators, each reached one way, in the order of the file.
    #[must_use]
    pub fn contacts(&self) -> Vec<Contact> {
        let by_mail = self.operators_mail.iter().map(|mail| Contact { mail: Some(mail.clone()), hook: None });
        let by_hook = self.operators_hook.iter().map(|hook| Contact { mail: None, hook: Some(hook.clone()) });
        by_mail.chain(by_hook).collect()
    }
}
