//! Pairs of float32 instructions as one step: what the first makes for the second alone stays in a register. Where the
//! path has FMA, a product that only a sum or a difference reads is not rounded.

use super::elementwise::{Step, elementwise};
use super::float::max32;
use crate::isa::{Isa, fma32};
use millrace_program::{BoundLoop, DType, Instr, NONE, Op};

/// What becomes of an instruction.
#[derive(Clone, Copy)]
pub enum Role {
    Alone,
    /// It is computed with its only reader.
    First,
    Second(Pair),
}

/// `second(first(x, y), z)`; of a selection `first(x, y) ? z : w`.
#[derive(Clone, Copy)]
pub struct Pair {
    first: Op,
    second: Op,
    /// The second reads z before what the first made.
    swapped: bool,
    pub args: [u32; 4],
}

/// The role of each instruction of a loop.
pub fn find(kernel: &BoundLoop, stores: &[usize], needed: &[bool]) -> Vec<Role> {
    let loads = kernel.loads.len();
    let mut uses = vec![0u32; needed.len()];
    for (instr, _) in kernel.instrs.iter().zip(&needed[loads..]).filter(|(_, needed)| **needed) {
        instr.args.iter().filter(|&&arg| arg != NONE).for_each(|&arg| uses[arg as usize] += 1);
    }
    stores.iter().for_each(|&s| uses[kernel.stores[s].value as usize] += 1);
    let mut roles = vec![Role::Alone; kernel.instrs.len()];
    for (i, second) in kernel.instrs.iter().enumerate().filter(|&(i, _)| needed[loads + i]) {
        for (at, &arg) in second.args.iter().enumerate().filter(|&(_, &arg)| arg != NONE) {
            let Some(first) = (arg as usize).checked_sub(loads) else { continue };
            if uses[arg as usize] != 1 || !matches!(roles[first], Role::Alone) {
                continue;
            }
            if let Some(pair) = Pair::of(kernel, &kernel.instrs[first], second, at) {
                roles[first] = Role::First;
                roles[i] = Role::Second(pair);
                break;
            }
        }
    }
    roles
}

impl Pair {
    /// Where the operand `at` of `second` is what `first` makes.
    fn of(kernel: &BoundLoop, first: &Instr, second: &Instr, at: usize) -> Option<Pair> {
        let [x, y, _] = first.args;
        let floats = |args: &[u32]| args.iter().all(|&arg| arg != NONE && kernel.value_dtype(arg) == DType::Float32);
        let (others, fits) = match second.op {
            Op::Select => ([second.args[1], second.args[2]], at == 0 && floats(&second.args[1..])),
            _ => ([second.args[1 - at.min(1)], NONE], second.dtype == DType::Float32 && floats(&second.args[..2])),
        };
        let pair = Pair { first: first.op, second: second.op, swapped: at == 1, args: [x, y, others[0], others[1]] };
        (fits && floats(&[x, y]) && pair.kernel(Isa::Portable).is_some()).then_some(pair)
    }

    pub fn step(&self, isa: Isa) -> Step {
        self.kernel(isa).expect("looked up when the pair was found")
    }

    fn kernel(&self, isa: Isa) -> Option<Step> {
        macro_rules! second {
            (|$x:ident, $y:ident| $first:expr) => {
                Some(match (self.second, self.swapped) {
                    (Op::Add, _) => elementwise!(isa; f32; |_FMA, $x: f32, $y: f32, z: f32| $first + z),
                    (Op::Sub, false) => elementwise!(isa; f32; |_FMA, $x: f32, $y: f32, z: f32| $first - z),
                    (Op::Sub, true) => elementwise!(isa; f32; |_FMA, $x: f32, $y: f32, z: f32| z - $first),
                    (Op::Mul, _) => elementwise!(isa; f32; |_FMA, $x: f32, $y: f32, z: f32| $first * z),
                    (Op::Div, false) => elementwise!(isa; f32; |_FMA, $x: f32, $y: f32, z: f32| $first / z),
                    (Op::Div, true) => elementwise!(isa; f32; |_FMA, $x: f32, $y: f32, z: f32| z / $first),
                    (Op::Max, _) => elementwise!(isa; f32; |_FMA, $x: f32, $y: f32, z: f32| max32($first, z)),
                    _ => return None,
                })
            };
        }
        macro_rules! select {
            (|$x:ident, $y:ident| $first:expr) => {
                elementwise!(isa; f32; |_FMA, $x: f32, $y: f32, z: f32, w: f32| if $first { z } else { w })
            };
        }
        match (self.first, self.second) {
            (Op::Mul, Op::Add) => Some(elementwise!(isa; f32; |FMA, x: f32, y: f32, z: f32| fma32::<FMA>(x, y, z))),
            (Op::Mul, Op::Sub) if self.swapped => {
                Some(elementwise!(isa; f32; |FMA, x: f32, y: f32, z: f32| fma32::<FMA>(-x, y, z)))
            }
            (Op::Mul, Op::Sub) => Some(elementwise!(isa; f32; |FMA, x: f32, y: f32, z: f32| fma32::<FMA>(x, y, -z))),
            (Op::Add, Op::Add | Op::Sub | Op::Mul | Op::Div | Op::Max) => second!(|x, y| x + y),
            (Op::Sub, Op::Add | Op::Sub | Op::Mul | Op::Div | Op::Max) => second!(|x, y| x - y),
            (Op::Mul, Op::Mul | Op::Div | Op::Max) => second!(|x, y| x * y),
            (Op::Max, Op::Mul) => Some(elementwise!(isa; f32; |_FMA, x: f32, y: f32, z: f32| max32(x, y) * z)),
            (Op::Gt, Op::Select) => Some(select!(|x, y| x > y)),
            (Op::Ge, Op::Select) => Some(select!(|x, y| x >= y)),
            (Op::Lt, Op::Select) => Some(select!(|x, y| x < y)),
            (Op::Le, Op::Select) => Some(select!(|x, y| x <= y)),
            (Op::Eq, Op::Select) => Some(select!(|x, y| x == y)),
            (Op::Ne, Op::Select) => Some(select!(|x, y| x != y)),
            _ => None,
        }
    }
}
