//! What the machine can do: the share of it that a kernel reaches is what a profile tells.

use crate::isa::{Isa, Kernel, fma32, version};
use crate::loops::transpose::Shared;
use crate::pool::Pool;
use std::sync::OnceLock;
use std::time::Instant;

/// What all threads of the pool reach together.
#[derive(Clone, Copy, Debug)]
pub struct Peaks {
    /// float32 multiplications and additions a second, in registers.
    pub flops: f64,
    /// Bytes a second to and from memory: one array written from two that are read.
    pub bytes: f64,
}

/// Measured when first asked for, in about 50 ms. Whoever computes beside it makes it lower.
pub fn peaks() -> Peaks {
    static PEAKS: OnceLock<Peaks> = OnceLock::new();
    *PEAKS.get_or_init(|| Peaks { flops: flops(Pool::global()), bytes: bandwidth(Pool::global()) })
}

const ROUNDS: usize = 5;

/// Seconds of the fastest of some rounds; the first warms up.
fn best(run: impl Fn()) -> f64 {
    let round = |_| {
        let start = Instant::now();
        run();
        start.elapsed().as_secs_f64()
    };
    (0..ROUNDS).map(round).fold(f64::INFINITY, f64::min)
}

/// Elements that a thread works on, in its first cache.
const NEAR: usize = 1024;
/// Operations on an element each time it is read.
const CHAIN: usize = 32;
const PASSES: usize = 1000;

struct Registers;

impl Kernel for Registers {
    type Args = Shared<f32>;

    #[inline(always)]
    unsafe fn run<const FMA: bool>(array: Shared<f32>) {
        // SAFETY: the caller gives NEAR elements of the thread's own.
        let array = unsafe { &mut *(array.get() as *mut [f32; NEAR]) };
        for pass in 0..PASSES {
            let factor = 0.999 - pass as f32 * 1e-6;
            for x in array.iter_mut() {
                let mut y = *x;
                for _ in 0..CHAIN {
                    y = fma32::<FMA>(y, factor, factor);
                }
                *x = y;
            }
        }
    }
}

fn flops(pool: &Pool) -> f64 {
    let run = version::<Registers>(Isa::current());
    let mut arrays = vec![1.0_f32; NEAR * pool.threads()];
    let start = Shared(arrays.as_mut_ptr());
    // SAFETY: each chunk has elements of its own.
    let seconds = best(|| pool.for_chunks(pool.threads(), |i| unsafe { run(Shared(start.get().add(i * NEAR))) }));
    (2 * NEAR * CHAIN * PASSES * pool.threads()) as f64 / seconds
}

/// Elements of an array: far more than caches hold.
const LEN: usize = 8 << 20;
const CHUNK: usize = 64 << 10;

struct Triad;

impl Kernel for Triad {
    type Args = (Shared<f32>, Shared<f32>, Shared<f32>);

    #[inline(always)]
    unsafe fn run<const FMA: bool>((a, b, c): Self::Args) {
        for i in 0..CHUNK {
            // SAFETY: the caller gives chunks of CHUNK elements, of which no other thread writes c's.
            unsafe { c.get().add(i).write(fma32::<FMA>(b.get().add(i).read(), 0.5, a.get().add(i).read())) }
        }
    }
}

fn bandwidth(pool: &Pool) -> f64 {
    let run = version::<Triad>(Isa::current());
    let mut arrays = [vec![1.0_f32; LEN], vec![2.0_f32; LEN], vec![0.0_f32; LEN]];
    let [a, b, c] = arrays.each_mut().map(|array| Shared(array.as_mut_ptr()));
    let at = |array: Shared<f32>, chunk: usize| Shared(array.get().wrapping_add(chunk * CHUNK));
    // SAFETY: chunks lie in the arrays and apart.
    let seconds = best(|| pool.for_chunks(LEN / CHUNK, |i| unsafe { run((at(a, i), at(b, i), at(c, i))) }));
    (3 * LEN * size_of::<f32>()) as f64 / seconds
}
