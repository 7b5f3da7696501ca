//! What one small program costs: `cargo run --profile dev-fast -p millrace-cpu --features testing --example small [name]`.

use millrace_cpu::Device;
use millrace_program::testing::{Builder, RegionBuilder};
use millrace_program::{DType, Op};
use std::time::Instant;

/// The best of several rounds, in ns a call; `slots` are those that it binds.
fn best(name: &str, calls: u32, call: impl FnMut()) {
    best_of_slots(name, calls, 0, call);
}

fn best_of_slots(name: &str, calls: u32, slots: usize, mut call: impl FnMut()) {
    if !std::env::args().nth(1).is_none_or(|only| name.contains(&only)) {
        return;
    }
    let mut best = f64::INFINITY;
    for _ in 0..9 {
        let start = Instant::now();
        (0..calls).for_each(|_| call());
        best = best.min(start.elapsed().as_nanos() as f64 / f64::from(calls));
    }
    let each = if slots == 0 { String::new() } else { format!(", {:.0} ns a slot", best / slots as f64) };
    println!("{name:40} {best:8.1} ns{each}");
}

/// A chain of `count` loops, each reading the results of the last two.
fn chain(count: usize) -> Vec<u8> {
    let mut builder = Builder::new();
    let (zero, one, n) = (builder.size(0), builder.size(1), builder.size(8));
    let mut main = RegionBuilder::new();
    let mut last = [main.param(DType::Float32, &[n]), main.param(DType::Float32, &[n])];
    for _ in 0..count {
        let out = main.slot(DType::Float32, &[n]);
        let loads = [(last[0], zero, &[one][..]), (last[1], zero, &[one][..])];
        main.fused(&[n], &loads, &[(Op::Add, DType::Float32, &[0, 1], 0)], &[(out, 2, None, 0)]);
        last = [last[1], out];
    }
    builder.finish(&main.finish(&[last[1]]))
}

fn main() {
    let mut builder = Builder::new();
    let (zero, one, n) = (builder.size(0), builder.size(1), builder.size(8));
    let mut main = RegionBuilder::new();
    let (a, b) = (main.param(DType::Float32, &[n]), main.param(DType::Float32, &[n]));
    let sum = main.slot(DType::Float32, &[n]);
    let loads = [(a, zero, &[one][..]), (b, zero, &[one][..])];
    main.fused(&[n], &loads, &[(Op::Add, DType::Float32, &[0, 1], 0)], &[(sum, 2, None, 0)]);
    let mut device = Device::new(usize::MAX);
    let executable = device.compile(&builder.finish(&main.finish(&[sum]))).unwrap();
    let bound = device.bind(executable, &[]).unwrap();
    let (a, b) = (device.upload(&[1; 32]).unwrap(), device.upload(&[2; 32]).unwrap());
    best("upload of 32 bytes, free", 200_000, || {
        let x = device.upload(&[1; 32]).unwrap();
        device.free(x).unwrap();
    });
    best("run_small of add [8], free", 200_000, || {
        let sum = device.run_small(bound, [a, b]).unwrap();
        device.free(sum).unwrap();
    });
    let mut results = Vec::new();
    best("run of add [8], free", 200_000, || {
        results.clear();
        device.run(bound, &[a, b], &mut results).unwrap();
        device.free(results[0]).unwrap();
    });
    best("bind", 200_000, || {
        let bound = device.bind(executable, &[]).unwrap();
        device.release_bound(bound).unwrap();
    });
    for count in [100, 1000, 5000] {
        let executable = device.compile(&chain(count)).unwrap();
        best_of_slots(&format!("bind of {count} loops, once"), 1, count + 2, || {
            let bound = device.bind(executable, &[]).unwrap();
            device.release_bound(bound).unwrap();
        });
    }
}
