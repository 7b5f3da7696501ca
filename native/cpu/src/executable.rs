//! Executables: a decoded program, and what binding makes of it.

use crate::device::INLINE_NS;
use crate::packed::{Wish, wishes};
use crate::profile::Label;
use millrace_kernels::{LoopPlan, Plan, library, with_tail};
use millrace_program::{
    Bound, BoundAttrs, BoundLoop, Code, Error, Frame, Kind, Loc, Op, Planned, Planner, Program, Shape, Source, Step,
    bind,
};
use std::ops::Deref;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, OnceLock};

/// A kernel of a program. One that was bound to be profiled says what it is.
pub struct Kernel {
    plan: Box<dyn Plan>,
    pub label: Option<Arc<Label>>,
}

impl Deref for Kernel {
    type Target = dyn Plan;

    #[inline]
    fn deref(&self) -> &(dyn Plan + 'static) {
        &*self.plan
    }
}

pub type CpuFrame = Frame<Kernel>;
pub type CpuStep = Step<Kernel>;

/// A program for one tuple of sizes, ready to run.
pub struct BoundProgram {
    pub program: Arc<Program>,
    pub bound: Bound<Kernel>,
    sizes: Box<[i64]>,
    /// The same with labels, made when it is first profiled.
    labelled: OnceLock<Option<Bound<Kernel>>>,
    /// Bytes of the parameters and results.
    pub params: Vec<usize>,
    pub results: Vec<usize>,
    pub input_bytes: usize,
    /// Estimated ns on one thread; infinite with a loop whose trips are not known.
    pub cost: f64,
    /// Whether it holds an assertion.
    pub asserts: bool,
    pub direct: Option<Direct>,
    /// The number of the executable, one that no other has; and the weights that its kernels wish to have packed.
    pub executable: u64,
    pub wishes: Vec<Wish>,
    /// Of its first result; see origins.rs.
    pub origin: AtomicU64,
}

/// A program of one kernel that reads parameters only and writes the only result: what eager code runs most.
pub struct Direct {
    /// Which parameters the kernel reads.
    pub reads: [u8; Direct::MAX],
    pub count: usize,
}

impl Direct {
    pub const MAX: usize = 4;

    fn of(frame: &CpuFrame) -> Option<Direct> {
        let [Step::Kernel { ins, outs, .. }] = frame.steps.as_slice() else { return None };
        let own = *outs == [Loc::Result(0)] && frame.sources == [Source::Own];
        if !own || frame.arena > 0 || ins.len() > Direct::MAX {
            return None;
        }
        let mut reads = [0; Direct::MAX];
        for (read, loc) in reads.iter_mut().zip(ins) {
            let Loc::Param(param) = loc else { return None };
            *read = u8::try_from(*param).ok()?;
        }
        Some(Direct { reads, count: ins.len() })
    }
}

/// Whether this backend runs an op as one record; `narrow`: on 16-bit floats.
pub fn claims(op: Op, narrow: bool) -> bool {
    if narrow {
        return library(op).is_some_and(|kernel| kernel.takes_narrow());
    }
    let own = [Op::Identity, Op::StopGradient, Op::Reshape, Op::Bitcast, Op::OptimizationBarrier, Op::WhileLoopBack];
    matches!(op.kind(), Kind::Control | Kind::Effect) || own.contains(&op) || library(op).is_some()
}

struct CpuPlanner {
    labels: bool,
}

impl Planner for CpuPlanner {
    type Plan = Kernel;

    fn library(&mut self, op: Op, attrs: &BoundAttrs, ins: &[Shape], outs: &[Shape]) -> Result<Planned<Kernel>, Error> {
        let Some(kernel) = library(op) else {
            return Err(Error::new(Code::Unimplemented, "the CPU backend has no such kernel"));
        };
        let plan = kernel.check(ins, outs, attrs)?;
        let label = self.labels.then(|| Arc::new(Label::of_library(op, ins, outs, plan.flops())));
        Ok(Planned { scratch: plan.scratch_bytes(), overwrites: plan.overwrites(), plan: Kernel { plan, label } })
    }

    fn fused(&mut self, it: BoundLoop) -> Result<Planned<Kernel>, Error> {
        let plan = LoopPlan::new(&it)?;
        let label = self.labels.then(|| Arc::new(Label::of_loop(&it)));
        Ok(Planned { scratch: plan.scratch_bytes(), overwrites: None, plan: Kernel { plan: Box::new(plan), label } })
    }

    fn with_tail(&mut self, kernel: Kernel, kernel_ins: usize, tail: &BoundLoop) -> Result<Planned<Kernel>, Kernel> {
        let Kernel { plan, label } = kernel;
        match with_tail(plan, kernel_ins, tail) {
            Ok(plan) => {
                let label = label.map(|label| Arc::new(label.with_tail(Label::of_loop(tail))));
                Ok(Planned { scratch: plan.scratch_bytes(), overwrites: None, plan: Kernel { plan, label } })
            }
            Err(plan) => Err(Kernel { plan, label }),
        }
    }
}

impl BoundProgram {
    /// Whether it is queued rather than run by the caller.
    #[inline]
    pub fn is_long(&self) -> bool {
        self.cost >= INLINE_NS
    }

    pub fn new(program: &Arc<Program>, executable: u64, sizes: &[i64]) -> Result<BoundProgram, Error> {
        let bound = bind(program, sizes, &mut CpuPlanner { labels: false })?;
        let bytes = |shapes: &[Shape]| -> Vec<usize> { shapes.iter().map(Shape::bytes).collect() };
        Ok(BoundProgram {
            program: program.clone(),
            params: bytes(&bound.main.params),
            results: bytes(&bound.main.results),
            input_bytes: bound.main.params.iter().map(Shape::bytes).fold(0, usize::saturating_add),
            cost: cost(&bound.main),
            asserts: asserts(&bound.main),
            direct: Direct::of(&bound.main),
            executable,
            wishes: wishes(&bound.main.steps),
            origin: AtomicU64::new(0),
            sizes: sizes.into(),
            labelled: OnceLock::new(),
            bound,
        })
    }

    /// The same steps and places, with kernels that say what they are.
    pub fn labelled(&self) -> &Bound<Kernel> {
        let bind = || bind(&self.program, &self.sizes, &mut CpuPlanner { labels: true }).ok();
        self.labelled.get_or_init(bind).as_ref().unwrap_or(&self.bound)
    }
}

fn cost(frame: &CpuFrame) -> f64 {
    let steps = frame.steps.iter().map(|step| match step {
        Step::Kernel { plan, .. } => plan.cost_ns(),
        Step::Cond { branches, .. } => cost(&branches[0]).max(cost(&branches[1])),
        Step::While { .. } | Step::WhileBack { .. } => f64::INFINITY,
        Step::Call { frame, .. } => cost(frame),
        Step::Print { .. } | Step::Assert { .. } => 0.0,
    });
    steps.sum()
}

fn asserts(frame: &CpuFrame) -> bool {
    frame.steps.iter().any(|step| match step {
        Step::Cond { branches, .. } => branches.iter().any(asserts),
        Step::While { frames, .. } => frames.iter().any(asserts),
        Step::WhileBack { frames, .. } => frames.iter().any(asserts),
        Step::Call { frame, .. } => asserts(frame),
        Step::Assert { .. } => true,
        Step::Kernel { .. } | Step::Print { .. } => false,
    })
}
