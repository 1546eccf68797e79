//! SET: topology evolution by magnitude.

use crate::handle::{long, size, Handle};
use crate::{sys, Context, Network, Result};

/// An evolution rule. Immutable.
pub struct Evolution<'c> {
    handle: Handle<'c, sys::tsnn_evolution>,
}

impl<'c> Evolution<'c> {
    /// Creates a rule that replaces the share `zeta` of the connections; 0: .3.
    pub fn new(context: &'c Context, zeta: f64) -> Result<Self> {
        let given = sys::tsnn_evolution_options { zeta, ..Default::default() };
        let handle = context.own(sys::tsnn_evolution_destroy, |out| {
            // SAFETY: the context lives.
            unsafe { sys::tsnn_evolution_create(context.raw(), &given, out) }
        })?;
        Ok(Evolution { handle })
    }

    /// Evolves every layer of a network but the last and tells how many connections were replaced. `round` keys the
    /// random numbers. Trainers do this by themselves; within a loop of steps, see [`crate::Trainer::evolve`].
    pub fn apply(&self, network: &mut Network<'_>, round: usize) -> Result<usize> {
        let mut replaced = 0;
        // SAFETY: both live, and nobody else uses the network.
        network
            .context()
            .done(unsafe { sys::tsnn_evolution_apply(self.raw(), network.raw(), long(round), &mut replaced) })?;
        Ok(size(replaced))
    }

    pub(crate) fn raw(&self) -> *const sys::tsnn_evolution {
        self.handle.raw()
    }
}
