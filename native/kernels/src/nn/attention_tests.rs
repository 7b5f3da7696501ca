//! Attention and its gradient against their decompositions in float64, on every path of this machine.

use super::tests::run;
use crate::isa::testing::each_isa;
use crate::testing::{Lcg, attrs};
use millrace_program::{BoundAttrs, BoundValue, Op};

struct Heads {
    heads: usize,
    queries: usize,
    keys: usize,
    size: usize,
    values: usize,
    scale: f64,
    causal: bool,
}

/// A value, and how far rounding can take it from there in units of the dtype's epsilon: running error analysis to first
/// order (Higham, "Accuracy and Stability of Numerical Algorithms", 3.3), with whatever order of the sums.
#[derive(Clone, Copy, Default)]
struct Bounded {
    value: f64,
    error: f64,
}

impl Bounded {
    fn exact(value: f64) -> Bounded {
        Bounded { value, error: 0.0 }
    }

    fn rounded(value: f64, error: f64) -> Bounded {
        Bounded { value, error: error + value.abs() }
    }

    fn times(self, y: Bounded) -> Bounded {
        Bounded::rounded(self.value * y.value, self.error * y.value.abs() + self.value.abs() * y.error)
    }

    fn minus(self, y: Bounded) -> Bounded {
        Bounded::rounded(self.value - y.value, self.error + y.error)
    }

    fn exp(self) -> Bounded {
        let value = self.value.exp();
        // Of -∞ it is 0, however far from there.
        Bounded { value, error: if value == 0.0 { 0.0 } else { value * (self.error + 2.0) } }
    }

    fn sum(terms: impl Iterator<Item = Bounded>) -> Bounded {
        let (mut value, mut error, mut magnitude, mut count) = (0.0, 0.0, 0.0, 0.0);
        for term in terms {
            value += term.value;
            error += term.error;
            magnitude += term.value.abs();
            count += 1.0;
        }
        Bounded { value, error: error + magnitude * count }
    }
}

impl Heads {
    fn q(&self) -> [usize; 4] {
        [1, self.heads, self.queries, self.size]
    }

    fn k(&self) -> [usize; 4] {
        [1, self.heads, self.keys, self.size]
    }

    fn v(&self) -> [usize; 4] {
        [1, self.heads, self.keys, self.values]
    }

    fn out(&self) -> [usize; 4] {
        [1, self.heads, self.queries, self.values]
    }

    fn attrs(&self) -> BoundAttrs {
        attrs(&[("causal", BoundValue::Bool(self.causal)), ("scale", BoundValue::Float(self.scale))])
    }

    fn score(&self, h: usize, i: usize, j: usize, [q, k]: [&[f32]; 2]) -> Bounded {
        if self.causal && j > i {
            return Bounded::exact(f64::NEG_INFINITY);
        }
        let product = (0..self.size).map(|d| {
            let x = q[(h * self.queries + i) * self.size + d] as f64 * k[(h * self.keys + j) * self.size + d] as f64;
            Bounded::rounded(x, 0.0)
        });
        Bounded::sum(product).times(Bounded::exact(self.scale))
    }

    /// By the decomposition: out, logSumExp.
    fn forward(&self, [q, k, v]: [&[f32]; 3]) -> [Vec<Bounded>; 2] {
        let (mut out, mut logs) = (vec![], vec![]);
        for (h, i) in (0..self.heads).flat_map(|h| (0..self.queries).map(move |i| (h, i))) {
            let scores: Vec<Bounded> = (0..self.keys).map(|j| self.score(h, i, j, [q, k])).collect();
            let most = scores
                .iter()
                .fold(f64::NEG_INFINITY, |a, b| if a.is_nan() || b.value.is_nan() { f64::NAN } else { a.max(b.value) });
            let weights: Vec<Bounded> = scores.iter().map(|x| x.minus(Bounded::exact(most)).exp()).collect();
            let total = Bounded::sum(weights.iter().copied());
            let log = total.value.ln();
            logs.push(Bounded::rounded(most + log, total.error / total.value + log.abs() + most.abs()));
            for e in 0..self.values {
                let terms = weights.iter().enumerate().map(|(j, w)| {
                    let share = w.value / total.value;
                    let share = Bounded::rounded(share, (w.error + share * total.error) / total.value);
                    share.times(Bounded::exact(v[(h * self.keys + j) * self.values + e] as f64))
                });
                out.push(Bounded::sum(terms));
            }
        }
        [out, logs]
    }

