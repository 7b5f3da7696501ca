//! Speed of loop kernels: `cargo run --release -p millrace-kernels --example loops [filter]`. Each line: the best time
//! on one thread, and on all of the machine's.

use millrace_kernels::{LoopPlan, Plan, Pool};
use millrace_program::{BoundLoad, BoundLoop, BoundStore, DType, Instr, NONE, Op};
use std::sync::OnceLock;
use std::time::Instant;

const F: DType = DType::Float32;

/// A loop being written down: values are numbered as they are made.
#[derive(Clone)]
struct Loop {
    extents: Vec<usize>,
    loads: Vec<Vec<i64>>,
    instrs: Vec<Instr>,
    stores: Vec<BoundStore>,
    /// The store that overwrites each load, if any.
    in_place: Vec<Option<usize>>,
}

impl Loop {
    fn new(extents: &[usize], loads: &[&[i64]]) -> Loop {
        let loads: Vec<Vec<i64>> = loads.iter().map(|strides| strides.to_vec()).collect();
        let in_place = vec![None; loads.len()];
        Loop { extents: extents.to_vec(), loads, instrs: vec![], stores: vec![], in_place }
    }

    fn op(&mut self, op: Op, args: &[u32]) -> u32 {
        let mut all = [NONE; 3];
        all[..args.len()].copy_from_slice(args);
        self.instrs.push(Instr { op, dtype: F, args: all, immediate: 0 });
        (self.loads.len() + self.instrs.len() - 1) as u32
    }

    fn constant(&mut self, x: f32) -> u32 {
        let value = self.op(Op::Constant, &[]);
        self.instrs.last_mut().expect("just pushed").immediate = x.to_bits().into();
        value
    }

    /// op(x, constant)
    fn with(&mut self, op: Op, x: u32, constant: f32) -> u32 {
        let constant = self.constant(constant);
        self.op(op, &[x, constant])
    }

    fn store(&mut self, value: u32) -> usize {
        self.stores.push(BoundStore { dtype: F, value, reduce: None, mask: 0 });
        self.stores.len() - 1
    }

    fn reduce(&mut self, op: Op, value: u32, mask: u32) {
        self.stores.push(BoundStore { dtype: F, value, reduce: Some(op), mask });
    }

    /// The best time of a run in seconds.
    fn time(&self, pool: &Pool) -> f64 {
        let loads = self.loads.iter().map(|strides| BoundLoad { dtype: F, offset: 0, strides: strides.clone() });
        let kernel = BoundLoop {
            extents: self.extents.clone(),
            loads: loads.collect(),
            instrs: self.instrs.clone(),
            stores: self.stores.clone(),
        };
        let plan = LoopPlan::new(&kernel).expect("a loop of this program");
        let last = |strides: &[i64]| strides.iter().zip(&self.extents).map(|(s, &n)| s * (n as i64 - 1)).sum::<i64>();
        let kept = |mask: u32| (0..self.extents.len()).filter(move |k| mask >> k & 1 == 0);
        let size = |store: &BoundStore| kept(store.mask).map(|k| self.extents[k]).product();
        let float = |i: usize| (i * 7919 % 1000) as f32 / 250.0 - 2.0;
        let mut inputs: Vec<Buffer> =
            self.loads.iter().map(|strides| Buffer::new(last(strides) as usize + 1, float)).collect();
        let mut outputs: Vec<Buffer> = self.stores.iter().map(|store| Buffer::new(size(store), |_| 0.0)).collect();
        let mut outs: Vec<*mut u8> = outputs.iter_mut().map(Buffer::start).collect();
        let ins: Vec<*const u8> = inputs.iter_mut().map(|x| x.start().cast_const()).collect();
        for (load, store) in self.in_place.iter().enumerate().filter_map(|(i, store)| Some((i, (*store)?))) {
            outs[store] = ins[load].cast_mut();
        }
        let mut scratch = Buffer::new(plan.scratch_bytes() / 4, |_| 0.0);
        let scratch = scratch.start();
        // SAFETY: buffers as the plan was made for.
        best(pool.threads() == 1, || unsafe { plan.run(&ins, &outs, scratch, pool) })
    }
}

