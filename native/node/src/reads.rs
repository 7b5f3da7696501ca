//! What JavaScript awaits: reads and `sync`. And what it hears unasked: printed values and lost errors.

use crate::context::{Context, closed, enter};
use crate::js::*;
use millrace_cpu::{Device, Printed, StorageId};
use millrace_program::Error;
use napi::sys::*;
use std::ptr::null_mut;

#[derive(Clone, Copy)]
enum Awaited {
    /// The bytes of a storage, which is held.
    Bytes(StorageId),
    /// The program with this ticket, and those before.
    Queue(u64),
}

#[derive(Default)]
pub struct Reads {
    waiting: Vec<(Awaited, napi_deferred)>,
}

/// read(handle): Promise<Uint8Array>
pub unsafe extern "C" fn read(env: napi_env, info: napi_callback_info) -> napi_value {
    // SAFETY: a callback of Node.
    unsafe {
        enter(env, info, |context, [handle]| {
            let storage = context.device()?.hold(get_i32(env, handle)?)?;
            promise(context, Awaited::Bytes(storage))
        })
    }
}

/// sync(): Promise<void>, when all that is queued now has run; rejects with the first error that nobody has seen
pub unsafe extern "C" fn sync(env: napi_env, info: napi_callback_info) -> napi_value {
    // SAFETY: a callback of Node.
    unsafe {
        enter(env, info, |context, []| {
            let ticket = context.device()?.last_ticket();
            promise(context, Awaited::Queue(ticket))
        })
    }
}

unsafe fn promise(context: &Context, awaited: Awaited) -> Result<napi_value, Error> {
    let (mut deferred, mut promise) = (null_mut(), null_mut());
    // SAFETY: in a call from JavaScript.
    unsafe { check(napi_create_promise(context.env, &mut deferred, &mut promise))? };
    // Before asking: a program that ends in between then still wakes this thread.
    context.device()?.watch(true);
    context.keep_alive(true);
    context.reads.borrow_mut().waiting.push((awaited, deferred));
    settle(context)?;
    Ok(promise)
}

/// Settles every promise whose program has run, and delivers messages.
pub fn settle(context: &Context) -> Result<(), Error> {
    let waiting = std::mem::take(&mut context.reads.borrow_mut().waiting);
    for (awaited, deferred) in waiting {
        // SAFETY: on the thread of the environment.
        unsafe {
            match outcome(context, awaited) {
                Ok(None) => context.reads.borrow_mut().waiting.push((awaited, deferred)),
                Ok(Some(value)) => check(napi_resolve_deferred(context.env, deferred, value))?,
                Err(error) => check(napi_reject_deferred(context.env, deferred, make_error(context.env, &error)?))?,
            }
        }
    }
    if context.reads.borrow().waiting.is_empty() {
        context.device()?.watch(false);
        context.keep_alive(false);
    }
    deliver(context)
}

/// What a promise becomes; `None` when it must wait.
unsafe fn outcome(context: &Context, awaited: Awaited) -> Result<Option<napi_value>, Error> {
    let mut device = context.device()?;
    // SAFETY: on the thread of the environment. Creating an array may run a collection, never JavaScript.
    unsafe {
        match awaited {
            Awaited::Bytes(storage) => {
                if !device.is_ready(storage) {
                    return Ok(None);
                }
                let bytes = device.bytes(storage).and_then(|bytes| make_bytes(context.env, bytes));
                device.let_go(storage);
                bytes.map(Some)
            }
            Awaited::Queue(ticket) => {
                if !device.reached(ticket) {
                    return Ok(None);
                }
                device.late_error()?;
                undefined(context.env).map(Some)
            }
        }
    }
}

/// Rejects everything that waits: the context closes while JavaScript runs on.
pub fn reject_all(context: &Context) -> Result<(), Error> {
    let waiting = std::mem::take(&mut context.reads.borrow_mut().waiting);
    for (_, deferred) in waiting {
        // SAFETY: on the thread of the environment.
        unsafe { check(napi_reject_deferred(context.env, deferred, make_error(context.env, &closed())?))? };
    }
    Ok(())
}

/// Calls the listener with what was printed and lost. Without one it is kept.
#[cold]
pub fn deliver(context: &Context) -> Result<(), Error> {
    let (env, listener) = (context.env, context.listener.get());
    if listener.is_null() {
        return Ok(());
    }
    let (printed, lost) = {
        let mut device: std::cell::RefMut<Device> = context.device()?;
        device.take_messages()
    };
    if printed.is_empty() && lost.is_empty() {
        return Ok(());
    }
    context.callbacks.set(context.callbacks.get() + 1);
    // SAFETY: on the thread of the environment; the device is not borrowed, so the listener may use the context.
    unsafe {
        let mut function = null_mut();
        check(napi_get_reference_value(env, listener, &mut function))?;
        let args = [
            make_array(env, printed.iter().map(|it| make_printed(env, it)))?,
            make_array(env, lost.iter().map(|error| make_error(env, error)))?,
        ];
        let mut result = null_mut();
        check(napi_call_function(env, undefined(env)?, function, args.len(), args.as_ptr(), &mut result))
    }
}

unsafe fn make_printed(env: napi_env, it: &Printed) -> Result<napi_value, Error> {
    // SAFETY: on the thread of the environment.
    unsafe {
        let object = make_object(env)?;
        set(env, object, c"message", make_string(env, &it.message)?)?;
        set(env, object, c"dtype", make_string(env, it.shape.dtype().name())?)?;
        set(env, object, c"shape", make_array(env, it.shape.dims().iter().map(|&dim| make_f64(env, dim as f64)))?)?;
        set(env, object, c"bytes", make_bytes(env, &it.bytes)?)?;
        Ok(object)
    }
}
