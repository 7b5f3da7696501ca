//! Claimed composites against their decompositions in float64, on every path of this machine.

use crate::isa::testing::each_isa;
use crate::testing::{Lcg, attrs, bytes, numbers, run_library, shape};
use crate::{Pool, library};
use millrace_program::{BoundAttrs, BoundValue, DType, Op};

pub fn wide(x: &[f32]) -> Vec<f64> {
    x.iter().map(|&v| v as f64).collect()
}

/// Runs in float32 (with one, two and eight threads) and in float64; all results as float64.
pub fn run(op: Op, ins: &[(&[usize], &[f32])], outs: &[&[usize]], attrs: &BoundAttrs) -> [Vec<Vec<f64>>; 2] {
    let of = |dtype, data: &[Vec<u8>], threads| {
        let shapes: Vec<_> = ins.iter().map(|(dims, _)| shape(dtype, dims)).collect();
        let results: Vec<_> = outs.iter().map(|dims| shape(dtype, dims)).collect();
        run_library(op, &shapes, &results, attrs, data, &Pool::new(threads))
    };
    let narrow: Vec<Vec<u8>> = ins.iter().map(|(_, x)| bytes(x)).collect();
    let long: Vec<Vec<u8>> = ins.iter().map(|(_, x)| bytes(&wide(x))).collect();
    let one = of(DType::Float32, &narrow, 1);
    for threads in [2, 8] {
        assert_eq!(one, of(DType::Float32, &narrow, threads), "bits for any number of threads");
    }
    let f64s = of(DType::Float64, &long, 3).iter().map(|x| numbers(x)).collect();
    [one.iter().map(|x| wide(&numbers::<f32>(x))).collect(), f64s]
}

pub fn close(what: &str, got: &[Vec<Vec<f64>>; 2], want: &[Vec<f64>], tolerance: f64) {
    for (got, tolerance) in got.iter().zip([tolerance, 1e-11]) {
        for (o, (got, want)) in got.iter().zip(want).enumerate() {
            assert_eq!(got.len(), want.len());
            for (i, (&a, &b)) in got.iter().zip(want).enumerate() {
                let same = a == b || (a.is_nan() && b.is_nan()) || (a - b).abs() <= tolerance * (1.0 + b.abs());
                assert!(same, "{what}, result {o} at {i}: {a} is not {b}");
            }
        }
    }
}

#[test]
fn softmax_family() {
    let cases: [(&[usize], usize); 9] = [
        (&[5], 0),
        (&[1], 0),
        (&[0], 0),
        (&[128, 10], 1),
        (&[3, 1025], 1),
        (&[4, 3], 0),
        (&[2, 17, 70], 1),
        (&[2, 0, 3], 1),
        (&[700, 33], 0),
    ];
    each_isa(|_| {
        for (dims, axis) in cases {
            let (outer, size, inner): (usize, usize, usize) =
                (dims[..axis].iter().product(), dims[axis], dims[axis + 1..].iter().product());
            let n = outer * size * inner;
            let mut lcg = Lcg(12);
            let mut x: Vec<f32> = lcg.floats(n).iter().map(|v| v * 8.0).collect();
            if n > 100 {
                x[1] = f32::NEG_INFINITY;
                x[n / 2] = f32::NAN;
                x[n - 1] = f32::INFINITY;
            }
            let (g, y) = (lcg.floats(n), lcg.floats(n));
            let mut want = [const { Vec::new() }; 4].map(|_: Vec<f64>| vec![0.0; n]);
            for o in 0..outer {
                for j in 0..inner {
                    let at: Vec<usize> = (0..size).map(|k| (o * size + k) * inner + j).collect();
                    let of = |x: &[f32]| at.iter().map(|&i| x[i] as f64).collect::<Vec<f64>>();
                    let (x, g, y) = (of(&x), of(&g), of(&y));
                    let most = x
                        .iter()
                        .fold(f64::NEG_INFINITY, |a, &b| if a.is_nan() || b.is_nan() { f64::NAN } else { a.max(b) });
                    let total: f64 = x.iter().map(|v| (v - most).exp()).sum();
                    let (dot, sum): (f64, f64) = (g.iter().zip(&y).map(|(a, b)| a * b).sum(), g.iter().sum());
                    for (k, &i) in at.iter().enumerate() {
                        want[0][i] = (x[k] - most).exp() / total;
                        want[1][i] = x[k] - most - total.ln();
                        want[2][i] = y[k] * (g[k] - dot);
                        want[3][i] = g[k] - y[k].exp() * sum;
                    }
                }
            }
            let attrs = attrs(&[("axis", BoundValue::Int(axis as i64))]);
            for (op, ins, want) in [
                (Op::Softmax, vec![&x], &want[0]),
                (Op::LogSoftmax, vec![&x], &want[1]),
                (Op::SoftmaxGrad, vec![&g, &y], &want[2]),
                (Op::LogSoftmaxGrad, vec![&g, &y], &want[3]),
            ] {
                let ins: Vec<(&[usize], &[f32])> = ins.into_iter().map(|x| (dims, &x[..])).collect();
                close(op.name(), &run(op, &ins, &[dims], &attrs), std::slice::from_ref(want), 3e-5);
            }
        }
    });
}

