//! The prover: one solver process that is asked whether a set of policies can allow what it must not.
//!
//! Not a judge of what must hold. INVARIANT: every answer but a proof or a counterexample is an error, and a
//! counterexample counts only after Cedar itself, asked about that request, agreed with it.

use cedar_policy::{Authorizer, Decision, EntityUid, PolicySet, Request, RequestEnv, Schema};
use cedar_policy_symcc::err::Error;
use cedar_policy_symcc::solver::LocalSolver;
use cedar_policy_symcc::{CedarSymCompiler, CompiledPolicy, CompiledPolicySet, Env};
use tokio::process::Command;
use tokio::runtime::Runtime;

use crate::shipped::Clause;

/// Milliseconds for one question; the slowest takes a twentieth of it.
const LIMIT: &str = "--tlimit-per=20000";

/// The solver, within a limit.
fn cvc5(limit: &str) -> Command {
    let mut command = Command::new("cvc5");
    command.args(["--lang", "smt", limit]);
    command
}

/// What the solver found.
pub enum Answer {
    /// No request there can be.
    Proved,
    /// A request, confirmed by Cedar.
    Refuted(Box<Env>),
}

/// A solver at work.
pub struct Prover<'s> {
    schema: &'s Schema,
    solver: CedarSymCompiler<LocalSolver>,
    runtime: Runtime,
}

impl<'s> Prover<'s> {
    /// Starts the solver.
    ///
    /// # Errors
    /// When cvc5 is not installed or does not start.
    pub fn start(schema: &'s Schema) -> Result<Self, String> {
        Self::with(schema, &mut cvc5(LIMIT))
    }

    fn with(schema: &'s Schema, command: &mut Command) -> Result<Self, String> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build();
        let runtime = runtime.map_err(|error| error.to_string())?;
        let solver = {
            // The pipes to the solver belong to the runtime.
            let _inside = runtime.enter();
            let started = LocalSolver::from_command(command).map_err(Error::from);
            started.and_then(CedarSymCompiler::new).map_err(|error| format!("cvc5: {error}"))?
        };
        Ok(Self { schema, solver, runtime })
    }

    /// Whether no request is both allowed by `policies` and one of the `forbidden`.
    ///
    /// # Errors
    /// When there is neither a proof nor a counterexample that Cedar confirms.
    pub fn never(
        &mut self,
        policies: &PolicySet,
        forbidden: &PolicySet,
        env: &RequestEnv,
    ) -> Result<Answer, String> {
        let compile = |set| CompiledPolicySet::compile(set, env, self.schema).map_err(told);
        let (ours, theirs) = (compile(policies)?, compile(forbidden)?);
        let question = self.solver.check_disjoint_with_counterexample_opt(&ours, &theirs);
        match self.runtime.block_on(question).map_err(told)? {
            None => Ok(Answer::Proved),
            Some(found) if allows(policies, &found) && allows(forbidden, &found) => {
                Ok(Answer::Refuted(Box::new(found)))
            }
            Some(_) => Err("Cedar does not confirm the counterexample".into()),
        }
    }

    /// Whether a policy can be evaluated for every request without an error.
    ///
    /// # Errors
    /// When the solver cannot say.
    pub fn never_errs(&mut self, clause: &Clause, env: &RequestEnv) -> Result<bool, String> {
        let compiled = CompiledPolicy::compile(&clause.policy, env, self.schema).map_err(told)?;
        self.runtime.block_on(self.solver.check_never_errors_opt(&compiled)).map_err(told)
    }
}

/// Whether Cedar, asked about this request, allows it without an error.
pub fn allows(policies: &PolicySet, found: &Env) -> bool {
    allows_request(policies, &found.request, found)
}

/// Whether Cedar allows the same request about another category.
pub fn allows_category(policies: &PolicySet, found: &Env, category: &str) -> bool {
    let category: Option<EntityUid> = format!("Category::\"{category}\"").parse().ok();
    let asked = (found.request.principal(), found.request.action(), category, found.request.context());
    let (Some(principal), Some(action), Some(category), Some(context)) = asked else { return false };
    let request = Request::new(principal.clone(), action.clone(), category, context.clone(), None);
    request.is_ok_and(|request| allows_request(policies, &request, found))
}

fn allows_request(policies: &PolicySet, request: &Request, found: &Env) -> bool {
    let response = Authorizer::new().is_authorized(request, policies, &found.entities);
    response.decision() == Decision::Allow && response.diagnostics().errors().next().is_none()
}

/// A counterexample as one reads it: the request, without the world that was built around it.
pub fn shown(found: &Env) -> String {
    found.to_string().lines().take_while(|line| !line.starts_with("entities:")).collect::<Vec<_>>().join("; ")
}

fn told(error: Error) -> String {
    match error {
        Error::PolicyNotWellTyped { errs } => {
            errs.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shipped::{Shipped, set};

    /// Asks whether nothing passes, which is false and easy.
    fn ask(prover: Result<Prover<'_>, String>, shipped: &Shipped, forbidden: &str) -> Result<Answer, String> {
        let forbidden = forbidden.parse().expect("a policy reads");
        prover?.never(&set(shipped.chapter("Pass")), &forbidden, &shipped.environment("Pass"))
    }

    const EVERYTHING: &str = "permit(principal, action, resource);";

    #[test]
    fn a_false_claim_is_refuted() {
        let shipped = Shipped::load();
        assert!(matches!(ask(Prover::start(&shipped.schema), &shipped, EVERYTHING), Ok(Answer::Refuted(_))));
    }

    #[test]
    fn a_solver_that_gives_up_proves_nothing() {
        let shipped = Shipped::load();
        let hurried = Prover::with(&shipped.schema, &mut cvc5("--rlimit-per=1"));
        assert!(ask(hurried, &shipped, EVERYTHING).is_err());
    }

    #[test]
    fn a_solver_that_is_missing_proves_nothing() {
        let shipped = Shipped::load();
        let missing = Prover::with(&shipped.schema, &mut Command::new("no-such-solver"));
        assert!(ask(missing, &shipped, EVERYTHING).is_err());
    }

    #[test]
    fn a_claim_that_cannot_be_typed_proves_nothing() {
        let shipped = Shipped::load();
        let misspelt = "permit(principal, action, resource) when { context.sendr == 1 };";
        assert!(ask(Prover::start(&shipped.schema), &shipped, misspelt).is_err());
    }
}
