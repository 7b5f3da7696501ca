//! A recurrence walked back, with the gradient of its kernel: summed a few steps at a time, a part for each chunk of rows,
//! and the parts pairwise.

use super::blocks::{plain, sized, transposed};
use super::real::Real;
use super::recurrent::{Chunk, Kernels, Pieces, Sides, Step, copy_rows, piece_bytes};
use crate::areas::{self, Areas};
use crate::check::expect_out;
use crate::gemm::{Product, Sizes, serial_bytes};
use crate::isa::Isa;
use crate::loops::transpose::Shared;
use crate::{Error, Pool};
use millrace_program::{BoundAttrs, Shape};

/// Elements of one chunk of the sum of parts.
const SUMMED: usize = 16_384;

/// What a gradient is given after its first operands.
pub struct Given<const RESULTS: usize> {
    /// How many states the recurrence started from.
    pub initial: usize,
    /// Which operand is the cotangent of each result.
    pub cotangents: [Option<usize>; RESULTS],
}

impl<const RESULTS: usize> Given<RESULTS> {
    /// After the `fixed` first operands come `states` states to start from or none, and the cotangents of those results
    /// that the attribute `outputs` numbers; `results` are their sizes.
    pub fn new(
        op: &str,
        [ins, outs]: [&[Shape]; 2],
        [fixed, states]: [usize; 2],
        state: &[usize],
        results: [&[usize]; RESULTS],
        attrs: &BoundAttrs,
    ) -> Result<Given<RESULTS>, Error> {
        let (rest, outputs, dtype) = (&ins[fixed..], attrs.sizes("outputs")?, ins[0].dtype());
        let initial = rest.len().wrapping_sub(outputs.len());
        let counts = [0, states].contains(&initial) && outs.len() == 2 + initial;
        let ascending = outputs.is_sorted_by(|a, b| a < b) && outputs.iter().all(|&k| k < RESULTS);
        if !counts || !ascending {
            return Err(Error::argument(format!("{op}: operands and results do not fit the attribute outputs")));
        }
        for shape in rest[..initial].iter().chain(&outs[2..]) {
            expect_out(op, shape, dtype, state)?;
        }
        let mut cotangents = [None; RESULTS];
        for (n, (&k, shape)) in outputs.iter().zip(&rest[initial..]).enumerate() {
            expect_out(op, shape, dtype, results[k])?;
            cotangents[k] = Some(fixed + initial + n);
        }
        Ok(Given { initial, cotangents })
    }
}

/// A recurrence from its last step to the first, with the gradient of the kernel.
pub struct Backward<T> {
    pub sides: Sides,
    kernels: Kernels<T>,
    /// States that steps found, transposed, times what the steps made.
    gradient: Product<T>,
    /// Whether a step leaves a part of the new first state, and the product is added to it.
    adds: bool,
}

impl<T: Real> Backward<T> {
    pub fn new(sides: Sides, adds: bool) -> Backward<T> {
        let Sides { units, columns, .. } = sides;
        let (state, sums) = (sides.state_row(), sides.sums_row());
        let back =
            Sizes { m: sides.rows(), n: units, k: columns, a: plain(sums), b: transposed(columns), c_row: state };
        let a = transposed(state);
        let gradient = Sizes { m: units, n: columns, k: sides.kept_rows(), a, b: plain(sums), c_row: columns };
        Backward { kernels: Kernels::new(&sides, back), gradient: Product::new(gradient, Isa::current()), adds, sides }
    }

    pub fn flops(&self) -> f64 {
        (self.sides.groups * self.sides.time) as f64 * 4.0 * (self.sides.batch * self.kernels.len) as f64
    }

    /// The first part of each group is summed where the result goes.
    fn parts_bytes(&self) -> usize {
        (self.sides.chunks() - self.sides.groups.min(self.sides.chunks())) * piece_bytes::<T>(self.kernels.len)
    }

    fn work_bytes(&self) -> usize {
        self.kernels.product.rows_bytes().max(serial_bytes::<T>(&self.gradient.sizes))
    }

    fn area_bytes<const N: usize>(&self) -> usize {
        let sides = &self.sides;
        N * piece_bytes::<T>(sides.rows() * sides.state_row())
            + piece_bytes::<T>(sides.kept_rows() * sides.state_row())
            + piece_bytes::<T>(sides.kept_rows() * sides.sums_row())
            + self.work_bytes()
    }

    pub fn scratch_bytes<const N: usize>(&self) -> usize {
        let areas = areas::wanted(self.sides.chunks()) * self.area_bytes::<N>();
        self.kernels.packed_bytes() + self.parts_bytes() + areas
    }

