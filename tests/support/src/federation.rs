//! Nodes, agencies and clients of a small federation.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use http::{HeaderMap, Method};
use serde::Serialize;
use serde_json::Value;

use puente_core::approval::{Captured, Verdict};
use puente_core::envelope::{Sign as _, SignatureProfile};
use puente_core::ids::{AgencyId, CountryCode, OfficerId, PersonId, Realm};
use puente_core::protection::Act;
use puente_node::client::{AgencyClient, AgencyCredential, Answer};
use puente_node::clock::{Clock, ManualClock};
use puente_node::config::{Config, Listen, reference};
use puente_node::home::{Home, write_file};
use puente_node::keys::tls::{self, Alpn, CertificateHolder, FederationVerifier, MemberTrust};
use puente_node::keys::{KeyFile, KeyUse};
use puente_node::policy::PolicySet;
use puente_node::run::{Running, start};
use puente_node::serve::{Listening, serve};
use puente_node::setup::{self, Init, agency, directory, load, officer};
use puente_node::telemetry::{Face, Metrics};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;

use crate::Officers;

/// 25 November 2026, 15:00 UTC: nine in the morning in Guatemala.
pub const START_MS: i64 = 1_795_618_800_000;

/// One country of the federation.
pub struct Member {
    /// Its home on disk.
    pub home: Home,
    /// Its node, while it runs.
    pub running: Option<Running>,
    clock: Arc<dyn Clock>,
    credentials: BTreeMap<String, AgencyCredential>,
}

/// A clock that is always as far from the federation's.
struct Apart {
    clock: Arc<ManualClock>,
    by_ms: i64,
}

impl Clock for Apart {
    fn now_ms(&self) -> i64 {
        self.clock.now_ms().saturating_add(self.by_ms)
    }
}

/// One request that a listener was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// Method and path.
    pub what: String,
    /// The body, line by line.
    pub lines: Vec<Vec<u8>>,
}

/// What a listener in the place of a node was sent, in order; it ends with this.
pub struct Overheard {
    requests: Arc<Mutex<Vec<Heard>>>,
    _stop: tokio::sync::watch::Sender<bool>,
}

impl Overheard {
    /// The first delivery of this many messages at least.
    ///
    /// # Errors
    /// When there is none within 20 seconds.
    pub async fn delivery_of(&self, messages: usize) -> Result<Heard> {
        let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
        let mut pause = tokio::time::interval(Duration::from_millis(20));
        let whole = |heard: &&Heard| heard.what.ends_with("/messages") && heard.lines.len() >= messages;
        loop {
            let found = self
                .requests
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner)
                .iter()
                .find(whole)
                .cloned();
            if let Some(heard) = found {
                return Ok(heard);
            }
            if tokio::time::Instant::now() > deadline {
                bail!("no delivery of {messages} messages was sent");
            }
            pause.tick().await;
        }
    }
}

/// Countries that trust one another.
pub struct Federation {
    /// The clock of every node.
    pub clock: Arc<ManualClock>,
    members: BTreeMap<CountryCode, Member>,
    _folder: tempfile::TempDir,
}

impl Federation {
    /// Sets up and starts these countries; each has the agencies named as (country, agency, role).
    ///
    /// # Errors
    /// When anything cannot be set up or started.
    pub async fn of(countries: &[&str], agencies: &[(&str, &str, &str)]) -> Result<Self> {
        Self::with(countries, agencies, |_| {}).await
    }