#[test]
fn layer_norm_and_its_gradient() {
    let cases: [&[usize]; 6] = [&[5], &[1], &[3, 17], &[2, 40, 64], &[0, 3], &[1000, 33]];
    each_isa(|_| {
        for dims in cases {
            let n = dims[dims.len() - 1];
            let lead = &dims[..dims.len() - 1];
            let rows: usize = lead.iter().product();
            let mut lcg = Lcg(13);
            let (x, g) = (lcg.floats(rows * n), lcg.floats(rows * n));
            let (gamma, beta) = (lcg.floats(n), lcg.floats(n));
            let (mean_in, rstd_in) = (lcg.floats(rows), lcg.floats(rows));
            let (mut y, mut mean, mut rstd) = (vec![], vec![], vec![]);
            let (mut dx, mut dgamma, mut dbeta) = (vec![], vec![0.0; n], vec![0.0; n]);
            for r in 0..rows {
                let x = wide(&x[r * n..(r + 1) * n]);
                let m = x.iter().sum::<f64>() / n as f64;
                let s = 1.0 / (x.iter().map(|v| (v - m) * (v - m)).sum::<f64>() / n as f64 + 0.01).sqrt();
                y.extend((0..n).map(|i| (x[i] - m) * s * gamma[i] as f64 + beta[i] as f64));
                mean.push(m);
                rstd.push(s);
                let (m, s) = (mean_in[r] as f64, rstd_in[r] as f64);
                let normal: Vec<f64> = x.iter().map(|v| (v - m) * s).collect();
                let scaled: Vec<f64> = (0..n).map(|i| (g[r * n + i] * 1.0) as f64 * gamma[i] as f64).collect();
                let a = scaled.iter().sum::<f64>() / n as f64;
                let b = scaled.iter().zip(&normal).map(|(p, q)| p * q).sum::<f64>() / n as f64;
                for i in 0..n {
                    dx.push(s * (scaled[i] - (a + normal[i] * b)));
                    dgamma[i] += g[r * n + i] as f64 * normal[i];
                    dbeta[i] += g[r * n + i] as f64;
                }
            }
            let v: &[usize] = &[n];
            let with = attrs(&[("epsilon", BoundValue::Float(0.01))]);
            let got = run(Op::LayerNorm, &[(dims, &x), (v, &gamma), (v, &beta)], &[dims, lead, lead], &with);
            close("layerNorm", &got, &[y, mean, rstd], 1e-5);
            let ins: [(&[usize], &[f32]); 5] =
                [(dims, &g), (dims, &x), (v, &gamma), (lead, &mean_in), (lead, &rstd_in)];
            close(
                "layerNormGrad",
                &run(Op::LayerNormGrad, &ins, &[dims, v, v], &attrs(&[])),
                &[dx, dgamma, dbeta],
                2e-5,
            );
        }
    });
}

#[test]
fn what_does_not_fit_is_refused() {
    let f = |dims: &[usize]| shape(DType::Float32, dims);
    let axis = attrs(&[("axis", BoundValue::Int(1))]);
    let softmax = library(Op::Softmax).unwrap();
    assert!(softmax.check(&[f(&[2, 3])], &[f(&[2, 3])], &axis).is_ok());
    assert!(softmax.check(&[f(&[2, 3])], &[f(&[3, 2])], &axis).is_err());
    assert!(softmax.check(&[f(&[2])], &[f(&[2])], &axis).is_err());
    assert!(softmax.check(&[shape(DType::Int32, &[2, 3])], &[shape(DType::Int32, &[2, 3])], &axis).is_err());
    assert!(library(Op::SoftmaxGrad).unwrap().check(&[f(&[2, 3]), f(&[2, 4])], &[f(&[2, 3])], &axis).is_err());
    let epsilon = attrs(&[("epsilon", BoundValue::Float(0.1))]);
    let norm = library(Op::LayerNorm).unwrap();
    assert!(norm.check(&[f(&[2, 3]), f(&[3]), f(&[3])], &[f(&[2, 3]), f(&[2]), f(&[2])], &epsilon).is_ok());
    assert!(norm.check(&[f(&[2, 3]), f(&[2]), f(&[3])], &[f(&[2, 3]), f(&[2]), f(&[2])], &epsilon).is_err());
    assert!(norm.check(&[f(&[]), f(&[1]), f(&[1])], &[f(&[]), f(&[]), f(&[])], &epsilon).is_err());
    let with = attrs(&[("causal", BoundValue::Bool(false)), ("scale", BoundValue::Float(1.0))]);
    let attention = library(Op::Attention).unwrap();
    let (q, k) = (f(&[1, 2, 3, 4]), f(&[1, 2, 5, 4]));
    assert!(attention.check(&[q.clone(), k.clone(), k.clone()], &[q.clone(), f(&[1, 2, 3])], &with).is_ok());
    assert!(attention.check(&[q.clone(), k.clone(), q.clone()], &[q.clone(), f(&[1, 2, 3])], &with).is_err());
    assert!(attention.check(&[q.clone(), k.clone(), k.clone()], &[k.clone(), f(&[1, 2, 3])], &with).is_err());
    assert!(attention.check(&[q.clone(), k.clone(), k], &[q, f(&[1, 2, 4])], &with).is_err());
}
