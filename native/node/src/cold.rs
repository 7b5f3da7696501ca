//! The functions that are called once a program, once an upload, once in a while.

use crate::context::enter;
use crate::js::*;
use crate::reads;
use millrace_program::{Error, Op, Shape};
use napi::sys::*;
use std::ptr::null_mut;

/// claims(op: string, narrow: boolean): whether the op runs as one record, if `narrow` on 16-bit floats
pub unsafe extern "C" fn claims(env: napi_env, info: napi_callback_info) -> napi_value {
    // SAFETY: a callback of Node.
    unsafe {
        enter(env, info, |_, [name, narrow]| {
            let (mut text, mut length) = ([0_u8; 64], 0);
            let status = napi_get_value_string_utf8(env, name, text.as_mut_ptr().cast(), text.len(), &mut length);
            if status != Status::napi_ok {
                return Err(not_a("string"));
            }
            let op = std::str::from_utf8(&text[..length]).ok().and_then(Op::from_name);
            let mut on_narrow = false;
            napi_get_value_bool(env, narrow, &mut on_narrow);
            make_bool(env, op.is_some_and(|op| millrace_cpu::claims(op, on_narrow)))
        })
    }
}

/// compile(program: Uint8Array): executable
pub unsafe extern "C" fn compile(env: napi_env, info: napi_callback_info) -> napi_value {
    // SAFETY: a callback of Node; decoding runs no JavaScript.
    unsafe {
        enter(env, info, |context, [program]| {
            let executable = context.device()?.compile(get_bytes(env, program)?)?;
            make_i32(env, executable)
        })
    }
}

/// bind(executable, sizes: Float64Array): bound
pub unsafe extern "C" fn bind(env: napi_env, info: napi_callback_info) -> napi_value {
    // SAFETY: a callback of Node.
    unsafe {
        enter(env, info, |context, [executable, sizes]| {
            let bound = context.device()?.bind(get_i32(env, executable)?, &get_integers(env, sizes)?)?;
            make_i32(env, bound)
        })
    }
}

/// isLong(bound): whether the program is queued even where nothing else is
pub unsafe extern "C" fn is_long(env: napi_env, info: napi_callback_info) -> napi_value {
    // SAFETY: a callback of Node.
    unsafe {
        enter(env, info, |context, [bound]| {
            let long = context.device()?.is_long(get_i32(env, bound)?)?;
            make_bool(env, long)
        })
    }
}

/// nameCall(call): names the last `run`, which said that it is due
pub unsafe extern "C" fn name_call(env: napi_env, info: napi_callback_info) -> napi_value {
    // SAFETY: a callback of Node.
    unsafe {
        enter(env, info, |context, [call]| {
            let call = u32::try_from(get_i32(env, call)?).map_err(|_| not_a("call"))?;
            context.device()?.name_call(call);
            undefined(env)
        })
    }
}

/// signature(bound): { params, results, arena, live }: lists of { dtype, shape }, and bytes
pub unsafe extern "C" fn signature(env: napi_env, info: napi_callback_info) -> napi_value {
    // SAFETY: a callback of Node.
    unsafe {
        enter(env, info, |context, [bound]| {
            let device = context.device()?;
            let bound = get_i32(env, bound)?;
            let (params, results) = device.signature(bound)?;
            let (arena, live) = device.arena_of(bound)?;
            let object = make_object(env)?;
            set(env, object, c"params", make_array(env, params.iter().map(|shape| make_aval(env, shape)))?)?;
            set(env, object, c"results", make_array(env, results.iter().map(|shape| make_aval(env, shape)))?)?;
            set(env, object, c"arena", make_f64(env, arena as f64)?)?;
            set(env, object, c"live", make_f64(env, live as f64)?)?;
            Ok(object)
        })
    }
}

unsafe fn make_aval(env: napi_env, shape: &Shape) -> Result<napi_value, Error> {
    // SAFETY: in a call from JavaScript.
    unsafe {
        let object = make_object(env)?;
        set(env, object, c"dtype", make_string(env, shape.dtype().name())?)?;
        set(env, object, c"shape", make_array(env, shape.dims().iter().map(|&dim| make_f64(env, dim as f64)))?)?;
        Ok(object)
    }
}

/// releaseExecutable(executable): its bounds stay
pub unsafe extern "C" fn release_executable(env: napi_env, info: napi_callback_info) -> napi_value {
    // SAFETY: a callback of Node.
    unsafe {
        enter(env, info, |context, [executable]| {
            context.device()?.release_executable(get_i32(env, executable)?)?;
            undefined(env)
        })
    }
}

/// releaseBound(bound)
pub unsafe extern "C" fn release_bound(env: napi_env, info: napi_callback_info) -> napi_value {
    // SAFETY: a callback of Node.
    unsafe {
        enter(env, info, |context, [bound]| {
            context.device()?.release_bound(get_i32(env, bound)?)?;
            undefined(env)
        })
    }
}

/// upload(bytes: any typed array or DataView): handle
pub unsafe extern "C" fn upload(env: napi_env, info: napi_callback_info) -> napi_value {
    // SAFETY: a callback of Node; copying runs no JavaScript.
    unsafe {
        enter(env, info, |context, [bytes]| {
            let handle = context.device()?.upload(get_bytes(env, bytes)?)?;
            make_i32(env, handle)
        })
    }
}

