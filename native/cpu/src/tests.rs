//! Devices on small programs: sharing, donation, the queue, late errors, control flow.

use crate::programs::{F32, Vectors, accumulate, add, asserting};
use crate::{DONATE, Device};
use millrace_program::testing::{Builder, RegionBuilder, attr};
use millrace_program::{Code, DType, Op};

pub fn device() -> Device {
    Device::new(usize::MAX)
}

pub fn upload(device: &mut Device, values: &[f32]) -> i32 {
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    device.upload(&bytes).unwrap()
}

pub fn read(device: &mut Device, handle: i32) -> Vec<f32> {
    let bytes = device.read(handle).unwrap();
    bytes.chunks(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
}

pub fn run(device: &mut Device, bound: i32, args: &[i32]) -> Vec<i32> {
    let mut results = Vec::new();
    device.run(bound, args, &mut results).unwrap();
    results
}

pub fn bind(device: &mut Device, bytes: &[u8], sizes: &[i64]) -> i32 {
    let executable = device.compile(bytes).unwrap();
    let bound = device.bind(executable, sizes).unwrap();
    device.release_executable(executable).unwrap();
    bound
}

#[test]
fn adds_directly_and_by_the_general_way() {
    let mut device = device();
    for n in [0, 1, 8, 1000] {
        let bound = bind(&mut device, &add(), &[n as i64]);
        let values: Vec<f32> = (0..n).map(|i| i as f32).collect();
        let (a, b) = (upload(&mut device, &values), upload(&mut device, &vec![0.5; n]));
        let want: Vec<f32> = values.iter().map(|value| value + 0.5).collect();
        let direct = device.run_small(bound, [a, b]).unwrap();
        let general = run(&mut device, bound, &[a, b])[0];
        assert_eq!(read(&mut device, direct), want);
        assert_eq!(read(&mut device, general), want);
        for handle in [a, b, direct, general] {
            device.free(handle).unwrap();
        }
        device.release_bound(bound).unwrap();
    }
    let stats = device.stats();
    assert_eq!((stats.memory.live, stats.tensors, stats.bounds, stats.executables), (0, 0, 0, 0));
    assert_eq!(stats.kernels, 8);
}

#[test]
fn wrong_arguments_are_refused_and_cost_nothing() {
    let mut device = device();
    let bound = bind(&mut device, &add(), &[4]);
    let (a, short) = (upload(&mut device, &[1.0; 4]), upload(&mut device, &[1.0; 3]));
    let before = device.stats().memory.live;
    let mut code = |args: &[i32]| device.run(bound, args, &mut Vec::new()).unwrap_err().code;
    assert_eq!(code(&[a, short]), Code::Shape);
    assert_eq!(code(&[a]), Code::Argument);
    assert_eq!(code(&[a, 12345]), Code::Disposed);
    assert_eq!(code(&[a, -1]), Code::Disposed);
    assert_eq!(device.run_small(bound, [a, short]).unwrap_err().code, Code::Shape);
    assert_eq!(device.run_small(bound, [a]).unwrap_err().code, Code::Argument);
    assert_eq!(device.run_small(999, [a]).unwrap_err().code, Code::Disposed);
    assert_eq!(device.stats().memory.live, before);
    device.free(a).unwrap();
    assert_eq!(device.free(a).unwrap_err().code, Code::Disposed);
    assert_eq!(device.read(a).unwrap_err().code, Code::Disposed);
}

#[test]
fn donated_storage_is_reused_when_nobody_else_sees_it() {
    let mut device = device();
    let bound = bind(&mut device, &add(), &[4]);
    let (a, b) = (upload(&mut device, &[1.0; 4]), upload(&mut device, &[2.0; 4]));
    let sum = run(&mut device, bound, &[a | DONATE, b])[0];
    assert_eq!(device.stats().memory.live, 32, "in place");
    assert_eq!(read(&mut device, sum), [3.0; 4]);
    assert_eq!(device.read(a).unwrap_err().code, Code::Disposed);
    assert_eq!(device.run_small(bound, [a, b]).unwrap_err().code, Code::Disposed);
    device.free(a).unwrap();
    let held = device.hold(sum).unwrap();
    let again = run(&mut device, bound, &[sum | DONATE, b])[0];
    assert_eq!(device.stats().memory.live, 48, "a read holds the storage, so it is copied");
    assert_eq!(device.bytes(held).unwrap()[..4], 3_f32.to_le_bytes());
    device.let_go(held);
    let twice = run(&mut device, bound, &[again | DONATE, again | DONATE])[0];
    assert_eq!(read(&mut device, twice), [10.0; 4]);
    assert_eq!(read(&mut device, again), [5.0; 4], "an argument used twice is copied");
    for handle in [b, sum, again, twice] {
        device.free(handle).unwrap();
    }
    assert_eq!(device.stats().memory.live, 0);
}

#[test]
fn results_that_are_parameters_or_each_other_share_storage() {
    let it = Vectors::new();
    let mut builder = it.builder;
    let constant = builder.constant(&1.5_f32.to_le_bytes());
    let mut main = RegionBuilder::new();
    let x = main.param(F32, &[it.n]);
    let (y, view, c) = (main.slot(F32, &[it.n]), main.slot(F32, &[it.one, it.n]), main.slot(F32, &[]));
    main.fused(&[it.n], &[(x, it.zero, &[it.one])], &[(Op::Neg, F32, &[0], 0)], &[(y, 1, None, 0)]);
    main.alias(y, view);
    main.constant(c, constant);
    let bytes = builder.finish(&main.finish(&[x, y, view, c]));
    let mut device = device();
    let bound = bind(&mut device, &bytes, &[3]);
    let x = upload(&mut device, &[1.0, 2.0, 3.0]);
    let results = run(&mut device, bound, &[x]);
    assert_eq!(device.stats().memory.storages, 3);
    assert_eq!(read(&mut device, results[0]), [1.0, 2.0, 3.0]);
    assert_eq!(read(&mut device, results[1]), [-1.0, -2.0, -3.0]);
    assert_eq!(read(&mut device, results[2]), [-1.0, -2.0, -3.0]);
    assert_eq!(read(&mut device, results[3]), [1.5]);
    for handle in results.into_iter().chain([x]) {
        device.free(handle).unwrap();
    }
    assert_eq!(device.stats().memory.live, 0);
}

#[test]
fn a_loop_is_queued_and_its_results_are_inputs_at_once() {
    let mut device = device();
    let accumulate = bind(&mut device, &accumulate(1000.0), &[4]);
    let add = bind(&mut device, &add(), &[4]);
    let (x, y) = (upload(&mut device, &[0.0; 4]), upload(&mut device, &[1.0; 4]));
    let results = run(&mut device, accumulate, &[x, y]);
    let sum = device.run_small(add, [results[0], y]).unwrap();
    for handle in [x, y] {
        device.free(handle).unwrap();
    }
    assert_eq!(read(&mut device, sum), [251.0; 4]);
    assert_eq!(read(&mut device, results[0]), [250.0; 4]);
    assert_eq!(read(&mut device, results[1]), [1.0; 4]);
    for handle in results.into_iter().chain([sum]) {
        device.free(handle).unwrap();
    }
    assert_eq!(device.stats().memory.live, 0);
    assert_eq!(device.sync(), Ok(()));
}

#[test]
fn a_loop_without_trips_and_with_an_odd_number_of_them() {
    let mut device = device();
    for (limit, trips) in [(-1.0, 0.0), (0.5, 1.0), (4.5, 2.0), (8.5, 3.0)] {
        let bound = bind(&mut device, &accumulate(limit), &[4]);
        let (x, y) = (upload(&mut device, &[0.0; 4]), upload(&mut device, &[1.0; 4]));
        let results = run(&mut device, bound, &[x, y]);
        assert_eq!(read(&mut device, results[0]), [trips; 4], "limit {limit}");
    }
}

#[test]
fn a_long_queue_makes_the_caller_wait() {
    let mut device = device();
    let bound = bind(&mut device, &accumulate(4000.0), &[4]);
    let y = upload(&mut device, &[1.0; 4]);
    for _ in 0..100 {
        let x = upload(&mut device, &[0.0; 4]);
        let results = run(&mut device, bound, &[x, y]);
        assert!(device.stats().queued <= 32);
        for handle in results.into_iter().chain([x]) {
            device.free(handle).unwrap();
        }
    }
    device.sync().unwrap();
    assert_eq!(device.stats().memory.storages, 1);
}

#[test]
fn a_late_error_poisons_what_depends_on_it() {
    let mut device = device();
    let bound = bind(&mut device, &asserting(), &[4]);
    let add = bind(&mut device, &add(), &[4]);
    let (good, bad) = (upload(&mut device, &[1.0; 4]), upload(&mut device, &[5.0; 4]));
    let fine = run(&mut device, bound, &[good])[0];
    let poisoned = run(&mut device, bound, &[bad])[0];
    let dependent = device.run(add, &[poisoned, good], &mut Vec::new());
    assert_eq!(read(&mut device, fine), [1e7; 4]);
    let error = device.read(poisoned).unwrap_err();
    assert_eq!(error.code, Code::Argument);
    assert!(error.message.contains("small"), "{error}");
    // Refused at once where the failure is known already, else late.
    drop(dependent);
    assert_eq!(device.run_small(add, [poisoned, good]).unwrap_err(), error);
    assert_eq!(read(&mut device, bad), [5.0; 4]);
}

#[test]
fn sync_throws_once_and_an_unread_error_is_lost_with_its_last_handle() {
    let mut device = device();
    let bound = bind(&mut device, &asserting(), &[4]);
    let bad = upload(&mut device, &[5.0; 4]);
    let first = run(&mut device, bound, &[bad])[0];
    assert_eq!(device.sync().unwrap_err().code, Code::Argument);
    assert_eq!(device.sync(), Ok(()));
    device.free(first).unwrap();
    assert!(device.take_messages().1.is_empty(), "it was seen");
    let second = run(&mut device, bound, &[bad])[0];
    device.free(second).unwrap();
    while device.stats().queued > 0 {
        std::thread::yield_now();
    }
    assert_eq!(device.take_messages().1.len(), 1);
}

#[test]
fn an_endless_loop_is_cancelled_and_does_not_stop_a_device_from_closing() {
    let mut device = device();
    let bound = bind(&mut device, &accumulate(f32::INFINITY), &[4]);
    let (x, zero) = (upload(&mut device, &[0.0; 4]), upload(&mut device, &[0.0; 4]));
    let endless = run(&mut device, bound, &[x, zero])[0];
    let after = run(&mut device, bound, &[endless, zero])[0];
    assert_eq!(device.cancel(endless, ""), Ok(true));
    assert_eq!(device.read(endless).unwrap_err().code, Code::Aborted);
    assert_eq!(device.read(after).unwrap_err().code, Code::Aborted);
    assert_eq!(device.cancel(x, ""), Ok(false));
    run(&mut device, bound, &[x, zero]);
}

#[test]
fn a_memory_limit_is_an_error_that_changes_nothing() {
    let mut device = Device::new(1 << 16);
    let bound = bind(&mut device, &add(), &[4096]);
    let (a, b) = (upload(&mut device, &[1.0; 4096]), upload(&mut device, &[2.0; 4096]));
    let sum = run(&mut device, bound, &[a, b])[0];
    let full = run(&mut device, bound, &[a, b])[0];
    assert_eq!(device.run(bound, &[a, b], &mut Vec::new()).unwrap_err().code, Code::Memory);
    assert_eq!(device.run_small(bound, [a, b]).unwrap_err().code, Code::Memory);
    assert_eq!(device.stats().tensors, 4);
    device.free(full).unwrap();
    let again = device.run_small(bound, [sum, b]).unwrap();
    assert_eq!(read(&mut device, again)[4095], 5.0);
}

#[test]
fn branches_and_calls_compute_in_their_own_places() {
    let it = Vectors::new();
    let dims = [it.n];
    let region = |op: Op| {
        let mut region = RegionBuilder::new();
        let (a, b) = (region.param(F32, &dims), region.param(F32, &dims));
        let first = it.binary(&mut region, op, a, b);
        let second = it.binary(&mut region, op, first, b);
        region.finish(&[second, a])
    };
    let mut main = RegionBuilder::new();
    let (a, b) = (main.param(F32, &dims), main.param(F32, &dims));
    let below = it.sum_below(&mut main, a, 10.0);
    let outs: Vec<u32> = (0..4).map(|_| main.slot(F32, &dims)).collect();
    main.library(Op::Cond, &[below, a, b], &outs[..2], &[], &[region(Op::Add), region(Op::Mul)]);
    main.library(Op::Call, &[outs[0], outs[1]], &outs[2..], &[], &[region(Op::Sub)]);
    let bytes = it.builder.finish(&main.finish(&outs));
    let mut device = device();
    let bound = bind(&mut device, &bytes, &[2]);
    let b = upload(&mut device, &[3.0, 4.0]);
    for (a, want) in [([1.0, 2.0], [7.0, 10.0]), ([10.0, 20.0], [90.0, 320.0])] {
        let arg = upload(&mut device, &a);
        let results = run(&mut device, bound, &[arg, b]);
        assert_eq!(read(&mut device, results[0]), want);
        assert_eq!(read(&mut device, results[1]), a);
        assert_eq!(read(&mut device, results[2]), [want[0] - 2.0 * a[0], want[1] - 2.0 * a[1]]);
        assert_eq!(read(&mut device, results[3]), want);
    }
}

#[test]
fn print_is_heard_and_assert_stops() {
    let it = Vectors::new();
    let dims = [it.n];
    let mut main = RegionBuilder::new();
    let x = main.param(F32, &dims);
    let below = it.sum_below(&mut main, x, 10.0);
    let (printed, checked) = (main.slot(F32, &dims), main.slot(F32, &dims));
    main.library(Op::Print, &[x], &[printed], &[("message", attr::string("x is"))], &[]);
    main.library(Op::Assert, &[below, printed], &[checked], &[("message", attr::string("small"))], &[]);
    let bytes = it.builder.finish(&main.finish(&[checked]));
    let mut device = device();
    let bound = bind(&mut device, &bytes, &[2]);
    let x = upload(&mut device, &[1.0, 2.0]);
    let result = run(&mut device, bound, &[x])[0];
    assert_eq!(read(&mut device, result), [1.0, 2.0]);
    let (printed, _) = device.take_messages();
    assert_eq!((printed[0].message.as_str(), printed[0].bytes.len()), ("x is", 8));
    let big = upload(&mut device, &[100.0, 2.0]);
    let error = device.run(bound, &[big | DONATE], &mut Vec::new()).unwrap_err();
    assert_eq!(error.code, Code::Argument);
    assert_eq!(read(&mut device, big), [100.0, 2.0], "a failing program leaves its arguments");
}

#[test]
fn a_program_without_symbols_or_records_runs() {
    let mut main = RegionBuilder::new();
    let x = main.param(DType::Int64, &[]);
    let bytes = Builder::new().finish(&main.finish(&[x]));
    let mut device = device();
    let bound = bind(&mut device, &bytes, &[]);
    let x = device.upload(&7_i64.to_le_bytes()).unwrap();
    let y = device.run_small(bound, [x]).unwrap();
    device.free(x).unwrap();
    assert_eq!(device.read(y).unwrap(), 7_i64.to_le_bytes());
    assert_eq!(device.compile(&[]).unwrap_err().code, Code::Format);
}
