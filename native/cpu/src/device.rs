//! A device: everything that one context owns. One thread uses it; the queue's thread sees only what jobs carry.

use crate::blocks::ALIGN;
use crate::call::{Call, Pending};
use crate::executable::{BoundProgram, Direct};
use crate::late::Poison;
use crate::profile::Event;
use crate::queue::Queue;
use crate::run::{Outcome, Printed};
use crate::storage::{Memory, MemoryStats, StorageId};
use crate::table::{Table, Ticketed};
use millrace_kernels::Pool;
use millrace_kernels::float_mode::FloatMode;
use millrace_program::{Code, Error, Program, Shape, Step};
use std::cell::Cell;
use std::collections::VecDeque;
use std::path::Path;
use std::ptr::null_mut;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

/// Added to the handle of an argument: its storage may be reused for a result. The handle must still be freed; where
/// the storage
/// was reused, reading it is `E_DISPOSED`.
pub const DONATE: i32 = 1 << 30;
/// Programs that cost less are run by the caller when nothing is queued.
pub(crate) const INLINE_NS: f64 = 1e6;

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stats {
    pub memory: MemoryStats,
    pub tensors: usize,
    pub executables: usize,
    pub bounds: usize,
    pub kernels: u64,
    pub queued: usize,
    pub arena: usize,
    /// Bytes of packed weights.
    pub packed: usize,
}

pub struct Device {
    // Dropped first: the engine thread uses the storages.
    pub(crate) queue: Queue,
    pub(crate) memory: Memory,
    pub(crate) tensors: Table<StorageId>,
    executables: Table<(u64, Arc<Program>)>,
    /// How many were compiled so far.
    compiled: u64,
    pub(crate) bounds: Table<Arc<BoundProgram>>,
    pub(crate) pending: VecDeque<Pending>,
    pub(crate) pending_bytes: usize,
    pub(crate) last_ticket: u64,
    /// The program that the last `run` queued, where it may fail and its call has no name yet.
    pub(crate) unnamed: Option<u64>,
    /// Names of the calls of programs that failed, by ticket.
    pub(crate) failed_calls: Vec<(u64, u32)>,
    /// Errors of queued programs that may not have been seen yet.
    pub(crate) late: Vec<Rc<Poison>>,
    pub(crate) lost: Vec<Arc<Error>>,
    pub(crate) outcome: Outcome,
    /// What reading a tensor gives whose storage a program took.
    pub(crate) donated: Rc<Poison>,
    pub(crate) call: Call,
    /// What kernels did since a profile was started.
    pub(crate) profile: Option<(Instant, Vec<Event>)>,
    /// See `on_wait`.
    pub(crate) is_ending: Box<dyn Fn() -> bool>,
}

impl Device {
    /// `memory_limit`: bytes that storages and their cache may take.
    pub fn new(memory_limit: usize) -> Device {
        Device {
            queue: Queue::new(memory_limit),
            memory: Memory::new(memory_limit),
            tensors: Table::new("tensor"),
            executables: Table::new("executable"),
            compiled: 0,
            bounds: Table::new("bound program"),
            pending: VecDeque::new(),
            pending_bytes: 0,
            last_ticket: 0,
            unnamed: None,
            failed_calls: Vec::new(),
            late: Vec::new(),
            lost: Vec::new(),
            outcome: Outcome::default(),
            donated: Rc::new(Poison {
                error: Arc::new(Error::new(
                    Code::Disposed,
                    "the tensor was donated to a program, which reused its memory",
                )),
                seen: Cell::new(true),
            }),
            call: Call::default(),
            profile: None,
            is_ending: Box::new(|| false),
        }
    }

    pub fn compile(&mut self, bytes: &[u8]) -> Result<i32, Error> {
        let program = Arc::new(Program::decode(bytes)?);
        self.compiled += 1;
        self.executables.insert((self.compiled, program))
    }

    pub fn bind(&mut self, executable: i32, sizes: &[i64]) -> Result<i32, Error> {
        let (number, program) = self.executables.get(executable)?;
        let bound = BoundProgram::new(program, *number, sizes)?;
        self.bounds.insert(Arc::new(bound))
    }

    /// The parameters and results of a bound program.
    pub fn signature(&self, bound: i32) -> Result<(&[Shape], &[Shape]), Error> {
        let frame = &self.bounds.get(bound)?.bound.main;
        Ok((&frame.params, &frame.results))
    }

