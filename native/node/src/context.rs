//! A context: one device and the functions that JavaScript calls. It lives as long as one of these functions, or until
//! `close` or the end of its environment, which stop the queue's thread first.

use crate::js::{arguments, check, make_object, set, throw};
use crate::pages::Pages;
use crate::reads::Reads;
use crate::{cold, hot, origins, profile, reads};
use millrace_cpu::Device;
use millrace_program::{Code, Error};
use napi::sys::*;
use std::cell::{Cell, RefCell, RefMut};
use std::ffi::{CStr, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::null_mut;
use std::rc::{Rc, Weak};

pub struct Context {
    pub env: napi_env,
    device: RefCell<Option<Device>>,
    pub pages: RefCell<Pages>,
    pub reads: RefCell<Reads>,
    /// Calls of this context's functions, and of `run*` among them.
    pub calls: Cell<u64>,
    pub runs: Cell<u64>,
    /// What hears of printed values and lost errors; null where nobody does.
    pub listener: Cell<napi_ref>,
    pub callbacks: Cell<u64>,
    /// Live bytes that the garbage collector was told of.
    pub reported: Cell<i64>,
    pub lists: RefCell<Lists>,
    wake: Cell<napi_threadsafe_function>,
    hooked: Cell<bool>,
}

/// The lists of a `run`, kept for the next.
#[derive(Default)]
pub struct Lists {
    pub handles: Vec<i32>,
    /// Arguments and the results that take their places.
    pub renewed: Vec<(usize, usize)>,
    pub made: Vec<i32>,
}

type Callback = unsafe extern "C" fn(napi_env, napi_callback_info) -> napi_value;

const FUNCTIONS: &[(&CStr, Callback)] = &[
    (c"run1", hot::run1),
    (c"run2", hot::run2),
    (c"run3", hot::run3),
    (c"run", hot::run),
    (c"free", hot::free),
    (c"freeMany", hot::free_many),
    (c"page", hot::page),
    (c"poll", hot::poll),
    (c"claims", cold::claims),
    (c"compile", cold::compile),
    (c"bind", cold::bind),
    (c"isLong", cold::is_long),
    (c"nameCall", cold::name_call),
    (c"signature", cold::signature),
    (c"releaseExecutable", cold::release_executable),
    (c"releaseBound", cold::release_bound),
    (c"upload", cold::upload),
    (c"map", cold::map),
    (c"read", reads::read),
    (c"readSync", cold::read_sync),
    (c"sync", reads::sync),
    (c"syncSync", cold::sync_sync),
    (c"cancel", cold::cancel),
    (c"abandon", reads::abandon),
    (c"stats", cold::stats),
    (c"setOrigin", origins::set_origin),
    (c"setBoundOrigin", origins::set_bound_origin),
    (c"liveByOrigin", origins::live_by_origin),
    (c"liveBytes", cold::live_bytes),
    (c"startProfile", profile::start_profile),
    (c"stopProfile", profile::stop_profile),
    (c"peaks", profile::machine_peaks),
    (c"adjust", cold::adjust),
    (c"trim", cold::trim),
    (c"onMessage", cold::on_message),
    (c"close", cold::close),
];

impl Context {
    pub fn create(env: napi_env, memory_limit: usize) -> Result<napi_value, Error> {
        let context = Rc::new(Context {
            env,
            device: RefCell::new(Some(Device::new(memory_limit))),
            pages: RefCell::default(),
            reads: RefCell::default(),
            calls: Cell::new(0),
            runs: Cell::new(0),
            listener: Cell::new(null_mut()),
            callbacks: Cell::new(0),
            reported: Cell::new(0),
            lists: RefCell::default(),
            wake: Cell::new(null_mut()),
            hooked: Cell::new(false),
        });
        if let Some(device) = context.device.borrow_mut().as_mut() {
            // Only while JavaScript calls, so the environment lives.
            device.on_wait(Box::new(move || is_ending(env)));
        }
        // SAFETY: live values; every function and hook holds its own reference, or is removed before the context dies.
        unsafe {
            context.make_wake()?;
            // After `wake`, whose own hook then runs later than this one.
            check(napi_add_env_cleanup_hook(env, Some(on_exit), Rc::as_ptr(&context).cast_mut().cast()))?;
            context.hooked.set(true);
            let object = make_object(env)?;
            for &(name, callback) in FUNCTIONS {
                set(env, object, name, context.function(name, callback)?)?;
            }
            Ok(object)
        }
    }

    unsafe fn function(self: &Rc<Context>, name: &CStr, callback: Callback) -> Result<napi_value, Error> {
        let data = Rc::as_ptr(self).cast_mut().cast();
        let mut function = null_mut();
        // SAFETY: the finalizer drops the reference that is made here.
        unsafe {
            check(napi_create_function(self.env, name.as_ptr(), -1, Some(callback), data, &mut function))?;
            Rc::increment_strong_count(data as *const Context);
            check(napi_add_finalizer(self.env, function, data, Some(drop_function), null_mut(), null_mut()))?;
        }
        Ok(function)
    }

    /// Lets the queue's thread call `settle` on this one. It does not keep the process alive.
    unsafe fn make_wake(self: &Rc<Context>) -> Result<(), Error> {
        let mut wake = null_mut();
        let weak: *mut Weak<Context> = Box::into_raw(Box::new(Rc::downgrade(self)));
        // SAFETY: live values; `drop_weak` frees `weak` when nothing can use it any more.
        unsafe {
            let name = crate::js::make_string(self.env, "millrace")?;
            check(napi_create_threadsafe_function(
                self.env,
                null_mut(),
                null_mut(),
                name,
                0,
                1,
                weak.cast(),
                Some(drop_weak),
                weak.cast(),
                Some(on_wake),
                &mut wake,
            ))?;
            napi_unref_threadsafe_function(self.env, wake);
        }
        self.wake.set(wake);
        let wake = Wake(wake);
        if let Some(device) = self.device.borrow().as_ref() {
            device.on_complete(Box::new(move || {
                let wake = &wake;
                // SAFETY: the thread that calls this is joined before `wake` is released.
                unsafe { napi_call_threadsafe_function(wake.0, null_mut(), ThreadsafeFunctionCallMode::nonblocking) };
            }));
        }
        Ok(())
    }

    /// Keeps the process alive for somebody who waits, or no longer.
    pub fn keep_alive(&self, on: bool) {
        // SAFETY: `wake` lives until `close`, which sets it to null.
        unsafe {
            match self.wake.get() {
                wake if wake.is_null() => napi_ok(),
                wake if on => napi_ref_threadsafe_function(self.env, wake),
                wake => napi_unref_threadsafe_function(self.env, wake),
            };
        }
    }

    /// The device. Fails with `E_DISPOSED` when closed, and where a callback calls back in.
    #[inline]
    pub fn device(&self) -> Result<RefMut<'_, Device>, Error> {
        let device = self
            .device
            .try_borrow_mut()
            .map_err(|_| Error::new(Code::Internal, "a context is used inside its own call"))?;
        RefMut::filter_map(device, Option::as_mut).map_err(|_| closed())
    }

    /// Cancels what runs, waits for it and frees everything. Twice does nothing.
    pub fn close(&self) {
        let device = self.device.try_borrow_mut().ok().and_then(|mut device| device.take());
        // Waits for the queue's thread, which may still wake this one.
        drop(device);
        // SAFETY: on the thread of the environment; `wake` has no users any more.
        unsafe {
            let wake = self.wake.replace(null_mut());
            if !wake.is_null() {
                napi_release_threadsafe_function(wake, ThreadsafeFunctionReleaseMode::abort);
            }
            if self.hooked.replace(false) {
                napi_remove_env_cleanup_hook(self.env, Some(on_exit), (self as *const Context).cast_mut().cast());
            }
            self.pages.borrow_mut().clear(self.env);
            let listener = self.listener.replace(null_mut());
            if !listener.is_null() {
                napi_delete_reference(self.env, listener);
            }
        }
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        self.close();
    }
}

