//! The operands of a part as its tiles walk over them: packed, or where they lie.

use super::Strides;

/// Where a block of b begins.
#[derive(Clone, Copy)]
pub(super) struct Corner {
    pub first: usize,
    pub left: usize,
}

/// Rows of a: packed in strips unless they lie as the strides say.
#[derive(Clone, Copy)]
pub(super) struct Rows<T> {
    pub at: *const T,
    pub plain: Option<Strides>,
}

impl<T> Rows<T> {
    pub fn strip(&self, top: usize, k: usize) -> *const T {
        self.at.wrapping_offset(top as isize * self.plain.map_or(k as isize, |strides| strides.row))
    }
}

/// Columns of b, packed in panels unless they are plain: then with a row stride, and with those that do not fill a
/// vector packed apart.
#[derive(Clone, Copy)]
pub(super) struct Columns<T> {
    pub at: *const T,
    pub plain: Option<(isize, *const T)>,
    /// The columns after these.
    pub next: Ahead<T>,
}

impl<T> Columns<T> {
    /// The panel from `left` on, and how far its rows are apart.
    pub unsafe fn panel(&self, left: usize, width: usize, whole: usize, k: usize) -> (*const T, isize) {
        // SAFETY: by the caller.
        unsafe {
            match self.plain {
                Some((row, _)) if width == whole => (self.at.add(left), row),
                Some((_, rest)) => (rest, whole as isize),
                None => (self.at.add(left * k), whole as isize),
            }
        }
    }
}

/// The next columns of b: while a strip of a goes by their neighbours, it asks for one line of all their rows.
#[derive(Clone, Copy)]
pub(super) struct Ahead<T> {
    pub at: *const T,
    /// From one column to the next, and from what one strip asks for to what the next one does.
    pub column: isize,
    pub line: isize,
    pub step: isize,
}

impl<T> Ahead<T> {
    pub const LINE: isize = (64 / size_of::<T>()) as isize;

    /// Rows that lie `step` apart; none if `step` is 0.
    pub fn rows(at: *const T, step: isize) -> Ahead<T> {
        Ahead { at, column: 1, line: Self::LINE, step }
    }

    /// Panels of k steps.
    pub fn panels(at: *const T, k: usize) -> Ahead<T> {
        Ahead { at, column: k as isize, line: k as isize * Self::LINE, step: Self::LINE }
    }

    /// Where a strip asks, and the step: nothing where others have asked for all lines.
    pub fn of_strip(&self, number: usize, left: usize, width: usize) -> Option<(*const T, isize)> {
        let needed = number as isize * Self::LINE < width as isize && self.step != 0;
        let at = self.at.wrapping_offset(left as isize * self.column + number as isize * self.line);
        needed.then_some((at, self.step))
    }
}
