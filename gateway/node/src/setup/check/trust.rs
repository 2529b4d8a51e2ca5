//! Questions about what counts now: the clock, certificates, the federation.

use puente_core::envelope::CLOCK_TOLERANCE_S;
use puente_core::ids::KeyId;
use puente_core::membership::{Adopted, KeyUse as DirectoryUse, Membership};

use crate::clock::Clock;
use crate::config::Config;
use crate::home::Home;
use crate::keys::pki::PeerCertificate;
use crate::policy::PolicySet;
use crate::register::State;
use crate::setup::check::{CheckFinding, Level};
use crate::setup::instant::DAY_S;
use crate::setup::{SetupError, agency, credential, directory, load};

/// Days before its end at which something that ends is worth a word: a ministry needs weeks to renew.
const DAYS_TO_RENEW: i64 = 30;

/// 2026-01-01: no home is older than the program.
const EARLIEST_S: i64 = 1_767_225_600;
/// 2100-01-01: no certificate lasts until then.
const LATEST_S: i64 = 4_102_444_800;

/// Whether the clock shows a time at which this home can have been set up.
pub(super) fn clock(home: &Home, clock: &dyn Clock) -> CheckFinding {
    let now = clock.now_s();
    let begun = directory::read(home).map_or(EARLIEST_S, |directory| {
        directory.keys.iter().map(|key| key.not_before).max().unwrap_or(EARLIEST_S)
    });
    if (EARLIEST_S..LATEST_S).contains(&now) && now + CLOCK_TOLERANCE_S >= begun {
        return CheckFinding::ok("clock", "La hora es creíble.", "The time is credible.");
    }
    CheckFinding::new(
        Level::Error,
        "clock",
        "La hora del equipo no es posible para este nodo; sincronícela (NTP).",
        "The machine's time is not possible for this node; synchronise it (NTP).",
    )
}

/// How long each of the node's certificates still counts.
pub(super) fn certificates(home: &Home, clock: &dyn Clock) -> Vec<CheckFinding> {
    let mut findings: Vec<_> = [
        credential::GATEWAY,
        credential::DOMESTIC_SERVER,
        credential::FEDERATION_AUTHORITY,
        credential::DOMESTIC_AUTHORITY,
    ]
    .into_iter()
    .map(|name| {
        let code = format!("certificate.{name}");
        match not_after(home, name) {
            Ok(end) => days_left(code, end, clock),
            Err(error) => CheckFinding::error(code, "El certificado no se puede leer", &error),
        }
    })
    .collect();
    if let Err(error) = load::certificates(home) {
        findings.push(CheckFinding::error(
            "certificates",
            "Un certificado no corresponde a su llave",
            &error,
        ));
    }
    findings
}

fn not_after(home: &Home, name: &str) -> Result<i64, SetupError> {
    let certificate = credential::load_certificate(home, name)?;
    Ok(PeerCertificate::from_der(&certificate)?.not_after.as_second())
}

pub(super) fn days_left(code: impl Into<String>, end: i64, clock: &dyn Clock) -> CheckFinding {
    let days = end.saturating_sub(clock.now_s()).div_euclid(DAY_S);
    let level = match days {
        ..0 => Level::Error,
        0..DAYS_TO_RENEW => Level::Warning,
        _ => Level::Ok,
    };
    let (es, en) = match level {
        Level::Error => ("Vencido; renuévelo.".to_owned(), "Expired; renew it.".to_owned()),
        Level::Warning => {
            (format!("Le quedan {days} días; renuévelo."), format!("{days} days left; renew it."))
        }
        Level::Ok => (format!("Le quedan {days} días."), format!("{days} days left.")),
    };
    CheckFinding::new(level, code, es, en)
}

