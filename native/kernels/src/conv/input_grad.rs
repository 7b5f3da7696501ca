//! convInputGrad: the convolution of the cotangent with the filter turned around.

use super::geometry::Geometry;
use super::implicit::Filter;
use super::{Checked, forward};
use crate::check::{expect_ins, sizes};
use crate::dtypes::by_dtype;
use crate::{Error, KernelTable, LibraryKernel};
use millrace_program::{BoundAttrs, Op, Shape};

struct ConvInputGrad;

pub const KERNELS: KernelTable = &[(Op::ConvInputGrad, &ConvInputGrad)];

impl LibraryKernel for ConvInputGrad {
    fn check(&self, ins: &[Shape], outs: &[Shape], attrs: &BoundAttrs) -> Checked {
        let ([g, w], [out]) = expect_ins("convInputGrad", ins, outs)?;
        if sizes(attrs, "inputShape", out.rank(), 0)? != out.dims() {
            return Err(Error::shape(format!("convInputGrad: the result is {out}, not inputShape")));
        }
        let geometry = Geometry::new("convInputGrad", out, w, g, attrs, false)?.turned();
        by_dtype!("convInputGrad", g.dtype(), T => plan::<T>(geometry, Filter::Turned))
    }
}

use forward::plan;
