//! Over 400 lines: one test for each of many things that a loop may hold, against a plain evaluator in float64, on
//! every path of this machine.

use super::LoopPlan;
use crate::Pool;
use crate::isa::testing::each_isa;
use crate::testing::{Lcg, bytes, numbers, run_plan};
use millrace_program::{BoundLoad, BoundLoop, BoundStore, DType, Instr, NONE, Op};

pub fn load(dtype: DType, offset: i64, strides: &[i64]) -> BoundLoad {
    BoundLoad { dtype, offset, strides: strides.to_vec() }
}

pub fn instr(op: Op, dtype: DType, args: &[u32]) -> Instr {
    let mut all = [NONE; 3];
    all[..args.len()].copy_from_slice(args);
    Instr { op, dtype, args: all, immediate: 0 }
}

pub fn store(dtype: DType, value: u32) -> BoundStore {
    BoundStore { dtype, value, reduce: None, mask: 0 }
}

pub fn reduction(dtype: DType, value: u32, op: Op, mask: u32) -> BoundStore {
    BoundStore { dtype, value, reduce: Some(op), mask }
}

pub fn dense(extents: &[usize]) -> Vec<i64> {
    super::order::dense_strides(extents)
}

pub fn run(kernel: &BoundLoop, ins: &[Vec<u8>], outs: &[usize], pool: &Pool) -> Vec<Vec<u8>> {
    let plan = LoopPlan::new(kernel).unwrap();
    run_plan(&plan, ins, outs, pool)
}

fn unary(op: Op, from: DType, to: DType, x: Vec<u8>, n: usize) -> Vec<u8> {
    let kernel = BoundLoop {
        extents: vec![n],
        loads: vec![load(from, 0, &[1])],
        instrs: vec![instr(op, to, &[0])],
        stores: vec![store(to, 1)],
    };
    run(&kernel, &[x], &[n * to.size()], Pool::global()).remove(0)
}

fn binary<T: Copy>(op: Op, dtype: DType, to: DType, x: &[T], y: &[T]) -> Vec<u8> {
    let kernel = BoundLoop {
        extents: vec![x.len()],
        loads: vec![load(dtype, 0, &[1]), load(dtype, 0, &[1])],
        instrs: vec![instr(op, to, &[0, 1])],
        stores: vec![store(to, 2)],
    };
    run(&kernel, &[bytes(x), bytes(y)], &[x.len() * to.size()], Pool::global()).remove(0)
}

const SIZES: [usize; 9] = [0, 1, 8, 15, 16, 17, 1024, 1025, 70_001];

#[test]
fn a_chain_at_every_size() {
    each_isa(|_| {
        for n in SIZES {
            let mut lcg = Lcg(n as u64);
            let (x, y): (Vec<f32>, Vec<f32>) =
                ((0..n).map(|_| lcg.float()).collect(), (0..n).map(|_| lcg.float()).collect());
            let f = DType::Float32;
            let kernel = BoundLoop {
                extents: vec![n],
                loads: vec![load(f, 0, &[1]), load(f, 0, &[1]), load(f, 0, &[0])],
                instrs: vec![
                    instr(Op::Mul, f, &[0, 1]),
                    instr(Op::Add, f, &[3, 2]),
                    instr(Op::Exp, f, &[4]),
                    instr(Op::Gt, DType::Bool, &[0, 1]),
                    instr(Op::Select, f, &[6, 5, 0]),
                ],
                stores: vec![store(f, 7), store(DType::Bool, 6)],
            };
            let outs = run(&kernel, &[bytes(&x), bytes(&y), bytes(&[0.5f32])], &[n * 4, n], Pool::global());
            let (got, greater): (Vec<f32>, Vec<u8>) = (numbers(&outs[0]), outs[1].clone());
            for i in 0..n {
                let want = if x[i] > y[i] { ((x[i] * y[i] + 0.5) as f64).exp() } else { x[i] as f64 };
                assert!((got[i] as f64 - want).abs() <= 4e-7 * want.abs(), "{n} {i}: {} {want}", got[i]);
                assert_eq!(greater[i], (x[i] > y[i]) as u8);
            }
        }
    });
}

