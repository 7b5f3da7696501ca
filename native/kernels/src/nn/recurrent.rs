//! What recurrent layers share: which rows a thread takes through all steps, and the products of a step.
//!
//! A thread takes a few rows of the batch from the first step to the last, so no step waits for another thread. The
//! kernel is packed once for all steps. Chunks are cut by sizes alone.

use super::blocks::plain;
use super::real::Real;
use crate::areas::{self, Areas};
use crate::check::expect;
use crate::gemm::{Product, Sizes};
use crate::isa::Isa;
use crate::loops::transpose::Shared;
use crate::{Error, Pool};
use millrace_program::Shape;

/// Rows of a chunk, unless that makes more than MOST_CHUNKS of a group: each has a part of the kernel's gradient.
const ROWS: usize = 32;
const MOST_CHUNKS: usize = 16;
/// A batch of so many rows is cut in two at least.
const SHARED_ROWS: usize = 16;
/// Rows of all steps that one product adds to the kernel's gradient.
const DEPTH: usize = 64;
/// Elements between rows in scratch memory, so that they do not meet in one set of the cache.
const GAP: usize = 16;

/// Sequences are [groups, batch, time, n], states [groups, batch, units], kernels [groups, units, columns].
#[derive(Clone, Copy)]
pub struct Sides {
    pub groups: usize,
    pub batch: usize,
    pub time: usize,
    pub units: usize,
    pub columns: usize,
    /// Whether the last step comes first.
    pub reverse: bool,
}

impl Sides {
    /// Of a sequence, whose last size does not count, and a kernel for so many gates.
    pub fn new(op: &str, sequence: &Shape, kernel: &Shape, gates: usize, reverse: bool) -> Result<Sides, Error> {
        let ([lead @ .., batch, time, _], [kernel_lead @ .., units, columns]) = (sequence.dims(), kernel.dims()) else {
            return Err(Error::shape(format!("{op}: {sequence} and {kernel} are no sequence and kernel")));
        };
        let fits = lead == kernel_lead && units.checked_mul(gates) == Some(*columns);
        expect(fits, || format!("{op}: {sequence} and a kernel {kernel} of {gates} gates do not fit"))?;
        let (&batch, &time, &units, &columns) = (batch, time, units, columns);
        // Without units every operand is empty, and other sizes may be anything.
        let groups = if units == 0 { 0 } else { lead.iter().product() };
        Ok(Sides { groups, batch, time, units, columns, reverse })
    }

    /// The shape of a sequence of `size` elements a step, where `sequence` is any.
    pub fn sequence(&self, sequence: &Shape, size: usize) -> Vec<usize> {
        let dims = sequence.dims();
        [&dims[..dims.len() - 1], &[size]].concat()
    }

    /// A sequence of `parts` times as many elements as units.
    pub fn saved(&self, sequence: &Shape, parts: usize) -> Vec<usize> {
        self.sequence(sequence, self.units.saturating_mul(parts))
    }

    pub fn state(&self, sequence: &Shape) -> Vec<usize> {
        let dims = sequence.dims();
        [&dims[..dims.len() - 2], &[self.units]].concat()
    }

    /// Rows of one chunk.
    pub fn rows(&self) -> usize {
        let least = if self.batch >= SHARED_ROWS { 2 } else { 1 };
        self.batch.div_ceil(self.batch.div_ceil(ROWS).clamp(least, MOST_CHUNKS)).max(1)
    }

    pub fn chunks_of_group(&self) -> usize {
        self.batch.div_ceil(self.rows())
    }

    pub fn chunks(&self) -> usize {
        self.groups * self.chunks_of_group()
    }

    pub fn chunk(&self, number: usize) -> Chunk {
        let (group, part) = (number / self.chunks_of_group(), number % self.chunks_of_group());
        let first = part * self.rows();
        Chunk { group, part, first: group * self.batch + first, rows: self.rows().min(self.batch - first) }
    }

