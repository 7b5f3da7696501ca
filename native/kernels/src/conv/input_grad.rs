//! convInputGrad: rows of the column matrix of the gradient are g · wᵀ, added back to the images they belong to. A
//! thread has whole images, so no two threads add to one element.

use super::geometry::Geometry;
use super::{Checked, block_rows, by_dtype};
use crate::areas::{self, Areas};
use crate::check::{expect_ins, sizes};
use crate::gemm::{Product, Scalar, Sizes, Strides};
use crate::isa::Isa;
use crate::loops::transpose::Shared;
use crate::{Error, KernelTable, LibraryKernel, Plan, Pool};
use millrace_program::{BoundAttrs, DType, Op, Shape};

struct ConvInputGrad;

pub const KERNELS: KernelTable = &[(Op::ConvInputGrad, &ConvInputGrad)];

impl LibraryKernel for ConvInputGrad {
    fn check(&self, ins: &[Shape], outs: &[Shape], attrs: &BoundAttrs) -> Checked {
        let ([g, w], [out]) = expect_ins("convInputGrad", ins, outs)?;
        if sizes(attrs, "inputShape", out.rank(), 0)? != out.dims() {
            return Err(Error::shape(format!("convInputGrad: the result is {out}, not inputShape")));
        }
        let geometry = Geometry::new("convInputGrad", out, w, g, attrs, false)?;
        by_dtype!("convInputGrad", g.dtype(), plan(geometry))
    }
}

fn plan<T: Scalar>(geometry: Geometry) -> Box<dyn Plan> {
    let block =
        block_rows(geometry.positions() * 16, geometry.columns(), size_of::<T>()).min(geometry.positions().max(1));
    let sizes = Sizes {
        m: block,
        n: geometry.columns(),
        k: geometry.group_features(),
        a: Strides { row: geometry.features as isize, column: 1 },
        b: Strides { row: 1, column: geometry.features as isize },
        c_row: geometry.columns(),
    };
    Box::new(InputGrad { product: Product::<T>::new(sizes, Isa::current()), geometry, block })
}

struct InputGrad<T> {
    geometry: Geometry,
    product: Product<T>,
    block: usize,
}

impl<T: Scalar> InputGrad<T> {
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

impl<T: Scalar> Plan for InputGrad<T> {
    fn scratch_bytes(&self) -> usize {
        self.packed_bytes() + self.area_bytes() * areas::wanted(self.geometry.batch)
    }

    fn flops(&self) -> f64 {
        self.geometry.flops()
    }

    fn cost_ns(&self) -> f64 {
        1000.0 + self.geometry.flops() / 35.0
    }

    unsafe fn run(&self, ins: &[*const u8], outs: &[*mut u8], scratch: *mut u8, pool: &Pool) {
        let geometry = &self.geometry;
        let (g, w, dx) = (Shared(ins[0] as *mut T), ins[1] as *const T, Shared(outs[0] as *mut T));
        let (image, positions) = (geometry.image(), geometry.positions());
        if geometry.batch * image == 0 {
            return;
        }
        // SAFETY: `check` has proven the shapes; chunks are different images.
        unsafe {
            let packed = Shared(scratch as *mut T);
            let (features, per_group) = (geometry.group_features(), self.product.packed_len());
            for group in 0..geometry.groups {
                self.product.pack_b(packed.get().add(group * per_group), w.add(group * features));
            }
            let areas = Areas::new(scratch.add(self.packed_bytes()), self.area_bytes(), areas::wanted(geometry.batch));
            pool.for_chunks(geometry.batch, |n| {
                let own = dx.get().add(n * image);
                (0..image).for_each(|i| own.add(i).write(T::ZERO));
                if features == 0 {
                    return;
                }
                areas.with(|memory| {
                    let columns = memory as *mut T;
                    for group in 0..geometry.groups {
                        for first in (0..positions).step_by(self.block) {
                            let (row, rows) = (n * positions + first, self.block.min(positions - first));
                            let from = g.get().add(row * geometry.features + group * features);
                            let filter = packed.get().add(group * per_group);
                            self.product.run_rows(from, filter, columns, rows, memory.add(self.column_bytes()));
                            geometry.scatter(columns, group, row, rows, dx.get());
                        }
                    }
                });
            });
        }
    }
}
