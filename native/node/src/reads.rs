//! What JavaScript awaits: reads and `sync`. And what it hears unasked: printed values and lost errors.

use crate::context::{Context, closed, enter};
use crate::js::*;
use millrace_cpu::{Awaited, Device, Printed};
use millrace_program::{Code, Error};
use napi::sys::*;
use std::ptr::null_mut;

struct Waiting {
    awaited: Awaited,
    deferred: napi_deferred,
    /// What `abandon` is told; 0 where nobody will.
    id: i32,
}

#[derive(Default)]
pub struct Reads {
    waiting: Vec<Waiting>,
}

/// read(handle, id): Promise<Uint8Array>. `id`: a number to abandon it by, or undefined.
pub unsafe extern "C" fn read(env: napi_env, info: napi_callback_info) -> napi_value {
    // SAFETY: a callback of Node.
    unsafe {
        enter(env, info, |context, [handle, id]| {
            let id = get_id(env, id)?;
            let storage = context.device()?.hold(get_i32(env, handle)?)?;
            promise(context, Awaited::Bytes(storage), id)
        })
    }
}

/// sync(id): Promise<void>, when all that is queued now has run; rejects with the first error that nobody has seen
pub unsafe extern "C" fn sync(env: napi_env, info: napi_callback_info) -> napi_value {
    // SAFETY: a callback of Node.
    unsafe {
        enter(env, info, |context, [id]| {
            let id = get_id(env, id)?;
            let ticket = context.device()?.last_ticket();
            promise(context, Awaited::Queue(ticket), id)
        })
    }
}

/// abandon(id, reason: string): whether the read or sync with this number was still waited for. It rejects with
/// E_ABORTED. The program that makes what it read is asked to stop, unless another read or sync needs it.
pub unsafe extern "C" fn abandon(env: napi_env, info: napi_callback_info) -> napi_value {
    // SAFETY: a callback of Node.
    unsafe {
        enter(env, info, |context, [id, reason]| {
            let (id, reason) = (get_id(env, id)?, get_string(env, reason)?);
            let mut reads = context.reads.borrow_mut();
            let Some(at) = reads.waiting.iter().position(|it| id != 0 && it.id == id) else {
                return make_bool(env, false);
            };
            let Waiting { awaited, deferred, .. } = reads.waiting.swap_remove(at);
            let others: Vec<Awaited> = reads.waiting.iter().map(|it| it.awaited).collect();
            drop(reads);
            let mut device = context.device()?;
            device.abandon(awaited, &reason, &others);
            if let Awaited::Bytes(storage) = awaited {
                device.let_go(storage);
            }
            drop(device);
            let error = Error::new(Code::Aborted, reason);
            check(napi_reject_deferred(env, deferred, make_error(env, &error)?))?;
            rest(context)?;
            make_bool(env, true)
        })
    }
}

unsafe fn get_id(env: napi_env, value: napi_value) -> Result<i32, Error> {
    // SAFETY: live values.
    unsafe {
        let mut kind = 0;
        check(napi_typeof(env, value, &mut kind))?;
        if kind == ValueType::napi_undefined { Ok(0) } else { get_i32(env, value) }
    }
}

unsafe fn promise(context: &Context, awaited: Awaited, id: i32) -> Result<napi_value, Error> {
    let (mut deferred, mut promise) = (null_mut(), null_mut());
    // SAFETY: in a call from JavaScript.
    unsafe { check(napi_create_promise(context.env, &mut deferred, &mut promise))? };
    // Before asking: a program that ends in between then still wakes this thread.
    context.device()?.watch(true);
    context.keep_alive(true);
    context.reads.borrow_mut().waiting.push(Waiting { awaited, deferred, id });
    settle(context)?;
    Ok(promise)
}

/// Settles every promise whose program has run, and delivers messages.
pub fn settle(context: &Context) -> Result<(), Error> {
    let waiting = std::mem::take(&mut context.reads.borrow_mut().waiting);
    for it in waiting {
        let deferred = it.deferred;
        // SAFETY: on the thread of the environment.
        unsafe {
            match outcome(context, it.awaited) {
                Ok(None) => context.reads.borrow_mut().waiting.push(it),
                Ok(Some(value)) => check(napi_resolve_deferred(context.env, deferred, value))?,
                Err(error) => check(napi_reject_deferred(context.env, deferred, make_error(context.env, &error)?))?,
            }
        }
    }
    rest(context)?;
    deliver(context)
}

/// Where nobody waits any more, the process need not live for that.
fn rest(context: &Context) -> Result<(), Error> {
    if context.reads.borrow().waiting.is_empty() {
        context.device()?.watch(false);
        context.keep_alive(false);
    }
    Ok(())
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
    for Waiting { deferred, .. } in waiting {
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
