//! The kernels of a product of tiles: which there are for a pair of dtypes on this machine, and what becomes of their sums.

use super::BLOCK;
use super::amx::{self, Block};
use super::pack::{LANES, Pack, Packer, TILE_BYTES};
#[cfg(target_arch = "x86_64")]
use super::vnni;
use crate::bfloat16;
use crate::isa::{Isa, Kernel, Narrow, version};
use std::marker::PhantomData;

/// What `vnni` has added to bytes of b, so that they have no sign.
const OFFSET: i32 = 128;

/// Writes sums as elements of c.
#[derive(Clone, Copy)]
pub struct Finish {
    pub sums: *const u8,
    /// What each row's sums are too large by; null if they are right.
    pub excess: *const i32,
    pub c: *mut u8,
    pub c_row: usize,
    pub rows: usize,
    pub columns: usize,
}

/// A sum on its way to an element of c.
trait Store<T>: Copy {
    fn less(self, excess: i32) -> Self;
    fn store(self) -> T;
}

impl Store<i32> for i32 {
    #[inline(always)]
    fn less(self, excess: i32) -> i32 {
        self.wrapping_sub(excess)
    }
    #[inline(always)]
    fn store(self) -> i32 {
        self
    }
}

impl Store<i8> for i32 {
    #[inline(always)]
    fn less(self, excess: i32) -> i32 {
        self.wrapping_sub(excess)
    }
    #[inline(always)]
    fn store(self) -> i8 {
        self as i8
    }
}

impl Store<f32> for f32 {
    #[inline(always)]
    fn less(self, _excess: i32) -> f32 {
        self
    }
    #[inline(always)]
    fn store(self) -> f32 {
        self
    }
}

impl Store<u16> for f32 {
    #[inline(always)]
    fn less(self, _excess: i32) -> f32 {
        self
    }
    #[inline(always)]
    fn store(self) -> u16 {
        bfloat16::round(self)
    }
}

struct Finisher<S, T>(PhantomData<(S, T)>);

impl<S: Store<T>, T: Copy> Kernel for Finisher<S, T> {
    type Args = Finish;

    #[inline(always)]
    unsafe fn run<const FMA: bool>(it: Finish) {
        for row in 0..it.rows {
            // SAFETY: by the caller.
            unsafe {
                let excess = if it.excess.is_null() { 0 } else { it.excess.add(row).read() };
                let (from, to) = ((it.sums as *const S).add(row * BLOCK), (it.c as *mut T).add(row * it.c_row));
                (0..it.columns).for_each(|j| to.add(j).write(from.add(j).read().less(excess).store()));
            }
        }
    }
}

/// Sums of the bytes of a strip of packed rows, times the offset.
pub struct Excess;

impl Kernel for Excess {
    /// Tiles, how many, and where 16 sums go.
    type Args = (*const i8, usize, *mut i32);

    #[inline(always)]
    unsafe fn run<const FMA: bool>((tiles, count, to): Self::Args) {
        let mut sums = [0i32; LANES];
        for tile in 0..count {
            for (lane, sum) in sums.iter_mut().enumerate() {
                // SAFETY: by the caller; a lane of a tile has 64 bytes.
                let bytes = unsafe { &*(tiles.add(tile * TILE_BYTES + lane * 64) as *const [i8; 64]) };
                *sum = sum.wrapping_add(bytes.iter().map(|&x| i32::from(x)).sum::<i32>());
            }
        }
        // SAFETY: by the caller.
        unsafe { (to as *mut [i32; LANES]).write_unaligned(sums.map(|sum| sum.wrapping_mul(OFFSET))) }
    }
}

/// The kernels of one pair of dtypes on one path.
#[derive(Clone, Copy)]
pub struct Kernels {
    pub pack: unsafe fn(Pack),
    pub block: unsafe fn(Block),
    pub finish: unsafe fn(Finish),
    pub excess: Option<unsafe fn(<Excess as Kernel>::Args)>,
    /// Tiles of the processor are used: they are configured for each part.
    pub amx: bool,
    /// Bytes of an element of the operands, and of c.
    pub size: usize,
    pub c_size: usize,
    /// Operations in a ns, roughly.
    pub speed: f64,
    /// Tells packed forms of b apart.
    pub kind: usize,
}

impl Kernels {
    /// Of int8 into int8 or, if `wide`, int32, where the machine has instructions for them.
    pub fn int8(wide: bool) -> Option<Kernels> {
        let (isa, narrow) = (Isa::current(), Narrow::current());
        let finish = if wide { version::<Finisher<i32, i32>>(isa) } else { version::<Finisher<i32, i8>>(isa) };
        let (block, speed): (unsafe fn(Block), f64) = match narrow {
            #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
            Narrow::Amx => (amx::int8, 2000.0),
            #[cfg(target_arch = "x86_64")]
            Narrow::Vnni => (vnni::product, 500.0),
            _ => return None,
        };
        let excess = (narrow == Narrow::Vnni).then(|| version::<Excess>(isa));
        let (amx, kind) = (narrow == Narrow::Amx, usize::from(narrow == Narrow::Vnni));
        let c_size = if wide { 4 } else { 1 };
        Some(Kernels { pack: version::<Packer<i8>>(isa), block, finish, excess, amx, size: 1, c_size, speed, kind })
    }

    /// Of bfloat16 into bfloat16 or, if `wide`, float32, where the machine has tiles for them.
    pub fn bfloat16(wide: bool) -> Option<Kernels> {
        #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
        if Narrow::current() == Narrow::Amx {
            let isa = Isa::current();
            let finish = if wide { version::<Finisher<f32, f32>>(isa) } else { version::<Finisher<f32, u16>>(isa) };
            let c_size = if wide { 4 } else { 2 };
            let (pack, block) = (version::<Packer<u16>>(isa), amx::bfloat16);
            return Some(Kernels {
                pack,
                block,
                finish,
                excess: None,
                amx: true,
                size: 2,
                c_size,
                speed: 1000.0,
                kind: 2,
            });
        }
        let _ = wide;
        None
    }
}
