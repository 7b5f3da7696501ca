//! convFilterGrad: columnsᵀ · g, a sum over all positions of all images. Parts of the positions, cut by shape, are
//! summed on their own and combined in a balanced tree: the bits do not depend on the number of threads.

use super::geometry::Geometry;
use super::{Checked, block_rows, by_dtype};
use crate::areas::{self, Areas};
use crate::check::{expect_ins, sizes};
use crate::gemm::{self, Product, Scalar, Sizes, Strides};
use crate::isa::Isa;
use crate::loops::transpose::Shared;
use crate::{Error, KernelTable, LibraryKernel, Plan, Pool};
use millrace_program::{BoundAttrs, DType, Op, Shape};

/// Operations that one part should have, and how much memory the parts may take together.
const PART_FLOPS: f64 = 4e6;
const PARTS: usize = 16;
const PART_MEMORY: usize = 64 << 20;

struct ConvFilterGrad;

pub const KERNELS: KernelTable = &[(Op::ConvFilterGrad, &ConvFilterGrad)];

impl LibraryKernel for ConvFilterGrad {
    fn check(&self, ins: &[Shape], outs: &[Shape], attrs: &BoundAttrs) -> Checked {
        let ([x, g], [out]) = expect_ins("convFilterGrad", ins, outs)?;
        if sizes(attrs, "filterShape", out.rank(), 0)? != out.dims() {
            return Err(Error::shape(format!("convFilterGrad: the result is {out}, not filterShape")));
        }
        let geometry = Geometry::new("convFilterGrad", x, out, g, attrs, false)?;
        by_dtype!("convFilterGrad", x.dtype(), plan(geometry))
    }
}

fn plan<T: Scalar>(geometry: Geometry) -> Box<dyn Plan> {
    let (rows, columns) = (geometry.rows(), geometry.columns());
    let block = block_rows(rows, columns, size_of::<T>());
    let bytes = columns * geometry.features * size_of::<T>();
    let parts = ((geometry.flops() / PART_FLOPS) as usize).clamp(1, PARTS).min((PART_MEMORY / bytes.max(1)).max(1));
    let part = rows.div_ceil(parts).next_multiple_of(block).max(block);
    let sizes = |k: usize| Sizes {
        m: columns,
        n: geometry.group_features(),
        k,
        a: Strides { row: 1, column: columns as isize },
        b: Strides { row: geometry.features as isize, column: 1 },
        c_row: geometry.features,
    };
    let isa = Isa::current();
    let product = Product::<T>::new(sizes(block), isa);
    let last = Product::<T>::new(sizes(if rows.is_multiple_of(block) { block } else { rows % block }), isa);
    Box::new(FilterGrad { parts: rows.div_ceil(part), part, block, product, last, geometry })
}

struct FilterGrad<T> {
    geometry: Geometry,
    /// A block of rows, and what is left at the end.
    product: Product<T>,
    last: Product<T>,
    block: usize,
    /// Rows in one part.
    part: usize,
    parts: usize,
}

impl<T: Scalar> FilterGrad<T> {
    /// Elements of the result.
    fn len(&self) -> usize {
        self.geometry.columns() * self.geometry.features
    }

    fn partial_bytes(&self) -> usize {
        (self.parts.saturating_sub(1) * self.len() * size_of::<T>()).next_multiple_of(64)
    }

    fn column_bytes(&self) -> usize {
        (self.block * self.geometry.columns() * size_of::<T>()).next_multiple_of(64)
    }

    fn area_bytes(&self) -> usize {
        self.column_bytes() + gemm::serial_bytes::<T>(&self.product.sizes)
    }
}

impl<T: Scalar> Plan for FilterGrad<T> {
    fn scratch_bytes(&self) -> usize {
        self.partial_bytes() + self.area_bytes() * areas::wanted(self.parts)
    }

    fn flops(&self) -> f64 {
        self.geometry.flops()
    }

    fn cost_ns(&self) -> f64 {
        1000.0 + self.geometry.flops() / 40.0
    }

    unsafe fn run(&self, ins: &[*const u8], outs: &[*mut u8], scratch: *mut u8, pool: &Pool) {
        let geometry = &self.geometry;
        let (x, g, out) = (Shared(ins[0] as *mut T), Shared(ins[1] as *mut T), Shared(outs[0] as *mut T));
        let (rows, len) = (geometry.rows(), self.len());
        if len == 0 {
            return;
        }
        if rows == 0 {
            // SAFETY: the result has `len` elements.
            return unsafe { (0..len).for_each(|i| out.get().add(i).write(T::ZERO)) };
        }
        let partial = Shared(scratch as *mut T);
        // The first part is summed where the result goes.
        let sum_of = |part: usize| if part == 0 { out.get() } else { partial.get().wrapping_add((part - 1) * len) };
        // SAFETY: `check` has proven the shapes; each part has a sum of its own.
        unsafe {
            let areas = Areas::new(scratch.add(self.partial_bytes()), self.area_bytes(), areas::wanted(self.parts));
            pool.for_chunks(self.parts, |part| {
                let (start, end) = (part * self.part, ((part + 1) * self.part).min(rows));
                areas.with(|memory| {
                    let columns = memory as *mut T;
                    for first in (start..end).step_by(self.block) {
                        let count = self.block.min(end - first);
                        let product = if count == self.block { &self.product } else { &self.last };
                        for group in 0..geometry.groups {
                            geometry.gather(x.get(), group, first, count, columns);
                            let features = group * geometry.group_features();
                            let from = g.get().add(first * geometry.features + features);
                            let work = memory.add(self.column_bytes());
                            product.run_serial(columns, from, sum_of(part).add(features), first > start, work);
                        }
                    }
                });
            });
            let mut step = 1;
            while step < self.parts {
                let pairs = (self.parts - step).div_ceil(2 * step);
                pool.for_chunks(pairs, |pair| {
                    let (to, from) = (sum_of(2 * pair * step), sum_of(2 * pair * step + step));
                    for i in 0..len {
                        to.add(i).write(T::add(to.add(i).read(), from.add(i).read()));
                    }
                });
                step *= 2;
            }
        }
    }
}
