//! A device: everything that one context owns. One thread uses it; the queue's thread sees only what jobs carry.

use crate::executable::{BoundProgram, Direct};
use crate::late::check_poison;
use crate::queue::{Job, Queue};
use crate::run::{Outcome, Printed};
use crate::storage::{Memory, MemoryStats, Poison, StorageId};
use crate::table::{Table, Ticketed};
use millrace_kernels::Pool;
use millrace_program::{Code, Error, Program, Shape, Source, Step};
use std::cell::Cell;
use std::collections::VecDeque;
use std::ptr::null_mut;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Added to the handle of an argument: its storage may be reused for a result. The handle must still be freed; where the storage
/// was reused, reading it is `E_DISPOSED`.
pub const DONATE: i32 = 1 << 30;
/// Programs that cost less are run by the caller when nothing is queued.
const INLINE_NS: f64 = 1e6;
const MAX_QUEUED: usize = 32;
const MAX_QUEUED_BYTES: usize = 256 << 20;

/// A program in the queue and the storages it pins: those of its results first.
pub(crate) struct Pending {
    pub ticket: u64,
    pub results: usize,
    pub storages: Vec<StorageId>,
    pub input_bytes: usize,
    pub cancel: Arc<AtomicBool>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stats {
    pub memory: MemoryStats,
    pub tensors: usize,
    pub executables: usize,
    pub bounds: usize,
    pub kernels: u64,
    pub queued: usize,
    pub arena: usize,
}

pub struct Device {
    // Dropped first: the engine thread uses the storages.
    pub(crate) queue: Queue,
    pub(crate) memory: Memory,
    pub(crate) tensors: Table<StorageId>,
    executables: Table<Arc<Program>>,
    bounds: Table<Arc<BoundProgram>>,
    pub(crate) pending: VecDeque<Pending>,
    pub(crate) pending_bytes: usize,
    pub(crate) last_ticket: u64,
    /// Errors of queued programs that may not have been seen yet.
    pub(crate) late: Vec<Rc<Poison>>,
    pub(crate) lost: Vec<Arc<Error>>,
    pub(crate) outcome: Outcome,
}

impl Device {
    /// `memory_limit`: bytes that storages and their cache may take.
    pub fn new(memory_limit: usize) -> Device {
        Device {
            queue: Queue::new(),
            memory: Memory::new(memory_limit),
            tensors: Table::new("tensor"),
            executables: Table::new("executable"),
            bounds: Table::new("bound program"),
            pending: VecDeque::new(),
            pending_bytes: 0,
            last_ticket: 0,
            late: Vec::new(),
            lost: Vec::new(),
            outcome: Outcome::default(),
        }
    }

    pub fn compile(&mut self, bytes: &[u8]) -> Result<i32, Error> {
        self.executables.insert(Arc::new(Program::decode(bytes)?))
    }

    pub fn bind(&mut self, executable: i32, sizes: &[i64]) -> Result<i32, Error> {
        let bound = BoundProgram::new(self.executables.get(executable)?, sizes)?;
        self.bounds.insert(Arc::new(bound))
    }

    /// The parameters and results of a bound program.
    pub fn signature(&self, bound: i32) -> Result<(&[Shape], &[Shape]), Error> {
        let frame = &self.bounds.get(bound)?.bound.main;
        Ok((&frame.params, &frame.results))
    }

    pub fn release_executable(&mut self, executable: i32) -> Result<(), Error> {
        self.executables.remove(executable).map(drop)
    }

    pub fn release_bound(&mut self, bound: i32) -> Result<(), Error> {
        self.bounds.remove(bound).map(drop)
    }

