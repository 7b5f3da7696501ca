//! Speed of convolutions and pooling by layer, float32: a small CNN's training step and MobileNetV2's inference.
//! `cargo run --release -p millrace-kernels --example convolutions [filter]` prints one JSON line a layer and thread
//! count; `seconds` is the best of many calls. A peer's script can take the layers from the lines.

use millrace_kernels::{Pool, library};
use millrace_program::{BoundAttrs, BoundValue, DType, Op, Shape};
use std::time::Instant;

/// A square convolution, or a pooling window, with as much padding before and behind.
#[derive(Clone, Copy)]
struct Layer {
    batch: usize,
    side: usize,
    channels: usize,
    features: usize,
    window: usize,
    stride: usize,
    low: usize,
    high: usize,
    groups: usize,
}

impl Layer {
    fn out(&self) -> usize {
        (self.side + self.low + self.high - self.window) / self.stride + 1
    }

    fn x(&self) -> Vec<usize> {
        vec![self.batch, self.side, self.side, self.channels]
    }

    fn y(&self) -> Vec<usize> {
        vec![self.batch, self.out(), self.out(), self.features]
    }

    fn w(&self) -> Vec<usize> {
        vec![self.window, self.window, self.channels / self.groups, self.features]
    }
}

/// `same` padding as TensorFlow has it.
fn same(batch: usize, side: usize, channels: usize, features: usize, window: usize, stride: usize) -> Layer {
    let out = side.div_ceil(stride);
    let all = ((out - 1) * stride + window).saturating_sub(side);
    Layer { batch, side, channels, features, window, stride, low: all / 2, high: all - all / 2, groups: 1 }
}

fn depthwise(side: usize, channels: usize, stride: usize) -> Layer {
    Layer { groups: channels, ..same(1, side, channels, channels, 3, stride) }
}

fn valid(batch: usize, side: usize, channels: usize, features: usize, window: usize) -> Layer {
    Layer { low: 0, high: 0, ..same(batch, side, channels, features, window, 1) }
}

/// The case, the layer, and whether it is trained.
fn layers() -> Vec<(&'static str, Layer, bool)> {
    let mut all = vec![("e", valid(64, 28, 1, 32, 3), true), ("e", valid(64, 26, 32, 64, 3), true)];
    all.push(("e1", valid(2, 26, 32, 64, 3), true));
    all.push(("resnet", same(8, 28, 128, 128, 3, 1), true));
    all.push(("resnet", same(1, 14, 256, 256, 3, 1), true));
    all.push(("resnet", same(8, 28, 128, 256, 3, 2), true));
    all.push(("resnet", same(8, 28, 256, 128, 1, 1), true));
    all.push(("resnet", same(8, 224, 3, 64, 7, 2), true));
    all.push(("depthwise", Layer { batch: 16, ..depthwise(28, 192, 1) }, true));
    all.push(("depthwise", Layer { batch: 16, ..depthwise(28, 192, 2) }, true));
    all.push(("g", same(1, 224, 3, 32, 3, 2), false));
    for (side, channels, stride) in [
        (112, 32, 1),
        (112, 96, 2),
        (56, 144, 1),
        (56, 144, 2),
        (28, 192, 1),
        (28, 192, 2),
        (14, 384, 1),
        (14, 576, 1),
        (14, 576, 2),
        (7, 960, 1),
    ] {
        all.push(("g", depthwise(side, channels, stride), false));
    }
    for (side, channels, features) in [
        (112, 32, 16),
        (112, 16, 96),
        (56, 96, 24),
        (56, 24, 144),
        (56, 144, 24),
        (28, 144, 32),
        (28, 32, 192),
        (28, 192, 32),
        (14, 192, 64),
        (14, 64, 384),
        (14, 384, 64),
        (14, 384, 96),
        (14, 96, 576),
        (14, 576, 96),
        (7, 576, 160),
        (7, 160, 960),
        (7, 960, 160),
        (7, 960, 320),
        (7, 320, 1280),
    ] {
        all.push(("g", same(1, side, channels, features, 1, 1), false));
    }
    all
}

fn ints(values: &[usize]) -> BoundValue {
    BoundValue::List(values.iter().map(|&v| BoundValue::Int(v as i64)).collect())
}

/// A cache line: buffers start with one, as the device's do.
#[repr(align(64))]
#[allow(dead_code)] // read by the kernels
struct Line([f32; 16]);

/// Lines that hold so many numbers.
fn lines(count: usize) -> Vec<Line> {
    let float = |i: usize| ((i * 7919 % 1000) as f32 - 500.0) / 500.0;
    (0..count.div_ceil(16)).map(|line| Line(std::array::from_fn(|i| float(16 * line + i)))).collect()
}

