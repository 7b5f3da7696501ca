//! Asking a program in the queue to stop, and who else waits for it.

use crate::device::Device;
use crate::storage::StorageId;
use millrace_program::{Code, Error};
use std::sync::OnceLock;

/// What a program asks between two kernels or loop trips.
#[derive(Default)]
pub struct Cancel(OnceLock<Request>);

struct Request {
    reason: String,
    /// Whether who asked has told whoever waited: the error is no news then.
    is_told: bool,
}

impl Cancel {
    pub const fn new() -> Cancel {
        Cancel(OnceLock::new())
    }

    fn ask(&self, reason: &str, is_told: bool) {
        // The first reason holds.
        let _ = self.0.set(Request { reason: reason.to_owned(), is_told });
    }

    #[inline]
    pub fn poll(&self) -> Result<(), Error> {
        match self.0.get() {
            None => Ok(()),
            Some(Request { reason, .. }) if reason.is_empty() => {
                Err(Error::new(Code::Aborted, "the program was cancelled"))
            }
            Some(Request { reason, .. }) => {
                Err(Error::new(Code::Aborted, format!("the program was cancelled: {reason}")))
            }
        }
    }

    pub fn is_told(&self) -> bool {
        self.0.get().is_some_and(|request| request.is_told)
    }
}

/// What somebody waits for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Awaited {
    /// The bytes of a storage, which is held.
    Bytes(StorageId),
    /// The program with this ticket, and those before.
    Queue(u64),
}

impl Device {
    /// Asks the program in the queue that makes `handle` to stop. True where there is one.
    pub fn cancel(&mut self, handle: i32, reason: &str) -> Result<bool, Error> {
        let ticket = self.memory.get(*self.tensors.get(handle)?).ticket;
        let found = self.pending.iter().find(|it| it.ticket == ticket);
        Ok(found.inspect(|it| it.cancel.ask(reason, false)).is_some())
    }

    pub(crate) fn cancel_all(&self, reason: &str) {
        self.pending.iter().for_each(|it| it.cancel.ask(reason, true));
    }

    /// Somebody does not wait any more. The program that makes what was to be read is asked to stop, as soon as none of
    /// `awaited` needs it; so are those whose readers left before.
    pub fn abandon(&mut self, left: Awaited, reason: &str, awaited: &[Awaited]) {
        if let Awaited::Bytes(id) = left {
            let ticket = self.memory.get(id).ticket;
            let made = self.pending.iter_mut().find(|it| it.ticket == ticket);
            made.map(|it| it.abandoned.get_or_insert_with(|| reason.to_owned()));
        }
        for it in &self.pending {
            if let Some(reason) = &it.abandoned
                && !self.is_needed(it.ticket, awaited)
            {
                it.cancel.ask(reason, true);
            }
        }
    }

    fn is_needed(&self, ticket: u64, awaited: &[Awaited]) -> bool {
        // What is queued depends on what was queued before: one pass finds all that needs the program.
        let mut needs = vec![ticket];
        for it in &self.pending {
            if it.after.iter().any(|before| needs.contains(before)) {
                needs.push(it.ticket);
            }
        }
        awaited.iter().any(|it| match *it {
            Awaited::Bytes(id) => needs.contains(&self.memory.get(id).ticket),
            Awaited::Queue(last) => ticket <= last,
        })
    }

    /// What is asked now and then while this thread waits for the queue: where it says true, all programs are cancelled.
    pub fn on_wait(&mut self, is_ending: Box<dyn Fn() -> bool>) {
        self.is_ending = is_ending;
    }

    pub(crate) fn wait(&self, ticket: u64) {
        if !self.queue.wait(ticket, &self.is_ending) {
            self.cancel_all("the thread that waits for it ends");
            self.queue.wait(ticket, &|| false);
        }
    }
}
