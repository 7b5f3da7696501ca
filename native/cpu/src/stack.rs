//! The stacks of loops that are walked back: rows of bytes, in chunks that are allocated as trips are made.

use crate::queue::Arena;
use millrace_program::{Code, Error};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

const ALIGN: usize = 64;
/// Bytes of a chunk, or one row where that is larger.
const CHUNK: usize = 256 << 10;

/// What the stacks of a device take, and what its storages took when the last program was started.
pub struct StackBytes {
    live: AtomicUsize,
    storages: AtomicUsize,
    /// The most that both were together.
    peak: AtomicUsize,
    limit: usize,
}

impl StackBytes {
    pub const fn new(limit: usize) -> StackBytes {
        StackBytes { live: AtomicUsize::new(0), storages: AtomicUsize::new(0), peak: AtomicUsize::new(0), limit }
    }

    pub fn live(&self) -> usize {
        self.live.load(Relaxed)
    }

    pub fn peak(&self) -> usize {
        self.peak.load(Relaxed)
    }

    pub fn set_storages(&self, bytes: usize) {
        self.storages.store(bytes, Relaxed);
    }

    fn take(&self, bytes: usize) -> Result<(), Error> {
        let all = (self.live() + self.storages.load(Relaxed)).saturating_add(bytes);
        if all > self.limit {
            let limit = self.limit;
            let text = format!("{bytes} bytes more for the trips of a loop exceed the limit of {limit}");
            return Err(Error::new(Code::Memory, text));
        }
        self.live.fetch_add(bytes, Relaxed);
        self.peak.fetch_max(all, Relaxed);
        Ok(())
    }

    fn give_back(&self, bytes: usize) {
        self.live.fetch_sub(bytes, Relaxed);
    }
}

/// Rows of one layout.
pub struct Stack<'a> {
    /// Where the values of a row begin, and the bytes of a row.
    offsets: Vec<usize>,
    row: usize,
    /// Rows of a chunk.
    rows: usize,
    chunks: Vec<Arena>,
    /// Rows on the stack.
    height: usize,
    counted: &'a StackBytes,
}

impl<'a> Stack<'a> {
    /// A stack of rows that hold values of so many bytes.
    pub fn new(values: &[usize], counted: &'a StackBytes) -> Stack<'a> {
        let mut row = 0;
        let mut offsets = Vec::with_capacity(values.len());
        for bytes in values {
            offsets.push(row);
            row += bytes.next_multiple_of(ALIGN);
        }
        Stack { offsets, row, rows: (CHUNK / row.max(1)).max(1), chunks: Vec::new(), height: 0, counted }
    }

    fn chunk_bytes(&self) -> usize {
        self.rows * self.row
    }

    /// Adds a row: `write` gets the number of each value and where it goes.
    pub fn push(&mut self, mut write: impl FnMut(usize, *mut u8)) -> Result<(), Error> {
        if self.row > 0 && self.height == self.chunks.len() * self.rows {
            self.counted.take(self.chunk_bytes())?;
            match Arena::new(self.chunk_bytes()) {
                Ok(chunk) => self.chunks.push(chunk),
                Err(error) => {
                    self.counted.give_back(self.chunk_bytes());
                    return Err(error);
                }
            }
        }
        self.height += 1;
        let row = self.top();
        self.offsets.iter().enumerate().for_each(|(i, &offset)| write(i, row.wrapping_add(offset)));
        Ok(())
    }

    /// Takes the last row away: where its values are, until the next `push` or `pop`. False without rows.
    pub fn pop(&mut self, values: &mut [*mut u8]) -> bool {
        // The row before is read no more: its chunk may go.
        if self.chunks.len() > 1 && self.height <= (self.chunks.len() - 1) * self.rows {
            self.chunks.pop();
            self.counted.give_back(self.chunk_bytes());
        }
        if self.height == 0 {
            return false;
        }
        let row = self.top();
        values.iter_mut().zip(&self.offsets).for_each(|(value, &offset)| *value = row.wrapping_add(offset));
        self.height -= 1;
        true
    }

    /// The last row.
    fn top(&self) -> *mut u8 {
        let at = self.height - 1;
        let start = self.chunks.get(at / self.rows).map_or(std::ptr::dangling_mut(), Arena::start);
        start.wrapping_add(at % self.rows * self.row)
    }
}

impl Drop for Stack<'_> {
    fn drop(&mut self) {
        self.counted.give_back(self.chunks.len() * self.chunk_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_back_in_the_other_order_and_memory_with_them() {
        let counted = StackBytes::new(usize::MAX);
        let sizes = [8, 100_000, 0];
        let mut stack = Stack::new(&sizes, &counted);
        for trip in 0..10_u8 {
            // SAFETY: the values have these sizes.
            stack.push(|i, to| unsafe { to.write_bytes(trip + i as u8, sizes[i]) }).unwrap();
        }
        let row = 64 + 100_000_usize.next_multiple_of(64);
        assert_eq!(counted.live(), 10 * row);
        let mut values = [std::ptr::null_mut(); 3];
        for trip in (0..10_u8).rev() {
            assert!(stack.pop(&mut values));
            // SAFETY: as above.
            let bytes = unsafe { std::slice::from_raw_parts(values[1], sizes[1]) };
            assert!(bytes.iter().all(|&byte| byte == trip + 1));
            assert!(counted.live() <= (usize::from(trip) + 2) * row, "{trip}");
        }
        assert!(!stack.pop(&mut values));
        drop(stack);
        assert_eq!((counted.live(), counted.peak()), (0, 10 * row));
    }

    #[test]
    fn a_stack_over_the_limit_is_refused() {
        let counted = StackBytes::new(1 << 20);
        let mut stack = Stack::new(&[100], &counted);
        let pushed = (0..100_000).position(|_| stack.push(|_, _| ()).is_err());
        assert!(pushed.is_some_and(|trips| trips * 128 <= 1 << 20 && trips > 4096));
        let mut empty = Stack::new(&[], &counted);
        assert!((0..1000).all(|_| empty.push(|_, _| ()).is_ok()) && empty.pop(&mut []));
    }
}
