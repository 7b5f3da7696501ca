//! Storage: blocks in size classes, taken from a pool that gives back what was returned last, and slices of mapped files.

use crate::blocks::{self, ALIGN};
use crate::late::Poison;
use crate::mapping::Mappings;
use crate::origins::Origin;
use crate::packed::PackedForms;
use memmap2::Mmap;
use millrace_program::{Code, Error};
use std::collections::HashMap;
use std::ptr::NonNull;
use std::rc::Rc;

/// Four classes a doubling, from 64 bytes up.
const CLASSES: usize = 4 * 58;
/// Instead of a class: the storage lies in a mapped file.
const MAPPED: u8 = u8::MAX;
/// The cache keeps this much, or half of what was live at the peak.
const MIN_CACHE: usize = 64 << 20;

/// Index of a storage in its `Memory`.
pub type StorageId = u32;

/// A buffer that handles share.
pub struct Storage {
    pub start: NonNull<u8>,
    /// What was asked for; the block may be larger.
    pub bytes: usize,
    class: u8,
    /// Handles and reads that hold it. Donation needs exactly one.
    pub refs: u32,
    /// Programs in the queue that use it.
    pub pins: u32,
    /// The queued program that writes it; 0 when it is ready.
    pub ticket: u64,
    /// Scratch for counting, 0 outside a call.
    pub uses: u32,
    /// What made it; see origins.rs.
    pub origin: Origin,
    /// Why its content is not what was asked for.
    pub poison: Option<Rc<Poison>>,
    /// It has the value from before the program that failed: once somebody has been told, all is well.
    pub keeps_value: bool,
    /// Whether a program has read it as a weight since it was written; see packed.rs.
    pub was_read: bool,
}

impl Storage {
    /// Whether it lies in a mapped file: it is never written then, and aligned as it happens to be.
    #[inline]
    pub fn is_mapped(&self) -> bool {
        self.class == MAPPED
    }

    /// Fails with the error that it holds, which has then been seen.
    pub fn check(&self) -> Result<(), Error> {
        match &self.poison {
            Some(poison) if !(self.keeps_value && poison.seen.get()) => Err(poison.tell()),
            _ => Ok(()),
        }
    }

