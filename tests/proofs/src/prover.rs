//! The prover: one solver process that is asked whether a set of policies can allow what it must not.
//!
//! Not a judge of what must hold. INVARIANT: every answer but a proof or a counterexample is an error, and a
//! counterexample counts only after Cedar itself, asked about that request, agreed with it.

use cedar_policy::{Authorizer, Decision, PolicySet, RequestEnv, Schema};
use cedar_policy_symcc::err::Error;
use cedar_policy_symcc::solver::LocalSolver;
use cedar_policy_symcc::{CedarSymCompiler, CompiledPolicy, CompiledPolicySet, Env};
use tokio::runtime::Runtime;

use crate::shipped::Clause;

/// Milliseconds for one question; the slowest takes a twentieth of it.
const LIMIT: &str = "--tlimit-per=20000";

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
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build();
        let runtime = runtime.map_err(|error| error.to_string())?;
        let start = || LocalSolver::cvc5_with_args([LIMIT]).map_err(Error::from);
        let solver = {
            // The pipes to the solver belong to the runtime.
            let _inside = runtime.enter();
            start().and_then(CedarSymCompiler::new).map_err(|error| format!("cvc5: {error}"))?
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
    let response = Authorizer::new().is_authorized(&found.request, policies, &found.entities);
    response.decision() == Decision::Allow && response.diagnostics().errors().next().is_none()
}

fn told(error: Error) -> String {
    match error {
        Error::PolicyNotWellTyped { errs } => {
            errs.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
        }
        other => other.to_string(),
    }
}
