//! Over 400 lines: all forms of convolutions against one plain sum. Convolutions and their gradients against sums by definition in float64, on every path of this machine.

use crate::isa::testing::each_isa;
use crate::testing::{Lcg, attrs, bytes, ints, list, numbers, run_library, shape};
use crate::{Pool, library};
use millrace_program::{BoundAttrs, BoundValue, DType, Op};

#[derive(Clone)]
struct Case {
    x: Vec<usize>,
    w: Vec<usize>,
    strides: Vec<usize>,
    low: Vec<i64>,
    high: Vec<i64>,
    lhs_dilation: Vec<usize>,
    rhs_dilation: Vec<usize>,
    groups: usize,
}

impl Case {
    fn new(x: &[usize], w: &[usize]) -> Case {
        let n = x.len() - 2;
        Case {
            x: x.to_vec(),
            w: w.to_vec(),
            strides: vec![1; n],
            low: vec![0; n],
            high: vec![0; n],
            lhs_dilation: vec![1; n],
            rhs_dilation: vec![1; n],
            groups: 1,
        }
    }

    fn strides(self, strides: &[usize]) -> Case {
        Case { strides: strides.to_vec(), ..self }
    }

    fn padding(self, low: &[i64], high: &[i64]) -> Case {
        Case { low: low.to_vec(), high: high.to_vec(), ..self }
    }

    fn dilation(self, lhs: &[usize], rhs: &[usize]) -> Case {
        Case { lhs_dilation: lhs.to_vec(), rhs_dilation: rhs.to_vec(), ..self }
    }

    fn groups(self, groups: usize) -> Case {
        Case { groups, ..self }
    }

    fn out(&self) -> Vec<usize> {
        let n = self.x.len() - 2;
        let mut out = vec![self.x[0]];
        for d in 0..n {
            let dilated = (self.x[d + 1] as i64 - 1) * self.lhs_dilation[d] as i64 + 1;
            let padded = if self.x[d + 1] == 0 { 0 } else { dilated } + self.low[d] + self.high[d];
            let window = (self.w[d] as i64 - 1) * self.rhs_dilation[d] as i64 + 1;
            out.push(if padded < window { 0 } else { ((padded - window) / self.strides[d] as i64 + 1) as usize });
        }
        out.push(self.w[n + 1]);
        out
    }

    fn attrs(&self, more: &[(&str, BoundValue)]) -> BoundAttrs {
        let mut entries = vec![
            ("groups", BoundValue::Int(self.groups as i64)),
            ("high", ints(&self.high)),
            ("low", ints(&self.low)),
            ("rhsDilation", list(&self.rhs_dilation)),
            ("strides", list(&self.strides)),
        ];
        entries.extend_from_slice(more);
        attrs(&entries)
    }

    /// Calls f(x element, w element, out element) for each product that the convolution adds up.
    fn for_each_term(&self, mut f: impl FnMut(usize, usize, usize)) {
        let (n, out) = (self.x.len() - 2, self.out());
        let (cg, og) = (self.w[n], self.w[n + 1] / self.groups);
        let unravel = |mut i: usize, dims: &[usize]| {
            let mut index = vec![0; dims.len()];
            for k in (0..dims.len()).rev() {
                index[k] = i % dims[k];
                i /= dims[k];
            }
            index
        };
        for o in 0..out.iter().product() {
            let at = unravel(o, &out);
            for k in 0..self.w[..n].iter().product() {
                let tap = unravel(k, &self.w[..n]);
                let mut place = Some(at[0]);
                for d in 0..n {
                    let p = (at[d + 1] * self.strides[d]) as i64 + (tap[d] * self.rhs_dilation[d]) as i64 - self.low[d];
                    let by = self.lhs_dilation[d] as i64;
                    let inside = p >= 0 && p % by == 0 && p / by < self.x[d + 1] as i64;
                    place = place.filter(|_| inside).map(|q| q * self.x[d + 1] + (p / by) as usize);
                }
                let Some(place) = place else { continue };
                for c in 0..cg {
                    let group = at[n + 1] / og;
                    f(place * self.x[n + 1] + group * cg + c, (k * cg + c) * self.w[n + 1] + at[n + 1], o);
                }
            }
        }
    }
}