    /// Runs a program of `N` parameters and one result.
    #[inline]
    pub fn run_small<const N: usize>(&mut self, bound: i32, args: [i32; N]) -> Result<i32, Error> {
        let it = self.bounds.get(bound)?;
        if let Some(direct) = &it.direct
            && self.pending.is_empty()
            && it.cost < INLINE_NS
            && it.params.len() == N
        {
            let mut starts = [null_mut(); N];
            for i in 0..N {
                let storage = self.memory.get(*self.tensors.get(args[i])?);
                if storage.bytes != it.params[i] || storage.poison.is_some() {
                    return self.run_one(bound, &args);
                }
                starts[i] = storage.start.as_ptr();
            }
            let [Step::Kernel { plan, .. }] = it.bound.main.steps.as_slice() else { return self.run_one(bound, &args) };
            let mut ins = [std::ptr::null(); Direct::MAX];
            for (at, &read) in ins.iter_mut().zip(&direct.reads[..direct.count]) {
                *at = starts[read as usize].cast_const();
            }
            self.tensors.reserve(1)?;
            let Ok(result) = self.memory.allocate(it.results[0]) else { return self.run_one(bound, &args) };
            let out = self.memory.get(result).start.as_ptr();
            self.outcome.kernels += 1;
            // SAFETY: the arguments have the bytes of the parameters, the result was allocated for this; there is no arena.
            unsafe { plan.run(&ins[..direct.count], &[out], std::ptr::dangling_mut(), Pool::global()) };
            return self.tensors.insert(result);
        }
        self.run_one(bound, &args)
    }

    #[cold]
    fn run_one(&mut self, bound: i32, args: &[i32]) -> Result<i32, Error> {
        if self.bounds.get(bound)?.results.len() != 1 {
            return Err(Error::argument("the program has not one result"));
        }
        let mut results = Vec::with_capacity(1);
        self.run(bound, args, &mut results)?;
        Ok(results[0])
    }

    /// Runs a program and appends the handles of its results. `DONATE` may be added to arguments. When it fails at once,
    /// arguments are as they were; a program in the queue that fails later poisons its results.
    pub fn run(&mut self, bound: i32, args: &[i32], results: &mut Vec<i32>) -> Result<(), Error> {
        let it = self.bounds.get(bound)?.clone();
        if args.len() != it.params.len() {
            return Err(Error::argument(format!("{} arguments for {} parameters", args.len(), it.params.len())));
        }
        self.retire();
        let input_bytes: usize = it.params.iter().sum();
        if !self.runs_here(&it) {
            self.wait_for_room(input_bytes);
        }
        self.tensors.reserve(it.results.len())?;
        let inputs = self.inputs(&it, args)?;
        let taken = self.takeovers(&it, args, &inputs);
        let outputs = match self.outputs(&it, &inputs, &taken) {
            Err(_) if !self.pending.is_empty() => {
                self.wait_all();
                self.inputs(&it, args)?;
                self.outputs(&it, &inputs, &taken)?
            }
            outputs => outputs?,
        };
        let spent = taken.iter().flatten().map(|&param| (param, self.memory.allocate(0))).collect::<Vec<_>>();
        let fits = spent.iter().find_map(|it| it.1.as_ref().err().cloned()).map_or(Ok(()), Err);
        let done = fits.and_then(|()| self.start(&it, &inputs, &outputs, &taken, input_bytes));
        if let Err(error) = done {
            let made = spent.into_iter().filter_map(|it| it.1.ok());
            outputs.into_iter().chain(made).for_each(|id| self.release(id));
            return Err(error);
        }
        for id in outputs {
            results.push(self.tensors.insert(id)?);
        }
        for (param, id) in spent {
            self.spend(args[param] & !DONATE, id?)?;
        }
        Ok(())
    }

    /// A donated tensor whose storage was reused: its handle holds `id` from now on, which cannot be read.
    fn spend(&mut self, handle: i32, id: StorageId) -> Result<(), Error> {
        let error = Error::new(Code::Disposed, format!("tensor {handle} was donated to a program, which reused its memory"));
        self.memory.get_mut(id).poison = Some(Rc::new(Poison { error: Arc::new(error), seen: Cell::new(true) }));
        let old = self.tensors.replace(handle, id)?;
        self.release(old);
        Ok(())
    }

