//! The register kernel: a tile of c in vector registers, one row of b and a broadcast element of a at a time.

use super::product::strips;
use super::vectors::{Lanes, Vector};
use crate::isa::{Isa, Kernel, version};
#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::*;
use std::marker::PhantomData;

/// An element of a product. Integers wrap.
pub trait Scalar: Copy + Send + Sync + PartialEq + 'static {
    const ZERO: Self;
    const ONE: Self;
    /// x · y + z, fused where the path has it.
    fn mul_add<const FMA: bool>(x: Self, y: Self, z: Self) -> Self;
    fn add(x: Self, y: Self) -> Self;
    fn engine(isa: Isa) -> Engine<Self>;
    /// `K` on the vectors of a path.
    fn kernel<K: VectorKernel<Self>>(isa: Isa) -> unsafe fn(K::Args);
}

/// A kernel body for whatever vectors a path has: see [`Kernel`].
pub trait VectorKernel<T> {
    type Args;

    /// # Safety
    /// What the arguments need is said by each kernel.
    unsafe fn run<V: Vector<Item = T>, const FMA: bool>(args: Self::Args);
}

struct On<K, V>(PhantomData<(K, V)>);

impl<V: Vector, K: VectorKernel<V::Item>> Kernel for On<K, V> {
    type Args = K::Args;

    #[inline(always)]
    unsafe fn run<const FMA: bool>(args: K::Args) {
        // SAFETY: by the caller.
        unsafe { K::run::<V, FMA>(args) }
    }
}

/// One tile: c[rows, columns] (+)= a · b; how many rows is the kernel's.
#[derive(Clone, Copy)]
pub struct Tile<T> {
    pub k: usize,
    pub a: *const T,
    pub a_row: isize,
    pub a_column: isize,
    /// Whole vectors: rows of b that end within one are read from zero-padded panels.
    pub b: *const T,
    pub b_row: isize,
    pub c: *mut T,
    pub c_row: usize,
    pub columns: usize,
    pub accumulate: bool,
    /// What comes next: a line of it is asked for at every step.
    pub ahead: *const T,
    pub ahead_step: isize,
}

/// Strips of at most `most` rows of an operand (or panels of columns), each filled up to multiples of `unit` with zeros.
/// For the strip of `width` from `start` on: to[start · k + p · width + i] = from[(start + i) · across + p · along].
#[derive(Clone, Copy)]
pub struct Pack<T> {
    pub to: *mut T,
    pub from: *const T,
    pub across: isize,
    pub along: isize,
    pub count: usize,
    pub k: usize,
    pub most: usize,
    pub unit: usize,
}

/// The kernel for tiles of so many rows and vectors; `unit` where rows of a lie one element apart.
type TileOf<T> = fn(rows: usize, vectors: usize, unit: bool) -> TileFn<T>;
pub type TileFn<T> = unsafe fn(Tile<T>);

/// The kernels of one element type on one path.
#[derive(Clone, Copy)]
pub struct Engine<T> {
    /// Rows and columns of the largest tile.
    pub mr: usize,
    pub nr: usize,
    /// Elements of a vector.
    pub lanes: usize,
    pub tile: TileOf<T>,
    pub pack: unsafe fn(Pack<T>),
    pub isa: Isa,
}

struct TileKernel<V, const ROWS: usize, const VECTORS: usize, const UNIT: bool>(PhantomData<V>);

