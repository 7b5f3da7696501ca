//! dotGeneral against sums in float64, on every path of this machine.

use super::{Product, Scalar, Sizes, Strides, serial_bytes};
use crate::isa::Isa;
use crate::isa::testing::each_isa;
use crate::testing::{Lcg, attrs, bytes, list, numbers, run_library, shape};
use crate::{Pool, library};
use millrace_program::{DType, Op};

pub(super) struct Case {
    pub lhs: &'static [usize],
    pub rhs: &'static [usize],
    pub batch: (&'static [usize], &'static [usize]),
    pub contract: (&'static [usize], &'static [usize]),
}

pub(super) fn case(
    lhs: &'static [usize],
    rhs: &'static [usize],
    contract: (&'static [usize], &'static [usize]),
) -> Case {
    Case { lhs, rhs, batch: (&[], &[]), contract }
}

/// Result sizes and values, by definition.
pub(super) fn reference(case: &Case, a: &[f64], b: &[f64]) -> (Vec<usize>, Vec<f64>, Vec<f64>) {
    let free = |rank: usize, batch: &[usize], contract: &[usize]| -> Vec<usize> {
        (0..rank).filter(|i| !batch.contains(i) && !contract.contains(i)).collect()
    };
    let (lf, rf) =
        (free(case.lhs.len(), case.batch.0, case.contract.0), free(case.rhs.len(), case.batch.1, case.contract.1));
    let pick = |dims: &[usize], axes: &[usize]| axes.iter().map(|&i| dims[i]).collect::<Vec<usize>>();
    let out = [pick(case.lhs, case.batch.0), pick(case.lhs, &lf), pick(case.rhs, &rf)].concat();
    let inner = pick(case.lhs, case.contract.0);
    // Where the indices of these operand axes lead: each entry is a list of (axis, size), walked row-major.
    let offsets = |dims: &[usize], walk: &[(Option<usize>, usize)]| {
        walk.iter().fold(vec![0usize], |at, &(axis, size)| {
            let stride = axis.map_or(0, |axis| dims[axis + 1..].iter().product());
            at.iter().flat_map(|&o| (0..size).map(move |i| o + i * stride)).collect()
        })
    };
    let walk = |batch: &[usize], left: &[usize], right: &[usize], is_lhs: bool| -> Vec<(Option<usize>, usize)> {
        let axes = batch.iter().map(|&k| Some(k));
        let left = left.iter().map(|&k| is_lhs.then_some(k));
        let right = right.iter().map(|&k| (!is_lhs).then_some(k));
        axes.chain(left).chain(right).zip(out.iter().copied()).collect()
    };
    let steps = |contract: &[usize]| contract.iter().map(|&k| Some(k)).zip(inner.iter().copied()).collect::<Vec<_>>();
    let (i, j) = (
        offsets(case.lhs, &walk(case.batch.0, &lf, &rf, true)),
        offsets(case.rhs, &walk(case.batch.1, &lf, &rf, false)),
    );
    let (p, q) = (offsets(case.lhs, &steps(case.contract.0)), offsets(case.rhs, &steps(case.contract.1)));
    let terms = |i: usize, j: usize| p.iter().zip(&q).map(move |(p, q)| a[i + p] * b[j + q]);
    let values = i.iter().zip(&j).map(|(&i, &j)| terms(i, j).sum()).collect();
    let sizes = i.iter().zip(&j).map(|(&i, &j)| terms(i, j).map(f64::abs).sum()).collect();
    (out, values, sizes)
}

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(&[5], &[5], (&[0], &[0])),
        case(&[], &[], (&[], &[])),
        case(&[3, 0], &[0, 4], (&[1], &[0])),
        case(&[0, 3], &[3, 4], (&[1], &[0])),
        case(&[3, 4], &[5], (&[], &[])),
        case(&[1, 300], &[300, 200], (&[1], &[0])),
        case(&[1, 300], &[200, 300], (&[1], &[1])),
        case(&[300, 1], &[300, 200], (&[0], &[0])),
        case(&[200, 300], &[300, 1], (&[1], &[0])),
        case(&[128, 784], &[784, 512], (&[1], &[0])),
        case(&[784, 128], &[784, 512], (&[0], &[0])),
        case(&[128, 200], &[300, 200], (&[1], &[1])),
        case(&[128, 256], &[256, 10], (&[1], &[0])),
        case(&[700, 100], &[100, 90], (&[1], &[0])),
        case(&[90, 100], &[100, 700], (&[1], &[0])),
        case(&[8, 500], &[500, 300], (&[1], &[0])),
        case(&[2, 3, 4, 5], &[4, 5, 6], (&[2, 3], &[0, 1])),
        case(&[2, 3, 4, 5], &[5, 4, 6], (&[2, 3], &[1, 0])),
        case(&[4, 3, 5], &[6, 5, 4], (&[0, 2], &[2, 1])),
        case(&[3, 4, 2], &[5, 4, 7], (&[1], &[1])),
        Case { lhs: &[2, 9, 3, 8], rhs: &[2, 7, 3, 8], batch: (&[0, 2], &[0, 2]), contract: (&[3], &[3]) },
        Case { lhs: &[10, 33, 20], rhs: &[10, 20, 35], batch: (&[0], &[0]), contract: (&[2], &[1]) },
        Case { lhs: &[3, 2, 4], rhs: &[4, 3, 2], batch: (&[1, 0], &[2, 1]), contract: (&[2], &[0]) },
        Case { lhs: &[3], rhs: &[3], batch: (&[0], &[0]), contract: (&[], &[]) },
        Case { lhs: &[2, 120, 130], rhs: &[2, 130, 140], batch: (&[0], &[0]), contract: (&[2], &[1]) },
        case(&[15, 16], &[16, 17], (&[1], &[0])),
        case(&[1, 17], &[17, 15], (&[1], &[0])),
        case(&[31, 2], &[2, 33], (&[1], &[0])),
        case(&[13, 1025], &[1025, 7], (&[1], &[0])),
    ]
}

