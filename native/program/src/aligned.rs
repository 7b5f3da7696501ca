//! Bytes that start at a multiple of 64.

use crate::error::{Code, Error};
use std::alloc::{Layout, alloc, dealloc};
use std::ops::Deref;
use std::ptr::NonNull;

const ALIGN: usize = 64;

/// An owned copy of bytes, aligned for vector loads.
#[derive(Debug)]
pub struct AlignedBytes {
    start: NonNull<u8>,
    length: usize,
}

// SAFETY: owned and never written after construction.
unsafe impl Send for AlignedBytes {}
unsafe impl Sync for AlignedBytes {}

impl AlignedBytes {
    /// Fails with `E_MEMORY`.
    pub fn copy(bytes: &[u8]) -> Result<AlignedBytes, Error> {
        if bytes.is_empty() {
            return Ok(AlignedBytes { start: NonNull::dangling(), length: 0 });
        }
        let out_of_memory = || Error::new(Code::Memory, format!("no memory for a program of {} bytes", bytes.len()));
        let layout = Layout::from_size_align(bytes.len(), ALIGN).map_err(|_| out_of_memory())?;
        // SAFETY: the layout is not empty; the copy fills exactly what was allocated.
        unsafe {
            let start = NonNull::new(alloc(layout)).ok_or_else(out_of_memory)?;
            start.as_ptr().copy_from_nonoverlapping(bytes.as_ptr(), bytes.len());
            Ok(AlignedBytes { start, length: bytes.len() })
        }
    }
}

impl Deref for AlignedBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: `start` holds `length` initialised bytes.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.length) }
    }
}

impl Drop for AlignedBytes {
    fn drop(&mut self) {
        if self.length > 0 {
            // SAFETY: the layout of the allocation in `copy`, which was valid there.
            unsafe { dealloc(self.start.as_ptr(), Layout::from_size_align_unchecked(self.length, ALIGN)) }
        }
    }
}
