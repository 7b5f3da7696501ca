//! Binding: symbols get their values, every shape and index range is proven, buffers are placed.

use crate::bind_loop::{bind_loop, dimension, in_place, is_elementwise_on};
use crate::bind_while::{LoopOperands, turns};
use crate::bound::{Bound, Frame, Loc, Planned, Planner, Step, Takeover};
use crate::classes::{Classes, Taking};
use crate::decode::{Program, Record, Region, Value};
use crate::error::Error;
use crate::eval::Values;
use crate::generated::{DType, Op};
use crate::loops::BoundLoop;
use crate::shape::{BoundAttrs, BoundValue, Shape};

/// Binds `program` to the sizes of its symbols.
pub fn bind<P: Planner>(program: &Program, sizes: &[i64], planner: &mut P) -> Result<Bound<P::Plan>, Error> {
    let mut binder = Binder { program, values: Values::new(program, sizes)?, planner };
    let (main, takeovers) = binder.frame(&program.main, false)?;
    Ok(Bound { main, takeovers })
}

pub(crate) struct Binder<'a, P: Planner> {
    program: &'a Program,
    values: Values,
    planner: &'a mut P,
}

/// A step whose buffers are still slots, and the temporaries it needs: their bytes, in the order of `Draft::finish`.
struct Draft<P> {
    step: DraftStep<P>,
    ins: Vec<u32>,
    outs: Vec<u32>,
    /// Operands and results that may lie in one place.
    in_place: Vec<(u32, u32)>,
    temporaries: Vec<usize>,
}

pub(crate) enum DraftStep<P> {
    Kernel(Option<Op>, P),
    Cond(Box<[Frame<P>; 2]>),
    While(Box<[Frame<P>; 2]>, Vec<bool>),
    /// The numbers of the carried values that are kept, how many operands the state follows, and for both whether they
    /// are written in place.
    WhileBack(Box<[Frame<P>; 3]>, Vec<usize>, usize, [Vec<bool>; 2]),
    Call(Box<Frame<P>>),
    Print(String, Shape),
    Assert(String),
}

