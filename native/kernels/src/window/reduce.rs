//! reduceWindowSum, reduceWindowMax, reduceWindowMin.

use super::geometry::{MOST_TAPS, Windows};
use crate::check::{expect_ins, expect_out};
use crate::isa::Isa;
use crate::loops::transpose::Shared;
use crate::loops::{Fold, Reducer, Slide};
use crate::{Error, KernelTable, LibraryKernel, Plan, Pool};
use millrace_program::{BoundAttrs, Op, Shape};

/// Elements under the windows of a chunk.
const CHUNK: usize = 65_536;

/// The window's form of a reduction.
struct ReduceWindow {
    name: &'static str,
    reduce: Op,
}

pub const KERNELS: KernelTable = &[
    (Op::ReduceWindowMax, &ReduceWindow { name: "reduceWindowMax", reduce: Op::ReduceMax }),
    (Op::ReduceWindowMin, &ReduceWindow { name: "reduceWindowMin", reduce: Op::ReduceMin }),
    (Op::ReduceWindowSum, &ReduceWindow { name: "reduceWindowSum", reduce: Op::ReduceSum }),
];

impl LibraryKernel for ReduceWindow {
    fn check(&self, ins: &[Shape], outs: &[Shape], attrs: &BoundAttrs) -> Result<Box<dyn Plan>, Error> {
        let ([x], [out]) = expect_ins(self.name, ins, outs)?;
        expect_out(self.name, out, x.dtype(), out.dims())?;
        let windows = Windows::new(self.name, x, out, attrs)?;
        let reducer = Reducer::new(Isa::current(), self.reduce, x.dtype());
        let reducer = reducer.ok_or_else(|| Error::dtype(format!("{}: no kernel for {x}", self.name)))?;
        Ok(Box::new(ReduceWindowPlan { windows, reducer }))
    }
}

struct ReduceWindowPlan {
    windows: Windows,
    reducer: Reducer,
}

impl Plan for ReduceWindowPlan {
    fn cost_ns(&self) -> f64 {
        100.0 + self.windows.rows() as f64 * self.windows.taps() as f64 * (3.0 + 0.05 * self.windows.row as f64)
    }

    unsafe fn run(&self, ins: &[*const u8], outs: &[*mut u8], _scratch: *mut u8, pool: &Pool) {
        let ReduceWindowPlan { windows, reducer } = self;
        let (rows, len) = (windows.rows(), windows.row);
        if rows * len == 0 {
            return;
        }
        let (x, out) = (Shared(ins[0].cast_mut()), Shared(outs[0]));
        let (lines, width) = (windows.lines(), windows.output.last().copied().unwrap_or(1));
        let group = (CHUNK / len.saturating_mul(windows.taps()).saturating_mul(width).max(1)).clamp(1, lines);
        // SAFETY: `check` has proven the shapes, taps are inside the input, each row is written once.
        pool.for_chunks(lines.div_ceil(group), |chunk| unsafe {
            let alone = |number: usize| {
                let to = out.get().add(number * len * reducer.size);
                reducer.clear(to, len);
                windows.for_each_tap(number, |element| {
                    let from = x.get().add(element * reducer.size).cast_const();
                    (reducer.fold)(Fold { to, from, len });
                });
            };
            let mut taps = [0; MOST_TAPS];
            for line in chunk * group..((chunk + 1) * group).min(lines) {
                let all = line * width..(line + 1) * width;
                let Some(run) = windows.run(line, &mut taps) else {
                    all.for_each(alone);
                    continue;
                };
                (all.start..run.windows.start).for_each(alone);
                (reducer.slide)(Slide {
                    x: x.get().add(run.first * reducer.size),
                    taps: taps.as_ptr(),
                    count: run.count,
                    step: run.step,
                    out: out.get().add(run.windows.start * len * reducer.size),
                    positions: run.windows.len(),
                    row: len,
                });
                (run.windows.end..all.end).for_each(alone);
            }
        });
    }
}
