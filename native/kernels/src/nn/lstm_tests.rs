//! lstm and its gradient against plain loops in float64, on every path of this machine.

use super::recurrent_tests::{CASES, Case, logistic, order};
use super::tests::{close, run, wide};
use crate::isa::testing::each_isa;
use crate::library;
use crate::testing::{Lcg, attrs, list, shape};
use millrace_program::{BoundValue, DType, Op};

/// h, the last h and c, c, gates.
fn forward(c: &Case, x: &[f64], kernel: &[f64], [h0, c0]: [&[f64]; 2]) -> [Vec<f64>; 5] {
    let (rows, u) = (c.groups * c.batch, c.units);
    let states = || vec![0.0; rows * u];
    let sequence = || vec![0.0; rows * c.time * u];
    let mut outs = [sequence(), states(), states(), sequence(), vec![0.0; rows * c.time * 4 * u]];
    for row in 0..rows {
        let kernel = &kernel[row / c.batch * 4 * u * u..];
        let mut h: Vec<f64> = h0[row * u..(row + 1) * u].to_vec();
        let mut cell: Vec<f64> = c0[row * u..(row + 1) * u].to_vec();
        for at in order(c, row) {
            let sums: Vec<f64> = (0..4 * u)
                .map(|j| x[at * 4 * u + j] + (0..u).map(|k| h[k] * kernel[k * 4 * u + j]).sum::<f64>())
                .collect();
            for j in 0..u {
                let gates =
                    [logistic(sums[j]), logistic(sums[u + j]), sums[2 * u + j].tanh(), logistic(sums[3 * u + j])];
                cell[j] = gates[1] * cell[j] + gates[0] * gates[2];
                h[j] = gates[3] * cell[j].tanh();
                (outs[0][at * u + j], outs[3][at * u + j]) = (h[j], cell[j]);
                (0..4).for_each(|k| outs[4][at * 4 * u + k * u + j] = gates[k]);
            }
        }
        outs[1][row * u..(row + 1) * u].copy_from_slice(&h);
        outs[2][row * u..(row + 1) * u].copy_from_slice(&cell);
    }
    outs
}

