//! Randomness, replaceable: operation ids, generated passwords and jitter are drawn here.
//!
//! It knows nothing of what they are for. From one seed it draws the same values in the same order,
//! which is what lets a simulation be run again.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use rand::rngs::StdRng;
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{Rng, SeedableRng};
use secrecy::SecretString;

/// Length of a generated password.
const PASSWORD_LENGTH: usize = 20;
/// The four classes. Left out: look-alikes (`0O1lI`), and every symbol that a URI, a JDBC URL, a
/// `pgpass` line, YAML or a shell would read as something else.
const CLASSES: [&[u8]; 4] = [
    b"abcdefghijkmnopqrstuvwxyz",
    b"ABCDEFGHJKLMNPQRSTUVWXYZ",
    b"23456789",
    b"-_.~",
];

/// A source of randomness; clones share it.
#[derive(Clone)]
pub struct Entropy(Arc<Mutex<StdRng>>);

impl Entropy {
    /// Seeded from the operating system.
    pub fn system() -> Self {
        Self(Arc::new(Mutex::new(StdRng::from_os_rng())))
    }

    /// The same values in the same order for the same seed. Never for real passwords.
    pub fn seeded(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(StdRng::seed_from_u64(seed))))
    }

    /// A random (version 4) UUID, in lower case.
    pub fn uuid(&self) -> String {
        let bytes: [u8; 16] = self.0.lock().random();
        uuid::Builder::from_random_bytes(bytes)
            .into_uuid()
            .to_string()
    }

    /// A password of 20 characters with at least one of each of the four classes. It begins with a
    /// letter, and no character in it needs escaping in a URI.
    pub fn password(&self) -> SecretString {
        let all = CLASSES.concat();
        let mut rng = self.0.lock();
        // One of each class first, the rest from all of them, then shuffled: each position may be any.
        let mut bytes: Vec<u8> = CLASSES
            .iter()
            .filter_map(|class| class.choose(&mut *rng).copied())
            .collect();
        while bytes.len() < PASSWORD_LENGTH {
            bytes.extend(all.choose(&mut *rng).copied());
        }
        bytes.shuffle(&mut *rng);
        if let Some(letter) = bytes.iter().position(u8::is_ascii_alphabetic) {
            bytes.swap(0, letter);
        }
        drop(rng);
        let mut text = String::with_capacity(PASSWORD_LENGTH);
        text.extend(bytes.iter().map(|byte| char::from(*byte)));
        zeroize::Zeroize::zeroize(&mut bytes);
        SecretString::from(text)
    }

    /// Evenly from `[0, 1)`.
    pub fn unit(&self) -> f64 {
        self.0.lock().random()
    }

    /// `base`, lengthened by at most `fraction` of itself. A negative or absurd fraction counts as none.
    pub fn jitter(&self, base: Duration, fraction: f64) -> Duration {
        let factor = 1.0 + fraction * self.unit();
        if factor.is_finite() && (1.0..=100.0).contains(&factor) {
            base.mul_f64(factor)
        } else {
            base
        }
    }
}

impl fmt::Debug for Entropy {
    // The state of the generator would tell the next passwords.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Entropy")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn passwords_have_all_four_classes_and_need_no_escaping() {
        let entropy = Entropy::seeded(1);
        let mut seen = HashSet::new();
        for _ in 0..2_000 {
            let password = entropy.password();
            let text = password.expose_secret();
            assert_eq!(text.len(), 20);
            assert!(text.starts_with(|c: char| c.is_ascii_alphabetic()));
            for class in CLASSES {
                assert!(text.bytes().any(|byte| class.contains(&byte)), "{text}");
            }
            assert!(
                text.bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"-_.~".contains(&b))
            );
            assert!(seen.insert(text.to_owned()));
        }
    }

    #[test]
    fn one_seed_draws_the_same_values() {
        let (a, b) = (Entropy::seeded(7), Entropy::seeded(7));
        assert_eq!(a.uuid(), b.uuid());
        assert_eq!(a.password().expose_secret(), b.password().expose_secret());
        assert_ne!(Entropy::seeded(8).uuid(), Entropy::seeded(7).uuid());
        assert_ne!(Entropy::system().uuid(), Entropy::system().uuid());
    }

    #[test]
    fn jitter_only_lengthens_and_only_so_far() {
        let entropy = Entropy::seeded(3);
        for _ in 0..1_000 {
            let slept = entropy.jitter(Duration::from_secs(10), 0.2);
            assert!(slept >= Duration::from_secs(10) && slept <= Duration::from_secs(12));
        }
        for absurd in [f64::NAN, f64::INFINITY, -3.0] {
            assert_eq!(
                entropy.jitter(Duration::from_secs(1), absurd),
                Duration::from_secs(1)
            );
        }
    }
}
