//! In which order an iteration space is walked.

/// Whether the reduced extents (of more than one) stand together, so that a walk in the given order suits dense stores
/// too.
pub fn natural_order(extents: &[usize], mask: u32) -> bool {
    let classes: Vec<bool> = (0..extents.len()).filter(|&k| extents[k] != 1).map(|k| mask >> k & 1 == 1).collect();
    classes.windows(2).filter(|pair| pair[0] != pair[1]).count() <= if classes.first() == Some(&true) { 1 } else { 2 }
}

/// The order in which the extents are walked: kept, then reduced, then kept extents that were innermost.
pub fn order(extents: &[usize], mask: u32) -> Vec<usize> {
    let reduced = |k: &usize| mask >> *k & 1 == 1;
    let inner = (0..extents.len()).rev().find(|k| reduced(k) && extents[*k] != 1).map_or(0, |k| k + 1);
    let inner = if mask == 0 { extents.len() } else { inner };
    let outer = (0..inner).filter(|k| !reduced(k));
    let run = (0..extents.len()).filter(reduced);
    outer.chain(run).chain((inner..extents.len()).filter(|k| !reduced(k))).collect()
}

/// Row-major strides in elements.
pub fn dense_strides(extents: &[usize]) -> Vec<i64> {
    let mut strides = vec![1; extents.len()];
    for k in (1..extents.len()).rev() {
        strides[k - 1] = strides[k] * extents[k] as i64;
    }
    strides
}