impl<V: Vector, const ROWS: usize, const VECTORS: usize, const UNIT: bool> Kernel
    for TileKernel<V, ROWS, VECTORS, UNIT>
{
    type Args = Tile<V::Item>;

    #[inline(always)]
    unsafe fn run<const FMA: bool>(tile: Tile<V::Item>) {
        // SAFETY: a has ROWS · k elements, b k rows of VECTORS · LEN, c ROWS · columns; a prefetch may go anywhere.
        unsafe {
            for i in 0..ROWS {
                let row = tile.c.add(i * tile.c_row);
                V::prefetch(row);
                V::prefetch(row.add(tile.columns - 1));
            }
            let mut sums = [[V::splat(V::Item::ZERO); VECTORS]; ROWS];
            // A pointer for every third row, or their addresses would be one long chain of sums.
            // Two pointers, or the addresses of rows would be one chain of sums as long as the step.
            let (mut a, mut half) = (tile.a, tile.a.wrapping_offset((ROWS / 2) as isize * tile.a_row));
            let (mut b, mut ahead) = (tile.b, tile.ahead);
            for _ in 0..tile.k {
                let mut row = [V::splat(V::Item::ZERO); VECTORS];
                for (v, vector) in row.iter_mut().enumerate() {
                    *vector = V::load(b.add(v * V::LEN));
                    V::prefetch_near(b.wrapping_offset(8 * tile.b_row).wrapping_add(v * V::LEN));
                }
                for (i, sums) in sums.iter_mut().enumerate() {
                    let (from, at) = if UNIT || i < ROWS / 2 { (a, i) } else { (half, i - ROWS / 2) };
                    let x = from.offset(at as isize * if UNIT { 1 } else { tile.a_row });
                    let x = V::splat(x.read());
                    for (sum, &y) in sums.iter_mut().zip(&row) {
                        *sum = V::mul_add::<FMA>(x, y, *sum);
                    }
                }
                V::prefetch(ahead);
                ahead = ahead.wrapping_offset(tile.ahead_step);
                a = a.wrapping_offset(tile.a_column);
                half = half.wrapping_offset(tile.a_column);
                b = b.wrapping_offset(tile.b_row);
            }
            let last = tile.columns - (VECTORS - 1) * V::LEN;
            for (i, sums) in sums.iter().enumerate() {
                for (v, &sum) in sums.iter().enumerate() {
                    let to = tile.c.add(i * tile.c_row + v * V::LEN);
                    let count = if v + 1 < VECTORS { V::LEN } else { last };
                    let sum = if tile.accumulate { V::add(V::load_first(to, count), sum) } else { sum };
                    sum.store_first(to, count);
                }
            }
        }
    }
}

struct PackKernel<V>(PhantomData<V>);

impl<V: Vector> Kernel for PackKernel<V> {
    type Args = Pack<V::Item>;

    #[inline(always)]
    unsafe fn run<const FMA: bool>(pack: Pack<V::Item>) {
        let Pack { to, from, across, along, count, k, most, unit } = pack;
        // Where rows are far apart, a few steps of all strips at a time, so that lines are read in order.
        let steps = if across == 1 { STEPS.min(k.max(1)) } else { k.max(1) };
        for first in (0..k).step_by(steps) {
            for (start, count) in strips(count, unit, most) {
                let width = count.next_multiple_of(unit);
                // SAFETY: `count` rows of k elements; `to` has whole strips.
                unsafe {
                    let to = to.add(start * k + first * width);
                    let from = from.offset(start as isize * across + first as isize * along);
                    strip::<V>(to, from, [across, along], [count, width, steps.min(k - first)]);
                }
            }
        }
    }
}

/// Steps of k that are packed of one strip before the next.
const STEPS: usize = 16;

/// to[p · width + i] = from[i · across + p · along] for i < count, zero for count <= i < width.
#[inline(always)]
unsafe fn strip<V: Vector>(
    to: *mut V::Item,
    from: *const V::Item,
    [across, along]: [isize; 2],
    [count, width, k]: [usize; 3],
) {
    // SAFETY: by the caller.
    unsafe {
        if across == 1 {
            if count == 2 * V::LEN {
                let (mut to, mut from) = (to, from);
                for _ in 0..k {
                    let (x, y) = (V::load(from), V::load(from.add(V::LEN)));
                    x.store_first(to, V::LEN);
                    y.store_first(to.add(V::LEN), V::LEN);
                    (to, from) = (to.add(width), from.wrapping_offset(along));
                }
                return;
            }
            for i in (0..width).step_by(V::LEN) {
                let (given, kept) = (count.saturating_sub(i).min(V::LEN), (width - i).min(V::LEN));
                let (mut to, mut from) = (to.add(i), from.add(i));
                for _ in 0..k {
                    V::load_first(from, given).store_first(to, kept);
                    (to, from) = (to.wrapping_add(width), from.wrapping_offset(along));
                }
            }
            return;
        }
        for p in 0..if count < width { k } else { 0 } {
            (count..width).for_each(|i| to.add(p * width + i).write(V::Item::ZERO));
        }
        let mut p = 0;
        while along == 1 && p + V::SIDE <= k {
            for i in (0..count).step_by(V::SIDE) {
                let from = from.offset(i as isize * across).add(p);
                V::transpose(from, across, V::SIDE.min(count - i), to.add(p * width + i), width);
            }
            p += V::SIDE;
        }
        for p in p..k {
            for i in 0..count {
                to.add(p * width + i).write(from.offset(i as isize * across + p as isize * along).read());
            }
        }
    }
}

