//! Reductions: the documented tree bit by bit, every op and dtype, on every path of this machine.

use super::reduce::{BLOCK, LANES};
use super::tests::{dense, instr, load, reduction, run, store};
use crate::Pool;
use crate::isa::testing::each_isa;
use crate::testing::{Lcg, bytes, numbers};
use millrace_program::{BoundLoop, DType, Op};

/// The documented tree, in float32, on one run.
fn tree_sum(x: &[f32]) -> f32 {
    let mut blocks: Vec<f32> = x
        .chunks(BLOCK)
        .map(|block| {
            let mut lanes = [0f32; LANES];
            block.iter().enumerate().for_each(|(i, &v)| lanes[i % LANES] += v);
            for half in [8, 4, 2, 1] {
                (0..half).for_each(|l| lanes[l] += lanes[l + half]);
            }
            lanes[0]
        })
        .collect();
    fn balanced(blocks: &mut [f32]) -> f32 {
        if blocks.len() == 1 {
            return blocks[0];
        }
        let left = blocks.len().next_power_of_two() / 2;
        let (a, b) = blocks.split_at_mut(left);
        balanced(a) + balanced(b)
    }
    if blocks.is_empty() { 0.0 } else { balanced(&mut blocks) }
}

#[test]
fn sums_have_the_bits_of_the_documented_tree() {
    let f = DType::Float32;
    let spaces: [(&[usize], u32); 20] = [
        (&[7], 1),
        (&[0], 1),
        (&[3, 0], 2),
        (&[0, 3], 1),
        (&[17], 1),
        (&[1025], 1),
        (&[300_000], 1),
        (&[1_100_001], 1),
        (&[128, 10], 2),
        (&[128, 10], 1),
        (&[5, 1500], 2),
        (&[128, 512], 1),
        (&[50_000, 32], 1),
        (&[3000, 2100], 1),
        (&[4, 1030, 3], 2),
        (&[4, 30, 3], 5),
        (&[9, 33, 40], 2),
        (&[2, 3, 5, 7, 11], 0b01010),
        (&[2, 1, 5, 1, 11], 0b01010),
        (&[600, 1, 20], 0b101),
    ];
    each_isa(|_| {
        for (extents, mask) in spaces {
            let n: usize = extents.iter().product();
            let mut lcg = Lcg(9);
            let x: Vec<f32> = (0..n).map(|_| lcg.float()).collect();
            let kernel = BoundLoop {
                extents: extents.to_vec(),
                loads: vec![load(f, 0, &dense(extents))],
                instrs: vec![instr(Op::Neg, f, &[0])],
                stores: vec![reduction(f, 0, Op::ReduceSum, mask), reduction(f, 1, Op::ReduceSum, mask), store(f, 1)],
            };
            let kept: Vec<usize> = (0..extents.len()).filter(|k| mask >> k & 1 == 0).map(|k| extents[k]).collect();
            let outputs: usize = kept.iter().product();
            let mut runs = vec![Vec::new(); outputs];
            let mut index = vec![0usize; extents.len()];
            for &v in &x {
                let to = (0..extents.len()).filter(|k| mask >> k & 1 == 0).fold(0, |to, k| to * extents[k] + index[k]);
                runs[to].push(v);
                for k in (0..extents.len()).rev() {
                    index[k] += 1;
                    if index[k] < extents[k] {
                        break;
                    }
                    index[k] = 0;
                }
            }
            for threads in [1, 3] {
                let outs = run(&kernel, &[bytes(&x)], &[outputs * 4, outputs * 4, n * 4], &Pool::new(threads));
                let (sum, negative, copy): (Vec<f32>, Vec<f32>, Vec<f32>) =
                    (numbers(&outs[0]), numbers(&outs[1]), numbers(&outs[2]));
                for (i, values) in runs.iter().enumerate() {
                    let want = tree_sum(values);
                    assert_eq!(sum[i].to_bits(), want.to_bits(), "{extents:?} {mask:b} {i}");
                    assert_eq!(negative[i], -want);
                }
                assert!(copy.iter().zip(&x).all(|(a, b)| *a == -b));
            }
        }
    });
}

#[test]
fn reductions_of_every_op_and_dtype() {
    each_isa(|_| {
        for n in [0, 1, 15, 17, 1025] {
            let mut lcg = Lcg(4);
            let x: Vec<i32> = (0..n).map(|_| (lcg.float() * 100.0) as i32).collect();
            macro_rules! check {
                ($t:ty, $dtype:expr, $sum:expr, $product:expr) => {{
                    let values: Vec<$t> = x.iter().map(|&v| v as $t).collect();
                    let reduce = |op| {
                        let kernel = BoundLoop {
                            extents: vec![n],
                            loads: vec![load($dtype, 0, &[1])],
                            instrs: vec![],
                            stores: vec![reduction($dtype, 0, op, 1)],
                        };
                        numbers::<$t>(&run(&kernel, &[bytes(&values)], &[size_of::<$t>()], Pool::global())[0])[0]
                    };
                    let (lowest, highest) = $sum;
                    assert_eq!(
                        reduce(Op::ReduceMax),
                        values.iter().copied().fold(lowest, |a, b| if b > a { b } else { a })
                    );
                    assert_eq!(
                        reduce(Op::ReduceMin),
                        values.iter().copied().fold(highest, |a, b| if b < a { b } else { a })
                    );
                    let product: fn($t, $t) -> $t = $product;
                    if n < 2 || !$dtype.is_float() {
                        assert_eq!(reduce(Op::ReduceProd), values.iter().copied().fold(1 as $t, product));
                    }
                }};
            }
            check!(f32, DType::Float32, (f32::NEG_INFINITY, f32::INFINITY), |a, b| a * b);
            check!(f64, DType::Float64, (f64::NEG_INFINITY, f64::INFINITY), |a, b| a * b);
            check!(i32, DType::Int32, (i32::MIN, i32::MAX), |a, b| a.wrapping_mul(b));
            check!(i64, DType::Int64, (i64::MIN, i64::MAX), |a, b| a.wrapping_mul(b));
            check!(u8, DType::Uint8, (0, 255), |a, b| a.wrapping_mul(b));
            let flags: Vec<u8> = x.iter().map(|&v| (v > -99) as u8).collect();
            let reduce = |op| {
                let kernel = BoundLoop {
                    extents: vec![n],
                    loads: vec![load(DType::Bool, 0, &[1])],
                    instrs: vec![],
                    stores: vec![reduction(DType::Bool, 0, op, 1)],
                };
                run(&kernel, std::slice::from_ref(&flags), &[1], Pool::global())[0][0]
            };
            assert_eq!(reduce(Op::ReduceAnd), flags.iter().all(|&v| v == 1) as u8);
            assert_eq!(reduce(Op::ReduceOr), flags.contains(&1) as u8);
        }
    });
}

#[test]
fn nan_goes_through_max() {
    each_isa(|_| {
        for at in [0, 5, 40] {
            let mut x = vec![1f32; 41];
            x[at] = f32::NAN;
            let kernel = BoundLoop {
                extents: vec![41],
                loads: vec![load(DType::Float32, 0, &[1])],
                instrs: vec![],
                stores: vec![
                    reduction(DType::Float32, 0, Op::ReduceMax, 1),
                    reduction(DType::Float32, 0, Op::ReduceMin, 1),
                ],
            };
            let outs = run(&kernel, &[bytes(&x)], &[4, 4], Pool::global());
            assert!(numbers::<f32>(&outs[0])[0].is_nan() && numbers::<f32>(&outs[1])[0].is_nan());
        }
    });
}
