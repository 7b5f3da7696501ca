//! The queue of a device: programs that are not run at once run in order on the engine thread.

use crate::blocks;
use crate::call::Renewed;
use crate::cancel::Cancel;
use crate::executable::BoundProgram;
use crate::packed::Forms;
use crate::profile::{Event, Recorder};
use crate::run::{Outcome, Printed, run};
use crate::stack::StackBytes;
use millrace_program::{Code, Error};
use std::collections::{TryReserveError, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::{NonNull, null_mut};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::*};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::Duration;

/// How long a thread waits for the queue before it is asked whether it ends.
const WAIT: Duration = Duration::from_millis(50);

/// A program in the queue. Its buffers are pinned until it has been retired.
pub struct Job {
    pub ticket: u64,
    pub bound: Arc<BoundProgram>,
    pub params: Vec<*mut u8>,
    pub results: Vec<*mut u8>,
    /// Queued programs whose results this one reads.
    pub after: Vec<u64>,
    pub commit: usize,
    /// Where the program fails, these results get the bytes of their arguments, which lie elsewhere.
    pub keeps: Vec<Renewed>,
    pub cancel: Arc<Cancel>,
    /// Whether its kernels' times are noted.
    pub profiled: bool,
    pub forms: Forms,
}

// SAFETY: the buffers are the job's until it has run; the queue is their only user.
unsafe impl Send for Job {}

impl Job {
    fn run(&self, shared: &Shared, outcome: &mut Outcome) -> Result<(), Failure> {
        let ran = self.cancel.poll().and_then(|()| {
            run_in(shared, &self.bound, &self.params, &self.results, self.commit, &self.cancel, outcome)
        });
        ran.map_err(|error| {
            let is_told = error.code == Code::Aborted && self.cancel.is_told();
            Failure {
                ticket: self.ticket,
                first: self.ticket,
                error: Arc::new(error),
                committed: outcome.committed,
                is_told,
            }
        })
    }

    /// Results that take the place of an argument get its value, but where it was overwritten.
    fn keep(&self, committed: bool) -> Result<(), TryReserveError> {
        // A result may lie where another's argument lies: those go by way of a copy.
        let (overwritten, apart): (Vec<&Renewed>, Vec<&Renewed>) = self.keeps.iter().partition(|it| it.is_overwritten);
        let mut copies = Vec::new();
        for it in if committed { &[] } else { overwritten.as_slice() } {
            let mut copy = Vec::new();
            copy.try_reserve_exact(self.bound.params[it.param])?;
            // SAFETY: the argument has so many bytes, and nobody writes them now.
            copy.extend_from_slice(unsafe {
                std::slice::from_raw_parts(self.params[it.param], self.bound.params[it.param])
            });
            copies.push((it.result, copy));
        }
        for it in apart {
            // SAFETY: the result has the bytes of the argument, and lies apart from it.
            unsafe {
                self.results[it.result].copy_from_nonoverlapping(self.params[it.param], self.bound.params[it.param])
            }
        }
        for (result, copy) in copies {
            // SAFETY: the result has the bytes of the argument.
            unsafe { self.results[result].copy_from_nonoverlapping(copy.as_ptr(), copy.len()) }
        }
        Ok(())
    }
}

/// Memory of its own. That of the program that runs grows and is kept; programs of one device run one at a time.
pub struct Arena {
    start: *mut u8,
    bytes: usize,
}

// SAFETY: owned memory.
unsafe impl Send for Arena {}

impl Arena {
    pub const fn empty() -> Arena {
        Arena { start: null_mut(), bytes: 0 }
    }

    pub fn new(bytes: usize) -> Result<Arena, Error> {
        let mut arena = Arena::empty();
        arena.grow(bytes).map(|_| arena)
    }

    pub fn start(&self) -> *mut u8 {
        self.start
    }

    fn grow(&mut self, bytes: usize) -> Result<*mut u8, Error> {
        if bytes > self.bytes {
            self.free();
            let out_of_memory = || Error::new(Code::Memory, format!("no memory for an arena of {bytes} bytes"));
            (self.start, self.bytes) = (blocks::allocate(bytes).ok_or_else(out_of_memory)?.as_ptr(), bytes);
        }
        Ok(self.start)
    }

