//! Notices by mail: one SMTP submission each (RFC 6409), over TLS unless the server is on loopback.
//!
//! INVARIANT: no error text carries an address.

use lettre::message::Mailbox;
use lettre::message::header::ContentType;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::{Address, AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;

use puente_core::duty::Notice;
use puente_core::personal::Personal;

use crate::config::{Duty, MailSecurity};
use crate::duty::call::{NotTaken, WaysError};

/// An SMTP server that takes notices.
pub(super) struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl Mailer {
    /// The server of the configuration; none where no host is named.
    pub(super) fn new(config: &Duty) -> Result<Option<Self>, WaysError> {
        let wrong = |what: &str| WaysError::Mail(what.to_owned());
        let host = config.mail_host.as_str();
        if host.is_empty() {
            return Ok(None);
        }
        let from: Address = config.mail_from.parse().map_err(|_| wrong("`mail_from` is not an address"))?;
        let tls = match config.mail_security {
            MailSecurity::Tls => Tls::Wrapper(parameters(config)?),
            MailSecurity::Starttls => Tls::Required(parameters(config)?),
            MailSecurity::None if is_loopback(host) => Tls::None,
            MailSecurity::None => {
                return Err(wrong("`mail_security = \"none\"` is for a server on loopback"));
            }
        };
        let mut builder =
            AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host).port(config.mail_port).tls(tls);
        if !config.mail_user.is_empty() {
            let password = std::fs::read_to_string(&config.mail_password_file)
                .map_err(|_| wrong("`mail_password_file` cannot be read"))?;
            builder = builder
                .credentials(Credentials::new(config.mail_user.clone(), password.trim_end().to_owned()));
        }
        Ok(Some(Self { transport: builder.build(), from: Mailbox::new(Some("Puente".to_owned()), from) }))
    }

    /// Hands one notice to the server; taken is what the server says.
    pub(super) async fn send(&self, address: &Personal<String>, notice: &Notice) -> Result<(), NotTaken> {
        let to: Address =
            address.reveal().parse().map_err(|_| NotTaken("the contact's address is not one".to_owned()))?;
        let message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(notice.line.clone())
            .header(ContentType::TEXT_PLAIN)
            .body(notice.text.clone())
            .map_err(|_| NotTaken("the notice cannot be written as mail".to_owned()))?;
        self.transport.send(message).await.map(drop).map_err(|error| {
            // The server's own words may quote the address.
            let code = error.status().map_or_else(|| "no answer".to_owned(), |code| code.to_string());
            NotTaken(format!("the mail server did not take it: {code}"))
        })
    }

    /// Whether the server answers.
    pub(super) async fn answers(&self) -> bool {
        self.transport.test_connection().await.unwrap_or(false)
    }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Trusts what the configured file trusts and nothing else.
fn parameters(config: &Duty) -> Result<TlsParameters, WaysError> {
    let wrong = |what: &str| WaysError::Mail(what.to_owned());
    let pem = std::fs::read(&config.ca_file).map_err(|_| wrong("`ca_file` cannot be read"))?;
    let mut builder =
        TlsParameters::builder(config.mail_host.clone()).certificate_store(CertificateStore::None);
    let mut found = false;
    for der in CertificateDer::pem_slice_iter(&pem).flatten() {
        let certificate =
            Certificate::from_der(der.to_vec()).map_err(|_| wrong("`ca_file` holds something else"))?;
        builder = builder.add_root_certificate(certificate);
        found = true;
    }
    if !found {
        return Err(wrong("`ca_file` holds no certificate"));
    }
    builder.build_rustls().map_err(|_| wrong("TLS cannot be set up"))
}
