//! The thread pool of the process: a bounded spin, then park. A job is a few atomic counters of chunks, so its caller can
//! always finish it alone; what workers take is only a matter of speed. Chunks are cut by shape, never by thread count.

use crate::float_mode::FloatMode;
use crate::lanes::Lanes;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering::*, fence};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread::Thread;

/// Jobs that can be open at once. A caller that finds no free slot works alone.
const SLOTS: usize = 16;
/// Turns of the spin loop before an idle worker parks: about 50 µs.
const SPIN: u32 = 1500;
const MAX_THREADS: usize = 256;

/// One `for_chunks` call, on its caller's stack.
struct Job {
    call: *const (dyn Fn(usize) + Sync),
    chunks: Lanes,
    panic: Mutex<Option<Box<dyn Any + Send>>>,
    /// That of the caller: on every thread the same numbers come out.
    mode: FloatMode,
}

#[derive(Default)]
#[repr(align(128))]
struct Slot {
    taken: AtomicBool,
    job: AtomicPtr<Job>,
    /// Workers that may hold `job`. Raised before `job` is read; the caller leaves only after it fell to zero.
    users: AtomicUsize,
}

#[derive(Default)]
struct Shared {
    slots: [Slot; SLOTS],
    /// Raised with every published job; idle workers watch it.
    epoch: AtomicUsize,
    parked: AtomicUsize,
    /// Threads inside a job, callers and workers: workers join only below the limit, so that several callers do not
    /// crowd the machine.
    busy: AtomicUsize,
    limit: AtomicUsize,
    stop: AtomicBool,
}

struct Worker {
    thread: Thread,
    asleep: Arc<AtomicBool>,
}

/// A pool of `threads() - 1` workers; the caller of [`Pool::for_chunks`] is the other thread.
pub struct Pool {
    shared: Arc<Shared>,
    workers: Workers,
}

/// Workers are added under the lock and read without it.
struct Workers {
    items: Box<[OnceLock<Worker>]>,
    grow: Mutex<usize>,
}

impl Pool {
    /// A pool of its own, for tests and tools. Kernels use [`Pool::global`].
    pub fn new(threads: usize) -> Pool {
        let pool = Pool {
            shared: Arc::new(Shared::default()),
            workers: Workers { items: (0..MAX_THREADS).map(|_| OnceLock::new()).collect(), grow: Mutex::new(0) },
        };
        pool.set_threads(threads);
        pool
    }