impl<P: Planner> Binder<'_, P> {
    /// A region, and what its results may take over: those of a loop's body what they carry on.
    pub(crate) fn frame(&mut self, region: &Region, is_body: bool) -> Result<(Frame<P::Plan>, Vec<Takeover>), Error> {
        let shapes = region
            .slots
            .iter()
            .map(|slot| {
                let dims = slot.dims.iter().map(|&dim| self.values.size(dim)).collect::<Result<_, _>>()?;
                Shape::new(slot.dtype, dims)
            })
            .collect::<Result<Vec<Shape>, Error>>()?;
        let mut classes = Classes::new(&shapes, region.params);
        let mut drafts = Vec::new();
        for record in &region.records {
            self.record(record, &shapes, &mut classes, &mut drafts)
                .map_err(|error| Error { message: format!("{}: {}", name(record), error.message), ..error })?;
        }
        let taking = if is_body { Taking::Own } else { Taking::AfterStep(drafts.iter().rposition(can_fail)) };
        let placed = classes.place(&region.results, taking)?;
        let loc = |slots: &[u32]| -> Vec<Loc> { slots.iter().map(|&slot| placed.loc(slot)).collect() };
        let steps = drafts.into_iter().enumerate();
        let steps = steps.map(|(i, draft)| draft.finish(&loc, &placed.temporaries[i])).collect();
        let frame = Frame {
            params: shapes[..region.params].to_vec(),
            results: region.results.iter().map(|&slot| shapes[slot as usize].clone()).collect(),
            sources: placed.sources.clone(),
            steps,
            arena: placed.arena,
            live: placed.live,
        };
        Ok((frame, placed.takeovers))
    }

    fn record(
        &mut self,
        record: &Record,
        shapes: &[Shape],
        classes: &mut Classes,
        drafts: &mut Vec<Draft<P::Plan>>,
    ) -> Result<(), Error> {
        let draft = match record {
            Record::Constant { slot, index } => {
                let (constant, shape) = (self.program.consts[*index as usize], &shapes[*slot as usize]);
                if constant.length != shape.bytes() {
                    return Err(Error::format(format!("a constant of {} bytes for {shape}", constant.length)));
                }
                return classes.constant(*slot, constant.offset);
            }
            Record::Alias { from, to } => return classes.alias(*from, *to),
            Record::Library { op, ins, outs, attrs, regions } => {
                match op {
                    Op::Identity | Op::StopGradient | Op::Reshape | Op::Bitcast | Op::OptimizationBarrier => {
                        return aliases(ins, outs, classes);
                    }
                    Op::Print | Op::Assert => aliases(&ins[ins.len().saturating_sub(1)..], outs, classes)?,
                    _ => {}
                }
                self.library(*op, ins, outs, attrs, regions, shapes)?
            }
            Record::Loop(it) => {
                let bound = bind_loop(it, &self.values, shapes)?;
                let in_place = in_place(&bound, it, shapes);
                let ins: Vec<u32> = it.loads.iter().map(|load| load.slot).collect();
                let outs: Vec<u32> = it.stores.iter().map(|store| store.slot).collect();
                if let Some(kernel) = drafts.pop_if(|draft| draft.takes_tail(&bound, &ins, shapes, classes)) {
                    let (draft, joined) = self.with_tail(kernel, &bound, &ins, &outs);
                    if joined {
                        classes.join(&ins, &outs, &in_place, &draft.temporaries);
                    }
                    drafts.push(draft);
                    if joined {
                        return Ok(());
                    }
                }
                let planned = self.planner.fused(bound)?;
                let draft = DraftStep::Kernel(None, planned.plan);
                classes.step(&ins, &outs, &in_place, &[planned.scratch]);
                drafts.push(Draft { step: draft, ins, outs, in_place, temporaries: vec![planned.scratch] });
                return Ok(());
            }
        };
        let outs =
            if matches!(draft.step, DraftStep::Print(..) | DraftStep::Assert(_)) { &[][..] } else { &draft.outs };
        classes.step(&draft.ins, outs, &draft.in_place, &draft.temporaries);
        drafts.push(draft);
        Ok(())
    }

    /// Joins a kernel and the loop that follows it; false where the planner does not.
    fn with_tail(
        &mut self,
        kernel: Draft<P::Plan>,
        it: &BoundLoop,
        ins: &[u32],
        outs: &[u32],
    ) -> (Draft<P::Plan>, bool) {
        let DraftStep::Kernel(op, plan) = kernel.step else { return (kernel, false) };
        match self.planner.with_tail(plan, kernel.ins.len(), it) {
            Err(plan) => (Draft { step: DraftStep::Kernel(op, plan), ..kernel }, false),
            Ok(Planned { plan, scratch, .. }) => {
                let (ins, outs) = ([&kernel.ins, ins].concat(), [&kernel.outs, outs].concat());
                let step = DraftStep::Kernel(op, plan);
                (Draft { step, ins, outs, in_place: vec![], temporaries: vec![scratch] }, true)
            }
        }
    }

    fn library(
        &mut self,
        op: Op,
        ins: &[u32],
        outs: &[u32],
        attrs: &[(String, Value)],
        regions: &[Region],
        shapes: &[Shape],
    ) -> Result<Draft<P::Plan>, Error> {
        let attrs = BoundAttrs(
            attrs.iter().map(|(name, value)| Ok((name.clone(), self.value(value)?))).collect::<Result<_, Error>>()?,
        );
        let of = |slots: &[u32]| -> Vec<Shape> { slots.iter().map(|&slot| shapes[slot as usize].clone()).collect() };
        let (in_shapes, out_shapes) = (of(ins), of(outs));
        if op == Op::Dimension && !ins.is_empty() {
            return Err(Error::format("dimension takes nothing"));
        }
        let mut in_place = Vec::new();
        let (step, temporaries) = match op {
            Op::Cond => self.cond(&in_shapes, &out_shapes, regions)?,
            Op::WhileLoop | Op::WhileLoopBack => {
                let it =
                    LoopOperands { slots: (ins, outs), ins: &in_shapes, outs: &out_shapes, regions, attrs: &attrs };
                let drafted = if op == Op::WhileLoop { self.while_loop(it)? } else { self.while_back(it)? };
                in_place = drafted.in_place;
                (drafted.step, drafted.temporaries)
            }
            Op::Call => {
                let [region] = regions else { return Err(Error::format("call takes one region")) };
                let frame = self.nested(region, &in_shapes, &out_shapes)?;
                let temporaries = vec![frame.arena];
                (DraftStep::Call(Box::new(frame)), temporaries)
            }
            Op::Print if ins.len() != 1 => return Err(Error::format("print takes one value")),
            Op::Print => (DraftStep::Print(attrs.str("message")?.to_owned(), in_shapes[0].clone()), vec![]),
            Op::Assert => {
                if ins.len() != 2 || !is_predicate(&in_shapes[0]) {
                    return Err(Error::format("assert takes a scalar bool and a value"));
                }
                (DraftStep::Assert(attrs.str("message")?.to_owned()), vec![])
            }
            Op::Dimension => {
                let [out] = out_shapes.as_slice() else { return Err(Error::format("dimension has one result")) };
                let planned = self.planner.fused(dimension(out, attrs.int("size")?)?)?;
                (DraftStep::Kernel(Some(op), planned.plan), vec![planned.scratch])
            }
            _ => {
                let planned = self.planner.library(op, &attrs, &in_shapes, &out_shapes)?;
                if let (Some(from), [out]) = (planned.overwrites, outs)
                    && ins.iter().filter(|&&slot| slot == ins[from]).count() == 1
                {
                    in_place.push((ins[from], *out));
                }
                (DraftStep::Kernel(Some(op), planned.plan), vec![planned.scratch])
            }
        };
        Ok(Draft { step, ins: ins.to_vec(), outs: outs.to_vec(), in_place, temporaries })
    }

    fn cond(&mut self, ins: &[Shape], outs: &[Shape], regions: &[Region]) -> Result<Drafted<P::Plan>, Error> {
        let [then, other] = regions else { return Err(Error::format("cond takes two regions")) };
        let Some((predicate, args)) = ins.split_first().filter(|(predicate, _)| is_predicate(predicate)) else {
            return Err(Error::format("cond takes a scalar bool first"));
        };
        debug_assert!(is_predicate(predicate));
        let branches = [self.nested(other, args, outs)?, self.nested(then, args, outs)?];
        let temporaries = vec![branches[0].arena.max(branches[1].arena)];
        Ok((DraftStep::Cond(Box::new(branches)), temporaries))
    }

    /// A nested region; its parameters and results must have these shapes.
    pub(crate) fn nested(
        &mut self,
        region: &Region,
        params: &[Shape],
        results: &[Shape],
    ) -> Result<Frame<P::Plan>, Error> {
        fits(self.frame(region, false)?.0, params, results)
    }

    fn value(&self, value: &Value) -> Result<BoundValue, Error> {
        Ok(match value {
            Value::Int(x) => BoundValue::Int(*x),
            Value::Float(x) => BoundValue::Float(*x),
            Value::Bool(x) => BoundValue::Bool(*x),
            Value::Str(x) => BoundValue::Str(x.clone()),
            Value::List(items) => {
                BoundValue::List(items.iter().map(|item| self.value(item)).collect::<Result<_, _>>()?)
            }
            Value::Expr(expr) => BoundValue::Int(self.values.get(*expr)?),
            Value::Bytes(bytes) => BoundValue::Bytes(bytes.clone()),
        })
    }
}

