//! Running a bound program on given buffers: the only place that calls kernels and follows control flow.

use crate::cancel::Cancel;
use crate::executable::{BoundProgram, CpuFrame, CpuStep};
use crate::packed::{Form, Forms};
use crate::profile::Recorder;
use crate::stack::{Stack, StackBytes};
use millrace_kernels::float_mode::FloatMode;
use millrace_kernels::{Packed, Pool};
use millrace_program::{Error, Loc, Shape, Source, Step};

/// What a `print` op saw.
#[derive(Clone, Debug, PartialEq)]
pub struct Printed {
    pub message: String,
    pub shape: Shape,
    pub bytes: Vec<u8>,
}

/// What a run leaves beside its results.
#[derive(Default)]
pub struct Outcome {
    pub kernels: u64,
    pub printed: Vec<Printed>,
    /// Whether the last program began to overwrite donated parameters.
    pub committed: bool,
    /// Notes the times of kernels, where somebody wants to know.
    pub recorder: Option<Recorder>,
    /// Packed weights of the next run.
    pub forms: Forms,
    // The operands of one kernel; kept for the next.
    ins: Vec<*const u8>,
    outs: Vec<*mut u8>,
}

struct Run<'a> {
    consts: *const u8,
    pool: &'a Pool,
    stacks: &'a StackBytes,
    cancel: &'a Cancel,
    outcome: &'a mut Outcome,
}

/// The buffers of one frame.
struct Buffers<'a> {
    params: &'a [*mut u8],
    results: &'a [*mut u8],
    arena: *mut u8,
}

/// Runs `it`. From step `commit` on it cannot be stopped.
///
/// # Safety
/// `params` and `results` are buffers of the bytes that `it` says, `arena` one of `it.bound.main.arena`, all used by
/// nobody else until this returns and aligned to 64, but parameters, which may be aligned to their elements only. A
/// result may be a parameter's buffer where `it.bound.takeovers` allows it from `commit` on; no other two overlap, but
/// parameters among themselves.
#[expect(clippy::too_many_arguments, reason = "what a run is given, each by its owner")]
pub unsafe fn run(
    it: &BoundProgram,
    params: &[*mut u8],
    results: &[*mut u8],
    arena: *mut u8,
    commit: usize,
    cancel: &Cancel,
    stacks: &StackBytes,
    outcome: &mut Outcome,
) -> Result<(), Error> {
    let _mode = FloatMode::of_programs().enter();
    let consts = it.program.bytes.as_ptr();
    outcome.committed = false;
    let forms = std::mem::take(&mut outcome.forms);
    let mut run = Run { consts, pool: Pool::global(), stacks, cancel, outcome };
    let frame = if run.outcome.recorder.is_some() { &it.labelled().main } else { &it.bound.main };
    // SAFETY: the caller's promise; `bind` has placed every location inside these buffers.
    unsafe { run.frame(frame, &Buffers { params, results, arena }, commit, &forms) }
}

impl Buffers<'_> {
    #[inline]
    unsafe fn at(&self, loc: Loc, consts: *const u8) -> *mut u8 {
        match loc {
            // SAFETY: `bind` has proven that the location lies inside.
            Loc::Arena(offset) => unsafe { self.arena.add(offset) },
            // SAFETY: as above. Constants are only read.
            Loc::Const(offset) => unsafe { consts.add(offset).cast_mut() },
            Loc::Param(i) => self.params[i],
            Loc::Result(i) => self.results[i],
        }
    }

    unsafe fn all(&self, locs: &[Loc], consts: *const u8) -> Vec<*mut u8> {
        // SAFETY: as `at`.
        locs.iter().map(|&loc| unsafe { self.at(loc, consts) }).collect()
    }
}

