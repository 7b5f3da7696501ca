//! Sizes of a convolution. One and two spatial dimensions are three, with leading ones.

use crate::Error;
use crate::check::{expect, ints, sizes};
use millrace_program::{BoundAttrs, Shape};
use std::ops::Range;

#[derive(Clone, Debug, PartialEq)]
pub struct Geometry {
    pub batch: usize,
    pub groups: usize,
    /// Channels of the input and of the output, all groups together.
    pub channels: usize,
    pub features: usize,
    pub input: [usize; 3],
    pub filter: [usize; 3],
    pub output: [usize; 3],
    pub stride: [i64; 3],
    pub low: [i64; 3],
    pub input_dilation: [i64; 3],
    pub filter_dilation: [i64; 3],
}

fn spatial<T: Copy>(values: &[T], one: T) -> [T; 3] {
    let mut all = [one; 3];
    all[3 - values.len()..].copy_from_slice(values);
    all
}

impl Geometry {
    /// From the shapes of the input, the filter and the output, which must fit each other.
    pub fn new(
        op: &str,
        x: &Shape,
        w: &Shape,
        out: &Shape,
        attrs: &BoundAttrs,
        dilates_input: bool,
    ) -> Result<Geometry, Error> {
        let rank = x.rank();
        expect((3..=5).contains(&rank) && w.rank() == rank && out.rank() == rank, || {
            format!("{op}: {x}, {w} and {out} need one rank of 3 to 5")
        })?;
        if x.dtype() != w.dtype() || x.dtype() != out.dtype() {
            return Err(Error::dtype(format!("{op}: {x}, {w} and {out} have different dtypes")));
        }
        let dims = rank - 2;
        let positive =
            |name| Ok::<_, Error>(sizes(attrs, name, dims, 1)?.into_iter().map(|v| v as i64).collect::<Vec<i64>>());
        let (strides, filter_dilation) = (positive("strides")?, positive("rhsDilation")?);
        let input_dilation = if dilates_input { positive("lhsDilation")? } else { vec![1; dims] };
        let (low, high) = (ints(attrs, "low", dims)?, ints(attrs, "high", dims)?);
        let groups = usize::try_from(attrs.int("groups")?).ok().filter(|&g| g > 0);
        let groups = groups.ok_or_else(|| Error::argument(format!("{op}: groups must be positive")))?;
        let (xs, ws, os) = (x.dims(), w.dims(), out.dims());
        let (channels, features) = (xs[rank - 1], ws[rank - 1]);
        expect(ws[rank - 2].checked_mul(groups) == Some(channels) && features.is_multiple_of(groups), || {
            format!("{op}: {x} and {w} do not fit {groups} groups")
        })?;
        expect(os[0] == xs[0] && os[rank - 1] == features, || format!("{op}: {out} does not fit {x} and {w}"))?;
        for d in 0..dims {
            let (n, k) = (xs[d + 1] as i128, ws[d] as i128);
            let dilated = |n: i128, by: i64| if n == 0 { 0 } else { (n - 1) * by as i128 + 1 };
            let padded = dilated(n, input_dilation[d]) + low[d] as i128 + high[d] as i128;
            let window = dilated(k, filter_dilation[d]);
            let size = if padded < window { 0 } else { (padded - window) / strides[d] as i128 + 1 };
            expect(k > 0 && size == os[d + 1] as i128, || {
                format!("{op}: {out} should have size {size} in dimension {}", d + 1)
            })?;
            // Positions are computed as i64.
            let far = [padded, window, low[d] as i128].iter().any(|v| v.abs() > 1 << 40);
            expect(!far, || format!("{op}: padding or dilation is too large"))?;
        }
        // Working memory is a few times the filter, whole panels of it: refuse what cannot be counted.
        let filter = ws[..dims].iter().map(|&k| k as f64).product::<f64>() * channels as f64;
        expect(filter * (features as f64 + 64.0) < (1u64 << 46) as f64, || format!("{op}: {w} is too large"))?;
        Ok(Geometry {
            batch: xs[0],
            groups,
            channels,
            features,
            input: spatial(&xs[1..=dims], 1),
            filter: spatial(&ws[..dims], 1),
            output: spatial(&os[1..=dims], 1),
            stride: spatial(&strides, 1),
            low: spatial(&low, 0),
            input_dilation: spatial(&input_dilation, 1),
            filter_dilation: spatial(&filter_dilation, 1),
        })
    }

    pub fn group_channels(&self) -> usize {
        self.channels / self.groups
    }

    pub fn group_features(&self) -> usize {
        self.features / self.groups
    }

    /// Elements of a row of the column matrix of one group.
    pub fn columns(&self) -> usize {
        self.taps() * self.group_channels()
    }

    pub fn taps(&self) -> usize {
        self.filter.iter().product()
    }