type Drafted<P> = (DraftStep<P>, Vec<usize>);

impl<P> Draft<P> {
    /// Whether it is a kernel of one result, apart from its operands, that `tail` reads only at the index that it is at.
    fn takes_tail(&self, tail: &BoundLoop, ins: &[u32], shapes: &[Shape], classes: &Classes) -> bool {
        let ([result], DraftStep::Kernel(Some(_), _)) = (self.outs.as_slice(), &self.step) else { return false };
        self.in_place.is_empty()
            && is_elementwise_on(tail, &shapes[*result as usize], |load| classes.share(ins[load], *result))
    }

    fn finish(self, loc: &dyn Fn(&[u32]) -> Vec<Loc>, temporaries: &[usize]) -> Step<P> {
        let (ins, outs) = (loc(&self.ins), loc(&self.outs));
        match self.step {
            DraftStep::Kernel(op, plan) => Step::Kernel { op, plan, ins, outs, scratch: temporaries[0] },
            DraftStep::Cond(branches) => {
                Step::Cond { predicate: ins[0], args: ins[1..].to_vec(), outs, branches, arena: temporaries[0] }
            }
            DraftStep::While(frames, in_place) => Step::While {
                args: ins,
                spare: turns(&outs, &temporaries[2..], &in_place),
                outs,
                predicate: Loc::Arena(temporaries[1]),
                frames,
                arena: temporaries[0],
            },
            DraftStep::WhileBack(frames, kept, state, [carry_in_place, state_in_place]) => {
                let (carry, spares) = temporaries[2..].split_at(carry_in_place.len());
                let (spare_carry, spare) = spares.split_at(carry.len());
                let carry: Vec<Loc> = carry.iter().map(|&offset| Loc::Arena(offset)).collect();
                Step::WhileBack {
                    args: ins[..state].to_vec(),
                    state: ins[state..].to_vec(),
                    spare_carry: turns(&carry, spare_carry, &carry_in_place),
                    carry,
                    spare: turns(&outs, spare, &state_in_place),
                    outs,
                    kept,
                    predicate: Loc::Arena(temporaries[1]),
                    frames,
                    arena: temporaries[0],
                }
            }
            DraftStep::Call(frame) => Step::Call { args: ins, outs, frame, arena: temporaries[0] },
            DraftStep::Print(message, shape) => Step::Print { message, shape, value: ins[0] },
            DraftStep::Assert(message) => Step::Assert { message, predicate: ins[0] },
        }
    }
}