fn cases() -> Vec<Case> {
    vec![
        Case::new(&[2, 9, 8, 3], &[3, 3, 3, 5]).padding(&[1, 1], &[1, 1]),
        Case::new(&[3, 28, 28, 1], &[3, 3, 1, 32]).padding(&[1, 1], &[1, 1]),
        Case::new(&[2, 14, 14, 32], &[3, 3, 32, 64]),
        Case::new(&[2, 9, 8, 3], &[2, 3, 3, 5]).strides(&[2, 3]).padding(&[0, 2], &[1, -1]),
        Case::new(&[2, 9, 8, 4], &[3, 2, 4, 5]).dilation(&[1, 1], &[2, 3]).padding(&[2, 2], &[2, 2]),
        Case::new(&[2, 5, 6, 4], &[1, 1, 4, 70]),
        Case::new(&[40, 9, 6, 17], &[1, 1, 17, 33]),
        Case::new(&[2, 5, 6, 4], &[1, 1, 4, 7]).strides(&[2, 2]),
        Case::new(&[2, 17, 3], &[4, 3, 6]).padding(&[-1], &[2]),
        Case::new(&[1, 5, 6, 4, 2], &[2, 3, 2, 2, 3]).padding(&[1, 0, 1], &[0, 1, 1]).strides(&[1, 2, 1]),
        Case::new(&[2, 7, 7, 6], &[3, 3, 2, 9]).groups(3).padding(&[1, 1], &[1, 1]),
        Case::new(&[2, 7, 7, 20], &[3, 3, 1, 20]).groups(20).strides(&[2, 1]).padding(&[1, 1], &[1, 1]),
        Case::new(&[2, 7, 7, 5], &[3, 2, 1, 15]).groups(5),
        Case::new(&[0, 7, 7, 5], &[3, 2, 5, 15]),
        Case::new(&[2, 7, 7, 0], &[3, 2, 0, 4]),
        Case::new(&[2, 2, 2, 3], &[3, 3, 3, 4]),
        Case::new(&[2, 0, 5, 3], &[1, 1, 3, 4]).padding(&[1, 0], &[1, 0]),
        Case::new(&[1, 1, 1, 1], &[1, 1, 1, 1]),
        Case::new(&[300, 4, 4, 2], &[2, 2, 2, 3]).padding(&[1, 0], &[0, 1]),
        // Rows at the borders apart, and not.
        Case::new(&[6, 7, 7, 16], &[3, 3, 16, 16]).padding(&[1, 1], &[1, 1]),
        Case::new(&[3, 6, 9, 16], &[3, 5, 16, 16]).padding(&[2, 1], &[0, 4]).strides(&[2, 1]),
        Case::new(&[1, 4, 40, 16], &[3, 3, 16, 8]).padding(&[0, 1], &[0, 1]),
        // Cut by columns: few rows, a large filter.
        Case::new(&[1, 5, 5, 64], &[3, 3, 64, 500]).padding(&[1, 1], &[1, 1]),
        // Blocks of the sum end within a tap.
        Case::new(&[1, 6, 5, 130], &[2, 3, 130, 40]).padding(&[0, 1], &[1, 1]),
        // Lines in pieces.
        Case::new(&[1, 700, 3], &[3, 3, 6]).padding(&[1], &[1]),
        Case::new(&[2, 3, 300, 2], &[2, 2, 2, 6]).padding(&[0, 1], &[1, 0]).strides(&[1, 2]),
        // Too far apart for a padded copy.
        Case::new(&[1, 3, 3, 1], &[3, 3, 1, 2]).dilation(&[1, 1], &[800, 800]).padding(&[800, 800], &[800, 800]),
        Case::new(&[2, 6, 7, 33], &[5, 3, 1, 33]).groups(33).padding(&[2, 0], &[2, 2]).dilation(&[1, 1], &[1, 2]),
        Case::new(&[1, 9, 30, 16], &[3, 3, 1, 16]).groups(16).strides(&[2, 2]).padding(&[0, 0], &[1, 1]),
        Case::new(&[2, 3, 4, 5, 3], &[2, 2, 3, 1, 3]).groups(3).padding(&[1, 0, 1], &[0, 1, 1]),
        Case::new(&[1, 8, 9, 12], &[3, 3, 3, 20]).groups(4).strides(&[2, 1]).padding(&[1, 1], &[1, 1]),
    ]
}

