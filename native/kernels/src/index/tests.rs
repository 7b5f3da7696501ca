//! Ops that move elements, against their definitions, on every path of this machine.

use crate::isa::testing::each_isa;
use crate::testing::{Lcg, attrs, bytes, ints, list, numbers, run_library, shape};
use crate::{Pool, library};
use millrace_program::{BoundAttrs, BoundValue, DType, Op, Shape};

const F: DType = DType::Float32;

fn f(dims: &[usize]) -> Shape {
    shape(F, dims)
}

fn axis(axis: usize) -> BoundAttrs {
    attrs(&[("axis", BoundValue::Int(axis as i64))])
}

fn run(op: Op, ins: &[Shape], out: &Shape, attrs: &BoundAttrs, data: &[Vec<u8>]) -> Vec<u8> {
    let outs = std::slice::from_ref(out);
    let one = run_library(op, ins, outs, attrs, data, &Pool::new(1)).remove(0);
    let three = run_library(op, ins, outs, attrs, data, &Pool::new(3)).remove(0);
    assert_eq!(one, three, "bits for any number of threads");
    one
}

fn product(dims: &[usize]) -> usize {
    dims.iter().product()
}

#[test]
fn gather_and_scatter() {
    each_isa(|_| {
        for (dims, at, index_dims) in [
            (vec![5, 3], 0, vec![4]),
            (vec![5, 300], 0, vec![2, 40]),
            (vec![2, 7, 3], 1, vec![]),
            (vec![3, 6], 1, vec![2, 2]),
            (vec![4, 0], 0, vec![3]),
            (vec![9], 0, vec![0]),
        ] {
            let (outer, size, inner) = (product(&dims[..at]), dims[at], product(&dims[at + 1..]));
            let count = product(&index_dims);
            let mut lcg = Lcg(8);
            let x = lcg.floats(outer * size * inner);
            // Some are out of range on either side, many are the same.
            let indices: Vec<i64> = (0..count).map(|_| (lcg.next() % (size as u32 + 3)) as i64 - 1).collect();
            let out = [&dims[..at], &index_dims, &dims[at + 1..]].concat();
            let updates = lcg.floats(product(&out));
            let (mut taken, mut added, mut set) = (vec![0f32; updates.len()], x.clone(), x.clone());
            for o in 0..outer {
                for (i, &index) in indices.iter().enumerate().filter(|(_, index)| (0..size as i64).contains(index)) {
                    for j in 0..inner {
                        let (from, to) = ((o * size + index as usize) * inner + j, (o * count + i) * inner + j);
                        taken[to] = x[from];
                        added[from] += updates[to];
                        set[from] = updates[to];
                    }
                }
            }
            for dtype in [DType::Int32, DType::Int64] {
                let data = if dtype == DType::Int64 {
                    bytes(&indices)
                } else {
                    bytes(&indices.iter().map(|&i| i as i32).collect::<Vec<_>>())
                };
                let (x_shape, index, wide) = (f(&dims), shape(dtype, &index_dims), f(&out));
                let got =
                    run(Op::Gather, &[x_shape.clone(), index.clone()], &wide, &axis(at), &[bytes(&x), data.clone()]);
                assert_eq!(numbers::<f32>(&got), taken);
                for (op, want) in [(Op::ScatterAdd, &added), (Op::ScatterSet, &set)] {
                    let ins = [x_shape.clone(), index.clone(), wide.clone()];
                    let got = run(op, &ins, &x_shape, &axis(at), &[bytes(&x), data.clone(), bytes(&updates)]);
                    assert_eq!(&numbers::<f32>(&got), want, "{op:?}");
                }
            }
        }
    });
}

#[test]
fn concat_joins_along_its_axis() {
    let parts: [(Vec<usize>, Vec<i64>); 3] =
        [(vec![2, 1], vec![1, 2]), (vec![2, 0], vec![]), (vec![2, 2], vec![3, 4, 5, 6])];
    let ins: Vec<Shape> = parts.iter().map(|(dims, _)| shape(DType::Int64, dims)).collect();
    let data: Vec<Vec<u8>> = parts.iter().map(|(_, values)| bytes(values)).collect();
    let got = run(Op::Concat, &ins, &shape(DType::Int64, &[2, 3]), &axis(1), &data);
    assert_eq!(numbers::<i64>(&got), [1, 3, 4, 2, 5, 6]);
    let big: Vec<f32> = (0..100_000).map(|i| i as f32).collect();
    let got = run(Op::Concat, &[f(&[100_000]), f(&[1])], &f(&[100_001]), &axis(0), &[bytes(&big), bytes(&[-1f32])]);
    assert!(numbers::<f32>(&got).iter().enumerate().all(|(i, &v)| v == if i < 100_000 { i as f32 } else { -1.0 }));
    let kernel = library(Op::Concat).unwrap();
    assert!(kernel.check(&[f(&[2, 3]), f(&[3, 3])], &[f(&[2, 6])], &axis(1)).is_err());
    assert!(kernel.check(&[f(&[2, 3]), f(&[2, 3])], &[f(&[2, 7])], &axis(1)).is_err());
    assert!(kernel.check(&[], &[f(&[2, 7])], &axis(1)).is_err());
}

