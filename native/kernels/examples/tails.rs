//! A kernel and the loop after it: one after the other, in one step, and that with the weight packed before. `cargo run
//! --release -p millrace-kernels --example tails [filter]` prints these times on one and two threads, taken in turns.

use millrace_kernels::{LoopPlan, Packed, Plan, Pool, library, with_tail};
use millrace_program::{BoundAttrs, BoundLoad, BoundLoop, BoundStore, BoundValue, DType, Instr, NONE, Op, Shape};
use std::time::Instant;

const F: DType = DType::Float32;

struct Case {
    name: &'static str,
    op: Op,
    ins: [Vec<usize>; 2],
    out: Vec<usize>,
    attrs: BoundAttrs,
}

fn list(values: &[usize]) -> BoundValue {
    BoundValue::List(values.iter().map(|&v| BoundValue::Int(v as i64)).collect())
}

fn attrs(entries: &[(&str, BoundValue)]) -> BoundAttrs {
    BoundAttrs(entries.iter().map(|(name, value)| (name.to_string(), value.clone())).collect())
}

fn dot(name: &'static str, m: usize, k: usize, n: usize) -> Case {
    let (none, first, second) = (list(&[]), list(&[0]), list(&[1]));
    let entries = [("lhsBatch", none.clone()), ("lhsContract", second), ("rhsBatch", none), ("rhsContract", first)];
    Case { name, op: Op::DotGeneral, ins: [vec![m, k], vec![k, n]], out: vec![m, n], attrs: attrs(&entries) }
}

/// Of equal padding; a depthwise one has as many groups as channels.
fn conv(name: &'static str, x: [usize; 4], taps: usize, features: usize, groups: usize) -> Case {
    let edge = list(&[taps / 2; 2]);
    let entries = [
        ("groups", BoundValue::Int(groups as i64)),
        ("high", edge.clone()),
        ("lhsDilation", list(&[1, 1])),
        ("low", edge),
        ("rhsDilation", list(&[1, 1])),
        ("strides", list(&[1, 1])),
    ];
    let ins = [x.to_vec(), vec![taps, taps, x[3] / groups, features]];
    Case { name, op: Op::ConvGeneral, ins, out: vec![x[0], x[1], x[2], features], attrs: attrs(&entries) }
}

/// min(max(result · a[column] + b[column], 0), 6); of dots gelu by tanh, with its operand stored too.
fn tail_of(case: &Case) -> BoundLoop {
    let columns = case.out[case.out.len() - 1];
    let load = |strides: &[i64]| BoundLoad { dtype: F, offset: 0, strides: strides.to_vec() };
    let constant = |x: f32| Instr { op: Op::Constant, dtype: F, args: [NONE; 3], immediate: u64::from(x.to_bits()) };
    let instr = |op, a: u32, b: u32| Instr { op, dtype: F, args: [a, b, NONE], immediate: 0 };
    let store = |value| BoundStore { dtype: F, value, reduce: None, mask: 0 };
    let extents = vec![case.out.iter().product::<usize>() / columns, columns];
    let loads = vec![load(&[columns as i64, 1]), load(&[0, 1]), load(&[0, 1])];
    if case.name.contains("gelu") {
        let mut instrs = [0.5, 1.0, 0.797_884_6, 0.044_715].map(constant).to_vec();
        instrs.extend([
            instr(Op::Add, 0, 1),
            instr(Op::Mul, 7, 7),
            instr(Op::Mul, 8, 7),
            instr(Op::Mul, 9, 6),
            instr(Op::Add, 7, 10),
            instr(Op::Mul, 11, 5),
            instr(Op::Tanh, 12, NONE),
            instr(Op::Add, 13, 4),
            instr(Op::Mul, 14, 7),
            instr(Op::Mul, 15, 3),
        ]);
        return BoundLoop { extents, loads, instrs, stores: vec![store(16), store(7)] };
    }
    let mut instrs = [0.0, 6.0].map(constant).to_vec();
    instrs.extend([instr(Op::Mul, 0, 1), instr(Op::Add, 5, 2), instr(Op::Max, 6, 3), instr(Op::Min, 7, 4)]);
    BoundLoop { extents, loads, instrs, stores: vec![store(8)] }
}

