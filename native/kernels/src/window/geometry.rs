//! Windows over all dimensions. Trailing dimensions that no window touches (the channels) are one row, handled as a
//! vector.

use crate::Error;
use crate::check::{expect, ints, sizes};
use millrace_program::{BoundAttrs, Shape};
use std::ops::Range;

pub struct Windows {
    /// Leading dimensions, those that a window or a stride touches among them.
    pub input: Vec<usize>,
    pub output: Vec<usize>,
    pub window: Vec<usize>,
    stride: Vec<i64>,
    low: Vec<i64>,
    /// Elements of a row.
    pub row: usize,
    /// Whether the windows of different indices of the first dimension are apart.
    pub apart: bool,
}

/// Taps of a window that is not looked at alone, at most.
pub const MOST_TAPS: usize = 64;

/// Windows with the same taps, at equal distances.
pub struct Run {
    pub windows: Range<usize>,
    /// The element under the first tap of the first window; others lie `taps` behind it.
    pub first: usize,
    pub count: usize,
    /// Elements from one window to the next.
    pub step: usize,
}

impl Windows {
    pub fn new(op: &str, x: &Shape, out: &Shape, attrs: &BoundAttrs) -> Result<Windows, Error> {
        let rank = x.rank();
        let (window, strides) = (sizes(attrs, "window", rank, 1)?, sizes(attrs, "strides", rank, 1)?);
        let (low, high) = (ints(attrs, "low", rank)?, ints(attrs, "high", rank)?);
        expect(out.rank() == rank, || format!("{op}: {x} and {out} have different ranks"))?;
        for k in 0..rank {
            let padded = x.dims()[k] as i128 + low[k] as i128 + high[k] as i128;
            let room = padded - window[k] as i128;
            let size = if room < 0 { 0 } else { room / strides[k] as i128 + 1 };
            expect(size == out.dims()[k] as i128, || format!("{op}: {out} should have size {size} in dimension {k}"))?;
            let far = [padded, window[k] as i128, low[k] as i128].iter().any(|v| v.abs() > 1 << 40);
            expect(!far, || format!("{op}: padding or window is too large"))?;
        }
        let plain = |k: usize| window[k] == 1 && strides[k] == 1 && low[k] == 0 && x.dims()[k] == out.dims()[k];
        let lead = (0..rank).rev().find(|&k| !plain(k)).map_or(0, |k| k + 1);
        Ok(Windows {
            input: x.dims()[..lead].to_vec(),
            output: out.dims()[..lead].to_vec(),
            row: x.dims()[lead..].iter().product(),
            apart: lead > 0 && plain(0),
            stride: strides[..lead].iter().map(|&s| s as i64).collect(),
            low: low[..lead].to_vec(),
            window: window[..lead].to_vec(),
        })
    }

    /// Rows of the output.
    pub fn rows(&self) -> usize {
        self.output.iter().product()
    }

    /// Elements of a window, padding among them: the product may be beyond any number.
    pub fn taps(&self) -> usize {
        self.window.iter().fold(1, |taps, &size| taps.saturating_mul(size))
    }

    /// Lines of windows: those whose index differs in the last dimension that a window touches.
    pub fn lines(&self) -> usize {
        self.output.last().map_or(1, |&width| self.rows() / width.max(1))
    }

    /// The windows of a line which are inside along it, if any, and how their taps lie; `None` too where there are more
    /// than `taps` has room for.
    pub fn run(&self, line: usize, taps: &mut [usize; MOST_TAPS]) -> Option<Run> {
        let last = self.input.len().checked_sub(1)?;
        let (width, size, stride, low) = (self.output[last], self.input[last], self.stride[last], self.low[last]);
        let from = (low.max(0) as u64).div_ceil(stride as u64).min(width as u64) as usize;
        let room = size as i64 + low - self.window[last] as i64;
        let until = if room < 0 { 0 } else { (room / stride + 1).min(width as i64) as usize };
        if until <= from || self.taps() > MOST_TAPS {
            return None;
        }
        let (number, mut count) = (line * width + from, 0);
        self.for_each_tap(number, |element| {
            taps[count] = element;
            count += 1;
        });
        let first = taps[0];
        taps[..count].iter_mut().for_each(|tap| *tap -= first);
        let step = (stride as usize).wrapping_mul(self.row);
        (count > 0).then_some(Run { windows: number..line * width + until, first, count, step })
    }

    /// Calls `tap(element)` for each row of the input in window `number`, in row-major order; `element` is its first.
    pub fn for_each_tap(&self, number: usize, tap: impl FnMut(usize)) {
        // Clearing room for every possible rank would cost more than a small window.
        if self.input.len() <= 4 { self.walk::<4>(number, tap) } else { self.walk::<32>(number, tap) }
    }

    #[inline(always)]
    fn walk<const RANK: usize>(&self, number: usize, mut tap: impl FnMut(usize)) {
        let rank = self.input.len();
        // The part of each dimension that is inside.
        let mut from = [0usize; RANK];
        let mut to = [0usize; RANK];
        let mut rest = number;
        for k in (0..rank).rev() {
            let first = (rest % self.output[k]) as i64 * self.stride[k] - self.low[k];
            rest /= self.output[k];
            from[k] = first.max(0) as usize;
            to[k] = (first + self.window[k] as i64).min(self.input[k] as i64).max(0) as usize;
            if from[k] >= to[k] {
                return;
            }
        }
        let mut index = from;
        loop {
            let element = (0..rank).fold(0, |at, k| at * self.input[k] + index[k]);
            tap(element * self.row);
            let mut k = rank;
            loop {
                if k == 0 {
                    return;
                }
                k -= 1;
                index[k] += 1;
                if index[k] < to[k] {
                    break;
                }
                index[k] = from[k];
            }
        }
    }
}