/// Every kind of tail, in channels and in features.
fn channel_cases() -> Vec<Case> {
    let counts = [1, 3, 5, 16, 17, 33];
    let of = |c: usize, f: usize| {
        let odd = Case::new(&[2, 7, 6, c], &[3, 2, c, f]).padding(&[1, 0], &[0, 2]);
        [odd.clone().strides(&[2, 1]), odd, Case::new(&[2, 4, 5, c], &[1, 1, c, f]).strides(&[1, 2])]
    };
    counts.iter().flat_map(|&c| counts.iter().flat_map(move |&f| of(c, f))).collect()
}

fn close(name: &str, case: &Case, got: &[f32], want: &[f64], size: &[f64]) {
    assert_eq!(got.len(), want.len());
    for i in 0..want.len() {
        let far = (got[i] as f64 - want[i]).abs();
        assert!(
            far <= 2e-6 * size[i] + 1e-30,
            "{name} of {:?} and {:?} at {i}: {} is not {}",
            case.x,
            case.w,
            got[i],
            want[i]
        );
    }
}

#[test]
fn forward_and_gradients() {
    let pools = [Pool::new(1), Pool::new(2), Pool::new(8)];
    for case in cases().into_iter().chain(channel_cases()) {
        let mut lcg = Lcg(1);
        let out = case.out();
        let (x, w) = (lcg.floats(case.x.iter().product()), lcg.floats(case.w.iter().product()));
        let g = lcg.floats(out.iter().product());
        let mut sums = [
            (vec![0f64; g.len()], vec![0f64; g.len()]),
            (vec![0f64; x.len()], vec![0f64; x.len()]),
            (vec![0f64; w.len()], vec![0f64; w.len()]),
        ];
        case.for_each_term(|i, k, o| {
            let (a, b, c) = (x[i] as f64, w[k] as f64, g[o] as f64);
            for (n, (at, term)) in [(o, a * b), (i, c * b), (k, a * c)].into_iter().enumerate() {
                sums[n].0[at] += term;
                sums[n].1[at] += term.abs();
            }
        });
        let f = |dims: &[usize]| shape(DType::Float32, dims);
        each_isa(|_| {
            let run = |op, ins: [&[usize]; 2], data: [&[f32]; 2], out: &[usize], attrs: &BoundAttrs| {
                let results = pools.each_ref().map(|pool| {
                    let data = data.map(bytes);
                    run_library(op, &[f(ins[0]), f(ins[1])], &[f(out)], attrs, &data, pool).remove(0)
                });
                assert!(results.iter().all(|bits| *bits == results[0]), "bits for any number of threads");
                numbers::<f32>(&results[0])
            };
            let y = run(
                Op::ConvGeneral,
                [&case.x, &case.w],
                [&x, &w],
                &out,
                &case.attrs(&[("lhsDilation", list(&case.lhs_dilation))]),
            );
            close("convGeneral", &case, &y, &sums[0].0, &sums[0].1);
            let dx = run(
                Op::ConvInputGrad,
                [&out, &case.w],
                [&g, &w],
                &case.x,
                &case.attrs(&[("inputShape", list(&case.x))]),
            );
            close("convInputGrad", &case, &dx, &sums[1].0, &sums[1].1);
            let dw = run(
                Op::ConvFilterGrad,
                [&case.x, &out],
                [&x, &g],
                &case.w,
                &case.attrs(&[("filterShape", list(&case.w))]),
            );
            close("convFilterGrad", &case, &dw, &sums[2].0, &sums[2].1);
        });
    }
}

