//! The CPU backend as a Node addon. README.md lists the functions of a context.

mod cold;
mod context;
mod hot;
mod js;
mod origins;
mod pages;
mod profile;
mod reads;

use context::Context;
use millrace_kernels::isa::Isa;
use millrace_kernels::pool::Pool;
use napi::bindgen_prelude::ToNapiValue;
use napi::{Env, sys};
use napi_derive::napi;

/// A value made by hand.
pub struct Raw(sys::napi_value);

impl ToNapiValue for Raw {
    unsafe fn to_napi_value(_: sys::napi_env, value: Raw) -> napi::Result<sys::napi_value> {
        Ok(value.0)
    }
}

/// A new context: an object whose functions share tensors, programs and a queue, and nothing with other contexts.
/// `memoryLimit` is in bytes.
#[napi(ts_return_type = "object")]
pub fn create_context(env: Env, memory_limit: Option<f64>) -> napi::Result<Raw> {
    let limit = memory_limit.filter(|&limit| limit >= 0.0).map_or(usize::MAX, |limit| limit as usize);
    Context::create(env.raw(), limit).map(Raw).map_err(|error| napi::Error::from_reason(error.to_string()))
}

/// What kernels run with.
#[napi(object)]
pub struct Machine {
    /// "portable", "neon", "avx2" or "avx512".
    pub path: String,
    /// The threads of the pool that all contexts share.
    pub threads: u32,
}

/// What the kernels of this process run with.
#[napi]
pub fn machine() -> Machine {
    Machine { path: Isa::current().name().into(), threads: Pool::global().threads() as u32 }
}

/// Sets how many threads kernels may use at once, in all contexts of the process: from 1 to what the pool takes.
#[napi]
pub fn set_threads(threads: u32) {
    Pool::global().set_threads(threads as usize);
}
