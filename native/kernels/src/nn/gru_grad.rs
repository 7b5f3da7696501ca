//! gruGrad: the steps of recurrent_grad.rs.

use super::gates::{Cell, Place, Rows, moved};
use super::gru::{GATES, SAVED};
use super::real::{LANES, Real, lanes};
use super::recurrent::{Sides, Step};
use super::recurrent_grad::{Backward, Given};
use super::same_float;
use crate::check::{expect, expect_out};
use crate::isa::{Isa, version};
use crate::loops::transpose::Shared;
use crate::{Error, KernelTable, LibraryKernel, Plan, Pool};
use millrace_program::{BoundAttrs, DType, Op, Shape};

/// The results of gru: h, the last h, what is saved.
const RESULTS: usize = 3;

struct GruGrad;

pub const KERNELS: KernelTable = &[(Op::GruGrad, &GruGrad)];

impl LibraryKernel for GruGrad {
    fn check(&self, ins: &[Shape], outs: &[Shape], attrs: &BoundAttrs) -> Result<Box<dyn Plan>, Error> {
        let [kernel, h, saved, ..] = ins else {
            return Err(Error::argument("gruGrad: 3 operands at least are needed"));
        };
        let dtype = same_float("gruGrad", &[kernel, h])?;
        let sides = Sides::new("gruGrad", h, kernel, GATES, attrs.bool("reverse")?)?;
        let (sequence, state, all) = (sides.sequence(h, sides.units), sides.state(h), sides.saved(h, SAVED));
        for (shape, dims) in [(h, &sequence), (saved, &all)] {
            expect_out("gruGrad", shape, dtype, dims)?;
        }
        let given = Given::new("gruGrad", [ins, outs], [3, 1], &state, [&sequence, &state, &all], attrs)?;
        expect_out("gruGrad", &outs[0], dtype, &sides.sequence(h, sides.columns))?;
        expect(outs[1] == *kernel, || format!("gruGrad: the result is {kernel}, not {}", outs[1]))?;
        fn plan<T: Real>(sides: Sides, given: Given<RESULTS>) -> Box<dyn Plan> {
            let cell = version::<Cell<GruGradRows<T>>>(Isa::current());
            Box::new(GradPlan { backward: Backward::<T>::new(sides, true), given, cell })
        }
        Ok(if dtype == DType::Float32 { plan::<f32>(sides, given) } else { plan::<f64>(sides, given) })
    }
}

struct GradPlan<T> {
    backward: Backward<T>,
    given: Given<RESULTS>,
    cell: unsafe fn(GruGradRows<T>),
}

/// One step of some rows: where the first lies. Null where there is nothing.
#[derive(Clone, Copy)]
struct GruGradRows<T> {
    saved: *const T,
    /// With the distance to the next row.
    before: (*const T, usize),
    of_h: *const T,
    of_saved: *const T,
    /// The cotangent of h.
    state: *mut T,
    sums: *mut T,
    out: *mut T,
    rows: usize,
    units: usize,
    time: usize,
    state_row: usize,
    sums_row: usize,
}

impl<T: Real> Rows for GruGradRows<T> {
    fn count(&self) -> usize {
        self.rows
    }

    fn units(&self) -> usize {
        self.units
    }

    #[inline(always)]
    fn row(self, number: usize) -> Self {
        let narrow = number * self.time * self.units;
        GruGradRows {
            saved: self.saved.wrapping_add(SAVED * narrow),
            before: (moved(self.before.0, number * self.before.1), 0),
            of_h: moved(self.of_h, narrow),
            of_saved: moved(self.of_saved, SAVED * narrow),
            state: self.state.wrapping_add(number * self.state_row),
            sums: self.sums.wrapping_add(number * self.sums_row),
            out: self.out.wrapping_add(GATES * narrow),
            ..self
        }
    }