#[test]
fn infinities_and_nan_reach_what_they_meet_and_nothing_else() {
    let cases = [
        Case::new(&[2, 8, 9, 16], &[3, 3, 16, 20]).padding(&[1, 1], &[1, 1]),
        Case::new(&[1, 9, 9, 3], &[3, 3, 3, 5]).strides(&[2, 2]).padding(&[0, 0], &[1, 1]),
        Case::new(&[2, 8, 9, 17], &[3, 3, 1, 17]).groups(17).padding(&[1, 1], &[1, 1]),
        Case::new(&[2, 8, 9, 16], &[1, 1, 16, 20]),
    ];
    let f = |dims: &[usize]| shape(DType::Float32, dims);
    let same = |got: &[f32], want: &[f64]| {
        let alike = |a: f32, b: f64| (a.is_nan(), a == f32::INFINITY) == (b.is_nan(), b == f64::INFINITY);
        got.iter().zip(want).all(|(&a, &b)| alike(a, b))
    };
    each_isa(|_| {
        for case in &cases {
            let (mut lcg, out) = (Lcg(5), case.out());
            // Positive filters: no infinity meets its opposite.
            let w: Vec<f32> = lcg.floats(case.w.iter().product()).iter().map(|v| v.abs() + 0.5).collect();
            let (mut x, mut g) = (lcg.floats(case.x.iter().product()), lcg.floats(out.iter().product()));
            // In the middle, where no tap lies in the padding.
            let middle = |dims: &[usize]| ((dims[1] / 2) * dims[2] + dims[2] / 2) * dims[3];
            (x[middle(&case.x)], g[middle(&out)]) = (f32::NAN, f32::INFINITY);
            let (mut y, mut dx) = (vec![0f64; g.len()], vec![0f64; x.len()]);
            case.for_each_term(|i, k, o| {
                y[o] += x[i] as f64 * w[k] as f64;
                dx[i] += g[o] as f64 * w[k] as f64;
            });
            let attrs = case.attrs(&[("lhsDilation", list(&case.lhs_dilation))]);
            let got = run_library(
                Op::ConvGeneral,
                &[f(&case.x), f(&case.w)],
                &[f(&out)],
                &attrs,
                &[bytes(&x), bytes(&w)],
                Pool::global(),
            );
            assert!(same(&numbers(&got[0]), &y), "{:?}", case.x);
            let attrs = case.attrs(&[("inputShape", list(&case.x))]);
            let got = run_library(
                Op::ConvInputGrad,
                &[f(&out), f(&case.w)],
                &[f(&case.x)],
                &attrs,
                &[bytes(&g), bytes(&w)],
                Pool::global(),
            );
            assert!(same(&numbers(&got[0]), &dx), "{:?}", case.x);
        }
    });
}

