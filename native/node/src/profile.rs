//! A profile as JavaScript objects.

use crate::context::enter;
use crate::js::*;
use millrace_cpu::{Event, Label};
use millrace_kernels::peaks::peaks;
use millrace_program::Error;
use napi::sys::*;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

/// startProfile(): from now on the time of every kernel is noted
pub unsafe extern "C" fn start_profile(env: napi_env, info: napi_callback_info) -> napi_value {
    // SAFETY: a callback of Node.
    unsafe {
        enter(env, info, |context, []| {
            context.device()?.start_profile();
            undefined(env)
        })
    }
}

/// stopProfile(): { kernels, events }. Waits for the queue. kernels: { ops, ins, outs, flops, bytes }; events: five
/// numbers each, one after the other: kernel, origin of the program, 1 on the queue's thread or 0, start and time in ns
pub unsafe extern "C" fn stop_profile(env: napi_env, info: napi_callback_info) -> napi_value {
    // SAFETY: a callback of Node.
    unsafe {
        enter(env, info, |context, []| {
            let (start, events) = context.device()?.stop_profile();
            let mut numbers = HashMap::new();
            let mut labels: Vec<Arc<Label>> = Vec::new();
            let mut rows = Vec::with_capacity(events.len() * 5);
            for event in &events {
                let number = *numbers.entry(Arc::as_ptr(&event.label)).or_insert_with(|| {
                    labels.push(event.label.clone());
                    labels.len() - 1
                });
                rows.extend(row(number, event, start));
            }
            let object = make_object(env)?;
            set(env, object, c"kernels", make_array(env, labels.iter().map(|label| make_label(env, label)))?)?;
            set(env, object, c"events", make_array(env, rows.into_iter().map(|number| make_f64(env, number)))?)?;
            Ok(object)
        })
    }
}

fn row(number: usize, event: &Event, start: Instant) -> [f64; 5] {
    let since = event.start.saturating_duration_since(start);
    let (queued, ns) = (f64::from(u8::from(event.queued)), event.time.as_nanos() as f64);
    [number as f64, event.program as f64, queued, since.as_nanos() as f64, ns]
}

unsafe fn make_label(env: napi_env, label: &Label) -> Result<napi_value, Error> {
    // SAFETY: in a call from JavaScript.
    unsafe {
        let texts = |texts: &[String]| make_array(env, texts.iter().map(|text| make_string(env, text)));
        let object = make_object(env)?;
        set(env, object, c"ops", make_array(env, label.ops.iter().map(|op| make_string(env, op)))?)?;
        set(env, object, c"ins", texts(&label.ins)?)?;
        set(env, object, c"outs", texts(&label.outs)?)?;
        set(env, object, c"flops", make_f64(env, label.flops)?)?;
        set(env, object, c"bytes", make_f64(env, label.bytes)?)?;
        Ok(object)
    }
}

/// peaks(): { flops, bytes } a second that this machine reaches
pub unsafe extern "C" fn machine_peaks(env: napi_env, info: napi_callback_info) -> napi_value {
    // SAFETY: a callback of Node.
    unsafe {
        enter(env, info, |_, []| {
            let peaks = peaks();
            let object = make_object(env)?;
            set(env, object, c"flops", make_f64(env, peaks.flops)?)?;
            set(env, object, c"bytes", make_f64(env, peaks.bytes)?)?;
            Ok(object)
        })
    }
}