pub fn closed() -> Error {
    Error::new(Code::Disposed, "the context is closed")
}

fn napi_ok() -> napi_status {
    Status::napi_ok
}

/// Whether the environment ends while its thread is in a call: its worker was terminated.
fn is_ending(env: napi_env) -> bool {
    let (mut value, mut same) = (null_mut(), false);
    // SAFETY: on the thread of the environment. Comparing runs no JavaScript, but is refused where none may run.
    unsafe {
        napi_get_undefined(env, &mut value);
        napi_strict_equals(env, value, value, &mut same) != Status::napi_ok
    }
}

struct Wake(napi_threadsafe_function);

// SAFETY: made to be called from other threads.
unsafe impl Send for Wake {}

unsafe extern "C" fn drop_function(_: napi_env, data: *mut c_void, _: *mut c_void) {
    // SAFETY: `function` took this reference.
    drop(unsafe { Rc::from_raw(data as *const Context) });
}

unsafe extern "C" fn drop_weak(_: napi_env, data: *mut c_void, _: *mut c_void) {
    // SAFETY: `make_wake` made it; nothing calls `on_wake` after this.
    drop(unsafe { Box::from_raw(data.cast::<Weak<Context>>()) });
}

unsafe extern "C" fn on_exit(data: *mut c_void) {
    // SAFETY: the hook is removed before the context dies.
    let context = unsafe { &*(data as *const Context) };
    context.hooked.set(false);
    context.close();
}

unsafe extern "C" fn on_wake(env: napi_env, _: napi_value, data: *mut c_void, _: *mut c_void) {
    if env.is_null() {
        return;
    }
    // SAFETY: `drop_weak` comes after the last call.
    if let Some(context) = unsafe { &*data.cast::<Weak<Context>>() }.upgrade() {
        let settled = catch_unwind(AssertUnwindSafe(|| reads::settle(&context)));
        if !matches!(settled, Ok(Ok(()))) {
            // SAFETY: on the thread of the environment.
            unsafe { throw(env, &Error::new(Code::Internal, "a finished program could not be reported")) };
        }
    }
}

/// Runs the body of one function: finds its context, counts the call, turns errors and panics into exceptions.
#[inline(always)]
pub unsafe fn enter<const N: usize>(
    env: napi_env,
    info: napi_callback_info,
    body: impl FnOnce(&Context, [napi_value; N]) -> Result<napi_value, Error>,
) -> napi_value {
    // SAFETY: `data` is the context that the function was made with, which the function keeps alive.
    let (args, context) = unsafe {
        let (args, data) = arguments::<N>(env, info);
        (args, &*(data as *const Context))
    };
    context.calls.set(context.calls.get() + 1);
    let result = catch_unwind(AssertUnwindSafe(|| body(context, args)));
    match result {
        Ok(Ok(value)) => value,
        // SAFETY: in a call from JavaScript.
        Ok(Err(error)) => unsafe {
            throw(env, &error);
            null_mut()
        },
        // SAFETY: in a call from JavaScript.
        Err(_) => unsafe {
            throw(env, &Error::new(Code::Internal, "the native code of the CPU backend panicked"));
            null_mut()
        },
    }
}
