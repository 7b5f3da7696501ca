//! Rows of the column matrix, gathered from the input.

use super::geometry::Geometry;
use crate::gemm::Scalar;

/// ⌈x / by⌉ where that is positive, else 0.
fn steps(x: i64, by: i64) -> i64 {
    (x.max(0) + by - 1) / by
}

impl Geometry {
    /// Calls `piece(column, len, at)` for the pieces of a row in order: `len` elements from `column` on are those of
    /// the input from element `at` of the image on (in the channels of the first group), or lie in the padding.
    #[inline(always)]
    fn for_each_piece(&self, position: [usize; 3], mut piece: impl FnMut(usize, usize, Option<usize>)) {
        let width = self.group_channels();
        let [taps_d, taps_h, taps_w] = self.filter;
        // Neighbouring taps are neighbours in memory.
        let joined = self.groups == 1 && self.filter_dilation[2] == 1 && self.input_dilation[2] == 1;
        let first = position[2] as i64 * self.stride[2] - self.low[2];
        let from = (-first).clamp(0, taps_w as i64) as usize;
        let to = (self.input[2] as i64 - first).clamp(from as i64, taps_w as i64) as usize;
        let mut column = 0;
        for d in 0..taps_d {
            let at_d = self.position(0, position[0], d);
            for h in 0..taps_h {
                let line = at_d.and_then(|at_d| {
                    self.position(1, position[1], h).map(|at_h| (at_d * self.input[1] + at_h) * self.input[2])
                });
                match line {
                    None => piece(column, taps_w * width, None),
                    Some(line) if joined => {
                        if from > 0 {
                            piece(column, from * width, None);
                        }
                        if to > from {
                            let at = (line as i64 + first + from as i64) as usize * self.channels;
                            piece(column + from * width, (to - from) * width, Some(at));
                        }
                        if to < taps_w {
                            piece(column + to * width, (taps_w - to) * width, None);
                        }
                    }
                    Some(line) => {
                        for w in 0..taps_w {
                            let at = self.position(2, position[2], w).map(|at_w| (line + at_w) * self.channels);
                            piece(column + w * width, width, at);
                        }
                    }
                }
                column += taps_w * width;
            }
        }
    }

    /// Calls `row(image, position)` for rows first .. first + count.
    #[inline(always)]
    fn for_each_row(&self, first: usize, count: usize, mut row: impl FnMut(usize, [usize; 3])) {
        let [od, oh, ow] = self.output;
        let (mut w, mut h, mut d) = (first % ow, first / ow % oh, first / (ow * oh) % od);
        let mut image = first / (ow * oh * od);
        for _ in 0..count {
            row(image, [d, h, w]);
            w += 1;
            if w == ow {
                (w, h) = (0, h + 1);
            }
            if h == oh {
                (h, d) = (0, d + 1);
            }
            if d == od {
                (d, image) = (0, image + 1);
            }
        }
    }

    /// Writes rows first .. first + count of one group's column matrix.
    ///
    /// # Safety
    /// `x` is the input, `to` has count · columns elements.
    pub unsafe fn gather<T: Scalar>(&self, x: *const T, group: usize, first: usize, count: usize, mut to: *mut T) {
        let (image_len, columns) = (self.image(), self.columns());
        let x = x.wrapping_add(group * self.group_channels());
        // SAFETY: by the caller.
        match (self.group_channels(), self.input_dilation[2]) {
            (1, 1) => return unsafe { self.gather_lines::<T, 1>(x, first, count, to) },
            (2, 1) => return unsafe { self.gather_lines::<T, 2>(x, first, count, to) },
            (3, 1) => return unsafe { self.gather_lines::<T, 3>(x, first, count, to) },
            _ => {}
        }
        self.for_each_row(first, count, |image, position| {
            self.for_each_piece(position, |column, len, at| {
                // SAFETY: pieces cover the row, and `position` keeps them inside the image.
                unsafe {
                    let to = to.add(column);
                    match at {
                        Some(at) => copy(x.add(image * image_len + at), to, len),
                        None => (0..len).for_each(|i| to.add(i).write(T::ZERO)),
                    }
                }
            });
            to = to.wrapping_add(columns);
        });
    }

    /// The same for few channels, where pieces are short: tap by tap along a line of the output.
    unsafe fn gather_lines<T: Scalar, const WIDTH: usize>(
        &self,
        x: *const T,
        first: usize,
        count: usize,
        mut to: *mut T,
    ) {
        let ([od, oh, ow], [taps_d, taps_h, taps_w]) = (self.output, self.filter);
        let (columns, stride) = (self.columns(), self.stride[2]);
        let (mut row, end) = (first, first + count);
        while row < end {
            let (w, line) = (row % ow, row / ow);
            let (image, d, h) = (line / (od * oh), line / oh % od, line % oh);
            let len = (ow - w).min(end - row);
            let x = x.wrapping_add(image * self.image());
            for tap in 0..self.taps() {
                let (kd, kh, kw) = (tap / (taps_h * taps_w), tap / taps_w % taps_h, tap % taps_w);
                debug_assert!(kd < taps_d);
                let place = self.position(0, d, kd).zip(self.position(1, h, kh));
                let place = place.map(|(z, y)| ((z * self.input[1] + y) * self.input[2]) as i64);
                // Positions of the line whose tap is inside.
                let shift = kw as i64 * self.filter_dilation[2] - self.low[2];
                let (from, until) = match place {
                    Some(_) => (steps(-shift, stride), steps(self.input[2] as i64 - shift, stride)),
                    None => (0, 0),
                };
                // Elements of the line from the first tap on, in steps of a row of the matrix.
                let (start, stop) = (w as i64, (w + len) as i64);
                let from = from.clamp(start, stop);
                let until = until.clamp(from, stop);
                let to = to.wrapping_add(tap * WIDTH);
                let put = |o: i64, value: [T; WIDTH]| {
                    // SAFETY: an element of the row.
                    unsafe { (to.add((o - start) as usize * columns) as *mut [T; WIDTH]).write_unaligned(value) }
                };
                (start..from).for_each(|o| put(o, [T::ZERO; WIDTH]));
                let at = |o: i64| ((place.unwrap_or(0) + shift + o * stride) * self.channels as i64) as isize;
                // SAFETY: between these the tap is inside the image.
                (from..until).for_each(|o| put(o, unsafe { (x.offset(at(o)) as *const [T; WIDTH]).read_unaligned() }));
                (until..stop).for_each(|o| put(o, [T::ZERO; WIDTH]));
            }
            to = to.wrapping_add(len * columns);
            row += len;
        }
    }
}

#[inline(always)]
unsafe fn copy<T: Scalar>(from: *const T, to: *mut T, len: usize) {
    // SAFETY: by the caller. A call costs more than a few elements.
    unsafe {
        if len < 8 {
            (0..len).for_each(|i| to.add(i).write(from.add(i).read()));
        } else {
            from.copy_to_nonoverlapping(to, len);
        }
    }
}
