//! The register kernel: a tile of c in vector registers, one row of b and a broadcast element of a at a time.

use crate::isa::{Isa, Kernel, version};
#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::*;
use std::marker::PhantomData;

/// An element of a product. Integers wrap.
pub trait Scalar: Copy + Send + Sync + PartialEq + 'static {
    const ZERO: Self;
    /// x · y + z, fused where the path has it.
    fn mul_add<const FMA: bool>(x: Self, y: Self, z: Self) -> Self;
    fn add(x: Self, y: Self) -> Self;
    fn engine(isa: Isa) -> Engine<Self>;
}

/// c[mr, nr] (+)= a · b for rows of b that lie `b_row` apart. A packed a has mr elements a step; the strides are for a
/// plain one.
#[derive(Clone, Copy)]
pub struct Micro<T> {
    pub k: usize,
    pub a: *const T,
    pub a_row: isize,
    pub a_column: isize,
    pub b: *const T,
    pub b_row: isize,
    pub c: *mut T,
    pub c_row: usize,
    /// The part of the tile that c has.
    pub rows: usize,
    pub columns: usize,
    pub accumulate: bool,
}

/// The kernels of one element type on one path.
#[derive(Clone, Copy)]
pub struct Engine<T> {
    /// Rows and columns of a tile.
    pub mr: usize,
    pub nr: usize,
    pub wide: unsafe fn(Micro<T>),
    /// For at most nr / 2 columns.
    pub narrow: unsafe fn(Micro<T>),
    /// The same for an a that is read where it lies; it has mr rows.
    pub plain_wide: unsafe fn(Micro<T>),
    pub plain_narrow: unsafe fn(Micro<T>),
    pub isa: Isa,
}

/// A vector register.
trait Vector: Copy {
    type Item: Scalar;
    const LEN: usize;
    unsafe fn splat(x: Self::Item) -> Self;
    unsafe fn load(from: *const Self::Item) -> Self;
    unsafe fn store(self, to: *mut Self::Item);
    unsafe fn mul_add<const FMA: bool>(x: Self, y: Self, z: Self) -> Self;
    unsafe fn add(x: Self, y: Self) -> Self;
}

struct TileKernel<V, const MR: usize, const VECTORS: usize, const PACKED: bool>(PhantomData<V>);

impl<V: Vector, const MR: usize, const VECTORS: usize, const PACKED: bool> Kernel
    for TileKernel<V, MR, VECTORS, PACKED>
{
    type Args = Micro<V::Item>;

    #[inline(always)]
    unsafe fn run<const FMA: bool>(tile: Micro<V::Item>) {
        // SAFETY: a has k · MR elements, each row of b VECTORS · LEN, c the part that is stored.
        unsafe {
            let mut acc = [[V::splat(V::Item::ZERO); VECTORS]; MR];
            let (mut a, mut b) = (tile.a, tile.b);
            for _ in 0..tile.k {
                let mut row = [V::splat(V::Item::ZERO); VECTORS];
                for (v, vector) in row.iter_mut().enumerate() {
                    *vector = V::load(b.add(v * V::LEN));
                }
                for (i, sums) in acc.iter_mut().enumerate() {
                    let x = V::splat(if PACKED { a.add(i) } else { a.offset(i as isize * tile.a_row) }.read());
                    for (sum, &y) in sums.iter_mut().zip(&row) {
                        *sum = V::mul_add::<FMA>(x, y, *sum);
                    }
                }
                a = if PACKED { a.add(MR) } else { a.offset(tile.a_column) };
                b = b.offset(tile.b_row);
            }
            if tile.rows == MR && tile.columns == VECTORS * V::LEN {
                for (i, sums) in acc.iter().enumerate() {
                    for (v, &sum) in sums.iter().enumerate() {
                        let to = tile.c.add(i * tile.c_row + v * V::LEN);
                        let sum = if tile.accumulate { V::add(V::load(to), sum) } else { sum };
                        sum.store(to);
                    }
                }
                return;
            }
            let mut whole = [[[V::Item::ZERO; MAX_LEN]; VECTORS]; MR];
            for (i, sums) in acc.iter().enumerate() {
                for (v, &sum) in sums.iter().enumerate() {
                    sum.store(whole[i][v].as_mut_ptr());
                }
            }
            for (i, row) in whole.iter().enumerate().take(tile.rows) {
                for j in 0..tile.columns {
                    let to = tile.c.add(i * tile.c_row + j);
                    let sum = row[j / V::LEN][j % V::LEN];
                    to.write(if tile.accumulate { V::Item::add(to.read(), sum) } else { sum });
                }
            }
        }
    }
}

