//! lstmGrad: the steps of recurrent_grad.rs.

use super::gates::{Cell, Place, Rows, moved, tanh};
use super::lstm::GATES;
use super::real::{LANES, Real, lanes};
use super::recurrent::{Sides, Step};
use super::recurrent_grad::{Backward, Given};
use super::same_float;
use crate::check::{expect, expect_out};
use crate::isa::{Isa, version};
use crate::loops::transpose::Shared;
use crate::{Error, KernelTable, LibraryKernel, Plan, Pool};
use millrace_program::{BoundAttrs, DType, Op, Shape};

/// The results of lstm: h, the last h and c, c, gates.
const RESULTS: usize = 5;

struct LstmGrad;

pub const KERNELS: KernelTable = &[(Op::LstmGrad, &LstmGrad)];

impl LibraryKernel for LstmGrad {
    fn check(&self, ins: &[Shape], outs: &[Shape], attrs: &BoundAttrs) -> Result<Box<dyn Plan>, Error> {
        let [kernel, h, c, gates, ..] = ins else {
            return Err(Error::argument("lstmGrad: 4 operands at least are needed"));
        };
        let dtype = same_float("lstmGrad", &[kernel, h])?;
        let sides = Sides::new("lstmGrad", h, kernel, GATES, attrs.bool("reverse")?)?;
        let (wide, sequence, state) =
            (sides.sequence(h, sides.columns), sides.sequence(h, sides.units), sides.state(h));
        for (shape, dims) in [(h, &sequence), (c, &sequence), (gates, &wide)] {
            expect_out("lstmGrad", shape, dtype, dims)?;
        }
        let results: [&[usize]; RESULTS] = [&sequence, &state, &state, &sequence, &wide];
        let given = Given::new("lstmGrad", [ins, outs], [4, 2], &state, results, attrs)?;
        expect_out("lstmGrad", &outs[0], dtype, &wide)?;
        expect(outs[1] == *kernel, || format!("lstmGrad: the result is {kernel}, not {}", outs[1]))?;
        fn plan<T: Real>(sides: Sides, given: Given<RESULTS>) -> Box<dyn Plan> {
            let cell = version::<Cell<LstmGradRows<T>>>(Isa::current());
            Box::new(GradPlan { backward: Backward::<T>::new(sides, false), given, cell })
        }
        Ok(if dtype == DType::Float32 { plan::<f32>(sides, given) } else { plan::<f64>(sides, given) })
    }
}

struct GradPlan<T> {
    backward: Backward<T>,
    given: Given<RESULTS>,
    cell: unsafe fn(LstmGradRows<T>),
}

/// One step of some rows: where the first lies. Null where there is nothing.
#[derive(Clone, Copy)]
struct LstmGradRows<T> {
    gates: *const T,
    c: *const T,
    /// With the distance to the next row.
    before: (*const T, usize),
    of_h: *const T,
    of_c: *const T,
    of_gates: *const T,
    /// The cotangents of h and c.
    states: [*mut T; 2],
    sums: *mut T,
    out: *mut T,
    rows: usize,
    units: usize,
    time: usize,
    state_row: usize,
    sums_row: usize,
}

impl<T: Real> Rows for LstmGradRows<T> {
    fn count(&self) -> usize {
        self.rows
    }

    fn units(&self) -> usize {
        self.units
    }

    #[inline(always)]
    fn row(self, number: usize) -> Self {
        let narrow = number * self.time * self.units;
        let wide = GATES * narrow;
        LstmGradRows {
            gates: self.gates.wrapping_add(wide),
            c: self.c.wrapping_add(narrow),
            before: (moved(self.before.0, number * self.before.1), 0),
            of_h: moved(self.of_h, narrow),
            of_c: moved(self.of_c, narrow),
            of_gates: moved(self.of_gates, wide),
            states: self.states.map(|state| state.wrapping_add(number * self.state_row)),
            sums: self.sums.wrapping_add(number * self.sums_row),
            out: self.out.wrapping_add(wide),
            ..self
        }
    }