/// Floats at an address that is a multiple of 64.
struct Buffer(Vec<[f32; 16]>);

impl Buffer {
    fn new(len: usize, f: impl Fn(usize) -> f32) -> Buffer {
        // Two lines of padding, and no two buffers at one place of their pages.
        Buffer((0..len / 16 + 2).map(|line| std::array::from_fn(|i| f(line * 16 + i))).collect())
    }

    fn start(&mut self) -> *mut u8 {
        let start = self.0.as_mut_ptr().cast::<u8>();
        start.wrapping_add(start.align_offset(64))
    }
}

/// Seconds by a clock: of the thread where all work is its own, so that a busy machine counts less, else of the wall.
fn now(own: bool) -> f64 {
    #[cfg(target_os = "linux")]
    if own {
        unsafe extern "C" {
            safe fn clock_gettime(clock: i32, time: &mut [i64; 2]) -> i32;
        }
        const THREAD_CPUTIME: i32 = 3;
        let mut time = [0; 2];
        clock_gettime(THREAD_CPUTIME, &mut time);
        return time[0] as f64 + time[1] as f64 * 1e-9;
    }
    let _ = own;
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_secs_f64()
}

/// The best time of one call in seconds.
fn best(own: bool, mut f: impl FnMut()) -> f64 {
    (0..3).for_each(|_| f());
    let t = now(own);
    f();
    // Short calls are timed together, so that the clock does not count.
    let each = (2e-5 / (now(own) - t)).ceil().clamp(1.0, 1000.0) as usize;
    let (start, mut best, mut calls) = (Instant::now(), f64::INFINITY, 0);
    while calls < 7 || start.elapsed().as_secs_f64() < 0.3 {
        let t = now(own);
        (0..each).for_each(|_| f());
        best = best.min((now(own) - t) / each as f64);
        calls += 1;
    }
    best
}

/// As `packages/core/src/ops/nn/gelu.ts` lowers it.
fn gelu(it: &mut Loop, x: u32, approximate: bool) -> u32 {
    let t = if approximate {
        let square = it.op(Op::Mul, &[x, x]);
        let scaled = it.with(Op::Mul, square, 0.044_715);
        let shifted = it.with(Op::Add, scaled, 1.0);
        let cubic = it.op(Op::Mul, &[x, shifted]);
        let argument = it.with(Op::Mul, cubic, 0.797_884_6);
        it.op(Op::Tanh, &[argument])
    } else {
        let scaled = it.with(Op::Mul, x, std::f32::consts::FRAC_1_SQRT_2);
        it.op(Op::Erf, &[scaled])
    };
    let shifted = it.with(Op::Add, t, 1.0);
    let cdf = it.with(Op::Mul, shifted, 0.5);
    let bounded = it.with(Op::Max, x, -40.0);
    it.op(Op::Mul, &[bounded, cdf])
}

/// p, g, m, v: m' = b1 m + (1 - b1) g, v' = b2 v + (1 - b2) g², p' = p - r m' / (√v' + e), in place.
fn adam(n: usize) -> Loop {
    let mut it = Loop::new(&[n], &[[1].as_slice(); 4]);
    let old = it.with(Op::Mul, 2, 0.9);
    let new = it.with(Op::Mul, 1, 0.1);
    let m = it.op(Op::Add, &[old, new]);
    let old = it.with(Op::Mul, 3, 0.999);
    let square = it.op(Op::Mul, &[1, 1]);
    let new = it.with(Op::Mul, square, 0.001);
    let v = it.op(Op::Add, &[old, new]);
    let root = it.op(Op::Sqrt, &[v]);
    let below = it.with(Op::Add, root, 1e-7);
    let ratio = it.op(Op::Div, &[m, below]);
    let step = it.with(Op::Mul, ratio, 0.01);
    let p = it.op(Op::Sub, &[0, step]);
    let (p, m, v) = (it.store(p), it.store(m), it.store(v));
    it.in_place = vec![Some(p), None, Some(m), Some(v)];
    it
}

