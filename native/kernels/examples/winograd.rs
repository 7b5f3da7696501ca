//! Speed and error of 3×3 convolutions under `fastMath` beside those without it, float32, "same" padding:
//! `cargo run --release -p millrace-kernels --example winograd`. Filters are packed before, but for the last two
//! columns, which are times with a filter that is new at each call. Times are the best of many calls, by turns.

use millrace_kernels::{Packed, Plan, Pool, library};
use millrace_program::{BoundAttrs, BoundValue, DType, Op, Shape};
use std::time::{Duration, Instant};

/// A cache line: buffers start with one, as the device's do.
#[repr(align(64))]
#[derive(Clone, Copy)]
#[allow(dead_code)] // read by the kernels
struct Line([f32; 16]);

struct Side {
    plan: Box<dyn Plan>,
    packed: Vec<Line>,
    scratch: Vec<Line>,
    out: Vec<Line>,
}

fn lines(count: usize, seed: u64) -> Vec<Line> {
    let mut state = seed;
    let mut float = move || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 40) as f32 / (1u32 << 23) as f32 - 1.0
    };
    (0..count.div_ceil(16)).map(|_| Line(std::array::from_fn(|_| float()))).collect()
}

fn numbers(lines: &[Line]) -> impl Iterator<Item = f64> + '_ {
    lines.iter().flat_map(|line| line.0).map(f64::from)
}

fn plan(batch: usize, side: usize, channels: usize, features: usize, dtype: DType, fast: bool) -> Box<dyn Plan> {
    let pair = |v: i64| BoundValue::List(vec![BoundValue::Int(v); 2]);
    let mut attrs = vec![("groups", BoundValue::Int(1)), ("high", pair(1)), ("lhsDilation", pair(1))];
    attrs.extend([("low", pair(1)), ("rhsDilation", pair(1)), ("strides", pair(1))]);
    if fast {
        attrs.insert(0, ("fastMath", BoundValue::Bool(true)));
    }
    let attrs = BoundAttrs(attrs.into_iter().map(|(name, value)| (name.to_string(), value)).collect());
    let shape = |dims: [usize; 4]| Shape::new(dtype, dims.to_vec()).unwrap();
    let ins = [shape([batch, side, side, channels]), shape([3, 3, channels, features])];
    library(Op::ConvGeneral).unwrap().check(&ins, &[shape([batch, side, side, features])], &attrs).unwrap()
}

fn main() {
    let one = Pool::new(1);
    println!("layer threads: plain ms, fast ms, plain / fast; error / Σ|terms| of each; ms with a new filter");
    for (side, channels) in [(112, 32), (56, 64), (28, 128), (14, 256), (7, 512)] {
        for batch in [1, 8] {
            let (x, w) = (lines(batch * side * side * channels, 1), lines(9 * channels * channels, 2));
            let ins = [x.as_ptr().cast::<u8>(), w.as_ptr().cast::<u8>()];
            let count = batch * side * side * channels;
            let mut sides = [false, true].map(|fast| {
                let plan = plan(batch, side, channels, channels, DType::Float32, fast);
                let packed = lines(plan.packing().unwrap().bytes / 4, 0);
                let scratch = lines(plan.scratch_bytes() / 4, 0);
                // SAFETY: as large as the plan says.
                unsafe { plan.pack(ins[1], packed.as_ptr().cast_mut().cast(), &one) };
                Side { plan, packed, scratch, out: lines(count, 0) }
            });
            for pool in [&one, Pool::global()] {
                let mut best = [[f64::INFINITY; 2]; 2];
                let start = Instant::now();
                while start.elapsed() < Duration::from_millis(300) {
                    for (number, side) in sides.iter_mut().enumerate() {
                        let outs = [side.out.as_mut_ptr().cast::<u8>()];
                        let scratch = side.scratch.as_mut_ptr().cast::<u8>();
                        let packed = side.packed.as_ptr().cast();
                        for again in 0..6 {
                            let t = Instant::now();
                            // SAFETY: buffers as the plan was made for.
                            unsafe {
                                match again < 3 {
                                    true => side.plan.run_packed(Packed {
                                        ins: &ins,
                                        outs: &outs,
                                        packed,
                                        scratch,
                                        pool,
                                        done: None,
                                    }),
                                    false => side.plan.run(&ins, &outs, scratch, pool),
                                }
                            }
                            let best = &mut best[number][again / 3];
                            *best = best.min(t.elapsed().as_secs_f64() * 1e3);
                        }
                    }
                }
                // Against the sums and their sizes in float64.
                let wide = |of: &dyn Fn(f64) -> f64| -> Vec<f64> {
                    let doubles = |lines: &[Line]| numbers(lines).map(of).collect::<Vec<f64>>();
                    let (x, w, mut out) = (doubles(&x), doubles(&w), vec![0f64; count]);
                    let plan = plan(batch, side, channels, channels, DType::Float64, false);
                    let mut scratch = vec![Line([0.0; 16]); plan.scratch_bytes() / 64 + 1];
                    let ins = [x.as_ptr().cast::<u8>(), w.as_ptr().cast::<u8>()];
                    // SAFETY: buffers as the plan was made for.
                    unsafe { plan.run(&ins, &[out.as_mut_ptr().cast()], scratch.as_mut_ptr().cast(), &one) };
                    out
                };
                let (want, size) = (wide(&|v| v), wide(&f64::abs));
                let error = sides.each_ref().map(|side| {
                    let far = numbers(&side.out)
                        .zip(want.iter().zip(&size))
                        .map(|(got, (want, size))| (got - want).abs() / size);
                    far.fold(0.0, f64::max)
                });
                let [[plain, plain_new], [fast, fast_new]] = best;
                println!(
                    "{batch}·{side}²×{channels}→{channels} {}: {plain:.3} {fast:.3} {:.2}; {:.1e} {:.1e}; {plain_new:.3} {fast_new:.3}",
                    pool.threads(),
                    plain / fast,
                    error[0],
                    error[1]
                );
                if Pool::global().threads() == 1 {
                    break;
                }
            }
        }
    }
}
