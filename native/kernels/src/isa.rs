//! The instruction path: one generic kernel body, compiled once for each path, chosen when a plan is made.

use crate::gemm::amx;
use std::sync::OnceLock;

/// An instruction path. Results have the same bits on one path; paths differ by FMA.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Isa {
    Portable,
    Neon,
    Avx2,
    Avx512,
}

impl Isa {
    /// The paths this machine can run, slowest first.
    pub fn available() -> &'static [Isa] {
        match Isa::best() {
            Isa::Portable => &[Isa::Portable],
            Isa::Neon => &[Isa::Portable, Isa::Neon],
            Isa::Avx2 => &[Isa::Portable, Isa::Avx2],
            Isa::Avx512 => &[Isa::Portable, Isa::Avx2, Isa::Avx512],
        }
    }

    /// The name that `MILLRACE_CPU` knows it by.
    pub fn name(self) -> &'static str {
        match self {
            Isa::Portable => "portable",
            Isa::Neon => "neon",
            Isa::Avx2 => "avx2",
            Isa::Avx512 => "avx512",
        }
    }

    /// The fastest path of this machine.
    pub fn best() -> Isa {
        #[cfg(target_arch = "x86_64")]
        {
            let avx2 =
                is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") && is_x86_feature_detected!("bmi2");
            let avx512 = is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512vl");
            match (avx2, avx512) {
                (true, true) => Isa::Avx512,
                (true, false) => Isa::Avx2,
                _ => Isa::Portable,
            }
        }
        // Part of every 64-bit Arm.
        #[cfg(target_arch = "aarch64")]
        return Isa::Neon;
        #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
        Isa::Portable
    }

    /// The path of plans made now: `MILLRACE_CPU=portable|neon|avx2|avx512|avx512vnni|amx` forces it, or the best below
    /// it that the machine has; else the fastest. The last two are AVX-512 with what [`Narrow`] says.
    pub fn current() -> Isa {
        #[cfg(test)]
        if let Some(isa) = testing::FORCED.with(std::cell::Cell::get) {
            return isa;
        }
        static CURRENT: OnceLock<Isa> = OnceLock::new();
        *CURRENT.get_or_init(|| {
            let name = std::env::var("MILLRACE_CPU").unwrap_or_default();
            let all = [Isa::Portable, Isa::Neon, Isa::Avx2, Isa::Avx512];
            let forced = all.into_iter().find(|isa| isa.name() == name).unwrap_or(Isa::best());
            Isa::available().iter().copied().rfind(|&isa| isa <= forced).unwrap_or(Isa::Portable)
        })
    }
}

/// What a path has for sums of products of narrow numbers; a name of these, too, is a value of `MILLRACE_CPU`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Narrow {
    /// Nothing of its own.
    Plain,
    /// AVX-512 with sums of four products of bytes.
    Vnni,
    /// Tiles, of bytes and of bfloat16.
    Amx,
}

impl Narrow {
    /// What this machine has, slowest first.
    pub fn available() -> &'static [Narrow] {
        static AVAILABLE: OnceLock<&[Narrow]> = OnceLock::new();
        AVAILABLE.get_or_init(|| match (has_vnni(), has_vnni() && amx::is_permitted()) {
            (_, true) => &[Narrow::Plain, Narrow::Vnni, Narrow::Amx],
            (true, false) => &[Narrow::Plain, Narrow::Vnni],
            _ => &[Narrow::Plain],
        })
    }

    pub fn name(self) -> &'static str {
        match self {
            Narrow::Plain => "plain",
            Narrow::Vnni => "avx512vnni",
            Narrow::Amx => "amx",
        }
    }

    /// That of plans made now: the best, unless `MILLRACE_CPU` names one below it, or a path.
    pub fn current() -> Narrow {
        #[cfg(test)]
        if let Some(narrow) = testing::forced_narrow() {
            return narrow;
        }
        static CURRENT: OnceLock<Narrow> = OnceLock::new();
        *CURRENT.get_or_init(|| {
            let forced = match std::env::var("MILLRACE_CPU").as_deref() {
                Ok("portable" | "neon" | "avx2" | "avx512") => Narrow::Plain,
                Ok("avx512vnni") => Narrow::Vnni,
                _ => Narrow::Amx,
            };
            // Asked last: tiles need the system's permission.
            match forced {
                Narrow::Plain => Narrow::Plain,
                _ => Narrow::available().iter().copied().rfind(|&it| it <= forced).unwrap_or(Narrow::Plain),
            }
        })
    }
}

