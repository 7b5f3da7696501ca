//! convGeneral.

use super::Checked;
use super::depthwise::Depthwise;
use super::geometry::Geometry;
use super::implicit::{Filter, Implicit};
use super::winograd::Winograd;
use crate::check::expect_ins;
use crate::dtypes::by_dtype;
use crate::gemm::{Product, Scalar, Sizes, Strides};
use crate::isa::Isa;
use crate::{Done, KernelTable, LibraryKernel, Packed, Packing, Plan, Pool};
use millrace_program::{BoundAttrs, DType, Op, Shape};

struct ConvGeneral;

pub const KERNELS: KernelTable = &[(Op::ConvGeneral, &ConvGeneral)];

impl LibraryKernel for ConvGeneral {
    fn check(&self, ins: &[Shape], outs: &[Shape], attrs: &BoundAttrs) -> Checked {
        let ([x, w], [out]) = expect_ins("convGeneral", ins, outs)?;
        let geometry = Geometry::new("convGeneral", x, w, out, attrs, true)?;
        // Absent unless tf.config has it so.
        let fast = attrs.get("fastMath").is_some() && attrs.bool("fastMath")?;
        if fast && x.dtype() == DType::Float32 && Winograd::fits(&geometry) {
            return Ok(Box::new(Winograd::new(geometry)));
        }
        by_dtype!("convGeneral", x.dtype(), T => plan::<T>(geometry, Filter::Forward))
    }
}

/// The plan of a convolution, or of the gradient in its input as a convolution.
pub fn plan<T: Scalar>(geometry: Geometry, filter: Filter) -> Box<dyn Plan> {
    if geometry.is_depthwise() {
        return Box::new(Depthwise::<T>::new(geometry, filter));
    }
    if geometry.is_product() {
        return Box::new(Pointwise { product: product::<T>(&geometry, filter) });
    }
    Box::new(Implicit::<T>::new(geometry, filter))
}

/// A filter of one element is a plain matrix.
fn product<T: Scalar>(geometry: &Geometry, filter: Filter) -> Product<T> {
    let Geometry { channels, features, .. } = *geometry;
    let b = match filter {
        Filter::Forward => Strides { row: features as isize, column: 1 },
        Filter::Turned => Strides { row: 1, column: channels as isize },
    };
    let a = Strides { row: channels as isize, column: 1 };
    Product::new(Sizes { m: geometry.rows(), n: features, k: channels, a, b, c_row: features }, Isa::current())
}

struct Pointwise<T> {
    product: Product<T>,
}

impl<T: Scalar> Plan for Pointwise<T> {
    fn scratch_bytes(&self) -> usize {
        self.product.scratch_bytes()
    }

    fn flops(&self) -> f64 {
        self.product.sizes.flops()
    }

    fn cost_ns(&self) -> f64 {
        1000.0 + self.product.sizes.flops() / 80.0
    }

    fn parts(&self) -> Option<usize> {
        Some(self.product.sizes.m * self.product.sizes.n)
    }

    unsafe fn run(&self, ins: &[*const u8], outs: &[*mut u8], scratch: *mut u8, pool: &Pool) {
        // SAFETY: `check` has proven the shapes.
        unsafe { self.product.run(ins[0].cast(), ins[1].cast(), outs[0].cast(), false, scratch, pool, None) }
    }

    unsafe fn run_parts(&self, ins: &[*const u8], outs: &[*mut u8], scratch: *mut u8, pool: &Pool, done: Done) {
        // SAFETY: `check` has proven the shapes.
        unsafe { self.product.run(ins[0].cast(), ins[1].cast(), outs[0].cast(), false, scratch, pool, Some(done)) }
    }

    fn packing(&self) -> Option<Packing> {
        self.product.packing(1)
    }

    unsafe fn pack(&self, operand: *const u8, to: *mut u8, pool: &Pool) {
        // SAFETY: by the caller.
        unsafe { self.product.pack_b_on(to.cast(), operand.cast(), pool) }
    }

    unsafe fn run_packed(&self, run: Packed) {
        let Packed { ins, outs, packed, scratch, pool, done } = run;
        // SAFETY: by the caller.
        unsafe { self.product.run_packed(ins[0].cast(), packed.cast(), outs[0].cast(), false, scratch, pool, done) }
    }
}
