//! What kernels did and how long it took, while somebody profiles.

use crate::device::Device;
use crate::executable::BoundProgram;
use millrace_program::{BoundLoop, Op, Shape};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What a kernel is, in the words of a profile.
#[derive(Debug, PartialEq)]
pub struct Label {
    /// One op, or those that a loop has fused.
    pub ops: Vec<&'static str>,
    pub ins: Vec<String>,
    pub outs: Vec<String>,
    pub flops: f64,
    /// Bytes read and written, if each is touched once.
    pub bytes: f64,
}

impl Label {
    pub fn of_library(op: Op, ins: &[Shape], outs: &[Shape], flops: f64) -> Label {
        let text = |shapes: &[Shape]| shapes.iter().map(Shape::to_string).collect();
        let bytes = ins.iter().chain(outs).map(|shape| shape.bytes() as f64).sum();
        Label { ops: vec![op.name()], ins: text(ins), outs: text(outs), flops, bytes }
    }

    pub fn of_loop(it: &BoundLoop) -> Label {
        let elements: f64 = it.extents.iter().map(|&extent| extent as f64).product();
        // What a load or a store walks: the extents along which it moves, all others where it is reduced or repeated.
        let walked = |moves: &dyn Fn(usize) -> bool| -> Vec<usize> {
            it.extents.iter().enumerate().filter(|&(i, &n)| n != 1 && moves(i)).map(|(_, &n)| n).collect()
        };
        let loads = it.loads.iter().map(|load| (load.dtype, walked(&|i| load.strides[i] != 0)));
        let stores = it.stores.iter().map(|store| (store.dtype, walked(&|i| store.mask >> i & 1 == 0)));
        let text = |(dtype, dims): &(millrace_program::DType, Vec<usize>)| {
            let dims: Vec<String> = dims.iter().map(usize::to_string).collect();
            format!("{}[{}]", dtype.name(), dims.join(","))
        };
        let (loads, stores): (Vec<_>, Vec<_>) = (loads.collect(), stores.collect());
        let all = loads.iter().chain(&stores);
        let bytes = all.map(|(dtype, dims)| dims.iter().map(|&n| n as f64).product::<f64>() * dtype.size() as f64);
        let counted = |op: Op| !matches!(op, Op::Constant | Op::Iota | Op::Bitcast);
        let computed = it.instrs.iter().map(|instr| instr.op).filter(|&op| counted(op));
        let reduced = it.stores.iter().filter_map(|store| store.reduce);
        let mut ops: Vec<&str> = computed.chain(reduced).map(Op::name).collect();
        if ops.is_empty() {
            ops.push("copy");
        }
        Label {
            flops: if ops == ["copy"] { 0.0 } else { ops.len() as f64 * elements },
            ops,
            ins: loads.iter().map(text).collect(),
            outs: stores.iter().map(text).collect(),
            bytes: bytes.sum(),
        }
    }

    /// That of a kernel and the loop on the parts of its result, which are read while they are in the caches.
    pub fn with_tail(&self, tail: Label) -> Label {
        let result = tail.ins.iter().position(|load| self.outs.first() == Some(load));
        let ins = tail.ins.iter().enumerate().filter(|&(i, _)| Some(i) != result).map(|(_, load)| load);
        Label {
            ops: self.ops.iter().chain(&tail.ops).copied().collect(),
            ins: self.ins.iter().chain(ins).cloned().collect(),
            outs: tail.outs,
            flops: self.flops + tail.flops,
            bytes: self.bytes + tail.bytes,
        }
    }
}

/// One run of one kernel.
pub struct Event {
    pub label: Arc<Label>,
    /// The origin of its program's first result; see origins.rs.
    pub program: u64,
    /// Whether the queue's thread ran it.
    pub queued: bool,
    pub start: Instant,
    pub time: Duration,
}

/// The events of one run.
pub struct Recorder {
    pub program: u64,
    pub queued: bool,
    pub events: Vec<Event>,
}

impl Recorder {
    pub fn of(it: &BoundProgram, queued: bool) -> Recorder {
        Recorder { program: it.origin.load(std::sync::atomic::Ordering::Relaxed), queued, events: Vec::new() }
    }

    /// Runs a kernel and notes how long it took.
    pub fn time(&mut self, label: &Arc<Label>, run: impl FnOnce()) {
        let start = Instant::now();
        run();
        let time = start.elapsed();
        self.events.push(Event { label: label.clone(), program: self.program, queued: self.queued, start, time });
    }
}

impl Device {
    /// From now on every kernel's time is noted.
    pub fn start_profile(&mut self) {
        self.profile = Some((Instant::now(), Vec::new()));
    }

    /// What ran since, and when that was.
    pub fn stop_profile(&mut self) -> (Instant, Vec<Event>) {
        self.wait_all();
        self.retire();
        self.profile.take().unwrap_or_else(|| (Instant::now(), Vec::new()))
    }

    /// Takes over what a run has noted.
    pub(crate) fn keep_events(&mut self, events: Vec<Event>) {
        if let Some((_, kept)) = &mut self.profile {
            kept.extend(events);
        }
    }
}
