//! dynamicSlice and dynamicUpdateSlice: a box whose place is data. The start is moved so that the box lies inside.

use super::region::{Region, strides};
use crate::check::{expect, expect_ins, expect_out, sizes};
use crate::{Error, KernelTable, LibraryKernel, Plan, Pool};
use millrace_program::{BoundAttrs, DType, Op, Shape};

struct DynamicSlice;

pub const KERNELS: KernelTable = &[(Op::DynamicSlice, &DynamicSlice), (Op::DynamicUpdateSlice, &DynamicUpdateSlice)];

impl LibraryKernel for DynamicSlice {
    fn check(&self, ins: &[Shape], outs: &[Shape], attrs: &BoundAttrs) -> Result<Box<dyn Plan>, Error> {
        let ([x, start], [out]) = expect_ins("dynamicSlice", ins, outs)?;
        let sizes = sizes(attrs, "sizes", x.rank(), 0)?;
        expect_out("dynamicSlice", out, x.dtype(), &sizes)?;
        let place = Place::new("dynamicSlice", x, &sizes, start)?;
        let region = Region::new(&sizes, &strides(x.dims()), &strides(&sizes), x.dtype().size());
        Ok(Box::new(SlicePlan { place, region }))
    }
}

struct SlicePlan {
    place: Place,
    region: Region,
}

impl Plan for SlicePlan {
    fn cost_ns(&self) -> f64 {
        self.region.cost_ns()
    }

    unsafe fn run(&self, ins: &[*const u8], outs: &[*mut u8], _scratch: *mut u8, pool: &Pool) {
        if self.region.elements() > 0 {
            // SAFETY: the place is inside x.
            unsafe { self.region.copy(ins[0].add(self.place.byte(ins[1])), outs[0], pool) }
        }
    }
}

struct DynamicUpdateSlice;

impl LibraryKernel for DynamicUpdateSlice {
    fn check(&self, ins: &[Shape], outs: &[Shape], _attrs: &BoundAttrs) -> Result<Box<dyn Plan>, Error> {
        let ([x, update, start], [out]) = expect_ins("dynamicUpdateSlice", ins, outs)?;
        expect_out("dynamicUpdateSlice", out, x.dtype(), x.dims())?;
        expect(update.dtype() == x.dtype() && update.rank() == x.rank(), || {
            format!("dynamicUpdateSlice: {update} does not fit {x}")
        })?;
        let place = Place::new("dynamicUpdateSlice", x, update.dims(), start)?;
        let size = x.dtype().size();
        let whole = Region::new(&[x.numel()], &[1], &[1], size);
        let region = Region::new(update.dims(), &strides(update.dims()), &strides(x.dims()), size);
        Ok(Box::new(UpdatePlan { place, whole, region }))
    }
}

struct UpdatePlan {
    place: Place,
    whole: Region,
    region: Region,
}

impl Plan for UpdatePlan {
    fn cost_ns(&self) -> f64 {
        self.whole.cost_ns() + self.region.cost_ns()
    }

    fn overwrites(&self) -> Option<usize> {
        Some(0)
    }

    unsafe fn run(&self, ins: &[*const u8], outs: &[*mut u8], _scratch: *mut u8, pool: &Pool) {
        // SAFETY: the place is inside the result, which has the shape of x; in place it is x.
        unsafe {
            if ins[0] != outs[0].cast_const() && self.whole.elements() > 0 {
                self.whole.copy(ins[0], outs[0], pool);
            }
            if self.region.elements() > 0 {
                self.region.copy(ins[1], outs[0].add(self.place.byte(ins[2])), pool);
            }
        }
    }
}

/// Where the box starts.
struct Place {
    /// The largest start and the stride in bytes of each dimension.
    dims: Vec<(usize, usize)>,
}

impl Place {
    fn new(op: &str, x: &Shape, sizes: &[usize], start: &Shape) -> Result<Place, Error> {
        expect(start.dtype() == DType::Int32 && start.dims() == [x.rank()], || {
            format!("{op}: start is int32[{}], not {start}", x.rank())
        })?;
        expect(sizes.iter().zip(x.dims()).all(|(size, dim)| size <= dim), || {
            format!("{op}: {sizes:?} is larger than {x}")
        })?;
        let strides = strides(x.dims());
        let size = x.dtype().size();
        Ok(Place { dims: (0..x.rank()).map(|k| (x.dims()[k] - sizes[k], strides[k] as usize * size)).collect() })
    }

    /// # Safety
    /// `start` has an int32 for each dimension.
    unsafe fn byte(&self, start: *const u8) -> usize {
        let at = |k: usize, last: usize| {
            // SAFETY: by the caller.
            let wanted = unsafe { (start as *const i32).add(k).read() };
            usize::try_from(wanted).unwrap_or(0).min(last)
        };
        self.dims.iter().enumerate().map(|(k, &(last, stride))| at(k, last) * stride).sum()
    }
}