    fn free(&mut self) {
        if let Some(start) = NonNull::new(self.start) {
            // SAFETY: `grow` had it for so many bytes.
            unsafe { blocks::free(start, self.bytes) }
        }
        (self.start, self.bytes) = (null_mut(), 0);
    }
}

impl Drop for Arena {
    fn drop(&mut self) {
        self.free();
    }
}

/// A program that did not end.
#[derive(Clone)]
pub struct Failure {
    pub ticket: u64,
    /// The program that failed by itself: this one, or one that it depends on.
    pub first: u64,
    pub error: Arc<Error>,
    /// Whether it had begun to overwrite donated parameters.
    pub committed: bool,
    /// Whether whoever waited for it knows already.
    pub is_told: bool,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    stop: bool,
    /// What reads the results of these fails with the same error.
    failed: Vec<Failure>,
    printed: Vec<Printed>,
    events: Vec<Event>,
}

struct Shared {
    state: Mutex<State>,
    /// The engine waits here for jobs, callers for completion.
    work: Condvar,
    done: Condvar,
    completed: AtomicU64,
    kernels: AtomicU64,
    arena: Mutex<Arena>,
    stacks: StackBytes,
    /// Called on the engine thread after a program somebody waits for without blocking.
    notify: Mutex<Option<Box<dyn Fn() + Send>>>,
    watched: AtomicBool,
}

/// Locks, also after a panic elsewhere: what these mutexes guard is whole between any two statements.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

pub struct Queue {
    shared: Arc<Shared>,
    engine: Option<JoinHandle<()>>,
}

impl Queue {
    /// `memory_limit`: bytes that storages and stacks may take.
    pub fn new(memory_limit: usize) -> Queue {
        let shared = Shared {
            state: Mutex::default(),
            work: Condvar::new(),
            done: Condvar::new(),
            completed: AtomicU64::new(0),
            kernels: AtomicU64::new(0),
            arena: Mutex::new(Arena::empty()),
            stacks: StackBytes::new(memory_limit),
            notify: Mutex::new(None),
            watched: AtomicBool::new(false),
        };
        Queue { shared: Arc::new(shared), engine: None }
    }

    /// The last ticket whose program has run. Tickets are dense and ascending.
    #[inline]
    pub fn completed(&self) -> u64 {
        self.shared.completed.load(Acquire)
    }

    /// Runs on the caller's thread. The queue must be empty.
    pub fn run_here(
        &self,
        it: &BoundProgram,
        params: &[*mut u8],
        results: &[*mut u8],
        commit: usize,
        outcome: &mut Outcome,
    ) -> Result<(), Error> {
        static NEVER: Cancel = Cancel::new();
        run_in(&self.shared, it, params, results, commit, &NEVER, outcome)
    }

    /// Adds a job. Fails, and takes nothing, where no thread can be started.
    pub fn push(&mut self, job: Job) -> Result<(), Error> {
        if self.engine.is_none() {
            let shared = self.shared.clone();
            let engine = std::thread::Builder::new().name("millrace-engine".to_owned()).spawn(move || engine(&shared));
            self.engine =
                Some(engine.map_err(|error| Error::new(Code::Memory, format!("no thread for the queue: {error}")))?);
        }
        lock(&self.shared.state).jobs.push_back(job);
        self.shared.work.notify_one();
        Ok(())
    }

    /// Waits for a program, until `is_ending` says that there is no point. True where it has run.
    pub fn wait(&self, ticket: u64, is_ending: &dyn Fn() -> bool) -> bool {
        if self.completed() >= ticket {
            return true;
        }
        let mut state = lock(&self.shared.state);
        while self.completed() < ticket {
            let (now, timeout) =
                self.shared.done.wait_timeout(state, WAIT).unwrap_or_else(|poisoned| poisoned.into_inner());
            if timeout.timed_out() && is_ending() {
                return false;
            }
            state = now;
        }
        true
    }

