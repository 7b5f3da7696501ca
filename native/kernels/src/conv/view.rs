//! What lies under the taps of a filter, for the gradient in the filter: at equal distances from one position of the
//! output to the next, along pieces of its lines.

use super::geometry::Geometry;
use crate::gemm::Scalar;
use std::ops::Range;

/// Elements of a padded copy, and of a block of the column matrix, at most.
const PADDED: usize = 1 << 21;
const COLUMNS: usize = 1 << 18;

#[derive(Clone, Copy, PartialEq)]
enum Form {
    /// The input itself: no tap ever lies in the padding.
    Direct,
    /// Copies of lines of the input with their padding.
    Padded,
    /// Rows of the column matrix, where such a copy would be large.
    Columns,
}

pub struct View {
    form: Form,
    /// Positions of a piece of a line, but the last.
    piece: usize,
    per_line: usize,
    /// Pieces that are looked at together.
    pub block: usize,
    /// Elements from one position to the next.
    pub step: isize,
    /// Elements from one tap to the next, along each dimension.
    taps: [isize; 3],
    /// Elements from one line of the input to the next.
    line: isize,
    /// Pixels in a line of a padded copy.
    width: usize,
}

/// A piece of a line of the output: where it is, and the line of the padded copy under its first tap.
struct Piece {
    image: usize,
    at: [usize; 3],
    len: usize,
    line: usize,
    /// Lines of the output that follow in one copy, where the piece is the first of them.
    lines: usize,
}

impl View {
    /// Blocks have about `depth` positions.
    pub fn new(geometry: &Geometry, depth: usize) -> View {
        let Geometry { input, output, filter, channels, .. } = *geometry;
        let (dilation, stride) = (geometry.filter_dilation, geometry.stride);
        let clear = (0..3).all(|d| {
            let last = (output[d].max(1) - 1) as i128 * stride[d] as i128
                + (filter[d] as i128 - 1) * dilation[d] as i128
                - geometry.low[d] as i128;
            geometry.low[d] <= 0 && last < input[d] as i128
        });
        let own = geometry.group_channels();
        let mut view = View {
            form: Form::Columns,
            piece: 1,
            per_line: 1,
            block: 1,
            step: geometry.columns() as isize,
            taps: [0; 3],
            line: 0,
            width: 0,
        };
        view.cut(output[2], depth);
        if clear {
            let line = (input[2] * channels) as isize;
            view.form = Form::Direct;
            view.line = line;
            view.step = (stride[2] as isize).wrapping_mul(channels as isize);
            view.taps = [input[1] as isize * line, line, channels as isize];
            (0..3).for_each(|d| view.taps[d] = view.taps[d].wrapping_mul(dilation[d] as isize));
            return view;
        }
        let width =
            (view.piece.max(1) - 1) as f64 * stride[2] as f64 + (filter[2] - 1) as f64 * dilation[2] as f64 + 1.0;
        let window = (filter[1] - 1) as f64 * dilation[1] as f64 + 1.0;
        let runs = (view.block / output[1].max(1) + 2).min(view.block) as f64;
        let lines = view.block as f64 * stride[1] as f64 + runs * window;
        if lines * width * (filter[0] * own) as f64 <= PADDED as f64 {
            view.form = Form::Padded;
            view.width = width as usize;
            let plane = (view.width * own) as isize;
            view.line = plane * filter[0] as isize;
            view.step = (stride[2] as isize).wrapping_mul(own as isize);
            // Lines of the taps of the first dimension follow each other.
            view.taps = [plane, view.line.wrapping_mul(dilation[1] as isize), 0];
            view.taps[2] = (dilation[2] as isize).wrapping_mul(own as isize);
        } else {
            view.cut(output[2], (COLUMNS / geometry.columns().max(1)).clamp(1, depth));
        }
        view
    }

    fn cut(&mut self, width: usize, depth: usize) {
        self.per_line = width.div_ceil(depth).max(1);
        self.piece = width.div_ceil(self.per_line).max(1);
        self.per_line = width.div_ceil(self.piece);
        self.block = if self.per_line > 1 { 1 } else { (depth / self.piece).max(1) };
    }