/// What lstmGrad is given: the kernel, h, c, gates, the states to start from, the cotangents of all results.
struct Given<'a> {
    kernel: &'a [f64],
    h: &'a [f64],
    c: &'a [f64],
    gates: &'a [f64],
    starts: [&'a [f64]; 2],
    of: [&'a [f64]; 5],
}

/// The cotangents of x, the kernel and the states to start from.
fn backward(s: &Case, given: &Given) -> [Vec<f64>; 4] {
    let (rows, u) = (s.groups * s.batch, s.units);
    let mut outs =
        [vec![0.0; rows * s.time * 4 * u], vec![0.0; s.groups * 4 * u * u], vec![0.0; rows * u], vec![0.0; rows * u]];
    for row in 0..rows {
        let group = row / s.batch * 4 * u * u;
        let kernel = &given.kernel[group..];
        let mut dh: Vec<f64> = given.of[1][row * u..(row + 1) * u].to_vec();
        let mut dc: Vec<f64> = given.of[2][row * u..(row + 1) * u].to_vec();
        let places = order(s, row);
        for (n, &at) in places.iter().enumerate().rev() {
            let before = |all: &[f64], start: &[f64], j: usize| {
                if n > 0 { all[places[n - 1] * u + j] } else { start[row * u + j] }
            };
            for j in 0..u {
                let gate = |k: usize| given.gates[at * 4 * u + k * u + j];
                let t = given.c[at * u + j].tanh();
                let h = dh[j] + given.of[0][at * u + j];
                let c = h * gate(3) * (1.0 - t * t) + dc[j] + given.of[3][at * u + j];
                let made = [c * gate(2), c * before(given.c, given.starts[1], j), c * gate(0), h * t];
                for (k, made) in made.iter().enumerate() {
                    let y = gate(k);
                    let slope = if k == 2 { 1.0 - y * y } else { y * (1.0 - y) };
                    outs[0][at * 4 * u + k * u + j] = (made + given.of[4][at * 4 * u + k * u + j]) * slope;
                }
                dc[j] = c * gate(1);
            }
            let sums = &outs[0][at * 4 * u..(at + 1) * 4 * u].to_vec();
            for k in 0..u {
                dh[k] = (0..4 * u).map(|j| sums[j] * kernel[k * 4 * u + j]).sum();
                let found = before(given.h, given.starts[0], k);
                (0..4 * u).for_each(|j| outs[1][group + k * 4 * u + j] += found * sums[j]);
            }
        }
        outs[2][row * u..(row + 1) * u].copy_from_slice(&dh);
        outs[3][row * u..(row + 1) * u].copy_from_slice(&dc);
    }
    outs
}

#[test]
fn lstm_and_its_gradient() {
    each_isa(|_| {
        for s in &CASES {
            let Case { groups, batch, time, units, reverse, initial } = *s;
            let wide_dims: [usize; 4] = [groups, batch, time, 4 * units];
            let sequence: [usize; 4] = [groups, batch, time, units];
            let (kernel_dims, state): ([usize; 3], [usize; 3]) = ([groups, units, 4 * units], [groups, batch, units]);
            let mut lcg = Lcg(21);
            let mut floats = |dims: &[usize]| lcg.floats(dims.iter().product());
            let (x, kernel) = (floats(&wide_dims), floats(&kernel_dims));
            let zeros = vec![0f32; groups * batch * units];
            let [h0, c0] = if initial { [floats(&state), floats(&state)] } else { [zeros.clone(), zeros] };
            let starts: Vec<(&[usize], &[f32])> = if initial { vec![(&state, &h0), (&state, &c0)] } else { vec![] };
            let want = forward(s, &wide(&x), &wide(&kernel), [&wide(&h0), &wide(&c0)]);
            let out_dims: [&[usize]; 5] = [&sequence, &state, &state, &sequence, &wide_dims];
            let with = attrs(&[("reverse", BoundValue::Bool(reverse))]);
            let ins = [vec![(&wide_dims[..], &x[..]), (&kernel_dims, &kernel)], starts.clone()].concat();
            close("lstm", &run(Op::Lstm, &ins, &out_dims, &with), &want, 2e-5);
            // The gradient is given numbers that need not be a recurrence's.
            let (h, c, gates) = (floats(&sequence), floats(&sequence), floats(&wide_dims));
            for outputs in [vec![0, 1, 2, 3, 4], vec![1], vec![0, 4], vec![]] {
                let of: [Vec<f32>; 5] = std::array::from_fn(|k| {
                    if outputs.contains(&k) { floats(out_dims[k]) } else { vec![0.0; out_dims[k].iter().product()] }
                });
                let of64 = of.each_ref().map(|g| wide(g));
                let want = backward(
                    s,
                    &Given {
                        kernel: &wide(&kernel),
                        h: &wide(&h),
                        c: &wide(&c),
                        gates: &wide(&gates),
                        starts: [&wide(&h0), &wide(&c0)],
                        of: of64.each_ref().map(|g| &g[..]),
                    },
                );
                let mut ins: Vec<(&[usize], &[f32])> =
                    vec![(&kernel_dims, &kernel), (&sequence, &h), (&sequence, &c), (&wide_dims, &gates)];
                ins.extend(&starts);
                ins.extend(outputs.iter().map(|&k| (out_dims[k], &of[k][..])));
                let out_dims: Vec<&[usize]> = [vec![&wide_dims[..], &kernel_dims], vec![&state; starts.len()]].concat();
                let with = attrs(&[("outputs", list(&outputs)), ("reverse", BoundValue::Bool(reverse))]);
                let got = run(Op::LstmGrad, &ins, &out_dims, &with);
                close("lstmGrad", &got, &want[..out_dims.len()], 1e-3);
            }
        }
    });
}

#[test]
fn what_does_not_fit_is_refused() {
    let f = |dims: &[usize]| shape(DType::Float32, dims);
    let with = attrs(&[("reverse", BoundValue::Bool(false))]);
    let lstm = library(Op::Lstm).unwrap();
    let outs = [f(&[2, 3, 5]), f(&[2, 5]), f(&[2, 5]), f(&[2, 3, 5]), f(&[2, 3, 20])];
    let check = |ins: &[millrace_program::Shape]| lstm.check(ins, &outs, &with).is_ok();
    let (x, u, state) = (f(&[2, 3, 20]), f(&[5, 20]), f(&[2, 5]));
    assert!(check(&[x.clone(), u.clone()]));
    assert!(check(&[x.clone(), u.clone(), state.clone(), state.clone()]));
    assert!(!check(&[x.clone(), u.clone(), state.clone()]));
    assert!(!check(&[x.clone(), u.clone(), state.clone(), f(&[3, 5])]));
    assert!(!check(&[x.clone(), f(&[5, 15])]));
    assert!(!check(&[f(&[2, 4, 20]), u.clone()]));
    assert!(!check(&[f(&[20]), u.clone()]));
    assert!(!check(&[x.clone(), shape(DType::Float64, &[5, 20])]));
    let grad = library(Op::LstmGrad).unwrap();
    let ins = [u.clone(), f(&[2, 3, 5]), f(&[2, 3, 5]), x.clone(), state];
    let check = |ins: &[millrace_program::Shape], outputs: &[usize]| {
        let with = attrs(&[("outputs", list(outputs)), ("reverse", BoundValue::Bool(false))]);
        grad.check(ins, &[x.clone(), u.clone()], &with).is_ok()
    };
    assert!(check(&ins, &[1]));
    assert!(check(&ins[..4], &[]));
    assert!(!check(&ins, &[0]));
    assert!(!check(&ins, &[5]));
    assert!(!check(&ins, &[]));
    assert!(!check(&ins, &[1, 1]));
    assert!(!check(&ins[..4], &[1]));
    assert!(!check(&ins[..3], &[]));
}