#[test]
fn dilated_inputs_and_other_dtypes() {
    let cases = [
        Case::new(&[2, 5, 6, 3], &[3, 3, 3, 4]).dilation(&[2, 3], &[1, 2]).padding(&[1, 2], &[2, 1]),
        Case::new(&[2, 5, 6, 4], &[3, 2, 1, 8]).dilation(&[2, 1], &[1, 1]).groups(4).strides(&[3, 2]),
    ];
    each_isa(|_| {
        for case in &cases {
            let mut lcg = Lcg(2);
            let mut values = |n: usize| (0..n).map(|_| (lcg.next() % 19) as i64 - 9).collect::<Vec<i64>>();
            let (x, w) = (values(case.x.iter().product()), values(case.w.iter().product()));
            let out = case.out();
            let mut want = vec![0i64; out.iter().product()];
            case.for_each_term(|i, k, o| want[o] += x[i] * w[k]);
            let attrs = case.attrs(&[("lhsDilation", list(&case.lhs_dilation))]);
            macro_rules! check {
                ($t:ty, $dtype:expr) => {{
                    let data = [&x, &w].map(|v| bytes(&v.iter().map(|&v| v as $t).collect::<Vec<$t>>()));
                    let ins = [shape($dtype, &case.x), shape($dtype, &case.w)];
                    let got = run_library(Op::ConvGeneral, &ins, &[shape($dtype, &out)], &attrs, &data, Pool::global());
                    assert!(numbers::<$t>(&got[0]).iter().zip(&want).all(|(&a, &b)| a == b as $t));
                }};
            }
            check!(f32, DType::Float32);
            check!(f64, DType::Float64);
            check!(i32, DType::Int32);
            check!(i64, DType::Int64);
            check!(u8, DType::Uint8);
        }
    });
}

#[test]
fn what_does_not_fit_is_refused() {
    let f = |dims: &[usize]| shape(DType::Float32, dims);
    let refused = |case: &Case, out: &[usize]| {
        let attrs = case.attrs(&[("lhsDilation", list(&case.lhs_dilation))]);
        library(Op::ConvGeneral).unwrap().check(&[f(&case.x), f(&case.w)], &[f(out)], &attrs).is_err()
    };
    let good = Case::new(&[2, 5, 5, 4], &[3, 3, 4, 6]);
    assert!(!refused(&good, &[2, 3, 3, 6]));
    assert!(refused(&good, &[2, 3, 4, 6]));
    assert!(refused(&good, &[1, 3, 3, 6]));
    assert!(refused(&good.clone().groups(2), &[2, 3, 3, 6]));
    assert!(refused(&good.clone().groups(0), &[2, 3, 3, 6]));
    assert!(refused(&good.clone().strides(&[0, 1]), &[2, 3, 3, 6]));
    assert!(refused(&good.clone().strides(&[1]), &[2, 3, 3, 6]));
    assert!(refused(&good.clone().padding(&[i64::MAX, 0], &[i64::MIN + 1, 0]), &[2, 3, 3, 6]));
    let attrs = good.attrs(&[("inputShape", list(&[2, 5, 5, 5]))]);
    assert!(library(Op::ConvInputGrad).unwrap().check(&[f(&[2, 3, 3, 6]), f(&good.w)], &[f(&good.x)], &attrs).is_err());
    let attrs = good.attrs(&[("filterShape", list(&[3, 3, 4, 7]))]);
    assert!(
        library(Op::ConvFilterGrad).unwrap().check(&[f(&good.x), f(&[2, 3, 3, 6])], &[f(&good.w)], &attrs).is_err()
    );
}

