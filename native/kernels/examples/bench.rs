//! Over 400 lines: a table of shapes a kernel. Speed of the kernels: `cargo run --release -p millrace-kernels --example bench [filter]`.

use millrace_kernels::{LoopPlan, Plan, Pool, library};
use millrace_program::{BoundAttrs, BoundLoad, BoundLoop, BoundStore, BoundValue, DType, Instr, NONE, Op, Shape};
use std::time::Instant;

const F: DType = DType::Float32;

/// The best time of one call, in seconds.
fn best(mut f: impl FnMut()) -> f64 {
    (0..3).for_each(|_| f());
    let t = Instant::now();
    f();
    // Short calls are timed together, so that the clock does not count.
    let each = (2e-5 / t.elapsed().as_secs_f64()).ceil().clamp(1.0, 1000.0) as usize;
    let (start, mut best, mut calls) = (Instant::now(), f64::INFINITY, 0);
    while calls < 5 || start.elapsed().as_secs_f64() < 0.3 {
        let t = Instant::now();
        (0..each).for_each(|_| f());
        best = best.min(t.elapsed().as_secs_f64() / each as f64);
        calls += 1;
    }
    best
}

/// The best times of one call of each, taken in turns.
fn best_of_both(mut f: impl FnMut(), mut g: impl FnMut()) -> [f64; 2] {
    let time = |f: &mut dyn FnMut(), calls: usize| {
        let t = Instant::now();
        (0..calls).for_each(|_| f());
        t.elapsed().as_secs_f64() / calls as f64
    };
    let mut best = [f64::INFINITY; 2];
    let calls = (5e-5 / time(&mut f, 3).max(time(&mut g, 3))).ceil().clamp(1.0, 1000.0) as usize;
    let start = Instant::now();
    for turn in 0.. {
        if turn >= 5 && start.elapsed().as_secs_f64() > 0.3 {
            break;
        }
        best = [best[0].min(time(&mut f, calls)), best[1].min(time(&mut g, calls))];
    }
    best
}

/// Runs a plan on fresh buffers of these lengths in bytes.
fn time(plan: &dyn Plan, ins: &[usize], outs: &[usize], pool: &Pool) -> f64 {
    let float = |i: usize| ((i * 7919 % 1000) as f32 - 500.0) / 500.0;
    let inputs: Vec<Vec<f32>> = ins.iter().map(|&n| (0..n.div_ceil(4)).map(float).collect()).collect();
    let mut outputs: Vec<Vec<f32>> = outs.iter().map(|&n| vec![0.0; n.div_ceil(4)]).collect();
    let mut scratch = vec![0u64; plan.scratch_bytes() / 8 + 8];
    let ins: Vec<*const u8> = inputs.iter().map(|v| v.as_ptr().cast()).collect();
    let outs: Vec<*mut u8> = outputs.iter_mut().map(|v| v.as_mut_ptr().cast()).collect();
    let scratch = scratch.as_mut_ptr().cast::<u8>();
    let scratch = scratch.wrapping_add(scratch.align_offset(64));
    // SAFETY: buffers as the plan was made for.
    best(|| unsafe { plan.run(&ins, &outs, scratch, pool) })
}

fn load(strides: &[i64]) -> BoundLoad {
    BoundLoad { dtype: F, offset: 0, strides: strides.to_vec() }
}

fn instr(op: Op, args: &[u32]) -> Instr {
    let mut all = [NONE; 3];
    all[..args.len()].copy_from_slice(args);
    Instr { op, dtype: F, args: all, immediate: 0 }
}

fn constant(x: f32) -> Instr {
    Instr { immediate: x.to_bits() as u64, ..instr(Op::Constant, &[]) }
}

fn store(value: u32) -> BoundStore {
    BoundStore { dtype: F, value, reduce: None, mask: 0 }
}

fn sum(value: u32, mask: u32) -> BoundStore {
    BoundStore { dtype: F, value, reduce: Some(Op::ReduceSum), mask }
}

