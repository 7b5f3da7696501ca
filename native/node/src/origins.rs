//! Where live memory came from; see native/cpu/src/origins.rs. Numbers up to 2^53 cross as such.

use crate::context::enter;
use crate::js::*;
use millrace_cpu::Origin;
use millrace_program::Error;
use napi::sys::*;

/// setBoundOrigin(bound, first): the results of the program are of `first`, `first + 1` …
pub unsafe extern "C" fn set_bound_origin(env: napi_env, info: napi_callback_info) -> napi_value {
    // SAFETY: a callback of Node.
    unsafe {
        enter(env, info, |context, [bound, first]| {
            context.device()?.set_bound_origin(get_i32(env, bound)?, get_origin(env, first)?)?;
            undefined(env)
        })
    }
}

/// setOrigin(handle, origin, from?): the tensor's memory is of `origin`; with `from`, only where it was of that
pub unsafe extern "C" fn set_origin(env: napi_env, info: napi_callback_info) -> napi_value {
    // SAFETY: a callback of Node.
    unsafe {
        enter(env, info, |context, [handle, origin, from]| {
            let (handle, origin) = (get_i32(env, handle)?, get_origin(env, origin)?);
            let from = if is_undefined(env, from)? { None } else { Some(get_origin(env, from)?) };
            context.device()?.set_origin(handle, origin, from)?;
            undefined(env)
        })
    }
}

/// liveByOrigin(): origin, buffers and bytes of each origin that has any, one after the other
pub unsafe extern "C" fn live_by_origin(env: napi_env, info: napi_callback_info) -> napi_value {
    // SAFETY: a callback of Node.
    unsafe {
        enter(env, info, |context, []| {
            let live = context.device()?.live_by_origin();
            let rows: Vec<[f64; 3]> =
                live.iter().map(|(&origin, it)| [origin as f64, it.storages as f64, it.bytes as f64]).collect();
            make_array(env, rows.as_flattened().iter().map(|&number| make_f64(env, number)))
        })
    }
}

unsafe fn is_undefined(env: napi_env, value: napi_value) -> Result<bool, Error> {
    let mut kind = 0;
    // SAFETY: a live value.
    check(unsafe { napi_typeof(env, value, &mut kind) })?;
    Ok(kind == ValueType::napi_undefined)
}

unsafe fn get_origin(env: napi_env, value: napi_value) -> Result<Origin, Error> {
    let mut number = 0.0;
    // SAFETY: a live value.
    let status = unsafe { napi_get_value_double(env, value, &mut number) };
    let fits = status == Status::napi_ok && (0.0..=9_007_199_254_740_992.0).contains(&number) && number.fract() == 0.0;
    if fits { Ok(number as Origin) } else { Err(not_a("whole number from 0 to 2^53")) }
}
