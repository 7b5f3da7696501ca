//! A library kernel and the loop that reads its result, as one kernel: the loop runs on each part of the result as it is
//! finished, while it is in the caches.

use crate::{Done, LoopPlan, Packed, Packing, Plan, Pool};
use millrace_program::BoundLoop;

/// Elements of one part of a result that is there as a whole.
const PART: usize = 8192;

/// Hands out a result that is there as a whole.
pub fn hand_out(elements: usize, pool: &Pool, done: Option<Done>) {
    let Some(done) = done else { return };
    pool.for_chunks(elements.div_ceil(PART), |chunk| done(chunk * PART..((chunk + 1) * PART).min(elements)));
}

/// Its operands and results are those of `kernel`, then those of `tail`.
struct WithTail {
    kernel: Box<dyn Plan>,
    tail: LoopPlan,
    kernel_ins: usize,
}

/// Joins a kernel of one result, which takes `kernel_ins` operands, and a loop that reads this result at the index that
/// it is at, and stores densely. Gives the kernel back where it does not hand out parts, or the loop cannot run on them.
pub fn with_tail(kernel: Box<dyn Plan>, kernel_ins: usize, tail: &BoundLoop) -> Result<Box<dyn Plan>, Box<dyn Plan>> {
    let elements: usize = tail.extents.iter().product();
    if kernel.parts() != Some(elements) {
        return Err(kernel);
    }
    match LoopPlan::ranged(tail) {
        Ok(tail) => Ok(Box::new(WithTail { kernel, tail, kernel_ins })),
        Err(_) => Err(kernel),
    }
}

impl Plan for WithTail {
    fn scratch_bytes(&self) -> usize {
        self.kernel.scratch_bytes()
    }

    fn cost_ns(&self) -> f64 {
        self.kernel.cost_ns() + self.tail.cost_ns()
    }

    fn flops(&self) -> f64 {
        self.kernel.flops() + self.tail.flops()
    }

    unsafe fn run(&self, ins: &[*const u8], outs: &[*mut u8], scratch: *mut u8, pool: &Pool) {
        self.with_parts(ins, outs, |ins, outs, done| {
            // SAFETY: by the caller.
            unsafe { self.kernel.run_parts(ins, outs, scratch, pool, done) }
        });
    }

    fn packing(&self) -> Option<Packing> {
        self.kernel.packing()
    }

    unsafe fn pack(&self, operand: *const u8, to: *mut u8, pool: &Pool) {
        // SAFETY: by the caller.
        unsafe { self.kernel.pack(operand, to, pool) }
    }

    unsafe fn run_packed(&self, run: Packed) {
        self.with_parts(run.ins, run.outs, |ins, outs, done| {
            // SAFETY: by the caller.
            unsafe { self.kernel.run_packed(Packed { ins, outs, done: Some(done), ..run }) }
        });
    }
}

impl WithTail {
    /// Calls `kernel` with its own operands and result, and with what runs the tail on parts.
    fn with_parts(&self, ins: &[*const u8], outs: &[*mut u8], kernel: impl FnOnce(&[*const u8], &[*mut u8], Done)) {
        let (kernel_ins, tail_ins) = ins.split_at(self.kernel_ins);
        let (result, stores) = outs.split_at(1);
        let buffers = Buffers { ins: tail_ins, outs: stores };
        kernel(kernel_ins, result, &|part| {
            let buffers = &buffers;
            // SAFETY: the buffers are those of `run`; each part is told once, so one thread stores its elements.
            unsafe { self.tail.run_range(buffers.ins, buffers.outs, part) };
        });
    }
}

struct Buffers<'a> {
    ins: &'a [*const u8],
    outs: &'a [*mut u8],
}

