//! Arena placement: blocks with lifetimes get offsets, largest first.

use crate::error::{Code, Error};

/// Where blocks start.
pub const ALIGN: usize = 64;

/// Bytes needed from step `start` to step `end`, both included.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Block {
    pub bytes: usize,
    pub start: usize,
    pub end: usize,
}

/// Offsets (multiples of 64) such that blocks alive at one step do not overlap, and the bytes of the arena.
pub fn place(blocks: &[Block]) -> Result<(Vec<usize>, usize), Error> {
    let mut order: Vec<usize> = (0..blocks.len()).filter(|&i| blocks[i].bytes > 0).collect();
    order.sort_by_key(|&i| (std::cmp::Reverse(blocks[i].bytes), blocks[i].start));
    let mut offsets = vec![0; blocks.len()];
    // (offset, end of the bytes, first step, last step), sorted by offset.
    let mut placed: Vec<(usize, usize, usize, usize)> = Vec::with_capacity(order.len());
    let mut total = 0;
    for i in order {
        let block = blocks[i];
        let bytes = block.bytes.checked_next_multiple_of(ALIGN).ok_or_else(too_large)?;
        let (mut at, mut best) = (0, None::<(usize, usize)>);
        for &(offset, end, first, last) in &placed {
            if first > block.end || last < block.start {
                continue;
            }
            if offset >= at + bytes && best.is_none_or(|(_, gap)| offset - at < gap) {
                best = Some((at, offset - at));
            }
            at = at.max(end);
        }
        let offset = best.map_or(at, |(offset, _)| offset);
        let end = offset.checked_add(bytes).filter(|&end| isize::try_from(end).is_ok()).ok_or_else(too_large)?;
        let position = placed.partition_point(|entry| entry.0 < offset);
        placed.insert(position, (offset, end, block.start, block.end));
        offsets[i] = offset;
        total = total.max(end);
    }
    Ok((offsets, total))
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
            let (offsets, total) = place(&blocks).unwrap();
            for (i, a) in blocks.iter().enumerate() {
                assert!(offsets[i] % ALIGN == 0 && offsets[i] + a.bytes <= total.max(a.bytes));
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
        assert_eq!(place(&chain).unwrap().1, 256);
    }
}