    /// The pool of the process. Its size is `MILLRACE_THREADS`, else what affinity and cgroup allow.
    pub fn global() -> &'static Pool {
        static GLOBAL: OnceLock<Pool> = OnceLock::new();
        GLOBAL.get_or_init(|| {
            let asked =
                std::env::var("MILLRACE_THREADS").ok().and_then(|text| text.parse().ok()).filter(|&n: &usize| n > 0);
            let threads = asked.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, |n| n.get()));
            Pool::new(threads)
        })
    }

    /// The number of threads that may work at once, callers included.
    pub fn threads(&self) -> usize {
        self.shared.limit.load(Relaxed)
    }

    /// Sets [`Pool::threads`]; missing workers are started, extra ones stay parked.
    pub fn set_threads(&self, threads: usize) {
        let threads = threads.clamp(1, MAX_THREADS);
        let mut started = self.workers.grow.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        while *started + 1 < threads {
            let asleep = Arc::new(AtomicBool::new(false));
            let (shared, flag, thread) = (self.shared.clone(), asleep.clone(), *started + 1);
            let spawned =
                std::thread::Builder::new().name("millrace".into()).spawn(move || work(&shared, &flag, thread));
            let Ok(handle) = spawned else { break }; // the machine gives no more threads: the pool is smaller
            let _ = self.workers.items[*started].set(Worker { thread: handle.thread().clone(), asleep });
            *started += 1;
        }
        self.shared.limit.store(threads, SeqCst);
    }

    /// Calls `f(0) … f(count - 1)`, each once, in any order and on any thread of the pool; returns when all are done.
    /// May be called from several threads and from within `f`. A panic in `f` is raised again here.
    pub fn for_chunks(&self, count: usize, f: impl Fn(usize) + Sync) {
        if count <= 1 || self.threads() == 1 || u32::try_from(count).is_err() {
            return (0..count).for_each(f);
        }
        let Some(slot) =
            self.shared.slots.iter().find(|slot| !slot.taken.load(Relaxed) && !slot.taken.swap(true, Acquire))
        else {
            return (0..count).for_each(f);
        };
        let call: *const (dyn Fn(usize) + Sync + '_) = &f;
        // SAFETY: only the lifetime changes; `Leave` below keeps this frame until no worker holds the job.
        let call: *const (dyn Fn(usize) + Sync) = unsafe { std::mem::transmute(call) };
        let chunks = Lanes::new(count, self.threads());
        let job = Job { call, chunks, panic: Mutex::new(None), mode: FloatMode::current() };
        self.shared.busy.fetch_add(1, SeqCst);
        slot.job.store(&raw const job as *mut Job, SeqCst);
        self.shared.epoch.fetch_add(1, SeqCst);
        self.wake(count - 1);
        job.work(0);
        slot.job.store(std::ptr::null_mut(), SeqCst);
        let mut turns = 0u32;
        while slot.users.load(SeqCst) != 0 {
            turns += 1;
            if turns < 10_000 { std::hint::spin_loop() } else { std::thread::yield_now() }
        }
        slot.taken.store(false, Release);
        self.shared.busy.fetch_sub(1, SeqCst);
        let panic = job.panic.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).take();
        if let Some(panic) = panic {
            resume_unwind(panic);
        }
    }

    fn wake(&self, wanted: usize) {
        fence(SeqCst);
        if self.shared.parked.load(SeqCst) == 0 {
            return;
        }
        let free = self.threads().saturating_sub(self.shared.busy.load(Relaxed));
        let mut left = wanted.min(free);
        for worker in self.workers.items.iter().map_while(OnceLock::get) {
            if left == 0 {
                break;
            }
            if worker.asleep.load(Relaxed) && worker.asleep.swap(false, SeqCst) {
                worker.thread.unpark();
                left -= 1;
            }
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.stop.store(true, SeqCst);
        self.shared.epoch.fetch_add(1, SeqCst);
        for worker in self.workers.items.iter().map_while(OnceLock::get) {
            worker.thread.unpark();
        }
    }
}

impl Job {
    /// Takes chunks until none is left. Panics are kept for the caller, so that no frame is left while a worker is
    /// inside.
    fn work(&self, thread: usize) {
        while let Some(chunk) = self.chunks.take(thread) {
            // SAFETY: the caller waits for us before its closure ends.
            let result = catch_unwind(AssertUnwindSafe(|| unsafe { (*self.call)(chunk) }));
            if let Err(panic) = result {
                self.chunks.clear();
                self.panic.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).get_or_insert(panic);
            }
        }
    }
}

impl Shared {
    /// Joins whatever job is open, as long as the limit allows.
    fn help(&self, thread: usize) {
        for slot in &self.slots {
            if slot.job.load(Relaxed).is_null() {
                continue;
            }
            if self.busy.fetch_add(1, SeqCst) < self.limit.load(Relaxed) {
                slot.users.fetch_add(1, SeqCst);
                let job = slot.job.load(SeqCst);
                if !job.is_null() {
                    // SAFETY: `users` was raised before the pointer was read, so its owner waits.
                    unsafe {
                        let _mode = (*job).mode.enter();
                        (*job).work(thread);
                    }
                }
                slot.users.fetch_sub(1, SeqCst);
            }
            self.busy.fetch_sub(1, SeqCst);
        }
    }
}