#[test]
fn float_edges() {
    let nan = f32::NAN;
    let inf = f32::INFINITY;
    let check = |op, x: &[f32], want: &[f32]| {
        let got: Vec<f32> = numbers(&unary(op, DType::Float32, DType::Float32, bytes(x), x.len()));
        assert!(
            got.iter().zip(want).all(|(a, b)| a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan())),
            "{op:?}: {got:?} {want:?}"
        );
    };
    let check2 = |op, x: &[f32], y: &[f32], want: &[f32]| {
        let got: Vec<f32> = numbers(&binary(op, DType::Float32, DType::Float32, x, y));
        assert!(
            got.iter().zip(want).all(|(a, b)| a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan())),
            "{op:?}: {got:?} {want:?}"
        );
    };
    each_isa(|_| {
        check(Op::Exp, &[-inf, inf, nan, 0.0, -0.0, 200.0, -200.0], &[0.0, inf, nan, 1.0, 1.0, inf, 0.0]);
        check(Op::Log, &[-inf, inf, nan, 0.0, -0.0, -1.0, 1.0], &[nan, inf, nan, -inf, -inf, nan, 0.0]);
        check(Op::Tanh, &[-inf, inf, nan, 0.0, -0.0], &[-1.0, 1.0, nan, 0.0, -0.0]);
        check(Op::Logistic, &[-inf, inf, nan, 0.0], &[0.0, 1.0, nan, 0.5]);
        check(Op::Erf, &[-inf, inf, nan, 0.0, -0.0], &[-1.0, 1.0, nan, 0.0, -0.0]);
        check(Op::Sin, &[-inf, inf, nan, 0.0, -0.0, 1e20], &[nan, nan, nan, 0.0, -0.0, (1e20f32 as f64).sin() as f32]);
        check(Op::Sign, &[-inf, inf, nan, 0.0, -0.0, -3.0], &[-1.0, 1.0, nan, 0.0, -0.0, -1.0]);
        check(Op::Round, &[0.5, 1.5, 2.5, -0.5, -0.2, 1e10, nan, inf], &[0.0, 2.0, 2.0, -0.0, -0.0, 1e10, nan, inf]);
        check(Op::Floor, &[0.5, -0.5, -0.0, inf], &[0.0, -1.0, -0.0, inf]);
        check(Op::Rsqrt, &[4.0, 0.0, -1.0, inf], &[0.5, inf, nan, 0.0]);
        check2(
            Op::Max,
            &[nan, 1.0, 0.0, -0.0, -0.0, -inf],
            &[1.0, nan, -0.0, 0.0, -0.0, 1.0],
            &[nan, nan, 0.0, 0.0, -0.0, 1.0],
        );
        check2(
            Op::Min,
            &[nan, 1.0, 0.0, -0.0, 0.0, inf],
            &[1.0, nan, -0.0, 0.0, 0.0, 1.0],
            &[nan, nan, -0.0, -0.0, 0.0, 1.0],
        );
        check2(Op::Rem, &[5.5, -5.5, 1.0, inf, 3.0], &[2.0, 2.0, 0.0, 2.0, inf], &[1.5, -1.5, nan, nan, 3.0]);
        check2(
            Op::Pow,
            &[nan, 1.0, -2.0, -2.0, 0.0, -0.0, -8.0],
            &[0.0, nan, 3.0, 0.5, -1.0, -1.0, inf],
            &[1.0, 1.0, -8.0, nan, inf, -inf, inf],
        );
        let x = [nan, 1.0, 0.0, inf];
        let y = [nan, 2.0, -0.0, inf];
        let compare = |op| binary(op, DType::Float32, DType::Bool, &x, &y);
        assert_eq!(compare(Op::Eq), [0, 0, 1, 1]);
        assert_eq!(compare(Op::Ne), [1, 1, 0, 0]);
        assert_eq!(compare(Op::Lt), [0, 1, 0, 0]);
        assert_eq!(compare(Op::Le), [0, 1, 1, 1]);
        assert_eq!(compare(Op::Gt), [0, 0, 0, 0]);
        assert_eq!(compare(Op::Ge), [0, 0, 1, 1]);
        assert_eq!(unary(Op::IsFinite, DType::Float32, DType::Bool, bytes(&x), 4), [0, 1, 1, 0]);
    });
}