fn run_case<T: Copy>(case: &Case, dtype: DType, a: &[T], b: &[T], out: &[usize], pool: &Pool) -> Vec<T> {
    let attrs = attrs(&[
        ("lhsBatch", list(case.batch.0)),
        ("rhsBatch", list(case.batch.1)),
        ("lhsContract", list(case.contract.0)),
        ("rhsContract", list(case.contract.1)),
    ]);
    let ins = [shape(dtype, case.lhs), shape(dtype, case.rhs)];
    numbers(&run_library(Op::DotGeneral, &ins, &[shape(dtype, out)], &attrs, &[bytes(a), bytes(b)], pool)[0])
}

#[test]
fn floats_within_the_error_bound_and_bits_for_any_thread_count() {
    let (one, three) = (Pool::new(1), Pool::new(3));
    each_isa(|isa| {
        for case in cases() {
            let mut lcg = Lcg(5);
            let a = lcg.floats(case.lhs.iter().product());
            let b = lcg.floats(case.rhs.iter().product());
            let wide = |x: &[f32]| x.iter().map(|&v| v as f64).collect::<Vec<f64>>();
            let (out, want, sizes) = reference(&case, &wide(&a), &wide(&b));
            let got = run_case(&case, DType::Float32, &a, &b, &out, &one);
            let again = run_case(&case, DType::Float32, &a, &b, &out, &three);
            assert!(got.iter().zip(&again).all(|(x, y)| x.to_bits() == y.to_bits()));
            let got64 = run_case(&case, DType::Float64, &wide(&a), &wide(&b), &out, &three);
            for i in 0..want.len() {
                let bound = 2e-6 * sizes[i] + 1e-30;
                assert!(
                    (got[i] as f64 - want[i]).abs() <= bound,
                    "{isa:?} {:?} {:?} {i}: {} {}",
                    case.lhs,
                    case.rhs,
                    got[i],
                    want[i]
                );
                assert!((got64[i] - want[i]).abs() <= 1e-13 * sizes[i] + 1e-30);
            }
        }
    });
}

