//! Random programs: donation changes no result, and damage ends in an error or a run.

use crate::executable::{BoundProgram, CpuFrame};
use crate::programs::{F32, Vectors, accumulate, add, asserting};
use crate::tests::{bind, device, read, run, upload};
use crate::{DONATE, Device};
use millrace_program::testing::{RegionBuilder, Rng, TestInstr, TestStore};
use millrace_program::{Code, Op, Program, Step};
use std::sync::Arc;

/// Random elementwise programs with several stores a loop, some of them reductions.
fn random_program(rng: &mut Rng, params: usize) -> (Vec<u8>, usize) {
    let it = Vectors::new();
    let dims = [it.n];
    let mut main = RegionBuilder::new();
    let mut known: Vec<u32> = (0..params).map(|_| main.param(F32, &dims)).collect();
    let mut scalars = Vec::new();
    for _ in 0..1 + rng.below(5) {
        let ins: Vec<u32> = (0..1 + rng.below(4)).map(|_| known[rng.below(known.len())]).collect();
        let operands: Vec<[u32; 2]> =
            (0..1 + rng.below(5)).map(|k| [rng.below(ins.len() + k) as u32, rng.below(ins.len() + k) as u32]).collect();
        let ops = [Op::Add, Op::Sub, Op::Max, Op::Min];
        let instrs: Vec<TestInstr> = operands.iter().map(|args| (ops[rng.below(4)], F32, &args[..], 0)).collect();
        let outs: Vec<(u32, u32)> = (0..1 + rng.below(3))
            .map(|_| (main.slot(F32, &dims), rng.below(ins.len() + instrs.len()) as u32))
            .collect();
        let mut stores: Vec<TestStore> = outs.iter().map(|&(slot, value)| (slot, value, None, 0)).collect();
        if rng.below(2) == 0 {
            let (scalar, op) = (main.slot(F32, &[]), [Op::ReduceSum, Op::ReduceMax][rng.below(2)]);
            stores.push((scalar, rng.below(ins.len() + instrs.len()) as u32, Some(op), 1));
            scalars.push(scalar);
        }
        let strides = [it.one];
        let loads: Vec<_> = ins.iter().map(|&slot| (slot, it.zero, &strides[..])).collect();
        main.fused(&[it.n], &loads, &instrs, &stores);
        known.extend(outs.iter().map(|out| out.0));
    }
    let mut results: Vec<u32> = (0..1 + rng.below(4)).map(|_| known[rng.below(known.len())]).collect();
    results.extend(scalars);
    (it.builder.finish(&main.finish(&results)), results.len())
}

#[test]
fn neither_donation_nor_the_queue_changes_a_result() {
    let mut rng = Rng::new(5);
    let mut device = device();
    let endless = bind(&mut device, &accumulate(f32::INFINITY), &[4]);
    let zeros = upload(&mut device, &[0.0; 4]);
    for _ in 0..400 {
        let params = 1 + rng.below(4);
        let (bytes, _) = random_program(&mut rng, params);
        for n in [1_usize, 16, 37, 5000] {
            let bound = bind(&mut device, &bytes, &[n as i64]);
            let values: Vec<Vec<f32>> =
                (0..params).map(|_| (0..n).map(|_| (rng.below(2000) as f32 - 1000.0) / 64.0).collect()).collect();
            let args: Vec<i32> = values.iter().map(|values| upload(&mut device, values)).collect();
            let plain = run(&mut device, bound, &args);
            let donated: Vec<i32> = values
                .iter()
                .map(|values| upload(&mut device, values) | if rng.below(4) > 0 { DONATE } else { 0 })
                .collect();
            // What runs behind this is queued.
            let before = if rng.below(4) == 0 { run(&mut device, endless, &[zeros, zeros]) } else { vec![] };
            let in_place = run(&mut device, bound, &donated);
            if let Some(&handle) = before.first() {
                assert!(device.stats().queued >= 2);
                assert_eq!(device.cancel(handle, ""), Ok(true));
            }
            for (&plain, &in_place) in plain.iter().zip(&in_place) {
                assert_eq!(read(&mut device, plain), read(&mut device, in_place), "n {n}");
            }
            for (arg, values) in args.iter().zip(&values) {
                assert_eq!(read(&mut device, *arg), *values, "arguments stay");
            }
            let donated = donated.into_iter().map(|arg| arg & !DONATE);
            for handle in args.into_iter().chain(plain).chain(in_place).chain(donated).chain(before) {
                device.free(handle).unwrap();
            }
            device.release_bound(bound).unwrap();
        }
    }
    // What was cancelled, where its handles still lived.
    assert!(device.sync().is_err_and(|error| error.code == Code::Aborted) || !device.take_messages().1.is_empty());
    assert_eq!(device.stats().memory.live, 16);
}