    /// The bytes of a bound program's arena, and the most of them that hold values at one step.
    pub fn arena_of(&self, bound: i32) -> Result<(usize, usize), Error> {
        let frame = &self.bounds.get(bound)?.bound.main;
        Ok((frame.arena, frame.live))
    }

    /// Whether a program is queued even where nothing else is.
    pub fn is_long(&self, bound: i32) -> Result<bool, Error> {
        Ok(self.bounds.get(bound)?.is_long())
    }

    pub fn release_executable(&mut self, executable: i32) -> Result<(), Error> {
        let (number, program) = self.executables.remove(executable)?;
        self.forget(number, &program);
        Ok(())
    }

    pub fn release_bound(&mut self, bound: i32) -> Result<(), Error> {
        let it = self.bounds.remove(bound)?;
        let program = it.program.clone();
        let number = it.executable;
        drop(it);
        self.forget(number, &program);
        Ok(())
    }

    /// Forgets what was packed for a program that only the caller holds.
    fn forget(&mut self, executable: u64, program: &Arc<Program>) {
        if Arc::strong_count(program) == 1 {
            self.memory.packed.forget_program(executable);
        }
    }

    /// Runs a program of `N` parameters and one result.
    #[inline]
    pub fn run_small<const N: usize>(&mut self, bound: i32, args: [i32; N]) -> Result<i32, Error> {
        let it = self.bounds.get(bound)?;
        if let Some(direct) = &it.direct
            && self.pending.is_empty()
            && !it.is_long()
            && self.profile.is_none()
            && it.params.len() == N
        {
            let mut starts = [null_mut(); N];
            for i in 0..N {
                let storage = self.memory.get(*self.tensors.get(args[i])?);
                if (storage.bytes != it.params[i]) | storage.poison.is_some() | storage.is_mapped() {
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
            let storage = self.memory.get_mut(result);
            storage.origin = it.origin.load(Relaxed);
            let out = storage.start.as_ptr();
            self.outcome.kernels += 1;
            let _mode = FloatMode::of_programs().enter();
            // SAFETY: the arguments have the bytes of the parameters, the result was allocated for this; there is no
            // arena.
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

    /// A tensor of `bytes` of a file from `offset` on, which are read when they are used; see mapping.rs. They are
    /// copied where they are not aligned to `element` bytes. `E_FORMAT` where the file is shorter, `E_FILE` where it
    /// cannot be opened or is no regular file.
    pub fn map(&mut self, path: &Path, offset: usize, bytes: usize, element: usize) -> Result<i32, Error> {
        if !element.is_power_of_two() || element > ALIGN {
            return Err(Error::argument(format!("no element has {element} bytes")));
        }
        self.tensors.reserve(1)?;
        let file = self.memory.mappings.open(path)?;
        let Some(slice) = offset.checked_add(bytes).and_then(|end| file.get(offset..end)) else {
            let (path, length) = (path.display(), file.len());
            return Err(Error::format(format!("{path} has {length} bytes, not {bytes} from {offset} on")));
        };
        if bytes == 0 || !slice.as_ptr().addr().is_multiple_of(element) {
            return self.upload(slice);
        }
        let id = self.memory.map(file, offset, bytes);
        self.tensors.insert(id)
    }

    /// The bytes of a tensor; waits for the program that makes it.
    pub fn read(&mut self, handle: i32) -> Result<&[u8], Error> {
        let id = *self.tensors.get(handle)?;
        self.wait(self.memory.get(id).ticket);
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
        let (memory, stacks) = (self.memory.stats, self.queue.stacks());
        Stats {
            memory: MemoryStats { live: memory.live + stacks.live(), peak: memory.peak.max(stacks.peak()), ..memory },
            tensors: self.tensors.len(),
            executables: self.executables.len(),
            bounds: self.bounds.len(),
            kernels: self.outcome.kernels + self.queue.kernels(),
            queued: self.pending.len(),
            arena: self.queue.arena_bytes(),
            packed: self.memory.packed.bytes,
        }
    }

    #[inline]
    pub fn memory_stats(&self) -> &MemoryStats {
        &self.memory.stats
    }

    /// Gives cached memory back to the system, packed weights too.
    pub fn trim(&mut self) {
        self.memory.trim(0);
        self.memory.packed.clear();
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
        self.cancel_all("its device is closed");
    }
}
