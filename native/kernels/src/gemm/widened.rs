//! Products of narrow numbers where the machine has no instructions of its own for them: of int32 and float32, to which the
//! operands are widened before. The dot products of bfloat16 that AVX-512 has are slower than that: half of the operations of
//! fused multiply-adds a second, as measured.

use crate::bfloat16;
use crate::isa::{Isa, Kernel, version};
use crate::loops::transpose::Shared;
use crate::{Plan, Pool};
use std::marker::PhantomData;

/// Elements of one chunk of a conversion.
const CHUNK: usize = 1 << 14;

pub struct Widened {
    /// Of the wider numbers, which have 4 bytes.
    product: Box<dyn Plan>,
    /// Elements of the operands.
    lens: [usize; 2],
    outputs: usize,
    /// Bytes of a narrow number.
    size: usize,
    widen: unsafe fn(Convert),
    /// Where the result is narrow.
    narrow: Option<unsafe fn(Convert)>,
}

#[derive(Clone, Copy)]
struct Convert {
    from: *const u8,
    to: *mut u8,
    len: usize,
}

/// What a narrow number is computed in.
pub trait Wide<W>: Copy + 'static {
    fn widen(self) -> W;
    fn narrow(wide: W) -> Self;
}

impl Wide<i32> for i8 {
    #[inline(always)]
    fn widen(self) -> i32 {
        self.into()
    }
    #[inline(always)]
    fn narrow(wide: i32) -> i8 {
        wide as i8
    }
}

/// The bits of a bfloat16.
impl Wide<f32> for u16 {
    #[inline(always)]
    fn widen(self) -> f32 {
        bfloat16::widen(self)
    }
    #[inline(always)]
    fn narrow(wide: f32) -> u16 {
        bfloat16::round(wide)
    }
}

struct Widen<T, W>(PhantomData<(T, W)>);
impl<T: Wide<W>, W> Kernel for Widen<T, W> {
    type Args = Convert;

    #[inline(always)]
    unsafe fn run<const FMA: bool>(Convert { from, to, len }: Convert) {
        for i in 0..len {
            // SAFETY: by the caller.
            unsafe { (to as *mut W).add(i).write((from as *const T).add(i).read().widen()) }
        }
    }
}

struct Narrow<T, W>(PhantomData<(T, W)>);
impl<T: Wide<W>, W> Kernel for Narrow<T, W> {
    type Args = Convert;

    #[inline(always)]
    unsafe fn run<const FMA: bool>(Convert { from, to, len }: Convert) {
        for i in 0..len {
            // SAFETY: by the caller.
            unsafe { (to as *mut T).add(i).write(T::narrow((from as *const W).add(i).read())) }
        }
    }
}

impl Widened {
    /// `product` is one of W, of operands with so many elements; where it `narrows`, its results become T again.
    pub fn new<T: Wide<W>, W>(product: Box<dyn Plan>, lens: [usize; 2], outputs: usize, narrows: bool) -> Widened {
        let isa = Isa::current();
        let narrow = narrows.then(|| version::<Narrow<T, W>>(isa));
        Widened { product, lens, outputs, size: size_of::<T>(), widen: version::<Widen<T, W>>(isa), narrow }
    }

    /// Bytes of the operands and the result in the wider dtype.
    fn areas(&self) -> [usize; 3] {
        let result = self.narrow.map_or(0, |_| self.outputs);
        [self.lens[0], self.lens[1], result].map(|len| (len * 4).next_multiple_of(64))
    }
}

/// Converts on the pool; `sizes` are the bytes of an element before and after.
unsafe fn convert(f: unsafe fn(Convert), from: *const u8, to: *mut u8, len: usize, sizes: [usize; 2], pool: &Pool) {
    let (from, to) = (Shared(from.cast_mut()), Shared(to));
    pool.for_chunks(len.div_ceil(CHUNK), |chunk| {
        let first = chunk * CHUNK;
        // SAFETY: by the caller; chunks do not overlap.
        unsafe {
            let (from, to) = (from.get().add(first * sizes[0]).cast_const(), to.get().add(first * sizes[1]));
            f(Convert { from, to, len: CHUNK.min(len - first) })
        }
    });
}

impl Plan for Widened {
    fn scratch_bytes(&self) -> usize {
        self.areas().iter().sum::<usize>() + self.product.scratch_bytes()
    }

    fn cost_ns(&self) -> f64 {
        self.product.cost_ns() + (self.lens[0] + self.lens[1] + self.outputs) as f64 * 0.2
    }

    fn flops(&self) -> f64 {
        self.product.flops()
    }

    unsafe fn run(&self, ins: &[*const u8], outs: &[*mut u8], scratch: *mut u8, pool: &Pool) {
        let [of_a, of_b, of_c] = self.areas();
        // SAFETY: by the caller; the areas of scratch follow each other.
        unsafe {
            let (a, b) = (scratch, scratch.add(of_a));
            let (c, rest) = (scratch.add(of_a + of_b), scratch.add(of_a + of_b + of_c));
            convert(self.widen, ins[0], a, self.lens[0], [self.size, 4], pool);
            convert(self.widen, ins[1], b, self.lens[1], [self.size, 4], pool);
            let result = if self.narrow.is_some() { c } else { outs[0] };
            self.product.run(&[a, b], &[result], rest, pool);
            if let Some(narrow) = self.narrow {
                convert(narrow, c, outs[0], self.outputs, [4, self.size], pool);
            }
        }
    }
}
