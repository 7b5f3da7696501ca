//! One call of a program: arguments are checked, results get storage, and it runs here or is queued.

use crate::cancel::Cancel;
use crate::device::{DONATE, Device};
use crate::executable::BoundProgram;
use crate::profile::Recorder;
use crate::queue::Job;
use crate::storage::StorageId;
use millrace_program::{Error, Source};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

const MAX_QUEUED: usize = 32;
const MAX_QUEUED_BYTES: usize = 256 << 20;

/// A program in the queue and the storages it pins: those of its results first.
pub(crate) struct Pending {
    pub ticket: u64,
    pub results: usize,
    pub storages: Vec<StorageId>,
    pub input_bytes: usize,
    /// Queued programs whose results it reads.
    pub after: Vec<u64>,
    pub renews: Vec<Renewed>,
    /// See `name_call`.
    pub call: u32,
    /// Why a reader of its results left; it runs on while others need it.
    pub abandoned: Option<String>,
    pub cancel: Arc<Cancel>,
}

/// A result that takes the place of an argument, as the new value of a variable does: where the program fails after it
/// was queued, the result has the argument's value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Renewed {
    pub result: usize,
    pub param: usize,
    /// Whether a result, this or another, is written over the argument.
    pub is_overwritten: bool,
}

/// The lists of one `run`, kept for the next.
#[derive(Default)]
pub(crate) struct Call {
    inputs: Vec<StorageId>,
    /// For each result the parameter whose storage it takes.
    taken: Vec<Option<usize>>,
    renews: Vec<Renewed>,
    outputs: Vec<StorageId>,
    /// What the handles of these parameters hold afterwards.
    spent: Vec<StorageId>,
    params: Vec<*mut u8>,
    results: Vec<*mut u8>,
}

impl Call {
    fn clear(&mut self) {
        self.inputs.clear();
        self.taken.clear();
        self.renews.clear();
        self.outputs.clear();
        self.spent.clear();
        self.params.clear();
        self.results.clear();
    }
}

impl Device {
    /// Runs a program and appends the handles of its results. `DONATE` may be added to arguments. When it fails at
    /// once,
    /// arguments are as they were; a program in the queue that fails later poisons its results.
    pub fn run(&mut self, bound: i32, args: &[i32], results: &mut Vec<i32>) -> Result<(), Error> {
        self.run_renewing(bound, args, &[], results)
    }

    /// `run`, with the results that take the place of an argument: pairs of argument and result.
    pub fn run_renewing(
        &mut self,
        bound: i32,
        args: &[i32],
        renewed: &[(usize, usize)],
        results: &mut Vec<i32>,
    ) -> Result<(), Error> {
        let it = self.bounds.get(bound)?.clone();
        if args.len() != it.params.len() {
            return Err(Error::argument(format!("{} arguments for {} parameters", args.len(), it.params.len())));
        }
        self.unnamed = None;
        self.retire();
        if !self.runs_here(&it) {
            self.wait_for_room(it.input_bytes);
        }
        let mut call = std::mem::take(&mut self.call);
        call.clear();
        for &(param, result) in renewed {
            if it.params.get(param).is_none_or(|bytes| it.results.get(result) != Some(bytes)) {
                return Err(Error::argument(format!("result {result} cannot take the place of argument {param}")));
            }
            call.renews.push(Renewed { result, param, is_overwritten: false });
        }
        let done = self.run_call(&it, args, &mut call, results);
        self.call = call;
        done
    }

