//! Products of int8 and bfloat16 on every path of this machine: bytes exactly, bfloat16 within the error of its sums.

use super::tests::{Case, case, cases, reference};
use crate::bfloat16;
use crate::isa::testing::each_narrow;
use crate::testing::{Lcg, attrs, bytes, list, numbers, run_plan, shape};
use crate::{Packed, Plan, Pool, library};
use millrace_program::{BoundValue, DType, Op};
use std::sync::Mutex;

fn plan_of(case: &Case, from: DType, to: DType, out: &[usize]) -> Box<dyn Plan> {
    let attrs = attrs(&[
        ("dtype", BoundValue::Str(to.name().into())),
        ("lhsBatch", list(case.batch.0)),
        ("lhsContract", list(case.contract.0)),
        ("rhsBatch", list(case.batch.1)),
        ("rhsContract", list(case.contract.1)),
    ]);
    let ins = [shape(from, case.lhs), shape(from, case.rhs)];
    library(Op::DotGeneral).unwrap().check(&ins, &[shape(to, out)], &attrs).unwrap()
}

fn run<T: Copy>(case: &Case, from: DType, to: DType, a: &[T], b: &[T], out: &[usize], pool: &Pool) -> Vec<u8> {
    let len = out.iter().product::<usize>() * to.size();
    run_plan(&*plan_of(case, from, to, out), &[bytes(a), bytes(b)], &[len], pool).remove(0)
}

/// Sizes around those of tiles, words and blocks, with either operand transposed.
fn around_tiles() -> Vec<Case> {
    let mut all = cases();
    for &[m, k, n] in &[[1usize, 3, 1], [16, 64, 16], [17, 65, 33], [31, 127, 47], [33, 30, 65], [130, 100, 97]] {
        let leak = |sizes: [usize; 2]| -> &'static [usize] { Box::leak(Box::new(sizes)) };
        all.push(case(leak([m, k]), leak([k, n]), (&[1], &[0])));
        all.push(case(leak([k, m]), leak([k, n]), (&[0], &[0])));
        all.push(case(leak([m, k]), leak([n, k]), (&[1], &[1])));
        all.push(case(leak([k, m]), leak([n, k]), (&[0], &[1])));
    }
    all
}

#[test]
fn bytes_are_exact() {
    let (one, three) = (Pool::new(1), Pool::new(3));
    for case in around_tiles() {
        let mut lcg = Lcg(7);
        // The least value often, so that sums of many of its squares are among them.
        let mut values = |n: usize| -> Vec<i8> {
            (0..n).map(|_| if lcg.next().is_multiple_of(4) { -128 } else { lcg.next() as i8 }).collect()
        };
        let (a, b) = (values(case.lhs.iter().product()), values(case.rhs.iter().product()));
        let wide = |x: &[i8]| x.iter().map(|&v| f64::from(v)).collect::<Vec<f64>>();
        let (out, want, _) = reference(&case, &wide(&a), &wide(&b));
        each_narrow(|path| {
            let what = || format!("{path}: {:?} x {:?}", case.lhs, case.rhs);
            let got = run(&case, DType::Int8, DType::Int32, &a, &b, &out, &one);
            assert!(numbers::<i32>(&got).iter().zip(&want).all(|(&x, &y)| f64::from(x) == y), "{}", what());
            assert_eq!(got, run(&case, DType::Int8, DType::Int32, &a, &b, &out, &three), "{}", what());
            let got = run(&case, DType::Int8, DType::Int8, &a, &b, &out, &three);
            assert!(numbers::<i8>(&got).iter().zip(&want).all(|(&x, &y)| x == y as i64 as i8), "{}", what());
        });
    }
}

