//! scatterAdd and scatterSet. Indices are applied in order, so work is cut between blocks and columns only: no two
//! threads write one element, and the sums have the same bits for any number of threads.

use super::{Along, index_at, indexed};
use crate::check::{expect, expect_ins, expect_out};
use crate::isa::Isa;
use crate::loops::transpose::Shared;
use crate::loops::{Fold, Reducer};
use crate::{Error, KernelTable, LibraryKernel, Plan, Pool};
use millrace_program::{BoundAttrs, DType, Op, Shape};

struct Scatter {
    name: &'static str,
    adds: bool,
}

pub const KERNELS: KernelTable = &[
    (Op::ScatterAdd, &Scatter { name: "scatterAdd", adds: true }),
    (Op::ScatterSet, &Scatter { name: "scatterSet", adds: false }),
];

impl LibraryKernel for Scatter {
    fn check(&self, ins: &[Shape], outs: &[Shape], attrs: &BoundAttrs) -> Result<Box<dyn Plan>, Error> {
        let ([x, indices, updates], [out]) = expect_ins(self.name, ins, outs)?;
        let (along, dims) = indexed(self.name, x, indices, attrs)?;
        expect(updates.dtype() == x.dtype() && updates.dims() == dims, || {
            format!("{}: updates are {}{dims:?}, not {updates}", self.name, x.dtype().name())
        })?;
        expect_out(self.name, out, x.dtype(), x.dims())?;
        let add = match Reducer::new(Isa::current(), Op::ReduceSum, x.dtype()) {
            Some(reducer) if self.adds => Some(reducer),
            None if self.adds => return Err(Error::dtype(format!("{}: no kernel for {x}", self.name))),
            _ => None,
        };
        Ok(Box::new(ScatterPlan {
            along,
            count: indices.numel(),
            indices: indices.dtype(),
            size: x.dtype().size(),
            add,
        }))
    }
}

struct ScatterPlan {
    along: Along,
    count: usize,
    indices: DType,
    size: usize,
    /// How an update joins an element; `None` replaces it.
    add: Option<Reducer>,
}

/// Columns that one thread handles.
const STRIP: usize = 64;

impl Plan for ScatterPlan {
    fn cost_ns(&self) -> f64 {
        let Along { outer, size, inner } = self.along;
        50.0 + (outer * self.count) as f64 * (5.0 + 0.3 * inner as f64) + 0.3 * (outer * size * inner) as f64
    }

    fn overwrites(&self) -> Option<usize> {
        Some(0)
    }

    unsafe fn run(&self, ins: &[*const u8], outs: &[*mut u8], _scratch: *mut u8, pool: &Pool) {
        let Along { outer, size, inner } = self.along;
        let (x, indices, updates, out) =
            (Shared(ins[0].cast_mut()), Shared(ins[1].cast_mut()), Shared(ins[2].cast_mut()), Shared(outs[0]));
        let total = outer * size * inner;
        if total == 0 {
            return;
        }
        const PIECE: usize = 65_536;
        let copied = if ins[0] == outs[0].cast_const() { 0 } else { total };
        pool.for_chunks(copied.div_ceil(PIECE), |chunk| {
            let (at, len) = (chunk * PIECE * self.size, PIECE.min(total - chunk * PIECE) * self.size);
            // SAFETY: the result has the shape of x.
            unsafe { x.get().add(at).copy_to_nonoverlapping(out.get().add(at), len) }
        });
        // One unit: a strip of columns of one block; small blocks are joined.
        let strips = inner.div_ceil(STRIP);
        let units = outer * strips;
        let group = (16_384 / (self.count * inner.min(STRIP)).max(1)).clamp(1, units);
        pool.for_chunks(units.div_ceil(group), |chunk| {
            for unit in chunk * group..((chunk + 1) * group).min(units) {
                let (block, left) = (unit / strips, unit % strips * STRIP);
                let len = STRIP.min(inner - left);
                for i in 0..self.count {
                    // SAFETY: `check` has proven the shapes, and the index is looked at before it is used.
                    unsafe {
                        let index = index_at(indices.get(), self.indices, i);
                        let Some(index) = usize::try_from(index).ok().filter(|&i| i < size) else { continue };
                        let from = updates.get().add(((block * self.count + i) * inner + left) * self.size);
                        let to = out.get().add(((block * size + index) * inner + left) * self.size);
                        match &self.add {
                            Some(reducer) => (reducer.fold)(Fold { to, from, len }),
                            None => from.copy_to_nonoverlapping(to, len * self.size),
                        }
                    }
                }
            }
        });
    }
}