    #[inline(always)]
    unsafe fn part<const FMA: bool, const WHOLE: bool>(self, at: Place<WHOLE>) {
        let a = self;
        let gate = |k: usize| k * a.units;
        // SAFETY: by the caller.
        unsafe {
            // Zeros where there is nothing.
            let some = |from: *const T| if from.is_null() { [T::ZERO; LANES] } else { at.load([from])[0] };
            let gates = at.load([0, 1, 2, 3].map(|k| a.gates.add(gate(k))));
            let [i, f, g, o] = gates;
            let [c, of_h, of_c] = at.load([a.c, a.states[0].cast_const(), a.states[1].cast_const()]);
            let t = tanh::<FMA, T>(c);
            let dh = lanes([of_h, some(a.of_h)], |[x, y]| x + y);
            let from_h = lanes([dh, o, t], |[dh, o, t]| dh * o * (T::of(1.0) - t * t));
            let dc = lanes([from_h, of_c, some(a.of_c)], |[x, y, z]| x + y + z);
            at.store(a.states[1], lanes([dc, f], |[dc, f]| dc * f));
            let factors = [(dc, g), (dc, some(a.before.0)), (dc, i), (dh, t)];
            for (k, ((x, y), of)) in factors.into_iter().zip(gates).enumerate() {
                let mut made = lanes([x, y], |[x, y]| x * y);
                if !a.of_gates.is_null() {
                    let [of_gate] = at.load([a.of_gates.add(gate(k))]);
                    made = lanes([made, of_gate], |[x, y]| x + y);
                }
                let made = match k {
                    2 => lanes([made, of], |[made, y]| made * (T::of(1.0) - y * y)),
                    _ => lanes([made, of], |[made, y]| made * (y * (T::of(1.0) - y))),
                };
                at.store(a.sums.add(gate(k)), made);
                at.store(a.out.add(gate(k)), made);
            }
        }
    }
}

impl<T: Real> Plan for GradPlan<T> {
    fn scratch_bytes(&self) -> usize {
        self.backward.scratch_bytes::<2>()
    }

    fn cost_ns(&self) -> f64 {
        let Sides { groups, batch, time, columns, .. } = self.backward.sides;
        500.0 + self.backward.flops() / 30.0 + (groups * batch * time * columns) as f64
    }

    fn flops(&self) -> f64 {
        self.backward.flops()
    }

    unsafe fn run(&self, ins: &[*const u8], outs: &[*mut u8], scratch: *mut u8, pool: &Pool) {
        let Sides { units, columns, time, .. } = self.backward.sides;
        let (state_row, sums_row) = (self.backward.sides.state_row(), self.backward.sides.sums_row());
        let operand = |i: usize| Shared(ins[i] as *mut T);
        let [kernel, h, c, gates] = [0, 1, 2, 3].map(operand);
        let is_given = self.given.initial > 0;
        let initial = is_given.then(|| [4, 5].map(operand));
        let [of_h, of_last_h, of_last_c, of_c, of_gates] = self.given.cotangents.map(|at| at.map(operand));
        let [out, gradient] = [0, 1].map(|i| Shared(outs[i] as *mut T));
        let ends = is_given.then(|| [2, 3].map(|i| Shared(outs[i] as *mut T)));
        let starts = [of_last_h, of_last_c];
        // SAFETY: `check` has proven the shapes.
        unsafe {
            let h0 = initial.map(|states| states[0]);
            self.backward.run([kernel, h], h0, starts, ends, gradient, scratch, pool, |step: Step<T, 2>| {
                let (narrow, wide) = (step.at * units, step.at * columns);
                let some = |from: Option<Shared<T>>, at: usize| -> *const T {
                    from.map_or(std::ptr::null(), |from| from.get().add(at))
                };
                let before = match (step.before, initial) {
                    (Some(at), _) => (c.get().add(at * units).cast_const(), time * units),
                    (None, Some(states)) => (states[1].get().add(step.first * units).cast_const(), units),
                    (None, None) => (std::ptr::null(), 0),
                };
                (self.cell)(LstmGradRows {
                    gates: gates.get().add(wide),
                    c: c.get().add(narrow),
                    before,
                    of_h: some(of_h, narrow),
                    of_c: some(of_c, narrow),
                    of_gates: some(of_gates, wide),
                    states: step.states,
                    sums: step.sums,
                    out: out.get().add(wide),
                    rows: step.rows,
                    units,
                    time,
                    state_row,
                    sums_row,
                });
            });
        }
    }
}
