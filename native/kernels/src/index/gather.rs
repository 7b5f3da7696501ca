//! gather: rows by index; an index out of range gives zeros.

use super::{Along, index_at, indexed};
use crate::check::{expect_ins, expect_out};
use crate::loops::transpose::Shared;
use crate::{Error, KernelTable, LibraryKernel, Plan, Pool};
use millrace_program::{BoundAttrs, DType, Op, Shape};

struct Gather;

pub const KERNELS: KernelTable = &[(Op::Gather, &Gather)];

impl LibraryKernel for Gather {
    fn check(&self, ins: &[Shape], outs: &[Shape], attrs: &BoundAttrs) -> Result<Box<dyn Plan>, Error> {
        let ([x, indices], [out]) = expect_ins("gather", ins, outs)?;
        let (along, dims) = indexed("gather", x, indices, attrs)?;
        expect_out("gather", out, x.dtype(), &dims)?;
        Ok(Box::new(GatherPlan { along, count: indices.numel(), indices: indices.dtype(), size: x.dtype().size() }))
    }
}

struct GatherPlan {
    along: Along,
    count: usize,
    indices: DType,
    size: usize,
}

impl Plan for GatherPlan {
    fn cost_ns(&self) -> f64 {
        let rows = (self.along.outer * self.count) as f64;
        50.0 + rows * (3.0 + 0.1 * (self.along.inner * self.size) as f64)
    }

    unsafe fn run(&self, ins: &[*const u8], outs: &[*mut u8], _scratch: *mut u8, pool: &Pool) {
        let (x, indices, out) = (Shared(ins[0].cast_mut()), Shared(ins[1].cast_mut()), Shared(outs[0]));
        let (rows, bytes) = (self.along.outer * self.count, self.along.inner * self.size);
        if rows * bytes == 0 {
            return;
        }
        let group = (65_536 / bytes).clamp(1, rows);
        pool.for_chunks(rows.div_ceil(group), |chunk| {
            for row in chunk * group..((chunk + 1) * group).min(rows) {
                // SAFETY: `check` has proven the shapes, and the index is looked at before it is used.
                unsafe {
                    let index = index_at(indices.get(), self.indices, row % self.count);
                    let to = out.get().add(row * bytes);
                    match usize::try_from(index).ok().filter(|&i| i < self.along.size) {
                        Some(i) => {
                            let from = x.get().add((row / self.count * self.along.size + i) * bytes);
                            from.copy_to_nonoverlapping(to, bytes);
                        }
                        None => to.write_bytes(0, bytes),
                    }
                }
            }
        });
    }
}
