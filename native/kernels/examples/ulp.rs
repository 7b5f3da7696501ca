//! The greatest errors of the float32 functions, in units of the last place, on every path of this machine, both in the
//! mode of programs, where subnormal numbers count as zero, and without it: unary ones over all 2^32 inputs, binary ones
//! over pairs of special values and random pairs. Against the system's float64 functions, whose errors do not count here
//! (below 2^-50). Writes each function's line into the table of docs/design/ulp.md when it is done:
//! `cargo run --release -p millrace-kernels --example ulp [function …]`.

use millrace_kernels::float_mode::FloatMode;
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
/// sign and the other is not. `flushed`: subnormal results may be zero.
fn ulps(got: f32, want: f64, flushed: bool) -> f64 {
    let nearest = want as f32;
    if got.is_nan() || nearest.is_nan() {
        return if got.is_nan() && nearest.is_nan() { 0.0 } else { f64::INFINITY };
    }
    if got.is_sign_negative() != want.is_sign_negative() {
        return f64::INFINITY;
    }
    if got.to_bits() == nearest.to_bits() && got.is_infinite() || flushed && got == 0.0 && nearest.is_subnormal() {
        return 0.0;
    }
    // Beyond the greatest number an infinity is as far as the next number would be.
    let finite = if got.is_infinite() { f64::from(got.signum()) * 2f64.powi(128) } else { f64::from(got) };
    (finite - want).abs() / unit(want)
}

/// The unit of the last place of the float32 nearest to x.
fn unit(x: f64) -> f64 {
    let exponent = f32::from_bits((x as f32).to_bits() & (255 << 23)).clamp(f32::MIN_POSITIVE, 2f32.powi(127));
    f64::from(exponent) * 2f64.powi(-23)
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

/// The worst of `got`, where it is worse than `most`; `at` gives the operands of an element.
fn compare(got: &[f32], want: &[f64], flushed: bool, most: &mut Worst, at: impl Fn(usize) -> [f32; 2]) {
    for (i, (&got, &want)) in got.iter().zip(want).enumerate() {
        // Most elements end here; a comparison with NaN does not.
        let small = (f64::from(got) - want).abs() <= most.0 * unit(want);
        if small && got.is_sign_negative() == want.is_sign_negative() {
            continue;
        }
        let ulp = ulps(got, want, flushed);
        if ulp > most.0 {
            *most = Worst(ulp, at(i));
        }
    }
}

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
        let operands = |i: usize| ins.each_ref().map(|x| x[i]);
        let starts = ins.each_ref().map(|x| x.as_ptr().cast::<u8>());
        let mut wanted: Vec<f64> = (0..CHUNK).map(|i| want(operands(i))).collect();
        let mut got = vec![0f32; CHUNK];
        let mut most = all.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).clone();
        for flushed in [false, true] {
            if flushed {
                for (i, wanted) in
                    wanted.iter_mut().enumerate().filter(|&(i, _)| operands(i).iter().any(|x| x.is_subnormal()))
                {
                    *wanted = want(operands(i).map(|x| if x.is_subnormal() { 0f32.copysign(x) } else { x }));
                }
            }
            for (plan, most) in plans.iter().zip(&mut most) {
                {
                    let mode = if flushed { FloatMode::of_programs() } else { FloatMode::current() };
                    let _mode = mode.enter();
                    // SAFETY: CHUNK floats each; one instruction needs no scratch memory.
                    unsafe { plan.run(&starts, &[got.as_mut_ptr().cast()], std::ptr::null_mut(), &one) }
                }
                compare(&got, &wanted, flushed, most, |i| {
                    let mut at = [0.0; 2];
                    ins.iter().zip(&mut at).for_each(|(x, to)| *to = x[i]);
                    at
                });
            }
        }
        let mut all = all.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        for (all, most) in all.iter_mut().zip(most) {
            if most.0 > all.0 {
                *all = most;
            }
        }
    });
    all.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner())
}