#[test]
fn integer_edges() {
    each_isa(|_| {
        let x = [7, -7, 5, i32::MIN, i32::MIN, 0];
        let y = [2, 2, 0, -1, 2, 3];
        let op = |op| numbers::<i32>(&binary(op, DType::Int32, DType::Int32, &x, &y));
        assert_eq!(op(Op::Div), [3, -3, 0, i32::MIN, i32::MIN / 2, 0]);
        assert_eq!(op(Op::Rem), [1, -1, 0, 0, 0, 0]);
        assert_eq!(op(Op::Mul), [14, -14, 0, i32::MIN, 0, 0]);
        assert_eq!(op(Op::Pow), [49, 49, 1, 0, 0, 0]);
        let pow = numbers::<i64>(&binary(
            Op::Pow,
            DType::Int64,
            DType::Int64,
            &[2i64, -1, -1, 1, 0, 3],
            &[-1i64, -3, -4, -5, -1, 40],
        ));
        assert_eq!(pow, [0, -1, 1, 1, 0, 3i64.wrapping_pow(40)]);
        assert_eq!(numbers::<u8>(&binary(Op::Sub, DType::Uint8, DType::Uint8, &[3u8, 5], &[5u8, 3])), [254, 2]);
        assert_eq!(unary(Op::Not, DType::Bool, DType::Bool, vec![0, 1], 2), [1, 0]);
        assert_eq!(unary(Op::Not, DType::Uint8, DType::Uint8, vec![0, 1], 2), [255, 254]);
        assert_eq!(
            numbers::<i32>(&unary(Op::Abs, DType::Int32, DType::Int32, bytes(&[i32::MIN, -3]), 2)),
            [i32::MIN, 3]
        );
    });
}

#[test]
fn casts() {
    each_isa(|_| {
        let x = [1.9f32, -1.9, f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 3e9, 300.0, -0.0];
        let to = |to| unary(Op::Cast, DType::Float32, to, bytes(&x), x.len());
        assert_eq!(numbers::<i32>(&to(DType::Int32)), [1, -1, 0, i32::MAX, i32::MIN, i32::MAX, 300, 0]);
        assert_eq!(numbers::<i64>(&to(DType::Int64)), [1, -1, 0, i64::MAX, i64::MIN, 3_000_000_000, 300, 0]);
        assert_eq!(to(DType::Uint8), [1, 0, 0, 255, 0, 255, 255, 0]);
        assert_eq!(to(DType::Bool), [1, 1, 1, 1, 1, 1, 1, 0]);
        assert_eq!(unary(Op::Cast, DType::Int32, DType::Uint8, bytes(&[257i32, -1]), 2), [1, 255]);
        assert_eq!(
            numbers::<f64>(&unary(Op::Cast, DType::Int64, DType::Float64, bytes(&[i64::MAX]), 1)),
            [i64::MAX as f64]
        );
        assert_eq!(numbers::<f32>(&unary(Op::Cast, DType::Bool, DType::Float32, vec![0, 1], 2)), [0.0, 1.0]);
    });
}

/// Every index of a space, outermost first.
fn indices(extents: &[usize]) -> Vec<Vec<usize>> {
    extents.iter().fold(vec![vec![]], |all, &e| {
        all.into_iter().flat_map(|index| (0..e).map(move |i| [index.clone(), vec![i]].concat())).collect()
    })
}

