//! The program format: what the compiler (TypeScript) writes and a native backend runs.
//!
//! `Program::decode` checks the structure of a buffer, `bind` gives its symbols values, proves every
//! index range and places the buffers. The format is described in docs/design/program.md.

mod error;
mod generated;
mod loops;
mod shape;
mod table;

pub use error::{Code, Error};
pub use generated::{DTYPES, DType, Kind, OP_TABLE_HASH, OPS, Op};
pub use loops::{BoundLoad, BoundLoop, BoundStore, Instr, NONE};
pub use shape::{BoundAttrs, BoundValue, Shape};
