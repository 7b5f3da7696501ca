//! rngBits: Philox4x32-10 (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", 2011).

use crate::check::{expect, expect_ins, expect_out, sizes};
use crate::isa::{Isa, Kernel, version};
use crate::loops::transpose::Shared;
use crate::{Error, KernelTable, LibraryKernel, Plan, Pool};
use millrace_program::{BoundAttrs, DType, Op, Shape};

struct RngBits;

pub const KERNELS: KernelTable = &[(Op::RngBits, &RngBits)];

impl LibraryKernel for RngBits {
    fn check(&self, ins: &[Shape], outs: &[Shape], attrs: &BoundAttrs) -> Result<Box<dyn Plan>, Error> {
        let ([state], [out]) = expect_ins("rngBits", ins, outs)?;
        expect(state.dtype() == DType::Int32 && state.dims() == [4], || {
            format!("rngBits: the state is int32[4], not {state}")
        })?;
        expect_out("rngBits", out, DType::Int32, &sizes(attrs, "shape", out.rank(), 0)?)?;
        Ok(Box::new(RngPlan { count: out.numel(), blocks: version::<Blocks>(Isa::current()) }))
    }
}

struct RngPlan {
    count: usize,
    blocks: unsafe fn(Range),
}

/// Elements first .. first + len of the stream; `first` is a multiple of 4.
#[derive(Clone, Copy)]
struct Range {
    state: [u32; 4],
    first: usize,
    len: usize,
    out: *mut u32,
}

/// One block: four words from a 64-bit key and a counter of which the upper half is zero.
#[inline(always)]
fn philox(key: [u32; 2], counter: u64) -> [u32; 4] {
    let [mut k0, mut k1] = key;
    let mut c = [counter as u32, (counter >> 32) as u32, 0, 0];
    for _ in 0..10 {
        let (a, b) = (0xD251_1F53u64 * c[0] as u64, 0xCD9E_8D57u64 * c[2] as u64);
        c = [(b >> 32) as u32 ^ c[1] ^ k0, b as u32, (a >> 32) as u32 ^ c[3] ^ k1, a as u32];
        k0 = k0.wrapping_add(0x9E37_79B9);
        k1 = k1.wrapping_add(0xBB67_AE85);
    }
    c
}

/// Blocks that are computed side by side.
const WIDE: usize = 16;

struct Blocks;

impl Kernel for Blocks {
    type Args = Range;

    #[inline(always)]
    unsafe fn run<const FMA: bool>(range: Range) {
        let [k0, k1, low, high] = range.state;
        let start = (low as u64 | (high as u64) << 32).wrapping_add(range.first as u64 / 4);
        let blocks = range.len.div_ceil(4);
        let mut done = 0;
        while done < blocks {
            let mut words = [[0u32; 4]; WIDE];
            for (i, block) in words.iter_mut().enumerate() {
                *block = philox([k0, k1], start.wrapping_add((done + i) as u64));
            }
            let len = (range.len - done * 4).min(WIDE * 4);
            // SAFETY: `out` has `len` more elements.
            unsafe { range.out.add(done * 4).copy_from_nonoverlapping(words.as_ptr().cast(), len) }
            done += WIDE;
        }
    }
}

impl Plan for RngPlan {
    fn cost_ns(&self) -> f64 {
        50.0 + 1.5 * self.count as f64
    }

    unsafe fn run(&self, ins: &[*const u8], outs: &[*mut u8], _scratch: *mut u8, pool: &Pool) {
        const GROUP: usize = 16_384;
        // SAFETY: `check` has proven the shapes.
        let state = unsafe { (ins[0] as *const [u32; 4]).read() };
        let out = Shared(outs[0] as *mut u32);
        pool.for_chunks(self.count.div_ceil(GROUP), |chunk| {
            let first = chunk * GROUP;
            let len = GROUP.min(self.count - first);
            // SAFETY: chunks write different elements.
            unsafe { (self.blocks)(Range { state, first, len, out: out.get().add(first) }) }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::philox;

    /// The known answers of the authors' library (Random123, kat_vectors, "philox4x32 10") that a zero upper half
    /// allows.
    #[test]
    fn known_answer() {
        assert_eq!(philox([0, 0], 0), [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
    }
}
