//! One tile: sources are brought in (without copying where they lie in order), then the steps run.

use super::canon::{Pass, Source, SourceKind, Walk};
use super::chain::{Chained, LONGEST};
use super::elementwise::Tile;
use super::steps::TileStep;
use super::stream;
use crate::bfloat16;
use millrace_program::{DType, NONE};

/// The state of one thread in a pass: a pointer for each value, and the tile buffers.
pub struct Tiles<'a> {
    pass: &'a Pass,
    /// The first element of each source.
    bases: &'a [*const u8],
    values: *mut *const u8,
    /// Where position zero of each value is stored, if steps write it there.
    targets: *mut *mut u8,
    buffers: *mut u8,
}

impl<'a> Tiles<'a> {
    pub fn bytes(pass: &Pass) -> usize {
        Tiles::value_bytes(pass) + pass.buffer_bytes
    }

    fn value_bytes(pass: &Pass) -> usize {
        (2 * pass.sizes.len() * size_of::<*const u8>()).next_multiple_of(64)
    }

    /// For tiles that start at `first` plus a multiple of the tile.
    ///
    /// # Safety
    /// `memory` has `Tiles::bytes` bytes, aligned to 64; `bases` are those of this run.
    pub unsafe fn new(pass: &'a Pass, bases: &'a [*const u8], memory: *mut u8, first: usize) -> Tiles<'a> {
        // SAFETY: within `memory`.
        let tiles = unsafe {
            let values = memory.cast::<*const u8>();
            let targets = values.add(pass.sizes.len()).cast::<*mut u8>();
            (0..pass.sizes.len()).for_each(|v| targets.add(v).write(std::ptr::null_mut()));
            Tiles { pass, bases, values, targets, buffers: memory.add(Tiles::value_bytes(pass)) }
        };
        for (v, source) in pass.sources.iter().enumerate() {
            if source.walk == Walk::Splat {
                // SAFETY: a buffer holds `tile` elements; the base is inside its input.
                unsafe {
                    let to = tiles.buffer(v);
                    let n = if pass.walks[v] == 0 { LONGEST } else { pass.tile };
                    match source.kind {
                        SourceKind::Constant(bits) => splat(source.dtype, bits.to_le_bytes().as_ptr(), to, n),
                        SourceKind::Iota => splat(source.dtype, [0; 8].as_ptr(), to, n),
                        SourceKind::Load { .. } => splat(source.dtype, bases[v], to, n),
                    }
                    tiles.values.add(v).write(to);
                }
            }
            if source.walk == Walk::Periodic {
                // SAFETY: the space has at least a tile where there are periods.
                unsafe { tiles.values.add(v).write(tiles.bring(source, v, first, pass.tile)) }
            }
        }
        tiles
    }

    fn buffer(&self, value: usize) -> *mut u8 {
        // SAFETY: every value has a buffer.
        unsafe { self.buffers.add(self.pass.places[value]) }
    }

    /// From now on steps write `value` at `to`, an output, where a tile is whole.
    pub fn aim(&self, value: u32, to: *mut u8) {
        // SAFETY: as in `value`.
        unsafe { self.targets.add(value as usize).write(to) }
    }

    /// Where a step writes the positions start .. start + len of a value, which has that as its place from then on.
    unsafe fn place(&self, value: u32, start: usize, len: usize) -> *mut u8 {
        // SAFETY: as in `value`; an output has an element for each position.
        unsafe {
            let target = self.targets.add(value as usize).read();
            let to = match target.is_null() || !len.is_multiple_of(16) {
                true => self.buffer(value as usize),
                false => target.add(start * self.pass.sizes[value as usize]),
            };
            self.values.add(value as usize).write(to);
            to
        }
    }

    /// The elements of `value` in the tile evaluated last.
    pub fn value(&self, value: u32) -> *const u8 {
        // SAFETY: values are numbered below `sizes.len()`.
        unsafe { self.values.add(value as usize).read() }
    }

    /// Evaluates flat positions start .. start + len.
    ///
    /// # Safety
    /// `len` <= tile, and the range is inside the space. Where a value has been aimed at an output, nothing that is read
    /// after it lies there.
    pub unsafe fn evaluate(&self, start: usize, len: usize) {
        // SAFETY: by the caller.
        unsafe { self.evaluate_and_fetch(start, len, None) }
    }

    /// The same; meanwhile the dense sources of a later tile are fetched, which starts at `next`, maybe behind the end.
    ///
    /// # Safety
    /// As of `evaluate`.
    #[inline(always)]
    pub unsafe fn evaluate_and_fetch(&self, start: usize, len: usize, next: Option<usize>) {
        let pass = self.pass;
        // SAFETY: every read and write is inside a buffer or, for loads, inside the input, which binding has proven.
        unsafe {
            for (v, source) in pass.sources.iter().enumerate() {
                if matches!(source.walk, Walk::Dense | Walk::Strided) {
                    self.values.add(v).write(self.bring(source, v, start, len));
                }
            }
            let n = len.next_multiple_of(16);
            for (i, step) in pass.steps.iter().enumerate() {
                match step {
                    TileStep::One { run, ins, out } => {
                        let operand = |v: u32| if v == NONE { std::ptr::null() } else { self.value(v) };
                        let ins = ins.map(operand);
                        run(Tile { n, ins, out: self.place(*out, start, len) });
                    }
                    TileStep::Chain { links, outs } => {
                        for &out in outs {
                            self.place(out, start, len);
                        }
                        let (links, walks) = (&raw const links[..], pass.walks.as_ptr());
                        (pass.run_chain)(Chained { links, values: self.values, walks, n });
                    }
                }
                if let Some(next) = next {
                    self.fetch(next, i);
                }
            }
        }
    }

    /// Fetches the share of step `i` in the dense sources of the tile at `start`: memory works while steps compute.
    fn fetch(&self, start: usize, i: usize) {
        let pass = self.pass;
        for (v, source) in pass.sources.iter().enumerate().filter(|(_, source)| source.walk == Walk::Dense) {
            let size = source.dtype.size();
            let share = (pass.tile * size).div_ceil(stream::LINE).div_ceil(pass.steps.len()) * stream::LINE;
            let from = self.bases[v].wrapping_add(start * size + i * share);
            (0..share).step_by(stream::LINE).for_each(|at| stream::fetch(from.wrapping_add(at)));
        }
    }

    /// The tile of a source: in place where its elements lie in order and fill groups of 16, else copied.
    unsafe fn bring(&self, source: &Source, v: usize, start: usize, len: usize) -> *const u8 {
        let size = source.dtype.size();
        let whole = len.is_multiple_of(16);
        let buffer = self.buffer(v);
        // SAFETY: as in `evaluate`.
        unsafe {
            if source.walk == Walk::Dense {
                let at = self.bases[v].add(start * size);
                if whole {
                    return at;
                }
                at.copy_to_nonoverlapping(buffer, len * size);
            } else {
                let mut index = Position::new(&self.pass.extents, &source.strides, start);
                let memory = matches!(source.kind, SourceKind::Load { .. });
                if memory && whole && index.inner_stride() == 1 && index.inner_left() >= len {
                    return self.bases[v].offset(index.offset as isize * size as isize);
                }
                let mut done = 0;
                while done < len {
                    let piece = index.inner_left().min(len - done);
                    let stride = index.inner_stride();
                    let to = buffer.add(done * size);
                    if memory {
                        let from = self.bases[v].offset(index.offset as isize * size as isize);
                        copy_strided(size, from, stride as isize, to, piece);
                    } else {
                        count(source.dtype, index.offset, stride, to, piece);
                    }
                    done += piece;
                    index.advance(piece);
                }
            }
            // What lies between is computed but not stored: give it a harmless value.
            buffer.add(len * size).write_bytes(0, (len.next_multiple_of(16) - len) * size);
        }
        buffer
    }
}

