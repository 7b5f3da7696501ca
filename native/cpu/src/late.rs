//! What comes after a program was queued: it is retired, its error reaches its results, and reads wait.

use crate::call::Pending;
use crate::device::Device;
use crate::queue::Failure;
use crate::storage::StorageId;
use millrace_program::Error;
use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

/// The error of a queued program, in all its results.
#[derive(Debug)]
pub struct Poison {
    pub error: Arc<Error>,
    /// Whether anybody has been told.
    pub seen: Cell<bool>,
}

impl Poison {
    /// The error, which has then been seen.
    pub fn tell(&self) -> Error {
        self.seen.set(true);
        self.error.as_ref().clone()
    }
}

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
        let (failed, mut printed, events) = self.queue.news();
        self.keep_events(events);
        self.outcome.printed.append(&mut printed);
        while let Some(done) = self.pending.pop_front_if(|first| first.ticket <= completed) {
            if let Some(failure) = failed.iter().find(|it| it.ticket == done.ticket) {
                self.fail(&done, failure);
            }
            self.pending_bytes -= done.input_bytes;
            for id in done.storages {
                let poison = self.memory.unpin(id);
                self.mourn(poison);
            }
        }
        if self.pending.is_empty() {
            self.queue.forget_failures();
            self.failed_calls.clear();
        }
    }

    /// Gives the error to the results. Those that keep an argument's value are well once somebody has been told.
    fn fail(&mut self, done: &Pending, failure: &Failure) {
        if done.call != 0 && failure.first == done.ticket {
            self.failed_calls.push((done.ticket, done.call));
        }
        let call = self.failed_calls.iter().find(|it| it.0 == failure.first).map_or(0, |it| it.1);
        let error = Arc::new(Error { call, ..failure.error.as_ref().clone() });
        let poison = Rc::new(Poison { error, seen: Cell::new(failure.is_told) });
        for (result, &id) in done.storages[..done.results].iter().enumerate() {
            let storage = self.memory.get_mut(id);
            if storage.ticket == done.ticket {
                storage.poison = Some(poison.clone());
                storage.keeps_value =
                    done.renews.iter().any(|it| it.result == result && !(it.is_overwritten && failure.committed));
            }
        }
        self.late.retain(|it| !it.seen.get());
        self.late.push(poison);
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

    /// Whether the last `run` queued a program that may fail: its call can be named now.
    pub fn wants_name(&self) -> bool {
        self.unnamed.is_some()
    }

    /// Names the last `run`, where it queued a program that may fail: its late error then has this number.
    pub fn name_call(&mut self, call: u32) {
        if let Some(ticket) = self.unnamed.take()
            && let Some(last) = self.pending.iter_mut().rfind(|it| it.ticket == ticket)
        {
            last.call = call;
        }
    }

    pub(crate) fn wait_all(&mut self) {
        self.wait(self.last_ticket);
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
        first.map_or(Ok(()), |poison| Err(poison.tell()))
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
        storage.check()?;
        // SAFETY: the storage has so many bytes, and no program in the queue writes it.
        Ok(unsafe { std::slice::from_raw_parts(storage.start.as_ptr(), storage.bytes) })
    }

    pub fn let_go(&mut self, id: StorageId) {
        self.release(id);
    }
}
