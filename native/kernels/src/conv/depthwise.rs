//! Depthwise convolution: one input channel a group. Channels are the vector, so nothing is gathered.

use super::geometry::Geometry;
use crate::gemm::Scalar;
use crate::isa::{Isa, Kernel, version};
use crate::loops::transpose::Shared;
use crate::{Done, Plan, Pool};
use std::marker::PhantomData;

pub struct Forward<T> {
    geometry: Geometry,
    tap: unsafe fn(Tap<T>),
}

impl<T: Scalar> Forward<T> {
    pub fn new(geometry: Geometry) -> Forward<T> {
        Forward { geometry, tap: version::<TapKernel<T>>(Isa::current()) }
    }
}

/// out[c · each + j] += x[c] · w[c · each + j]
#[derive(Clone, Copy)]
struct Tap<T> {
    x: *const T,
    w: *const T,
    out: *mut T,
    channels: usize,
    each: usize,
}

struct TapKernel<T>(PhantomData<T>);

impl<T: Scalar> Kernel for TapKernel<T> {
    type Args = Tap<T>;

    #[inline(always)]
    unsafe fn run<const FMA: bool>(tap: Tap<T>) {
        // SAFETY: by the caller.
        unsafe {
            let add = |o: usize, c: usize| {
                let to = tap.out.add(o);
                to.write(T::mul_add::<FMA>(tap.x.add(c).read(), tap.w.add(o).read(), to.read()));
            };
            if tap.each == 1 {
                (0..tap.channels).for_each(|c| add(c, c));
            } else {
                (0..tap.channels).for_each(|c| (0..tap.each).for_each(|j| add(c * tap.each + j, c)));
            }
        }
    }
}

impl<T: Scalar> Plan for Forward<T> {
    fn flops(&self) -> f64 {
        self.geometry.flops()
    }

    fn cost_ns(&self) -> f64 {
        1000.0 + self.geometry.flops() / 5.0
    }

    fn parts(&self) -> Option<usize> {
        Some(self.geometry.rows() * self.geometry.features)
    }

    unsafe fn run(&self, ins: &[*const u8], outs: &[*mut u8], scratch: *mut u8, pool: &Pool) {
        // SAFETY: by the caller.
        unsafe { self.run_parts(ins, outs, scratch, pool, &|_| {}) }
    }

    unsafe fn run_parts(&self, ins: &[*const u8], outs: &[*mut u8], _scratch: *mut u8, pool: &Pool, done: Done) {
        let geometry = &self.geometry;
        let (x, w, out) = (Shared(ins[0] as *mut T), Shared(ins[1] as *mut T), Shared(outs[0] as *mut T));
        let [od, oh, ow] = geometry.output;
        let [_, ih, iw] = geometry.input;
        // One job: a line of the output.
        let lines = geometry.batch * od * oh;
        let group = (32_768 / (ow * geometry.features * geometry.taps()).max(1)).max(1);
        pool.for_chunks(lines.div_ceil(group), |chunk| {
            for line in chunk * group..((chunk + 1) * group).min(lines) {
                let (image, d, h) = (line / (od * oh), line / oh % od, line % oh);
                for ox in 0..ow {
                    // SAFETY: `check` has proven the shapes; each line is written once.
                    unsafe {
                        let to = out.get().add((line * ow + ox) * geometry.features);
                        (0..geometry.features).for_each(|i| to.add(i).write(T::ZERO));
                        for tap in 0..geometry.taps() {
                            let [_, kh, kw] = geometry.filter;
                            let place = (
                                geometry.position(0, d, tap / (kh * kw)),
                                geometry.position(1, h, tap / kw % kh),
                                geometry.position(2, ox, tap % kw),
                            );
                            let (Some(z), Some(y), Some(p)) = place else { continue };
                            (self.tap)(Tap {
                                x: x.get().add(image * geometry.image() + ((z * ih + y) * iw + p) * geometry.channels),
                                w: w.get().add(tap * geometry.features),
                                out: to,
                                channels: geometry.channels,
                                each: geometry.group_features(),
                            });
                        }
                    }
                }
            }
            let first = chunk * group * ow * geometry.features;
            done(first..((chunk + 1) * group).min(lines) * ow * geometry.features);
        });
    }
}