/// A position in the iteration space and the element that a source has there.
struct Position<'a> {
    extents: &'a [usize],
    strides: &'a [i64],
    index: [usize; 32],
    offset: i64,
}

impl<'a> Position<'a> {
    fn new(extents: &'a [usize], strides: &'a [i64], start: usize) -> Position<'a> {
        let mut position = Position { extents, strides, index: [0; 32], offset: 0 };
        let mut rest = start;
        for k in (0..extents.len()).rev() {
            if rest == 0 {
                break;
            }
            position.index[k] = rest % extents[k];
            rest /= extents[k];
            position.offset += position.index[k] as i64 * strides[k];
        }
        position
    }

    fn inner_stride(&self) -> i64 {
        self.strides.last().copied().unwrap_or(0)
    }

    /// Positions left in the innermost extent.
    fn inner_left(&self) -> usize {
        match self.extents.len() {
            0 => 1,
            rank => self.extents[rank - 1] - self.index[rank - 1],
        }
    }

    /// Moves on by at most `inner_left`.
    fn advance(&mut self, by: usize) {
        let mut step = by;
        for k in (0..self.extents.len()).rev() {
            self.index[k] += step;
            self.offset += step as i64 * self.strides[k];
            if self.index[k] < self.extents[k] {
                return;
            }
            self.offset -= self.extents[k] as i64 * self.strides[k];
            self.index[k] = 0;
            step = 1;
        }
    }
}