fn loops(show: Show) {
    let gb = |bytes: usize, seconds: f64| format!("{:8.1} µs {:7.1} GB/s", seconds * 1e6, bytes as f64 / seconds / 1e9);
    let one = |n: usize, loads: usize, instrs: Vec<Instr>, stores: Vec<BoundStore>| {
        let kernel = BoundLoop { extents: vec![n], loads: vec![load(&[1]); loads], instrs, stores };
        LoopPlan::new(&kernel).unwrap()
    };
    for n in [8, 1 << 10, 1 << 20] {
        let plan = one(n, 2, vec![instr(Op::Add, &[0, 1])], vec![store(2)]);
        show(&format!("add [{n}]"), &|pool| gb(12 * n, time(&plan, &[4 * n, 4 * n], &[4 * n], pool)));
    }
    for op in [Op::Exp, Op::Log, Op::Tanh, Op::Logistic, Op::Erf, Op::Sin, Op::Log1p] {
        let n = 1 << 16;
        let plan = one(n, 1, vec![instr(op, &[0])], vec![store(1)]);
        show(&format!("{} [{n}]", op.name()), &|pool| gb(8 * n, time(&plan, &[4 * n], &[4 * n], pool)));
    }
    {
        // 0.5 x (1 + tanh(√(2/π) (x + 0.044715 x³)))
        let n = 1 << 20;
        let c = [0.5, 1.0, 0.797_884_6, 0.044_715].map(constant);
        let mut instrs = c.to_vec();
        instrs.extend([
            instr(Op::Mul, &[0, 0]),
            instr(Op::Mul, &[5, 0]),
            instr(Op::Mul, &[6, 4]),
            instr(Op::Add, &[0, 7]),
            instr(Op::Mul, &[8, 3]),
            instr(Op::Tanh, &[9]),
            instr(Op::Add, &[10, 2]),
            instr(Op::Mul, &[11, 0]),
            instr(Op::Mul, &[12, 1]),
        ]);
        let plan = one(n, 1, instrs, vec![store(13)]);
        show(&format!("gelu chain [{n}]"), &|pool| gb(8 * n, time(&plan, &[4 * n], &[4 * n], pool)));
    }
    {
        // w, g, m, v: m' = b1 m + (1 - b1) g, v' = b2 v + (1 - b2) g², w' = w - r m' / (√v' + e)
        let n = 535_818;
        let mut instrs = [0.9, 0.1, 0.999, 0.001, 0.01, 1e-7].map(constant).to_vec();
        instrs.extend([
            instr(Op::Mul, &[2, 4]),
            instr(Op::Mul, &[1, 5]),
            instr(Op::Add, &[10, 11]),
            instr(Op::Mul, &[3, 6]),
            instr(Op::Mul, &[1, 1]),
            instr(Op::Mul, &[14, 7]),
            instr(Op::Add, &[13, 15]),
            instr(Op::Sqrt, &[16]),
            instr(Op::Add, &[17, 9]),
            instr(Op::Div, &[12, 18]),
            instr(Op::Mul, &[19, 8]),
            instr(Op::Sub, &[0, 20]),
        ]);
        let plan = one(n, 4, instrs, vec![store(21), store(12), store(16)]);
        show(&format!("adam [{n}]"), &|pool| gb(28 * n, time(&plan, &[4 * n; 4], &[4 * n; 3], pool)));
    }
    for (rows, columns, mask) in
        [(128, 512, 1), (50_176, 32, 1), (4096, 1024, 1), (4096, 1024, 2), (128, 10, 2), (1, 1 << 22, 2)]
    {
        let (r, c) = (rows as usize, columns as usize);
        let kernel = BoundLoop {
            extents: vec![r, c],
            loads: vec![load(&[c as i64, 1])],
            instrs: vec![],
            stores: vec![sum(0, mask)],
        };
        let plan = LoopPlan::new(&kernel).unwrap();
        let out = if mask == 1 { c } else { r };
        show(&format!("sum of [{r},{c}] over {}", mask - 1), &|pool| {
            gb(4 * r * c, time(&plan, &[4 * r * c], &[4 * out], pool))
        });
    }
    for (r, c) in [(1024usize, 1024usize), (784, 512)] {
        let kernel = BoundLoop {
            extents: vec![r, c],
            loads: vec![load(&[1, r as i64])],
            instrs: vec![],
            stores: vec![store(0)],
        };
        let plan = LoopPlan::new(&kernel).unwrap();
        show(&format!("transpose to [{r},{c}]"), &|pool| gb(8 * r * c, time(&plan, &[4 * r * c], &[4 * r * c], pool)));
    }
    {
        let (r, c) = (50_176usize, 32usize);
        let kernel = BoundLoop {
            extents: vec![r, c],
            loads: vec![load(&[c as i64, 1]), load(&[0, 1])],
            instrs: vec![instr(Op::Add, &[0, 1]), constant(0.0), instr(Op::Max, &[2, 3])],
            stores: vec![store(4)],
        };
        let plan = LoopPlan::new(&kernel).unwrap();
        show(&format!("bias + relu [{r},{c}]"), &|pool| {
            gb(8 * r * c, time(&plan, &[4 * r * c, 4 * c], &[4 * r * c], pool))
        });
    }
}