/// Times one op on the pools of one thread and of all.
#[allow(clippy::too_many_arguments)]
fn run(filter: &str, case: &str, op: Op, name: &str, layer: &Layer, ins: [&[usize]; 2], out: &[usize], flops: f64) {
    let text = format!(
        "\"case\":\"{case}\",\"op\":\"{name}\",\"batch\":{},\"side\":{},\"channels\":{},\"features\":{},\"window\":{},\
         \"stride\":{},\"low\":{},\"high\":{},\"groups\":{}",
        layer.batch,
        layer.side,
        layer.channels,
        layer.features,
        layer.window,
        layer.stride,
        layer.low,
        layer.high,
        layer.groups
    );
    if !text.contains(filter) {
        return;
    }
    let pooling = matches!(op, Op::ReduceWindowMax | Op::ReduceWindowSum | Op::SelectAndScatterAdd);
    let spread = |value: usize| if pooling { ints(&[1, value, value, 1]) } else { ints(&[value, value]) };
    let pad = |value: usize| if pooling { ints(&[0, value, value, 0]) } else { ints(&[value, value]) };
    let mut attrs = vec![("high", pad(layer.high)), ("low", pad(layer.low)), ("strides", spread(layer.stride))];
    match op {
        Op::ConvGeneral => attrs.push(("lhsDilation", ints(&[1, 1]))),
        Op::ConvInputGrad => attrs.push(("inputShape", ints(out))),
        Op::ConvFilterGrad => attrs.push(("filterShape", ints(out))),
        _ => attrs.push(("window", spread(layer.window))),
    }
    if !pooling {
        attrs.push(("groups", BoundValue::Int(layer.groups as i64)));
        attrs.push(("rhsDilation", ints(&[1, 1])));
    }
    attrs.sort_by_key(|entry| entry.0);
    let attrs = BoundAttrs(attrs.into_iter().map(|(name, value)| (name.to_string(), value)).collect());
    let shape = |dims: &[usize]| Shape::new(DType::Float32, dims.to_vec()).unwrap();
    let ins: Vec<Shape> = ins.into_iter().filter(|dims| !dims.is_empty()).map(shape).collect();
    let plan = library(op).unwrap().check(&ins, &[shape(out)], &attrs).unwrap();
    let inputs: Vec<Vec<Line>> = ins.iter().map(|shape| lines(shape.numel())).collect();
    let (mut output, mut scratch) = (lines(shape(out).numel()), lines(plan.scratch_bytes() / 4));
    let ins: Vec<*const u8> = inputs.iter().map(|v| v.as_ptr().cast()).collect();
    let (outs, scratch) = ([output.as_mut_ptr().cast::<u8>()], scratch.as_mut_ptr().cast::<u8>());
    let one = Pool::new(1);
    for pool in [&one, Pool::global()] {
        // SAFETY: buffers as the plan was made for.
        let seconds = best(pool.threads(), || unsafe { plan.run(&ins, &outs, scratch, pool) });
        let (threads, rate) = (pool.threads(), flops / seconds / 1e9);
        println!("{{{text},\"threads\":{threads},\"seconds\":{seconds:.3e},\"gflops\":{rate:.1}}}");
        if pool.threads() == 1 && Pool::global().threads() == 1 {
            break;
        }
    }
}

/// The best time of one call, in seconds: of the calling thread where it works alone, so that others on the machine
/// count less.
fn best(threads: usize, mut call: impl FnMut()) -> f64 {
    let start = Instant::now();
    let now = || if threads == 1 { thread_seconds() } else { start.elapsed().as_secs_f64() };
    (0..3).for_each(|_| call());
    let (mut best, mut calls) = (f64::INFINITY, 0);
    while calls < 10 || start.elapsed().as_secs_f64() < 0.15 {
        let t = now();
        call();
        best = best.min(now() - t);
        calls += 1;
    }
    best
}

#[cfg(target_os = "linux")]
fn thread_seconds() -> f64 {
    unsafe extern "C" {
        fn clock_gettime(clock: i32, time: *mut [i64; 2]) -> i32;
    }
    const CLOCK_THREAD_CPUTIME_ID: i32 = 3;
    let mut time = [0; 2];
    // SAFETY: a struct timespec.
    unsafe { clock_gettime(CLOCK_THREAD_CPUTIME_ID, &mut time) };
    time[0] as f64 + time[1] as f64 * 1e-9
}

#[cfg(not(target_os = "linux"))]
fn thread_seconds() -> f64 {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_secs_f64()
}

fn main() {
    let filter = std::env::args().nth(1).unwrap_or_default();
    for (case, layer, trained) in layers() {
        let (x, w, y) = (layer.x(), layer.w(), layer.y());
        let flops = 2.0 * (w.iter().product::<usize>() * layer.batch * layer.out() * layer.out()) as f64;
        run(&filter, case, Op::ConvGeneral, "forward", &layer, [&x, &w], &y, flops);
        if trained {
            run(&filter, case, Op::ConvInputGrad, "input gradient", &layer, [&y, &w], &x, flops);
            run(&filter, case, Op::ConvFilterGrad, "filter gradient", &layer, [&x, &y], &w, flops);
        }
    }
    // The pool of the CNN, one whose windows meet, and those of a mean.
    let pool = |side, channels, window, stride| Layer {
        low: 0,
        high: 0,
        ..same(64, side, channels, channels, window, stride)
    };
    for (case, layer) in [("e", pool(24, 64, 2, 2)), ("resnet", pool(27, 64, 3, 2))] {
        let (x, y) = (layer.x(), layer.y());
        let elements = x.iter().product::<usize>() as f64;
        run(&filter, case, Op::ReduceWindowMax, "max pool", &layer, [&x, &[]], &y, elements);
        run(&filter, case, Op::SelectAndScatterAdd, "max pool gradient", &layer, [&x, &y], &x, elements);
        run(&filter, case, Op::ReduceWindowSum, "sum pool", &layer, [&x, &[]], &y, elements);
    }
}
