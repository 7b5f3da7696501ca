//! Sizes of a convolution. One and two spatial dimensions are three, with leading ones.

use crate::Error;
use crate::check::{expect, ints, sizes};
use millrace_program::{BoundAttrs, Shape};

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
}
