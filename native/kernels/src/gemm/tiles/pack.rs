//! Operands as tiles: 16 lanes (rows of a, columns of b) of 16 words, a word holding what 32 bits have room for of
//! neighbours along k. What is missing is zero.

use crate::isa::Kernel;
use std::marker::PhantomData;

pub const LANES: usize = 16;
pub const TILE_BYTES: usize = 1024;

pub type Tile = [[u32; LANES]; LANES];

/// A number that words are made of.
pub trait Part: Copy + Default + 'static {
    fn bits(self) -> u32;
}

impl Part for i8 {
    #[inline(always)]
    fn bits(self) -> u32 {
        u32::from(self as u8)
    }
}

impl Part for u16 {
    #[inline(always)]
    fn bits(self) -> u32 {
        u32::from(self)
    }
}

/// Packs lanes to tiles, `steps` of k from the first on; with `by_word` a tile holds word by word all lanes, as b does.
#[derive(Clone, Copy)]
pub struct Pack {
    pub to: *mut u8,
    pub from: *const u8,
    /// From one step of k to the next, and from one lane to the next, in elements.
    pub along: isize,
    pub across: isize,
    pub lanes: usize,
    pub steps: usize,
    pub by_word: bool,
    /// Changes these bits of each word.
    pub flip: u32,
}

pub struct Packer<T>(PhantomData<T>);

impl<T: Part> Packer<T> {
    const GROUP: usize = 4 / size_of::<T>();
    /// Steps of k in a tile.
    const STEPS: usize = LANES * Self::GROUP;

    /// tile[lane][word], of steps that lie together or of any.
    #[inline(always)]
    unsafe fn by_lane(from: *const T, along: isize, across: isize, lanes: usize, steps: usize) -> Tile {
        let mut tile = [[0; LANES]; LANES];
        for (lane, words) in tile.iter_mut().enumerate().take(lanes) {
            let from = from.wrapping_offset(lane as isize * across);
            let to = words.as_mut_ptr().cast::<T>();
            // SAFETY: by the caller; a lane of a tile has STEPS elements, and words are little-endian.
            unsafe {
                match (along, steps == Self::STEPS) {
                    (1, true) => to.copy_from_nonoverlapping(from, Self::STEPS),
                    (1, false) => to.copy_from_nonoverlapping(from, steps),
                    _ => (0..steps).for_each(|i| to.add(i).write(from.offset(i as isize * along).read())),
                }
            }
        }
        tile
    }

    /// tile[word][lane], of lanes that lie together.
    #[inline(always)]
    unsafe fn by_word(from: *const T, along: isize, lanes: usize, steps: usize) -> Tile {
        let mut tile = [[0; LANES]; LANES];
        for step in 0..steps {
            let from = from.wrapping_offset(step as isize * along);
            let mut line = [T::default(); LANES];
            // SAFETY: by the caller.
            unsafe {
                if lanes == LANES {
                    line = (from as *const [T; LANES]).read_unaligned();
                } else {
                    line.as_mut_ptr().copy_from_nonoverlapping(from, lanes);
                }
            }
            let shift = step % Self::GROUP * 8 * size_of::<T>();
            let words = &mut tile[step / Self::GROUP];
            words.iter_mut().zip(line).for_each(|(word, x)| *word |= x.bits() << shift);
        }
        tile
    }
}

impl<T: Part> Kernel for Packer<T> {
    type Args = Pack;

    #[inline(always)]
    unsafe fn run<const FMA: bool>(it: Pack) {
        let to = it.to as *mut Tile;
        for (number, first) in (0..it.steps).step_by(Self::STEPS).enumerate() {
            let steps = Self::STEPS.min(it.steps - first);
            let from = (it.from as *const T).wrapping_offset(first as isize * it.along);
            // SAFETY: by the caller.
            let (mut tile, is_by_word) = unsafe {
                match it.along != 1 && it.across == 1 {
                    true => (Self::by_word(from, it.along, it.lanes, steps), true),
                    false => (Self::by_lane(from, it.along, it.across, it.lanes, steps), false),
                }
            };
            if is_by_word != it.by_word {
                tile = std::array::from_fn(|i| std::array::from_fn(|j| tile[j][i]));
            }
            tile.iter_mut().flatten().for_each(|word| *word ^= it.flip);
            // SAFETY: by the caller.
            unsafe { to.add(number).write(tile) }
        }
    }
}
