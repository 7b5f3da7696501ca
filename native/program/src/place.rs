//! Arena placement: blocks with lifetimes get offsets, largest first.

use crate::error::{Code, Error};
use std::cmp::Reverse;

/// Where blocks start.
pub const ALIGN: usize = 64;

/// Bytes needed from step `start` to step `end`, both included.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Block {
    pub bytes: usize,
    pub start: usize,
    pub end: usize,
}

impl Block {
    fn steps(&self) -> usize {
        self.end - self.start + 1
    }
}

#[derive(Debug, Default)]
pub struct Placement {
    /// Multiples of 64, such that blocks alive at one step do not overlap.
    pub offsets: Vec<usize>,
    /// Bytes of the arena.
    pub arena: usize,
    /// The most bytes that are alive at one step: no arena can be smaller.
    pub live: usize,
}

/// Places blocks where they fit first: largest first, and where that leaves a sixteenth of the arena or more unused, in
/// other orders too.
pub fn place(blocks: &[Block]) -> Result<Placement, Error> {
    let mut order = Vec::with_capacity(blocks.len());
    for (i, block) in blocks.iter().enumerate().filter(|(_, block)| block.bytes > 0) {
        order.push((i, Block { bytes: block.bytes.checked_next_multiple_of(ALIGN).ok_or_else(too_large)?, ..*block }));
    }
    let live = live(&order)?;
    order.sort_by_key(|(_, it)| (Reverse(it.bytes), it.start));
    let mut best = first_fit(&order, blocks.len())?;
    let area = |it: &Block| it.bytes as u128 * it.steps() as u128;
    let steps = |it: &Block| it.steps() as u128;
    for measure in [area, steps] {
        if best.1 - live <= live / 16 {
            break;
        }
        order.sort_by_key(|(_, it)| (Reverse((measure(it), it.bytes)), it.start));
        let next = first_fit(&order, blocks.len())?;
        if next.1 < best.1 {
            best = next;
        }
    }
    Ok(Placement { offsets: best.0, arena: best.1, live })
}

/// The most bytes that are alive at one step.
fn live(blocks: &[(usize, Block)]) -> Result<usize, Error> {
    let mut ends: Vec<(usize, usize)> = blocks.iter().map(|(_, it)| (it.end, it.bytes)).collect();
    let mut starts: Vec<(usize, usize)> = blocks.iter().map(|(_, it)| (it.start, it.bytes)).collect();
    ends.sort_unstable();
    starts.sort_unstable();
    let (mut now, mut most, mut ended) = (0_usize, 0, 0);
    for (start, bytes) in starts {
        while ends[ended].0 < start {
            now -= ends[ended].1;
            ended += 1;
        }
        now = now.checked_add(bytes).ok_or_else(too_large)?;
        most = most.max(now);
    }
    Ok(most)
}

/// One block after the other at the lowest offset where it is free; the offsets of all `count` blocks, and the arena.
fn first_fit(order: &[(usize, Block)], count: usize) -> Result<(Vec<usize>, usize), Error> {
    let mut offsets = vec![0; count];
    // What is placed, by offset: (offset, end of the bytes, first step, last step).
    let mut placed: Vec<(usize, usize, usize, usize)> = Vec::with_capacity(order.len());
    let mut arena = 0;
    for &(i, block) in order {
        let mut offset = 0;
        for &(start, end, first, last) in &placed {
            if first > block.end || last < block.start {
                continue;
            }
            if start >= offset + block.bytes {
                break;
            }
            offset = offset.max(end);
        }
        let end = offset.checked_add(block.bytes).filter(|&end| isize::try_from(end).is_ok()).ok_or_else(too_large)?;
        placed.insert(placed.partition_point(|it| it.0 < offset), (offset, end, block.start, block.end));
        offsets[i] = offset;
        arena = arena.max(end);
    }
    Ok((offsets, arena))
}

fn too_large() -> Error {
    Error::new(Code::Memory, "the buffers of the program do not fit the address space")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Rng;

    #[test]
    fn blocks_alive_together_do_not_overlap() {
        let mut rng = Rng::new(7);
        for _ in 0..300 {
            let blocks: Vec<Block> = (0..rng.below(40))
                .map(|_| {
                    let start = rng.below(20);
                    Block { bytes: rng.below(1000), start, end: start + rng.below(6) }
                })
                .collect();
            let Placement { offsets, arena, .. } = place(&blocks).unwrap();
            for (i, a) in blocks.iter().enumerate() {
                assert!(offsets[i] % ALIGN == 0 && offsets[i] + a.bytes <= arena.max(a.bytes));
                for (j, b) in blocks.iter().enumerate().take(i) {
                    let together = a.start <= b.end && b.start <= a.end && a.bytes > 0 && b.bytes > 0;
                    let apart = offsets[i] + a.bytes <= offsets[j] || offsets[j] + b.bytes <= offsets[i];
                    assert!(!together || apart, "{a:?} at {} and {b:?} at {}", offsets[i], offsets[j]);
                }
            }
        }
    }

    #[test]
    fn a_chain_needs_two_buffers() {
        let chain: Vec<Block> = (0..10).map(|i| Block { bytes: 128, start: i, end: i + 1 }).collect();
        let Placement { arena, live, .. } = place(&chain).unwrap();
        assert_eq!((arena, live), (256, 256));
    }

    /// Lifetimes as programs have them: chains, values read long after, forward and backward passes, and scratch; sizes
    /// that are powers of two, or any.
    fn random_lifetimes(rng: &mut Rng) -> Vec<Block> {
        let (kind, powers, steps) = (rng.below(4), rng.below(2) == 0, 5 + rng.below(200));
        let size = |rng: &mut Rng| if powers { 64 << rng.below(12) } else { 1 + (1 << rng.below(17)) * rng.below(3) };
        let mut blocks = Vec::new();
        for start in 0..steps {
            for _ in 0..1 + usize::from(rng.below(5) == 0) {
                let end = match kind {
                    0 => start + 1 + rng.below(3),
                    1 => start + rng.below(steps - start),
                    2 if start < steps / 2 && rng.below(2) == 0 => steps - 1 - start,
                    2 => start + 1 + rng.below(2),
                    _ => start + (1 << rng.below(8)),
                };
                blocks.push(Block { bytes: size(rng), start, end: end.min(steps) });
            }
            if rng.below(3) == 0 {
                blocks.push(Block { bytes: size(rng), start, end: start });
            }
        }
        blocks
    }

    #[test]
    fn the_arena_is_little_larger_than_what_is_alive() {
        let mut rng = Rng::new(1);
        let mut ratios: Vec<f64> = (0..1000)
            .map(|_| {
                let it = place(&random_lifetimes(&mut rng)).unwrap();
                it.arena as f64 / it.live as f64
            })
            .collect();
        ratios.sort_by(f64::total_cmp);
        let (median, worst) = (ratios[500], ratios[999]);
        assert!(ratios[0] >= 1.0 && median <= 1.02 && worst <= 1.3, "median {median}, worst {worst}");
    }
}
