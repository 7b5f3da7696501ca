//! The greatest errors of the float32 functions, in units of the last place, on every path of this machine: unary ones
//! over all 2^32 inputs, binary ones over pairs of special values and random pairs. Against the system's float64
//! functions, whose errors do not count here (below 2^-50). Prints the table of docs/design/kernels.md:
//! `cargo run --release -p millrace-kernels --example ulp [function …]`.

use millrace_kernels::isa::Isa;
use millrace_kernels::{LoopPlan, Plan, Pool};
use millrace_program::{BoundLoad, BoundLoop, BoundStore, DType, Instr, NONE, Op};
use std::sync::Mutex;

const F: DType = DType::Float32;
const CHUNK: usize = 1 << 16;

type Unary = (Op, fn(f64) -> f64);
type Binary = (Op, fn(f64, f64) -> f64);

const UNARY: &[Unary] = &[
    (Op::Exp, f64::exp),
    (Op::Expm1, f64::exp_m1),
    (Op::Log, f64::ln),
    (Op::Log1p, f64::ln_1p),
    (Op::Tanh, f64::tanh),
    (Op::Logistic, |x| 1.0 / (1.0 + (-x).exp())),
    (Op::Erf, libm::erf),
    (Op::Sin, f64::sin),
    (Op::Cos, f64::cos),
    (Op::Tan, f64::tan),
    (Op::Sqrt, f64::sqrt),
    (Op::Rsqrt, |x| 1.0 / x.sqrt()),
];

const BINARY: &[Binary] =
    &[(Op::Pow, f64::powf), (Op::Atan2, f64::atan2), (Op::Div, |x, y| x / y), (Op::Rem, |x, y| x % y)];

/// Numbers where functions turn, beside every power of two.
const EDGES: &[f32] = &[
    0.1,
    0.3,
    0.5,
    0.7,
    0.9,
    0.999_999_94,
    1.0,
    1.000_000_1,
    1.1,
    1.5,
    2.0,
    2.5,
    3.0,
    3.1,
    7.0,
    10.0,
    33.0,
    88.5,
    100.0,
    127.0,
    1023.0,
    1e5,
    8_388_607.0,
    8_388_608.5,
    16_777_215.0,
    16_777_216.0,
    1e10,
    1e38,
    0.0,
    1e-45,
    1.1e-38,
    f32::MAX,
    f32::INFINITY,
    f32::NAN,
];

/// The distance in units of the last place of `want` as a float32; infinite where one is NaN, infinite or of another
/// sign and the other is not.
fn ulps(got: f32, want: f64) -> f64 {
    let nearest = want as f32;
    if got.to_bits() == nearest.to_bits() || (got.is_nan() && nearest.is_nan()) {
        return if got.is_finite() { (f64::from(got) - want).abs() / ulp(nearest) } else { 0.0 };
    }
    // Beyond the greatest number an infinity is as far as the next number would be.
    let finite = |x: f32| if x.is_infinite() { f64::from(x.signum()) * 2f64.powi(128) } else { f64::from(x) };
    if got.is_nan() || want.is_nan() || got.is_sign_negative() != nearest.is_sign_negative() || want.is_infinite() {
        return f64::INFINITY;
    }
    (finite(got) - want).abs() / ulp(nearest)
}

fn ulp(x: f32) -> f64 {
    let x = x.abs().min(f32::MAX.next_down());
    f64::from(x.next_up()) - f64::from(x)
}

fn plan(isa: Isa, op: Op, operands: usize) -> LoopPlan {
    let mut args = [NONE; 3];
    (0..operands).for_each(|i| args[i] = i as u32);
    LoopPlan::on(
        isa,
        &BoundLoop {
            extents: vec![CHUNK],
            loads: vec![BoundLoad { dtype: F, offset: 0, strides: vec![1] }; operands],
            instrs: vec![Instr { op, dtype: F, args, immediate: 0 }],
            stores: vec![BoundStore { dtype: F, value: operands as u32, reduce: None, mask: 0 }],
        },
    )
    .expect("a loop of one instruction")
}

/// What was worst on one path: the error, and the operands.
#[derive(Clone, Copy, Default)]
struct Worst(f64, [f32; 2]);

