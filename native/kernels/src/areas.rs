//! Working memory for the threads of one kernel: as many areas of the plan's scratch as may be in use at once.

use crate::pool::Pool;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering::*};

const MOST: usize = 64;

/// How many areas a kernel of `jobs` chunks asks for: the same at every call, since memory was reserved for so many.
pub fn wanted(jobs: usize) -> usize {
    static THREADS: OnceLock<usize> = OnceLock::new();
    jobs.min(*THREADS.get_or_init(|| Pool::global().threads())).clamp(1, MOST)
}

pub struct Areas {
    base: *mut u8,
    bytes: usize,
    count: usize,
    taken: AtomicU64,
}

// SAFETY: an area has one user at a time.
unsafe impl Sync for Areas {}

impl Areas {
    /// # Safety
    /// `base` has `count` areas of `bytes` bytes, a multiple of 64.
    pub unsafe fn new(base: *mut u8, bytes: usize, count: usize) -> Areas {
        Areas { base, bytes, count, taken: AtomicU64::new(0) }
    }

    /// Calls `f` with an area of its own, aligned to 64; allocates one where all are in use.
    pub fn with<R>(&self, f: impl FnOnce(*mut u8) -> R) -> R {
        let mut taken = self.taken.load(Relaxed);
        loop {
            let free = (!taken).trailing_zeros() as usize;
            if free >= self.count {
                let mut own = vec![0u64; self.bytes / 8 + 8];
                let start = own.as_mut_ptr().cast::<u8>();
                return f(start.wrapping_add(start.align_offset(64)));
            }
            match self.taken.compare_exchange_weak(taken, taken | 1 << free, Acquire, Relaxed) {
                Ok(_) => {
                    let release = Release { areas: self, bit: 1 << free };
                    // SAFETY: within the areas.
                    let result = f(unsafe { self.base.add(free * self.bytes) });
                    drop(release);
                    return result;
                }
                Err(now) => taken = now,
            }
        }
    }
}

struct Release<'a> {
    areas: &'a Areas,
    bit: u64,
}

impl Drop for Release<'_> {
    fn drop(&mut self) {
        self.areas.taken.fetch_and(!self.bit, std::sync::atomic::Ordering::Release);
    }
}
