//! lstm: the steps of recurrent.rs, with gates in the order i, f, g, o.

use super::gates::{Cell, Place, Rows, logistic, tanh};
use super::real::{Real, lanes};
use super::recurrent::{Forward, Sides, Step};
use super::same_float;
use crate::check::expect_out;
use crate::isa::{Isa, version};
use crate::loops::transpose::Shared;
use crate::{Error, KernelTable, LibraryKernel, Plan, Pool};
use millrace_program::{BoundAttrs, DType, Op, Shape};

pub const GATES: usize = 4;

struct Lstm;

pub const KERNELS: KernelTable = &[(Op::Lstm, &Lstm)];

impl LibraryKernel for Lstm {
    fn check(&self, ins: &[Shape], outs: &[Shape], attrs: &BoundAttrs) -> Result<Box<dyn Plan>, Error> {
        let ([x, kernel, initial @ ..], [h, last_h, last_c, c, gates]) = (ins, outs) else {
            return Err(Error::argument("lstm: 2 or 4 operands and 5 results are needed"));
        };
        if ![0, 2].contains(&initial.len()) {
            return Err(Error::argument("lstm: both states to start from are needed, or none"));
        }
        let dtype = same_float("lstm", &[x, kernel])?;
        let sides = Sides::new("lstm", x, kernel, GATES, attrs.bool("reverse")?)?;
        let (wide, sequence, state) =
            (sides.sequence(x, sides.columns), sides.sequence(x, sides.units), sides.state(x));
        for (shape, dims) in
            [(x, &wide), (h, &sequence), (last_h, &state), (last_c, &state), (c, &sequence), (gates, &wide)]
        {
            expect_out("lstm", shape, dtype, dims)?;
        }
        initial.iter().try_for_each(|shape| expect_out("lstm", shape, dtype, &state))?;
        fn plan<T: Real>(sides: Sides, initial: bool) -> Box<dyn Plan> {
            Box::new(LstmPlan {
                forward: Forward::<T>::new(sides),
                initial,
                cell: version::<Cell<LstmRows<T>>>(Isa::current()),
            })
        }
        let initial = !initial.is_empty();
        Ok(if dtype == DType::Float32 { plan::<f32>(sides, initial) } else { plan::<f64>(sides, initial) })
    }
}

struct LstmPlan<T> {
    forward: Forward<T>,
    initial: bool,
    cell: unsafe fn(LstmRows<T>),
}

/// One step of some rows: where the first lies, and how far it is to the next.
#[derive(Clone, Copy)]
struct LstmRows<T> {
    x: *const T,
    sums: *const T,
    gates: *mut T,
    /// The states in scratch memory and in the results.
    states: [*mut T; 2],
    outs: [*mut T; 2],
    rows: usize,
    units: usize,
    time: usize,
    state_row: usize,
    sums_row: usize,
    /// Whether there is no state before this step.
    first: bool,
}

impl<T: Real> Rows for LstmRows<T> {
    fn count(&self) -> usize {
        self.rows
    }

    fn units(&self) -> usize {
        self.units
    }

    #[inline(always)]
    fn row(self, number: usize) -> Self {
        let narrow = number * self.time * self.units;
        LstmRows {
            x: self.x.wrapping_add(GATES * narrow),
            sums: self.sums.wrapping_add(number * self.sums_row),
            gates: self.gates.wrapping_add(GATES * narrow),
            states: self.states.map(|state| state.wrapping_add(number * self.state_row)),
            outs: self.outs.map(|out| out.wrapping_add(narrow)),
            ..self
        }
    }

    #[inline(always)]
    unsafe fn part<const FMA: bool, const WHOLE: bool>(self, at: Place<WHOLE>) {
        let a = self;
        let gates = |k: usize| k * a.units;
        // SAFETY: by the caller.
        unsafe {
            let mut z = at.load([0, 1, 2, 3].map(|k| a.x.add(gates(k))));
            if !a.first {
                let sums = at.load([0, 1, 2, 3].map(|k| a.sums.add(gates(k))));
                for (z, sum) in z.iter_mut().zip(sums) {
                    *z = lanes([*z, sum], |[z, sum]| z + sum);
                }
            }
            let (i, f) = (logistic::<FMA, T>(z[0]), logistic::<FMA, T>(z[1]));
            let (g, o) = (tanh::<FMA, T>(z[2]), logistic::<FMA, T>(z[3]));
            let mut c = lanes([i, g], |[i, g]| i * g);
            if !a.first {
                let [before] = at.load([a.states[1].cast_const()]);
                c = lanes([f, before, c], |[f, before, added]| f * before + added);
            }
            let h = lanes([o, tanh::<FMA, T>(c)], |[o, t]| o * t);
            for (k, gate) in [i, f, g, o].into_iter().enumerate() {
                at.store(a.gates.add(gates(k)), gate);
            }
            for (n, state) in [h, c].into_iter().enumerate() {
                at.store(a.states[n], state);
                at.store(a.outs[n], state);
            }
        }
    }
}

impl<T: Real> Plan for LstmPlan<T> {
    fn scratch_bytes(&self) -> usize {
        self.forward.scratch_bytes::<2>()
    }

    fn cost_ns(&self) -> f64 {
        let Sides { groups, batch, time, columns, .. } = self.forward.sides;
        500.0 + self.forward.flops() / 30.0 + 1.5 * (groups * batch * time * columns) as f64
    }

    fn flops(&self) -> f64 {
        self.forward.flops()
    }

    unsafe fn run(&self, ins: &[*const u8], outs: &[*mut u8], scratch: *mut u8, pool: &Pool) {
        let Sides { units, columns, time, .. } = self.forward.sides;
        let state_row = self.forward.sides.state_row();
        let sums_row = self.forward.sides.sums_row();
        let [x, kernel] = [0, 1].map(|i| Shared(ins[i] as *mut T));
        let starts = self.initial.then(|| [2, 3].map(|i| Shared(ins[i] as *mut T)));
        let [h, last_h, last_c, c, gates] = [0, 1, 2, 3, 4].map(|i| Shared(outs[i] as *mut T));
        // SAFETY: `check` has proven the shapes.
        unsafe {
            self.forward.run(kernel, starts, [last_h, last_c], scratch, pool, |step: Step<T, 2>| {
                (self.cell)(LstmRows {
                    x: x.get().add(step.at * columns),
                    sums: step.sums,
                    gates: gates.get().add(step.at * columns),
                    states: step.states,
                    outs: [h, c].map(|out| out.get().add(step.at * units)),
                    rows: step.rows,
                    units,
                    time,
                    state_row,
                    sums_row,
                    first: step.before.is_none() && !self.initial,
                });
            });
        }
    }
}
