//! Instructions on integers (arithmetic wraps; x / 0 and x rem 0 are 0) and bool (a byte, 0 or 1).

use super::elementwise::{Step, Tile, elementwise};
use crate::isa::{Isa, Kernel, version};
use millrace_program::Op;
use std::marker::PhantomData;

pub trait Int: Copy + Ord + 'static {
    const LOWEST: Self;
    const HIGHEST: Self;
    fn add(self, y: Self) -> Self;
    fn mul(self, y: Self) -> Self;
    fn unary(self, op: UnaryOp) -> Self;
    fn binary(self, y: Self, op: BinaryOp) -> Self;
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum UnaryOp {
    Neg,
    Abs,
    Sign,
    Not,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum BinaryOp {
    Add,
    Sub,
    Mul,
    Div,
    Pow,
    Rem,
    Max,
    Min,
    And,
    Or,
    Xor,
}

macro_rules! int {
    ($t:ty, $abs:expr, $sign:expr) => {
        impl Int for $t {
            const LOWEST: Self = <$t>::MIN;
            const HIGHEST: Self = <$t>::MAX;

            #[inline(always)]
            fn add(self, y: Self) -> Self {
                self.wrapping_add(y)
            }

            #[inline(always)]
            fn mul(self, y: Self) -> Self {
                self.wrapping_mul(y)
            }

            #[inline(always)]
            fn unary(self, op: UnaryOp) -> Self {
                match op {
                    UnaryOp::Neg => self.wrapping_neg(),
                    UnaryOp::Abs => $abs(self),
                    UnaryOp::Sign => $sign(self),
                    UnaryOp::Not => !self,
                }
            }

            #[inline(always)]
            fn binary(self, y: Self, op: BinaryOp) -> Self {
                match op {
                    BinaryOp::Add => self.wrapping_add(y),
                    BinaryOp::Sub => self.wrapping_sub(y),
                    BinaryOp::Mul => self.wrapping_mul(y),
                    BinaryOp::Div => {
                        if y == 0 {
                            0
                        } else {
                            self.wrapping_div(y)
                        }
                    }
                    BinaryOp::Rem => {
                        if y == 0 {
                            0
                        } else {
                            self.wrapping_rem(y)
                        }
                    }
                    BinaryOp::Pow => power(self as i64, y as i64) as $t,
                    BinaryOp::Max => {
                        if self > y {
                            self
                        } else {
                            y
                        }
                    }
                    BinaryOp::Min => {
                        if self < y {
                            self
                        } else {
                            y
                        }
                    }
                    BinaryOp::And => self & y,
                    BinaryOp::Or => self | y,
                    BinaryOp::Xor => self ^ y,
                }
            }
        }
    };
}
int!(i32, (|x: i32| x.wrapping_abs()), (|x: i32| x.signum()));
int!(i64, (|x: i64| x.wrapping_abs()), (|x: i64| x.signum()));
int!(i8, (|x: i8| x.wrapping_abs()), (|x: i8| x.signum()));
int!(u8, (|x: u8| x), (|x: u8| (x != 0) as u8));

/// x^y modulo 2^64; a negative exponent gives 0 but for the bases 1 and -1.
fn power(mut x: i64, y: i64) -> i64 {
    if y < 0 {
        return match x {
            1 => 1,
            -1 => {
                if y & 1 == 0 {
                    1
                } else {
                    -1
                }
            }
            _ => 0,
        };
    }
    let (mut left, mut result) = (y, 1i64);
    while left > 0 {
        if left & 1 == 1 {
            result = result.wrapping_mul(x);
        }
        x = x.wrapping_mul(x);
        left >>= 1;
    }
    result
}

struct Unary<T, const OP: u8>(PhantomData<T>);

impl<T: Int, const OP: u8> Kernel for Unary<T, OP> {
    type Args = Tile;

    #[inline(always)]
    unsafe fn run<const FMA: bool>(tile: Tile) {
        const OPS: [UnaryOp; 4] = [UnaryOp::Neg, UnaryOp::Abs, UnaryOp::Sign, UnaryOp::Not];
        let (x, out) = (tile.ins[0] as *const T, tile.out as *mut T);
        for i in 0..tile.n {
            // SAFETY: the tile has n elements.
            unsafe { out.add(i).write(x.add(i).read().unary(OPS[OP as usize])) }
        }
    }
}

struct Binary<T, const OP: u8>(PhantomData<T>);

impl<T: Int, const OP: u8> Kernel for Binary<T, OP> {
    type Args = Tile;

    #[inline(always)]
    unsafe fn run<const FMA: bool>(tile: Tile) {
        use BinaryOp::*;
        const OPS: [BinaryOp; 11] = [Add, Sub, Mul, Div, Pow, Rem, Max, Min, And, Or, Xor];
        let (x, y, out) = (tile.ins[0] as *const T, tile.ins[1] as *const T, tile.out as *mut T);
        for i in 0..tile.n {
            // SAFETY: the tile has n elements.
            unsafe { out.add(i).write(x.add(i).read().binary(y.add(i).read(), OPS[OP as usize])) }
        }
    }
}

struct Compare<T, const OP: u8>(PhantomData<T>);

impl<T: Int, const OP: u8> Kernel for Compare<T, OP> {
    type Args = Tile;

    #[inline(always)]
    unsafe fn run<const FMA: bool>(tile: Tile) {
        let (x, y, out) = (tile.ins[0] as *const T, tile.ins[1] as *const T, tile.out);
        for i in 0..tile.n {
            // SAFETY: the tile has n elements.
            unsafe {
                let (x, y) = (x.add(i).read(), y.add(i).read());
                let truth = match OP {
                    0 => x == y,
                    1 => x != y,
                    2 => x < y,
                    3 => x <= y,
                    4 => x > y,
                    _ => x >= y,
                };
                out.add(i).write(truth as u8);
            }
        }
    }
}

pub fn step<T: Int>(isa: Isa, op: Op) -> Option<Step> {
    Some(match op {
        Op::Neg => version::<Unary<T, 0>>(isa),
        Op::Abs => version::<Unary<T, 1>>(isa),
        Op::Sign => version::<Unary<T, 2>>(isa),
        Op::Not => version::<Unary<T, 3>>(isa),
        Op::Add => version::<Binary<T, 0>>(isa),
        Op::Sub => version::<Binary<T, 1>>(isa),
        Op::Mul => version::<Binary<T, 2>>(isa),
        Op::Div => version::<Binary<T, 3>>(isa),
        Op::Pow => version::<Binary<T, 4>>(isa),
        Op::Rem => version::<Binary<T, 5>>(isa),
        Op::Max => version::<Binary<T, 6>>(isa),
        Op::Min => version::<Binary<T, 7>>(isa),
        Op::And => version::<Binary<T, 8>>(isa),
        Op::Or => version::<Binary<T, 9>>(isa),
        Op::Xor => version::<Binary<T, 10>>(isa),
        Op::Eq => version::<Compare<T, 0>>(isa),
        Op::Ne => version::<Compare<T, 1>>(isa),
        Op::Lt => version::<Compare<T, 2>>(isa),
        Op::Le => version::<Compare<T, 3>>(isa),
        Op::Gt => version::<Compare<T, 4>>(isa),
        Op::Ge => version::<Compare<T, 5>>(isa),
        _ => return None,
    })
}

pub fn step_bool(isa: Isa, op: Op) -> Option<Step> {
    match op {
        Op::Not => Some(elementwise!(isa; u8; |_FMA, x: u8| x ^ 1)),
        Op::And | Op::Or | Op::Xor | Op::Eq | Op::Ne | Op::Lt | Op::Le | Op::Gt | Op::Ge => step::<u8>(isa, op),
        _ => None,
    }
}