#[test]
fn what_a_cancelled_program_renews_is_what_it_was() {
    let mut rng = Rng::new(11);
    let mut device = device();
    let endless = bind(&mut device, &accumulate(f32::INFINITY), &[4]);
    let zeros = upload(&mut device, &[0.0; 4]);
    let mut crosswise = 0;
    for _ in 0..1000 {
        let params = 1 + rng.below(4);
        let (bytes, _) = random_program(&mut rng, params);
        let bound = bind(&mut device, &bytes, &[37]);
        let results = device.signature(bound).unwrap().1;
        let vectors: Vec<usize> = (0..results.len()).filter(|&i| results[i].bytes() == 4 * 37).collect();
        // Distinct results in the places of distinct arguments.
        let mut free: Vec<usize> = (0..params).collect();
        let mut renewed: Vec<(usize, usize)> = Vec::new();
        for result in vectors {
            if !free.is_empty() && rng.below(4) > 0 {
                renewed.push((free.swap_remove(rng.below(free.len())), result));
            }
        }
        let values: Vec<Vec<f32>> =
            (0..params).map(|_| (0..37).map(|_| (rng.below(2000) as f32 - 1000.0) / 64.0).collect()).collect();
        // Two steps, the second on what the first leaves.
        let steps = |device: &mut Device, donate: i32| {
            let mut args: Vec<i32> = values.iter().map(|values| upload(device, values)).collect();
            let mut all = args.clone();
            let mut made = Vec::new();
            for _ in 0..2 {
                let mut given = args.clone();
                renewed.iter().for_each(|&(param, _)| given[param] |= donate);
                made.clear();
                device.run_renewing(bound, &given, &renewed, &mut made).unwrap();
                renewed.iter().for_each(|&(param, result)| args[param] = made[result]);
                all.extend(&made);
            }
            (args, made, all)
        };
        let (plain, _, plain_all) = steps(&mut device, 0);
        let blocked = run(&mut device, endless, &[zeros, zeros]);
        let before = device.stats().memory.live;
        let (args, made, all) = steps(&mut device, DONATE);
        crosswise += usize::from(device.stats().memory.live < before + 4 * 37 * all.len());
        let is_cancelled = rng.below(2) == 0;
        if is_cancelled {
            device.cancel_all("");
        } else {
            device.cancel(blocked[0], "").unwrap();
        }
        for (param, &arg) in args.iter().enumerate() {
            let want = if is_cancelled { values[param].clone() } else { read(&mut device, plain[param]) };
            assert_eq!(read(&mut device, arg), want, "argument {param} of {renewed:?}");
        }
        for (i, &handle) in made.iter().enumerate() {
            let is_renewed = renewed.iter().any(|it| it.1 == i);
            if is_cancelled && !is_renewed && !args.contains(&handle) && device.read(handle).is_ok() {
                // An argument passed through.
                let bytes: Vec<f32> = read(&mut device, handle);
                assert!(values.contains(&bytes), "result {i} of {renewed:?}");
            }
        }
        for handle in all.into_iter().chain(plain_all).chain(blocked) {
            device.free(handle).unwrap();
        }
        device.release_bound(bound).unwrap();
        let _ = (device.sync(), device.take_messages());
        assert_eq!(device.stats().memory.live, 16);
    }
    assert!(crosswise > 500, "{crosswise} took storage over");
}

/// The dearest kernel of a frame, in ns.
fn dearest(frame: &CpuFrame) -> f64 {
    let costs = frame.steps.iter().map(|step| match step {
        Step::Kernel { plan, .. } => plan.cost_ns(),
        Step::Cond { branches: frames, .. } | Step::While { frames, .. } => {
            dearest(&frames[0]).max(dearest(&frames[1]))
        }
        Step::WhileBack { frames, .. } => frames.iter().map(dearest).fold(0.0, f64::max),
        Step::Call { frame, .. } => dearest(frame),
        Step::Print { .. } | Step::Assert { .. } => 0.0,
    });
    costs.fold(0.0, f64::max)
}

/// How often: MILLRACE_FUZZ, or 20,000 times.
#[test]
fn damaged_programs_run_on_real_kernels() {
    let count: u64 = std::env::var("MILLRACE_FUZZ").ok().and_then(|text| text.parse().ok()).unwrap_or(20_000);
    let mut rng = Rng::new(3);
    let mut samples = vec![add(), accumulate(100.0), asserting()];
    samples.extend((0..20).map(|_| random_program(&mut rng, 3).0));
    let (mut ran, mut failed) = (0, 0);
    for _ in 0..count {
        let mut bytes = samples[rng.below(samples.len())].clone();
        for _ in 0..1 + rng.below(2) {
            let word = rng.below(bytes.len() / 4) * 4;
            let value = [rng.draw() as u32, 0, 1, 2, 3, 16, u32::MAX][rng.below(7)];
            bytes[word..word + 4].copy_from_slice(&value.to_le_bytes());
        }
        let Ok(program) = Program::decode(&bytes) else { continue };
        let Ok(it) = BoundProgram::new(&Arc::new(program), 0, &[5]) else { continue };
        let sizes = it.params.iter().chain(&it.results).fold(it.bound.main.arena, |sum, &n| sum.saturating_add(n));
        if sizes > 1 << 20 || dearest(&it.bound.main) > 1e6 {
            continue;
        }
        let mut device = device();
        let bound = bind(&mut device, &bytes, &[5]);
        let args: Vec<i32> = it.params.iter().map(|&n| device.upload(&vec![1; n]).unwrap() | DONATE).collect();
        let mut results = Vec::new();
        let done = device.run(bound, &args, &mut results);
        // Loops may have lost their end.
        device.cancel_all("");
        let read = results.iter().all(|&result| device.read(result).is_ok());
        if done.is_ok() && read { ran += 1 } else { failed += 1 }
    }
    assert!(ran > count / 20, "{ran} ran, {failed} failed");
}
