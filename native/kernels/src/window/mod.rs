//! Reductions over sliding windows, and the gradient of the maximum.

mod geometry;
mod reduce;
mod select;

#[cfg(test)]
mod tests;

pub use reduce::ReduceWindow;
pub use select::SelectAndScatterAdd;
