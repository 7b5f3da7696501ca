//! cumsum and cumprod: a running fold along one axis.

use super::Along;
use crate::check::{expect_ins, expect_out};
use crate::gemm::Scalar;
use crate::loops::transpose::Shared;
use crate::{Error, KernelTable, LibraryKernel, Plan, Pool};
use millrace_program::{BoundAttrs, DType, Op, Shape};

/// cumsum, or cumprod.
struct Scan {
    name: &'static str,
    product: bool,
}

pub const KERNELS: KernelTable =
    &[(Op::Cumprod, &Scan { name: "cumprod", product: true }), (Op::Cumsum, &Scan { name: "cumsum", product: false })];

impl LibraryKernel for Scan {
    fn check(&self, ins: &[Shape], outs: &[Shape], attrs: &BoundAttrs) -> Result<Box<dyn Plan>, Error> {
        let ([x], [out]) = expect_ins(self.name, ins, outs)?;
        expect_out(self.name, out, x.dtype(), x.dims())?;
        let along = Along::new(x, attrs.axis("axis", x.rank())?);
        let (reverse, exclusive) = (attrs.bool("reverse")?, attrs.bool("exclusive")?);
        macro_rules! plan {
            ($t:ty, $one:expr, $times:expr) => {
                if self.product {
                    Ok(Box::new(ScanPlan { along, reverse, exclusive, first: $one, fold: $times }))
                } else {
                    Ok(Box::new(ScanPlan { along, reverse, exclusive, first: <$t>::ZERO, fold: <$t as Scalar>::add }))
                }
            };
        }
        match x.dtype() {
            DType::Float32 => plan!(f32, 1f32, |x: f32, y: f32| x * y),
            DType::Float64 => plan!(f64, 1f64, |x: f64, y: f64| x * y),
            DType::Int32 => plan!(i32, 1i32, i32::wrapping_mul),
            DType::Int64 => plan!(i64, 1i64, i64::wrapping_mul),
            DType::Uint8 => plan!(u8, 1u8, u8::wrapping_mul),
            DType::Int8 => plan!(i8, 1i8, i8::wrapping_mul),
            dtype @ (DType::Bool | DType::Bfloat16) => {
                Err(Error::dtype(format!("{}: no kernel for {}", self.name, dtype.name())))
            }
        }
    }
}

struct ScanPlan<T, F> {
    along: Along,
    reverse: bool,
    exclusive: bool,
    first: T,
    fold: F,
}

/// Columns that are scanned together.
const STRIP: usize = 128;

impl<T: Scalar, F: Fn(T, T) -> T + Send + Sync> Plan for ScanPlan<T, F> {
    fn cost_ns(&self) -> f64 {
        50.0 + (self.along.outer * self.along.size * self.along.inner) as f64
            * if self.along.inner < 8 { 1.5 } else { 0.4 }
    }

    unsafe fn run(&self, ins: &[*const u8], outs: &[*mut u8], _scratch: *mut u8, pool: &Pool) {
        let Along { outer, size, inner } = self.along;
        if outer * size * inner == 0 {
            return;
        }
        let (x, out) = (Shared(ins[0] as *mut T), Shared(outs[0] as *mut T));
        let strips = inner.div_ceil(STRIP);
        let units = outer * strips;
        let group = (16_384 / (size * inner.min(STRIP))).clamp(1, units);
        pool.for_chunks(units.div_ceil(group), |chunk| {
            for unit in chunk * group..((chunk + 1) * group).min(units) {
                let (block, left) = (unit / strips, unit % strips * STRIP);
                let len = STRIP.min(inner - left);
                let mut sums = [self.first; STRIP];
                for step in 0..size {
                    let at = (block * size + if self.reverse { size - 1 - step } else { step }) * inner + left;
                    for (i, sum) in sums.iter_mut().enumerate().take(len) {
                        // SAFETY: inside both operands, which have one shape; in place an element is read before it is
                        // written.
                        unsafe {
                            let next = (self.fold)(*sum, x.get().add(at + i).read());
                            out.get().add(at + i).write(if self.exclusive { *sum } else { next });
                            *sum = next;
                        }
                    }
                }
            }
        });
    }
}