    #[inline(always)]
    unsafe fn part<const FMA: bool, const WHOLE: bool>(self, at: Place<WHOLE>) {
        let a = self;
        let gate = |k: usize| k * a.units;
        let one = T::of(1.0);
        // SAFETY: by the caller.
        unsafe {
            // Zeros where there is nothing.
            let some = |from: *const T, by: usize| match from.is_null() {
                true => [T::ZERO; LANES],
                false => at.load([from.add(by)])[0],
            };
            let [z, r, g, n] = at.load([0, 1, 2, 3].map(|k| a.saved.add(gate(k))));
            let [of_z, of_r, of_g, of_n] = [0, 1, 2, 3].map(|k| some(a.of_saved, gate(k)));
            let dh = lanes([at.load([a.state.cast_const()])[0], some(a.of_h, 0)], |[x, y]| x + y);
            let before = some(a.before.0, 0);
            let dz = lanes([dh, before, g, of_z], |[dh, before, g, of]| dh * (before - g) + of);
            let dg = lanes([dh, z, of_g, g], |[dh, z, of, g]| (dh * (one - z) + of) * (one - g * g));
            let dr = lanes([dg, n, of_r, r], |[dg, n, of, r]| (dg * n + of) * (r * (one - r)));
            let dz = lanes([dz, z], |[dz, z]| dz * (z * (one - z)));
            let dn = lanes([dg, r, of_n], |[dg, r, of]| dg * r + of);
            at.store(a.state, lanes([dh, z], |[dh, z]| dh * z));
            for (k, [of_x, of_sums]) in [[dz, dz], [dr, dr], [dg, dn]].into_iter().enumerate() {
                at.store(a.out.add(gate(k)), of_x);
                at.store(a.sums.add(gate(k)), of_sums);
            }
        }
    }
}

impl<T: Real> Plan for GradPlan<T> {
    fn scratch_bytes(&self) -> usize {
        self.backward.scratch_bytes::<1>()
    }

    fn cost_ns(&self) -> f64 {
        let Sides { groups, batch, time, columns, .. } = self.backward.sides;
        500.0 + self.backward.flops() / 30.0 + (groups * batch * time * columns) as f64
    }

    fn flops(&self) -> f64 {
        self.backward.flops()
    }

    unsafe fn run(&self, ins: &[*const u8], outs: &[*mut u8], scratch: *mut u8, pool: &Pool) {
        let sides = self.backward.sides;
        let Sides { units, columns, time, .. } = sides;
        let operand = |i: usize| Shared(ins[i] as *mut T);
        let [kernel, h, saved] = [0, 1, 2].map(operand);
        let initial = (self.given.initial > 0).then(|| operand(3));
        let [of_h, of_last, of_saved] = self.given.cotangents.map(|at| at.map(operand));
        let [out, gradient] = [0, 1].map(|i| Shared(outs[i] as *mut T));
        let ends = initial.map(|_| [Shared(outs[2] as *mut T)]);
        // SAFETY: `check` has proven the shapes.
        unsafe {
            self.backward.run([kernel, h], initial, [of_last], ends, gradient, scratch, pool, |step: Step<T, 1>| {
                let some = |from: Option<Shared<T>>, at: usize| -> *const T {
                    from.map_or(std::ptr::null(), |from| from.get().add(at))
                };
                let before = match step.before {
                    Some(at) => (h.get().add(at * units).cast_const(), time * units),
                    None => (some(initial, step.first * units), units),
                };
                (self.cell)(GruGradRows {
                    saved: saved.get().add(step.at * SAVED * units),
                    before,
                    of_h: some(of_h, step.at * units),
                    of_saved: some(of_saved, step.at * SAVED * units),
                    state: step.states[0],
                    sums: step.sums,
                    out: out.get().add(step.at * columns),
                    rows: step.rows,
                    units,
                    time,
                    state_row: sides.state_row(),
                    sums_row: sides.sums_row(),
                });
            });
        }
    }
}
