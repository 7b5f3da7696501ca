//! Handles: small integers for what lives in a context, checked at every use.
//!
//! A handle is `generation (8 bits) << 22 | index`: 30 bits, so it is a small integer in every JavaScript engine. The
//! table keeps the whole generation: a page of tensors remembers that one, so a death never reaches a reused slot.

use millrace_program::{Code, Error};

const INDEX_BITS: u32 = 22;
const INDEX_MASK: u32 = (1 << INDEX_BITS) - 1;
/// The most values of one kind in a context.
pub const CAPACITY: usize = 1 << INDEX_BITS;

struct Entry<T> {
    generation: u32,
    value: Option<T>,
}

pub struct Table<T> {
    what: &'static str,
    entries: Vec<Entry<T>>,
    free: Vec<u32>,
}

/// A slot and its whole generation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ticketed {
    index: u32,
    generation: u32,
}

impl<T> Table<T> {
    pub fn new(what: &'static str) -> Table<T> {
        Table { what, entries: Vec::new(), free: Vec::new() }
    }

    pub fn len(&self) -> usize {
        self.entries.len() - self.free.len()
    }

    /// Fails with `E_MEMORY` when full.
    #[inline]
    pub fn insert(&mut self, value: T) -> Result<i32, Error> {
        let index = match self.free.pop() {
            Some(index) => index as usize,
            None => self.grow()?,
        };
        let entry = &mut self.entries[index];
        entry.value = Some(value);
        Ok(handle(index as u32, entry.generation))
    }

    /// Fails with `E_MEMORY` where `insert` would.
    pub fn reserve(&mut self, count: usize) -> Result<(), Error> {
        let full = self.len() + count > CAPACITY;
        if full { Err(self.full()) } else { Ok(()) }
    }

    fn full(&self) -> Error {
        Error::new(Code::Memory, format!("more than {CAPACITY} {}s live in this context", self.what))
    }

    #[cold]
    fn grow(&mut self) -> Result<usize, Error> {
        if self.entries.len() == CAPACITY {
            return Err(self.full());
        }
        self.entries.push(Entry { generation: 1, value: None });
        Ok(self.entries.len() - 1)
    }

    #[cold]
    fn stale(&self, handle: i32) -> Error {
        Error::new(
            Code::Disposed,
            format!("{} {handle} is not live in this context: it was disposed, or is another's", self.what),
        )
    }

    #[inline]
    fn entry(&self, handle: i32) -> Option<&Entry<T>> {
        let entry = self.entries.get((handle as u32 & INDEX_MASK) as usize)?;
        (handle as u32 >> INDEX_BITS == entry.generation & 0xff).then_some(entry)
    }

    /// Fails with `E_DISPOSED` for a handle that is not live.
    #[inline]
    pub fn get(&self, handle: i32) -> Result<&T, Error> {
        match self.entry(handle) {
            Some(Entry { value: Some(value), .. }) => Ok(value),
            _ => Err(self.stale(handle)),
        }
    }

    pub fn remove(&mut self, handle: i32) -> Result<T, Error> {
        match self.entry(handle) {
            Some(Entry { value: Some(_), .. }) => {}
            _ => return Err(self.stale(handle)),
        }
        let index = handle as u32 & INDEX_MASK;
        self.take(index).ok_or_else(|| self.stale(handle))
    }

    /// Puts another value in the place of a live handle's and gives the old one back.
    pub fn replace(&mut self, handle: i32, value: T) -> Result<T, Error> {
        self.get(handle)?;
        let entry = &mut self.entries[(handle as u32 & INDEX_MASK) as usize];
        entry.value.replace(value).ok_or_else(|| self.stale(handle))
    }

    fn take(&mut self, index: u32) -> Option<T> {
        let entry = &mut self.entries[index as usize];
        let value = entry.value.take()?;
        entry.generation = entry.generation.wrapping_add(1);
        self.free.push(index);
        Some(value)
    }

    /// The slot of a live handle with its whole generation.
    pub fn ticket(&self, handle: i32) -> Option<Ticketed> {
        let entry = self.entry(handle).filter(|entry| entry.value.is_some())?;
        Some(Ticketed { index: handle as u32 & INDEX_MASK, generation: entry.generation })
    }

    /// Removes what `ticket` was made for, unless it is gone.
    pub fn remove_ticketed(&mut self, it: Ticketed) -> Option<T> {
        let same = self.entries.get(it.index as usize).is_some_and(|entry| entry.generation == it.generation);
        if same { self.take(it.index) } else { None }
    }
}

fn handle(index: u32, generation: u32) -> i32 {
    ((generation & 0xff) << INDEX_BITS | index) as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stale_handle_is_refused_and_a_ticket_outlives_256_reuses() {
        let mut table = Table::new("tensor");
        let first = table.insert(7).unwrap();
        assert!(first > 0 && first < 1 << 30);
        let ticket = table.ticket(first).unwrap();
        assert_eq!(table.remove(first), Ok(7));
        assert_eq!(table.get(first).unwrap_err().code, Code::Disposed);
        for i in 0..600 {
            let handle = table.insert(i).unwrap();
            assert_eq!(table.remove_ticketed(ticket), None);
            assert_eq!(table.get(handle), Ok(&i));
            assert_eq!(table.get(handle), table.get(handle));
            table.remove(handle).unwrap();
        }
        assert_eq!(table.len(), 0);
        for junk in [-1, i32::MIN, i32::MAX, 1 << 29] {
            assert!(table.get(junk).is_err() && table.remove(junk).is_err() && table.ticket(junk).is_none());
        }
    }
}
