//! Windows against their definition, on every path of this machine.

use crate::isa::testing::each_isa;
use crate::testing::{Lcg, attrs, bytes, ints, list, numbers, run_library, shape};
use crate::{Pool, library};
use millrace_program::{BoundAttrs, DType, Op};

struct Case {
    x: &'static [usize],
    window: &'static [usize],
    strides: &'static [usize],
    low: &'static [i64],
    high: &'static [i64],
}

const CASES: [Case; 9] = [
    Case { x: &[2, 8, 7, 32], window: &[1, 2, 2, 1], strides: &[1, 2, 2, 1], low: &[0, 0, 0, 0], high: &[0, 0, 0, 0] },
    Case { x: &[3, 9, 9, 5], window: &[1, 3, 3, 1], strides: &[1, 2, 1, 1], low: &[0, 1, 1, 0], high: &[0, 1, 1, 0] },
    Case { x: &[40, 5, 3], window: &[1, 3, 2], strides: &[1, 1, 2], low: &[0, 2, 3], high: &[0, 2, 0] },
    Case { x: &[17], window: &[4], strides: &[3], low: &[-2], high: &[1] },
    Case { x: &[5, 4], window: &[2, 2], strides: &[1, 1], low: &[1, 1], high: &[1, 1] },
    Case { x: &[2, 300], window: &[2, 1], strides: &[1, 1], low: &[0, 0], high: &[0, 0] },
    Case { x: &[], window: &[], strides: &[], low: &[], high: &[] },
    Case { x: &[0, 4], window: &[1, 2], strides: &[1, 1], low: &[0, 0], high: &[0, 0] },
    Case { x: &[2, 0], window: &[1, 2], strides: &[1, 1], low: &[0, 2], high: &[0, 2] },
];

impl Case {
    fn out(&self) -> Vec<usize> {
        let size = |k: usize| {
            let room = self.x[k] as i64 + self.low[k] + self.high[k] - self.window[k] as i64;
            if room < 0 { 0 } else { room as usize / self.strides[k] + 1 }
        };
        (0..self.x.len()).map(size).collect()
    }

    fn attrs(&self) -> BoundAttrs {
        attrs(&[
            ("high", ints(self.high)),
            ("low", ints(self.low)),
            ("strides", list(self.strides)),
            ("window", list(self.window)),
        ])
    }

    /// The elements of each window, in order.
    fn windows(&self) -> Vec<Vec<usize>> {
        let unravel = |mut i: usize, dims: &[usize]| {
            let mut index = vec![0; dims.len()];
            for k in (0..dims.len()).rev() {
                index[k] = i % dims[k];
                i /= dims[k];
            }
            index
        };
        let out = self.out();
        let window = |o: usize| {
            let at = unravel(o, &out);
            (0..self.window.iter().product())
                .filter_map(|t| {
                    let tap = unravel(t, self.window);
                    (0..self.x.len()).try_fold(0, |flat, k| {
                        let i = (at[k] * self.strides[k] + tap[k]) as i64 - self.low[k];
                        (0..self.x[k] as i64).contains(&i).then(|| flat * self.x[k] + i as usize)
                    })
                })
                .collect()
        };
        (0..out.iter().product()).map(window).collect()
    }
}

