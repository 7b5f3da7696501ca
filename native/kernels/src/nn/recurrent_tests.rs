//! What tests of recurrences share.

#[derive(Clone, Copy)]
pub struct Case {
    pub groups: usize,
    pub batch: usize,
    pub time: usize,
    pub units: usize,
    pub reverse: bool,
    pub initial: bool,
}

const fn case(groups: usize, batch: usize, time: usize, units: usize, reverse: bool, initial: bool) -> Case {
    Case { groups, batch, time, units, reverse, initial }
}

pub const CASES: [Case; 11] = [
    case(1, 2, 3, 2, false, true),
    case(1, 1, 4, 5, true, false),
    case(2, 3, 5, 17, true, true),
    case(1, 33, 3, 16, false, false),
    case(1, 70, 9, 33, false, true),
    case(3, 600, 2, 3, true, false),
    case(1, 20, 3, 300, false, true),
    case(1, 4, 1, 1, false, false),
    case(1, 4, 0, 3, false, true),
    case(2, 0, 3, 3, false, false),
    case(1, 3, 2, 0, true, true),
];

pub fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// For one row of a group: the places of its steps in order of computation.
pub fn order(c: &Case, row: usize) -> Vec<usize> {
    let steps = (0..c.time).map(|t| row * c.time + t);
    if c.reverse { steps.rev().collect() } else { steps.collect() }
}
