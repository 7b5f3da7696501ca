//! The CPU backend: storage, placement, the queue and control flow. Kernels are in millrace-kernels.

mod blocks;
mod call;
mod cancel;
#[cfg(test)]
mod cancel_tests;
mod device;
mod executable;
mod late;
mod mapping;
#[cfg(test)]
mod mapping_tests;
mod origins;
mod packed;
#[cfg(test)]
mod packed_tests;
mod profile;
#[cfg(test)]
mod programs;
mod queue;
#[cfg(test)]
mod random;
mod run;
mod stack;
mod storage;
mod table;
#[cfg(test)]
mod tests;

pub use cancel::Awaited;
pub use device::{DONATE, Device, Stats};
pub use executable::claims;
pub use origins::{Live, Origin};
pub use profile::{Event, Label};
pub use run::Printed;
pub use storage::{MemoryStats, StorageId};
pub use table::Ticketed;