#[test]
fn fast_math_is_near_the_sum_and_off_unless_asked_for() {
    let pools = [Pool::new(1), Pool::new(2), Pool::new(8)];
    let f = |dims: &[usize]| shape(DType::Float32, dims);
    let cases = [
        Case::new(&[1, 16, 16, 32], &[3, 3, 32, 32]).padding(&[1, 1], &[1, 1]),
        Case::new(&[2, 13, 15, 33], &[3, 3, 33, 47]).padding(&[1, 1], &[1, 1]),
        Case::new(&[3, 14, 11, 40], &[3, 3, 40, 70]),
        Case::new(&[2, 12, 17, 36], &[3, 3, 36, 35]).padding(&[2, 0], &[3, 1]),
        Case::new(&[2, 18, 19, 34], &[3, 3, 34, 33]).padding(&[-1, 4], &[1, -2]),
        Case::new(&[1, 3, 260, 32], &[3, 3, 32, 32]).padding(&[1, 1], &[1, 1]),
        Case::new(&[20, 3, 3, 32], &[3, 3, 32, 48]),
    ];
    let others = [
        Case::new(&[2, 13, 15, 33], &[3, 3, 33, 47]).strides(&[2, 1]),
        Case::new(&[2, 13, 15, 33], &[3, 3, 33, 47]).dilation(&[1, 1], &[1, 2]),
        Case::new(&[2, 13, 15, 33], &[3, 3, 33, 47]).dilation(&[2, 1], &[1, 1]),
        Case::new(&[2, 13, 15, 64], &[3, 3, 32, 64]).groups(2),
        Case::new(&[2, 13, 15, 33], &[3, 2, 33, 47]),
        Case::new(&[2, 13, 15, 8], &[3, 3, 8, 47]),
    ];
    for (case, fits) in cases.iter().map(|case| (case, true)).chain(others.iter().map(|case| (case, false))) {
        let (mut lcg, out) = (Lcg(7), case.out());
        let (x, w) = (lcg.floats(case.x.iter().product()), lcg.floats(case.w.iter().product()));
        let (mut want, mut size) = (vec![0f64; out.iter().product()], vec![0f64; out.iter().product()]);
        case.for_each_term(|i, k, o| {
            want[o] += x[i] as f64 * w[k] as f64;
            size[o] += (x[i] as f64 * w[k] as f64).abs();
        });
        // A tile's numbers are sums over the whole of it, so its errors are of the size of its largest sums.
        let most = size.iter().fold(0.0, |a: f64, &b| a.max(b));
        let plain = [("lhsDilation", list(&case.lhs_dilation))];
        let fast = [plain[0].clone(), ("fastMath", BoundValue::Bool(true))];
        each_isa(|_| {
            let run = |attrs: &BoundAttrs, pool: &Pool| {
                let ins = [f(&case.x), f(&case.w)];
                run_library(Op::ConvGeneral, &ins, &[f(&out)], attrs, &[bytes(&x), bytes(&w)], pool).remove(0)
            };
            let [one, two, eight] = pools.each_ref().map(|pool| run(&case.attrs(&fast), pool));
            assert!(one == two && one == eight, "bits for any number of threads");
            assert_eq!(one != run(&case.attrs(&plain), &pools[0]), fits, "{:?} and {:?}", case.x, case.w);
            for (i, got) in numbers::<f32>(&one).into_iter().enumerate() {
                let far = (got as f64 - want[i]).abs();
                assert!(far <= 3e-6 * most, "{:?} at {i}: {got} is not {}", case.x, want[i]);
            }
        });
    }
}

#[test]
fn fast_math_spreads_nan_over_a_tile_at_most_and_has_to_be_a_boolean() {
    let f = |dims: &[usize]| shape(DType::Float32, dims);
    let case = Case::new(&[1, 24, 24, 32], &[3, 3, 32, 32]).padding(&[1, 1], &[1, 1]);
    let mut lcg = Lcg(3);
    let (mut x, w) = (lcg.floats(case.x.iter().product()), lcg.floats(case.w.iter().product()));
    x[(9 * 24 + 10) * 32] = f32::INFINITY;
    let plain = ("lhsDilation", list(&case.lhs_dilation));
    let attrs = case.attrs(&[plain.clone(), ("fastMath", BoundValue::Bool(true))]);
    let data = [bytes(&x), bytes(&w)];
    each_isa(|_| {
        let ins = [f(&case.x), f(&case.w)];
        let got = run_library(Op::ConvGeneral, &ins, &[f(&case.x)], &attrs, &data, Pool::global());
        for (i, v) in numbers::<f32>(&got[0]).into_iter().enumerate() {
            let (row, column) = (i / 32 / 24, i / 32 % 24);
            // The tiles of four whose six rows and columns of the image have it.
            assert_eq!(v.is_finite(), !((8..12).contains(&row) && (8..12).contains(&column)), "{row}, {column}");
        }
    });
    let attrs = case.attrs(&[plain, ("fastMath", BoundValue::Int(1))]);
    assert!(library(Op::ConvGeneral).unwrap().check(&[f(&case.x), f(&case.w)], &[f(&case.x)], &attrs).is_err());
}