#[test]
fn strides_broadcasts_reversals_iota() {
    let f = DType::Float32;
    let spaces: [&[usize]; 7] = [&[], &[1], &[3, 5], &[2, 1, 7, 3], &[64, 70], &[5, 33, 47], &[2, 3, 2, 1, 3, 40]];
    each_isa(|_| {
        for extents in spaces {
            let n: usize = extents.iter().product();
            let x: Vec<f32> = (0..n).map(|i| i as f32).collect();
            let rank = extents.len();
            // A transposed operand: axis k of the space is axis rank - 1 - k of the buffer.
            let flipped: Vec<usize> = extents.iter().rev().copied().collect();
            let transposed: Vec<i64> = dense(&flipped).into_iter().rev().collect();
            let broadcast: Vec<i64> = (0..rank).map(|k| if k % 2 == 0 { dense(extents)[k] } else { 0 }).collect();
            let reversed: Vec<i64> = dense(extents).into_iter().map(|s| -s).collect();
            let mut instrs = vec![instr(Op::Add, f, &[0, 1]), instr(Op::Add, f, &[4, 2]), instr(Op::Add, f, &[5, 3])];
            for k in 0..rank {
                instrs.push(Instr { op: Op::Iota, dtype: f, args: [NONE; 3], immediate: k as u64 });
                instrs.push(instr(
                    Op::Mul,
                    f,
                    &[3 + instrs.len() as u32, 3 + instrs.len() as u32 - if k == 0 { 0 } else { 1 }],
                ));
            }
            let last = 3 + instrs.len() as u32;
            let kernel = BoundLoop {
                extents: extents.to_vec(),
                loads: vec![
                    load(f, 0, &transposed),
                    load(f, 0, &broadcast),
                    load(f, n as i64 - 1, &reversed),
                    load(f, 0, &dense(extents)),
                ],
                instrs: instrs.clone(),
                stores: vec![store(f, 6), store(f, last)],
            };
            let outs = run(&kernel, &[bytes(&x), bytes(&x), bytes(&x), bytes(&x)], &[n * 4, n * 4], Pool::global());
            let got: Vec<f32> = numbers(&outs[0]);
            let at =
                |strides: &[i64], index: &[usize]| index.iter().zip(strides).map(|(&i, &s)| i as i64 * s).sum::<i64>();
            for (i, index) in indices(extents).iter().enumerate() {
                let want =
                    at(&transposed, index) + at(&broadcast, index) + n as i64 - 1 + at(&reversed, index) + i as i64;
                assert_eq!(got[i], want as f32, "{extents:?} {index:?}");
            }
            let copied = BoundLoop { instrs: vec![], stores: vec![store(f, 0)], ..kernel };
            let outs = run(&copied, &[bytes(&x), vec![], vec![], vec![]], &[n * 4], Pool::global());
            let got: Vec<f32> = numbers(&outs[0]);
            for (i, index) in indices(extents).iter().enumerate() {
                assert_eq!(got[i], at(&transposed, index) as f32);
            }
        }
    });
}

#[test]
fn iota_counts_its_extent() {
    each_isa(|_| {
        for dtype in [DType::Float32, DType::Int64, DType::Uint8] {
            for axis in 0..3 {
                let extents = [3, 50, 17];
                let kernel = BoundLoop {
                    extents: extents.to_vec(),
                    loads: vec![],
                    instrs: vec![
                        Instr { op: Op::Iota, dtype, args: [NONE; 3], immediate: axis },
                        instr(Op::Cast, DType::Int32, &[0]),
                    ],
                    stores: vec![store(DType::Int32, 1)],
                };
                let got: Vec<i32> = numbers(&run(&kernel, &[], &[3 * 50 * 17 * 4], Pool::global())[0]);
                assert!(indices(&extents).iter().zip(got).all(|(index, x)| index[axis as usize] == x as usize));
            }
        }
    });
}

#[test]
fn malformed_loops_are_refused() {
    let f = DType::Float32;
    let good = BoundLoop {
        extents: vec![4],
        loads: vec![load(f, 0, &[1])],
        instrs: vec![instr(Op::Add, f, &[0, 0])],
        stores: vec![store(f, 1)],
    };
    assert!(LoopPlan::new(&good).is_ok());
    let refuse = |change: &dyn Fn(&mut BoundLoop)| {
        let mut kernel = good.clone();
        change(&mut kernel);
        assert!(LoopPlan::new(&kernel).is_err(), "{kernel:?}");
    };
    refuse(&|k| k.instrs[0].args[1] = 1);
    refuse(&|k| k.instrs[0].args[1] = NONE);
    refuse(&|k| k.instrs[0].op = Op::DotGeneral);
    refuse(&|k| k.instrs[0].dtype = DType::Int32);
    refuse(&|k| k.stores[0].value = 2);
    refuse(&|k| k.stores[0].dtype = DType::Bool);
    refuse(&|k| k.stores[0] = reduction(f, 1, Op::ReduceSum, 2));
    refuse(&|k| k.stores[0] = reduction(f, 1, Op::ReduceAnd, 1));
    refuse(&|k| k.loads[0].strides.push(1));
    refuse(&|k| k.extents[0] = usize::MAX);
}

