//! The greatest errors of the float32 functions, in units of the last place, on every path of this machine, both in the
//! mode of programs, where subnormal numbers count as zero, and without it: unary ones over all 2^32 inputs, binary ones
//! over pairs of special values and random pairs. Against the system's float64 functions, whose errors do not count here
//! (below 2^-50). Writes each function's line into the table of docs/design/ulp.md when it is done:
//! `cargo run --release -p millrace-kernels --example ulp [function …]`.

// A NaN is far from everything.
#![allow(clippy::neg_cmp_op_on_partial_ord)]

mod reference;

use millrace_kernels::float_mode::FloatMode;
use millrace_kernels::isa::{Isa, Kernel, version};
use millrace_kernels::{LoopPlan, Plan, Pool};
use millrace_program::{BoundLoad, BoundLoop, BoundStore, DType, Instr, NONE, Op};
use reference::{Many, erf, map, turned};
use std::sync::Mutex;

const F: DType = DType::Float32;
const CHUNK: usize = 1 << 16;

type Unary = (Op, fn(f64) -> f64, Many);
type Binary = (Op, fn(f64, f64) -> f64);

const UNARY: &[Unary] = &[
    (Op::Exp, f64::exp, map::<reference::Exp>),
    (Op::Expm1, f64::exp_m1, map::<reference::Expm1>),
    (Op::Log, f64::ln, map::<reference::Log>),
    (Op::Log1p, f64::ln_1p, map::<reference::Log1p>),
    (Op::Tanh, f64::tanh, map::<reference::Tanh>),
    (Op::Logistic, |x| 1.0 / (1.0 + (-x).exp()), map::<reference::Logistic>),
    (Op::Erf, libm::erf, erf),
    (Op::Sin, f64::sin, turned::<reference::Sin>),
    (Op::Cos, f64::cos, turned::<reference::Cos>),
    (Op::Tan, f64::tan, turned::<reference::Tan>),
    (Op::Sqrt, f64::sqrt, map::<reference::Sqrt>),
    (Op::Rsqrt, |x| 1.0 / x.sqrt(), map::<reference::Rsqrt>),
];