#[test]
fn integers_are_exact() {
    each_isa(|_| {
        for case in cases() {
            let mut lcg = Lcg(6);
            let mut values = |n: usize| (0..n).map(|_| (lcg.next() % 19) as i32 - 9).collect::<Vec<i32>>();
            let (a, b) = (values(case.lhs.iter().product()), values(case.rhs.iter().product()));
            let wide = |x: &[i32]| x.iter().map(|&v| v as f64).collect::<Vec<f64>>();
            let (out, want, _) = reference(&case, &wide(&a), &wide(&b));
            let got = run_case(&case, DType::Int32, &a, &b, &out, Pool::global());
            assert!(got.iter().zip(&want).all(|(&x, &y)| x as f64 == y));
            let narrow = |x: &[i32]| x.iter().map(|&v| v as u8).collect::<Vec<u8>>();
            let got = run_case(&case, DType::Uint8, &narrow(&a), &narrow(&b), &out, Pool::global());
            assert!(got.iter().zip(&want).all(|(&x, &y)| x == y as i64 as u8));
        }
    });
}

#[test]
fn nan_and_infinity_stay_where_they_are() {
    each_isa(|_| {
        let case = case(&[20, 40], &[40, 50], (&[1], &[0]));
        let (mut a, mut b) = (vec![1f32; 800], vec![1f32; 2000]);
        a[3 * 40 + 7] = f32::NAN;
        b[9 * 50 + 11] = f32::INFINITY;
        let got = run_case(&case, DType::Float32, &a, &b, &[20, 50], Pool::global());
        for (i, x) in got.iter().enumerate() {
            match (i / 50, i % 50) {
                (3, _) => assert!(x.is_nan()),
                (_, 11) => assert_eq!(*x, f32::INFINITY),
                _ => assert_eq!(*x, 40.0),
            }
        }
    });
}

#[test]
fn what_does_not_fit_is_refused() {
    let kernel = library(Op::DotGeneral).unwrap();
    let f = |dims: &[usize]| shape(DType::Float32, dims);
    let with = |lb: &[usize], rb: &[usize], lc: &[usize], rc: &[usize]| {
        attrs(&[("lhsBatch", list(lb)), ("rhsBatch", list(rb)), ("lhsContract", list(lc)), ("rhsContract", list(rc))])
    };
    let good = with(&[], &[], &[1], &[0]);
    assert!(kernel.check(&[f(&[2, 3]), f(&[3, 4])], &[f(&[2, 4])], &good).is_ok());
    assert!(kernel.check(&[f(&[2, 3]), f(&[4, 4])], &[f(&[2, 4])], &good).is_err());
    assert!(kernel.check(&[f(&[2, 3]), f(&[3, 4])], &[f(&[2, 5])], &good).is_err());
    assert!(kernel.check(&[f(&[2, 3]), f(&[3, 4])], &[shape(DType::Int32, &[2, 4])], &good).is_err());
    assert!(kernel.check(&[f(&[2, 3]), shape(DType::Int32, &[3, 4])], &[f(&[2, 4])], &good).is_err());
    assert!(kernel.check(&[f(&[2, 3])], &[f(&[2, 4])], &good).is_err());
    assert!(kernel.check(&[f(&[2, 3]), f(&[3, 4])], &[f(&[2, 4])], &with(&[], &[], &[2], &[0])).is_err());
    assert!(kernel.check(&[f(&[3, 3]), f(&[3, 3])], &[f(&[])], &with(&[], &[], &[1, 1], &[0, 1])).is_err());
    assert!(kernel.check(&[f(&[3, 3]), f(&[3, 3])], &[f(&[3])], &with(&[1], &[0], &[1], &[0])).is_err());
}

/// Sizes around tiles, blocks and parts; the last one is summed in layers.
const EDGES: &[[usize; 3]] = &[
    [1, 40, 9],
    [1, 1500, 20],
    [40, 1, 300],
    [2, 2, 1],
    [14, 32, 384],
    [13, 31, 7],
    [15, 33, 385],
    [28, 64, 8],
    [29, 65, 17],
    [130, 129, 70],
    [57, 140, 600],
    [161, 300, 50],
    [520, 70, 33],
    [64, 40, 2400],
];