type Show<'a> = &'a dyn Fn(&str, &dyn Fn(&Pool) -> String);

fn shape(dims: &[usize]) -> Shape {
    Shape::new(F, dims.to_vec()).unwrap()
}

fn ints(values: &[i64]) -> BoundValue {
    BoundValue::List(values.iter().map(|&v| BoundValue::Int(v)).collect())
}

fn attrs(entries: &[(&str, BoundValue)]) -> BoundAttrs {
    BoundAttrs(entries.iter().map(|(name, value)| (name.to_string(), value.clone())).collect())
}

fn op(show: Show, name: &str, flops: f64, op: Op, ins: &[&[usize]], out: &[usize], entries: &[(&str, BoundValue)]) {
    let shapes: Vec<Shape> = ins.iter().map(|dims| shape(dims)).collect();
    let Some(kernel) = library(op) else { return };
    let plan = kernel.check(&shapes, &[shape(out)], &attrs(entries)).unwrap();
    let bytes: Vec<usize> = shapes.iter().map(Shape::bytes).collect();
    show(name, &|pool| {
        let seconds = time(&*plan, &bytes, &[shape(out).bytes()], pool);
        format!("{:8.2} µs {:7.1} GFLOP/s", seconds * 1e6, flops / seconds / 1e9)
    });
}

fn products(show: Show) {
    // (m, n, k, a transposed, b transposed)
    let cases = [
        (256, 256, 256, false, false),
        (1024, 1024, 1024, false, false),
        (1024, 1024, 1024, true, false),
        (1024, 1024, 1024, false, true),
        (2048, 2048, 2048, false, false),
        (1, 4096, 4096, false, false),
        (1, 4096, 4096, false, true),
        (4096, 1, 4096, false, false),
        // Layers of a small network, and their gradients.
        (128, 512, 784, false, false),
        (784, 512, 128, true, false),
        (128, 784, 512, false, true),
        (128, 256, 512, false, false),
        (512, 256, 128, true, false),
        (128, 512, 256, false, true),
        (128, 10, 256, false, false),
        (256, 10, 128, true, false),
        (128, 256, 10, false, true),
        // A transformer.
        (2048, 384, 128, false, false),
        (2048, 512, 128, false, false),
        (2048, 128, 512, false, false),
        (128, 384, 2048, true, false),
        (128, 512, 2048, true, false),
        (512, 128, 2048, true, false),
        (2048, 128, 512, false, true),
        (2048, 512, 128, false, true),
        (2048, 128, 384, false, true),
        (128, 128, 32, false, true),
        (128, 32, 128, false, false),
        (128, 32, 128, true, false),
        // What follows convolutions, and convolutions as products.
        (64, 128, 9216, false, false),
        (9216, 128, 64, true, false),
        (64, 9216, 128, false, true),
        (36_864, 64, 288, false, false),
        (36_864, 288, 64, false, true),
        (288, 64, 36_864, true, false),
        (50_176, 32, 9, false, false),
        // A recurrent layer.
        (64, 512, 128, false, false),
        (64, 128, 512, false, true),
        (128, 512, 64, true, false),
        // Narrow and small ones.
        (8, 1024, 1024, false, false),
        (10, 1024, 1024, false, false),
        (1024, 8, 1024, false, false),
        (1024, 10, 1024, false, false),
        (8, 1024, 1024, false, true),
        (4, 4, 4, false, false),
        (8, 8, 8, false, false),
        (16, 16, 16, false, false),
        (32, 32, 32, false, false),
        (48, 48, 48, false, false),
        (64, 64, 64, false, false),
    ];
    for (m, n, k, at, bt) in cases {
        let (a, b) = (if at { [k, m] } else { [m, k] }, if bt { [n, k] } else { [k, n] });
        let name = format!("dot {m}x{k}{} · {k}x{n}{}", if at { "T" } else { "" }, if bt { "T" } else { "" });
        let dims = attrs(&[
            ("lhsBatch", ints(&[])),
            ("lhsContract", ints(&[i64::from(!at)])),
            ("rhsBatch", ints(&[])),
            ("rhsContract", ints(&[i64::from(bt)])),
        ]);
        let plan = library(Op::DotGeneral).unwrap().check(&[shape(&a), shape(&b)], &[shape(&[m, n])], &dims).unwrap();
        let (x, y) = (vec![0.5f32; m * k], vec![0.25f32; k * n]);
        show(&name, &|pool| {
            let (mut c, mut d) = (vec![0f32; m * n], vec![0f32; m * n]);
            let mut scratch = vec![0u64; plan.scratch_bytes() / 8 + 8];
            let scratch = scratch.as_mut_ptr().cast::<u8>();
            let scratch = scratch.wrapping_add(scratch.align_offset(64));
            let (ins, out) = ([x.as_ptr().cast(), y.as_ptr().cast()], [c.as_mut_ptr().cast()]);
            let [ar, ac] = if at { [1, m as isize] } else { [k as isize, 1] };
            let [br, bc] = if bt { [1, k as isize] } else { [n as isize, 1] };
            let to = d.as_mut_ptr();
            let (x, y) = (x.as_ptr(), y.as_ptr());
            // SAFETY: buffers as the plan was made for.
            let ours = || unsafe { plan.run(&ins, &out, scratch, pool) };
            // SAFETY: sizes and strides as above.
            let theirs = || unsafe {
                let (row, none) = (n as isize, gemm::Parallelism::None);
                gemm::gemm(m, n, k, to, 1, row, false, x, ac, ar, y, bc, br, 0.0, 1.0, false, false, false, none);
            };
            let [ours, theirs] = best_of_both(ours, theirs);
            let flops = 2.0 * (m * n * k) as f64;
            format!(
                "{:9.2} µs {:6.1} GFLOP/s {:5.2} x the gemm crate on one",
                ours * 1e6,
                flops / ours / 1e9,
                theirs / ours
            )
        });
    }
}