/// Runs `chunks` chunks of `operands`, each made by `fill`.
fn worst<const N: usize>(
    op: Op,
    chunks: usize,
    fill: impl Fn(usize, &mut [Vec<f32>; N]) + Sync,
    want: impl Fn([f32; N]) -> f64 + Sync,
) -> Vec<Worst> {
    let plans: Vec<LoopPlan> = Isa::available().iter().map(|&isa| plan(isa, op, N)).collect();
    let all = Mutex::new(vec![Worst::default(); plans.len()]);
    let one = Pool::new(1);
    Pool::global().for_chunks(chunks, |chunk| {
        let mut ins: [Vec<f32>; N] = [const { Vec::new() }; N];
        fill(chunk, &mut ins);
        let starts = ins.each_ref().map(|x| x.as_ptr().cast::<u8>());
        let wanted: Vec<f64> = (0..CHUNK).map(|i| want(ins.each_ref().map(|x| x[i]))).collect();
        let mut got = vec![0f32; CHUNK];
        for (path, plan) in plans.iter().enumerate() {
            // SAFETY: CHUNK floats each; one instruction needs no scratch memory.
            unsafe { plan.run(&starts, &[got.as_mut_ptr().cast()], std::ptr::null_mut(), &one) }
            let mut most = Worst::default();
            for i in 0..CHUNK {
                let ulp = ulps(got[i], wanted[i]);
                if ulp > most.0 {
                    most.0 = ulp;
                    ins.iter().zip(&mut most.1).for_each(|(x, to)| *to = x[i]);
                }
            }
            let mut all = all.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            // Of equal errors the one with the smaller operand, so that the table does not depend on threads.
            let before = |x: &Worst| (x.1[0].abs().to_bits(), x.1[1].abs().to_bits());
            if most.0 > all[path].0 || (most.0 == all[path].0 && before(&most) < before(&all[path])) {
                all[path] = most;
            }
        }
    });
    all.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner())
}

fn every_input(chunk: usize, [x]: &mut [Vec<f32>; 1]) {
    x.extend((0..CHUNK).map(|i| f32::from_bits((chunk * CHUNK + i) as u32)));
}

/// Edges and powers of two with one another in the first chunks, then random bits, then random numbers of like size.
fn pairs(chunk: usize, [x, y]: &mut [Vec<f32>; 2]) {
    let powers = (-149..128).map(|e| 2f64.powi(e) as f32);
    let edges: Vec<f32> = EDGES.iter().copied().chain(powers).flat_map(|x| [x, -x]).collect();
    let mut state = (chunk as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut random = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 32) as u32
    };
    for i in chunk * CHUNK..(chunk + 1) * CHUNK {
        let (a, b) = match edges.len() {
            n if i < n * n => (edges[i / n], edges[i % n]),
            _ if i % 2 == 0 => (f32::from_bits(random()), f32::from_bits(random())),
            // [1/16, 16) and (-128, 128)
            _ => (f32::from_bits(random() % (8 << 23) + (123 << 23)), (random() as i32) as f32 / (1u32 << 24) as f32),
        };
        x.push(a);
        y.push(b);
    }
}

fn main() {
    let names: Vec<String> = std::env::args().skip(1).collect();
    let wanted = |op: &Op| names.is_empty() || names.iter().any(|name| name == op.name());
    let paths: Vec<&str> = Isa::available().iter().map(|isa| isa.name()).collect();
    println!("| function | inputs | {} |", paths.join(" | "));
    println!("|---|---|{}", "---|".repeat(paths.len()));
    let show = |op: Op, inputs: &str, operands: usize, worst: &[Worst]| {
        let cells = worst.iter().map(|Worst(ulp, x)| match operands {
            1 => format!("{ulp:.3} at {:e}", x[0]),
            _ => format!("{ulp:.3} at {:e}, {:e}", x[0], x[1]),
        });
        println!("| {} | {inputs} | {} |", op.name(), cells.collect::<Vec<_>>().join(" | "));
    };
    for &(op, f) in UNARY.iter().filter(|(op, _)| wanted(op)) {
        show(op, "all", 1, &worst(op, (1 << 32) / CHUNK, every_input, |[x]| f(f64::from(x))));
    }
    let count = 1 << 10;
    for &(op, f) in BINARY.iter().filter(|(op, _)| wanted(op)) {
        let inputs = format!("{} pairs", count * CHUNK);
        show(op, &inputs, 2, &worst(op, count, pairs, |[x, y]| f(f64::from(x), f64::from(y))));
    }
}
