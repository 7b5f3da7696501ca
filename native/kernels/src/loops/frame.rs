//! Memory for the tiles and sums of one thread: on its stack while small, else allocated.

use super::reduce::LANES;
use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::mem::MaybeUninit;

#[repr(C, align(64))]
struct Stack<const BYTES: usize>(MaybeUninit<[u8; BYTES]>);

/// Calls `f` with `bytes` bytes, aligned to 64, of unset memory.
#[inline(always)]
pub fn with_frame(bytes: usize, f: impl FnOnce(*mut u8)) {
    // Each size is a function of its own: a large frame is probed page by page on entry.
    #[inline(never)]
    fn on_stack<const BYTES: usize>(f: impl FnOnce(*mut u8)) {
        let mut memory = Stack::<BYTES>(MaybeUninit::uninit());
        f(memory.0.as_mut_ptr().cast());
    }
    match bytes {
        0..=768 => on_stack::<768>(f),
        769..=2048 => on_stack::<2048>(f),
        2049..=16384 => on_stack::<16384>(f),
        16385..=65536 => on_stack::<65536>(f),
        _ => {
            let memory = Heap::new(bytes);
            f(memory.0)
        }
    }
}

struct Heap(*mut u8, Layout);

impl Heap {
    fn new(bytes: usize) -> Heap {
        let layout = Layout::from_size_align(bytes, 64).expect("a frame fits the address space");
        // SAFETY: the size is not zero.
        let memory = unsafe { alloc(layout) };
        if memory.is_null() {
            handle_alloc_error(layout);
        }
        Heap(memory, layout)
    }
}

impl Drop for Heap {
    fn drop(&mut self) {
        // SAFETY: allocated above with this layout.
        unsafe { dealloc(self.0, self.1) }
    }
}

/// Lanes and tree rows of each reduction.
pub struct State {
    pub base: *mut u8,
    pub bytes: usize,
    pub row_bytes: usize,
}

impl State {
    pub fn lanes(&self, reduce: usize) -> *mut u8 {
        // SAFETY: within the frame.
        unsafe { self.base.add(reduce * self.bytes) }
    }

    pub fn tree(&self, reduce: usize) -> *mut u8 {
        // SAFETY: within the frame.
        unsafe { self.base.add(reduce * self.bytes + LANES * self.row_bytes) }
    }
}