/// A worker; callers are thread 0.
fn work(shared: &Shared, asleep: &AtomicBool, thread: usize) {
    let mut seen = 0;
    loop {
        let mut turns = 0;
        while shared.epoch.load(SeqCst) == seen {
            turns += 1;
            if turns < SPIN {
                std::hint::spin_loop();
                continue;
            }
            shared.parked.fetch_add(1, SeqCst);
            asleep.store(true, SeqCst);
            // `wake` raises the epoch first and clears `asleep` then, so one of the two is seen.
            while shared.epoch.load(SeqCst) == seen && asleep.load(SeqCst) {
                std::thread::park();
            }
            asleep.store(false, SeqCst);
            shared.parked.fetch_sub(1, SeqCst);
        }
        if shared.stop.load(SeqCst) {
            return;
        }
        seen = shared.epoch.load(SeqCst);
        shared.help(thread);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visits(pool: &Pool, count: usize) {
        let seen: Vec<AtomicUsize> = (0..count).map(|_| AtomicUsize::new(0)).collect();
        pool.for_chunks(count, |i| {
            seen[i].fetch_add(1, Relaxed);
        });
        assert!(seen.iter().all(|n| n.load(Relaxed) == 1));
    }

    #[test]
    fn every_chunk_runs_once() {
        for threads in [1, 2, 4] {
            let pool = Pool::new(threads);
            assert_eq!(pool.threads(), threads);
            for count in [0, 1, 2, 17, 1000] {
                for _ in 0..50 {
                    visits(&pool, count);
                }
            }
        }
    }

    #[test]
    fn nested_and_concurrent_callers() {
        let pool = Pool::new(3);
        std::thread::scope(|scope| {
            for _ in 0..20 {
                scope.spawn(|| {
                    let total = AtomicUsize::new(0);
                    pool.for_chunks(8, |_| {
                        pool.for_chunks(8, |_| {
                            total.fetch_add(1, Relaxed);
                        })
                    });
                    assert_eq!(total.load(Relaxed), 64);
                });
            }
        });
        assert_eq!(pool.shared.busy.load(SeqCst), 0);
        assert!(pool.shared.slots.iter().all(|slot| !slot.taken.load(SeqCst) && slot.users.load(SeqCst) == 0));
    }

    #[test]
    fn a_panic_reaches_the_caller_and_the_pool_lives_on() {
        let pool = Pool::new(2);
        let caught = catch_unwind(AssertUnwindSafe(|| pool.for_chunks(100, |i| assert!(i != 37, "chunk"))));
        assert!(caught.is_err());
        visits(&pool, 100);
    }

    #[test]
    fn the_limit_holds() {
        let pool = Pool::new(4);
        pool.set_threads(2);
        let (inside, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        pool.for_chunks(200, |_| {
            most.fetch_max(inside.fetch_add(1, SeqCst) + 1, SeqCst);
            std::hint::black_box((0..500).sum::<usize>());
            inside.fetch_sub(1, SeqCst);
        });
        assert!(most.load(SeqCst) <= 2);
    }

    /// Several models or workers in one process: whoever comes while all threads work brings his own alone.
    #[test]
    fn callers_beyond_the_limit_work_alone() {
        let pool = Pool::new(4);
        pool.set_threads(2);
        let (inside, released) = (AtomicUsize::new(0), AtomicBool::new(false));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                pool.for_chunks(2, |_| {
                    inside.fetch_add(1, SeqCst);
                    while !released.load(SeqCst) {
                        std::thread::yield_now();
                    }
                });
            });
            while inside.load(SeqCst) < 2 {
                std::thread::yield_now();
            }
            let (own, others) = (std::thread::current().id(), AtomicUsize::new(0));
            for _ in 0..100 {
                pool.for_chunks(20, |_| {
                    others.fetch_add(usize::from(std::thread::current().id() != own), SeqCst);
                });
            }
            released.store(true, SeqCst);
            assert_eq!(others.load(SeqCst), 0);
        });
    }
}