#[test]
fn pad_spreads_crops_and_fills() {
    let case = |x: &[f32], dims: &[usize], low: &[i64], high: &[i64], interior: &[i64], out: &[usize]| {
        let attrs = attrs(&[("high", ints(high)), ("interior", ints(interior)), ("low", ints(low))]);
        numbers::<f32>(&run(Op::Pad, &[f(dims), f(&[])], &f(out), &attrs, &[bytes(x), bytes(&[9f32])]))
    };
    assert_eq!(case(&[1., 2., 3.], &[3], &[1], &[2], &[0], &[6]), [9., 1., 2., 3., 9., 9.]);
    assert_eq!(case(&[1., 2., 3.], &[3], &[1], &[0], &[1], &[6]), [9., 1., 9., 2., 9., 3.]);
    assert_eq!(case(&[1., 2., 3.], &[3], &[-1], &[-1], &[0], &[1]), [2.]);
    assert_eq!(case(&[1., 2., 3.], &[3], &[-1], &[0], &[1], &[4]), [9., 2., 9., 3.]);
    assert_eq!(case(&[1., 2., 3.], &[3], &[-4], &[3], &[0], &[2]), [9., 9.]);
    assert_eq!(case(&[1., 2., 3.], &[3], &[3], &[-4], &[0], &[2]), [9., 9.]);
    assert_eq!(case(&[], &[0], &[1], &[1], &[5], &[2]), [9., 9.]);
    assert_eq!(
        case(&[1., 2., 3., 4.], &[2, 2], &[0, 1], &[1, 0], &[0, 1], &[3, 4]),
        [9., 1., 9., 2., 9., 3., 9., 4., 9., 9., 9., 9.]
    );
    assert_eq!(case(&[5.], &[], &[], &[], &[], &[]), [5.]);
    let attrs = attrs(&[("high", ints(&[1])), ("interior", ints(&[0])), ("low", ints(&[i64::MAX]))]);
    assert!(library(Op::Pad).unwrap().check(&[f(&[3]), f(&[])], &[f(&[5])], &attrs).is_err());
}

#[test]
fn dynamic_slices_stay_inside() {
    let x: Vec<f32> = (0..12).map(|i| i as f32).collect();
    let slice = |start: [i32; 2]| {
        let ins = [f(&[3, 4]), shape(DType::Int32, &[2])];
        numbers::<f32>(&run(
            Op::DynamicSlice,
            &ins,
            &f(&[2, 2]),
            &attrs(&[("sizes", list(&[2, 2]))]),
            &[bytes(&x), bytes(&start)],
        ))
    };
    assert_eq!(slice([1, 1]), [5., 6., 9., 10.]);
    assert_eq!(slice([5, -3]), [4., 5., 8., 9.]);
    assert_eq!(slice([i32::MIN, i32::MAX]), [2., 3., 6., 7.]);
    let update = |start: [i32; 2]| {
        let ins = [f(&[3, 4]), f(&[1, 2]), shape(DType::Int32, &[2])];
        numbers::<f32>(&run(
            Op::DynamicUpdateSlice,
            &ins,
            &f(&[3, 4]),
            &attrs(&[]),
            &[bytes(&x), bytes(&[-1f32, -2.0]), bytes(&start)],
        ))
    };
    assert_eq!(update([2, 9]), [0., 1., 2., 3., 4., 5., 6., 7., 8., 9., -1., -2.]);
    assert_eq!(update([-1, 1]), [0., -1., -2., 3., 4., 5., 6., 7., 8., 9., 10., 11.]);
    let kernel = library(Op::DynamicSlice).unwrap();
    let wide = attrs(&[("sizes", list(&[2, 5]))]);
    assert!(kernel.check(&[f(&[3, 4]), shape(DType::Int32, &[2])], &[f(&[2, 5])], &wide).is_err());
}

