//! Random loop kernels on int32, where every order of evaluation gives the same bits, against a plain evaluator.

use super::tests::{load, run};
use crate::Pool;
use crate::isa::testing::each_isa;
use crate::testing::{Lcg, bytes, numbers};
use millrace_program::{BoundLoop, BoundStore, DType, Instr, NONE, Op};

const I: DType = DType::Int32;

struct Random {
    kernel: BoundLoop,
    inputs: Vec<Vec<i32>>,
}

fn random(lcg: &mut Lcg) -> Random {
    let mut pick = |n: usize| lcg.next() as usize % n;
    let rank = pick(6);
    let sizes = [1, 1, 2, 3, 5, 16, 17, 40, 130];
    let mut extents: Vec<usize> = Vec::new();
    for _ in 0..rank {
        let room = 60_000 / extents.iter().product::<usize>();
        extents.push(sizes[pick(sizes.len())].min(room));
    }
    let (mut loads, mut inputs) = (vec![], vec![]);
    for _ in 0..1 + pick(3) {
        // The axes of the operand in memory, in some order, some of them broadcast or reversed.
        let mut axes: Vec<usize> = (0..rank).collect();
        if pick(2) == 0 {
            (1..rank).for_each(|i| axes.swap(i, pick(i + 1)));
        }
        let (mut strides, mut step, mut offset) = (vec![0i64; rank], 1i64, 0i64);
        for &axis in axes.iter().rev() {
            match pick(6) {
                0 => {}
                1 => {
                    strides[axis] = -step;
                    offset += step * (extents[axis] as i64 - 1);
                    step *= extents[axis] as i64;
                }
                _ => {
                    strides[axis] = step;
                    step *= extents[axis] as i64;
                }
            }
        }
        let margin = pick(3) as i64;
        loads.push(load(I, offset + margin, &strides));
        inputs.push((0..step + margin).map(|i| (i * 7919 % 2003 - 1000) as i32).collect());
    }
    let mut instrs = vec![];
    for _ in 0..pick(6) {
        let values = loads.len() + instrs.len();
        let mut args = [NONE; 3];
        let (op, arity, immediate) = match pick(6) {
            0 => (Op::Add, 2, 0),
            1 => (Op::Sub, 2, 0),
            2 => (Op::Max, 2, 0),
            3 => (Op::Neg, 1, 0),
            4 if rank > 0 => (Op::Iota, 0, pick(rank) as u64),
            _ => (Op::Constant, 0, 77),
        };
        args[..arity].iter_mut().for_each(|arg| *arg = pick(values) as u32);
        instrs.push(Instr { op, dtype: I, args, immediate });
    }
    let values = loads.len() + instrs.len();
    let mut stores = vec![];
    for _ in 0..1 + pick(3) {
        let value = pick(values) as u32;
        let mask = pick(1 << rank) as u32;
        let reduce = if mask == 0 { None } else { Some([Op::ReduceSum, Op::ReduceMax, Op::ReduceMin][pick(3)]) };
        stores.push(BoundStore { dtype: I, value, reduce, mask });
    }
    Random { kernel: BoundLoop { extents, loads, instrs, stores }, inputs }
}

fn evaluate(it: &Random) -> Vec<Vec<i32>> {
    let BoundLoop { extents, loads, instrs, stores } = &it.kernel;
    let kept = |mask: u32| (0..extents.len()).filter(move |k| mask >> k & 1 == 0);
    let start = |op| match op {
        Some(Op::ReduceMax) => i32::MIN,
        Some(Op::ReduceMin) => i32::MAX,
        _ => 0,
    };
    let size = |store: &BoundStore| kept(store.mask).map(|k| extents[k]).product();
    let mut outs: Vec<Vec<i32>> = stores.iter().map(|store| vec![start(store.reduce); size(store)]).collect();
    let mut index = vec![0usize; extents.len()];
    for _ in 0..extents.iter().product() {
        let at = |load: &millrace_program::BoundLoad| {
            (load.offset + index.iter().zip(&load.strides).map(|(&i, s)| i as i64 * s).sum::<i64>()) as usize
        };
        let mut values: Vec<i32> = loads.iter().zip(&it.inputs).map(|(load, input)| input[at(load)]).collect();
        for instr in instrs {
            let arg = |n: usize| values[instr.args[n] as usize];
            values.push(match instr.op {
                Op::Add => arg(0).wrapping_add(arg(1)),
                Op::Sub => arg(0).wrapping_sub(arg(1)),
                Op::Max => arg(0).max(arg(1)),
                Op::Neg => arg(0).wrapping_neg(),
                Op::Iota => index[instr.immediate as usize] as i32,
                _ => instr.immediate as i32,
            });
        }
        for (store, out) in stores.iter().zip(&mut outs) {
            let to = &mut out[kept(store.mask).fold(0, |to, k| to * extents[k] + index[k])];
            let x = values[store.value as usize];
            *to = match store.reduce {
                None => x,
                Some(Op::ReduceMax) => x.max(*to),
                Some(Op::ReduceMin) => x.min(*to),
                _ => to.wrapping_add(x),
            };
        }
        for k in (0..extents.len()).rev() {
            index[k] += 1;
            if index[k] < extents[k] {
                break;
            }
            index[k] = 0;
        }
    }
    outs
}

#[test]
fn random_loops() {
    let pool = Pool::new(3);
    let mut lcg = Lcg(2026);
    for round in 0..400 {
        let it = random(&mut lcg);
        let want = evaluate(&it);
        let inputs: Vec<Vec<u8>> = it.inputs.iter().map(|x| bytes(x)).collect();
        let lengths: Vec<usize> = want.iter().map(|x| x.len() * 4).collect();
        each_isa(|_| {
            let got = run(&it.kernel, &inputs, &lengths, &pool);
            for (got, want) in got.iter().zip(&want) {
                assert_eq!(&numbers::<i32>(got), want, "round {round}: {:?}", it.kernel);
            }
        });
    }
}
