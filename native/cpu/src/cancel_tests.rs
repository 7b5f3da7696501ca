//! Programs that are cancelled or fail in the queue: what their results are, and what arguments' successors keep.

use crate::cancel::Awaited;
use crate::programs::{F32, Vectors, accumulate, add, asserting};
use crate::tests::{bind, device, read, run, upload};
use crate::{DONATE, Device};
use millrace_program::testing::RegionBuilder;
use millrace_program::{Code, Op};
use std::cell::Cell;
use std::rc::Rc;

fn renew(device: &mut Device, bound: i32, args: &[i32], renewed: &[(usize, usize)]) -> Vec<i32> {
    let mut results = Vec::new();
    device.run_renewing(bound, args, renewed, &mut results).unwrap();
    results
}

/// Its handle, and that of the zeros that it waits with.
fn endless(device: &mut Device) -> i32 {
    let bound = bind(device, &accumulate(f32::INFINITY), &[4]);
    let zeros = upload(device, &[0.0; 4]);
    run(device, bound, &[zeros, zeros])[0]
}

#[test]
fn a_cancelled_step_leaves_what_it_renews() {
    let mut device = device();
    let bound = bind(&mut device, &accumulate(f32::INFINITY), &[4]);
    let (weights, zeros) = (upload(&mut device, &[3.0; 4]), upload(&mut device, &[0.0; 4]));
    // Three steps, each on what the one before leaves; the first never ends.
    let mut last = weights;
    let mut others = Vec::new();
    for _ in 0..3 {
        let results = renew(&mut device, bound, &[last | DONATE, zeros], &[(0, 0)]);
        device.free(last).unwrap();
        last = results[0];
        others.push(results[1]);
    }
    let dependent = run(&mut device, bound, &[last, zeros])[0];
    assert_eq!(device.stats().queued, 4);
    device.cancel_all("enough");
    assert_eq!(read(&mut device, last), [3.0; 4]);
    let error = device.read(dependent).unwrap_err();
    assert_eq!((error.code, error.message.as_str()), (Code::Aborted, "the program was cancelled: enough"));
    assert!(others.iter().all(|&handle| device.read(handle).is_err()));
    assert_eq!(device.sync(), Ok(()), "who cancelled knows");
    // It goes on from there.
    let sum = bind(&mut device, &add(), &[4]);
    let next = renew(&mut device, sum, &[last | DONATE, zeros], &[(0, 0)])[0];
    assert_eq!(read(&mut device, next), [3.0; 4]);
}

#[test]
fn storage_that_was_taken_over_is_as_it_was_unless_it_was_written() {
    let mut device = device();
    let sum = bind(&mut device, &add(), &[4]);
    let blocked = endless(&mut device);
    let (weights, ones) = (upload(&mut device, &[3.0; 4]), upload(&mut device, &[1.0; 4]));
    let before = device.stats().memory.live;
    let first = renew(&mut device, sum, &[weights | DONATE, ones], &[(0, 0)])[0];
    let second = renew(&mut device, sum, &[first | DONATE, ones], &[(0, 0)])[0];
    assert_eq!(device.stats().memory.live, before, "in place");
    assert!(device.cancel(second, "").unwrap());
    assert!(device.cancel(blocked, "").unwrap());
    assert_eq!(device.read(second).unwrap_err().code, Code::Aborted, "nobody was told");
    assert_eq!(read(&mut device, second), [4.0; 4], "the first step ran");
}

#[test]
fn what_was_taken_over_crosswise_comes_back() {
    // (x, y, z) → x - x, y - y, z - z, each in the place of any: storages are taken in whatever order.
    let it = Vectors::new();
    let mut main = RegionBuilder::new();
    let params: Vec<u32> = (0..3).map(|_| main.param(F32, &[it.n])).collect();
    let made: Vec<u32> = params.iter().map(|&x| it.binary(&mut main, Op::Sub, x, x)).collect();
    let bytes = it.builder.finish(&main.finish(&made));
    let mut device = device();
    let bound = bind(&mut device, &bytes, &[4]);
    for order in [[0, 1, 2], [1, 2, 0], [2, 1, 0], [0, 2, 1]] {
        let blocked = endless(&mut device);
        let args: Vec<i32> = (1..4).map(|i| upload(&mut device, &[i as f32; 4]) | DONATE).collect();
        let renewed: Vec<(usize, usize)> = order.iter().enumerate().map(|(param, &result)| (param, result)).collect();
        let before = device.stats().memory.live;
        let results = renew(&mut device, bound, &args, &renewed);
        assert_eq!(device.stats().memory.live, before, "in place");
        device.cancel_all("");
        for (param, result) in renewed {
            assert_eq!(read(&mut device, results[result]), [param as f32 + 1.0; 4], "{order:?}");
        }
        assert!(device.read(blocked).is_err());
    }
}