    fn runs_here(&self, it: &BoundProgram) -> bool {
        self.pending.is_empty() && it.cost < INLINE_NS
    }

    fn wait_for_room(&mut self, bytes: usize) {
        while let Some(first) = self.pending.front() {
            if self.pending.len() < MAX_QUEUED && self.pending_bytes + bytes <= MAX_QUEUED_BYTES {
                break;
            }
            self.queue.wait(first.ticket);
            self.retire();
        }
    }

    /// The storages of the arguments, which must have the bytes of the parameters and hold no error.
    fn inputs(&self, it: &BoundProgram, args: &[i32]) -> Result<Vec<StorageId>, Error> {
        let mut inputs = Vec::with_capacity(args.len());
        for (i, (&arg, &bytes)) in args.iter().zip(&it.params).enumerate() {
            let id = *self.tensors.get(if arg >= 0 { arg & !DONATE } else { arg })?;
            let storage = self.memory.get(id);
            check_poison(storage.poison.as_ref())?;
            if storage.bytes != bytes {
                let shape = &it.bound.main.params[i];
                return Err(Error::shape(format!("argument {i} has {} bytes, {shape} has {bytes}", storage.bytes)));
            }
            inputs.push(id);
        }
        Ok(inputs)
    }

    /// For each result the parameter whose storage it takes: donated, and with nobody else to see it.
    fn takeovers(&mut self, it: &BoundProgram, args: &[i32], inputs: &[StorageId]) -> Vec<Option<usize>> {
        let mut taken = vec![None; it.results.len()];
        if args.iter().all(|&arg| arg & DONATE == 0) {
            return taken;
        }
        inputs.iter().for_each(|&id| self.memory.get_mut(id).uses += 1);
        let donated = |i: usize| args[i] & DONATE != 0;
        for takeover in &it.bound.takeovers {
            let storage = self.memory.get(inputs[takeover.param]);
            if donated(takeover.param) && storage.refs == 1 && storage.uses == 1 {
                taken[takeover.result] = Some(takeover.param);
            }
        }
        inputs.iter().for_each(|&id| self.memory.get_mut(id).uses = 0);
        taken
    }

    /// A reference to the storage of every result.
    fn outputs(&mut self, it: &BoundProgram, inputs: &[StorageId], taken: &[Option<usize>]) -> Result<Vec<StorageId>, Error> {
        let mut outputs: Vec<StorageId> = Vec::with_capacity(it.results.len());
        for (i, source) in it.bound.main.sources.iter().enumerate() {
            let shared = match (*source, taken[i]) {
                (Source::Own, Some(param)) | (Source::Param(param), _) => Some(inputs[param]),
                (Source::Same(earlier), _) => Some(outputs[earlier]),
                (Source::Own | Source::Const(_), _) => None,
            };
            match shared {
                Some(id) => {
                    self.memory.retain(id);
                    outputs.push(id);
                }
                None => match self.memory.allocate(it.results[i]) {
                    Ok(id) => outputs.push(id),
                    Err(error) => {
                        outputs.into_iter().for_each(|id| self.release(id));
                        return Err(error);
                    }
                },
            }
        }
        Ok(outputs)
    }

