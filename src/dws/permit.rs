//! Whether this process may still make changing calls: asked at the last moment, before the first byte of one
//! is written.
//!
//! It knows nothing of leases. Whoever gives the permit answers from memory, at once, by its own clock; once it
//! has said no, it says no for ever.

use std::fmt;
use std::sync::Arc;

/// See the module. Cheap to clone; clones are one permit.
#[derive(Clone)]
pub struct Permit(Arc<dyn Fn() -> bool + Send + Sync>);

impl Permit {
    /// One that is given for as long as `holds` says so.
    pub fn new(holds: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(holds))
    }

    /// Whether it is given at this moment.
    pub fn holds(&self) -> bool {
        (self.0)()
    }
}

/// Given for ever: there is one process.
impl Default for Permit {
    fn default() -> Self {
        Self::new(|| true)
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit").finish_non_exhaustive()
    }
}