/// Floats aligned to 64 bytes.
fn buffer(elements: usize) -> *mut u8 {
    let memory: &mut [f32] = Vec::leak((0..elements + 16).map(|i| (i * 7919 % 1000) as f32 / 500.0 - 1.0).collect());
    let start = memory.as_mut_ptr().cast::<u8>();
    start.wrapping_add(start.align_offset(64))
}

fn main() {
    let filter = std::env::args().nth(1).unwrap_or_default();
    let cases = [
        dot("dot 64x128x10 bias relu6", 64, 128, 10),
        dot("dot 128x784x512 bias relu6", 128, 784, 512),
        dot("dot 2048x128x512 bias gelu", 2048, 128, 512),
        dot("dot 2048x128x384 bias relu6", 2048, 128, 384),
        conv("conv 1x1 56² 24 to 144 bn relu6", [1, 56, 56, 24], 1, 144, 1),
        conv("conv 1x1 112² 16 to 96 bn relu6", [1, 112, 112, 16], 1, 96, 1),
        conv("conv 1x1 14² 384 to 64 bn relu6", [1, 14, 14, 384], 1, 64, 1),
        conv("conv 1x1 7² 960 to 320 bn relu6", [1, 7, 7, 960], 1, 320, 1),
        dot("dot 16x1024x1024 bias relu6", 16, 1024, 1024),
        dot("dot 64x1024x1024 bias relu6", 64, 1024, 1024),
        conv("conv 3x3 64 26² 1 to 32 bn relu6", [64, 26, 26, 1], 3, 32, 1),
        conv("conv 3x3 64 24² 32 to 64 bn relu6", [64, 24, 24, 32], 3, 64, 1),
        conv("depthwise 3x3 56² 144 bn relu6", [1, 56, 56, 144], 3, 144, 144),
    ];
    for case in cases.iter().filter(|case| case.name.contains(&filter)) {
        let shapes = case.ins.clone().map(|dims| Shape::new(F, dims).unwrap());
        let out = Shape::new(F, case.out.clone()).unwrap();
        let plan = || library(case.op).unwrap().check(&shapes, std::slice::from_ref(&out), &case.attrs).unwrap();
        let tail = tail_of(case);
        let (kernel, after) = (plan(), LoopPlan::new(&tail).unwrap());
        let Ok(joined) = with_tail(plan(), 2, &tail) else { continue };
        let [a, b] = shapes.each_ref().map(|shape| buffer(shape.numel()).cast_const());
        let (bias, result, kept) = (buffer(2048).cast_const(), buffer(out.numel()), buffer(out.numel()));
        let stores = &[result, kept][..tail.stores.len()];
        let scratch = buffer((kernel.scratch_bytes() + after.scratch_bytes()) / 4);
        for threads in [1, 2] {
            let pool = Pool::new(threads);
            // SAFETY: buffers as the plans were made for.
            let apart = || unsafe {
                kernel.run(&[a, b], &[result], scratch, &pool);
                after.run(&[result, bias, bias], stores, scratch, &pool);
            };
            // SAFETY: as above.
            let together = || unsafe {
                joined.run(&[a, b, result, bias, bias], &[&[result], stores].concat(), scratch, &pool);
            };
            let packing = joined.packing();
            let form = buffer(packing.map_or(0, |packing| packing.bytes / 4));
            if packing.is_some() {
                // SAFETY: as above.
                unsafe { joined.pack(b, form, &pool) };
            }
            // SAFETY: as above; the form was written.
            let packed = || unsafe {
                let (ins, outs) = (&[a, b, result, bias, bias], &[&[result], stores].concat());
                joined.run_packed(Packed { ins, outs, packed: form, scratch, pool: &pool, done: None });
            };
            let (mut best, start) = ([f64::INFINITY; 3], Instant::now());
            while start.elapsed().as_secs_f64() < 0.7 {
                for (best, run) in best.iter_mut().zip([
                    &apart as &dyn Fn(),
                    &together,
                    if packing.is_some() { &packed } else { &together },
                ]) {
                    let t = Instant::now();
                    run();
                    *best = best.min(t.elapsed().as_secs_f64() * 1e6);
                }
            }
            let [apart, together, packed] = best;
            let ratios = (together / apart, packed / apart);
            println!("{:36} {threads}: {apart:9.1} µs, in one step {:.3}, packed {:.3}", case.name, ratios.0, ratios.1);
        }
    }
}