    /// Pieces of all images.
    pub fn pieces(&self, geometry: &Geometry) -> usize {
        geometry.batch * geometry.output[0] * geometry.output[1] * self.per_line
    }

    /// Positions of a block at most.
    pub fn positions(&self) -> usize {
        self.block * self.piece
    }

    /// The first position of a piece.
    pub fn position(&self, geometry: &Geometry, piece: usize) -> usize {
        piece / self.per_line * geometry.output[2] + piece % self.per_line * self.piece
    }

    /// Elements that [`View::fill`] writes.
    pub fn elements(&self, geometry: &Geometry) -> usize {
        match self.form {
            Form::Direct => 0,
            Form::Padded => {
                let window = (geometry.filter[1] - 1) * geometry.filter_dilation[1] as usize + 1;
                let runs = (self.block / geometry.output[1].max(1) + 2).min(self.block);
                (self.block * geometry.stride[1] as usize + runs * window) * self.line as usize
            }
            Form::Columns => self.positions() * geometry.columns(),
        }
    }

    /// What the places of rows and segments count from.
    pub fn base<T>(&self, geometry: &Geometry, x: *const T, group: usize, copy: *const T) -> *const T {
        if self.form == Form::Direct { x.wrapping_add(group * geometry.group_channels()) } else { copy }
    }

    /// Where a row of the result, which is a tap and a channel, lies under the first position.
    pub fn row(&self, geometry: &Geometry, row: usize) -> isize {
        if self.form == Form::Columns {
            return row as isize;
        }
        let own = geometry.group_channels();
        let [_, taps_h, taps_w] = geometry.filter;
        let (tap, channel) = (row / own, row % own);
        let [d, h, w] = [tap / (taps_h * taps_w), tap / taps_w % taps_h, tap % taps_w].map(|tap| tap as isize);
        d * self.taps[0] + h * self.taps[1] + w * self.taps[2] + channel as isize
    }

    fn for_each_piece(&self, geometry: &Geometry, pieces: Range<usize>, mut f: impl FnMut(&Piece)) {
        let [depth, height, width] = geometry.output;
        let window = (geometry.filter[1] as i64 - 1) * geometry.filter_dilation[1] + 1;
        let stride = geometry.stride[1];
        let (mut before, mut first, mut lines) = (0, 0, 0);
        for number in pieces.clone() {
            let (line, w) = (number / self.per_line, number % self.per_line * self.piece);
            let (plane, h) = (line / height, line % height);
            let starts = number == pieces.start || h == 0;
            if starts {
                if lines > 0 {
                    before += (lines as i64 - 1) * stride + window;
                }
                lines = if self.per_line > 1 { 1 } else { (height - h).min(pieces.end - number) };
                first = h;
            }
            f(&Piece {
                image: plane / depth,
                at: [plane % depth, h, w],
                len: self.piece.min(width - w),
                line: if self.form == Form::Padded { (before + (h - first) as i64 * stride) as usize } else { 0 },
                lines: if starts { lines } else { 0 },
            });
        }
    }

    /// Calls `f(shift, len)` for each piece: elements from the base to its first position, and how many it has.
    pub fn for_each_segment(&self, geometry: &Geometry, pieces: Range<usize>, mut f: impl FnMut(isize, usize)) {
        let (input, stride, low) = (geometry.input, geometry.stride, geometry.low);
        let mut row = 0;
        self.for_each_piece(geometry, pieces, |piece| {
            let shift = match self.form {
                Form::Direct => {
                    let [d, h, w] = [0, 1, 2].map(|axis| piece.at[axis] as i64 * stride[axis] - low[axis]);
                    let line = ((piece.image * input[0]) as i64 + d) * input[1] as i64 + h;
                    line as isize * self.line + w as isize * geometry.channels as isize
                }
                Form::Padded => piece.line as isize * self.line,
                Form::Columns => row * self.step,
            };
            row += piece.len as isize;
            f(shift, piece.len);
        });
    }