    /// Positions of the output in one image.
    pub fn positions(&self) -> usize {
        self.output.iter().product()
    }

    /// Rows of the column matrix.
    pub fn rows(&self) -> usize {
        self.batch * self.positions()
    }

    /// Elements of one image of the input.
    pub fn image(&self) -> usize {
        self.input.iter().product::<usize>() * self.channels
    }

    pub fn flops(&self) -> f64 {
        2.0 * self.rows() as f64 * self.columns() as f64 * self.features as f64
    }

    /// A filter of one element that meets every element of the input once, in order.
    pub fn is_product(&self) -> bool {
        self.taps() == 1 && self.input == self.output && self.stride == [1; 3] && self.low == [0; 3] && self.groups == 1
    }

    /// One channel and one feature a group.
    pub fn is_depthwise(&self) -> bool {
        self.groups > 1 && self.channels == self.groups && self.features == self.groups
    }

    /// Where tap `k` of the window at `o` lies in dimension `d`; `None` in the padding and between dilated elements.
    #[inline(always)]
    pub fn position(&self, d: usize, o: usize, k: usize) -> Option<usize> {
        let at = o as i64 * self.stride[d] + k as i64 * self.filter_dilation[d] - self.low[d];
        let by = self.input_dilation[d];
        if at < 0 || (by != 1 && at % by != 0) {
            return None;
        }
        let at = (if by == 1 { at } else { at / by }) as usize;
        (at < self.input[d]).then_some(at)
    }

    /// The convolution that leads from cotangents of the output to those of the input: with the filter turned around,
    /// so that the last tap comes first, and its channels and features in each other's place.
    pub fn turned(&self) -> Geometry {
        let mut turned = self.clone();
        (turned.channels, turned.features) = (self.features, self.channels);
        (turned.input, turned.output) = (self.output, self.input);
        (turned.stride, turned.input_dilation) = (self.input_dilation, self.stride);
        for d in 0..3 {
            turned.low[d] = (self.filter[d] as i64 - 1) * self.filter_dilation[d] - self.low[d];
        }
        turned
    }

    /// The positions of dimension `d` of the output, by the taps that meet elements of the input there.
    pub fn classes(&self, d: usize) -> Vec<Class> {
        let (stride, by) = (self.stride[d], self.input_dilation[d]);
        let common = gcd(stride, by);
        let period = usize::try_from(by / common).unwrap_or(usize::MAX);
        let class = |first: usize| Class {
            first,
            period,
            count: (self.output[d] - first).div_ceil(period),
            taps: (0..self.filter[d])
                .map(|k| (k, first as i64 * stride + k as i64 * self.filter_dilation[d] - self.low[d]))
                .filter(|(_, at)| at.rem_euclid(by) == 0)
                .map(|(k, at)| (k, at.div_euclid(by)))
                .collect(),
            step: stride / common,
        };
        (0..period.min(self.output[d])).map(class).collect()
    }
}

impl Class {
    /// The positions whose taps are all inside an input of so many elements.
    pub fn inside(&self, input: usize) -> Range<usize> {
        let (Some(first), Some(last)) = (self.taps.first(), self.taps.last()) else { return 0..self.count };
        let (first, last, input) = (first.1, last.1, input as i64);
        let from = ((-first).max(0) as u64).div_ceil(self.step as u64).min(self.count as u64) as usize;
        let until = if last < input { ((input - 1 - last) / self.step + 1) as usize } else { 0 };
        from..until.clamp(from, self.count)
    }

    /// The same positions, in parts of which each meets an input of so many elements with the same taps, all inside.
    pub fn by_border(&self, input: usize) -> Vec<Class> {
        let inside = self.inside(input);
        let part = |positions: Range<usize>| {
            let taps = self.taps.iter().map(|&(tap, at)| (tap, at + positions.start as i64 * self.step));
            Class {
                first: self.first + positions.start * self.period,
                count: positions.len(),
                taps: taps.filter(|tap| (0..input as i64).contains(&tap.1)).collect(),
                ..*self
            }
        };
        let before = (0..inside.start).map(|q| part(q..q + 1));
        let between = (!inside.is_empty()).then(|| part(inside.clone()));
        before.chain(between).chain((inside.end..self.count).map(|q| part(q..q + 1))).collect()
    }
}

fn gcd(a: i64, b: i64) -> i64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// Positions first, first + period, … of one dimension of the output, which meet elements of the input with the same
/// taps.
#[derive(Clone, Debug, PartialEq)]
pub struct Class {
    pub first: usize,
    pub period: usize,
    pub count: usize,
    /// The taps, and where each lies in the input at the first position: maybe in the padding.
    pub taps: Vec<(usize, i64)>,
    /// Elements of the input from one position to the next.
    pub step: i64,
}