    /// As `of`, with every node's configuration changed before it starts.
    ///
    /// # Errors
    /// When anything cannot be set up or started.
    pub async fn with(
        countries: &[&str],
        agencies: &[(&str, &str, &str)],
        change: impl Fn(&mut Config),
    ) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let clock = Arc::new(ManualClock::at(START_MS));
        let mut members = BTreeMap::new();
        for code in countries {
            let country: CountryCode = code.parse()?;
            let home = Home::at(folder.path().join(code));
            let any = "127.0.0.1:0".to_owned();
            let request = Init {
                country: country.clone(),
                realm: Realm::Training,
                profile: SignatureProfile::P256,
                listen: Listen { domestic: any.clone(), federation: any.clone(), operations: any.clone() },
                names: vec!["127.0.0.1".to_owned(), "localhost".to_owned()],
                gateway_address: any,
                roles: None,
            };
            setup::init(&home, &request, clock.as_ref())?;
            let mut config = Config::read(&home.config())?;
            change(&mut config);
            write_file(&home.config(), reference(&config)?.as_bytes())?;
            members.insert(
                country,
                Member {
                    home,
                    running: None,
                    clock: Arc::clone(&clock) as Arc<dyn Clock>,
                    credentials: BTreeMap::new(),
                },
            );
        }
        for (code, name, role) in agencies {
            let member = members.get_mut(&code.parse()?).context("agency of no member")?;
            let name: AgencyId = name.parse()?;
            let enrolled = agency::add(&member.home, &name, &[role.parse()?], None, clock.as_ref())?;
            let credential = AgencyCredential {
                address: enrolled.address,
                authority: enrolled.authority.into_bytes(),
                certificate: enrolled.certificate.into_bytes(),
                key: enrolled.key.context("no key")?.as_bytes().to_vec().into(),
            };
            member.credentials.insert(name.to_string(), credential);
        }
        let homes: Vec<_> =
            members.iter().map(|(country, member)| (country.clone(), member.home.clone())).collect();
        setup::federation::found(&homes, Realm::Training, clock.as_ref())?;
        let mut federation = Self { clock, members, _folder: folder };
        for code in countries {
            federation.start(code).await?;
        }
        Ok(federation)
    }

    /// Starts a country's node and tells the others where it listens.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn start(&mut self, country: &str) -> Result<()> {
        let member = self.member_mut(country)?;
        let clock = Arc::clone(&member.clock);
        let running = start(&member.home, Arc::clone(&clock)).await?;
        let address = running.addresses.federation.to_string();
        for credential in member.credentials.values_mut() {
            credential.address = running.addresses.domestic.to_string();
        }
        member.running = Some(running);
        let home = member.home.clone();
        directory::move_gateway(&home, &address, clock.as_ref())?;
        self.spread(country)
    }

    /// Sets a country's clock apart from the others', for its next start.
    ///
    /// # Errors
    /// When it is no member.
    pub fn set_apart(&mut self, country: &str, by_ms: i64) -> Result<()> {
        let apart = Apart { clock: Arc::clone(&self.clock), by_ms };
        self.member_mut(country)?.clock = Arc::new(apart);
        Ok(())
    }

    /// Carries a country's directory to every other, and every node that runs takes it up.
    ///
    /// # Errors
    /// When it cannot be carried or a node refuses it.
    pub fn spread(&self, country: &str) -> Result<()> {
        let home = &self.member(country)?.home;
        for other in self.members.values().filter(|other| other.home != *home) {
            directory::copy(home, &other.home)?;
        }
        for running in self.members.values().filter_map(|member| member.running.as_ref()) {
            running.reload()?;
        }
        Ok(())
    }

    /// Puts something else in the place of a country's stopped node: a gateway with its certificate that answers
    /// everything with these bytes. It ends when the sender given back is dropped.
    ///
    /// # Errors
    /// When it cannot listen.
    pub async fn impostor(
        &self,
        country: &str,
        answer: &'static str,
    ) -> Result<tokio::sync::watch::Sender<bool>> {
        self.stand_in(country, axum::Router::new().fallback(move || async move { answer })).await
    }

    /// Puts a gateway that writes down what it is sent, and answers nothing that makes sense, in the place of a country's
    /// stopped node.
    ///
    /// # Errors
    /// When it cannot listen.
    pub async fn listener(&self, country: &str) -> Result<Overheard> {
        let requests = Arc::new(Mutex::new(Vec::new()));
        let written = Arc::clone(&requests);
        let write_down = move |method: Method, uri: http::Uri, body: axum::body::Bytes| {
            let lines = body.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
            written
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner)
                .push(Heard { what: format!("{method} {}", uri.path()), lines });
            async { "{}" }
        };
        let stop = self.stand_in(country, axum::Router::new().fallback(write_down)).await?;
        Ok(Overheard { requests, _stop: stop })
    }

    async fn stand_in(
        &self,
        country: &str,
        router: axum::Router,
    ) -> Result<tokio::sync::watch::Sender<bool>> {
        let home = self.member(country)?.home.clone();
        let config = Config::read(&home.config())?;
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        let membership = Arc::new(load::membership(&home, &config, None)?);
        let trust: tls::Membership = Arc::new(move |of| {
            Some(MemberTrust {
                ca_der: membership.authorities(of, START_MS / 1000)?.to_vec(),
                spki_pins: Vec::new(),
            })
        });
        let members = FederationVerifier::accepting(config.realm, trust, Arc::new(|_| {}));
        let own = load::certificates(&home)?.gateway;
        let tls = tls::server_config(own, Arc::new(members), load::tls_time(clock), Alpn::Http2)?;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?.to_string();
        let (stop, shutdown) = tokio::sync::watch::channel(false);
        tokio::spawn(serve(
            listener,
            router,
            Listening {
                face: Face::Federation,
                tls: Arc::new(tls),
                limits: config.limits,
                times: config.times,
                metrics: Metrics::new()?,
                shutdown,
            },
        ));
        directory::move_gateway(&home, &address, self.clock.as_ref())?;
        self.spread(country)?;
        Ok(stop)
    }

    /// Opens a TLS connection with an agency's credential, to say what no proper client says.
    ///
    /// # Errors
    /// When the handshake fails.
    pub async fn raw(
        &self,
        country: &str,
        agency: &str,
    ) -> Result<tokio_rustls::client::TlsStream<tokio::net::TcpStream>> {
        let credential = self.member(country)?.credentials.get(agency).context("no such agency")?;
        let certificates = |pem: &[u8]| CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>();
        let key = KeyFile::from_pem(&credential.key, KeyUse::Sign)?;
        let own = Arc::new(CertificateHolder::new(certificates(&credential.certificate)?, &key)?);
        let node = tls::domestic_server(&certificates(&credential.authority)?)?;
        let time = load::tls_time(Arc::clone(&self.clock) as Arc<dyn Clock>);
        let mut config = tls::client_config(own, node, time, Alpn::Http2OrHttp1)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let stream = tokio::net::TcpStream::connect(&credential.address).await?;
        let name = rustls_pki_types::ServerName::try_from("127.0.0.1")?;
        Ok(tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, stream).await?)
    }

    /// Ends a country's node as SIGTERM would.
    ///
    /// # Errors
    /// When it does not run.
    pub async fn stop(&mut self, country: &str) -> Result<()> {
        let running = self.member_mut(country)?.running.take().context("does not run")?;
        running.shutdown().await;
        Ok(())
    }

    /// A country.
    ///
    /// # Errors
    /// When it is no member.
    pub fn member(&self, country: &str) -> Result<&Member> {
        self.members.get(&country.parse()?).context("no such member")
    }

    fn member_mut(&mut self, country: &str) -> Result<&mut Member> {
        self.members.get_mut(&country.parse()?).context("no such member")
    }

    /// A client with an agency's credential.
    ///
    /// # Errors
    /// When there is no such agency.
    pub fn client(&self, country: &str, agency: &str) -> Result<AgencyClient> {
        let credential = self.member(country)?.credentials.get(agency).context("no such agency")?;
        Ok(AgencyClient::new(credential, Arc::clone(&self.clock) as Arc<dyn Clock>)?)
    }

    /// Signs claims as an agency does, with the key of its certificate.
    ///
    /// # Errors
    /// When there is no such agency.
    pub fn sign(&self, country: &str, agency: &str, typ: &str, claims: &Value) -> Result<String> {
        let credential = self.member(country)?.credentials.get(agency).context("no such agency")?;
        Ok(credential.sign(typ, &serde_json::to_vec(claims)?)?)
    }

    /// A client with an agency's credential that talks to another country's node.
    ///
    /// # Errors
    /// When there is no such agency.
    pub fn client_at(&self, country: &str, agency: &str, node: &str, address: &str) -> Result<AgencyClient> {
        let own = self.member(country)?.credentials.get(agency).context("no such agency")?;
        let there = self.member(node)?.credentials.values().next().context("no agency there")?;
        let credential = AgencyCredential {
            address: address.to_owned(),
            authority: there.authority.clone(),
            certificate: own.certificate.clone(),
            key: own.key.clone(),
        };
        Ok(AgencyClient::new(&credential, Arc::clone(&self.clock) as Arc<dyn Clock>)?)
    }

    /// Adds a message type to a running node as data: the descriptor, sections and profile of a known one under
    /// another name.
    ///
    /// # Errors
    /// When the files cannot be written or the node refuses them.
    pub async fn add_type(&self, country: &str, name: &str, like: &str) -> Result<()> {
        let member = self.member(country)?;
        let messages = member.home.schemas().join("messages");
        for (path, bytes) in puente_node::home::read_tree(&messages.join(like))? {
            let text = String::from_utf8(bytes)?.replace(&format!("\"{like}\""), &format!("\"{name}\""));
            let mut text =
                text.replace(&format!("urn:puente:message:{like}:"), &format!("urn:puente:message:{name}:"));
            if path.ends_with("descriptor.json") {
                let mut descriptor: Value = serde_json::from_str(&text)?;
                descriptor["replies"] = Value::Array(Vec::new());
                text = descriptor.to_string();
            }
            write_file(&messages.join(name).join(path), text.as_bytes())?;
        }
        let mut files = PolicySet::read(&member.home.policies())?.files().clone();
        let mut change = |path: &str, change: &dyn Fn(&mut Value) -> Option<()>| -> Result<()> {
            let mut value: Value = serde_json::from_str(files.get(path).context("no such file")?)?;
            change(&mut value).context("not of the form expected")?;
            files.insert(path.to_owned(), value.to_string());
            Ok(())
        };
        change("profiles.json", &|profiles| {
            profiles[name] = profiles[like].clone();
            Some(())
        })?;
        change("agreements/MX-GT.json", &|agreement| {
            agreement["covers"]["messages"].as_array_mut()?.push(Value::from(name));
            Some(())
        })?;
        self.activate(country, PolicySet::of(files)?).await
    }

    /// Puts a set of policies in force as its law demands: one officer proposes it, two others grant it.
    ///
    /// # Errors
    /// When the set does not load, or an officer is not heard.
    pub async fn activate(&self, country: &str, set: PolicySet) -> Result<()> {
        let officers = Officers::of(self, country)?;
        let change = officers.propose(self, set).await??;
        for officer in ["luz", "eva"] {
            officers.state(self, officer, &change, Verdict::Grant).await??;
        }
        Ok(())
    }

    /// A node's metrics as text.
    ///
    /// # Errors
    /// When it does not run.
    pub fn metrics(&self, country: &str) -> Result<String> {
        Ok(self.member(country)?.running.as_ref().context("does not run")?.node().metrics.text()?)
    }

    /// Looks again until a node's metrics have this line.
    ///
    /// # Errors
    /// When they do not within 20 seconds.
    pub async fn until_measured(&self, country: &str, line: &str) -> Result<()> {
        let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
        let mut pause = tokio::time::interval(Duration::from_millis(20));
        while !self.metrics(country)?.lines().any(|measured| measured == line) {
            if tokio::time::Instant::now() > deadline {
                bail!("`{line}` was never measured");
            }
            pause.tick().await;
        }
        Ok(())
    }

    /// A new officer of an agency; answers the private key, PEM.
    ///
    /// # Errors
    /// When the officer cannot be added.
    pub fn officer(&self, country: &str, agency: &str, name: &str, person: &str) -> Result<Vec<u8>> {
        let member = self.member(country)?;
        let (agency, name): (AgencyId, OfficerId) = (agency.parse()?, name.parse()?);
        let person: PersonId = person.parse()?;
        let key = officer::add(&member.home, &agency, &name, &person)?;
        member.running.as_ref().context("does not run")?.reload()?;
        Ok(key.as_bytes().to_vec())
    }

    /// Asks again until `found` says yes; answers that answer.
    ///
    /// # Errors
    /// When it does not within 20 seconds.
    pub async fn until(
        &self,
        client: &AgencyClient,
        path: &str,
        found: impl Fn(&Value) -> bool,
    ) -> Result<Value> {
        let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
        let mut pause = tokio::time::interval(Duration::from_millis(20));
        loop {
            let answer: Value = client.get(path).await?.json()?;
            if found(&answer) {
                return Ok(answer);
            }
            if tokio::time::Instant::now() > deadline {
                bail!("{path} never became what was waited for");
            }
            pause.tick().await;
        }
    }
}