    /// About the elements of the input that these pieces are the first to lie over.
    pub fn span(&self, geometry: &Geometry, pieces: Range<usize>) -> Range<usize> {
        let lines = geometry.input[0] * geometry.input[1];
        let line = |piece: usize| {
            let (plane, h) = (piece / self.per_line / geometry.output[1], piece / self.per_line % geometry.output[1]);
            let (image, d) = (plane / geometry.output[0], plane % geometry.output[0]);
            let [d, h] = [(d, 0), (h, 1)]
                .map(|(at, axis)| (at as i64 * geometry.stride[axis]).clamp(0, geometry.input[axis] as i64) as usize);
            (image * lines + d * geometry.input[1] + h) * geometry.input[2] * geometry.channels
        };
        line(pieces.start)..line(pieces.end).max(line(pieces.start))
    }

    /// Copies what a block of pieces lies over, where it is not read in place.
    ///
    /// # Safety
    /// `x` is the input, `to` has [`View::elements`].
    pub unsafe fn fill<T: Scalar>(
        &self,
        geometry: &Geometry,
        x: *const T,
        group: usize,
        pieces: Range<usize>,
        to: *mut T,
    ) {
        match self.form {
            Form::Direct => {}
            Form::Columns => {
                let first = self.position(geometry, pieces.start);
                let mut count = 0;
                self.for_each_piece(geometry, pieces, |piece| count += piece.len);
                // SAFETY: by the caller.
                unsafe { geometry.gather(x, group, first, count, to) }
            }
            Form::Padded => self.for_each_piece(geometry, pieces, |piece| {
                let window = (geometry.filter[1] as i64 - 1) * geometry.filter_dilation[1] + 1;
                let lines = if piece.lines > 0 { (piece.lines as i64 - 1) * geometry.stride[1] + window } else { 0 };
                for line in 0..lines {
                    for tap in 0..geometry.filter[0] {
                        let at = (piece.line as i64 + line) as usize * self.line as usize;
                        // SAFETY: by the caller; as many lines as `elements` counts.
                        unsafe {
                            let to = to.add(at + tap * self.taps[0] as usize);
                            self.copy_line(geometry, x, group, piece, [tap as i64, line], to);
                        }
                    }
                }
            }),
        }
    }

    /// One line of a padded copy: for a tap of the first dimension, and a line from the first on.
    unsafe fn copy_line<T: Scalar>(
        &self,
        geometry: &Geometry,
        x: *const T,
        group: usize,
        piece: &Piece,
        [tap, line]: [i64; 2],
        to: *mut T,
    ) {
        let (input, low, channels) = (geometry.input, geometry.low, geometry.channels);
        let own = geometry.group_channels();
        let [d, h, w] = [0, 1, 2].map(|axis| piece.at[axis] as i64 * geometry.stride[axis] - low[axis]);
        let (d, h) = (d + tap * geometry.filter_dilation[0], h + line);
        let inside = (0..input[0] as i64).contains(&d) && (0..input[1] as i64).contains(&h);
        // Pixels of the line that are in the image.
        let from = (-w).clamp(0, self.width as i64) as usize;
        let end = if inside { (input[2] as i64 - w).clamp(from as i64, self.width as i64) as usize } else { from };
        // SAFETY: by the caller.
        unsafe {
            (0..from * own).for_each(|i| to.add(i).write(T::ZERO));
            (end * own..self.width * own).for_each(|i| to.add(i).write(T::ZERO));
            if end > from {
                let line = ((piece.image * input[0]) as i64 + d) * input[1] as i64 + h;
                let at = (line * input[2] as i64 + w) as isize + from as isize;
                let x = x.offset(at * channels as isize).add(group * own);
                if own == channels {
                    to.add(from * own).copy_from_nonoverlapping(x, (end - from) * own);
                } else {
                    for i in 0..end - from {
                        to.add((from + i) * own).copy_from_nonoverlapping(x.add(i * channels), own);
                    }
                }
            }
        }
    }
}