fn engine<V: Vector>(isa: Isa, mr: usize, tile: TileOf<V::Item>) -> Engine<V::Item> {
    Engine { mr, nr: 2 * V::LEN, lanes: V::LEN, tile, pack: version::<PackKernel<V>>(isa), isa }
}

/// The engine of vectors of `$v` with tiles of up to so many rows.
macro_rules! engine {
    ($v:ty, $isa:path, $mr:literal, $($rows:literal)*) => {{
        fn tile(rows: usize, vectors: usize, unit: bool) -> TileFn<<$v as Vector>::Item> {
            match (rows, vectors, unit) {
                $(
                    ($rows, 1, true) => version::<TileKernel<$v, $rows, 1, true>>($isa),
                    ($rows, 1, false) => version::<TileKernel<$v, $rows, 1, false>>($isa),
                    ($rows, 2, true) => version::<TileKernel<$v, $rows, 2, true>>($isa),
                    ($rows, 2, false) => version::<TileKernel<$v, $rows, 2, false>>($isa),
                )*
                _ => unreachable!("tiles have up to {} rows and two vectors", $mr),
            }
        }
        engine::<$v>($isa, $mr, tile)
    }};
}

macro_rules! float {
    ($t:ty, $small:expr, $avx2:ty, $avx512:ty) => {
        impl Scalar for $t {
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;

            #[inline(always)]
            fn mul_add<const FMA: bool>(x: Self, y: Self, z: Self) -> Self {
                if FMA { x.mul_add(y, z) } else { x * y + z }
            }
            #[inline(always)]
            fn add(x: Self, y: Self) -> Self {
                x + y
            }
            fn engine(isa: Isa) -> Engine<Self> {
                match isa {
                    #[cfg(target_arch = "x86_64")]
                    Isa::Avx512 => engine!($avx512, Isa::Avx512, 14, 1 2 3 4 5 6 7 8 9 10 11 12 13 14),
                    #[cfg(target_arch = "x86_64")]
                    Isa::Avx2 => engine!($avx2, Isa::Avx2, 6, 1 2 3 4 5 6),
                    Isa::Neon => engine!(Lanes<$t, $small>, Isa::Neon, 4, 1 2 3 4),
                    _ => engine!(Lanes<$t, $small>, Isa::Portable, 4, 1 2 3 4),
                }
            }
            fn kernel<K: VectorKernel<Self>>(isa: Isa) -> unsafe fn(K::Args) {
                match isa {
                    #[cfg(target_arch = "x86_64")]
                    Isa::Avx512 => version::<On<K, $avx512>>(isa),
                    #[cfg(target_arch = "x86_64")]
                    Isa::Avx2 => version::<On<K, $avx2>>(isa),
                    _ => version::<On<K, Lanes<$t, $small>>>(isa),
                }
            }
        }
    };
}
float!(f32, 4, __m256, __m512);
float!(f64, 2, __m256d, __m512d);

macro_rules! int {
    ($($t:ty),*) => { $(
        impl Scalar for $t {
            const ZERO: Self = 0;
            const ONE: Self = 1;

            #[inline(always)]
            fn mul_add<const FMA: bool>(x: Self, y: Self, z: Self) -> Self {
                x.wrapping_mul(y).wrapping_add(z)
            }
            #[inline(always)]
            fn add(x: Self, y: Self) -> Self {
                x.wrapping_add(y)
            }
            fn engine(isa: Isa) -> Engine<Self> {
                match isa {
                    Isa::Avx512 => engine!(Lanes<$t, 8>, Isa::Avx512, 4, 1 2 3 4),
                    Isa::Avx2 => engine!(Lanes<$t, 8>, Isa::Avx2, 4, 1 2 3 4),
                    Isa::Neon => engine!(Lanes<$t, 8>, Isa::Neon, 4, 1 2 3 4),
                    Isa::Portable => engine!(Lanes<$t, 8>, Isa::Portable, 4, 1 2 3 4),
                }
            }
            fn kernel<K: VectorKernel<Self>>(isa: Isa) -> unsafe fn(K::Args) {
                version::<On<K, Lanes<$t, 8>>>(isa)
            }
        }
    )* };
}
int!(i32, i64, i8, u8);