/// Runs one product in every way, c lying in a larger matrix, against the sums by definition.
fn every_way<T: Scalar + std::fmt::Debug>(isa: Isa, pools: &[Pool], [m, n, k]: [usize; 3], of: fn(i32) -> T) {
    let mut lcg = Lcg(7);
    let mut draw = |count: usize| (0..count).map(|_| (lcg.next() % 7) as i32 - 3).collect::<Vec<i32>>();
    let (a, b) = (draw(m * k), draw(k * n));
    let (x, y): (Vec<T>, Vec<T>) = (a.iter().map(|&v| of(v)).collect(), b.iter().map(|&v| of(v)).collect());
    let c_row = n + 3;
    for (a_turned, b_turned) in [(false, false), (true, false), (false, true), (true, true)] {
        let strides = |turned: bool, rows: usize, columns: usize| {
            if turned {
                Strides { row: 1, column: rows as isize }
            } else {
                Strides { row: columns as isize, column: 1 }
            }
        };
        let (sa, sb) = (strides(a_turned, m, k), strides(b_turned, k, n));
        let at = |s: Strides, i: usize, j: usize| (i as isize * s.row + j as isize * s.column) as usize;
        let sum = |i, j| (0..k).map(|p| a[at(sa, i, p)] * b[at(sb, p, j)]).sum::<i32>();
        let sums: Vec<i32> = (0..m * n).map(|i| sum(i / n, i % n)).collect();
        let product = Product::<T>::new(Sizes { m, n, k, a: sa, b: sb, c_row }, isa);
        let mut scratch = vec![0u64; (product.scratch_bytes().max(serial_bytes::<T>(&product.sizes))) / 8 + 8];
        let scratch = scratch.as_mut_ptr().cast::<u8>();
        let scratch = scratch.wrapping_add(scratch.align_offset(64));
        let mut packed = vec![T::ZERO; product.packed_len()];
        // SAFETY: buffers as the sizes say.
        unsafe { product.pack_b(packed.as_mut_ptr(), y.as_ptr()) };
        for (accumulate, pool) in [false, true].into_iter().flat_map(|more| pools.iter().map(move |pool| (more, pool)))
        {
            let want: Vec<T> = (0..m * c_row)
                .map(|i| match (i / c_row, i % c_row) {
                    (i, j) if j < n => of(sums[i * n + j] + if accumulate { 5 } else { 0 }),
                    _ => of(5),
                })
                .collect();
            for way in 0..3 {
                let mut c = vec![of(5); m * c_row];
                let (a, b, to) = (x.as_ptr(), y.as_ptr(), c.as_mut_ptr());
                // SAFETY: as above.
                unsafe {
                    match way {
                        0 => product.run_serial(a, b, to, accumulate, scratch),
                        1 => product.run(a, b, to, accumulate, scratch, pool, None),
                        _ => product.run_packed(a, packed.as_ptr(), to, accumulate, scratch, pool, None),
                    }
                }
                assert!(
                    c == want,
                    "{isa:?} {m}x{k} {a_turned} by {k}x{n} {b_turned}, way {way}, {} threads",
                    pool.threads()
                );
            }
        }
    }
}

#[test]
fn whole_numbers_are_exact_at_every_edge_in_every_way() {
    let pools = [Pool::new(1), Pool::new(2), Pool::new(8)];
    each_isa(|isa| {
        for &sizes in EDGES {
            every_way::<f32>(isa, &pools, sizes, |v| v as f32);
            every_way::<f64>(isa, &pools, sizes, |v| v as f64);
            every_way::<i32>(isa, &pools, sizes, |v| v);
        }
    });
}

#[test]
fn bits_do_not_depend_on_threads() {
    let pools = [Pool::new(1), Pool::new(2), Pool::new(8)];
    each_isa(|isa| {
        for &[m, n, k] in EDGES {
            let mut lcg = Lcg(11);
            let (a, b) = (lcg.floats(m * k), lcg.floats(k * n));
            let (row, column) = (Strides { row: k as isize, column: 1 }, Strides { row: n as isize, column: 1 });
            let product = Product::<f32>::new(Sizes { m, n, k, a: row, b: column, c_row: n }, isa);
            let results = pools.each_ref().map(|pool| {
                let (mut c, mut scratch) = (vec![0f32; m * n], vec![0u64; product.scratch_bytes() / 8 + 8]);
                let scratch = scratch.as_mut_ptr().cast::<u8>();
                let scratch = scratch.wrapping_add(scratch.align_offset(64));
                // SAFETY: buffers as the sizes say.
                unsafe { product.run(a.as_ptr(), b.as_ptr(), c.as_mut_ptr(), false, scratch, pool, None) };
                c.iter().map(|x| x.to_bits()).collect::<Vec<u32>>()
            });
            assert!(results.iter().all(|bits| *bits == results[0]), "{isa:?} {m} {n} {k}");
        }
    });
}