    fn run_call(
        &mut self,
        it: &Arc<BoundProgram>,
        args: &[i32],
        call: &mut Call,
        results: &mut Vec<i32>,
    ) -> Result<(), Error> {
        self.tensors.reserve(it.results.len())?;
        self.inputs(it, args, call)?;
        self.takeovers(it, args, call);
        if let Err(error) = self.outputs(it, call) {
            if self.pending.is_empty() {
                return Err(error);
            }
            // What the queue pins may be free when it has run.
            self.wait_all();
            self.inputs(it, args, call)?;
            self.outputs(it, call)?;
        }
        let started = self.start(it, call);
        // From here on they have the bytes of results.
        for &param in call.taken.iter().flatten() {
            self.memory.rewrite(call.inputs[param]);
        }
        if let Err(error) = started {
            call.outputs.drain(..).chain(call.spent.drain(..)).for_each(|id| self.release(id));
            return Err(error);
        }
        let first = it.origin.load(Relaxed);
        for ((i, &id), source) in call.outputs.iter().enumerate().zip(&it.bound.main.sources) {
            if matches!(source, Source::Own | Source::Const(_)) {
                self.memory.get_mut(id).origin = if first == 0 { 0 } else { first.wrapping_add(i as u64) };
            }
            results.push(self.tensors.insert(id)?);
        }
        // The handles of tensors whose storage was reused cannot be read from now on.
        for (id, param) in call.spent.drain(..).zip(call.taken.iter().flatten()) {
            self.memory.get_mut(id).poison = Some(self.donated.clone());
            let old = self.tensors.replace(args[*param] & !DONATE, id)?;
            self.release(old);
        }
        Ok(())
    }

    fn runs_here(&self, it: &BoundProgram) -> bool {
        self.pending.is_empty() && !it.is_long()
    }

    fn wait_for_room(&mut self, bytes: usize) {
        while let Some(first) = self.pending.front() {
            if self.pending.len() < MAX_QUEUED && self.pending_bytes + bytes <= MAX_QUEUED_BYTES {
                break;
            }
            self.wait(first.ticket);
            self.retire();
        }
    }

    /// The storages of the arguments, which must have the bytes of the parameters and hold no error.
    fn inputs(&self, it: &BoundProgram, args: &[i32], call: &mut Call) -> Result<(), Error> {
        call.inputs.clear();
        for (i, (&arg, &bytes)) in args.iter().zip(&it.params).enumerate() {
            let id = *self.tensors.get(if arg >= 0 { arg & !DONATE } else { arg })?;
            let storage = self.memory.get(id);
            storage.check()?;
            if storage.bytes != bytes {
                let shape = &it.bound.main.params[i];
                return Err(Error::shape(format!("argument {i} has {} bytes, {shape} has {bytes}", storage.bytes)));
            }
            let shape = &it.bound.main.params[i];
            if !storage.is_aligned(shape.dtype().size()) {
                return Err(Error::argument(format!("argument {i} was mapped for narrower elements than {shape} has")));
            }
            call.inputs.push(id);
        }
        Ok(())
    }

    /// For each result the parameter whose storage it takes: donated, and with nobody else to see it.
    fn takeovers(&mut self, it: &BoundProgram, args: &[i32], call: &mut Call) {
        call.taken.resize(it.results.len(), None);
        if args.iter().all(|&arg| arg & DONATE == 0) {
            return;
        }
        call.inputs.iter().for_each(|&id| self.memory.get_mut(id).uses += 1);
        for takeover in &it.bound.takeovers {
            let storage = self.memory.get(call.inputs[takeover.param]);
            let alone = storage.refs == 1 && storage.uses == 1;
            // A mapped file may be another tensor's too.
            if args[takeover.param] & DONATE != 0 && alone && !storage.is_mapped() {
                call.taken[takeover.result] = Some(takeover.param);
            }
        }
        call.inputs.iter().for_each(|&id| self.memory.get_mut(id).uses = 0);
    }

    /// A reference to the storage of every result, and an empty one for every parameter that loses its own. All or
    /// nothing.
    fn outputs(&mut self, it: &BoundProgram, call: &mut Call) -> Result<(), Error> {
        let made = self.try_outputs(it, call);
        if made.is_err() {
            call.outputs.drain(..).chain(call.spent.drain(..)).for_each(|id| self.release(id));
        }
        made
    }

