//! Speed of attention, norms, softmax and recurrences: `cargo run --release -p millrace-kernels --example nn [threads] [filter]`.

use millrace_kernels::{Plan, Pool, library};
use millrace_program::{BoundAttrs, BoundValue, DType, Op, Shape};
use std::time::Instant;

/// The best time of one call in ms.
fn best(mut f: impl FnMut()) -> f64 {
    (0..3).for_each(|_| f());
    let (start, mut best, mut calls) = (Instant::now(), f64::INFINITY, 0);
    while calls < 5 || start.elapsed().as_secs_f64() < 0.4 {
        let t = Instant::now();
        f();
        best = best.min(t.elapsed().as_secs_f64() * 1e3);
        calls += 1;
    }
    best
}

fn time_of(op: Op, ins: &[&[usize]], outs: &[&[usize]], attrs: &BoundAttrs, pool: &Pool) -> f64 {
    let shapes = |all: &[&[usize]]| -> Vec<Shape> {
        all.iter().map(|dims| Shape::new(DType::Float32, dims.to_vec()).unwrap()).collect()
    };
    let (ins, outs) = (shapes(ins), shapes(outs));
    let plan: Box<dyn Plan> = library(op).unwrap().check(&ins, &outs, attrs).unwrap();
    let number = |i: usize| ((i * 7919 % 1000) as f32 - 500.0) / 500.0;
    let inputs: Vec<Vec<f32>> = ins.iter().map(|s| (0..s.numel()).map(number).collect()).collect();
    let mut outputs: Vec<Vec<f32>> = outs.iter().map(|s| vec![0.0; s.numel()]).collect();
    let mut scratch = vec![0u64; plan.scratch_bytes() / 8 + 8];
    let ins: Vec<*const u8> = inputs.iter().map(|v| v.as_ptr().cast()).collect();
    let outs: Vec<*mut u8> = outputs.iter_mut().map(|v| v.as_mut_ptr().cast()).collect();
    let scratch = scratch.as_mut_ptr().cast::<u8>();
    let scratch = scratch.wrapping_add(scratch.align_offset(64));
    // SAFETY: buffers as the plan was made for.
    best(|| unsafe { plan.run(&ins, &outs, scratch, pool) })
}

fn attrs(entries: &[(&str, BoundValue)]) -> BoundAttrs {
    BoundAttrs(entries.iter().map(|(name, value)| (name.to_string(), value.clone())).collect())
}

fn main() {
    let threads = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(1);
    let filter = std::env::args().nth(2).unwrap_or_default();
    let pool = Pool::new(threads);
    let show = |name: String, run: &dyn Fn() -> [f64; 2]| {
        if name.contains(&filter) {
            let [forward, backward] = run();
            println!("{name}: forward {forward:.3} ms, backward {backward:.3} ms");
        }
    };
    for ([b, h, n, d], causal) in [
        ([16, 4, 128, 32], true),
        ([16, 4, 128, 32], false),
        ([1, 8, 1024, 64], true),
        ([1, 8, 1024, 64], false),
        ([1, 1, 2048, 64], true),
        ([8, 12, 197, 64], false),
    ] {
        let (x, l): ([usize; 4], [usize; 3]) = ([b, h, n, d], [b, h, n]);
        let attrs =
            attrs(&[("causal", BoundValue::Bool(causal)), ("scale", BoundValue::Float(1.0 / (d as f64).sqrt()))]);
        show(format!("attention {x:?} causal {causal}"), &|| {
            let forward = time_of(Op::Attention, &[&x, &x, &x], &[&x, &l], &attrs, &pool);
            [forward, time_of(Op::AttentionGrad, &[&x, &x, &x, &x, &x, &l], &[&x, &x, &x], &attrs, &pool)]
        });
    }
    for [rows, n] in [[2048, 128], [2048, 768]] {
        let (x, v, l): ([usize; 2], [usize; 1], [usize; 1]) = ([rows, n], [n], [rows]);
        let with = attrs(&[("epsilon", BoundValue::Float(1e-5))]);
        show(format!("layerNorm {x:?}"), &|| {
            let forward = time_of(Op::LayerNorm, &[&x, &v, &v], &[&x, &l, &l], &with, &pool);
            [forward, time_of(Op::LayerNormGrad, &[&x, &x, &v, &l, &l], &[&x, &v, &v], &attrs(&[]), &pool)]
        });
    }
    for [rows, n] in [[2048, 256], [512, 32_000]] {
        let x: [usize; 2] = [rows, n];
        let axis = attrs(&[("axis", BoundValue::Int(1))]);
        for (op, grad) in [(Op::Softmax, Op::SoftmaxGrad), (Op::LogSoftmax, Op::LogSoftmaxGrad)] {
            show(format!("{} {x:?}", op.name()), &|| {
                [time_of(op, &[&x], &[&x], &axis, &pool), time_of(grad, &[&x, &x], &[&x], &axis, &pool)]
            });
        }
    }
    for [batch, time, units] in [[64, 64, 128], [8, 32, 256], [1, 64, 128]] {
        let (sequence, state): ([usize; 3], [usize; 2]) = ([batch, time, units], [batch, units]);
        let reverse = ("reverse", BoundValue::Bool(false));
        let with = attrs(std::slice::from_ref(&reverse));
        let of_last = attrs(&[reverse, ("outputs", BoundValue::List(vec![BoundValue::Int(1)]))]);
        let wide = |parts: usize| -> [usize; 3] { [batch, time, parts * units] };
        show(format!("lstm {sequence:?}"), &|| {
            let (x, kernel): ([usize; 3], [usize; 2]) = (wide(4), [units, 4 * units]);
            let outs: [&[usize]; 5] = [&sequence, &state, &state, &sequence, &x];
            let forward = time_of(Op::Lstm, &[&x, &kernel], &outs, &with, &pool);
            let ins: [&[usize]; 5] = [&kernel, &sequence, &sequence, &x, &state];
            [forward, time_of(Op::LstmGrad, &ins, &[&x, &kernel], &of_last, &pool)]
        });
        show(format!("gru {sequence:?}"), &|| {
            let (x, saved, kernel, bias): ([usize; 3], [usize; 3], [usize; 2], [usize; 1]) =
                (wide(3), wide(4), [units, 3 * units], [3 * units]);
            let forward = time_of(Op::Gru, &[&x, &kernel, &bias], &[&sequence, &state, &saved], &with, &pool);
            let ins: [&[usize]; 4] = [&kernel, &sequence, &saved, &state];
            [forward, time_of(Op::GruGrad, &ins, &[&x, &kernel], &of_last, &pool)]
        });
    }
}
