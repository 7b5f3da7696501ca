//! Lines of the output of a depthwise convolution, in runs of positions which meet the same taps.

use super::chunk::bytes;
use super::geometry::{Class, Geometry};
use super::implicit::Filter;
use std::ops::Range;

/// A tap of a run: its number, and where in the image it lies at the first position.
#[derive(Clone, Copy)]
pub struct Tap {
    pub number: usize,
    pub at: isize,
}

/// Positions of one line of the output which meet the same taps.
pub struct Run<'a> {
    pub taps: &'a [Tap],
    /// The first position, the distance to the next, and how many.
    pub first: usize,
    pub period: usize,
    pub positions: usize,
    /// Elements of the input from one to the next.
    pub step: isize,
}

pub struct Lines {
    pub geometry: Geometry,
    filter: Filter,
    classes: [Vec<Class>; 3],
    /// Lines of a chunk.
    pub group: usize,
}

impl Lines {
    pub fn new(geometry: Geometry, filter: Filter, products: usize, chunks: usize) -> Lines {
        let classes = [0, 1, 2].map(|d| geometry.classes(d));
        let line = geometry.output[2].saturating_mul(geometry.channels).saturating_mul(geometry.taps());
        let mut lines = Lines { geometry, filter, classes, group: 1 };
        lines.group = (products / line.max(1)).min(lines.count().div_ceil(chunks)).max(1);
        lines
    }

    /// Lines of the output, of all images.
    pub fn count(&self) -> usize {
        self.geometry.batch * self.geometry.output[0] * self.geometry.output[1]
    }

    pub fn chunks(&self) -> usize {
        self.count().div_ceil(self.group)
    }

    pub fn chunk(&self, chunk: usize) -> Range<usize> {
        chunk * self.group..((chunk + 1) * self.group).min(self.count())
    }

    pub fn area_bytes(&self) -> usize {
        bytes::<Tap>(self.geometry.taps())
    }

    /// Calls `f` for the runs of a line.
    ///
    /// # Safety
    /// `memory` has `area_bytes`.
    pub unsafe fn for_each_run(&self, line: usize, memory: *mut u8, mut f: impl FnMut(Run)) {
        let Geometry { input, output, filter, channels, .. } = self.geometry;
        let [ds, hs, ws] = &self.classes;
        let (plane, h) = (line / output[1], line % output[1]);
        let (image, d) = (plane / output[0], plane % output[0]);
        let (class_d, class_h) = (&ds[d % ds.len()], &hs[h % hs.len()]);
        let (d, h) = ((d / ds.len()) as i64 * class_d.step, (h / hs.len()) as i64 * class_h.step);
        // SAFETY: a run has at most as many taps as the filter.
        let all = unsafe { std::slice::from_raw_parts_mut(memory as *mut Tap, self.geometry.taps()) };
        for class in ws {
            let (width, inside) = (input[2] as i64, class.inside(input[2]));
            let mut run = |positions: Range<usize>| {
                let w = positions.start as i64 * class.step;
                let mut used = 0;
                for &(tap_d, at_d) in class_d.taps.iter().filter(|tap| (0..input[0] as i64).contains(&(d + tap.1))) {
                    for &(tap_h, at_h) in class_h.taps.iter().filter(|tap| (0..input[1] as i64).contains(&(h + tap.1)))
                    {
                        let row = ((image * input[0]) as i64 + d + at_d) * input[1] as i64 + h + at_h;
                        for &(tap_w, at_w) in class.taps.iter().filter(|tap| (0..width).contains(&(w + tap.1))) {
                            let number = (tap_d * filter[1] + tap_h) * filter[2] + tap_w;
                            let number = match self.filter {
                                Filter::Forward => number,
                                Filter::Turned => all.len() - 1 - number,
                            };
                            let at = (row * width + w + at_w) as isize * channels as isize;
                            all[used] = Tap { number, at };
                            used += 1;
                        }
                    }
                }
                f(Run {
                    taps: &all[..used],
                    first: line * output[2] + class.first + positions.start * class.period,
                    period: class.period,
                    positions: positions.len(),
                    step: (class.step as isize).wrapping_mul(channels as isize),
                });
            };
            (0..inside.start).for_each(|q| run(q..q + 1));
            if !inside.is_empty() {
                run(inside.clone());
            }
            (inside.end..class.count).for_each(|q| run(q..q + 1));
        }
    }
}