    /// By the decomposition of the gradient, which is given the results: dq, dk, dv.
    fn gradient(&self, [g, q, k, v, out, logs]: [&[f32]; 6]) -> [Vec<Bounded>; 3] {
        let Heads { heads, queries, keys, size, values, scale, .. } = *self;
        let [mut dq, mut dk, mut dv] = [vec![], vec![], vec![]];
        for h in 0..heads {
            let exact = |x: &[f32], at: usize| Bounded::exact(x[at] as f64);
            let dot = |x: &dyn Fn(usize) -> Bounded, y: &dyn Fn(usize) -> Bounded| {
                Bounded::sum((0..values).map(|e| x(e).times(y(e))))
            };
            let (mut weights, mut of_scores) = (vec![], vec![]);
            for i in 0..queries {
                let row = h * queries + i;
                let g = |e: usize| exact(g, row * values + e);
                let delta = dot(&g, &|e| exact(out, row * values + e));
                for j in 0..keys {
                    let weight = self.score(h, i, j, [q, k]).minus(exact(logs, row)).exp();
                    let of_weight = dot(&g, &|e| exact(v, (h * keys + j) * values + e));
                    of_scores.push(weight.times(of_weight.minus(delta)).times(Bounded::exact(scale)));
                    weights.push(weight);
                }
            }
            for (i, d) in (0..queries).flat_map(|i| (0..size).map(move |d| (i, d))) {
                let terms = (0..keys).map(|j| of_scores[i * keys + j].times(exact(k, (h * keys + j) * size + d)));
                dq.push(Bounded::sum(terms));
            }
            for j in 0..keys {
                for d in 0..size {
                    let q = |i: usize| exact(q, (h * queries + i) * size + d);
                    dk.push(Bounded::sum((0..queries).map(|i| of_scores[i * keys + j].times(q(i)))));
                }
                for e in 0..values {
                    let g = |i: usize| exact(g, (h * queries + i) * values + e);
                    dv.push(Bounded::sum((0..queries).map(|i| weights[i * keys + j].times(g(i)))));
                }
            }
        }
        [dq, dk, dv]
    }
}

/// Within the bounds in both dtypes, and not a number where the decomposition is none. float64 has float32's exponential to
/// compare with libm's, so its epsilon is taken a few times.
fn within(what: &str, got: &[Vec<Vec<f64>>; 2], want: &[Vec<Bounded>]) {
    for (got, epsilon) in got.iter().zip([f32::EPSILON as f64, 4.0 * f64::EPSILON]) {
        for (o, (got, want)) in got.iter().zip(want).enumerate() {
            assert_eq!(got.len(), want.len());
            for (i, (&a, b)) in got.iter().zip(want).enumerate() {
                let near = (a - b.value).abs() <= epsilon * b.error + 1e-30;
                let same = a == b.value || (a.is_nan() && b.value.is_nan()) || near;
                assert!(same, "{what}, result {o} at {i}: {a} is not {} ± {}", b.value, epsilon * b.error);
            }
        }
    }
}

