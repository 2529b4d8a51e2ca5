//! The operating system's random bytes, as core asks for them.
//!
//! Not here: keys and nonces that aws-lc-rs draws for itself. Invariant: a buffer is either filled
//! with fresh random bytes or the process ends; it never goes out half random.

use aws_lc_rs::rand;
use puente_core::envelope::Randomness;

/// Randomness from aws-lc-rs, seeded by the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRandom;

impl Randomness for SystemRandom {
    #[expect(clippy::panic, reason = "a node without randomness must not make salts, ids or keys")]
    fn fill(&self, bytes: &mut [u8]) {
        if rand::fill(bytes).is_err() {
            panic!("the system's source of randomness failed");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_draws_differ() {
        let (mut one, mut other) = ([0; 32], [0; 32]);
        SystemRandom.fill(&mut one);
        SystemRandom.fill(&mut other);
        assert_ne!(one, other);
    }
}
