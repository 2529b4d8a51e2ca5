//! Whether somebody would be woken up: rosters, operators, channels.

use jiff::Timestamp;

use puente_core::duty::Channel;
use puente_core::membership::Adopted;

use super::{CheckFinding, Level};
use crate::clock::Clock;
use crate::config::Config;
use crate::duty::{Ways, answering_roles};
use crate::home::Home;
use crate::setup::load;

/// Asks whether every agency that answers alerts has somebody on duty, and whether anybody can be called.
pub(super) fn duty(
    home: &Home,
    config: &Config,
    adopted: &[Adopted],
    clock: &dyn Clock,
) -> Vec<CheckFinding> {
    let mut findings = vec![channels(config)];
    // Rules and register that do not load have findings of their own.
    let (Ok(rules), Ok(register)) = (load::rules(home, adopted), load::register(home)) else {
        return findings;
    };
    let rosters = match load::rosters(home) {
        Ok(rosters) => rosters,
        Err(error) => {
            findings.push(CheckFinding::error("rosters", "Los roles de guardia no se pueden leer", &error));
            return findings;
        }
    };
    for (file, why) in rosters.unreadable() {
        findings.push(CheckFinding::warning(
            format!("roster.{file}"),
            format!("El rol de guardia {file} no vale; su dependencia se queda sin guardia: {why}"),
            format!("Roster {file} is not taken; its agency has nobody on duty: {why}"),
        ));
    }
    let now = Timestamp::from_millisecond(clock.now_ms()).unwrap_or(Timestamp::UNIX_EPOCH);
    let answering = answering_roles(&rules);
    for agency in register.agencies().map(|file| &file.agency) {
        if !register.roles(agency).iter().any(|role| answering.contains(role)) {
            continue;
        }
        let code = format!("duty.{agency}");
        findings.push(match rosters.unstaffed_minutes(agency, now) {
            0 => CheckFinding::ok(
                code,
                format!("{agency}: siempre hay guardia en los próximos siete días."),
                format!("{agency}: somebody is always on duty in the next seven days."),
            ),
            minutes => CheckFinding::warning(
                code,
                format!(
                    "{agency}: {} h sin guardia en los próximos siete días; complete rosters/{agency}.json.",
                    minutes.div_euclid(60)
                ),
                format!(
                    "{agency}: {} h without anybody on duty in the next seven days; complete rosters/{agency}.json.",
                    minutes.div_euclid(60)
                ),
            ),
        });
    }
    findings
}

fn channels(config: &Config) -> CheckFinding {
    let code = "duty";
    match Ways::new(&config.duty) {
        Err(error) => CheckFinding::error(code, "Nadie podría ser llamado", &error),
        Ok(ways) if !ways.has(Channel::Mail) && !ways.has(Channel::Hook) => CheckFinding::warning(
            code,
            "No hay canal para llamar a nadie por una alerta; configure [duty] mail_host o hook_url.",
            "There is no channel to call anybody over an alert; set mail_host or hook_url in [duty].",
        ),
        Ok(_) if config.duty.contacts().is_empty() => CheckFinding::warning(
            code,
            "No hay personas operadoras a quienes llamar; configure [duty] operators_mail u operators_hook.",
            "There are no operators to call; set operators_mail or operators_hook in [duty].",
        ),
        Ok(_) => CheckFinding::new(
            Level::Ok,
            code,
            "Hay canal y personas operadoras para las alertas.",
            "There are a channel and operators for alerts.",
        ),
    }
}
