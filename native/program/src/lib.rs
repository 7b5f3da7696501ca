//! The program format: what the compiler (TypeScript) writes and a native backend runs.
//!
//! `Program::decode` checks the structure of a buffer; `bind` gives its symbols values, proves every
//! index range and places the buffers. The format is described in docs/design/program.md.

mod aligned;
mod bind;
mod bind_loop;
mod bind_while;
mod bound;
mod classes;
mod decode;
mod error;
mod eval;
#[cfg(test)]
mod execute;
mod generated;
mod loops;
mod place;
#[cfg(test)]
mod random;
mod reader;
mod rules;
mod shape;
mod table;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
#[cfg(test)]
mod tests;

pub use aligned::AlignedBytes;
pub use bind::bind;
pub use bound::{Bound, Frame, Loc, Planned, Planner, Source, Step, Takeover};
pub use decode::{Const, Expr, Guard, Load, Loop, Program, Record, Region, Slot, Store, Value};
pub use error::{Code, Error};
pub use generated::{DTYPES, DType, Kind, OP_TABLE_HASH, OPS, Op};
pub use loops::{BoundLoad, BoundLoop, BoundStore, Instr, NONE};
pub use shape::{BoundAttrs, BoundValue, Shape};
