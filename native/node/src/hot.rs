//! The functions that eager code calls for every op.

use crate::context::{Context, Lists, enter};
use crate::js::*;
use crate::reads;
use millrace_cpu::DONATE;
use millrace_program::Error;
use napi::sys::*;

#[inline(always)]
unsafe fn run_small<const N: usize>(
    context: &Context,
    bound: napi_value,
    args: [napi_value; N],
) -> Result<napi_value, Error> {
    let env = context.env;
    let mut handles = [0; N];
    // SAFETY: live values.
    unsafe {
        let bound = get_i32(env, bound)?;
        for (handle, value) in handles.iter_mut().zip(args) {
            *handle = get_i32(env, value)?;
        }
        let mut device = context.device()?;
        context.runs.set(context.runs.get() + 1);
        let result = device.run_small(bound, handles)?;
        let messages = device.has_messages();
        drop(device);
        if messages {
            reads::deliver(context)?;
        }
        make_i32(env, result)
    }
}

/// run1(bound, a): handle
pub unsafe extern "C" fn run1(env: napi_env, info: napi_callback_info) -> napi_value {
    // SAFETY: a callback of Node.
    unsafe { enter(env, info, |context, [bound, a]| run_small(context, bound, [a])) }
}

/// run2(bound, a, b): handle
pub unsafe extern "C" fn run2(env: napi_env, info: napi_callback_info) -> napi_value {
    // SAFETY: a callback of Node.
    unsafe { enter(env, info, |context, [bound, a, b]| run_small(context, bound, [a, b])) }
}

/// run3(bound, a, b, c): handle
pub unsafe extern "C" fn run3(env: napi_env, info: napi_callback_info) -> napi_value {
    // SAFETY: a callback of Node.
    unsafe { enter(env, info, |context, [bound, a, b, c]| run_small(context, bound, [a, b, c])) }
}

/// Added to what `run` returns: the program was queued and may fail, so `nameCall` is due.
const QUEUED: i32 = 1 << 30;

/// run(bound, args: Int32Array, count, donated: Int32Array, donations, results: Int32Array): number of results. `donated`
/// has pairs: an argument, and the result that takes its place or -1.
/// Where `results` is too short nothing runs, and the number is negative.
pub unsafe extern "C" fn run(env: napi_env, info: napi_callback_info) -> napi_value {
    // SAFETY: a callback of Node; no JavaScript runs while the arrays are read.
    unsafe {
        enter(env, info, |context, [bound, args, count, donated, donations, results]| {
            let bound = get_i32(env, bound)?;
            let mut lists = context.lists.borrow_mut();
            let Lists { handles, renewed, made } = &mut *lists;
            handles.clear();
            renewed.clear();
            made.clear();
            handles.extend_from_slice(get_handles(env, args, count, 1)?);
            for pair in get_handles(env, donated, donations, 2)?.chunks_exact(2) {
                let param = usize::try_from(pair[0]).ok().filter(|&param| param < handles.len());
                let Some(param) = param else {
                    return Err(Error::argument(format!("donated argument {} does not exist", pair[0])));
                };
                handles[param] |= DONATE;
                renewed.extend(usize::try_from(pair[1]).ok().map(|result| (param, result)));
            }
            let mut device = context.device()?;
            let wanted = device.signature(bound)?.1.len();
            let (room, length) = get_i32_array(env, results)?;
            if length < wanted {
                return make_i32(env, -(wanted as i32));
            }
            context.runs.set(context.runs.get() + 1);
            device.run_renewing(bound, handles, renewed, made)?;
            room.copy_from_nonoverlapping(made.as_ptr(), made.len());
            let queued = if device.wants_name() { QUEUED } else { 0 };
            let messages = device.has_messages();
            drop((device, lists));
            if messages {
                reads::deliver(context)?;
            }
            make_i32(env, wanted as i32 | queued)
        })
    }
}

/// The first `count` items of an `Int32Array`, of `width` elements each.
///
/// # Safety
/// No JavaScript may run while the slice lives.
unsafe fn get_handles<'a>(
    env: napi_env,
    values: napi_value,
    count: napi_value,
    width: usize,
) -> Result<&'a [i32], Error> {
    // SAFETY: no JavaScript runs while the array is read.
    unsafe {
        let count = usize::try_from(get_i32(env, count)?).map_err(|_| not_a("count"))?.saturating_mul(width);
        if count == 0 {
            return Ok(&[]);
        }
        let (start, length) = get_i32_array(env, values)?;
        if length < count {
            return Err(Error::argument(format!("{count} handles in an array of {length}")));
        }
        Ok(std::slice::from_raw_parts(start, count))
    }
}

/// free(handle). Nothing happens where it is gone already.
pub unsafe extern "C" fn free(env: napi_env, info: napi_callback_info) -> napi_value {
    // SAFETY: a callback of Node.
    unsafe {
        enter(env, info, |context, [handle]| {
            // The only error is that there is nothing to free.
            let _ = context.device()?.free(get_i32(env, handle)?);
            undefined(env)
        })
    }
}

/// freeMany(handles: Int32Array, count): those that are live
pub unsafe extern "C" fn free_many(env: napi_env, info: napi_callback_info) -> napi_value {
    // SAFETY: a callback of Node.
    unsafe {
        enter(env, info, |context, [handles, count]| {
            let mut device = context.device()?;
            for &handle in get_handles(env, handles, count, 1)? {
                let _ = device.free(handle);
            }
            undefined(env)
        })
    }
}

/// page(token: object, handles: Int32Array, count): the tensors are freed by a `poll` after `token` has been collected
pub unsafe extern "C" fn page(env: napi_env, info: napi_callback_info) -> napi_value {
    // SAFETY: a callback of Node.
    unsafe {
        enter(env, info, |context, [token, handles, count]| {
            let handles = get_handles(env, handles, count, 1)?;
            let device = context.device()?;
            context.pages.borrow_mut().add(env, token, handles.iter().filter_map(|&handle| device.ticket(handle)))?;
            undefined(env)
        })
    }
}

/// poll(full: boolean): how many tensors of collected pages were freed. Without `full` only young pages are asked.
pub unsafe extern "C" fn poll(env: napi_env, info: napi_callback_info) -> napi_value {
    // SAFETY: a callback of Node.
    unsafe {
        enter(env, info, |context, [full]| {
            let mut asked = false;
            napi_get_value_bool(env, full, &mut asked);
            let mut device = context.device()?;
            let freed = context.pages.borrow_mut().poll(env, asked, &mut device)?;
            make_i32(env, freed as i32)
        })
    }
}