// SAFETY: threads write disjoint parts of the outputs.
unsafe impl Sync for Buffers<'_> {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::isa::testing::each_isa;
    use crate::library;
    use crate::testing::{Lcg, attrs, bytes, ints, list, numbers, run_plan, shape};
    use millrace_program::{BoundAttrs, BoundLoad, BoundStore, BoundValue, DType, Instr, NONE, Op, Shape};
    use std::ops::Range;
    use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

    const F: DType = DType::Float32;

    struct Case {
        op: Op,
        ins: [Shape; 2],
        out: Shape,
        attrs: BoundAttrs,
    }

    impl Case {
        fn dot(a: &[usize], b: &[usize], batch: usize, contract: (usize, usize)) -> Case {
            let axes: Vec<usize> = (0..batch).collect();
            let free = |dims: &[usize], inner: usize| {
                (batch..dims.len()).filter(|&k| k != inner).map(|k| dims[k]).collect::<Vec<_>>()
            };
            Case {
                op: Op::DotGeneral,
                ins: [shape(F, a), shape(F, b)],
                out: shape(F, &[&a[..batch], &free(a, contract.0), &free(b, contract.1)].concat()),
                attrs: attrs(&[
                    ("lhsBatch", list(&axes)),
                    ("lhsContract", list(&[contract.0])),
                    ("rhsBatch", list(&axes)),
                    ("rhsContract", list(&[contract.1])),
                ]),
            }
        }

        /// Padded such that the output is as large as the input.
        fn conv(x: &[usize], w: &[usize], groups: usize) -> Case {
            let low: Vec<i64> = w[..2].iter().map(|&taps| (taps as i64 - 1) / 2).collect();
            Case {
                op: Op::ConvGeneral,
                ins: [shape(F, x), shape(F, w)],
                out: shape(F, &[x[0], x[1], x[2], w[3]]),
                attrs: attrs(&[
                    ("groups", BoundValue::Int(groups as i64)),
                    ("high", ints(&low)),
                    ("lhsDilation", list(&[1, 1])),
                    ("low", ints(&low)),
                    ("rhsDilation", list(&[1, 1])),
                    ("strides", list(&[1, 1])),
                ]),
            }
        }

        fn plan(&self) -> Box<dyn Plan> {
            library(self.op).unwrap().check(&self.ins, std::slice::from_ref(&self.out), &self.attrs).unwrap()
        }
    }

    fn cases() -> Vec<Case> {
        vec![
            Case::dot(&[7, 5], &[5, 3], 0, (1, 0)),
            Case::dot(&[1, 700], &[700, 3000], 0, (1, 0)),
            Case::dot(&[3000, 700], &[700, 1], 0, (1, 0)),
            Case::dot(&[130, 300], &[300, 70], 0, (1, 0)),
            Case::dot(&[300, 130], &[70, 300], 0, (0, 1)),
            Case::dot(&[60, 520], &[520, 2100], 0, (1, 0)), // by columns, two blocks of k
            Case::dot(&[1100, 40], &[40, 1030], 0, (1, 0)), // two blocks of columns
            Case::dot(&[3000, 9], &[9, 10], 0, (1, 0)),
            Case::dot(&[12, 9, 20], &[12, 20, 17], 1, (2, 1)),
            Case::dot(&[2, 150, 90], &[2, 90, 160], 1, (2, 1)),
            Case::dot(&[40, 30, 9], &[9, 12, 8], 0, (2, 0)),
            Case::dot(&[6, 0], &[0, 9000], 0, (1, 0)),
            Case::dot(&[0, 6], &[6, 9], 0, (1, 0)),
            Case::conv(&[2, 13, 11, 5], &[3, 3, 5, 8], 1),
            Case::conv(&[2, 20, 20, 16], &[1, 1, 16, 24], 1),
            Case::conv(&[1, 40, 40, 12], &[3, 3, 4, 9], 3),
            Case::conv(&[2, 30, 30, 16], &[3, 3, 1, 16], 16),
            Case::conv(&[1, 9, 9, 4], &[3, 3, 1, 8], 4),
        ]
    }

    /// max(result · scale[column] + residual, 0), and that as float64.
    fn tail_of(out: &Shape, stores: usize) -> BoundLoop {
        let dense: Vec<i64> = out.strides().iter().map(|&stride| stride as i64).collect();
        let mut column = vec![0; dense.len()];
        column[dense.len() - 1] = 1;
        let load = |strides: &[i64]| BoundLoad { dtype: F, offset: 0, strides: strides.to_vec() };
        let instr = |op, dtype, args| Instr { op, dtype, args, immediate: 0 };
        BoundLoop {
            extents: out.dims().to_vec(),
            loads: vec![load(&column), load(&dense), load(&dense)],
            instrs: vec![
                instr(Op::Mul, F, [1, 0, NONE]),
                instr(Op::Add, F, [3, 2, NONE]),
                instr(Op::Constant, F, [NONE; 3]),
                instr(Op::Max, F, [4, 5, NONE]),
                instr(Op::Cast, DType::Float64, [6, NONE, NONE]),
            ],
            stores: [(F, 6), (DType::Float64, 7)][..stores]
                .iter()
                .map(|&(dtype, value)| BoundStore { dtype, value, reduce: None, mask: 0 })
                .collect(),
        }
    }

    #[test]
    fn a_tail_has_the_bits_of_a_loop_after_the_kernel() {
        each_isa(|isa| {
            for (case, threads) in cases().iter().flat_map(|case| [(case, 1), (case, 3)]) {
                let pool = Pool::new(threads);
                let mut rng = Lcg(case.out.numel() as u64);
                let columns = case.out.dims().last().copied().unwrap();
                let mut draw = |n: usize| bytes(&rng.floats(n));
                let [a, b] = [0, 1].map(|i| draw(case.ins[i].numel()));
                let (scale, residual) = (draw(columns), draw(case.out.numel()));
                let result = run_plan(&*case.plan(), &[a.clone(), b.clone()], &[case.out.bytes()], &pool).remove(0);
                for stores in [1, 2] {
                    let tail = tail_of(&case.out, stores);
                    let sizes = [case.out.bytes(), 2 * case.out.bytes()];
                    let operands = [scale.clone(), result.clone(), residual.clone()];
                    let want = run_plan(&LoopPlan::new(&tail).unwrap(), &operands, &sizes[..stores], &pool);
                    let Ok(joined) = with_tail(case.plan(), 2, &tail) else { panic!("{:?} takes no tail", case.op) };
                    let all = [a.clone(), b.clone(), scale.clone(), result.clone(), residual.clone()];
                    let got = run_in_place(&*joined, &all, 3, &sizes[..stores], &pool);
                    assert!(got == want, "{isa:?} {:?} {} by {threads}, {stores} stores", case.op, case.out);
                }
            }
        });
    }

    /// Runs a kernel with a tail whose load `result` is the kernel's result, and whose first store is written over it.
    fn run_in_place(plan: &dyn Plan, ins: &[Vec<u8>], result: usize, stores: &[usize], pool: &Pool) -> Vec<Vec<u8>> {
        struct InPlace<'a>(&'a dyn Plan, usize);
        impl Plan for InPlace<'_> {
            fn scratch_bytes(&self) -> usize {
                self.0.scratch_bytes()
            }
            fn cost_ns(&self) -> f64 {
                self.0.cost_ns()
            }
            unsafe fn run(&self, ins: &[*const u8], outs: &[*mut u8], scratch: *mut u8, pool: &Pool) {
                let mut ins = ins.to_vec();
                ins[self.1] = outs[0].cast_const();
                // SAFETY: by the caller; the first store may overwrite the result.
                unsafe { self.0.run(&ins, &[&[outs[0]], outs].concat(), scratch, pool) }
            }
        }
        run_plan(&InPlace(plan, result), ins, stores, pool)
    }

    #[test]
    fn each_element_is_told_once_and_is_final() {
        for case in cases() {
            let (plan, pool) = (case.plan(), Pool::new(3));
            let n = case.out.numel();
            assert_eq!(plan.parts(), Some(n));
            let floats = |shape: &Shape| bytes(&Lcg(3).floats(shape.numel()));
            let ins = [floats(&case.ins[0]), floats(&case.ins[1])];
            let want: Vec<f32> = numbers(&run_plan(&*plan, &ins, &[case.out.bytes()], &pool)[0]);
            let told: Vec<AtomicU8> = (0..n).map(|_| AtomicU8::new(0)).collect();
            let (mut out, mut scratch) = (vec![0.0_f32; n + 16], vec![0_u64; plan.scratch_bytes() / 8 + 8]);
            let scratch = scratch.as_mut_ptr().cast::<u8>();
            let start = out.as_mut_ptr();
            let address = start.expose_provenance();
            let done = |part: Range<usize>| {
                for i in part {
                    told[i].fetch_add(1, Relaxed);
                    // SAFETY: an element of the result, which nobody writes any more.
                    let value = unsafe { std::ptr::with_exposed_provenance::<f32>(address).add(i).read() };
                    assert_eq!(value.to_bits(), want[i].to_bits());
                }
            };
            // SAFETY: buffers as the plan was made for.
            unsafe {
                let ins = ins.each_ref().map(|bytes| bytes.as_ptr());
                plan.run_parts(&ins, &[start.cast()], scratch.add(scratch.align_offset(64)), &pool, &done);
            }
            assert!(told.iter().all(|times| times.load(Relaxed) == 1), "{:?} {}", case.op, case.out);
        }
    }

    #[test]
    fn a_packed_weight_changes_no_bit() {
        each_isa(|isa| {
            let mut packed = 0;
            for case in cases() {
                let (plan, pool) = (case.plan(), Pool::new(3));
                let Some(packing) = plan.packing() else { continue };
                packed += 1;
                let ins = [0, 1].map(|i| bytes(&Lcg(5 + i as u64).floats(case.ins[i].numel())));
                let want = run_plan(&*plan, &ins, &[case.out.bytes()], &pool);
                let got = run_plan(&WithPacked(&*plan, packing), &ins, &[case.out.bytes()], &pool);
                assert!(got == want, "{isa:?} {:?} {}", case.op, case.out);
            }
            assert!(packed >= 5, "{packed} cases have a packed form");
        });
    }

    /// Packs before it runs.
    struct WithPacked<'a>(&'a dyn Plan, Packing);

    impl Plan for WithPacked<'_> {
        fn scratch_bytes(&self) -> usize {
            self.0.scratch_bytes()
        }
        fn cost_ns(&self) -> f64 {
            self.0.cost_ns()
        }
        unsafe fn run(&self, ins: &[*const u8], outs: &[*mut u8], scratch: *mut u8, pool: &Pool) {
            let mut memory = vec![0_u64; self.1.bytes / 8 + 9];
            let start = memory.as_mut_ptr().cast::<u8>();
            let to = start.wrapping_add(start.align_offset(64));
            // SAFETY: by the caller; the form has its bytes.
            unsafe {
                self.0.pack(ins[self.1.operand], to, pool);
                self.0.run_packed(Packed { ins, outs, packed: to, scratch, pool, done: None });
            }
        }
    }
}
