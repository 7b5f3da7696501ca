//! JavaScript values by raw Node-API calls: what the hot functions need, without a layer between.

use millrace_program::{Code, Error};
use napi::sys::*;
use std::ffi::c_void;
use std::ptr::null_mut;

/// Fails where a call of the Node-API does. An exception that JavaScript threw stays pending.
pub fn check(status: napi_status) -> Result<(), Error> {
    if status == Status::napi_ok {
        Ok(())
    } else {
        Err(Error::new(Code::Internal, format!("a Node-API call failed: {status}")))
    }
}

/// Arguments of a call and the data of its function. Missing arguments are undefined.
#[inline(always)]
pub unsafe fn arguments<const N: usize>(env: napi_env, info: napi_callback_info) -> ([napi_value; N], *mut c_void) {
    let (mut args, mut count, mut data) = ([null_mut(); N], N, null_mut());
    // SAFETY: `args` has room for `count` values.
    unsafe { napi_get_cb_info(env, info, &mut count, args.as_mut_ptr(), null_mut(), &mut data) };
    (args, data)
}

#[inline(always)]
pub unsafe fn get_i32(env: napi_env, value: napi_value) -> Result<i32, Error> {
    let mut result = 0;
    // SAFETY: the caller passes live values.
    match unsafe { napi_get_value_int32(env, value, &mut result) } {
        Status::napi_ok => Ok(result),
        _ => Err(not_a("number")),
    }
}

/// A number of bytes.
pub unsafe fn get_size(env: napi_env, value: napi_value) -> Result<usize, Error> {
    let mut number = 0.0;
    // SAFETY: the caller passes live values.
    let status = unsafe { napi_get_value_double(env, value, &mut number) };
    let fits = number >= 0.0 && number.fract() == 0.0 && number <= 9_007_199_254_740_992.0;
    if status == Status::napi_ok && fits { Ok(number as usize) } else { Err(not_a("number of bytes")) }
}

pub unsafe fn get_string(env: napi_env, value: napi_value) -> Result<String, Error> {
    let mut length = 0;
    // SAFETY: the first call asks for the length, which the second has room for, and for the zero at the end.
    unsafe {
        if napi_get_value_string_utf8(env, value, null_mut(), 0, &mut length) != Status::napi_ok {
            return Err(not_a("string"));
        }
        let mut text = vec![0_u8; length + 1];
        check(napi_get_value_string_utf8(env, value, text.as_mut_ptr().cast(), text.len(), &mut length))?;
        text.truncate(length);
        Ok(String::from_utf8_lossy(&text).into_owned())
    }
}

#[cold]
pub fn not_a(what: &str) -> Error {
    Error::argument(format!("an argument is not a {what}"))
}

#[inline(always)]
pub unsafe fn make_i32(env: napi_env, value: i32) -> Result<napi_value, Error> {
    let mut result = null_mut();
    // SAFETY: plain out-parameter.
    check(unsafe { napi_create_int32(env, value, &mut result) })?;
    Ok(result)
}

pub unsafe fn make_f64(env: napi_env, value: f64) -> Result<napi_value, Error> {
    let mut result = null_mut();
    // SAFETY: plain out-parameter.
    check(unsafe { napi_create_double(env, value, &mut result) })?;
    Ok(result)
}

pub unsafe fn make_bool(env: napi_env, value: bool) -> Result<napi_value, Error> {
    let mut result = null_mut();
    // SAFETY: plain out-parameter.
    check(unsafe { napi_get_boolean(env, value, &mut result) })?;
    Ok(result)
}

pub unsafe fn undefined(env: napi_env) -> Result<napi_value, Error> {
    let mut result = null_mut();
    // SAFETY: plain out-parameter.
    check(unsafe { napi_get_undefined(env, &mut result) })?;
    Ok(result)
}

pub unsafe fn make_string(env: napi_env, text: &str) -> Result<napi_value, Error> {
    let mut result = null_mut();
    // SAFETY: `text` lives through the call, which copies it.
    check(unsafe { napi_create_string_utf8(env, text.as_ptr().cast(), text.len() as isize, &mut result) })?;
    Ok(result)
}

pub unsafe fn make_object(env: napi_env) -> Result<napi_value, Error> {
    let mut result = null_mut();
    // SAFETY: plain out-parameter.
    check(unsafe { napi_create_object(env, &mut result) })?;
    Ok(result)
}

pub unsafe fn set(env: napi_env, object: napi_value, name: &std::ffi::CStr, value: napi_value) -> Result<(), Error> {
    // SAFETY: live values, a name that ends with zero.
    check(unsafe { napi_set_named_property(env, object, name.as_ptr(), value) })
}

pub unsafe fn make_array(
    env: napi_env,
    items: impl ExactSizeIterator<Item = Result<napi_value, Error>>,
) -> Result<napi_value, Error> {
    let mut result = null_mut();
    // SAFETY: live values throughout.
    unsafe {
        check(napi_create_array_with_length(env, items.len(), &mut result))?;
        for (i, item) in items.enumerate() {
            check(napi_set_element(env, result, i as u32, item?))?;
        }
    }
    Ok(result)
}

