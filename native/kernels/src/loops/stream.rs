//! Memory far larger than the caches: fetched before it is needed, and written without being read first.

use crate::isa::{Isa, Kernel, version};

/// Bytes of dense operands and results from which on a pass streams.
pub const WORTH: usize = 24 << 20;
pub const LINE: usize = 64;
/// Elements of a tile then: with longer ones, a step asks for more lines than the machine fetches at once.
pub const TILE: usize = 512;
/// Tiles between the one computed and the one fetched.
pub const AHEAD: usize = 2;

/// Asks for a cache line; the address need not be valid.
#[inline(always)]
pub fn fetch(at: *const u8) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a hint, which reads nothing; every x86-64 has it.
    unsafe {
        std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T0 }>(at.cast())
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = at;
}

/// `bytes` bytes, a multiple of 64, from one tile to memory that is aligned to 64.
#[derive(Clone, Copy)]
pub struct Write {
    pub to: *mut u8,
    pub from: *const u8,
    pub bytes: usize,
}

/// Writes around the caches. Others may read it after [`settle`].
pub fn writer(isa: Isa) -> unsafe fn(Write) {
    version::<Around>(isa)
}

/// Orders what was written around the caches before all that follows.
pub fn settle() {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: every x86-64 has it.
    unsafe {
        std::arch::x86_64::_mm_sfence()
    }
}

struct Around;

impl Kernel for Around {
    type Args = Write;

    #[inline(always)]
    unsafe fn run<const FMA: bool>(it: Write) {
        // SAFETY: by the caller. AVX is there wherever FMA is.
        unsafe {
            #[cfg(target_arch = "x86_64")]
            {
                use std::arch::x86_64::*;
                if FMA {
                    for at in (0..it.bytes).step_by(32) {
                        _mm256_stream_si256(it.to.add(at).cast(), _mm256_loadu_si256(it.from.add(at).cast()));
                    }
                } else {
                    for at in (0..it.bytes).step_by(16) {
                        _mm_stream_si128(it.to.add(at).cast(), _mm_loadu_si128(it.from.add(at).cast()));
                    }
                }
            }
            #[cfg(not(target_arch = "x86_64"))]
            it.to.copy_from_nonoverlapping(it.from, it.bytes);
        }
    }
}