fn every_input(chunk: usize, [x]: &mut [Vec<f32>; 1]) {
    x.extend((0..CHUNK).map(|i| f32::from_bits((chunk * CHUNK + i) as u32)));
}

/// The pairs of a binary function, in four equal parts after the pairs of edges and powers of two:
/// random bits; random numbers of like size; numbers beside 1 with large ones; all significands by edges.
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
            _ if i % 4 == 0 => (f32::from_bits(random()), f32::from_bits(random())),
            // [1/16, 16) and (-128, 128)
            _ if i % 4 == 1 => {
                (f32::from_bits(random() % (8 << 23) + (123 << 23)), (random() as i32) as f32 / (1u32 << 24) as f32)
            }
            // 1 - 2^-8 to 1 + 2^-7, and ± 1 to 2^27
            _ if i % 4 == 2 => {
                let beside = f32::from_bits((1f32.to_bits() - (1 << 16)) + random() % (1 << 17));
                let sign = random() & 1 << 31;
                (beside, f32::from_bits(sign | (127 << 23) + random() % (27 << 23)))
            }
            _ => (f32::from_bits((126 << 23) + (i / 4) as u32 % (2 << 23)), edges[random() as usize % edges.len()]),
        };
        x.push(a);
        y.push(b);
    }
}

/// The lines of the table's functions, by name, as far as they are of these paths.
struct Table {
    head: String,
    lines: Vec<(String, String)>,
}

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/design/ulp.md");

impl Table {
    fn read() -> Table {
        let paths: Vec<&str> = Isa::available().iter().map(|isa| isa.name()).collect();
        let columns =
            format!("| function | inputs | {} |\n|---|---|{}\n", paths.join(" | "), "---|".repeat(paths.len()));
        let page = std::fs::read_to_string(PAGE).unwrap_or_default();
        let (text, lines) = page.split_once("| function |").unwrap_or((&page, ""));
        let old = if page.contains(&columns) { lines } else { "" };
        let named = |line: &str| Some((line.strip_prefix("| ")?.split_once(" |")?.0.to_owned(), line.to_owned()));
        Table { head: format!("{text}{columns}"), lines: old.lines().skip(2).filter_map(named).collect() }
    }

    /// Adds or replaces a line, in the order of the functions here.
    fn write(op: Op, line: String) {
        let mut table = Table::read();
        table.lines.retain(|(name, _)| name != op.name());
        table.lines.push((op.name().to_owned(), line));
        let order =
            |name: &str| UNARY.iter().map(|f| f.0).chain(BINARY.iter().map(|f| f.0)).position(|op| op.name() == name);
        table.lines.sort_by_key(|(name, _)| order(name));
        let lines: String = table.lines.iter().map(|(_, line)| format!("{line}\n")).collect();
        std::fs::write(PAGE, format!("{}{lines}", table.head)).expect("docs/design/ulp.md");
    }
}

fn main() {
    let names: Vec<String> = std::env::args().skip(1).collect();
    let wanted = |op: &Op| names.is_empty() || names.iter().any(|name| name == op.name());
    let show = |op: Op, inputs: &str, operands: usize, worst: &[Worst]| {
        let cells = worst.iter().map(|Worst(ulp, x)| match operands {
            1 => format!("{ulp:.3} at {:e}", x[0]),
            _ => format!("{ulp:.3} at {:e}, {:e}", x[0], x[1]),
        });
        let line = format!("| {} | {inputs} | {} |", op.name(), cells.collect::<Vec<_>>().join(" | "));
        println!("{line}");
        Table::write(op, line);
    };
    for &(op, f) in UNARY.iter().filter(|(op, _)| wanted(op)) {
        show(op, "all", 1, &worst(op, (1 << 32) / CHUNK, every_input, |[x]| f(f64::from(x))));
    }
    let count = 1 << 14;
    for &(op, f) in BINARY.iter().filter(|(op, _)| wanted(op)) {
        let inputs = format!("2^{} pairs", (count * CHUNK).ilog2());
        show(op, &inputs, 2, &worst(op, count, pairs, |[x, y]| f(f64::from(x), f64::from(y))));
    }
}