    fn try_outputs(&mut self, it: &BoundProgram, call: &mut Call) -> Result<(), Error> {
        let is_queued = !self.runs_here(it);
        for (i, source) in it.bound.main.sources.iter().enumerate() {
            let renews = |result| call.renews.iter().find(|it| is_queued && it.result == result);
            // What may get an argument's value back shares its storage with nothing else.
            let shared = match (*source, call.taken[i]) {
                (Source::Own, Some(param)) => Some(call.inputs[param]),
                (Source::Param(param), _) if renews(i).is_none_or(|it| it.param == param) => Some(call.inputs[param]),
                (Source::Same(earlier), _) if renews(i).or(renews(earlier)).is_none() => Some(call.outputs[earlier]),
                _ => None,
            };
            let id = match shared {
                Some(id) => {
                    self.memory.retain(id);
                    id
                }
                None => self.memory.allocate(it.results[i])?,
            };
            call.outputs.push(id);
        }
        for _ in call.taken.iter().flatten() {
            call.spent.push(self.memory.allocate(0)?);
        }
        Ok(())
    }

    /// Runs here or enqueues.
    fn start(&mut self, it: &Arc<BoundProgram>, call: &mut Call) -> Result<(), Error> {
        let start = |id: &StorageId| self.memory.get(*id).start.as_ptr();
        call.params.extend(call.inputs.iter().map(start));
        call.results.extend(call.outputs.iter().map(start));
        let takes = it.bound.takeovers.iter().filter(|takeover| call.taken[takeover.result].is_some());
        let commit = takes.map(|takeover| takeover.step).min().unwrap_or(usize::MAX);
        let forms = self.memory.forms(it, &call.inputs);
        self.queue.stacks().set_storages(self.memory.stats.live);
        if self.runs_here(it) {
            self.outcome.forms = forms;
            self.outcome.recorder = self.profile.is_some().then(|| Recorder::of(it, false));
            let ran = self.queue.run_here(it, &call.params, &call.results, commit, &mut self.outcome);
            if let Some(recorder) = self.outcome.recorder.take() {
                self.keep_events(recorder.events);
            }
            return ran;
        }
        let ticket = self.last_ticket + 1;
        let storages: Vec<StorageId> = call.outputs.iter().chain(&call.inputs).copied().collect();
        let oldest = self.pending.front().map_or(ticket, |first| first.ticket);
        let after: Vec<u64> =
            call.inputs.iter().map(|&id| self.memory.get(id).ticket).filter(|&ticket| ticket >= oldest).collect();
        let cancel = Arc::new(Cancel::new());
        let (params, results) = (call.params.clone(), call.results.clone());
        for renewed in &mut call.renews {
            renewed.is_overwritten = call.taken.contains(&Some(renewed.param));
        }
        let keeps = call.renews.iter().filter(|it| params[it.param] != results[it.result]).copied().collect();
        let (bound, cancelled, before) = (it.clone(), cancel.clone(), after.clone());
        let profiled = self.profile.is_some();
        let job =
            Job { ticket, bound, params, results, after: before, commit, keeps, cancel: cancelled, profiled, forms };
        self.queue.push(job)?;
        self.last_ticket = ticket;
        self.pending_bytes += it.input_bytes;
        storages.iter().for_each(|&id| self.memory.pin(id));
        // A result that is a parameter passed through is ready when the parameter is.
        for (&id, source) in call.outputs.iter().zip(&it.bound.main.sources) {
            if !matches!(*source, Source::Param(param) if call.inputs[param] == id) {
                self.memory.get_mut(id).ticket = ticket;
            }
        }
        let (results, input_bytes, renews) = (call.outputs.len(), it.input_bytes, call.renews.clone());
        self.pending.push_back(Pending {
            ticket,
            results,
            storages,
            input_bytes,
            after,
            renews,
            call: 0,
            abandoned: None,
            cancel,
        });
        self.unnamed = (it.asserts || it.is_long()).then_some(ticket);
        Ok(())
    }
}