fn convolutions(show: Show) {
    // A CNN on 28 x 28 images, batch 64: 3 x 3 filters, 1 to 32 and, after pooling, 32 to 64 channels.
    for (side, channels, features) in [(28usize, 1usize, 32usize), (14, 32, 64), (14, 64, 64)] {
        let (x, w, y): (&[usize], &[usize], &[usize]) =
            (&[64, side, side, channels], &[3, 3, channels, features], &[64, side, side, features]);
        let flops = 2.0 * (64 * side * side * 9 * channels * features) as f64;
        let name = |what: &str| format!("{what} 64x{side}x{side}x{channels} to {features}");
        let both = |more: (&'static str, BoundValue)| {
            vec![
                ("groups", BoundValue::Int(1)),
                ("high", ints(&[1, 1])),
                ("low", ints(&[1, 1])),
                ("rhsDilation", ints(&[1, 1])),
                ("strides", ints(&[1, 1])),
                more,
            ]
        };
        let dims = |dims: &[usize]| ints(&dims.iter().map(|&d| d as i64).collect::<Vec<_>>());
        op(show, &name("conv"), flops, Op::ConvGeneral, &[x, w], y, &both(("lhsDilation", ints(&[1, 1]))));
        op(show, &name("convInputGrad"), flops, Op::ConvInputGrad, &[y, w], x, &both(("inputShape", dims(x))));
        op(show, &name("convFilterGrad"), flops, Op::ConvFilterGrad, &[x, y], w, &both(("filterShape", dims(w))));
    }
}