#[test]
fn in_place() {
    each_isa(|_| {
        for n in [8, 1024, 5000] {
            let kernel = BoundLoop {
                extents: vec![n],
                loads: vec![load(DType::Float32, 0, &[1])],
                instrs: vec![instr(Op::Add, DType::Float32, &[0, 0]), instr(Op::Mul, DType::Float32, &[1, 0])],
                stores: vec![store(DType::Float32, 2)],
            };
            let plan = LoopPlan::new(&kernel).unwrap();
            let mut x: Vec<f32> = (0..n).map(|i| i as f32).collect();
            let p = x.as_mut_ptr().cast::<u8>();
            // SAFETY: one buffer of n floats, in place; no scratch is asked for.
            unsafe { crate::Plan::run(&plan, &[p.cast_const()], &[p], std::ptr::null_mut(), Pool::global()) }
            assert!(x.iter().enumerate().all(|(i, &v)| v == (2 * i * i) as f32));
        }
    });
}

#[test]
fn any_ranges_give_the_same_bits() {
    let f = DType::Float32;
    each_isa(|_| {
        for extents in [[40usize, 33], [3, 700], [64, 16], [1, 1]] {
            let n = extents[0] * extents[1];
            let (rows, columns) = (extents[0] as i64, extents[1] as i64);
            // A dense operand, a bias, a column, a transposed operand, a scalar, an iota.
            let kernel = BoundLoop {
                extents: extents.to_vec(),
                loads: [[columns, 1], [0, 1], [1, 0], [1, rows], [0, 0]].map(|s| load(f, 0, &s)).to_vec(),
                instrs: vec![
                    instr(Op::Mul, f, &[0, 1]),
                    instr(Op::Add, f, &[5, 2]),
                    instr(Op::Tanh, f, &[6]),
                    instr(Op::Sub, f, &[7, 3]),
                    Instr { op: Op::Iota, dtype: f, args: [NONE; 3], immediate: 1 },
                    instr(Op::Mul, f, &[8, 9]),
                    instr(Op::Gt, DType::Bool, &[10, 4]),
                ],
                stores: vec![store(f, 10), store(DType::Bool, 11)],
            };
            let mut lcg = Lcg(n as u64);
            let ins: Vec<Vec<u8>> = [n, extents[1], extents[0], n, 1].map(|n| bytes(&lcg.floats(n))).to_vec();
            let want = run(&kernel, &ins, &[n * 4, n], Pool::global());
            let plan = LoopPlan::ranged(&kernel).unwrap();
            for pieces in [1, 2, 7, n] {
                let mut cuts: Vec<usize> = (1..pieces).map(|_| lcg.next() as usize % (n + 1)).collect();
                cuts.extend([0, n]);
                cuts.sort_unstable();
                let mut outs = [vec![0u8; n * 4], vec![0u8; n]];
                let starts: Vec<*const u8> = ins.iter().map(|x| x.as_ptr()).collect();
                let ends = outs.each_mut().map(|x| x.as_mut_ptr());
                for cut in cuts.windows(2) {
                    // SAFETY: buffers of these shapes; a `Vec` of bytes is allocated with the alignment of words.
                    unsafe { plan.run_range(&starts, &ends, cut[0]..cut[1]) }
                }
                assert_eq!(outs.as_slice(), want, "{extents:?} in {pieces}");
            }
        }
        let sum = BoundLoop {
            extents: vec![4],
            loads: vec![load(f, 0, &[1])],
            instrs: vec![],
            stores: vec![reduction(f, 0, Op::ReduceSum, 1)],
        };
        assert!(LoopPlan::ranged(&sum).is_err());
    });
}