    /// Failed programs by ticket, and what was printed and noted since the last call.
    pub fn news(&self) -> (Vec<Failure>, Vec<Printed>, Vec<Event>) {
        let mut state = lock(&self.shared.state);
        (state.failed.clone(), std::mem::take(&mut state.printed), std::mem::take(&mut state.events))
    }

    /// Forgets failures: when every program has been retired, none will ask for them.
    pub fn forget_failures(&self) {
        lock(&self.shared.state).failed.clear();
    }

    /// Calls `notify` on the engine thread after each program that failed or printed, and after every one while
    /// `watch(true)`.
    pub fn on_complete(&self, notify: Box<dyn Fn() + Send>) {
        *lock(&self.shared.notify) = Some(notify);
    }

    pub fn watch(&self, on: bool) {
        self.shared.watched.store(on, SeqCst);
    }

    pub fn kernels(&self) -> u64 {
        self.shared.kernels.load(Relaxed)
    }

    pub fn arena_bytes(&self) -> usize {
        // A program that runs holds the lock; its arena is read later.
        self.shared.arena.try_lock().map_or(0, |arena| arena.bytes)
    }

    /// What the stacks of loops take.
    pub fn stacks(&self) -> &StackBytes {
        &self.shared.stacks
    }

    /// Gives the arena back, unless a program uses it.
    pub fn trim(&self) {
        if let Ok(mut arena) = self.shared.arena.try_lock() {
            arena.free();
        }
    }
}

impl Drop for Queue {
    /// Waits for the program that runs and drops the others. Whoever wants that soon cancels it first.
    fn drop(&mut self) {
        lock(&self.shared.state).stop = true;
        self.shared.work.notify_all();
        if let Some(engine) = self.engine.take() {
            // A panic of the engine has been reported as an error of its jobs.
            let _ = engine.join();
        }
    }
}

fn run_in(
    shared: &Shared,
    it: &BoundProgram,
    params: &[*mut u8],
    results: &[*mut u8],
    commit: usize,
    cancel: &Cancel,
    outcome: &mut Outcome,
) -> Result<(), Error> {
    let needed = it.bound.main.arena;
    let mut held = None;
    let arena =
        if needed > 0 { held.insert(lock(&shared.arena)).grow(needed)? } else { std::ptr::dangling_mut::<u8>() };
    // SAFETY: the device has checked the buffers against `it`; the arena is locked while it is used.
    let run = || unsafe { run(it, params, results, arena, commit, cancel, &shared.stacks, outcome) };
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
        Err(Error::new(Code::Internal, format!("a kernel panicked: {}", text.unwrap_or("no message"))))
    })
}

fn engine(shared: &Shared) {
    loop {
        let mut state = lock(&shared.state);
        let job = loop {
            if state.stop {
                return;
            }
            if let Some(job) = state.jobs.pop_front() {
                break job;
            }
            state = shared.work.wait(state).unwrap_or_else(|poisoned| poisoned.into_inner());
        };
        let cause = state.failed.iter().find(|it| job.after.contains(&it.ticket)).cloned();
        drop(state);
        let mut outcome = Outcome::default();
        outcome.forms = job.forms.clone();
        outcome.recorder = job.profiled.then(|| Recorder::of(&job.bound, true));
        let mut failure = match cause {
            Some(cause) => Some(Failure { ticket: job.ticket, committed: false, ..cause }),
            None => job.run(shared, &mut outcome).err(),
        };
        if let Some(failure) = &mut failure {
            failure.committed |= job.keep(failure.committed).is_err();
        }
        shared.kernels.fetch_add(outcome.kernels, Relaxed);
        let mut state = lock(&shared.state);
        let news = failure.is_some() || !outcome.printed.is_empty();
        state.failed.extend(failure);
        state.printed.append(&mut outcome.printed);
        state.events.extend(outcome.recorder.into_iter().flat_map(|recorder| recorder.events));
        shared.completed.store(job.ticket, Release);
        drop(state);
        shared.done.notify_all();
        if (news || shared.watched.load(SeqCst))
            && let Some(notify) = lock(&shared.notify).as_ref()
        {
            notify();
        }
    }
}