unsafe fn splat(dtype: DType, from: *const u8, to: *mut u8, n: usize) {
    // SAFETY: by the caller; the stride is zero.
    unsafe { copy_strided(dtype.size(), from, 0, to, n) }
}

/// to[i] = from[i · stride]
///
/// # Safety
/// Both have these elements of `size` bytes.
pub unsafe fn copy_strided(size: usize, from: *const u8, stride: isize, to: *mut u8, n: usize) {
    unsafe fn typed<T: Copy>(from: *const T, stride: isize, to: *mut T, n: usize) {
        // SAFETY: by the caller.
        unsafe {
            match stride {
                0 => {
                    let value = from.read_unaligned();
                    (0..n).for_each(|i| to.add(i).write(value));
                }
                1 => from.copy_to_nonoverlapping(to, n),
                _ => (0..n).for_each(|i| to.add(i).write(from.offset(i as isize * stride).read())),
            }
        }
    }
    // SAFETY: by the caller.
    unsafe {
        match size {
            1 => typed(from, stride, to, n),
            2 => typed(from as *const u16, stride, to as *mut u16, n),
            4 => typed(from as *const u32, stride, to as *mut u32, n),
            _ => typed(from as *const u64, stride, to as *mut u64, n),
        }
    }
}

/// to[i] = first + i · stride
unsafe fn count(dtype: DType, first: i64, stride: i64, to: *mut u8, n: usize) {
    macro_rules! typed {
        ($t:ty) => {
            for i in 0..n {
                // SAFETY: by the caller.
                unsafe { (to as *mut $t).add(i).write((first + i as i64 * stride) as $t) }
            }
        };
    }
    match dtype {
        DType::Float32 => typed!(f32),
        DType::Float64 => typed!(f64),
        DType::Int32 => typed!(i32),
        DType::Int64 => typed!(i64),
        DType::Uint8 => typed!(u8),
        DType::Int8 => typed!(i8),
        DType::Bfloat16 => (0..n).for_each(|i| {
            // SAFETY: by the caller.
            unsafe { (to as *mut u16).add(i).write(bfloat16::round((first + i as i64 * stride) as f32)) }
        }),
        DType::Bool => (0..n).for_each(|i| unsafe { to.add(i).write((first + i as i64 * stride != 0) as u8) }),
    }
}