#[test]
fn cumulative_sums() {
    each_isa(|_| {
        for (dims, at) in [
            (vec![1025], 0),
            (vec![4, 5, 6], 1),
            (vec![3, 200], 0),
            (vec![0, 3], 1),
            (vec![3, 0], 1),
            (vec![2, 17, 1], 1),
        ] {
            let (outer, size, inner) = (product(&dims[..at]), dims[at], product(&dims[at + 1..]));
            let x: Vec<i32> = (0..product(&dims)).map(|i| (i * 7 % 11) as i32 - 5).collect();
            for (reverse, exclusive) in [(false, false), (false, true), (true, false), (true, true)] {
                let mut want = vec![0; x.len()];
                for o in 0..outer {
                    for j in 0..inner {
                        let mut sum = 0;
                        for k in 0..size {
                            let at = (o * size + if reverse { size - 1 - k } else { k }) * inner + j;
                            want[at] = if exclusive { sum } else { sum + x[at] };
                            sum += x[at];
                        }
                    }
                }
                let attrs = attrs(&[
                    ("axis", BoundValue::Int(at as i64)),
                    ("exclusive", BoundValue::Bool(exclusive)),
                    ("reverse", BoundValue::Bool(reverse)),
                ]);
                let s = shape(DType::Int32, &dims);
                assert_eq!(numbers::<i32>(&run(Op::Cumsum, std::slice::from_ref(&s), &s, &attrs, &[bytes(&x)])), want);
            }
        }
        let s = f(&[3]);
        let no = BoundValue::Bool(false);
        let attrs = attrs(&[("axis", BoundValue::Int(0)), ("exclusive", no.clone()), ("reverse", no)]);
        let got = run(Op::Cumsum, std::slice::from_ref(&s), &s, &attrs, &[bytes(&[1f32, 2.0, f32::INFINITY])]);
        assert_eq!(numbers::<f32>(&got), [1.0, 3.0, f32::INFINITY]);
    });
}

#[test]
fn places_of_extrema() {
    each_isa(|_| {
        let nan = f32::NAN;
        let line = |op, x: &[f32]| {
            numbers::<i32>(&run(op, &[f(&[x.len()])], &shape(DType::Int32, &[]), &axis(0), &[bytes(x)]))[0]
        };
        assert_eq!(line(Op::ArgMax, &[1.0, 3.0, 3.0, 2.0]), 1);
        assert_eq!(line(Op::ArgMin, &[1.0, 0.0, 3.0, 0.0]), 1);
        assert_eq!(line(Op::ArgMax, &[nan, 1.0, 2.0]), 2);
        assert_eq!(line(Op::ArgMax, &[nan, f32::NEG_INFINITY]), 0);
        assert_eq!(line(Op::ArgMin, &[nan, f32::INFINITY, nan, 3.0]), 3);
        assert_eq!(line(Op::ArgMax, &[1.0, nan, 2.0]), 2);
        assert_eq!(line(Op::ArgMax, &[-0.0, 0.0]), 0);
        for (dims, at) in [(vec![3, 300], 0), (vec![4, 17, 5], 1), (vec![64, 10], 1)] {
            let (outer, size, inner) = (product(&dims[..at]), dims[at], product(&dims[at + 1..]));
            let x: Vec<i32> = (0..product(&dims)).map(|i| (i * 7919 % 13) as i32).collect();
            let out = shape(DType::Int32, &[&dims[..at], &dims[at + 1..]].concat());
            let got = numbers::<i32>(&run(Op::ArgMax, &[shape(DType::Int32, &dims)], &out, &axis(at), &[bytes(&x)]));
            for o in 0..outer {
                for j in 0..inner {
                    let column: Vec<i32> = (0..size).map(|k| x[(o * size + k) * inner + j]).collect();
                    let first = column.iter().position(|v| v == column.iter().max().unwrap()).unwrap();
                    assert_eq!(got[o * inner + j], first as i32);
                }
            }
        }
        assert!(library(Op::ArgMax).unwrap().check(&[f(&[0])], &[shape(DType::Int32, &[])], &axis(0)).is_err());
    });
}

#[test]
fn random_bits_are_a_stream() {
    each_isa(|_| {
        let bits = |state: [u32; 4], n: usize| {
            let out = shape(DType::Int32, &[n]);
            numbers::<u32>(&run(
                Op::RngBits,
                &[shape(DType::Int32, &[4])],
                &out,
                &attrs(&[("shape", list(&[n]))]),
                &[bytes(&state)],
            ))
        };
        let long = bits([1, 2, u32::MAX, 7], 40_001);
        assert_eq!(bits([1, 2, u32::MAX, 7], 15), long[..15]);
        // The counter carries into its upper word.
        assert_eq!(bits([1, 2, 0, 8], 9), long[4..13]);
        assert_eq!(bits([0, 0, 0, 0], 4), [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
        assert!(bits([3, 4, 0, 0], 0).is_empty());
    });
}