/// What is bound by memory or by single elements rather than by products.
fn others(show: Show) {
    let all = |list: &[i64]| ints(list);
    let pool = [
        ("high", all(&[0, 0, 0, 0])),
        ("low", all(&[0, 0, 0, 0])),
        ("strides", all(&[1, 2, 2, 1])),
        ("window", all(&[1, 2, 2, 1])),
    ];
    let (x, y): (&[usize], &[usize]) = (&[64, 28, 28, 32], &[64, 14, 14, 32]);
    let elements = 64.0 * 28.0 * 28.0 * 32.0;
    op(show, "max pool 64x28x28x32", elements, Op::ReduceWindowMax, &[x], y, &pool);
    op(show, "max pool gradient 64x28x28x32", elements, Op::SelectAndScatterAdd, &[x, y], x, &pool);
    for dims in [&[128usize, 10][..], &[256, 1024]] {
        let axis = [("axis", BoundValue::Int(1))];
        let name = format!("softmax {dims:?}");
        op(show, &name, (dims[0] * dims[1]) as f64, Op::Softmax, &[dims], dims, &axis);
    }
    op(show, "small add [8]", 8.0, Op::Add, &[&[8], &[8]], &[8], &[]);
    op(show, "small exp [8]", 8.0, Op::Exp, &[&[8]], &[8], &[]);
    op(show, "small sum [8]", 8.0, Op::ReduceSum, &[&[8]], &[], &[("axes", ints(&[0]))]);
    let dot =
        [("lhsBatch", ints(&[])), ("lhsContract", ints(&[1])), ("rhsBatch", ints(&[])), ("rhsContract", ints(&[0]))];
    op(show, "small dot [2,3] [3,4]", 48.0, Op::DotGeneral, &[&[2, 3], &[3, 4]], &[2, 4], &dot);
    op(show, "small concat [4] [4]", 8.0, Op::Concat, &[&[4], &[4]], &[8], &[("axis", BoundValue::Int(0))]);
    let q: &[usize] = &[2, 8, 512, 64];
    let shapes = [shape(q), shape(q), shape(q)];
    let plan = library(Op::Attention).unwrap();
    let with = attrs(&[("causal", BoundValue::Bool(false)), ("scale", BoundValue::Float(0.125))]);
    let plan = plan.check(&shapes, &[shape(q), shape(&q[..3])], &with).unwrap();
    let flops = 4.0 * 16.0 * 512.0 * 512.0 * 64.0;
    show("attention 2x8x512x64", &|pool| {
        let seconds = time(&*plan, &[shape(q).bytes(); 3], &[shape(q).bytes(), shape(&q[..3]).bytes()], pool);
        format!("{:8.1} µs {:7.1} GFLOP/s", seconds * 1e6, flops / seconds / 1e9)
    });
}

/// Recurrences of 64 rows, 64 steps and 128 units that give their last state.
fn recurrences(show: Show) {
    let [rows, steps, units] = [64usize, 64, 128];
    for (forward, backward, gates) in [(Op::Lstm, Op::LstmGrad, 4)] {
        let columns = gates * units;
        let [wide, sequence] = [columns, units].map(|n| shape(&[rows, steps, n]));
        let (kernel, state) = (shape(&[units, columns]), shape(&[rows, units]));
        let outs = [&sequence, &state, &state, &sequence, &wide].map(Shape::clone);
        let reverse = ("reverse", BoundValue::Bool(false));
        let flops = 2.0 * (rows * steps * units * columns) as f64;
        let given = [kernel.clone(), sequence.clone(), sequence.clone(), wide.clone(), state.clone()];
        for (op, ins, outs, times) in [
            (forward, vec![wide.clone(), kernel.clone()], outs.to_vec(), 1.0),
            (backward, given.to_vec(), vec![wide, kernel], 2.0),
        ] {
            let plan = library(op).unwrap().check(&ins, &outs, &attrs(&[reverse.clone(), ("outputs", ints(&[1]))]));
            let plan = plan.unwrap();
            let [ins, outs] = [&ins, &outs].map(|all| all.iter().map(Shape::bytes).collect::<Vec<_>>());
            show(&format!("{} {rows}x{steps}x{units}", op.name()), &|pool| {
                let seconds = time(&*plan, &ins, &outs, pool);
                format!("{:8.1} µs {:7.1} GFLOP/s", seconds * 1e6, times * flops / seconds / 1e9)
            });
        }
    }
}

fn main() {
    let filter = std::env::args().nth(1).unwrap_or_default();
    let one = Pool::new(1);
    let show = |name: &str, f: &dyn Fn(&Pool) -> String| {
        if name.contains(&filter) {
            println!("{name:34} 1 thread {}   {} threads {}", f(&one), Pool::global().threads(), f(Pool::global()));
        }
    };
    loops(&show);
    products(&show);
    convolutions(&show);
    others(&show);
    recurrences(&show);
}
