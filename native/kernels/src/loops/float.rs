//! Instructions on float32 and float64.

use super::elementwise::{Step, Tile, elementwise};
use crate::isa::{Isa, Kernel, version};
use crate::math;
use millrace_program::Op;

/// The larger one; NaN if either is; +0 of two zeros.
macro_rules! max {
    ($t:ty, $x:ident, $y:ident) => {{
        let larger = if $x > $y { $x } else { $y };
        // Equal numbers have equal bits, but for zeros: the sign survives only where both have it.
        let larger = if $x == $y { <$t>::from_bits($x.to_bits() & $y.to_bits()) } else { larger };
        if $x != $x { $x } else { larger }
    }};
}

macro_rules! min {
    ($t:ty, $x:ident, $y:ident) => {{
        let smaller = if $x < $y { $x } else { $y };
        let smaller = if $x == $y { <$t>::from_bits($x.to_bits() | $y.to_bits()) } else { smaller };
        if $x != $x { $x } else { smaller }
    }};
}

#[inline(always)]
pub fn max32(x: f32, y: f32) -> f32 {
    max!(f32, x, y)
}
#[inline(always)]
pub fn min32(x: f32, y: f32) -> f32 {
    min!(f32, x, y)
}
#[inline(always)]
pub fn max64(x: f64, y: f64) -> f64 {
    max!(f64, x, y)
}
#[inline(always)]
pub fn min64(x: f64, y: f64) -> f64 {
    min!(f64, x, y)
}

/// -1, 1, or x itself for zeros and NaN.
macro_rules! sign {
    ($x:ident) => {{
        let y = if $x > 0.0 { 1.0 } else { $x };
        if $x < 0.0 { -1.0 } else { y }
    }};
}

macro_rules! common {
    ($isa:ident, $op:ident, $t:ty, $max:ident, $min:ident; $($special:tt)*) => {
        Some(match $op {
            Op::Neg => elementwise!($isa; $t; |_FMA, x: $t| -x),
            Op::Abs => elementwise!($isa; $t; |_FMA, x: $t| x.abs()),
            Op::Sign => elementwise!($isa; $t; |_FMA, x: $t| sign!(x)),
            Op::Floor => elementwise!($isa; $t; |_FMA, x: $t| x.floor()),
            Op::Ceil => elementwise!($isa; $t; |_FMA, x: $t| x.ceil()),
            Op::Round => elementwise!($isa; $t; |_FMA, x: $t| x.round_ties_even()),
            Op::Sqrt => elementwise!($isa; $t; |_FMA, x: $t| x.sqrt()),
            Op::Rsqrt => elementwise!($isa; $t; |_FMA, x: $t| 1.0 / x.sqrt()),
            Op::IsFinite => elementwise!($isa; u8; |_FMA, x: $t| (x.abs() < <$t>::INFINITY) as u8),
            Op::Add => elementwise!($isa; $t; |_FMA, x: $t, y: $t| x + y),
            Op::Sub => elementwise!($isa; $t; |_FMA, x: $t, y: $t| x - y),
            Op::Mul => elementwise!($isa; $t; |_FMA, x: $t, y: $t| x * y),
            Op::Div => elementwise!($isa; $t; |_FMA, x: $t, y: $t| x / y),
            Op::Rem => elementwise!($isa; $t; |_FMA, x: $t, y: $t| x % y),
            Op::Max => elementwise!($isa; $t; |_FMA, x: $t, y: $t| $max(x, y)),
            Op::Min => elementwise!($isa; $t; |_FMA, x: $t, y: $t| $min(x, y)),
            Op::Atan2 => elementwise!($isa; $t; |_FMA, x: $t, y: $t| x.atan2(y)),
            Op::Eq => elementwise!($isa; u8; |_FMA, x: $t, y: $t| (x == y) as u8),
            Op::Ne => elementwise!($isa; u8; |_FMA, x: $t, y: $t| (x != y) as u8),
            Op::Lt => elementwise!($isa; u8; |_FMA, x: $t, y: $t| (x < y) as u8),
            Op::Le => elementwise!($isa; u8; |_FMA, x: $t, y: $t| (x <= y) as u8),
            Op::Gt => elementwise!($isa; u8; |_FMA, x: $t, y: $t| (x > y) as u8),
            Op::Ge => elementwise!($isa; u8; |_FMA, x: $t, y: $t| (x >= y) as u8),
            $($special)*
            _ => return None,
        })
    };
}