#[test]
fn pairs_of_instructions() {
    let f = DType::Float32;
    each_isa(|_| {
        let n = 100;
        let mut lcg = Lcg(7);
        let x: Vec<Vec<f32>> = (0..4).map(|_| lcg.floats(n)).collect();
        let ins: Vec<Vec<u8>> = x.iter().map(|x| bytes(x)).collect();
        let value = |op: Op, a: f32, b: f32| match op {
            Op::Add => a + b,
            Op::Sub => a - b,
            Op::Mul => a * b,
            Op::Div => a / b,
            _ => a.max(b),
        };
        let ops = [Op::Add, Op::Sub, Op::Mul, Op::Div, Op::Max];
        for (first, second, swapped) in
            ops.iter().flat_map(|a| ops.iter().flat_map(move |b| [(a, b, false), (a, b, true)]))
        {
            let args = if swapped { [2, 4] } else { [4, 2] };
            let kernel = BoundLoop {
                extents: vec![n],
                loads: vec![load(f, 0, &[1]); 4],
                instrs: vec![instr(*first, f, &[0, 1]), instr(*second, f, &args)],
                stores: vec![store(f, 5)],
            };
            let got: Vec<f32> = numbers(&run(&kernel, &ins, &[n * 4], Pool::global())[0]);
            for i in 0..n {
                let inner = value(*first, x[0][i], x[1][i]);
                let (a, b) = if swapped { (x[2][i], inner) } else { (inner, x[2][i]) };
                let want = value(*second, a, b);
                // One rounding of the product more or less.
                let slack = if *first == Op::Mul { (inner.abs() + want.abs()) * 1.2e-7 } else { 0.0 };
                assert!((got[i] - want).abs() <= slack, "{first:?} {second:?} {swapped}: {} {want}", got[i]);
            }
        }
        type Compare = fn(&f32, &f32) -> bool;
        let compares: [(Op, Compare); 6] = [
            (Op::Gt, f32::gt),
            (Op::Ge, f32::ge),
            (Op::Lt, f32::lt),
            (Op::Le, f32::le),
            (Op::Eq, f32::eq),
            (Op::Ne, f32::ne),
        ];
        for (op, compare) in compares {
            let kernel = BoundLoop {
                extents: vec![n],
                loads: vec![load(f, 0, &[1]); 4],
                instrs: vec![instr(op, DType::Bool, &[0, 1]), instr(Op::Select, f, &[4, 2, 3])],
                stores: vec![store(f, 5)],
            };
            let got: Vec<f32> = numbers(&run(&kernel, &ins, &[n * 4], Pool::global())[0]);
            let want: Vec<f32> = (0..n).map(|i| if compare(&x[0][i], &x[1][i]) { x[2][i] } else { x[3][i] }).collect();
            assert_eq!(got, want, "{op:?}");
        }
    });
}

#[test]
fn far_larger_than_the_caches() {
    let f = DType::Float32;
    each_isa(|_| {
        // The last tile is not full; then in place, where nothing is written around the caches.
        let n = (super::stream::WORTH / 12) + 37;
        let kernel = BoundLoop {
            extents: vec![n],
            loads: vec![load(f, 0, &[1]), load(f, 0, &[1])],
            instrs: vec![instr(Op::Add, f, &[0, 1]), instr(Op::Neg, f, &[2])],
            stores: vec![store(f, 3)],
        };
        let plan = LoopPlan::new(&kernel).unwrap();
        let mut x: Vec<f32> = (0..n).map(|i| (i % 1000) as f32).collect();
        let mut y: Vec<f32> = vec![0.0; n];
        for (from, to) in [(0, 1), (1, 1), (0, 0)] {
            let starts = [x.as_mut_ptr().cast::<u8>(), y.as_mut_ptr().cast::<u8>()];
            let ins = [starts[from].cast_const(), starts[0].cast_const()];
            // SAFETY: buffers of n floats; a dense loop may write an operand's place.
            unsafe { crate::Plan::run(&plan, &ins, &[starts[to]], std::ptr::null_mut(), Pool::global()) }
            // -(x + x); then -(-2 x + x) in y; then -(x + x) in x.
            let times = if from == 1 { 1.0 } else { -2.0 };
            let out = if to == 0 { &x } else { &y };
            assert!(out.iter().enumerate().all(|(i, &y)| y == times * (i % 1000) as f32));
        }
    });
}