#[test]
fn bfloat16_is_summed_in_float32_and_rounded_once() {
    let (one, three) = (Pool::new(1), Pool::new(3));
    for case in around_tiles() {
        let mut lcg = Lcg(8);
        let mut values = |n: usize| -> Vec<u16> { lcg.floats(n).into_iter().map(bfloat16::round).collect() };
        let (a, b) = (values(case.lhs.iter().product()), values(case.rhs.iter().product()));
        let wide = |x: &[u16]| x.iter().map(|&v| f64::from(bfloat16::widen(v))).collect::<Vec<f64>>();
        let (out, want, sizes) = reference(&case, &wide(&a), &wide(&b));
        each_narrow(|path| {
            let what = |i: usize| format!("{path}: {:?} x {:?} element {i}", case.lhs, case.rhs);
            let sums = run(&case, DType::Bfloat16, DType::Float32, &a, &b, &out, &one);
            assert_eq!(sums, run(&case, DType::Bfloat16, DType::Float32, &a, &b, &out, &three), "{}", what(0));
            let sums = numbers::<f32>(&sums);
            for i in 0..want.len() {
                let bound = 8.0 * f64::from(f32::EPSILON) * sizes[i] + 1e-30;
                assert!((f64::from(sums[i]) - want[i]).abs() <= bound, "{}: {} {}", what(i), sums[i], want[i]);
            }
            let rounded = numbers::<u16>(&run(&case, DType::Bfloat16, DType::Bfloat16, &a, &b, &out, &three));
            let once: Vec<u16> = sums.iter().map(|&x| bfloat16::round(x)).collect();
            assert_eq!(rounded, once, "{}", what(0));
        });
    }
}

#[test]
fn nan_and_infinity_stay_where_they_are() {
    each_narrow(|path| {
        let case = case(&[20, 40], &[40, 50], (&[1], &[0]));
        let (mut a, mut b) = (vec![bfloat16::round(1.0); 800], vec![bfloat16::round(1.0); 2000]);
        a[3 * 40 + 7] = bfloat16::round(f32::NAN);
        b[9 * 50 + 11] = bfloat16::round(f32::INFINITY);
        let got = run(&case, DType::Bfloat16, DType::Float32, &a, &b, &[20, 50], Pool::global());
        for (i, x) in numbers::<f32>(&got).into_iter().enumerate() {
            match (i / 50, i % 50) {
                (3, _) => assert!(x.is_nan(), "{path}"),
                (_, 11) => assert_eq!(x, f32::INFINITY, "{path}"),
                _ => assert_eq!(x, 40.0, "{path}"),
            }
        }
    });
}

/// Operands of 64 bytes' alignment, as buffers have it.
#[repr(align(64))]
struct Aligned<const N: usize>([u8; N]);

#[test]
fn packed_and_by_parts_it_is_the_same() {
    let [m, n] = [200, 120];
    let pool = Pool::new(3);
    each_narrow(|path| {
        let case = case(&[200, 192], &[192, 120], (&[1], &[0]));
        let plan = plan_of(&case, DType::Int8, DType::Int32, &[m, n]);
        let mut lcg = Lcg(9);
        let (mut a, mut b) = (Box::new(Aligned([0; 200 * 192])), Box::new(Aligned([0; 192 * 120])));
        a.0.iter_mut().chain(b.0.iter_mut()).for_each(|x| *x = lcg.next() as u8);
        let want = numbers::<i32>(&run_plan(&*plan, &[a.0.to_vec(), b.0.to_vec()], &[m * n * 4], &pool)[0]);
        // Without instructions of its own a path has no tiles to pack.
        let Some(packing) = plan.packing() else { return };
        assert_eq!(packing.operand, 1, "{path}");
        let lines = |bytes: usize| vec![[0u64; 8]; bytes / 64 + 2];
        let start = |memory: &mut Vec<[u64; 8]>| {
            let start = memory.as_mut_ptr().cast::<u8>();
            start.wrapping_add(start.align_offset(64))
        };
        let (mut packed, mut scratch, mut c) = (lines(packing.bytes), lines(plan.scratch_bytes()), lines(m * n * 4));
        let (packed, scratch, c) = (start(&mut packed), start(&mut scratch), start(&mut c));
        let seen = Mutex::new(vec![0; m * n]);
        let done = |part: std::ops::Range<usize>| part.for_each(|i| seen.lock().unwrap()[i] += 1);
        let ins = [a.0.as_ptr(), b.0.as_ptr()];
        // SAFETY: memory of these sizes.
        let got = unsafe {
            plan.pack(ins[1], packed, &pool);
            let outs = [c];
            plan.run_packed(Packed { ins: &ins, outs: &outs, packed, scratch, pool: &pool, done: Some(&done) });
            std::slice::from_raw_parts(c as *const i32, m * n).to_vec()
        };
        assert_eq!(got, want, "{path}");
        assert!(seen.into_inner().unwrap().iter().all(|&times| times == 1), "{path}");
    });
}