pub fn step32(isa: Isa, op: Op) -> Option<Step> {
    common!(isa, op, f32, max32, min32;
        Op::Exp => elementwise!(isa; f32; |FMA, x: f32| math::exp::<FMA>(x)),
        Op::Expm1 => elementwise!(isa; f32; |FMA, x: f32| math::expm1::<FMA>(x)),
        Op::Log => elementwise!(isa; f32; |FMA, x: f32| math::log::<FMA>(x)),
        Op::Log1p => elementwise!(isa; f32; |FMA, x: f32| math::log1p::<FMA>(x)),
        Op::Tanh => elementwise!(isa; f32; |FMA, x: f32| math::tanh::<FMA>(x)),
        Op::Erf => elementwise!(isa; f32; |FMA, x: f32| math::erf::<FMA>(x)),
        Op::Logistic => elementwise!(isa; f32; |FMA, x: f32| math::logistic::<FMA>(x)),
        Op::Pow => elementwise!(isa; f32; |FMA, x: f32, y: f32| math::pow::<FMA>(x, y)),
        Op::Sin => version::<Sin>(isa),
        Op::Cos => version::<Cos>(isa),
        Op::Tan => version::<Tan>(isa),
    )
}

pub fn step64(isa: Isa, op: Op) -> Option<Step> {
    common!(isa, op, f64, max64, min64;
        Op::Exp => elementwise!(isa; f64; |_FMA, x: f64| x.exp()),
        Op::Expm1 => elementwise!(isa; f64; |_FMA, x: f64| x.exp_m1()),
        Op::Log => elementwise!(isa; f64; |_FMA, x: f64| x.ln()),
        Op::Log1p => elementwise!(isa; f64; |_FMA, x: f64| x.ln_1p()),
        Op::Tanh => elementwise!(isa; f64; |_FMA, x: f64| x.tanh()),
        Op::Erf => elementwise!(isa; f64; |_FMA, x: f64| libm::erf(x)),
        Op::Logistic => elementwise!(isa; f64; |_FMA, x: f64| {
            let e = (-x.abs()).exp();
            (if x < 0.0 { e } else { 1.0 }) / (1.0 + e)
        }),
        Op::Pow => elementwise!(isa; f64; |_FMA, x: f64, y: f64| x.powf(y)),
        Op::Sin => elementwise!(isa; f64; |_FMA, x: f64| x.sin()),
        Op::Cos => elementwise!(isa; f64; |_FMA, x: f64| x.cos()),
        Op::Tan => elementwise!(isa; f64; |_FMA, x: f64| x.tan()),
    )
}

/// sin, cos, tan: a vector pass, then float64's function where the argument was too large for it.
macro_rules! trigonometric {
    ($name:ident, $f:ident) => {
        struct $name;
        impl Kernel for $name {
            type Args = Tile;

            #[inline(always)]
            unsafe fn run<const FMA: bool>(tile: Tile) {
                let (x, out) = (tile.ins[0] as *const f32, tile.out as *mut f32);
                let mut far = 0u32;
                for i in 0..tile.n {
                    // SAFETY: the tile has n elements.
                    unsafe {
                        let x = x.add(i).read();
                        out.add(i).write(math::$f::<FMA>(x));
                        far |= (x.abs() > math::TRIG_LIMIT) as u32;
                    }
                }
                if far != 0 {
                    for i in 0..tile.n {
                        // SAFETY: as above.
                        unsafe {
                            let x = x.add(i).read();
                            if x.abs() > math::TRIG_LIMIT {
                                out.add(i).write((x as f64).$f() as f32);
                            }
                        }
                    }
                }
            }
        }
    };
}
trigonometric!(Sin, sin);
trigonometric!(Cos, cos);
trigonometric!(Tan, tan);