fn main() {
    let filter = std::env::args().nth(1).unwrap_or_default();
    let one = Pool::new(1);
    let all = Pool::global();
    // Bytes that must cross memory, and the loop.
    let show = |name: &str, bytes: usize, it: &Loop| {
        if !name.contains(&filter) {
            return;
        }
        let cell = |pool: &Pool| {
            let seconds = it.time(pool);
            format!("{:10.2} µs {:6.1} GB/s", seconds * 1e6, bytes as f64 / seconds / 1e9)
        };
        println!("{name:34} 1 thread {}   {} threads {}", cell(&one), all.threads(), cell(all));
    };
    for (name, approximate) in [("tanh", true), ("erf", false)] {
        for n in [10_000_000, 1 << 17, 1 << 13, 64] {
            let mut it = Loop::new(&[n], &[[1].as_slice(); 3]);
            let product = it.op(Op::Mul, &[0, 1]);
            let x = it.op(Op::Add, &[product, 2]);
            let y = gelu(&mut it, x, approximate);
            it.store(y);
            show(&format!("gelu(a b + c), {name} [{n}]"), 16 * n, &it);
        }
    }
    for n in [10_000_000, 1 << 20, 1 << 10, 8] {
        let mut it = Loop::new(&[n], &[[1].as_slice(); 2]);
        let sum = it.op(Op::Add, &[0, 1]);
        it.store(sum);
        show(&format!("add [{n}]"), 12 * n, &it);
    }
    for op in [Op::Exp, Op::Log, Op::Tanh, Op::Logistic, Op::Erf, Op::Sin, Op::Log1p, Op::Sqrt, Op::Max] {
        let n = 1 << 14;
        let mut it = Loop::new(&[n], &[&[1]]);
        let y = if op == Op::Max { it.with(op, 0, 0.0) } else { it.op(op, &[0]) };
        it.store(y);
        show(&format!("{} [{n}]", op.name()), 8 * n, &it);
    }
    for n in [401_408, 10] {
        show(&format!("adam [{n}]"), 28 * n, &adam(n));
    }
    for (rows, columns, mask) in
        [(128, 512, 1), (50_176, 32, 1), (4096, 1024, 1), (4096, 1024, 2), (128, 10, 2), (1, 1 << 22, 2)]
    {
        let (r, c) = (rows as usize, columns as usize);
        let mut it = Loop::new(&[r, c], &[&[columns, 1]]);
        it.reduce(Op::ReduceSum, 0, mask);
        show(&format!("sum of [{r},{c}] over {}", mask - 1), 4 * r * c, &it);
    }
    for (r, c) in [(1024, 1024), (784, 512)] {
        let mut it = Loop::new(&[r, c], &[&[1, r as i64]]);
        it.store(0);
        show(&format!("transpose to [{r},{c}]"), 8 * r * c, &it);
    }
    for (r, c) in [(50_176, 32), (128, 512)] {
        let mut it = Loop::new(&[r, c], &[&[c as i64, 1], &[0, 1]]);
        let sum = it.op(Op::Add, &[0, 1]);
        let relu = it.with(Op::Max, sum, 0.0);
        it.store(relu);
        show(&format!("bias + relu [{r},{c}]"), 8 * r * c, &it);
    }
    // The steps of a softmax cross-entropy: the greatest logit, the sum of exponentials, the gradient.
    let (r, c) = (128, 10);
    let row: &[i64] = &[1, 0];
    let element: &[i64] = &[10, 1];
    let mut it = Loop::new(&[r, c], &[element]);
    it.reduce(Op::ReduceMax, 0, 2);
    show("max of logits [128,10]", 4 * r * c, &it);
    let mut it = Loop::new(&[r, c], &[element, row]);
    let shifted = it.op(Op::Sub, &[0, 1]);
    let exp = it.op(Op::Exp, &[shifted]);
    it.store(exp);
    it.reduce(Op::ReduceSum, exp, 2);
    show("exp and its sum [128,10]", 8 * r * c, &it);
    let mut it = Loop::new(&[r, c], &[element, row, element]);
    let p = it.op(Op::Div, &[0, 1]);
    let difference = it.op(Op::Sub, &[p, 2]);
    let gradient = it.with(Op::Mul, difference, 1.0 / 128.0);
    it.store(gradient);
    show("gradient of logits [128,10]", 12 * r * c, &it);
}