    /// Where the step that is computed as number `s` lies, for the first row of a chunk.
    pub fn at(&self, chunk: &Chunk, s: usize) -> usize {
        chunk.first * self.time + if self.reverse { self.time - 1 - s } else { s }
    }

    /// Rows of all steps that are kept for one product.
    pub fn kept_rows(&self) -> usize {
        self.rows() * (DEPTH / self.rows()).max(1)
    }

    /// From row to row in scratch memory: of states, and of what has a column for each of the kernel's.
    pub fn state_row(&self) -> usize {
        self.units + GAP
    }
    pub fn sums_row(&self) -> usize {
        self.columns + GAP
    }
}

/// Rows of one group that a thread takes through all steps.
#[derive(Clone, Copy)]
pub struct Chunk {
    pub group: usize,
    pub part: usize,
    /// Among the rows of all groups.
    pub first: usize,
    pub rows: usize,
}

/// One step of a chunk. N states go from step to step, in rows of `state_row`; the kernel multiplies the first of them.
pub struct Step<T, const N: usize> {
    pub rows: usize,
    /// Where this step of the first row lies in a sequence; that of the next row is `time` further.
    pub at: usize,
    /// The same of the step before it in the recurrence; `None` at its first.
    pub before: Option<usize>,
    /// The first row of the chunk.
    pub first: usize,
    pub states: [*mut T; N],
    /// In rows of `sums_row`. Forwards the state times the kernel, which is not there at a first step without states to
    /// start from; backwards what the step makes: the transposed kernel times it is the new first state, or is added to that.
    pub sums: *mut T,
}

/// Copies `rows` rows of n elements, or writes zeros.
///
/// # Safety
/// The rows exist.
pub unsafe fn copy_rows<T: Real>(rows: usize, n: usize, from: Option<(*const T, usize)>, to: *mut T, to_row: usize) {
    for row in 0..rows {
        // SAFETY: by the caller.
        unsafe {
            let to = to.add(row * to_row);
            match from {
                Some((from, from_row)) => from.add(row * from_row).copy_to_nonoverlapping(to, n),
                None => (0..n).for_each(|i| to.add(i).write(T::ZERO)),
            }
        }
    }
}

/// Hands out pieces of a block of memory, each aligned to 64 bytes.
pub struct Pieces(pub *mut u8);

pub fn piece_bytes<T>(len: usize) -> usize {
    (len * size_of::<T>()).next_multiple_of(64)
}

impl Pieces {
    /// # Safety
    /// The block has room.
    pub unsafe fn take<T>(&mut self, len: usize) -> *mut T {
        let piece = self.0;
        // SAFETY: by the caller.
        self.0 = unsafe { piece.add(piece_bytes::<T>(len)) };
        piece.cast()
    }
}

/// Products with one kernel for each group, packed once. A single row reads the kernel where it lies.
pub struct Kernels<T> {
    pub product: Product<T>,
    groups: usize,
    /// Elements of a kernel.
    pub len: usize,
}

impl<T: Real> Kernels<T> {
    pub fn new(sides: &Sides, sizes: Sizes) -> Kernels<T> {
        let product = Product::new(sizes, Isa::current());
        Kernels { product, groups: sides.groups, len: sides.units * sides.columns }
    }

    pub fn packed_bytes(&self) -> usize {
        if self.product.sizes.m == 1 { 0 } else { self.groups * piece_bytes::<T>(self.product.packed_len()) }
    }

    /// # Safety
    /// `packed` has `packed_bytes`.
    pub unsafe fn pack(&self, kernel: Shared<T>, packed: Shared<u8>, pool: &Pool) {
        if self.product.sizes.m > 1 {
            // SAFETY: by the caller.
            pool.for_chunks(self.groups, |group| unsafe {
                self.product.pack_b(self.packed(packed, group), kernel.get().add(group * self.len));
            });
        }
    }

    fn packed(&self, packed: Shared<u8>, group: usize) -> *mut T {
        packed.get().wrapping_add(group * piece_bytes::<T>(self.product.packed_len())).cast()
    }

