//! Randomness, replaceable (placeholder until the observer's lands).
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use secrecy::SecretString;

/// Source of randomness.
#[derive(Clone)]
pub struct Entropy(Arc<Mutex<StdRng>>);

impl Entropy {
    /// From the system.
    pub fn system() -> Self {
        Self(Arc::new(Mutex::new(StdRng::from_os_rng())))
    }
    /// From a seed.
    pub fn seeded(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(StdRng::seed_from_u64(seed))))
    }
    /// A UUID.
    pub fn uuid(&self) -> String {
        uuid::Builder::from_random_bytes(self.0.lock().random())
            .into_uuid()
            .to_string()
    }
    /// A password.
    pub fn password(&self) -> SecretString {
        SecretString::from(format!("Aa1_{}", &self.uuid()[..16]))
    }
    /// A duration within a share of this one.
    pub fn jitter(&self, base: Duration, share: f64) -> Duration {
        base.mul_f64(1.0 + share * self.0.lock().random_range(-1.0..1.0))
    }
}
