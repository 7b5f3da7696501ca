//! Packed weights: when they are made, when they are forgotten, and that they change no bit.

use crate::programs::F32;
use crate::tests::{bind, device, read, run, upload};
use crate::{DONATE, Device};
use millrace_program::Op;
use millrace_program::testing::{Builder, RegionBuilder, attr};

/// (x [m, k], w [k, n]) → x · w, then + 1 where `tail`; w is a constant where it is given.
fn dot([m, k, n]: [i64; 3], tail: bool, weight: Option<&[f32]>) -> Vec<u8> {
    let mut builder = Builder::new();
    let (zero, one) = (builder.size(0), builder.size(1));
    let [m, k, n] = [m, k, n].map(|size| builder.size(size));
    let mut main = RegionBuilder::new();
    let x = main.param(F32, &[m, k]);
    let w = match weight {
        None => main.param(F32, &[k, n]),
        Some(values) => {
            let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
            let (index, slot) = (builder.constant(&bytes), main.slot(F32, &[k, n]));
            main.constant(slot, index);
            slot
        }
    };
    let out = main.slot(F32, &[m, n]);
    let axes = |axes: &[i64]| attr::ints(axes);
    let attrs =
        [("lhsBatch", axes(&[])), ("lhsContract", axes(&[1])), ("rhsBatch", axes(&[])), ("rhsContract", axes(&[0]))];
    main.library(Op::DotGeneral, &[x, w], &[out], &attrs, &[]);
    if !tail {
        return builder.finish(&main.finish(&[out]));
    }
    let sum = main.slot(F32, &[m, n]);
    let bits = u64::from(1.0_f32.to_bits());
    let instrs = [(Op::Constant, F32, &[][..], bits), (Op::Add, F32, &[0, 1][..], 0)];
    main.fused(&[m, n], &[(out, zero, &[n, one])], &instrs, &[(sum, 2, None, 0)]);
    builder.finish(&main.finish(&[sum]))
}

/// w [n] → −w, which may lie where w did.
fn negated(n: i64) -> Vec<u8> {
    let mut builder = Builder::new();
    let (zero, one, n) = (builder.size(0), builder.size(1), builder.size(n));
    let mut main = RegionBuilder::new();
    let (w, out) = (main.param(F32, &[n]), main.slot(F32, &[n]));
    main.fused(&[n], &[(w, zero, &[one])], &[(Op::Neg, F32, &[0], 0)], &[(out, 1, None, 0)]);
    builder.finish(&main.finish(&[out]))
}

fn values(n: usize, seed: usize) -> Vec<f32> {
    (0..n).map(|i| ((i * 7919 + seed * 131) % 1009) as f32 / 512.0 - 1.0).collect()
}

/// The result of a run, which is then freed.
fn result(device: &mut Device, bound: i32, args: &[i32]) -> Vec<f32> {
    let out = run(device, bound, args)[0];
    let values = read(device, out);
    device.free(out).unwrap();
    values
}

#[test]
fn a_weight_is_packed_when_it_is_seen_again_and_forgotten_when_it_is_written() {
    // The second size is queued.
    for (sizes, tail) in [([60, 130, 150], false), ([60, 130, 150], true), ([320, 330, 340], true)] {
        let mut device = device();
        let [m, k, n] = sizes.map(|size| size as usize);
        let bound = bind(&mut device, &dot(sizes, tail, None), &[]);
        let x = upload(&mut device, &values(m * k, 1));
        let w = upload(&mut device, &values(k * n, 2));
        let want = result(&mut device, bound, &[x, w]);
        assert_eq!(device.stats().packed, 0, "once is no weight");
        for _ in 0..3 {
            assert_eq!(result(&mut device, bound, &[x, w]), want, "packed");
        }
        let packed = device.stats().packed;
        assert!(packed >= k * n * 4 && packed < k * n * 5, "{packed} bytes of {}", k * n * 4);

        let negate = bind(&mut device, &negated((k * n) as i64), &[]);
        let new = run(&mut device, negate, &[w | DONATE])[0];
        assert_eq!(device.stats().packed, 0, "it was written");
        let negative: Vec<f32> = want.iter().map(|&y| if tail { 2.0 - y } else { -y }).collect();
        let close = |got: Vec<f32>| got.iter().zip(&negative).all(|(a, b)| (a - b).abs() <= 1e-3);
        for _ in 0..3 {
            assert!(close(result(&mut device, bound, &[x, new])), "the new value");
        }
        assert_eq!(device.stats().packed, packed);
        device.free(new).unwrap();
        assert_eq!(device.stats().packed, 0, "it was freed");

        // Another weight in the same memory.
        let other = upload(&mut device, &values(k * n, 3));
        let fresh = upload(&mut device, &values(k * n, 3));
        let want = result(&mut device, bound, &[x, fresh]);
        for _ in 0..3 {
            assert_eq!(result(&mut device, bound, &[x, other]), want, "memory that was used before");
        }
    }
}

#[test]
fn a_constant_is_packed_at_once_and_lives_as_long_as_its_program() {
    let (m, k, n) = (70, 130, 140);
    let weight = values(k * n, 2);
    let mut device = device();
    let plain = bind(&mut device, &dot([m, k as i64, n as i64], true, None), &[]);
    let bound = bind(&mut device, &dot([m, k as i64, n as i64], true, Some(&weight)), &[]);
    let (x, w) = (upload(&mut device, &values(m as usize * k, 1)), upload(&mut device, &weight));
    let want = result(&mut device, plain, &[x, w]);
    for _ in 0..2 {
        assert_eq!(result(&mut device, bound, &[x]), want);
        assert!(device.stats().packed >= k * n * 4);
    }
    device.trim();
    assert_eq!(device.stats().packed, 0);
    assert_eq!(result(&mut device, bound, &[x]), want);
    device.release_bound(bound).unwrap();
    assert_eq!(device.stats().packed, 0);
}

#[test]
fn packed_weights_yield_to_the_memory_limit() {
    let mut device = Device::new(3 << 20);
    let bound = bind(&mut device, &dot([60, 512, 512], false, None), &[]);
    let (x, w) = (upload(&mut device, &values(60 * 512, 1)), upload(&mut device, &values(512 * 512, 2)));
    let want = result(&mut device, bound, &[x, w]);
    assert_eq!(result(&mut device, bound, &[x, w]), want);
    assert_eq!(device.stats().packed, 1 << 20);
    let more: Vec<i32> = (0..3).map(|i| upload(&mut device, &values(60 * 512, i))).collect();
    for &x in &more {
        result(&mut device, bound, &[x, w]);
        let stats = device.stats();
        assert!(stats.memory.reserved <= 3 << 20 && stats.packed <= 1 << 20);
    }
}
