//! What comes after a program was queued: it is retired, its error reaches its results, reads wait, and it may be
//! cancelled.

use crate::device::Device;
use crate::storage::{Poison, StorageId};
use millrace_program::Error;
use std::cell::Cell;
use std::rc::Rc;
use std::sync::atomic::Ordering::Relaxed;

impl Device {
    /// Lets go of what completed programs pinned and gives their errors to their results.
    pub fn retire(&mut self) {
        if !self.pending.is_empty() {
            self.retire_completed();
        }
    }

    #[cold]
    fn retire_completed(&mut self) {
        let completed = self.queue.completed();
        if self.pending.front().is_none_or(|first| first.ticket > completed) {
            return;
        }
        let (failed, mut printed) = self.queue.news();
        self.outcome.printed.append(&mut printed);
        while let Some(done) = self.pending.pop_front_if(|first| first.ticket <= completed) {
            if let Some((_, error)) = failed.iter().find(|it| it.0 == done.ticket) {
                let poison = Rc::new(Poison { error: error.clone(), seen: Cell::new(false) });
                for &id in &done.storages[..done.results] {
                    let storage = self.memory.get_mut(id);
                    if storage.ticket == done.ticket {
                        storage.poison = Some(poison.clone());
                    }
                }
                self.late.retain(|it| !it.seen.get());
                self.late.push(poison);
            }
            self.pending_bytes -= done.input_bytes;
            for id in done.storages {
                let poison = self.memory.unpin(id);
                self.mourn(poison);
            }
        }
        if self.pending.is_empty() {
            self.queue.forget_failures();
        }
    }

    pub(crate) fn release(&mut self, id: StorageId) {
        let poison = self.memory.release(id);
        self.mourn(poison);
    }

    /// Keeps the error of a storage that died, if that was the last to know it.
    pub(crate) fn mourn(&mut self, poison: Option<Rc<Poison>>) {
        if let Some(poison) = poison
            && !poison.seen.get()
            && Rc::strong_count(&poison) <= 2
        {
            poison.seen.set(true);
            self.lost.push(poison.error.clone());
        }
    }

    pub(crate) fn wait_all(&mut self) {
        self.queue.wait(self.last_ticket);
        self.retire();
    }

    /// Waits for the queue and fails with the first error that nobody has seen.
    pub fn sync(&mut self) -> Result<(), Error> {
        self.wait_all();
        self.late_error()
    }

    /// The program that was queued last: `reached` says when it has run.
    pub fn last_ticket(&self) -> u64 {
        self.last_ticket
    }

    pub fn reached(&mut self, ticket: u64) -> bool {
        self.retire();
        self.pending.front().is_none_or(|first| ticket < first.ticket)
    }

    /// Fails with the first error that nobody has seen.
    pub fn late_error(&mut self) -> Result<(), Error> {
        let first = self.late.iter().find(|it| !it.seen.get()).cloned();
        self.late.retain(|it| !it.seen.get());
        check_poison(first.as_ref())
    }

    /// Asks the program in the queue that makes `handle` to stop. True where there is one.
    pub fn cancel(&mut self, handle: i32) -> Result<bool, Error> {
        let ticket = self.memory.get(*self.tensors.get(handle)?).ticket;
        let found = self.pending.iter().find(|it| it.ticket == ticket);
        found.inspect(|it| it.cancel.store(true, Relaxed));
        Ok(found.is_some())
    }

    pub fn cancel_all(&self) {
        self.pending.iter().for_each(|it| it.cancel.store(true, Relaxed));
    }

    /// Keeps the storage of a tensor for a read that waits.
    pub fn hold(&mut self, handle: i32) -> Result<StorageId, Error> {
        let id = *self.tensors.get(handle)?;
        self.memory.retain(id);
        Ok(id)
    }

    /// Whether a held storage can be read now.
    pub fn is_ready(&mut self, id: StorageId) -> bool {
        self.reached(self.memory.get(id).ticket)
    }

    /// The bytes of a held storage that is ready.
    pub fn bytes(&self, id: StorageId) -> Result<&[u8], Error> {
        let storage = self.memory.get(id);
        check_poison(storage.poison.as_ref())?;
        // SAFETY: the storage has so many bytes, and no program in the queue writes it.
        Ok(unsafe { std::slice::from_raw_parts(storage.start.as_ptr(), storage.bytes) })
    }

    pub fn let_go(&mut self, id: StorageId) {
        self.release(id);
    }
}

/// Fails with the error, which has then been seen.
pub(crate) fn check_poison(poison: Option<&Rc<Poison>>) -> Result<(), Error> {
    match poison {
        None => Ok(()),
        Some(poison) => {
            poison.seen.set(true);
            Err(poison.error.as_ref().clone())
        }
    }
}