/// An `Error` with a `code`.
pub unsafe fn make_error(env: napi_env, error: &Error) -> Result<napi_value, Error> {
    let mut result = null_mut();
    // SAFETY: live values.
    unsafe {
        let (code, message) = (make_string(env, error.code.name())?, make_string(env, &error.message)?);
        check(napi_create_error(env, code, message, &mut result))?;
        if error.call != 0 {
            set(env, result, c"call", make_f64(env, error.call.into())?)?;
        }
    }
    Ok(result)
}

/// Throws, unless something is thrown already.
#[cold]
pub unsafe fn throw(env: napi_env, error: &Error) {
    let mut pending = false;
    // SAFETY: live values. Where even this fails, the environment is closing and nobody sees the exception.
    unsafe {
        napi_is_exception_pending(env, &mut pending);
        if !pending && let Ok(value) = make_error(env, error) {
            napi_throw(env, value);
        }
    }
}

/// A `Uint8Array` with a copy of `bytes`.
pub unsafe fn make_bytes(env: napi_env, bytes: &[u8]) -> Result<napi_value, Error> {
    let (mut start, mut buffer, mut result) = (null_mut(), null_mut(), null_mut());
    // SAFETY: a new buffer of as many bytes.
    unsafe {
        if napi_create_arraybuffer(env, bytes.len(), &mut start, &mut buffer) != Status::napi_ok || buffer.is_null() {
            return Err(Error::new(Code::Memory, format!("no memory for an array of {} bytes", bytes.len())));
        }
        if !bytes.is_empty() {
            start.cast::<u8>().copy_from_nonoverlapping(bytes.as_ptr(), bytes.len());
        }
        check(napi_create_typedarray(env, TypedarrayType::uint8_array, bytes.len(), buffer, 0, &mut result))?;
    }
    Ok(result)
}

/// The memory of a typed array, as long as no JavaScript runs. `E_ARGUMENT` for anything else.
unsafe fn typed_array(env: napi_env, value: napi_value) -> Result<(i32, usize, *mut c_void), Error> {
    let (mut kind, mut length, mut start, mut buffer, mut offset) = (0, 0, null_mut(), null_mut(), 0);
    // SAFETY: plain out-parameters.
    let status =
        unsafe { napi_get_typedarray_info(env, value, &mut kind, &mut length, &mut start, &mut buffer, &mut offset) };
    if status == Status::napi_ok { Ok((kind, length, start)) } else { Err(not_a("typed array")) }
}

/// The bytes of a typed array, a `Buffer` or a `DataView`.
///
/// # Safety
/// No JavaScript may run while the slice lives.
pub unsafe fn get_bytes<'a>(env: napi_env, value: napi_value) -> Result<&'a [u8], Error> {
    // SAFETY: the caller's promise; lengths are what the engine says.
    unsafe {
        let (start, bytes) = match typed_array(env, value) {
            Ok((kind, length, start)) => (start, length * element_size(kind)),
            Err(error) => {
                let (mut length, mut start, mut buffer, mut offset) = (0, null_mut(), null_mut(), 0);
                match napi_get_dataview_info(env, value, &mut length, &mut start, &mut buffer, &mut offset) {
                    Status::napi_ok => (start, length),
                    _ => return Err(error),
                }
            }
        };
        Ok(if bytes == 0 { &[] } else { std::slice::from_raw_parts(start.cast(), bytes) })
    }
}

fn element_size(kind: napi_typedarray_type) -> usize {
    match kind {
        // 11: Float16Array, which the bindings do not name.
        TypedarrayType::int16_array | TypedarrayType::uint16_array | 11 => 2,
        TypedarrayType::int32_array | TypedarrayType::uint32_array | TypedarrayType::float32_array => 4,
        TypedarrayType::float64_array | TypedarrayType::bigint64_array | TypedarrayType::biguint64_array => 8,
        _ => 1,
    }
}

/// The start and length of an `Int32Array`, as long as no JavaScript runs.
pub unsafe fn get_i32_array(env: napi_env, value: napi_value) -> Result<(*mut i32, usize), Error> {
    // SAFETY: as `typed_array`.
    let (kind, length, start) = unsafe { typed_array(env, value) }?;
    if kind == TypedarrayType::int32_array { Ok((start.cast(), length)) } else { Err(not_a("Int32Array")) }
}

/// The whole numbers of a `Float64Array`.
pub unsafe fn get_integers(env: napi_env, value: napi_value) -> Result<Vec<i64>, Error> {
    // SAFETY: no JavaScript runs while the array is read.
    let numbers: &[f64] = unsafe {
        let (kind, length, start) = typed_array(env, value)?;
        if kind != TypedarrayType::float64_array {
            return Err(not_a("Float64Array"));
        }
        if length == 0 { &[] } else { std::slice::from_raw_parts(start.cast(), length) }
    };
    let whole = |&number: &f64| {
        let fits = number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_992.0;
        if fits { Ok(number as i64) } else { Err(Error::argument(format!("{number} is no size"))) }
    };
    numbers.iter().map(whole).collect()
}