#[test]
fn attention_and_its_gradient() {
    let of = |[heads, queries, keys, size, values]: [usize; 5]| {
        [(0.4, false), (0.4, true), (-0.3, true)].map(|(scale, causal)| Heads {
            heads,
            queries,
            keys,
            size,
            values,
            scale,
            causal,
        })
    };
    // The last has keys for several chunks of the gradient.
    let cases = [
        of([6, 17, 17, 8, 8]),
        of([2, 150, 450, 16, 5]),
        of([1, 200, 200, 33, 32]),
        of([2, 1, 3, 1, 1]),
        of([2, 3, 0, 2, 2]),
        of([2, 0, 3, 2, 2]),
        of([2, 3, 3, 0, 2]),
        of([2, 3, 3, 2, 0]),
        of([1, 40, 600, 4, 270]),
    ];
    each_isa(|_| {
        for s in cases.iter().flatten() {
            let mut lcg = Lcg(14);
            let mut big =
                |dims: [usize; 4]| -> Vec<f32> { lcg.floats(dims.iter().product()).iter().map(|v| v * 3.0).collect() };
            let (q, k, v, g) = (big(s.q()), big(s.k()), big(s.v()), big(s.out()));
            let (qd, kd, vd, od) = (s.q(), s.k(), s.v(), s.out());
            let want = s.forward([&q, &k, &v]);
            let got = run(Op::Attention, &[(&qd, &q), (&kd, &k), (&vd, &v)], &[&od, &od[..3]], &s.attrs());
            within("attention", &got, &want);
            let [out, logs] = want.map(|x| x.iter().map(|b| b.value as f32).collect::<Vec<f32>>());
            let ins: [(&[usize], &[f32]); 6] =
                [(&od, &g), (&qd, &q), (&kd, &k), (&vd, &v), (&od, &out), (&od[..3], &logs)];
            let got = run(Op::AttentionGrad, &ins, &[&qd, &kd, &vd], &s.attrs());
            within("attentionGrad", &got, &s.gradient([&g, &q, &k, &v, &out, &logs]));
        }
    });
}

#[test]
fn infinite_scores_and_values() {
    let q = [1f32, 1.0, -1.0];
    let mut k = vec![0f32; 400];
    let mut v = vec![1f32; 400];
    // The first block of keys has nothing for the first two queries; the last has everything for the third.
    k[..200].fill(f32::NEG_INFINITY);
    v[390] = f32::INFINITY;
    // Weighted, these values are finite; summed up before they are divided, they are not.
    let (flat, huge) = (vec![0f32; 400], vec![3e38f32; 400]);
    each_isa(|_| {
        for causal in [false, true] {
            let s = Heads { heads: 1, queries: 3, keys: 400, size: 1, values: 1, scale: 1.0, causal };
            let (qd, kd) = (s.q(), s.k());
            for (k, v) in [(&k, &v), (&flat, &v), (&flat, &huge)] {
                let got = run(Op::Attention, &[(&qd, &q), (&kd, k), (&kd, v)], &[&qd, &qd[..3]], &s.attrs());
                within("attention", &got, &s.forward([&q, k, v]));
            }
        }
    });
}

#[test]
fn a_gradient_keeps_what_is_infinite() {
    each_isa(|_| {
        for at in 0..6 {
            let s = Heads { heads: 1, queries: 40, keys: 40, size: 2, values: 2, scale: 0.5, causal: true };
            let mut lcg = Lcg(15);
            let mut ins = [s.out(), s.q(), s.k(), s.v(), s.out(), [1, 1, 1, 40]].map(|dims| {
                let x = lcg.floats(dims.iter().product());
                (dims, x)
            });
            // At the end: most queries must not see it, and have no weight for it.
            *ins[at].1.last_mut().unwrap() = f32::INFINITY;
            let all = ins.each_ref().map(|(_, x)| &x[..]);
            let want = s.gradient(all);
            let mut given = ins.each_ref().map(|(dims, x)| (&dims[..], &x[..]));
            given[5].0 = &given[0].0[..3];
            let got = run(Op::AttentionGrad, &given, &[&s.q(), &s.k(), &s.v()], &s.attrs());
            for (got, want) in got.iter().flat_map(|got| got.iter().zip(&want)) {
                for (a, b) in got.iter().zip(want) {
                    assert_eq!(a.is_finite(), b.value.is_finite(), "operand {at}: {a} is not {}", b.value);
                    assert_eq!(a.is_nan(), b.value.is_nan(), "operand {at}: {a} is not {}", b.value);
                }
            }
        }
    });
}
