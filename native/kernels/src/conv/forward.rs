//! convGeneral.

use super::geometry::Geometry;
use super::{Checked, block_rows, by_dtype, depthwise};
use crate::areas::{self, Areas};
use crate::check::expect_ins;
use crate::gemm::{Product, Scalar, Sizes, Strides};
use crate::isa::Isa;
use crate::loops::transpose::Shared;
use crate::tail;
use crate::{Done, Error, KernelTable, LibraryKernel, Plan, Pool};
use millrace_program::{BoundAttrs, DType, Op, Shape};

struct ConvGeneral;

pub const KERNELS: KernelTable = &[(Op::ConvGeneral, &ConvGeneral)];

impl LibraryKernel for ConvGeneral {
    fn check(&self, ins: &[Shape], outs: &[Shape], attrs: &BoundAttrs) -> Checked {
        let ([x, w], [out]) = expect_ins("convGeneral", ins, outs)?;
        let geometry = Geometry::new("convGeneral", x, w, out, attrs, true)?;
        by_dtype!("convGeneral", x.dtype(), plan(geometry))
    }
}

fn plan<T: Scalar>(geometry: Geometry) -> Box<dyn Plan> {
    if geometry.groups > 1 && geometry.group_channels() == 1 {
        return Box::new(depthwise::Forward::<T>::new(geometry));
    }
    Box::new(Forward::<T>::new(geometry))
}

/// Blocks of rows, each multiplied with the packed filter of its group.
pub struct Forward<T> {
    geometry: Geometry,
    product: Product<T>,
    block: usize,
}

impl<T: Scalar> Forward<T> {
    pub fn new(geometry: Geometry) -> Forward<T> {
        let (columns, features) = (geometry.columns(), geometry.features);
        let block =
            if geometry.is_product() { geometry.rows() } else { block_rows(geometry.rows(), columns, size_of::<T>()) };
        let sizes = Sizes {
            m: block,
            n: geometry.group_features(),
            k: columns,
            a: Strides { row: columns as isize, column: 1 },
            b: Strides { row: features as isize, column: 1 },
            c_row: features,
        };
        Forward { product: Product::new(sizes, Isa::current()), geometry, block }
    }

    fn chunks(&self) -> usize {
        self.geometry.rows().div_ceil(self.block.max(1))
    }

    fn packed_bytes(&self) -> usize {
        (self.geometry.groups * self.product.packed_len() * size_of::<T>()).next_multiple_of(64)
    }

    fn column_bytes(&self) -> usize {
        (self.block * self.geometry.columns() * size_of::<T>()).next_multiple_of(64)
    }

    fn area_bytes(&self) -> usize {
        self.column_bytes() + self.product.rows_bytes()
    }
}

impl<T: Scalar> Plan for Forward<T> {
    fn scratch_bytes(&self) -> usize {
        if self.geometry.is_product() {
            return self.product.scratch_bytes();
        }
        self.packed_bytes() + self.area_bytes() * areas::wanted(self.chunks())
    }

    fn flops(&self) -> f64 {
        self.geometry.flops()
    }

    fn cost_ns(&self) -> f64 {
        1000.0 + self.geometry.flops() / 40.0
    }

    fn parts(&self) -> Option<usize> {
        Some(self.geometry.rows() * self.geometry.features)
    }

    unsafe fn run(&self, ins: &[*const u8], outs: &[*mut u8], scratch: *mut u8, pool: &Pool) {
        // SAFETY: by the caller.
        unsafe { self.compute(ins, outs, scratch, pool, None) }
    }

    unsafe fn run_parts(&self, ins: &[*const u8], outs: &[*mut u8], scratch: *mut u8, pool: &Pool, done: Done) {
        // SAFETY: by the caller.
        unsafe { self.compute(ins, outs, scratch, pool, Some(done)) }
    }
}

impl<T: Scalar> Forward<T> {
    /// See `Plan::run` and `Plan::run_parts`.
    unsafe fn compute(&self, ins: &[*const u8], outs: &[*mut u8], scratch: *mut u8, pool: &Pool, done: Option<Done>) {
        let geometry = &self.geometry;
        let (x, w, out) = (Shared(ins[0] as *mut T), ins[1] as *const T, Shared(outs[0] as *mut T));
        if geometry.rows() == 0 || geometry.features == 0 {
            return;
        }
        // SAFETY: `check` has proven the shapes; chunks write different rows of the output.
        unsafe {
            if geometry.is_product() {
                return self.product.run(x.get(), w, out.get(), false, scratch, pool, done);
            }
            if geometry.columns() == 0 {
                let elements = geometry.rows() * geometry.features;
                (0..elements).for_each(|i| out.get().add(i).write(T::ZERO));
                return tail::hand_out(elements, pool, done);
            }
            let packed = Shared(scratch as *mut T);
            let (channels, features, per_group) =
                (geometry.group_channels(), geometry.group_features(), self.product.packed_len());
            debug_assert_eq!(channels * geometry.taps(), geometry.columns());
            for group in 0..geometry.groups {
                self.product.pack_b(packed.get().add(group * per_group), w.add(group * features));
            }
            let areas = Areas::new(scratch.add(self.packed_bytes()), self.area_bytes(), areas::wanted(self.chunks()));
            pool.for_chunks(self.chunks(), |chunk| {
                let first = chunk * self.block;
                let rows = self.block.min(geometry.rows() - first);
                areas.with(|memory| {
                    let columns = memory as *mut T;
                    for group in 0..geometry.groups {
                        geometry.gather(x.get(), group, first, rows, columns);
                        let to = out.get().add(first * geometry.features + group * features);
                        let filter = packed.get().add(group * per_group);
                        self.product.run_rows(columns, filter, to, rows, memory.add(self.column_bytes()));
                    }
                });
                if let Some(done) = done {
                    done(first * geometry.features..(first + rows) * geometry.features);
                }
            });
        }
    }
}
