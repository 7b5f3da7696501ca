//! gru and its gradient against plain loops in float64, on every path of this machine.

use super::recurrent_tests::{CASES, Case, logistic, order};
use super::tests::{close, run, wide};
use crate::isa::testing::each_isa;
use crate::library;
use crate::testing::{Lcg, attrs, list, shape};
use millrace_program::{BoundValue, DType, Op, Shape};

/// h, the last h, and z, r, g, n.
fn forward(c: &Case, x: &[f64], kernel: &[f64], bias: &[f64], start: &[f64]) -> [Vec<f64>; 3] {
    let (rows, u) = (c.groups * c.batch, c.units);
    let mut outs = [vec![0.0; rows * c.time * u], vec![0.0; rows * u], vec![0.0; rows * c.time * 4 * u]];
    for row in 0..rows {
        let group = row / c.batch;
        let (kernel, bias) = (&kernel[group * 3 * u * u..], &bias[group * 3 * u..]);
        let mut h: Vec<f64> = start[row * u..(row + 1) * u].to_vec();
        for at in order(c, row) {
            let sums: Vec<f64> =
                (0..3 * u).map(|j| bias[j] + (0..u).map(|k| h[k] * kernel[k * 3 * u + j]).sum::<f64>()).collect();
            for j in 0..u {
                let x = |k: usize| x[at * 3 * u + k * u + j];
                let (z, r, n) = (logistic(x(0) + sums[j]), logistic(x(1) + sums[u + j]), sums[2 * u + j]);
                let g = (x(2) + r * n).tanh();
                h[j] = z * h[j] + (1.0 - z) * g;
                outs[0][at * u + j] = h[j];
                [z, r, g, n].into_iter().enumerate().for_each(|(k, v)| outs[2][at * 4 * u + k * u + j] = v);
            }
        }
        outs[1][row * u..(row + 1) * u].copy_from_slice(&h);
    }
    outs
}

/// The cotangents of x, the kernel and the state to start from; `of` are those of all results.
fn backward(s: &Case, [kernel, h, saved, start]: [&[f64]; 4], [of_h, of_last, of_saved]: [&[f64]; 3]) -> [Vec<f64>; 3] {
    let (rows, u) = (s.groups * s.batch, s.units);
    let mut outs = [vec![0.0; rows * s.time * 3 * u], vec![0.0; s.groups * 3 * u * u], vec![0.0; rows * u]];
    for row in 0..rows {
        let group = row / s.batch * 3 * u * u;
        let kernel = &kernel[group..];
        let mut dh: Vec<f64> = of_last[row * u..(row + 1) * u].to_vec();
        let places = order(s, row);
        for (step, &at) in places.iter().enumerate().rev() {
            let before = |j: usize| if step > 0 { h[places[step - 1] * u + j] } else { start[row * u + j] };
            let mut sums = vec![0.0; 3 * u];
            for j in 0..u {
                let [z, r, g, n] = [0, 1, 2, 3].map(|k| saved[at * 4 * u + k * u + j]);
                let [of_z, of_r, of_g, of_n] = [0, 1, 2, 3].map(|k| of_saved[at * 4 * u + k * u + j]);
                let d = dh[j] + of_h[at * u + j];
                let dz = (d * (before(j) - g) + of_z) * z * (1.0 - z);
                let dg = (d * (1.0 - z) + of_g) * (1.0 - g * g);
                let dr = (dg * n + of_r) * r * (1.0 - r);
                for (k, [x, sum]) in [[dz, dz], [dr, dr], [dg, dg * r + of_n]].into_iter().enumerate() {
                    outs[0][at * 3 * u + k * u + j] = x;
                    sums[k * u + j] = sum;
                }
                dh[j] = d * z;
            }
            for k in 0..u {
                dh[k] += (0..3 * u).map(|j| sums[j] * kernel[k * 3 * u + j]).sum::<f64>();
                (0..3 * u).for_each(|j| outs[1][group + k * 3 * u + j] += before(k) * sums[j]);
            }
        }
        outs[2][row * u..(row + 1) * u].copy_from_slice(&dh);
    }
    outs
}

