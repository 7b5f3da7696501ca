//! The table of instructions: (op, dtypes) to a loop over a tile.

use super::{float, integer};
use crate::bfloat16;
use crate::isa::{Isa, Kernel, version};
use millrace_program::{DType, Kind, Op};

/// One instruction on one tile: `n` elements, a multiple of 16, of each operand. The result overlaps no operand.
#[derive(Clone, Copy)]
pub struct Tile {
    pub n: usize,
    pub ins: [*const u8; 3],
    pub out: *mut u8,
}

pub type Step = unsafe fn(Tile);

/// A kernel `out[i] = body(ins[0][i], …)`, compiled for `$isa`.
macro_rules! elementwise {
    ($isa:expr; $out:ty; |$fma:ident $(, $x:ident: $in:ty)+| $body:expr) => {{
        struct Body;
        impl $crate::isa::Kernel for Body {
            type Args = $crate::loops::elementwise::Tile;

            #[inline(always)]
            #[allow(unused_assignments)]
            unsafe fn run<const $fma: bool>(tile: Self::Args) {
                let mut operand = 0;
                $(
                    let $x = tile.ins[operand] as *const $in;
                    operand += 1;
                )+
                let out = tile.out as *mut $out;
                for i in 0..tile.n {
                    // SAFETY: the tile has n elements of each operand.
                    unsafe {
                        $( let $x = $x.add(i).read(); )+
                        out.add(i).write($body);
                    }
                }
            }
        }
        $crate::isa::version::<Body>($isa)
    }};
}
pub(crate) use elementwise;

/// The kernel of `op` on operands of dtype `operand` (of select: of its second), with result `result`; `None` where
/// there is none.
pub fn step(isa: Isa, op: Op, operand: DType, result: DType) -> Option<Step> {
    match op.kind() {
        Kind::Cast if op == Op::Bitcast => bits(isa, operand, result),
        Kind::Cast => cast(isa, operand, result),
        Kind::Select => Some(match operand.size() {
            1 => version::<Select<u8>>(isa),
            2 => version::<Select<u16>>(isa),
            4 => version::<Select<u32>>(isa),
            _ => version::<Select<u64>>(isa),
        }),
        Kind::Unary | Kind::Binary | Kind::Compare => {
            let expected = if op.kind() == Kind::Compare || op == Op::IsFinite { DType::Bool } else { operand };
            if result != expected {
                return None;
            }
            match operand {
                DType::Float32 => float::step32(isa, op),
                DType::Float64 => float::step64(isa, op),
                DType::Int32 => integer::step::<i32>(isa, op),
                DType::Int64 => integer::step::<i64>(isa, op),
                DType::Uint8 => integer::step::<u8>(isa, op),
                DType::Int8 => integer::step::<i8>(isa, op),
                DType::Bool => integer::step_bool(isa, op),
                DType::Bfloat16 => None,
            }
        }
        _ => None,
    }
}

/// The operands that `op` reads, and whether it may stand in a loop at all.
pub fn arity(op: Op) -> Option<usize> {
    match op.kind() {
        Kind::Unary | Kind::Cast => Some(1),
        Kind::Binary | Kind::Compare => Some(2),
        Kind::Select => Some(3),
        Kind::Constant | Kind::Iota => Some(0),
        _ => None,
    }
}

/// A rough cost in ns an element, for deciding where a program runs and how it is cut.
pub fn cost(op: Op, dtype: DType) -> f64 {
    let vector = match op {
        Op::Exp | Op::Log | Op::Logistic | Op::Tanh | Op::Expm1 | Op::Erf => 0.4,
        Op::Sin | Op::Cos | Op::Tan | Op::Log1p => 0.8,
        Op::Pow => 1.5,
        Op::Atan2 | Op::Rem => return 15.0,
        Op::Div | Op::Sqrt | Op::Rsqrt => 0.15,
        _ => return 0.02 * dtype.size() as f64,
    };
    match dtype {
        DType::Float32 => vector,
        DType::Float64 => vector * 10.0,
        _ => 1.0,
    }
}

struct Select<T>(T);

impl<T: Copy> Kernel for Select<T> {
    type Args = Tile;

    #[inline(always)]
    unsafe fn run<const FMA: bool>(tile: Tile) {
        let (pred, yes, no) = (tile.ins[0], tile.ins[1] as *const T, tile.ins[2] as *const T);
        let out = tile.out as *mut T;
        for i in 0..tile.n {
            // SAFETY: the tile has n elements of each operand. Both are read, so that the loop has no branch.
            unsafe {
                let (yes, no) = (yes.add(i).read(), no.add(i).read());
                out.add(i).write(if pred.add(i).read() != 0 { yes } else { no });
            }
        }
    }
}

/// The same bits under another dtype of one width.
fn bits(isa: Isa, from: DType, to: DType) -> Option<Step> {
    if from.size() != to.size() {
        return None;
    }
    Some(match from.size() {
        1 => elementwise!(isa; u8; |_FMA, x: u8| x),
        2 => elementwise!(isa; u16; |_FMA, x: u16| x),
        4 => elementwise!(isa; u32; |_FMA, x: u32| x),
        _ => elementwise!(isa; u64; |_FMA, x: u64| x),
    })
}

/// Floats to integers truncate, saturate, and turn NaN to 0, as Rust's `as` does; integers wrap; to bool is `x != 0`.
/// A narrow float is a float32 on its way in and out.
fn cast(isa: Isa, from: DType, to: DType) -> Option<Step> {
    macro_rules! to {
        ($in:ty, $number:ty, |$x:ident| $value:expr) => {
            match to {
                DType::Float32 => elementwise!(isa; f32; |_FMA, $x: $in| $value as f32),
                DType::Float64 => elementwise!(isa; f64; |_FMA, $x: $in| $value as f64),
                DType::Int32 => elementwise!(isa; i32; |_FMA, $x: $in| $value as i32),
                DType::Int64 => elementwise!(isa; i64; |_FMA, $x: $in| $value as i64),
                DType::Uint8 => elementwise!(isa; u8; |_FMA, $x: $in| $value as u8),
                DType::Int8 => elementwise!(isa; i8; |_FMA, $x: $in| $value as i8),
                DType::Bool => elementwise!(isa; u8; |_FMA, $x: $in| ($value != 0 as $number) as u8),
                DType::Bfloat16 => elementwise!(isa; u16; |_FMA, $x: $in| bfloat16::round($value as f32)),
            }
        };
        ($in:ty) => {
            to!($in, $in, |x| x)
        };
    }
    Some(match from {
        DType::Float32 => to!(f32),
        DType::Float64 => to!(f64),
        DType::Int32 => to!(i32),
        DType::Int64 => to!(i64),
        DType::Uint8 | DType::Bool => to!(u8),
        DType::Int8 => to!(i8),
        DType::Bfloat16 => to!(u16, f32, |x| bfloat16::widen(x)),
    })
}