    /// to (+)= from · kernel
    ///
    /// # Safety
    /// As for the product; the kernels are packed.
    pub unsafe fn multiply(
        &self,
        kernel: Shared<T>,
        packed: Shared<u8>,
        chunk: &Chunk,
        [from, to]: [*mut T; 2],
        accumulate: bool,
        work: *mut u8,
    ) {
        // SAFETY: by the caller.
        unsafe {
            if self.product.sizes.m == 1 {
                self.product.run_serial(from, kernel.get().add(chunk.group * self.len), to, accumulate, work);
            } else {
                self.product.run_rows(from, self.packed(packed, chunk.group), to, accumulate, chunk.rows, work);
            }
        }
    }
}

/// A recurrence from its first step to the last.
pub struct Forward<T> {
    pub sides: Sides,
    kernels: Kernels<T>,
}

impl<T: Real> Forward<T> {
    pub fn new(sides: Sides) -> Forward<T> {
        let (a, c_row) = (plain(sides.state_row()), sides.sums_row());
        let (n, k) = (sides.columns, sides.units);
        Forward { kernels: Kernels::new(&sides, Sizes { m: sides.rows(), n, k, a, b: plain(n), c_row }), sides }
    }

    pub fn flops(&self) -> f64 {
        (self.sides.groups * self.sides.time) as f64 * 2.0 * (self.sides.batch * self.kernels.len) as f64
    }

    fn area_bytes<const N: usize>(&self) -> usize {
        let Sides { .. } = self.sides;
        N * piece_bytes::<T>(self.sides.rows() * self.sides.state_row())
            + piece_bytes::<T>(self.sides.rows() * self.sides.sums_row())
            + self.kernels.product.rows_bytes()
    }

    pub fn scratch_bytes<const N: usize>(&self) -> usize {
        self.kernels.packed_bytes() + areas::wanted(self.sides.chunks()) * self.area_bytes::<N>()
    }

    /// Calls `step` for every step of every chunk; `ends` get the last states.
    ///
    /// # Safety
    /// Kernels and states have the shapes of `sides`, `scratch` the bytes of `scratch_bytes::<N>`.
    pub unsafe fn run<const N: usize>(
        &self,
        kernel: Shared<T>,
        starts: Option<[Shared<T>; N]>,
        ends: [Shared<T>; N],
        scratch: *mut u8,
        pool: &Pool,
        step: impl Fn(Step<T, N>) + Sync,
    ) {
        let sides = &self.sides;
        let (units, row, packed) = (sides.units, sides.state_row(), Shared(scratch));
        // SAFETY: by the caller.
        let areas = unsafe {
            self.kernels.pack(kernel, packed, pool);
            let rest = scratch.add(self.kernels.packed_bytes());
            Areas::new(rest, self.area_bytes::<N>(), areas::wanted(sides.chunks()))
        };
        pool.for_chunks(sides.chunks(), |number| {
            let chunk = sides.chunk(number);
            let Chunk { first, rows, .. } = chunk;
            // SAFETY: as above; chunks have rows of their own.
            areas.with(|memory| unsafe {
                let mut pieces = Pieces(memory);
                let states: [*mut T; N] = std::array::from_fn(|_| pieces.take(sides.rows() * row));
                let sums = pieces.take(sides.rows() * sides.sums_row());
                for (n, &state) in states.iter().enumerate() {
                    let from = starts.as_ref().map(|all| (all[n].get().add(first * units).cast_const(), units));
                    copy_rows(rows, units, from, state, row);
                }
                for s in 0..sides.time {
                    if s > 0 || starts.is_some() {
                        self.kernels.multiply(kernel, packed, &chunk, [states[0], sums], false, pieces.0);
                    }
                    let before = (s > 0).then(|| sides.at(&chunk, s - 1));
                    step(Step { rows, at: sides.at(&chunk, s), before, first, states, sums });
                }
                for (end, state) in ends.iter().zip(states) {
                    copy_rows(rows, units, Some((state.cast_const(), row)), end.get().add(first * units), units);
                }
            });
        });
    }
}