    pub fn is_aligned(&self, element: usize) -> bool {
        self.start.addr().get().is_multiple_of(element)
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct MemoryStats {
    /// Bytes of storages, as asked for, without mapped ones.
    pub live: usize,
    pub peak: usize,
    /// Bytes of storages in mapped files.
    pub mapped: usize,
    pub storages: usize,
    /// Bytes in blocks that wait for reuse.
    pub cached: usize,
    /// Bytes held from the system: live blocks and cached ones.
    pub reserved: usize,
    /// Storages made so far, and their bytes.
    pub allocations: u64,
    pub allocated: u64,
}

pub struct Memory {
    storages: Vec<Storage>,
    free: Vec<StorageId>,
    pools: Vec<Vec<NonNull<u8>>>,
    pub mappings: Mappings,
    /// What mapped storages hold.
    mapped: HashMap<StorageId, Rc<Mmap>>,
    pub packed: PackedForms,
    /// `reserved` may not exceed this.
    limit: usize,
    pub stats: MemoryStats,
}

/// The class of a size, and the size of its blocks.
#[inline]
fn class_of(bytes: usize) -> Option<(usize, usize)> {
    if bytes <= ALIGN {
        return Some((0, ALIGN));
    }
    let top = (bytes - 1).ilog2();
    let step = 1_usize << (top - 2).max(6);
    let size = bytes.checked_next_multiple_of(step)?;
    isize::try_from(size).ok()?;
    // Below 512 bytes a step is a whole block of 64, so some classes stay empty.
    Some((((top as usize - 6) << 2) + ((bytes - 1) >> (top - 2) & 3) + 1, size))
}

impl Memory {
    pub fn new(limit: usize) -> Memory {
        Memory {
            storages: Vec::new(),
            free: Vec::new(),
            pools: (0..CLASSES).map(|_| Vec::new()).collect(),
            mappings: Mappings::default(),
            mapped: HashMap::new(),
            packed: PackedForms::default(),
            limit,
            stats: MemoryStats::default(),
        }
    }

    /// Bytes below the limit.
    pub fn room(&self) -> usize {
        self.limit.saturating_sub(self.stats.reserved)
    }

    /// A storage with one reference; its content is undefined. Fails with `E_MEMORY`.
    #[inline]
    pub fn allocate(&mut self, bytes: usize) -> Result<StorageId, Error> {
        let (class, size) = class_of(bytes).ok_or_else(|| out_of_memory(bytes))?;
        let start = match self.pools[class].pop() {
            Some(start) => {
                self.stats.cached -= size;
                start
            }
            None => self.system(size)?,
        };
        self.stats.live += bytes;
        self.stats.peak = self.stats.peak.max(self.stats.live);
        self.stats.allocations += 1;
        self.stats.allocated += bytes as u64;
        Ok(self.add(start, bytes, class as u8))
    }

    /// A storage with one reference.
    #[inline]
    fn add(&mut self, start: NonNull<u8>, bytes: usize, class: u8) -> StorageId {
        self.stats.storages += 1;
        let storage = Storage {
            start,
            bytes,
            class,
            refs: 1,
            pins: 0,
            ticket: 0,
            uses: 0,
            origin: 0,
            poison: None,
            keeps_value: false,
            was_read: false,
        };
        match self.free.pop() {
            Some(id) => {
                self.storages[id as usize] = storage;
                id
            }
            None => {
                self.storages.push(storage);
                self.storages.len() as StorageId - 1
            }
        }
    }

    /// A storage that is `bytes` of a mapped file from `offset` on, which the file must have. It has one reference.
    pub fn map(&mut self, file: Rc<Mmap>, offset: usize, bytes: usize) -> StorageId {
        let start = NonNull::from(&file[offset..offset + bytes]).cast();
        let id = self.add(start, bytes, MAPPED);
        self.stats.mapped += bytes;
        self.mapped.insert(id, file);
        id
    }

    /// How many files are mapped.
    #[cfg(test)]
    pub fn mapped_files(&self) -> usize {
        self.mapped.values().map(Rc::as_ptr).collect::<std::collections::HashSet<_>>().len()
    }

    #[cold]
    fn system(&mut self, size: usize) -> Result<NonNull<u8>, Error> {
        if self.stats.reserved + size > self.limit {
            self.trim(0);
        }
        if self.stats.reserved + size > self.limit {
            let (held, limit) = (self.stats.reserved, self.limit);
            return Err(Error::new(
                Code::Memory,
                format!("{size} bytes more than the {held} in use exceed the limit of {limit}"),
            ));
        }
        let mut start = blocks::allocate(size);
        if start.is_none() {
            self.trim(0);
            start = blocks::allocate(size);
        }
        self.stats.reserved += size;
        start.ok_or_else(|| {
            self.stats.reserved -= size;
            out_of_memory(size)
        })
    }

    /// Gives cached blocks back to the system, the largest first, until at most `keep` bytes are cached.
    pub fn trim(&mut self, keep: usize) {
        for class in (0..CLASSES).rev() {
            while self.stats.cached > keep {
                let Some(start) = self.pools[class].pop() else { break };
                let size = block_size(class);
                self.stats.cached -= size;
                self.give_back(start, size);
            }
        }
    }

    fn give_back(&mut self, start: NonNull<u8>, size: usize) {
        self.stats.reserved -= size;
        // SAFETY: `system` had it for this size.
        unsafe { blocks::free(start, size) }
    }

    #[inline]
    pub fn get(&self, id: StorageId) -> &Storage {
        &self.storages[id as usize]
    }

    #[inline]
    pub fn get_mut(&mut self, id: StorageId) -> &mut Storage {
        &mut self.storages[id as usize]
    }

    /// Every storage that somebody holds or a program in the queue uses.
    pub fn live(&self) -> impl Iterator<Item = &Storage> {
        self.storages.iter().filter(|storage| storage.refs > 0 || storage.pins > 0)
    }

    pub fn retain(&mut self, id: StorageId) {
        self.get_mut(id).refs += 1;
    }

    pub fn pin(&mut self, id: StorageId) {
        self.get_mut(id).pins += 1;
    }

    /// Drops one reference. Its error, where it has one, comes back with the last one.
    #[inline]
    pub fn release(&mut self, id: StorageId) -> Option<Rc<Poison>> {
        let storage = self.get_mut(id);
        storage.refs -= 1;
        if storage.refs > 0 { None } else { self.retire(id) }
    }

    pub fn unpin(&mut self, id: StorageId) -> Option<Rc<Poison>> {
        let storage = self.get_mut(id);
        storage.pins -= 1;
        if storage.refs > 0 { None } else { self.retire(id) }
    }

    #[inline]
    fn retire(&mut self, id: StorageId) -> Option<Rc<Poison>> {
        let storage = self.get_mut(id);
        if storage.pins > 0 {
            return None;
        }
        if storage.was_read {
            self.rewrite(id);
        }
        let storage = self.get_mut(id);
        let poison = storage.poison.take();
        let (start, bytes, class) = (storage.start, storage.bytes, storage.class as usize);
        self.free.push(id);
        self.stats.storages -= 1;
        if class == MAPPED as usize {
            self.stats.mapped -= bytes;
            self.mapped.remove(&id);
            return poison;
        }
        self.stats.live -= bytes;
        let size = block_size(class).max(ALIGN);
        if self.stats.cached + size > MIN_CACHE.max(self.stats.peak / 2) {
            self.give_back(start, size);
        } else {
            self.stats.cached += size;
            self.pools[class].push(start);
        }
        poison
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        let dead: Vec<bool> = {
            let mut dead = vec![false; self.storages.len()];
            self.free.iter().for_each(|&id| dead[id as usize] = true);
            dead
        };
        for (id, dead) in dead.into_iter().enumerate() {
            let storage = &self.storages[id];
            if !dead && !storage.is_mapped() {
                let (start, size) = (storage.start, block_size(storage.class as usize));
                self.give_back(start, size);
            }
        }
        self.trim(0);
    }
}

/// The size of the blocks of a class.
#[inline]
fn block_size(class: usize) -> usize {
    if class == 0 {
        return ALIGN;
    }
    let (top, quarter) = ((class - 1) >> 2, (class - 1) & 3);
    ((5 + quarter) << (top + 4)).next_multiple_of(ALIGN)
}

fn out_of_memory(bytes: usize) -> Error {
    Error::new(Code::Memory, format!("no memory for {bytes} bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_holds_its_sizes_and_wastes_at_most_a_quarter() {
        let sizes = (0..5000).chain((13..40).flat_map(|k| [(1_usize << k) - 1, 1 << k, (1 << k) + 1, 3 << (k - 1)]));
        for bytes in sizes {
            let (class, size) = class_of(bytes).unwrap();
            assert_eq!(block_size(class), size, "{bytes} bytes");
            assert!(size >= bytes && size % ALIGN == 0);
            assert!(size <= ALIGN.max(bytes + bytes / 4 + ALIGN), "{bytes} bytes in {size}");
        }
        assert!(class_of(usize::MAX).is_none() && class_of(isize::MAX as usize).is_none());
        assert!(class_of((1 << 62) + 1).unwrap().0 < CLASSES);
    }

    #[test]
    fn what_was_returned_last_is_reused_first() {
        let mut memory = Memory::new(usize::MAX);
        let (a, b) = (memory.allocate(1000).unwrap(), memory.allocate(1000).unwrap());
        let (first, second) = (memory.get(a).start, memory.get(b).start);
        memory.release(a);
        memory.release(b);
        assert_eq!((memory.stats.live, memory.stats.storages, memory.stats.cached), (0, 0, 2048));
        let (c, d) = (memory.allocate(990).unwrap(), memory.allocate(1000).unwrap());
        assert_eq!((memory.get(c).start, memory.get(d).start), (second, first));
        assert_eq!(memory.stats.reserved, 2048);
    }

    #[test]
    fn the_limit_is_kept_and_the_cache_yields_to_it() {
        let mut memory = Memory::new(4096);
        let a = memory.allocate(3000).unwrap();
        assert_eq!(memory.allocate(3000).unwrap_err().code, Code::Memory);
        memory.release(a);
        assert!(memory.stats.cached > 0);
        let b = memory.allocate(4096).unwrap();
        assert_eq!(memory.stats.cached, 0);
        memory.release(b);
        memory.trim(0);
        assert_eq!(memory.stats.reserved, 0);
        assert_eq!(memory.allocate(1 << 60).unwrap_err().code, Code::Memory);
    }

    #[test]
    fn a_pinned_storage_is_kept() {
        let mut memory = Memory::new(usize::MAX);
        let a = memory.allocate(8).unwrap();
        memory.pin(a);
        memory.release(a);
        assert_eq!(memory.stats.storages, 1);
        memory.unpin(a);
        assert_eq!(memory.stats.storages, 0);
    }
}