/// Elements of the longest vector.
const MAX_LEN: usize = 16;

/// Lanes that the compiler turns into whatever registers the path has.
#[derive(Clone, Copy)]
struct Lanes<T, const N: usize>([T; N]);

impl<T: Scalar, const N: usize> Vector for Lanes<T, N> {
    type Item = T;
    const LEN: usize = N;

    #[inline(always)]
    unsafe fn splat(x: T) -> Self {
        Lanes([x; N])
    }
    #[inline(always)]
    unsafe fn load(from: *const T) -> Self {
        // SAFETY: by the caller.
        Lanes(unsafe { (from as *const [T; N]).read_unaligned() })
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut T) {
        // SAFETY: by the caller.
        unsafe { (to as *mut [T; N]).write_unaligned(self.0) }
    }
    #[inline(always)]
    unsafe fn mul_add<const FMA: bool>(x: Self, y: Self, mut z: Self) -> Self {
        for l in 0..N {
            z.0[l] = T::mul_add::<FMA>(x.0[l], y.0[l], z.0[l]);
        }
        z
    }
    #[inline(always)]
    unsafe fn add(mut x: Self, y: Self) -> Self {
        for l in 0..N {
            x.0[l] = T::add(x.0[l], y.0[l]);
        }
        x
    }
}

/// One intrinsic type; the caller runs on a path that has it.
macro_rules! vector {
    ($v:ty, $t:ty, $len:expr, $splat:ident, $load:ident, $store:ident, $fma:ident, $add:ident) => {
        #[cfg(target_arch = "x86_64")]
        impl Vector for $v {
            type Item = $t;
            const LEN: usize = $len;

            #[inline(always)]
            unsafe fn splat(x: $t) -> Self {
                unsafe { $splat(x) }
            }
            #[inline(always)]
            unsafe fn load(from: *const $t) -> Self {
                unsafe { $load(from) }
            }
            #[inline(always)]
            unsafe fn store(self, to: *mut $t) {
                unsafe { $store(to, self) }
            }
            #[inline(always)]
            unsafe fn mul_add<const FMA: bool>(x: Self, y: Self, z: Self) -> Self {
                unsafe { $fma(x, y, z) }
            }
            #[inline(always)]
            unsafe fn add(x: Self, y: Self) -> Self {
                unsafe { $add(x, y) }
            }
        }
    };
}
vector!(__m512, f32, 16, _mm512_set1_ps, _mm512_loadu_ps, _mm512_storeu_ps, _mm512_fmadd_ps, _mm512_add_ps);
vector!(__m512d, f64, 8, _mm512_set1_pd, _mm512_loadu_pd, _mm512_storeu_pd, _mm512_fmadd_pd, _mm512_add_pd);
vector!(__m256, f32, 8, _mm256_set1_ps, _mm256_loadu_ps, _mm256_storeu_ps, _mm256_fmadd_ps, _mm256_add_ps);
vector!(__m256d, f64, 4, _mm256_set1_pd, _mm256_loadu_pd, _mm256_storeu_pd, _mm256_fmadd_pd, _mm256_add_pd);

fn engine<V: Vector, const MR: usize>(isa: Isa) -> Engine<V::Item> {
    Engine {
        mr: MR,
        nr: 2 * V::LEN,
        wide: version::<TileKernel<V, MR, 2, true>>(isa),
        narrow: version::<TileKernel<V, MR, 1, true>>(isa),
        plain_wide: version::<TileKernel<V, MR, 2, false>>(isa),
        plain_narrow: version::<TileKernel<V, MR, 1, false>>(isa),
        isa,
    }
}

macro_rules! float {
    ($t:ty, $small:expr, $avx2:ty, $avx512:ty) => {
        impl Scalar for $t {
            const ZERO: Self = 0.0;

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
                    Isa::Avx512 => engine::<$avx512, 12>(isa),
                    #[cfg(target_arch = "x86_64")]
                    Isa::Avx2 => engine::<$avx2, 6>(isa),
                    _ => engine::<Lanes<$t, $small>, 4>(isa),
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

            #[inline(always)]
            fn mul_add<const FMA: bool>(x: Self, y: Self, z: Self) -> Self {
                x.wrapping_mul(y).wrapping_add(z)
            }
            #[inline(always)]
            fn add(x: Self, y: Self) -> Self {
                x.wrapping_add(y)
            }
            fn engine(isa: Isa) -> Engine<Self> {
                engine::<Lanes<$t, 8>, 4>(isa)
            }
        }
    )* };
}
int!(i32, i64, u8);
