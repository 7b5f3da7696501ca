//! How the reductions of a pass are cut into units, and the scratch memory for their partial results.

use super::canon::Pass;
use super::reduce::{BLOCK, LANES};

/// The least number of units that make one long reduction worth cutting.
const WANTED_UNITS: usize = 16;
/// Bytes of lanes beyond which the columns of a reduction are cut into strips.
const LANE_MEMORY: usize = 64 * 1024;
const STRIP: usize = 512;

/// How the reductions of a pass are cut.
pub struct Cut {
    /// Columns that one unit reduces.
    pub width: usize,
    pub strips: usize,
    /// Blocks of 1024 in one unit: a power of two, so that partial results are nodes of the tree.
    pub blocks: usize,
    pub groups: usize,
}

impl Pass {
    pub fn cut(&self) -> Cut {
        let size = self.reduces.iter().map(|r| r.reducer.size).max().unwrap_or(1);
        let width = if LANES * self.inner * size <= LANE_MEMORY { self.inner } else { STRIP.min(self.tile) };
        let strips = self.inner.div_ceil(width.max(1));
        let blocks = self.run.div_ceil(BLOCK).max(1);
        let mut per_unit = blocks.next_power_of_two();
        while per_unit > 1
            && self.outer * strips * blocks.div_ceil(per_unit) < WANTED_UNITS
            && per_unit * BLOCK * width > self.grain
        {
            per_unit /= 2;
        }
        Cut { width, strips, blocks: per_unit, groups: blocks.div_ceil(per_unit) }
    }

    pub fn scratch_bytes(&self) -> usize {
        self.copy_bytes() + self.partial_bytes() * self.reduces.len()
    }

    /// Bytes of the partial results of one reduction.
    pub fn partial_bytes(&self) -> usize {
        if self.reduces.is_empty() {
            return 0;
        }
        match self.cut().groups {
            0 | 1 => 0,
            groups => (groups * self.outer * self.inner * 8).next_multiple_of(64),
        }
    }
}
