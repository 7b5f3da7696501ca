//! Vector registers of float32: intrinsic types of x86, and lanes that the compiler turns into what other paths have.

use super::float::{max32, min32};
use crate::isa::fma32;
#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::*;
use std::array::from_fn;

/// What a selection asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compare {
    Gt,
    Ge,
    Lt,
    Le,
    Eq,
    Ne,
}

/// Methods are called on a path that has the register; pointers are the caller's care. Each lane is what the
/// instruction of a loop gives, zeros and NaN included.
#[allow(clippy::missing_safety_doc)]
pub trait Register: Copy {
    const LEN: usize;
    unsafe fn zero() -> Self;
    unsafe fn load(from: *const f32) -> Self;
    unsafe fn store(self, to: *mut f32);
    unsafe fn add(x: Self, y: Self) -> Self;
    unsafe fn sub(x: Self, y: Self) -> Self;
    unsafe fn mul(x: Self, y: Self) -> Self;
    unsafe fn div(x: Self, y: Self) -> Self;
    unsafe fn max(x: Self, y: Self) -> Self;
    unsafe fn min(x: Self, y: Self) -> Self;
    unsafe fn sqrt(x: Self) -> Self;
    /// x · y + z, x · y - z, z - x · y: fused where the path has it.
    unsafe fn mul_add<const FMA: bool>(x: Self, y: Self, z: Self) -> Self;
    unsafe fn mul_sub<const FMA: bool>(x: Self, y: Self, z: Self) -> Self;
    unsafe fn sub_mul<const FMA: bool>(x: Self, y: Self, z: Self) -> Self;
    /// x ? y : z where the question is of x and y; else w.
    unsafe fn select(compare: Compare, x: Self, y: Self, z: Self, w: Self) -> Self;
}

#[derive(Clone, Copy)]
pub struct Lanes<const N: usize>([f32; N]);

impl<const N: usize> Register for Lanes<N> {
    const LEN: usize = N;

    #[inline(always)]
    unsafe fn zero() -> Self {
        Lanes([0.0; N])
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: by the caller.
        Lanes(unsafe { (from as *const [f32; N]).read_unaligned() })
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: by the caller.
        unsafe { (to as *mut [f32; N]).write_unaligned(self.0) }
    }
    #[inline(always)]
    unsafe fn add(x: Self, y: Self) -> Self {
        Lanes(from_fn(|l| x.0[l] + y.0[l]))
    }
    #[inline(always)]
    unsafe fn sub(x: Self, y: Self) -> Self {
        Lanes(from_fn(|l| x.0[l] - y.0[l]))
    }
    #[inline(always)]
    unsafe fn mul(x: Self, y: Self) -> Self {
        Lanes(from_fn(|l| x.0[l] * y.0[l]))
    }
    #[inline(always)]
    unsafe fn div(x: Self, y: Self) -> Self {
        Lanes(from_fn(|l| x.0[l] / y.0[l]))
    }
    #[inline(always)]
    unsafe fn max(x: Self, y: Self) -> Self {
        Lanes(from_fn(|l| max32(x.0[l], y.0[l])))
    }
    #[inline(always)]
    unsafe fn min(x: Self, y: Self) -> Self {
        Lanes(from_fn(|l| min32(x.0[l], y.0[l])))
    }
    #[inline(always)]
    unsafe fn sqrt(x: Self) -> Self {
        Lanes(from_fn(|l| x.0[l].sqrt()))
    }
    #[inline(always)]
    unsafe fn mul_add<const FMA: bool>(x: Self, y: Self, z: Self) -> Self {
        Lanes(from_fn(|l| fma32::<FMA>(x.0[l], y.0[l], z.0[l])))
    }
    #[inline(always)]
    unsafe fn mul_sub<const FMA: bool>(x: Self, y: Self, z: Self) -> Self {
        Lanes(from_fn(|l| fma32::<FMA>(x.0[l], y.0[l], -z.0[l])))
    }
    #[inline(always)]
    unsafe fn sub_mul<const FMA: bool>(x: Self, y: Self, z: Self) -> Self {
        Lanes(from_fn(|l| fma32::<FMA>(-x.0[l], y.0[l], z.0[l])))
    }
    #[inline(always)]
    unsafe fn select(compare: Compare, x: Self, y: Self, z: Self, w: Self) -> Self {
        let holds = |x: f32, y: f32| match compare {
            Compare::Gt => x > y,
            Compare::Ge => x >= y,
            Compare::Lt => x < y,
            Compare::Le => x <= y,
            Compare::Eq => x == y,
            Compare::Ne => x != y,
        };
        Lanes(from_fn(|l| if holds(x.0[l], y.0[l]) { z.0[l] } else { w.0[l] }))
    }
}

