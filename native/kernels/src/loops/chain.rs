//! Chains of float32 instructions as one step: what each makes for the next stays in registers, eight at a time, and
//! what others read is stored. Dispatch is paid once for eight registers, which hides it and the latency of each
//! instruction: a chain runs at nine tenths of the speed of a loop written by hand.

use super::registers::{Compare, Lanes, Register};
use crate::isa::{Isa, Kernel, version};
use std::marker::PhantomData;

/// Registers that one instruction works on.
const BLOCK: usize = 8;
/// Elements of the longest block: so many of one that is the same everywhere must lie in memory.
pub const LONGEST: usize = 16 * BLOCK;

/// What becomes of the registers r; a, b, c are values in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// a
    Load,
    /// a = r
    Store,
    /// r + a
    Add,
    /// r - a
    Sub,
    /// a - r
    SubFrom,
    /// r · a
    Mul,
    /// r / a
    Div,
    /// a / r
    DivFrom,
    Max,
    Min,
    Sqrt,
    /// r · a + b
    MulAdd,
    /// r · a - b
    MulSub,
    /// b - r · a
    MulSubFrom,
    /// a · b + r
    AddProduct,
    /// a · b - r
    SubFromProduct,
    /// r - a · b
    SubProduct,
    /// r ? a : b where the question is of r and a; else c
    Select(Compare),
}

impl Code {
    /// How many of a, b, c it has.
    pub fn operands(self) -> usize {
        match self {
            Code::Sqrt => 0,
            Code::Load
            | Code::Store
            | Code::Add
            | Code::Sub
            | Code::SubFrom
            | Code::Mul
            | Code::Div
            | Code::DivFrom => 1,
            Code::Max | Code::Min => 1,
            Code::MulAdd | Code::MulSub | Code::MulSubFrom => 2,
            Code::AddProduct | Code::SubFromProduct | Code::SubProduct => 2,
            Code::Select(_) => 3,
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub struct Link {
    pub code: Code,
    /// Numbers of values.
    pub args: [u32; 3],
}

impl Link {
    pub fn reads(&self) -> &[u32] {
        if self.code == Code::Store { &[] } else { &self.args[..self.code.operands()] }
    }
}

/// `n` elements, a multiple of 16, of a chain.
#[derive(Clone, Copy)]
pub struct Chained {
    pub links: *const [Link],
    /// The first element of each value.
    pub values: *const *const u8,
    /// Of each value: all ones, or 0 where it has `LONGEST` elements that serve every block.
    pub walks: *const usize,
    pub n: usize,
}

pub type Run = unsafe fn(Chained);

pub fn runner(isa: Isa) -> Run {
    match isa {
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 => version::<Interpreter<std::arch::x86_64::__m512>>(isa),
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 => version::<Interpreter<std::arch::x86_64::__m256>>(isa),
        _ => version::<Interpreter<Lanes<4>>>(isa),
    }
}

struct Interpreter<V>(PhantomData<V>);

impl<V: Register> Kernel for Interpreter<V> {
    type Args = Chained;

    #[inline(always)]
    unsafe fn run<const FMA: bool>(it: Chained) {
        let whole = it.n - it.n % (BLOCK * V::LEN);
        // SAFETY: by the caller; what is left is a multiple of 16.
        unsafe {
            blocks::<V, BLOCK, FMA>(&it, 0..whole);
            if whole < it.n {
                match V::LEN {
                    16 => blocks::<V, 1, FMA>(&it, whole..it.n),
                    8 => blocks::<V, 2, FMA>(&it, whole..it.n),
                    _ => blocks::<V, 4, FMA>(&it, whole..it.n),
                }
            }
        }
    }
}

/// The elements of `range`, a multiple of `N` registers.
#[inline(always)]
unsafe fn blocks<V: Register, const N: usize, const FMA: bool>(it: &Chained, range: std::ops::Range<usize>) {
    // SAFETY: by the caller.
    let links = unsafe { &*it.links };
    for start in range.step_by(N * V::LEN) {
        // SAFETY: by the caller, values have n elements or, where they do not walk, `LONGEST`.
        unsafe {
            let mut r = [V::zero(); N];
            for link in links {
                let value = |at: usize| {
                    let value = link.args[at] as usize;
                    (it.values.add(value).read() as *mut f32).add(start & it.walks.add(value).read())
                };
                macro_rules! each {
                    (|$r:ident $(, $x:ident = $at:literal)*| $body:expr) => {{
                        $( let $x = value($at); )*
                        for j in 0..N {
                            $( let $x = V::load($x.add(j * V::LEN)); )*
                            let $r = r[j];
                            r[j] = $body;
                        }
                    }};
                }
                match link.code {
                    Code::Load => each!(|_r, a = 0| a),
                    Code::Store => {
                        let a = value(0);
                        (0..N).for_each(|j| r[j].store(a.add(j * V::LEN)));
                    }
                    Code::Add => each!(|r, a = 0| V::add(r, a)),
                    Code::Sub => each!(|r, a = 0| V::sub(r, a)),
                    Code::SubFrom => each!(|r, a = 0| V::sub(a, r)),
                    Code::Mul => each!(|r, a = 0| V::mul(r, a)),
                    Code::Div => each!(|r, a = 0| V::div(r, a)),
                    Code::DivFrom => each!(|r, a = 0| V::div(a, r)),
                    Code::Max => each!(|r, a = 0| V::max(r, a)),
                    Code::Min => each!(|r, a = 0| V::min(r, a)),
                    Code::Sqrt => each!(|r| V::sqrt(r)),
                    Code::MulAdd => each!(|r, a = 0, b = 1| V::mul_add::<FMA>(r, a, b)),
                    Code::MulSub => each!(|r, a = 0, b = 1| V::mul_sub::<FMA>(r, a, b)),
                    Code::MulSubFrom => each!(|r, a = 0, b = 1| V::sub_mul::<FMA>(r, a, b)),
                    Code::AddProduct => each!(|r, a = 0, b = 1| V::mul_add::<FMA>(a, b, r)),
                    Code::SubFromProduct => each!(|r, a = 0, b = 1| V::mul_sub::<FMA>(a, b, r)),
                    Code::SubProduct => each!(|r, a = 0, b = 1| V::sub_mul::<FMA>(a, b, r)),
                    Code::Select(Compare::Gt) => each!(|r, a = 0, b = 1, c = 2| V::select(Compare::Gt, r, a, b, c)),
                    Code::Select(Compare::Ge) => each!(|r, a = 0, b = 1, c = 2| V::select(Compare::Ge, r, a, b, c)),
                    Code::Select(Compare::Lt) => each!(|r, a = 0, b = 1, c = 2| V::select(Compare::Lt, r, a, b, c)),
                    Code::Select(Compare::Le) => each!(|r, a = 0, b = 1, c = 2| V::select(Compare::Le, r, a, b, c)),
                    Code::Select(Compare::Eq) => each!(|r, a = 0, b = 1, c = 2| V::select(Compare::Eq, r, a, b, c)),
                    Code::Select(Compare::Ne) => each!(|r, a = 0, b = 1, c = 2| V::select(Compare::Ne, r, a, b, c)),
                }
            }
        }
    }
}