/// Above this, sin, cos and tan are float64's functions on every path; there one path stands for all.
const FAR: f32 = 1e8;

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
/// sign and the other is not. `flushed`: subnormal results are zero.
fn ulps(got: f32, want: f64, flushed: bool) -> f64 {
    let nearest = want as f32;
    if got.is_nan() || nearest.is_nan() {
        return if got.is_nan() && nearest.is_nan() { 0.0 } else { f64::INFINITY };
    }
    if got.is_sign_negative() != want.is_sign_negative() {
        return f64::INFINITY;
    }
    let vanishes = |x: f32| x == 0.0 || x.is_subnormal();
    if got == nearest && got.is_infinite() || flushed && vanishes(got) && vanishes(nearest) {
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

/// What was worst on one path: the error, and the operands. Errors below ¼ are not looked for.
#[derive(Clone, Copy)]
struct Worst(f64, [f32; 2]);

/// Elements that are looked at together.
const BLOCK: usize = 64;
/// More than what a reference's error can be, in units of the last place.
const DOUBT: f64 = 0.01;

/// Marks the blocks of which an element may have a greater error than `limit`.
struct Suspicious;

struct Comparison {
    got: *const f32,
    want: *const f64,
    limit: f64,
    /// One for each block.
    marks: *mut bool,
    blocks: usize,
}

impl Kernel for Suspicious {
    type Args = Comparison;

    #[inline(always)]
    unsafe fn run<const FMA: bool>(args: Comparison) {
        for block in 0..args.blocks {
            let mut doubtful = 0u64;
            for i in block * BLOCK..(block + 1) * BLOCK {
                // SAFETY: there are `blocks` whole blocks of both.
                let (got, want) = unsafe { (f64::from(args.got.add(i).read()), args.want.add(i).read()) };
                // Beyond the greatest number an infinity is as far as the next number would be.
                let most = 2f64.powi(128);
                let g = if got.abs() > most { most } else { got.abs() };
                let w = if want.abs() > most { most } else { want.abs() };
                let exponent = ((want as f32).to_bits() & (255 << 23)).clamp(1 << 23, 254 << 23);
                let unit = f64::from(f32::from_bits(exponent)) * 2f64.powi(-23);
                let far = !((g - w).abs() <= args.limit * unit) | ((want.abs() > most) & (g < most));
                let sign = (got.to_bits() ^ want.to_bits()) >> 63 != 0;
                let nans = got.is_nan() & want.is_nan();
                doubtful |= u64::from((far | sign) & !nans);
            }
            // SAFETY: a mark for each block.
            unsafe { args.marks.add(block).write(doubtful != 0) }
        }
    }
}

/// What is known of the wanted values: bounds that say where to look, and the true value of an element.
struct Wanted<'a> {
    near: &'a [f64],
    exact: &'a dyn Fn(usize) -> f64,
    flushed: bool,
}

/// The worst of `got`, where it is worse than `most`; `at` gives the operands of an element.
fn compare(got: &[f32], want: &Wanted, most: &mut Worst, at: impl Fn(usize) -> [f32; 2]) {
    let mut marks = [false; CHUNK / BLOCK];
    let limit = most.0 - DOUBT;
    let args = Comparison {
        got: got.as_ptr(),
        want: want.near.as_ptr(),
        limit,
        marks: marks.as_mut_ptr(),
        blocks: marks.len(),
    };
    // SAFETY: the path is one of this machine; `got` and `near` have CHUNK elements.
    unsafe { version::<Suspicious>(Isa::best())(args) }
    for block in (0..marks.len()).filter(|&block| marks[block]) {
        let own = block * BLOCK..(block + 1) * BLOCK;
        for (i, (&x, &near)) in own.clone().zip(got[own.clone()].iter().zip(&want.near[own])) {
            let far = !((f64::from(x) - near).abs() <= (most.0 - DOUBT) * unit(near));
            if !far && x.is_sign_negative() == near.is_sign_negative() {
                continue;
            }
            let ulp = ulps(x, (want.exact)(i), want.flushed);
            if ulp > most.0 {
                *most = Worst(ulp, at(i));
            }
        }
    }
}

/// Runs `chunks` chunks of `operands`, each made by `fill`; `near` gives about what is wanted of a chunk.
fn worst<const N: usize>(
    op: Op,
    chunks: usize,
    fill: impl Fn(usize, &mut [Vec<f32>; N]) + Sync,
    want: impl Fn([f32; N]) -> f64 + Sync,
    near: impl Fn(&[Vec<f32>; N], &mut [f64]) + Sync,
) -> Vec<Worst> {
    let plans: Vec<LoopPlan> = Isa::available().iter().map(|&isa| plan(isa, op, N)).collect();
    let all = Mutex::new(vec![Worst(0.25, [0.0; 2]); plans.len()]);
    let one = Pool::new(1);
    let flush = |x: f32| if x.is_subnormal() { 0f32.copysign(x) } else { x };
    Pool::global().for_chunks(chunks, |chunk| {
        let mut ins: [Vec<f32>; N] = [const { Vec::new() }; N];
        fill(chunk, &mut ins);
        let starts = ins.each_ref().map(|x| x.as_ptr().cast::<u8>());
        let mut wanted = vec![0.0; CHUNK];
        near(&ins, &mut wanted);
        let mut got = vec![0f32; CHUNK];
        let mut most = all.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).clone();
        let alike = matches!(op, Op::Sin | Op::Cos | Op::Tan) && ins[0].iter().all(|x| x.abs() > FAR);
        for flushed in [false, true] {
            if flushed && ins.iter().flatten().any(|x| x.is_subnormal()) {
                near(&ins.each_ref().map(|x| x.iter().map(|&x| flush(x)).collect()), &mut wanted);
            }
            let exact = |i: usize| want(ins.each_ref().map(|x| if flushed { flush(x[i]) } else { x[i] }));
            // What says where to look is right itself.
            for i in (0..CHUNK).step_by(CHUNK / 4).map(|i| i + chunk % (CHUNK / 4)) {
                let cut = |x: f64| x.clamp(-2f64.powi(129), 2f64.powi(129));
                let off = (cut(exact(i)) - cut(wanted[i])).abs() / unit(wanted[i]);
                assert!(off.is_nan() || off < DOUBT / 2.0, "the reference of {} at {:e}", op.name(), ins[0][i]);
            }
            for (path, (plan, most)) in plans.iter().zip(&mut most).enumerate() {
                if path == 0 || !alike {
                    let mode = if flushed { FloatMode::of_programs() } else { FloatMode::current() };
                    let _mode = mode.enter();
                    // SAFETY: CHUNK floats each; one instruction needs no scratch memory.
                    unsafe { plan.run(&starts, &[got.as_mut_ptr().cast()], std::ptr::null_mut(), &one) }
                }
                compare(&got, &Wanted { near: &wanted, exact: &exact, flushed }, most, |i| {
                    let mut at = [0.0; 2];
                    ins.iter().zip(&mut at).for_each(|(x, to)| *to = x[i]);
                    at
                });
            }
            if alike {
                break;
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
                (beside, f32::from_bits(sign | ((127 << 23) + random() % (27 << 23))))
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
    for &(op, f, many) in UNARY.iter().filter(|(op, ..)| wanted(op)) {
        let near = |[x]: &[Vec<f32>; 1], y: &mut [f64]| many(x, y);
        show(op, "all", 1, &worst(op, (1 << 32) / CHUNK, every_input, |[x]| f(f64::from(x)), near));
    }
    let count = 1 << 12;
    for &(op, f) in BINARY.iter().filter(|(op, _)| wanted(op)) {
        let inputs = format!("2^{} pairs", (count * CHUNK).ilog2());
        let near = |[x, y]: &[Vec<f32>; 2], z: &mut [f64]| {
            z.iter_mut().enumerate().for_each(|(i, z)| *z = f(f64::from(x[i]), f64::from(y[i])));
        };
        show(op, &inputs, 2, &worst(op, count, pairs, |[x, y]| f(f64::from(x), f64::from(y)), near));
    }
}