/// Agencies in the register, and those whose last certificate ends soon.
pub(super) fn agencies(home: &Home, clock: &dyn Clock) -> Vec<CheckFinding> {
    let list = match agency::list(home) {
        Ok(list) => list,
        Err(error) => {
            return vec![CheckFinding::error(
                "agencies",
                "El registro de dependencias no se puede leer",
                &error,
            )];
        }
    };
    let active: Vec<_> = list.iter().filter(|file| file.state == State::Active).collect();
    let mut findings = vec![CheckFinding::ok(
        "agencies",
        format!("{} dependencias activas.", active.len()),
        format!("{} active agencies.", active.len()),
    )];
    for file in active {
        let counting = file.certificates.iter().filter(|entry| entry.state == State::Active);
        let finding = counting
            .map(|entry| entry.not_after)
            .max()
            .map(|end| days_left(format!("agency.{}", file.agency), end, clock));
        findings.extend(finding.filter(|finding| finding.level != Level::Ok));
    }
    findings
}

/// Whether the federation's documents verify, name this country, and let peers believe its keys.
pub(super) fn membership(home: &Home, config: &Config, clock: &dyn Clock) -> Vec<CheckFinding> {
    if !home.membership().join("root.json").exists() {
        return vec![CheckFinding::warning(
            "membership",
            "El nodo aún no pertenece a una federación: falta `membership/root.json`.",
            "The node does not belong to a federation yet: `membership/root.json` is missing.",
        )];
    }
    let membership = match load::membership(home, config, None) {
        Ok(membership) => membership,
        Err(error) => {
            return vec![CheckFinding::error("membership", "La lista de miembros no es válida", &error)];
        }
    };
    let mut findings = vec![believed(home, config, clock, &membership)];
    findings.push(days_left("membership.members", membership.expires(), clock));
    if let Ok(own) = directory::read(home) {
        findings.push(days_left("membership.directory", own.expires, clock));
    }
    findings.extend(membership.rejected().iter().map(|(country, error)| {
        CheckFinding::warning(
            format!("membership.{country}"),
            format!("El directorio de {country} no es válido; pídalo de nuevo: {error}"),
            format!("The directory of {country} is not valid, ask for it again: {error}"),
        )
    }));
    findings
}

/// The adoptions of profiles that the members stand by, and a word on each that does not count.
pub(super) fn adoptions(
    home: &Home,
    config: &Config,
    clock: &dyn Clock,
) -> (Vec<Adopted>, Vec<CheckFinding>) {
    // A membership or a folder that cannot be read has its own finding.
    let (Ok(membership), Ok(set)) = (load::membership(home, config, None), PolicySet::read(&home.policies()))
    else {
        return (Vec::new(), Vec::new());
    };
    let load::Adoptions { adopted, void } = load::adoptions(&set, &membership, clock);
    let void = void.into_iter().map(|(file, error)| {
        CheckFinding::warning(
            "adoption",
            format!("La adopción `{file}` no cuenta y su perfil sigue propuesto: {error}"),
            format!("The adoption `{file}` does not count and its profile stays proposed: {error}"),
        )
    });
    (adopted, void.collect())
}

fn believed(home: &Home, config: &Config, clock: &dyn Clock, membership: &Membership) -> CheckFinding {
    let country = &config.country;
    if !membership.countries().any(|member| member == country) {
        return CheckFinding::new(
            Level::Error,
            "membership",
            format!("{country} no está en la lista de miembros."),
            format!("{country} is not in the members list."),
        );
    }
    let is_signer =
        |kid: &KeyId| membership.verifier(country, DirectoryUse::Message, kid, clock.now_s()).is_some();
    let signs = directory::read(home)
        .and_then(|directory| load::keys(home, &directory))
        .is_ok_and(|keys| is_signer(keys.message.key_id()));
    if signs {
        let count = membership.countries().count();
        return CheckFinding::ok(
            "membership",
            format!("{country} es uno de {count} miembros y sus llaves valen."),
            format!("{country} is one of {count} members and its keys count."),
        );
    }
    CheckFinding::new(
        Level::Error,
        "membership",
        "Los demás miembros no aceptarían la llave de mensajes; publique el directorio.",
        "The other members would not accept the message key; publish the directory.",
    )
}