    /// Calls `step` for every step of every chunk, the last first. `ins` are the kernel and the states of all steps,
    /// `initial` those that the recurrence started from, `starts` what the walk back starts from (else from zeros), `ends`
    /// get the states that it ends with, and `gradient` that of the kernel.
    ///
    /// # Safety
    /// As for [`Forward::run`].
    #[expect(clippy::too_many_arguments)]
    pub unsafe fn run<const N: usize>(
        &self,
        [kernel, found]: [Shared<T>; 2],
        initial: Option<Shared<T>>,
        starts: [Option<Shared<T>>; N],
        ends: Option<[Shared<T>; N]>,
        gradient: Shared<T>,
        scratch: *mut u8,
        pool: &Pool,
        step: impl Fn(Step<T, N>) + Sync,
    ) {
        let sides = &self.sides;
        let (units, row, sums_row) = (sides.units, sides.state_row(), sides.sums_row());
        let packed = Shared(scratch);
        // SAFETY: by the caller.
        let (parts, areas) = unsafe {
            self.kernels.pack(kernel, packed, pool);
            let parts = Shared(scratch.add(self.kernels.packed_bytes()));
            let rest = parts.get().add(self.parts_bytes());
            (parts, Areas::new(rest, self.area_bytes::<N>(), areas::wanted(sides.chunks())))
        };
        let part_of = |group: usize, part: usize| -> *mut T {
            if part == 0 {
                return gradient.get().wrapping_add(group * self.kernels.len);
            }
            let number = group * (sides.chunks_of_group() - 1) + part - 1;
            parts.get().wrapping_add(number * piece_bytes::<T>(self.kernels.len)).cast()
        };
        pool.for_chunks(sides.chunks(), |number| {
            let chunk = sides.chunk(number);
            let Chunk { first, rows, .. } = chunk;
            let part = part_of(chunk.group, chunk.part);
            // SAFETY: as above; chunks have rows and a part of their own.
            areas.with(|memory| unsafe {
                let mut pieces = Pieces(memory);
                let states: [*mut T; N] = std::array::from_fn(|_| pieces.take(sides.rows() * row));
                let kept_states: *mut T = pieces.take(sides.kept_rows() * row);
                let kept_sums: *mut T = pieces.take(sides.kept_rows() * sums_row);
                let work = pieces.0;
                let state_of = |from: Shared<T>| (from.get().add(first * units).cast_const(), units);
                for (state, start) in states.iter().zip(starts) {
                    copy_rows(rows, units, start.map(state_of), *state, row);
                }
                let (mut kept, mut summed) = (0, false);
                for s in (0..sides.time).rev() {
                    let sums = kept_sums.add(kept * sums_row);
                    let before = (s > 0).then(|| sides.at(&chunk, s - 1));
                    step(Step { rows, at: sides.at(&chunk, s), before, first, states, sums });
                    let from = before
                        .map(|at| (found.get().add(at * units).cast_const(), sides.time * units))
                        .or_else(|| initial.map(state_of));
                    if from.is_some() {
                        self.kernels.multiply(kernel, packed, &chunk, [sums, states[0]], self.adds, work);
                        copy_rows(rows, units, from, kept_states.add(kept * row), row);
                        kept += rows;
                    }
                    if kept > 0 && (s == 0 || kept + rows > sides.kept_rows()) {
                        let product = sized(&self.gradient, units, sides.columns, kept);
                        product.run_serial(kept_states, kept_sums, part, summed, work);
                        (kept, summed) = (0, true);
                    }
                }
                if !summed {
                    (0..self.kernels.len).for_each(|i| part.add(i).write(T::ZERO));
                }
                for (end, state) in ends.iter().flatten().zip(states) {
                    copy_rows(rows, units, Some((state.cast_const(), row)), end.get().add(first * units), units);
                }
            });
        });
        // SAFETY: as above; chunks are different elements.
        unsafe {
            if sides.chunks() == 0 {
                return (0..sides.groups * self.kernels.len).for_each(|i| gradient.get().add(i).write(T::ZERO));
            }
            let pieces = self.kernels.len.div_ceil(SUMMED);
            pool.for_chunks(if sides.chunks_of_group() > 1 { sides.groups * pieces } else { 0 }, |number| {
                let (group, from) = (number / pieces, number % pieces * SUMMED);
                let mut step = 1;
                while step < sides.chunks_of_group() {
                    for to in (0..sides.chunks_of_group() - step).step_by(2 * step) {
                        let (sum, other) = (part_of(group, to), part_of(group, to + step));
                        for i in from..self.kernels.len.min(from + SUMMED) {
                            sum.add(i).write(sum.add(i).read() + other.add(i).read());
                        }
                    }
                    step *= 2;
                }
            });
        }
    }
}
