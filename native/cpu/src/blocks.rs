//! Blocks of memory from the system, aligned for vectors; large ones in huge pages, where the system gives them on
//! request: a pass over 40 MB otherwise touches 10,000 pages, and waits for their addresses.

use std::alloc::{Layout, alloc, dealloc};
use std::ptr::NonNull;

/// Where buffers start.
pub const ALIGN: usize = 64;
#[cfg(target_os = "linux")]
const HUGE_PAGE: usize = 2 << 20;
/// Blocks from this size on start at a huge page. What is left behind the last whole one stays in small pages, so that
/// a block never takes more memory than it has bytes.
#[cfg(target_os = "linux")]
const LARGE: usize = 2 * HUGE_PAGE;

fn layout(bytes: usize) -> Option<Layout> {
    #[cfg(target_os = "linux")]
    if bytes >= LARGE {
        return Layout::from_size_align(bytes, HUGE_PAGE).ok();
    }
    Layout::from_size_align(bytes, ALIGN).ok()
}

/// `bytes` bytes, more than 0, of unset memory; `None` where there is no such memory.
pub fn allocate(bytes: usize) -> Option<NonNull<u8>> {
    let layout = layout(bytes)?;
    debug_assert!(bytes > 0);
    // SAFETY: the layout is not empty.
    let start = NonNull::new(unsafe { alloc(layout) })?;
    #[cfg(target_os = "linux")]
    if bytes >= LARGE {
        // SAFETY: whole pages of this block alone. A system without huge pages refuses, and nothing is lost.
        unsafe { libc::madvise(start.as_ptr().cast(), bytes - bytes % HUGE_PAGE, libc::MADV_HUGEPAGE) };
    }
    Some(start)
}

/// Gives a block back.
///
/// # Safety
/// `allocate` gave it for `bytes`, and nobody uses it any more.
pub unsafe fn free(start: NonNull<u8>, bytes: usize) {
    // SAFETY: `allocate` had the same layout, which was valid there.
    unsafe { dealloc(start.as_ptr(), layout(bytes).unwrap_unchecked()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_aligned_and_writable_to_their_end() {
        for bytes in [1, 64, 4 << 20, (4 << 20) + 1, (6 << 20) - 1, 9 << 20] {
            let start = allocate(bytes).unwrap();
            assert!(start.addr().get().is_multiple_of(ALIGN));
            // SAFETY: within the block, which is given back once.
            unsafe {
                start.write_bytes(7, bytes);
                assert_eq!(start.add(bytes - 1).read(), 7);
                free(start, bytes);
            }
        }
        assert!(allocate(usize::MAX).is_none());
    }
}