/// Signs what an officer says, as a statement of this kind, at this instant.
///
/// # Errors
/// When the key cannot be used.
pub fn signed<T: Serialize>(
    key: &[u8],
    typ: &str,
    (country, agency, officer): (&str, &str, &str),
    says: T,
    clock: &dyn Clock,
) -> Result<Value> {
    let act = Act {
        realm: Realm::Training,
        country: country.parse()?,
        agency: agency.parse()?,
        officer: officer.parse()?,
        occurred_at: jiff::Timestamp::from_millisecond(clock.now_ms())?.in_tz("America/Mexico_City")?,
        captured: Captured::Screen,
        says,
    };
    let signer = KeyFile::from_pem(key, KeyUse::Sign)?.signer()?;
    Ok(serde_json::json!({"statement": signer.sign(typ, &serde_json::to_vec(&act)?)?}))
}

/// The first message of this type that came in for an agency, opened.
///
/// # Errors
/// When it does not come within 20 seconds.
pub async fn received(federation: &Federation, agency: &AgencyClient, message_type: &str) -> Result<Value> {
    let find = |inbox: &Value| -> Option<String> {
        let mut events = inbox["events"].as_array()?.iter();
        let came = events
            .find(|e| e["data"]["message_type"] == message_type && e["type"] == "puente.message_received")?;
        Some(came["data"]["message"].as_str()?.to_owned())
    };
    let inbox = federation.until(agency, "/v1/inbox?wait=1", |inbox| find(inbox).is_some()).await?;
    let id = find(&inbox).context("did not come")?;
    Ok(agency.get(&format!("/v1/messages/{id}/content")).await?.json()?)
}

/// Posts JSON.
///
/// # Errors
/// When the node cannot be reached.
pub async fn post(client: &AgencyClient, path: &str, body: &Value) -> Result<Answer> {
    let mut headers = HeaderMap::new();
    headers.insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
    Ok(client.request(Method::POST, path, headers, serde_json::to_vec(body)?).await?)
}
