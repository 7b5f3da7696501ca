//! The chunks of a job, dealt out such that each thread has neighbours, and at every job the same part of them: what a
//! thread has written is still in its caches when the next kernel reads it. Who is done helps others, from their end.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

const MOST: usize = 16;

/// Chunks that are left of a run: the first, and the one behind the last, in 32 bits each.
#[derive(Default)]
#[repr(align(64))]
struct Lane(AtomicU64);

pub struct Lanes {
    lanes: [Lane; MOST],
    used: usize,
}

impl Lanes {
    /// `count` fits 32 bits.
    pub fn new(count: usize, threads: usize) -> Lanes {
        let used = threads.clamp(1, MOST);
        let start = |lane: usize| (lane * count / used) as u64;
        let lanes = std::array::from_fn(|lane| match lane < used {
            true => Lane(AtomicU64::new(start(lane) << 32 | start(lane + 1))),
            false => Lane::default(),
        });
        Lanes { lanes, used }
    }

    /// The next chunk for a thread.
    pub fn take(&self, thread: usize) -> Option<usize> {
        (0..self.used).find_map(|other| self.lanes[(thread + other) % self.used].take(other > 0))
    }

    /// Nothing is left.
    pub fn clear(&self) {
        self.lanes.iter().for_each(|lane| lane.0.store(0, Relaxed));
    }
}

impl Lane {
    fn take(&self, from_end: bool) -> Option<usize> {
        let mut left = self.0.load(Relaxed);
        loop {
            let (first, end) = (left >> 32, left & u64::from(u32::MAX));
            if first >= end {
                return None;
            }
            let (chunk, rest) =
                if from_end { (end - 1, first << 32 | (end - 1)) } else { (first, (first + 1) << 32 | end) };
            match self.0.compare_exchange_weak(left, rest, Relaxed, Relaxed) {
                Ok(_) => return Some(chunk as usize),
                Err(now) => left = now,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_has_its_part_and_then_that_of_others() {
        for (count, threads) in [(0, 2), (1, 2), (7, 2), (8, 3), (5, 40)] {
            for thread in [0, 1, 2, 39] {
                let lanes = Lanes::new(count, threads);
                let mut taken: Vec<usize> = std::iter::from_fn(|| lanes.take(thread)).collect();
                taken.sort_unstable();
                assert_eq!(taken, (0..count).collect::<Vec<_>>());
            }
        }
        let lanes = Lanes::new(8, 2);
        assert_eq!([0, 1, 0, 1].map(|thread| lanes.take(thread)), [Some(0), Some(4), Some(1), Some(5)]);
        assert_eq!([1, 1, 1, 1, 1].map(|thread| lanes.take(thread)), [Some(6), Some(7), Some(3), Some(2), None]);
        let lanes = Lanes::new(8, 2);
        lanes.clear();
        assert_eq!(lanes.take(0), None);
    }
}
