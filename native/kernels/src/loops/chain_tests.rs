//! Random chains of float32 instructions against a plain evaluator, on numbers that no instruction rounds: so the bits
//! are the same whatever is fused.

use super::LoopPlan;
use super::float::{max64, min64};
use super::tests::{instr, load, store};
use crate::Pool;
use crate::isa::testing::each_isa;
use crate::testing::{Lcg, bytes, numbers};
use millrace_program::{BoundLoop, DType, Instr, NONE, Op};

const F: DType = DType::Float32;
const NUMBERS: [f32; 12] = [0.0, -0.0, 1.0, -1.0, 2.0, 3.0, -4.0, 0.5, 9.0, f32::INFINITY, f32::NEG_INFINITY, f32::NAN];
const COMPARES: [Op; 6] = [Op::Gt, Op::Ge, Op::Lt, Op::Le, Op::Eq, Op::Ne];

fn random(lcg: &mut Lcg, n: usize) -> BoundLoop {
    let mut pick = |n: usize| lcg.next() as usize % n;
    // A scalar among the operands.
    let mut loads = vec![load(F, 0, &[1]); 2 + pick(3)];
    loads.push(load(F, 0, &[0]));
    let mut instrs: Vec<Instr> = vec![];
    let mut floats: Vec<u32> = (0..loads.len() as u32).collect();
    for _ in 0..2 + pick(12) {
        // Often what was just made, so that chains are long.
        let mut any = || floats[if pick(2) == 0 { floats.len() - 1 } else { pick(floats.len()) }];
        let (x, y, z, w) = (any(), any(), any(), any());
        let next = (loads.len() + instrs.len()) as u32;
        match pick(12) {
            0..3 => instrs.push(instr(Op::Add, F, &[x, y])),
            3 | 4 => instrs.push(instr(Op::Sub, F, &[x, y])),
            5..8 => instrs.push(instr(Op::Mul, F, &[x, y])),
            8 => instrs.push(instr([Op::Max, Op::Min][pick(2)], F, &[x, y])),
            9 => instrs.push(instr([Op::Div, Op::Sqrt][pick(2)], F, &[x, y])),
            10 => instrs.push(instr(Op::Neg, F, &[x])),
            _ => {
                instrs.push(instr(COMPARES[pick(6)], DType::Bool, &[x, y]));
                instrs.push(instr(Op::Select, F, &[next, z, w]));
            }
        }
        let last = instrs.last_mut().expect("just pushed");
        if last.op == Op::Sqrt {
            last.args[1] = NONE;
        }
        floats.push((loads.len() + instrs.len() - 1) as u32);
    }
    let made: Vec<u32> = floats[loads.len()..].to_vec();
    let mut stores = vec![store(F, made[made.len() - 1])];
    (0..pick(3)).for_each(|_| stores.push(store(F, made[pick(made.len())])));
    BoundLoop { extents: vec![n], loads, instrs, stores }
}

/// What is stored at one position; `None` where something is rounded.
fn evaluate(kernel: &BoundLoop, operands: Vec<f32>) -> Option<Vec<f32>> {
    let mut values: Vec<f64> = operands.into_iter().map(f64::from).collect();
    for instr in &kernel.instrs {
        let [x, y, z] = instr.args.map(|arg| if arg == NONE { 0.0 } else { values[arg as usize] });
        let value = match instr.op {
            Op::Add => x + y,
            Op::Sub => x - y,
            Op::Mul => x * y,
            Op::Div => x / y,
            Op::Max => max64(x, y),
            Op::Min => min64(x, y),
            Op::Sqrt => x.sqrt(),
            Op::Neg => -x,
            Op::Gt => (x > y).into(),
            Op::Ge => (x >= y).into(),
            Op::Lt => (x < y).into(),
            Op::Le => (x <= y).into(),
            Op::Eq => (x == y).into(),
            Op::Ne => (x != y).into(),
            _ => {
                if x != 0.0 {
                    y
                } else {
                    z
                }
            }
        };
        if !value.is_nan() && value as f32 as f64 != value {
            return None;
        }
        values.push(value);
    }
    Some(kernel.stores.iter().map(|store| values[store.value as usize] as f32).collect())
}

#[test]
fn random_chains_apart_and_in_place() {
    let pool = Pool::new(2);
    let mut lcg = Lcg(41);
    let mut rounds = 0;
    while rounds < 600 {
        let n = [1, 15, 16, 100, 128, 1000, 3001][lcg.next() as usize % 7];
        let kernel = random(&mut lcg, n);
        let numbers_of = |load: usize, i: usize| NUMBERS[(i * (2 * load + 3) + i / 7 * load + load) % NUMBERS.len()];
        let count = kernel.loads.len();
        let operand = |load: usize, i: usize| if load + 1 == count { 2.0 } else { numbers_of(load, i) };
        let rows: Option<Vec<Vec<f32>>> =
            (0..n).map(|i| evaluate(&kernel, (0..count).map(|load| operand(load, i)).collect())).collect();
        let Some(want) = rows else { continue };
        rounds += 1;
        // Each result takes the place of a dense operand, or lies apart.
        let mut free: Vec<Option<usize>> = (0..count - 1).map(Some).collect();
        free.resize(free.len() + kernel.stores.len(), None);
        let mut place = || free.swap_remove(lcg.next() as usize % free.len());
        let places: Vec<Option<usize>> = kernel.stores.iter().map(|_| place()).collect();
        each_isa(|isa| {
            let mut inputs: Vec<Vec<u8>> =
                (0..count).map(|load| bytes(&(0..n).map(|i| operand(load, i)).collect::<Vec<f32>>())).collect();
            let mut apart: Vec<Vec<u8>> = places.iter().map(|_| vec![0; 4 * n]).collect();
            let starts: Vec<*mut u8> = inputs.iter_mut().map(|x| x.as_mut_ptr()).collect();
            let ins: Vec<*const u8> = starts.iter().map(|x| x.cast_const()).collect();
            let outs: Vec<*mut u8> =
                places.iter().zip(&mut apart).map(|(at, own)| at.map_or(own.as_mut_ptr(), |at| starts[at])).collect();
            let plan = LoopPlan::new(&kernel).unwrap();
            // SAFETY: buffers of n floats; a dense loop may write an operand's place. It asks for no scratch memory.
            unsafe { crate::Plan::run(&plan, &ins, &outs, std::ptr::null_mut(), &pool) }
            for (s, at) in places.iter().enumerate() {
                let got: Vec<f32> = numbers(at.map_or(&apart[s], |at| &inputs[at]));
                for (i, (got, want)) in got.iter().zip(&want).enumerate() {
                    let same = got.to_bits() == want[s].to_bits() || got.is_nan() && want[s].is_nan();
                    assert!(same, "{isa:?} {places:?} store {s} at {i}: {got} for {} in {kernel:?}", want[s]);
                }
            }
        });
    }
}
