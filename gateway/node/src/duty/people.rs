//! Who is called for a rung: the roster's people of that hour, and if there are none, the next who are there.
//!
//! INVARIANT: a rung always calls somebody: where no roster names anybody, the operators of this node.

use std::collections::BTreeSet;

use jiff::Timestamp;

use puente_core::delivery::Write;
use puente_core::duty::{Call, Channel, Contact, Summons, SummonsState, Wake, Watch};
use puente_core::ids::{AgencyId, SummonsId};

use crate::node::Node;

/// In which order others are called when a rung finds nobody.
const INSTEAD: [Wake; 4] = [Wake::Officer, Wake::Deputy, Wake::Supervisor, Wake::Operator];

/// The calls of one rung.
pub(super) fn summon(
    node: &Node,
    watch: &Watch,
    wake: Wake,
    call: Call,
    until_ms: i64,
    now: Timestamp,
) -> Vec<Write> {
    let from = INSTEAD.iter().position(|other| *other == wake).unwrap_or(0);
    for wake in INSTEAD.iter().skip(from) {
        let people = reached(node, watch, *wake, now);
        if people.is_empty() {
            node.metrics.duty_unstaffed(wake.as_str());
            tracing::error!(wake = wake.as_str(), "nobody is there to be called over an alert");
            continue;
        }
        let at_ms = now.as_millisecond();
        let summons = people.into_iter().map(|(agency, contact, channel)| Summons {
            summons: SummonsId(node.fresh_id()),
            message: watch.message,
            agency,
            contact,
            channel,
            wake: *wake,
            call,
            until_ms,
            made_ms: at_ms,
            due_ms: Some(at_ms),
            attempts: 0,
            state: SummonsState::Waits,
            at_ms,
        });
        return summons.map(Write::Summons).collect();
    }
    Vec::new()
}

type Reached = (Option<AgencyId>, String, Channel);

fn reached(node: &Node, watch: &Watch, wake: Wake, now: Timestamp) -> Vec<Reached> {
    if wake == Wake::Operator {
        let operators = node.config.duty.contacts();
        return operators
            .iter()
            .enumerate()
            .flat_map(|(number, contact)| channels(contact).map(move |way| (None, number.to_string(), way)))
            .collect();
    }
    let rosters = node.rosters.get();
    let mut people = Vec::new();
    for agency in agencies(node, watch) {
        let Some(roster) = rosters.of(&agency) else { continue };
        for name in roster.on_duty(wake, now) {
            let ways = roster.contact(name).into_iter().flat_map(channels);
            people.extend(ways.map(|way| (Some(agency.clone()), name.to_owned(), way)));
        }
    }
    people
}

/// The agency concerned, or every one that holds the role when none is named; and those who may release what is held.
fn agencies(node: &Node, watch: &Watch) -> BTreeSet<AgencyId> {
    let register = node.register.get();
    let unnamed = watch.agency.is_none().then_some(&watch.role);
    let roles: Vec<_> = watch.releasing.iter().chain(unnamed).collect();
    let holding = register
        .agencies()
        .filter(|file| register.roles(&file.agency).iter().any(|role| roles.contains(&role)))
        .map(|file| file.agency.clone());
    holding.chain(watch.agency.clone()).collect()
}

fn channels(contact: &Contact) -> impl Iterator<Item = Channel> {
    let mail = contact.mail.is_some().then_some(Channel::Mail);
    mail.into_iter().chain(contact.hook.is_some().then_some(Channel::Hook))
}