fn has_vnni() -> bool {
    #[cfg(target_arch = "x86_64")]
    return Isa::best() == Isa::Avx512 && is_x86_feature_detected!("avx512vnni");
    #[cfg(not(target_arch = "x86_64"))]
    false
}

/// A kernel body. `run` must be `#[inline(always)]`, so that it is compiled with the features of each path.
pub trait Kernel {
    type Args;

    /// # Safety
    /// What the arguments need is said by each kernel.
    unsafe fn run<const FMA: bool>(args: Self::Args);
}

/// `K` for one path.
pub fn version<K: Kernel>(isa: Isa) -> unsafe fn(K::Args) {
    match isa {
        Isa::Portable => portable::<K>,
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 => avx2_entry::<K>,
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 => avx512_entry::<K>,
        #[cfg(target_arch = "aarch64")]
        Isa::Neon => neon::<K>,
        _ => portable::<K>,
    }
}

unsafe fn portable<K: Kernel>(args: K::Args) {
    unsafe { K::run::<false>(args) }
}

/// The features of this path are those that the compiler may always use there.
#[cfg(target_arch = "aarch64")]
unsafe fn neon<K: Kernel>(args: K::Args) {
    unsafe { K::run::<true>(args) }
}

#[cfg(target_arch = "x86_64")]
unsafe fn avx2_entry<K: Kernel>(args: K::Args) {
    #[target_feature(enable = "avx2,fma,bmi1,bmi2,lzcnt,popcnt")]
    unsafe fn avx2<K: Kernel>(args: K::Args) {
        unsafe { K::run::<true>(args) }
    }
    // SAFETY: `Isa::best` saw the features before this path was handed out.
    unsafe { avx2::<K>(args) }
}

#[cfg(target_arch = "x86_64")]
unsafe fn avx512_entry<K: Kernel>(args: K::Args) {
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,bmi1,bmi2,lzcnt,popcnt")]
    unsafe fn avx512<K: Kernel>(args: K::Args) {
        unsafe { K::run::<true>(args) }
    }
    // SAFETY: as above.
    unsafe { avx512::<K>(args) }
}

/// a · b + c, fused where the path has it.
#[inline(always)]
pub fn fma32<const FMA: bool>(a: f32, b: f32, c: f32) -> f32 {
    if FMA { a.mul_add(b, c) } else { a * b + c }
}

/// a · b + c, fused where the path has it.
#[inline(always)]
pub fn fma64<const FMA: bool>(a: f64, b: f64, c: f64) -> f64 {
    if FMA { a.mul_add(b, c) } else { a * b + c }
}

#[cfg(test)]
pub mod testing {
    use super::{Isa, Narrow};
    use std::cell::Cell;

    thread_local! { pub static FORCED: Cell<Option<Isa>> = const { Cell::new(None) }; }
    thread_local! { static FORCED_NARROW: Cell<Option<Narrow>> = const { Cell::new(None) }; }

    pub fn forced_narrow() -> Option<Narrow> {
        let other_path = || FORCED.with(Cell::get).filter(|&isa| isa != Isa::Avx512).map(|_| Narrow::Plain);
        FORCED_NARROW.with(Cell::get).or_else(other_path)
    }

    /// Runs `f` once for each path, and once for each set of narrow instructions of this machine.
    pub fn each_narrow(f: impl Fn(&str)) {
        each_isa(|isa| f(isa.name()));
        for &narrow in Narrow::available() {
            FORCED_NARROW.with(|cell| cell.set(Some(narrow)));
            f(narrow.name());
            FORCED_NARROW.with(|cell| cell.set(None));
        }
    }

    /// Runs `f` once for each path of this machine.
    pub fn each_isa(f: impl Fn(Isa)) {
        for &isa in Isa::available() {
            FORCED.with(|cell| cell.set(Some(isa)));
            f(isa);
            FORCED.with(|cell| cell.set(None));
        }
    }
}