    /// Runs here or enqueues.
    fn start(
        &mut self,
        it: &Arc<BoundProgram>,
        inputs: &[StorageId],
        outputs: &[StorageId],
        taken: &[Option<usize>],
        input_bytes: usize,
    ) -> Result<(), Error> {
        let start = |id: &StorageId| self.memory.get(*id).start.as_ptr();
        let (params, results): (Vec<_>, Vec<_>) = (inputs.iter().map(start).collect(), outputs.iter().map(start).collect());
        let takes = it.bound.takeovers.iter().filter(|takeover| taken[takeover.result].is_some());
        let commit = takes.map(|takeover| takeover.step).min().unwrap_or(usize::MAX);
        if self.runs_here(it) {
            return self.queue.run_here(it, &params, &results, commit, &mut self.outcome);
        }
        let ticket = self.last_ticket + 1;
        let storages: Vec<StorageId> = outputs.iter().chain(inputs).copied().collect();
        let oldest = self.pending.front().map_or(ticket, |first| first.ticket);
        let after = inputs.iter().map(|&id| self.memory.get(id).ticket).filter(|&ticket| ticket >= oldest).collect();
        let cancel = Arc::new(AtomicBool::new(false));
        self.queue.push(Job { ticket, bound: it.clone(), params, results, after, commit, cancel: cancel.clone() })?;
        self.last_ticket = ticket;
        self.pending_bytes += input_bytes;
        storages.iter().for_each(|&id| self.memory.pin(id));
        // A result that is a parameter passed through is ready when the parameter is.
        for (&id, source) in outputs.iter().zip(&it.bound.main.sources) {
            if !matches!(source, Source::Param(_)) {
                self.memory.get_mut(id).ticket = ticket;
            }
        }
        self.pending.push_back(Pending { ticket, results: outputs.len(), storages, input_bytes, cancel });
        Ok(())
    }

    /// A tensor of `bytes`.
    pub fn upload(&mut self, bytes: &[u8]) -> Result<i32, Error> {
        self.tensors.reserve(1)?;
        let id = match self.memory.allocate(bytes.len()) {
            Err(_) if !self.pending.is_empty() => {
                self.wait_all();
                self.memory.allocate(bytes.len())?
            }
            id => id?,
        };
        // SAFETY: the storage is fresh and holds as many bytes.
        unsafe { self.memory.get(id).start.as_ptr().copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
        self.tensors.insert(id)
    }

    /// The bytes of a tensor; waits for the program that makes it.
    pub fn read(&mut self, handle: i32) -> Result<&[u8], Error> {
        let id = *self.tensors.get(handle)?;
        self.queue.wait(self.memory.get(id).ticket);
        self.retire();
        self.bytes(id)
    }

    #[inline]
    pub fn free(&mut self, handle: i32) -> Result<(), Error> {
        let id = self.tensors.remove(handle)?;
        if let Some(poison) = self.memory.release(id) {
            self.mourn(Some(poison));
        }
        Ok(())
    }

    /// What a page remembers of a tensor. `None` where it is gone already.
    pub fn ticket(&self, handle: i32) -> Option<Ticketed> {
        self.tensors.ticket(handle)
    }

    /// Frees a tensor of a dead page, unless it has been freed. True where it was live.
    pub fn free_ticketed(&mut self, it: Ticketed) -> bool {
        let id = self.tensors.remove_ticketed(it);
        if let Some(id) = id {
            self.release(id);
        }
        id.is_some()
    }

    pub fn stats(&mut self) -> Stats {
        self.retire();
        Stats {
            memory: self.memory.stats,
            tensors: self.tensors.len(),
            executables: self.executables.len(),
            bounds: self.bounds.len(),
            kernels: self.outcome.kernels + self.queue.kernels(),
            queued: self.pending.len(),
            arena: self.queue.arena_bytes(),
        }
    }

    #[inline]
    pub fn memory_stats(&self) -> &MemoryStats {
        &self.memory.stats
    }

    /// Gives cached memory back to the system.
    pub fn trim(&mut self) {
        self.memory.trim(0);
        self.queue.trim();
    }

    /// What was printed since the last call, and errors that nobody can see any more.
    pub fn take_messages(&mut self) -> (Vec<Printed>, Vec<Arc<Error>>) {
        self.retire();
        (std::mem::take(&mut self.outcome.printed), std::mem::take(&mut self.lost))
    }

    #[inline]
    pub fn has_messages(&self) -> bool {
        !self.outcome.printed.is_empty() || !self.lost.is_empty()
    }

    /// See `Queue::on_complete`.
    pub fn on_complete(&self, notify: Box<dyn Fn() + Send>) {
        self.queue.on_complete(notify);
    }

    pub fn watch(&self, on: bool) {
        self.queue.watch(on);
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        self.cancel_all();
    }
}
