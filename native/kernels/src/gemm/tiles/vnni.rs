//! Products of tiles of bytes with VNNI.

use super::amx::Block;
use super::pack::{LANES, Tile};

/// Rows whose sums are held at once, beside both panels: 16 vectors.
const ROWS: usize = 8;

/// Of int8 in a and of bytes without sign in b.
///
/// # Safety
/// The machine has AVX-512 with VNNI; operands have `count` tiles, the sums 4 KB.
pub unsafe fn product(block: Block) {
    use std::arch::x86_64::*;
    #[target_feature(enable = "avx512f,avx512vnni")]
    unsafe fn body(block: Block) {
        for (strip, half) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            let mut sums = [[_mm512_setzero_si512(); 2]; ROWS];
            for t in 0..block.count {
                // SAFETY: by the caller.
                unsafe {
                    let a = (block.a[strip] as *const Tile).add(t) as *const i32;
                    let b = block.b.map(|b| (b as *const Tile).add(t) as *const i32);
                    for word in 0..LANES {
                        let b = b.map(|b| _mm512_load_si512(b.add(word * LANES).cast()));
                        for (row, sums) in sums.iter_mut().enumerate() {
                            let a = _mm512_set1_epi32(a.add((half * ROWS + row) * LANES + word).read());
                            sums[0] = _mm512_dpbusd_epi32(sums[0], b[0], a);
                            sums[1] = _mm512_dpbusd_epi32(sums[1], b[1], a);
                        }
                    }
                }
            }
            for (row, sums) in sums.into_iter().enumerate() {
                // SAFETY: the sums are 32 rows of 32.
                unsafe {
                    let to = (block.sums as *mut i32).add((strip * LANES + half * ROWS + row) * 2 * LANES);
                    _mm512_storeu_si512(to.cast(), sums[0]);
                    _mm512_storeu_si512(to.add(LANES).cast(), sums[1]);
                }
            }
        }
    }
    // SAFETY: by the caller.
    unsafe { body(block) }
}