/// map(path: string, offset, bytes, element): handle. `element`: the bytes of one element.
pub unsafe extern "C" fn map(env: napi_env, info: napi_callback_info) -> napi_value {
    // SAFETY: a callback of Node.
    unsafe {
        enter(env, info, |context, [path, offset, bytes, element]| {
            let path = get_string(env, path)?;
            let (offset, bytes, element) = (get_size(env, offset)?, get_size(env, bytes)?, get_size(env, element)?);
            let handle = context.device()?.map(path.as_ref(), offset, bytes, element)?;
            make_i32(env, handle)
        })
    }
}

/// readSync(handle): Uint8Array. Waits for the program that makes it.
pub unsafe extern "C" fn read_sync(env: napi_env, info: napi_callback_info) -> napi_value {
    // SAFETY: a callback of Node; creating an array runs no JavaScript.
    unsafe { enter(env, info, |context, [handle]| make_bytes(env, context.device()?.read(get_i32(env, handle)?)?)) }
}

/// syncSync(): waits here for the queue; throws the first error that nobody has seen
pub unsafe extern "C" fn sync_sync(env: napi_env, info: napi_callback_info) -> napi_value {
    // SAFETY: a callback of Node.
    unsafe {
        enter(env, info, |context, []| {
            let synced = context.device()?.sync();
            reads::deliver(context)?;
            synced.and_then(|()| undefined(env))
        })
    }
}

/// cancel(handle, reason: string): whether a queued program makes it, which is then asked to stop
pub unsafe extern "C" fn cancel(env: napi_env, info: napi_callback_info) -> napi_value {
    // SAFETY: a callback of Node.
    unsafe {
        enter(env, info, |context, [handle, reason]| {
            let found = context.device()?.cancel(get_i32(env, handle)?, &get_string(env, reason)?)?;
            make_bool(env, found)
        })
    }
}

/// stats(): numbers by name, see README.md
pub unsafe extern "C" fn stats(env: napi_env, info: napi_callback_info) -> napi_value {
    // SAFETY: a callback of Node.
    unsafe {
        enter(env, info, |context, []| {
            let stats = context.device()?.stats();
            let memory = stats.memory;
            let fields = [
                (c"liveBytes", memory.live as f64),
                (c"peakBytes", memory.peak as f64),
                (c"mappedBytes", memory.mapped as f64),
                (c"liveBuffers", memory.storages as f64),
                (c"liveHandles", stats.tensors as f64),
                (c"cachedBytes", memory.cached as f64),
                (c"reservedBytes", memory.reserved as f64),
                (c"arenaBytes", stats.arena as f64),
                (c"packedBytes", stats.packed as f64),
                (c"allocations", memory.allocations as f64),
                (c"allocatedBytes", memory.allocated as f64),
                (c"executables", stats.executables as f64),
                (c"bounds", stats.bounds as f64),
                (c"queued", stats.queued as f64),
                (c"kernels", stats.kernels as f64),
                (c"runs", context.runs.get() as f64),
                (c"calls", context.calls.get() as f64),
                (c"javaScriptCalls", context.callbacks.get() as f64),
            ];
            let object = make_object(env)?;
            for (name, value) in fields {
                set(env, object, name, make_f64(env, value)?)?;
            }
            Ok(object)
        })
    }
}

/// liveBytes(): one number of `stats`, cheaply
pub unsafe extern "C" fn live_bytes(env: napi_env, info: napi_callback_info) -> napi_value {
    // SAFETY: a callback of Node.
    unsafe { enter(env, info, |context, []| make_f64(env, context.device()?.memory_stats().live as f64)) }
}

/// adjust(): tells the garbage collector how many bytes live outside its heap; returns them
pub unsafe extern "C" fn adjust(env: napi_env, info: napi_callback_info) -> napi_value {
    // SAFETY: a callback of Node.
    unsafe {
        enter(env, info, |context, []| {
            let live = context.device()?.memory_stats().live as i64;
            let mut total = 0;
            check(napi_adjust_external_memory(env, live - context.reported.replace(live), &mut total))?;
            make_f64(env, live as f64)
        })
    }
}

/// trim(): gives cached memory back to the system
pub unsafe extern "C" fn trim(env: napi_env, info: napi_callback_info) -> napi_value {
    // SAFETY: a callback of Node.
    unsafe {
        enter(env, info, |context, []| {
            context.device()?.trim();
            undefined(env)
        })
    }
}

/// onMessage(listener: (printed, lost) => void | null)
pub unsafe extern "C" fn on_message(env: napi_env, info: napi_callback_info) -> napi_value {
    // SAFETY: a callback of Node.
    unsafe {
        enter(env, info, |context, [listener]| {
            let (mut kind, mut reference) = (0, null_mut());
            check(napi_typeof(env, listener, &mut kind))?;
            if kind == ValueType::napi_function {
                check(napi_create_reference(env, listener, 1, &mut reference))?;
            } else if kind != ValueType::napi_null {
                return Err(not_a("function or null"));
            }
            let old = context.listener.replace(reference);
            if !old.is_null() {
                check(napi_delete_reference(env, old))?;
            }
            reads::deliver(context)?;
            undefined(env)
        })
    }
}

/// close(): cancels what runs and frees everything; later calls throw E_DISPOSED
pub unsafe extern "C" fn close(env: napi_env, info: napi_callback_info) -> napi_value {
    // SAFETY: a callback of Node.
    unsafe {
        enter(env, info, |context, []| {
            reads::reject_all(context)?;
            context.close();
            undefined(env)
        })
    }
}