/// One intrinsic type. `$zeros` corrects the sign where x and y are equal, by `$and` or `$or` of their bits; `$choose`
/// takes z where the comparison with this predicate holds.
#[cfg(target_arch = "x86_64")]
macro_rules! register {
    ($v:ty, $len:expr, $zero:ident, $load:ident, $store:ident, $add:ident, $sub:ident, $mul:ident, $div:ident, $sqrt:ident,
     $max:ident, $min:ident, $and:ident, $or:ident, $fmadd:ident, $fmsub:ident, $fnmadd:ident, $choose:ident) => {
        impl Register for $v {
            const LEN: usize = $len;

            #[inline(always)]
            unsafe fn zero() -> Self {
                unsafe { $zero() }
            }
            #[inline(always)]
            unsafe fn load(from: *const f32) -> Self {
                unsafe { $load(from) }
            }
            #[inline(always)]
            unsafe fn store(self, to: *mut f32) {
                unsafe { $store(to, self) }
            }
            #[inline(always)]
            unsafe fn add(x: Self, y: Self) -> Self {
                unsafe { $add(x, y) }
            }
            #[inline(always)]
            unsafe fn sub(x: Self, y: Self) -> Self {
                unsafe { $sub(x, y) }
            }
            #[inline(always)]
            unsafe fn mul(x: Self, y: Self) -> Self {
                unsafe { $mul(x, y) }
            }
            #[inline(always)]
            unsafe fn div(x: Self, y: Self) -> Self {
                unsafe { $div(x, y) }
            }
            // The instruction gives y where either is NaN or both are zeros.
            #[inline(always)]
            unsafe fn max(x: Self, y: Self) -> Self {
                unsafe {
                    let larger = $choose::<_CMP_EQ_OQ>(x, y, $and(x, y), $max(x, y));
                    $choose::<_CMP_UNORD_Q>(x, x, x, larger)
                }
            }
            #[inline(always)]
            unsafe fn min(x: Self, y: Self) -> Self {
                unsafe {
                    let smaller = $choose::<_CMP_EQ_OQ>(x, y, $or(x, y), $min(x, y));
                    $choose::<_CMP_UNORD_Q>(x, x, x, smaller)
                }
            }
            #[inline(always)]
            unsafe fn sqrt(x: Self) -> Self {
                unsafe { $sqrt(x) }
            }
            #[inline(always)]
            unsafe fn mul_add<const FMA: bool>(x: Self, y: Self, z: Self) -> Self {
                unsafe { $fmadd(x, y, z) }
            }
            #[inline(always)]
            unsafe fn mul_sub<const FMA: bool>(x: Self, y: Self, z: Self) -> Self {
                unsafe { $fmsub(x, y, z) }
            }
            #[inline(always)]
            unsafe fn sub_mul<const FMA: bool>(x: Self, y: Self, z: Self) -> Self {
                unsafe { $fnmadd(x, y, z) }
            }
            #[inline(always)]
            unsafe fn select(compare: Compare, x: Self, y: Self, z: Self, w: Self) -> Self {
                unsafe {
                    match compare {
                        Compare::Gt => $choose::<_CMP_GT_OQ>(x, y, z, w),
                        Compare::Ge => $choose::<_CMP_GE_OQ>(x, y, z, w),
                        Compare::Lt => $choose::<_CMP_LT_OQ>(x, y, z, w),
                        Compare::Le => $choose::<_CMP_LE_OQ>(x, y, z, w),
                        Compare::Eq => $choose::<_CMP_EQ_OQ>(x, y, z, w),
                        Compare::Ne => $choose::<_CMP_NEQ_UQ>(x, y, z, w),
                    }
                }
            }
        }
    };
}

#[cfg(target_arch = "x86_64")]
register!(
    __m512,
    16,
    _mm512_setzero_ps,
    _mm512_loadu_ps,
    _mm512_storeu_ps,
    _mm512_add_ps,
    _mm512_sub_ps,
    _mm512_mul_ps,
    _mm512_div_ps,
    _mm512_sqrt_ps,
    _mm512_max_ps,
    _mm512_min_ps,
    _mm512_and_ps,
    _mm512_or_ps,
    _mm512_fmadd_ps,
    _mm512_fmsub_ps,
    _mm512_fnmadd_ps,
    choose16
);
#[cfg(target_arch = "x86_64")]
register!(
    __m256,
    8,
    _mm256_setzero_ps,
    _mm256_loadu_ps,
    _mm256_storeu_ps,
    _mm256_add_ps,
    _mm256_sub_ps,
    _mm256_mul_ps,
    _mm256_div_ps,
    _mm256_sqrt_ps,
    _mm256_max_ps,
    _mm256_min_ps,
    _mm256_and_ps,
    _mm256_or_ps,
    _mm256_fmadd_ps,
    _mm256_fmsub_ps,
    _mm256_fnmadd_ps,
    choose8
);

#[cfg(target_arch = "x86_64")]
#[inline(always)]
unsafe fn choose16<const PREDICATE: i32>(x: __m512, y: __m512, z: __m512, w: __m512) -> __m512 {
    // SAFETY: the caller's path has AVX-512.
    unsafe { _mm512_mask_mov_ps(w, _mm512_cmp_ps_mask::<PREDICATE>(x, y), z) }
}

#[cfg(target_arch = "x86_64")]
#[inline(always)]
unsafe fn choose8<const PREDICATE: i32>(x: __m256, y: __m256, z: __m256, w: __m256) -> __m256 {
    // SAFETY: the caller's path has AVX2.
    unsafe { _mm256_blendv_ps(w, z, _mm256_cmp_ps::<PREDICATE>(x, y)) }
}