impl Run<'_> {
    /// Stops a cancelled program, unless donated parameters were written: from there it runs to its end.
    fn poll(&self) -> Result<(), Error> {
        if self.outcome.committed { Ok(()) } else { self.cancel.poll() }
    }

    unsafe fn frame(&mut self, frame: &CpuFrame, buffers: &Buffers, commit: usize, forms: &Forms) -> Result<(), Error> {
        let mut forms = forms.iter().peekable();
        for (i, step) in frame.steps.iter().enumerate() {
            let form = forms.next_if(|form| form.0 == i).map(|form| &*form.1);
            self.outcome.committed |= i >= commit;
            self.poll()?;
            // SAFETY: the caller's promise.
            unsafe { self.step(step, buffers, form)? }
        }
        for (i, (source, shape)) in frame.sources.iter().zip(&frame.results).enumerate() {
            let from = match *source {
                Source::Own => continue,
                Source::Param(param) => buffers.params[param],
                // SAFETY: `bind` has checked the length of the constant.
                Source::Const(offset) => unsafe { self.consts.add(offset) },
                Source::Same(earlier) => buffers.results[earlier],
            };
            // SAFETY: both hold the bytes of the result. At the top, where results share storage, they are equal.
            unsafe { copy(from, buffers.results[i], shape.bytes()) }
        }
        Ok(())
    }

    unsafe fn step(&mut self, step: &CpuStep, buffers: &Buffers, form: Option<&Form>) -> Result<(), Error> {
        let consts = self.consts;
        match step {
            Step::Kernel { plan, ins, outs, scratch, .. } => {
                let outcome = &mut *self.outcome;
                outcome.ins.clear();
                outcome.outs.clear();
                outcome.kernels += 1;
                // SAFETY: the buffers have the shapes that the plan was made for; `bind` has placed them.
                unsafe {
                    outcome.ins.extend(ins.iter().map(|&loc| buffers.at(loc, consts).cast_const()));
                    outcome.outs.extend(outs.iter().map(|&loc| buffers.at(loc, consts)));
                    let scratch = buffers.arena.wrapping_add(*scratch);
                    let (ins, outs, pool) = (outcome.ins.as_slice(), outcome.outs.as_slice(), self.pool);
                    let run = || match (form, plan.packing()) {
                        (Some(form), Some(packing)) => {
                            let packed = form.of(plan, ins[packing.operand], pool);
                            plan.run_packed(Packed { ins, outs, packed, scratch, pool, done: None });
                        }
                        _ => plan.run(ins, outs, scratch, pool),
                    };
                    match (&mut outcome.recorder, &plan.label) {
                        (Some(recorder), Some(label)) => recorder.time(label, run),
                        _ => run(),
                    }
                }
            }
            // SAFETY for the rest: nested frames are placed in this one's arena, and their parameters and results are
            // buffers of it.
            Step::Cond { predicate, args, outs, branches, arena } => unsafe {
                let branch = usize::from(*buffers.at(*predicate, consts) != 0);
                self.nested(
                    &branches[branch],
                    &buffers.all(args, consts),
                    &buffers.all(outs, consts),
                    buffers.arena.wrapping_add(*arena),
                )?;
            },
            Step::Call { args, outs, frame, arena } => unsafe {
                self.nested(
                    frame,
                    &buffers.all(args, consts),
                    &buffers.all(outs, consts),
                    buffers.arena.wrapping_add(*arena),
                )?;
            },
            Step::While { .. } => unsafe { self.while_loop(step, buffers)? },
            Step::WhileBack { .. } => unsafe { self.while_back(step, buffers)? },
            Step::Print { message, shape, value } => {
                // SAFETY: the buffer holds a value of this shape.
                let bytes = unsafe { std::slice::from_raw_parts(buffers.at(*value, consts), shape.bytes()) }.to_vec();
                self.outcome.printed.push(Printed { message: message.clone(), shape: shape.clone(), bytes });
            }
            Step::Assert { message, predicate } => {
                // SAFETY: a bool is one byte.
                if unsafe { *buffers.at(*predicate, consts) } == 0 {
                    return Err(Error::argument(format!("assertion failed: {message}")));
                }
            }
        }
        Ok(())
    }

    unsafe fn nested(
        &mut self,
        frame: &CpuFrame,
        params: &[*mut u8],
        results: &[*mut u8],
        arena: *mut u8,
    ) -> Result<(), Error> {
        // SAFETY: the caller's promise. A nested frame takes over nothing.
        unsafe { self.frame(frame, &Buffers { params, results, arena }, usize::MAX, &Forms::new()) }
    }

    unsafe fn while_loop(&mut self, step: &CpuStep, buffers: &Buffers) -> Result<(), Error> {
        let Step::While { args, outs, spare, predicate, frames, arena } = step else { return Ok(()) };
        // SAFETY: `bind` has placed all of these apart from each other.
        unsafe {
            let params = buffers.all(args, self.consts);
            let turns = [buffers.all(outs, self.consts), buffers.all(spare, self.consts)];
            let predicate = buffers.at(*predicate, self.consts);
            let arena = buffers.arena.wrapping_add(*arena);
            let [condition, body] = frames.as_ref();
            let end = self.trips(condition, body, params, &turns, predicate, arena, |_| Ok(()))?;
            settle(&end, &turns[0], &body.results);
        }
        Ok(())
    }

    /// Runs a loop; `each` sees the parameters of each trip. Gives those of the trip that was not made.
    ///
    /// # Safety
    /// As `frame`; `turns` are two places for each carried value, or one twice where the body writes it in place.
    #[expect(clippy::too_many_arguments, reason = "the parts of a step")]
    unsafe fn trips(
        &mut self,
        condition: &CpuFrame,
        body: &CpuFrame,
        args: Vec<*mut u8>,
        turns: &[Vec<*mut u8>; 2],
        predicate: *mut u8,
        arena: *mut u8,
        mut each: impl FnMut(&[*mut u8]) -> Result<(), Error>,
    ) -> Result<Vec<*mut u8>, Error> {
        // SAFETY: by the caller.
        unsafe {
            let mut params = begin(args, turns, &body.results);
            for trip in 0_usize.. {
                self.poll()?;
                self.nested(condition, &params, &[predicate], arena)?;
                if *predicate == 0 {
                    break;
                }
                each(&params)?;
                let results = &turns[trip % 2];
                self.nested(body, &params, results, arena)?;
                params[..results.len()].copy_from_slice(results);
            }
            Ok(params)
        }
    }

    unsafe fn while_back(&mut self, step: &CpuStep, buffers: &Buffers) -> Result<(), Error> {
        let Step::WhileBack { args, state, carry, spare_carry, outs, spare, kept, predicate, frames, arena } = step
        else {
            return Ok(());
        };
        let [condition, body, back] = frames.as_ref();
        let arena = buffers.arena.wrapping_add(*arena);
        let rows: Vec<usize> = kept.iter().map(|&i| body.results[i].bytes()).collect();
        let mut stack = Stack::new(&rows, self.stacks);
        // SAFETY: `bind` has placed all of these apart from each other; rows of the stack have the kept values' bytes.
        unsafe {
            let params = buffers.all(args, self.consts);
            let constants = params[carry.len()..].to_vec();
            let turns = [buffers.all(carry, self.consts), buffers.all(spare_carry, self.consts)];
            let predicate = buffers.at(*predicate, self.consts);
            self.trips(condition, body, params, &turns, predicate, arena, |params| {
                stack.push(|i, to| params[kept[i]].copy_to_nonoverlapping(to, rows[i]))
            })?;
            let turns = [buffers.all(outs, self.consts), buffers.all(spare, self.consts)];
            let mut params = begin(buffers.all(state, self.consts), &turns, &back.results);
            let given = params.len()..params.len() + kept.len();
            params.resize(given.end, std::ptr::null_mut());
            params.extend(constants);
            for trip in 0_usize.. {
                self.poll()?;
                if !stack.pop(&mut params[given.clone()]) {
                    break;
                }
                let results = &turns[trip % 2];
                self.nested(back, &params, results, arena)?;
                params[..results.len()].copy_from_slice(results);
            }
            settle(&params, &turns[0], &back.results);
        }
        Ok(())
    }
}

/// Where the first trip of a loop finds what is carried: what is written in place is copied there.
///
/// # Safety
/// All are buffers of these shapes.
unsafe fn begin(mut args: Vec<*mut u8>, turns: &[Vec<*mut u8>; 2], shapes: &[Shape]) -> Vec<*mut u8> {
    for (i, shape) in shapes.iter().enumerate() {
        if turns[0][i] == turns[1][i] {
            // SAFETY: by the caller; they are the same or apart.
            unsafe { copy(args[i], turns[0][i], shape.bytes()) }
            args[i] = turns[0][i];
        }
    }
    args
}

/// Brings what a loop carries at its end to its results.
///
/// # Safety
/// All are buffers of these shapes.
unsafe fn settle(from: &[*mut u8], to: &[*mut u8], shapes: &[Shape]) {
    for ((&from, &to), shape) in from.iter().zip(to).zip(shapes) {
        // SAFETY: by the caller; they are the same or apart.
        unsafe { copy(from, to, shape.bytes()) }
    }
}

unsafe fn copy(from: *const u8, to: *mut u8, bytes: usize) {
    if from != to.cast_const() {
        // SAFETY: buffers are the same or apart.
        unsafe { std::ptr::copy_nonoverlapping(from, to, bytes) }
    }
}
