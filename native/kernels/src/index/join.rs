//! concat and pad: boxes of elements copied into the result.

use super::region::{Region, fill, strides};
use crate::check::{expect, expect_ins, expect_out, ints, sizes};
use crate::{Error, KernelTable, LibraryKernel, Plan, Pool};
use millrace_program::{BoundAttrs, Op, Shape};

struct Concat;

pub const KERNELS: KernelTable = &[(Op::Concat, &Concat), (Op::Pad, &Pad)];

impl LibraryKernel for Concat {
    fn check(&self, ins: &[Shape], outs: &[Shape], attrs: &BoundAttrs) -> Result<Box<dyn Plan>, Error> {
        let (Some(first), [out]) = (ins.first(), outs) else {
            return Err(Error::argument("concat: at least one operand and one result are needed"));
        };
        let axis = attrs.axis("axis", first.rank())?;
        let mut length = 0usize;
        for x in ins {
            let alike = x.rank() == first.rank() && (0..x.rank()).all(|k| k == axis || x.dims()[k] == first.dims()[k]);
            expect(alike && x.dtype() == first.dtype(), || {
                format!("concat: {x} does not fit {first} along axis {axis}")
            })?;
            length =
                length.checked_add(x.dims()[axis]).ok_or_else(|| Error::shape("concat: the result is too large"))?;
        }
        let mut dims = first.dims().to_vec();
        dims[axis] = length;
        expect_out("concat", out, first.dtype(), &dims)?;
        let to = strides(out.dims());
        let (mut parts, mut at) = (Vec::with_capacity(ins.len()), 0);
        for x in ins {
            let region = Region::new(x.dims(), &strides(x.dims()), &to, x.dtype().size());
            parts.push((region, at * to[axis] as usize * x.dtype().size()));
            at += x.dims()[axis];
        }
        Ok(Box::new(ConcatPlan { parts }))
    }
}

struct ConcatPlan {
    /// For each operand, the box and the byte of the result where it starts.
    parts: Vec<(Region, usize)>,
}

impl Plan for ConcatPlan {
    fn cost_ns(&self) -> f64 {
        self.parts.iter().map(|(region, _)| region.cost_ns()).sum()
    }

    unsafe fn run(&self, ins: &[*const u8], outs: &[*mut u8], _scratch: *mut u8, pool: &Pool) {
        for (&x, (region, at)) in ins.iter().zip(&self.parts) {
            if region.elements() > 0 {
                // SAFETY: `check` has proven that the parts tile the result.
                unsafe { region.copy(x, outs[0].add(*at), pool) }
            }
        }
    }
}

struct Pad;

impl LibraryKernel for Pad {
    fn check(&self, ins: &[Shape], outs: &[Shape], attrs: &BoundAttrs) -> Result<Box<dyn Plan>, Error> {
        let ([x, value], [out]) = expect_ins("pad", ins, outs)?;
        let rank = x.rank();
        let (low, high) = (ints(attrs, "low", rank)?, ints(attrs, "high", rank)?);
        let interior = sizes(attrs, "interior", rank, 0)?;
        expect(value.rank() == 0 && value.dtype() == x.dtype(), || format!("pad: {x} cannot be padded with {value}"))?;
        expect(out.rank() == rank && out.dtype() == x.dtype(), || format!("pad: the result cannot be {out}"))?;
        let (from_strides, to_strides) = (strides(x.dims()), strides(out.dims()));
        let (mut extents, mut from, mut to, mut to_steps) = (vec![], 0i64, 0i64, vec![]);
        for k in 0..rank {
            let (n, step) = (x.dims()[k] as i128, interior[k] as i128 + 1);
            let spread = if n == 0 { 0 } else { (n - 1) * step + 1 };
            let size = spread + low[k] as i128 + high[k] as i128;
            expect(size == out.dims()[k] as i128, || format!("pad: {out} should have size {size} in dimension {k}"))?;
            // Elements first .. end of x are inside the result.
            let start = low[k] as i128;
            let first = if start >= 0 { 0 } else { (-start + step - 1) / step };
            let end = if size <= start { 0 } else { ((size - start + step - 1) / step).min(n) };
            let count = (end - first).max(0);
            extents.push(count as usize);
            if count > 0 {
                from += first as i64 * from_strides[k];
                to += (start + first * step) as i64 * to_strides[k];
            }
            // One element needs no step, which may be beyond any size.
            to_steps.push(if count > 1 { step as i64 * to_strides[k] } else { 0 });
        }
        let size = x.dtype().size();
        let region = Region::new(&extents, &from_strides, &to_steps, size);
        let is_empty = extents.contains(&0);
        Ok(Box::new(PadPlan {
            from: if is_empty { 0 } else { from as usize * size },
            to: if is_empty { 0 } else { to as usize * size },
            region,
            count: out.numel(),
            size,
        }))
    }
}

struct PadPlan {
    region: Region,
    /// Bytes to the first element that is copied, in x and in the result.
    from: usize,
    to: usize,
    count: usize,
    size: usize,
}

impl Plan for PadPlan {
    fn cost_ns(&self) -> f64 {
        self.region.cost_ns() + 0.1 * self.count as f64
    }

    unsafe fn run(&self, ins: &[*const u8], outs: &[*mut u8], _scratch: *mut u8, pool: &Pool) {
        // SAFETY: `check` has proven the box on both sides.
        unsafe {
            if self.region.elements() != self.count {
                fill(self.size, ins[1], outs[0], self.count, pool);
            }
            if self.region.elements() > 0 {
                self.region.copy(ins[0].add(self.from), outs[0].add(self.to), pool);
            }
        }
    }
}
