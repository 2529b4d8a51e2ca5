//! The commands, one file each.

mod agency;
mod agency_key;
mod alert;
mod answer;
mod approval;
mod authority;
mod bench;
mod case;
mod check;
mod consent;
mod demo;
mod desk;
mod drill;
mod federation;
mod hold;
mod inbox;
mod init;
mod lost_message;
mod message;
mod officer;
mod operation;
mod peer;
mod policy;
mod query;
mod queue;
mod serve;
mod signed_message;
mod statement;
mod suspend;
mod verdict;
mod webhook;

use clap::Subcommand;

use crate::exit::Exit;
use crate::output::Output;

/// What `puente` does.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Prepara un nodo: llaves, certificados, configuración / set a node up: keys, certificates, configuration.
    Init(init::Init),
    /// Pone el nodo en marcha hasta SIGTERM / run the node until SIGTERM.
    Serve(serve::Serve),
    /// Revisa el nodo: qué está mal y cómo corregirlo / what is wrong with the node and how to mend it.
    Check(check::Check),
    /// Dependencias del país y sus funcionarios / the country's agencies and their officers.
    #[command(subcommand)]
    Agency(agency::Agency),
    /// Una federación de ensayo / a federation for rehearsal.
    #[command(subcommand)]
    Federation(federation::Federation),
    /// Los demás miembros / the other members.
    #[command(subcommand)]
    Peer(peer::Peer),
    /// Mensajes / messages.
    #[command(subcommand)]
    Message(message::Message),
    /// Lo que llegó para la dependencia / what came in for the agency.
    Inbox(inbox::Inbox),
    /// Avisos que ningún receptor tomó / events that no receiver took.
    #[command(subcommand)]
    Webhook(webhook::Webhook),
    /// Lo que espera ser entregado / what waits to be delivered.
    Queue(queue::Queue),
    /// Suspende a un miembro, una finalidad o una categoría / suspend a member, a purpose or a category.
    Suspend(suspend::Suspend),
    /// Levanta una suspensión / lift a suspension.
    Lift(suspend::Lift),
    /// Filas retenidas que deciden dos funcionarios / held rows that two officers decide.
    #[command(subcommand)]
    Approval(approval::Approval),
    /// Lo que sólo una autoridad deja salir / what only an authority lets go.
    #[command(subcommand)]
    Authority(authority::Authority),
    /// Pantallas de un funcionario, en su propio equipo / an officer's screens, on their own machine.
    Desk(desk::Desk),
    /// Reservas de protección / protection holds.
    #[command(subcommand)]
    Hold(hold::ProtectionHold),
    /// Alertas por reloj, y lo que lo detiene / alerts by their clock, and what stops it.
    #[command(subcommand)]
    Alert(alert::Alert),
    /// Simulacro de alerta: a quién se llamó y en cuántos minutos / an exercise alert: who was called, after how many minutes.
    Drill(drill::Drill),
    /// Casos de niñez entre dos autoridades / children's cases between two authorities.
    #[command(subcommand)]
    Case(case::Case),
    /// Consentimientos: firmar, entregar, retirar / consents: sign, hand in, withdraw.
    #[command(subcommand)]
    Consent(consent::Consent),
    /// Operaciones de retorno y sus listas / return operations and their lists.
    #[command(subcommand)]
    Operation(operation::Operation),
    /// Las políticas / the policies.
    #[command(subcommand)]
    Policy(policy::Policy),
    /// Ensayo: cinco nodos y un retorno completo entre dos de ellos / five nodes, and a whole return between two of them.
    Demo(demo::Demo),
    /// Uno de los dos lados del ensayo / one of the two sides of the demonstration.
    #[command(hide = true)]
    DemoClient(demo::DemoClient),
    /// Mide dos nodos en esta máquina, y el suelo / measure two nodes on this machine, and the floor.
    Bench(bench::Bench),
    /// The load client of `bench`, in a process of its own.
    #[command(hide = true)]
    BenchLoad(bench::Load),
}

impl Command {
    /// Does it.
    ///
    /// # Errors
    /// Why it could not; `Exit::of` says with which status that ends.
    pub async fn run(self, output: &mut Output) -> anyhow::Result<Exit> {
        match self {
            Self::Init(init) => init.run(output),
            Self::Serve(serve) => serve.run(output).await,
            Self::Check(check) => check.run(output).await,
            Self::Agency(agency) => agency.run(output).await,
            Self::Federation(federation) => federation.run(output),
            Self::Peer(peer) => peer.run(output).await,
            Self::Message(message) => message.run(output).await,
            Self::Inbox(inbox) => inbox.run(output).await,
            Self::Webhook(webhook) => webhook.run(output).await,
            Self::Queue(queue) => queue.run(output).await,
            Self::Suspend(suspend) => suspend.run(output).await,
            Self::Lift(lift) => lift.run(output).await,
            Self::Approval(approval) => approval.run(output).await,
            Self::Authority(authority) => authority.run(output).await,
            Self::Desk(desk) => desk.run(output).await,
            Self::Hold(hold) => hold.run(output).await,
            Self::Alert(alert) => alert.run(output).await,
            Self::Drill(drill) => drill.run(output).await,
            Self::Case(case) => case.run(output).await,
            Self::Consent(consent) => consent.run(output).await,
            Self::Operation(operation) => operation.run(output).await,
            Self::Policy(policy) => policy.run(output).await,
            Self::Demo(demo) => demo.run(output).await,
            Self::DemoClient(client) => client.run().await,
            Self::Bench(bench) => bench.run(output).await,
            Self::BenchLoad(load) => load.run(output).await,
        }
    }
}