#[test]
fn a_failure_is_told_once_and_then_the_value_is_there() {
    let mut device = device();
    let bound = bind(&mut device, &asserting(), &[4]);
    let bad = upload(&mut device, &[5.0; 4]);
    let kept = renew(&mut device, bound, &[bad | DONATE], &[(0, 0)])[0];
    assert_eq!(device.read(kept).unwrap_err().code, Code::Argument);
    assert_eq!(read(&mut device, kept), [5.0; 4]);
    let unread = renew(&mut device, bound, &[bad | DONATE], &[(0, 0)])[0];
    device.free(unread).unwrap();
    while device.stats().queued > 0 {
        std::thread::yield_now();
    }
    assert_eq!(device.take_messages().1.len(), 1);
}

#[test]
fn a_result_that_is_also_a_renewed_one_fails_all_the_same() {
    // (x, y) → x + y, x + y, x: the first and the last two take the places of y and x.
    let it = Vectors::new();
    let mut main = RegionBuilder::new();
    let (x, y) = (main.param(F32, &[it.n]), main.param(F32, &[it.n]));
    let sum = it.binary(&mut main, Op::Add, x, y);
    let bytes = it.builder.finish(&main.finish(&[sum, sum, x]));
    let mut device = device();
    let bound = bind(&mut device, &bytes, &[4]);
    let (x, y) = (upload(&mut device, &[1.0; 4]), upload(&mut device, &[2.0; 4]));
    for cancelled in [false, true] {
        let blocked = endless(&mut device);
        let results = renew(&mut device, bound, &[x, y], &[(0, 0), (1, 2)]);
        if cancelled {
            device.cancel_all("");
        } else {
            device.cancel(blocked, "").unwrap();
        }
        let values: Vec<_> = results.iter().map(|&handle| device.read(handle).map(|bytes| bytes[3])).collect();
        let byte = |value: f32| Ok(value.to_le_bytes()[3]);
        if cancelled {
            assert_eq!((&values[0], &values[2]), (&byte(1.0), &byte(2.0)));
            assert_eq!(values[1].as_ref().unwrap_err().code, Code::Aborted);
        } else {
            assert_eq!(values, [byte(3.0), byte(3.0), byte(1.0)]);
        }
    }
    let wrong = |device: &mut Device, renewed| device.run_renewing(bound, &[x, y], &[renewed], &mut Vec::new());
    for renewed in [(2, 0), (0, 3), (usize::MAX, 0)] {
        assert_eq!(wrong(&mut device, renewed).unwrap_err().code, Code::Argument);
    }
}

#[test]
fn what_somebody_else_needs_is_not_abandoned() {
    let mut device = device();
    let sum = bind(&mut device, &add(), &[4]);
    let slow = endless(&mut device);
    let ones = upload(&mut device, &[1.0; 4]);
    let needs = device.run_small(sum, [slow, ones]).unwrap();
    let apart = device.run_small(sum, [ones, ones]).unwrap();
    let [slow, needs, apart] = [slow, needs, apart].map(|handle| device.hold(handle).unwrap());
    let ticket = device.last_ticket();
    let cancelled = |device: &Device| device.pending.iter().filter(|it| it.cancel.poll().is_err()).count();
    for awaited in [&[Awaited::Bytes(slow)][..], &[Awaited::Bytes(needs)], &[Awaited::Queue(ticket)]] {
        device.abandon(Awaited::Bytes(slow), "left", awaited);
        assert_eq!(cancelled(&device), 0, "{awaited:?}");
    }
    // The last that needed it leaves too.
    device.abandon(Awaited::Queue(ticket), "left as well", &[Awaited::Bytes(apart), Awaited::Queue(0)]);
    device.wait_all();
    assert!(device.bytes(slow).unwrap_err().message.ends_with("left"));
    assert!(device.bytes(needs).is_err());
    assert!(device.bytes(apart).is_ok());
    device.abandon(Awaited::Bytes(slow), "it has ended", &[]);
    assert_eq!(device.late_error(), Ok(()));
}

#[test]
fn a_thread_that_ends_does_not_wait() {
    let mut device = device();
    let asked = Rc::new(Cell::new(0));
    let count = asked.clone();
    device.on_wait(Box::new(move || {
        count.set(count.get() + 1);
        count.get() == 2
    }));
    let slow = endless(&mut device);
    assert_eq!(device.read(slow).unwrap_err().code, Code::Aborted);
    assert_eq!(asked.get(), 2);
}

#[test]
fn a_late_error_has_the_name_of_the_call_that_failed_first() {
    let mut device = device();
    let (failing, adding) = (bind(&mut device, &asserting(), &[4]), bind(&mut device, &add(), &[4]));
    let waiting = endless(&mut device);
    device.name_call(1);
    let x = upload(&mut device, &[3.0; 4]);
    let failed = run(&mut device, failing, &[x])[0];
    assert!(device.wants_name());
    device.name_call(2);
    let dependent = run(&mut device, adding, &[failed, x])[0];
    // It cannot fail by itself.
    assert!(!device.wants_name());
    device.name_call(3);
    device.cancel(waiting, "").unwrap();
    let calls = [waiting, failed, dependent].map(|handle| device.read(handle).map(drop).unwrap_err().call);
    assert_eq!(calls, [1, 2, 2]);
    assert_eq!(device.stats().queued, 0);
    assert_eq!(run(&mut device, adding, &[x, x]).len(), 1);
    assert!(!device.wants_name() && !device.is_long(adding).unwrap() && device.is_long(failing).unwrap());
}