/// A frame whose parameters and results have these shapes.
pub(crate) fn fits<P>(frame: Frame<P>, params: &[Shape], results: &[Shape]) -> Result<Frame<P>, Error> {
    if frame.params != params || frame.results != results {
        return Err(Error::shape("the parameters or results of a region differ from the operands or results outside"));
    }
    Ok(frame)
}

/// Whether a step can stop the program: an assertion, or a loop, which must be open to cancellation.
fn can_fail<P>(draft: &Draft<P>) -> bool {
    fn frame<P>(it: &Frame<P>) -> bool {
        it.steps.iter().any(|step| match step {
            Step::Assert { .. } | Step::While { .. } | Step::WhileBack { .. } => true,
            Step::Cond { branches, .. } => branches.iter().any(frame),
            Step::Call { frame: inner, .. } => frame(inner),
            Step::Kernel { .. } | Step::Print { .. } => false,
        })
    }
    match &draft.step {
        DraftStep::Assert(_) | DraftStep::While(..) | DraftStep::WhileBack(..) => true,
        DraftStep::Cond(branches) => branches.iter().any(frame),
        DraftStep::Call(inner) => frame(inner),
        DraftStep::Kernel(..) | DraftStep::Print(..) => false,
    }
}

fn is_predicate(shape: &Shape) -> bool {
    shape.dtype() == DType::Bool && shape.rank() == 0
}

fn aliases(ins: &[u32], outs: &[u32], classes: &mut Classes) -> Result<(), Error> {
    if ins.len() != outs.len() {
        return Err(Error::format(format!("{} operands and {} results", ins.len(), outs.len())));
    }
    ins.iter().zip(outs).try_for_each(|(&from, &to)| classes.alias(from, to))
}

fn name(record: &Record) -> &'static str {
    match record {
        Record::Constant { .. } => "constant",
        Record::Alias { .. } => "alias",
        Record::Library { op, .. } => op.name(),
        Record::Loop(_) => "loop",
    }
}
