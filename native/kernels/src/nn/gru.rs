//! gru: the steps of recurrent.rs, with gates in the order z, r, g, and beside them n, what r multiplies.

use super::gates::{Cell, Place, Rows, logistic, tanh};
use super::real::{Real, lanes};
use super::recurrent::{Forward, Sides, Step};
use super::same_float;
use crate::check::expect_out;
use crate::isa::{Isa, version};
use crate::loops::transpose::Shared;
use crate::{Error, KernelTable, LibraryKernel, Plan, Pool};
use millrace_program::{BoundAttrs, DType, Op, Shape};

pub const GATES: usize = 3;
/// z, r, g, n
pub const SAVED: usize = 4;

struct Gru;

pub const KERNELS: KernelTable = &[(Op::Gru, &Gru)];

impl LibraryKernel for Gru {
    fn check(&self, ins: &[Shape], outs: &[Shape], attrs: &BoundAttrs) -> Result<Box<dyn Plan>, Error> {
        let ([x, kernel, bias, initial @ ..], [h, last, saved]) = (ins, outs) else {
            return Err(Error::argument("gru: 3 or 4 operands and 3 results are needed"));
        };
        if initial.len() > 1 {
            return Err(Error::argument("gru: one state to start from is needed, or none"));
        }
        let dtype = same_float("gru", &[x, kernel])?;
        let sides = Sides::new("gru", x, kernel, GATES, attrs.bool("reverse")?)?;
        let (sequence, state) = (sides.sequence(x, sides.units), sides.state(x));
        let of_bias = [&state[..state.len() - 2], &[sides.columns]].concat();
        for (shape, dims) in [
            (x, &sides.sequence(x, sides.columns)),
            (bias, &of_bias),
            (h, &sequence),
            (last, &state),
            (saved, &sides.saved(x, SAVED)),
        ] {
            expect_out("gru", shape, dtype, dims)?;
        }
        initial.iter().try_for_each(|shape| expect_out("gru", shape, dtype, &state))?;
        fn plan<T: Real>(sides: Sides, initial: bool) -> Box<dyn Plan> {
            let cell = version::<Cell<GruRows<T>>>(Isa::current());
            Box::new(GruPlan { forward: Forward::<T>::new(sides), initial, cell })
        }
        let initial = !initial.is_empty();
        Ok(if dtype == DType::Float32 { plan::<f32>(sides, initial) } else { plan::<f64>(sides, initial) })
    }
}

struct GruPlan<T> {
    forward: Forward<T>,
    initial: bool,
    cell: unsafe fn(GruRows<T>),
}

/// One step of some rows: where the first lies, and how far it is to the next.
#[derive(Clone, Copy)]
struct GruRows<T> {
    x: *const T,
    sums: *const T,
    bias: *const T,
    saved: *mut T,
    /// The state in scratch memory and in the result.
    state: *mut T,
    out: *mut T,
    rows: usize,
    units: usize,
    time: usize,
    state_row: usize,
    sums_row: usize,
    /// Whether there is no state before this step.
    first: bool,
}

impl<T: Real> Rows for GruRows<T> {
    fn count(&self) -> usize {
        self.rows
    }

    fn units(&self) -> usize {
        self.units
    }

    #[inline(always)]
    fn row(self, number: usize) -> Self {
        let narrow = number * self.time * self.units;
        GruRows {
            x: self.x.wrapping_add(GATES * narrow),
            sums: self.sums.wrapping_add(number * self.sums_row),
            saved: self.saved.wrapping_add(SAVED * narrow),
            state: self.state.wrapping_add(number * self.state_row),
            out: self.out.wrapping_add(narrow),
            ..self
        }
    }

    #[inline(always)]
    unsafe fn part<const FMA: bool, const WHOLE: bool>(self, at: Place<WHOLE>) {
        let a = self;
        let gate = |k: usize| k * a.units;
        // SAFETY: by the caller.
        unsafe {
            let [z, r, g] = at.load([0, 1, 2].map(|k| a.x.add(gate(k))));
            let mut sums = at.load([0, 1, 2].map(|k| a.bias.add(gate(k))));
            if !a.first {
                let products = at.load([0, 1, 2].map(|k| a.sums.add(gate(k))));
                for (sum, product) in sums.iter_mut().zip(products) {
                    *sum = lanes([product, *sum], |[product, b]| product + b);
                }
            }
            let z = logistic::<FMA, T>(lanes([z, sums[0]], |[x, sum]| x + sum));
            let r = logistic::<FMA, T>(lanes([r, sums[1]], |[x, sum]| x + sum));
            let n = sums[2];
            let g = tanh::<FMA, T>(lanes([g, r, n], |[x, r, n]| x + r * n));
            let mut h = lanes([z, g], |[z, g]| (T::of(1.0) - z) * g);
            if !a.first {
                let [before] = at.load([a.state.cast_const()]);
                h = lanes([z, before, h], |[z, before, added]| z * before + added);
            }
            for (k, gate_or_n) in [z, r, g, n].into_iter().enumerate() {
                at.store(a.saved.add(gate(k)), gate_or_n);
            }
            at.store(a.state, h);
            at.store(a.out, h);
        }
    }
}

impl<T: Real> Plan for GruPlan<T> {
    fn scratch_bytes(&self) -> usize {
        self.forward.scratch_bytes::<1>()
    }

    fn cost_ns(&self) -> f64 {
        let Sides { groups, batch, time, columns, .. } = self.forward.sides;
        500.0 + self.forward.flops() / 30.0 + 1.5 * (groups * batch * time * columns) as f64
    }

    fn flops(&self) -> f64 {
        self.forward.flops()
    }

    unsafe fn run(&self, ins: &[*const u8], outs: &[*mut u8], scratch: *mut u8, pool: &Pool) {
        let sides = self.forward.sides;
        let Sides { batch, units, columns, time, .. } = sides;
        let [x, kernel, bias] = [0, 1, 2].map(|i| Shared(ins[i] as *mut T));
        let starts = self.initial.then(|| [Shared(ins[3] as *mut T)]);
        let [h, last, saved] = [0, 1, 2].map(|i| Shared(outs[i] as *mut T));
        // SAFETY: `check` has proven the shapes.
        unsafe {
            self.forward.run(kernel, starts, [last], scratch, pool, |step: Step<T, 1>| {
                (self.cell)(GruRows {
                    x: x.get().add(step.at * columns),
                    sums: step.sums,
                    bias: bias.get().add(step.first / batch * columns),
                    saved: saved.get().add(step.at * SAVED * units),
                    state: step.states[0],
                    out: h.get().add(step.at * units),
                    rows: step.rows,
                    units,
                    time,
                    state_row: sides.state_row(),
                    sums_row: sides.sums_row(),
                    first: step.before.is_none() && !self.initial,
                });
            });
        }
    }
}
