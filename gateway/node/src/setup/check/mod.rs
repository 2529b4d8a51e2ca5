//! What is wrong with a home, and how to mend it, before a node is started on it.
//!
//! Not here: whether peers answer (`peer test`). INVARIANT: every question is asked whatever the others answered,
//! and nothing in the home is changed but the store's schema, which `serve` would bring up to date too.

mod disk;
mod duty;
mod sealed;
mod trust;

use serde::Serialize;

use crate::clock::Clock;
use crate::config::Config;
use crate::home::Home;

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// As it should be.
    Ok,
    /// The node runs, and somebody should look.
    Warning,
    /// The node does not start, or no peer would believe it.
    Error,
}

/// The answer to one question about a home.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckFinding {
    /// How much it matters.
    pub level: Level,
    /// What was asked: stable, such as `certificate.gateway`.
    pub code: String,
    /// The answer and what to do, in Spanish.
    pub es: String,
    /// The answer and what to do, in English.
    pub en: String,
}

impl CheckFinding {
    fn new(level: Level, code: impl Into<String>, es: impl Into<String>, en: impl Into<String>) -> Self {
        Self { level, code: code.into(), es: es.into(), en: en.into() }
    }

    fn ok(code: impl Into<String>, es: impl Into<String>, en: impl Into<String>) -> Self {
        Self::new(Level::Ok, code, es, en)
    }

    fn warning(code: impl Into<String>, es: impl Into<String>, en: impl Into<String>) -> Self {
        Self::new(Level::Warning, code, es, en)
    }

    /// An error whose cause is told as it is: causes name files and what to do, in English.
    fn error(code: impl Into<String>, es: &str, cause: &dyn std::error::Error) -> Self {
        Self::new(Level::Error, code, format!("{es}: {cause}"), cause.to_string())
    }
}

/// Asks everything that can be asked of a home without a network.
#[must_use]
pub fn check(home: &Home, clock: &dyn Clock) -> Vec<CheckFinding> {
    let config = match Config::read(&home.config()) {
        Ok(config) => config,
        Err(error) => {
            let es = "La configuración no se puede usar; sin ella no se revisa lo demás";
            return vec![CheckFinding::error("config", es, &error)];
        }
    };
    let mut findings = vec![CheckFinding::ok(
        "config",
        format!("Configuración de {} en el ámbito {}.", config.country, config.realm),
        format!("Configuration of {} in realm {}.", config.country, config.realm),
    )];
    findings.extend(disk::listen(&config));
    findings.push(disk::modes(home));
    findings.push(disk::keys(home));
    let (adopted, void) = trust::adoptions(home, &config, clock);
    findings.push(disk::rules(home, &adopted));
    findings.extend(void);
    findings.push(disk::store(home, &config));
    findings.push(trust::clock(home, clock));
    findings.extend(trust::certificates(home, clock));
    findings.extend(trust::agencies(home, clock));
    findings.extend(sealed::carried(home, clock));
    findings.extend(duty::duty(home, &config, &adopted, clock));
    findings.extend(trust::membership(home, &config, clock));
    findings
}