#[test]
fn gru_and_its_gradient() {
    each_isa(|_| {
        for s in &CASES {
            let Case { groups, batch, time, units, reverse, initial } = *s;
            let wide_dims: [usize; 4] = [groups, batch, time, 3 * units];
            let saved_dims: [usize; 4] = [groups, batch, time, 4 * units];
            let sequence: [usize; 4] = [groups, batch, time, units];
            let (kernel_dims, state): ([usize; 3], [usize; 3]) = ([groups, units, 3 * units], [groups, batch, units]);
            let bias_dims: [usize; 2] = [groups, 3 * units];
            let mut lcg = Lcg(22);
            let mut floats = |dims: &[usize]| lcg.floats(dims.iter().product());
            let (x, kernel, bias) = (floats(&wide_dims), floats(&kernel_dims), floats(&bias_dims));
            let start = if initial { floats(&state) } else { vec![0f32; groups * batch * units] };
            let starts: Vec<(&[usize], &[f32])> = if initial { vec![(&state, &start)] } else { vec![] };
            let out_dims: [&[usize]; 3] = [&sequence, &state, &saved_dims];
            let with = attrs(&[("reverse", BoundValue::Bool(reverse))]);
            let ins = [vec![(&wide_dims[..], &x[..]), (&kernel_dims, &kernel), (&bias_dims, &bias)], starts.clone()];
            let want = forward(s, &wide(&x), &wide(&kernel), &wide(&bias), &wide(&start));
            close("gru", &run(Op::Gru, &ins.concat(), &out_dims, &with), &want, 2e-5);
            // The gradient is given states that need not be the recurrence's, with gates that may.
            let h = floats(&sequence);
            let saved: Vec<f32> = want[2].iter().map(|&v| v as f32).collect();
            for outputs in [vec![0, 1, 2], vec![1], vec![0, 2], vec![]] {
                let of: [Vec<f32>; 3] = std::array::from_fn(|k| {
                    if outputs.contains(&k) { floats(out_dims[k]) } else { vec![0.0; out_dims[k].iter().product()] }
                });
                let [kernel64, h64, saved64, start64] = [&kernel, &h, &saved, &start].map(|v| wide(v));
                let of64 = of.each_ref().map(|g| wide(g));
                let want = backward(s, [&kernel64, &h64, &saved64, &start64], of64.each_ref().map(|g| &g[..]));
                let mut ins: Vec<(&[usize], &[f32])> =
                    vec![(&kernel_dims, &kernel), (&sequence, &h), (&saved_dims, &saved)];
                ins.extend(&starts);
                ins.extend(outputs.iter().map(|&k| (out_dims[k], &of[k][..])));
                let out_dims: Vec<&[usize]> = [vec![&wide_dims[..], &kernel_dims], vec![&state; starts.len()]].concat();
                let with = attrs(&[("outputs", list(&outputs)), ("reverse", BoundValue::Bool(reverse))]);
                let got = run(Op::GruGrad, &ins, &out_dims, &with);
                close("gruGrad", &got, &want[..out_dims.len()], 1e-3);
            }
        }
    });
}

#[test]
fn what_does_not_fit_is_refused() {
    let f = |dims: &[usize]| shape(DType::Float32, dims);
    let with = attrs(&[("reverse", BoundValue::Bool(false))]);
    let gru = library(Op::Gru).unwrap();
    let outs = [f(&[2, 3, 5]), f(&[2, 5]), f(&[2, 3, 20])];
    let check = |ins: &[Shape]| gru.check(ins, &outs, &with).is_ok();
    let (x, u, b, state) = (f(&[2, 3, 15]), f(&[5, 15]), f(&[15]), f(&[2, 5]));
    assert!(check(&[x.clone(), u.clone(), b.clone()]));
    assert!(check(&[x.clone(), u.clone(), b.clone(), state.clone()]));
    assert!(!check(&[x.clone(), u.clone()]));
    assert!(!check(&[x.clone(), u.clone(), b.clone(), state.clone(), state.clone()]));
    assert!(!check(&[x.clone(), u.clone(), b.clone(), f(&[3, 5])]));
    assert!(!check(&[x.clone(), u.clone(), f(&[5])]));
    assert!(!check(&[x.clone(), f(&[5, 20]), b.clone()]));
    assert!(!check(&[f(&[2, 4, 15]), u.clone(), b.clone()]));
    assert!(!check(&[f(&[15]), u.clone(), b.clone()]));
    assert!(!check(&[x.clone(), u.clone(), shape(DType::Float64, &[15])]));
    let grad = library(Op::GruGrad).unwrap();
    let ins = [u.clone(), f(&[2, 3, 5]), f(&[2, 3, 20]), state];
    let check = |ins: &[Shape], outputs: &[usize]| {
        let with = attrs(&[("outputs", list(outputs)), ("reverse", BoundValue::Bool(false))]);
        grad.check(ins, &[x.clone(), u.clone()], &with).is_ok()
    };
    assert!(check(&ins, &[1]));
    assert!(check(&ins[..3], &[]));
    assert!(!check(&ins, &[0]));
    assert!(!check(&ins, &[3]));
    assert!(!check(&ins, &[]));
    assert!(!check(&ins, &[1, 1]));
    assert!(!check(&ins[..3], &[1]));
    assert!(!check(&ins[..2], &[]));
}