#[test]
fn reductions() {
    each_isa(|_| {
        for case in CASES {
            let mut lcg = Lcg(3);
            let mut x: Vec<f32> = lcg.floats(case.x.iter().product()).iter().map(|v| (v * 8.0).round() / 4.0).collect();
            if x.len() > 20 {
                x[7] = f32::NAN;
                x[9] = -0.0;
            }
            let whole: Vec<i32> = x.iter().map(|&v| v as i32).collect();
            for (op, start, f, g) in [
                (
                    Op::ReduceWindowSum,
                    (0.0, 0),
                    (|a, b| a + b) as fn(f32, f32) -> f32,
                    (|a, b| a + b) as fn(i32, i32) -> i32,
                ),
                (
                    Op::ReduceWindowMax,
                    (f32::NEG_INFINITY, i32::MIN),
                    |a, b| if a.is_nan() || b.is_nan() { f32::NAN } else { a.max(b) },
                    i32::max,
                ),
                (
                    Op::ReduceWindowMin,
                    (f32::INFINITY, i32::MAX),
                    |a, b| if a.is_nan() || b.is_nan() { f32::NAN } else { a.min(b) },
                    i32::min,
                ),
            ] {
                let run = |dtype, data| {
                    run_library(
                        op,
                        &[shape(dtype, case.x)],
                        &[shape(dtype, &case.out())],
                        &case.attrs(),
                        &[data],
                        Pool::global(),
                    )
                    .remove(0)
                };
                let got: Vec<f32> = numbers(&run(DType::Float32, bytes(&x)));
                let want = case.windows().into_iter().map(|window| window.into_iter().fold(start.0, |a, i| f(a, x[i])));
                assert!(
                    got.iter().zip(want).all(|(a, b)| *a == b || (a.is_nan() && b.is_nan())),
                    "{op:?} {:?}",
                    case.x
                );
                let got: Vec<i32> = numbers(&run(DType::Int32, bytes(&whole)));
                let want: Vec<i32> = case
                    .windows()
                    .into_iter()
                    .map(|window| window.into_iter().fold(start.1, |a, i| g(a, whole[i])))
                    .collect();
                assert_eq!(got, want);
            }
        }
    });
}

#[test]
fn gradient_of_the_maximum() {
    let pools = [Pool::new(1), Pool::new(3)];
    each_isa(|_| {
        for case in CASES {
            let mut lcg = Lcg(4);
            // Many ties.
            let mut x: Vec<f32> = lcg.floats(case.x.iter().product()).iter().map(|v| (v * 3.0).round()).collect();
            if x.len() > 20 {
                x[7] = f32::NAN;
                x[8] = f32::NAN;
            }
            let g: Vec<f32> = (0..case.out().iter().product()).map(|i| (i % 100) as f32).collect();
            let mut want = vec![0f32; x.len()];
            for (o, window) in case.windows().into_iter().enumerate() {
                let best = window
                    .into_iter()
                    .reduce(|best, i| if x[i] > x[best] || (x[i].is_nan() && !x[best].is_nan()) { i } else { best });
                if let Some(best) = best {
                    want[best] += g[o];
                }
            }
            for pool in &pools {
                let ins = [shape(DType::Float32, case.x), shape(DType::Float32, &case.out())];
                let got =
                    run_library(Op::SelectAndScatterAdd, &ins, &ins[..1], &case.attrs(), &[bytes(&x), bytes(&g)], pool);
                assert_eq!(numbers::<f32>(&got[0]), want, "{:?}", case.x);
            }
        }
    });
}

#[test]
fn what_does_not_fit_is_refused() {
    let f = |dims: &[usize]| shape(DType::Float32, dims);
    let kernel = library(Op::ReduceWindowMax).unwrap();
    let with = |window: &[usize], strides: &[usize], low: &[i64]| {
        attrs(&[("high", ints(&[0])), ("low", ints(low)), ("strides", list(strides)), ("window", list(window))])
    };
    assert!(kernel.check(&[f(&[8])], &[f(&[4])], &with(&[2], &[2], &[0])).is_ok());
    assert!(kernel.check(&[f(&[8])], &[f(&[5])], &with(&[2], &[2], &[0])).is_err());
    assert!(kernel.check(&[f(&[8])], &[shape(DType::Int32, &[4])], &with(&[2], &[2], &[0])).is_err());
    assert!(kernel.check(&[f(&[8])], &[f(&[4])], &with(&[0], &[2], &[0])).is_err());
    assert!(kernel.check(&[f(&[8])], &[f(&[4])], &with(&[2], &[0], &[0])).is_err());
    assert!(kernel.check(&[f(&[8])], &[f(&[4])], &with(&[2, 1], &[2], &[0])).is_err());
    assert!(kernel.check(&[f(&[8])], &[f(&[4])], &with(&[2], &[2], &[i64::MAX])).is_err());
    assert!(
        library(Op::SelectAndScatterAdd)
            .unwrap()
            .check(&[f(&[8]), f(&[3])], &[f(&[8])], &with(&[2], &[2], &[0]))
            .is_err()
    );
}
