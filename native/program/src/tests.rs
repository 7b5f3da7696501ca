//! Random programs, run twice: with the placement of `bind` on one arena, and with a buffer for every slot. And random damage.

use crate::random::random_program;
use crate::testing::{Builder, RegionBuilder, Rng, attr};
use crate::*;
use std::collections::HashMap;

/// Takes every record; its plan remembers how many bytes it reads and writes.
struct AnyPlanner;

#[derive(Debug)]
struct AnyPlan {
    ins: Vec<usize>,
    outs: Vec<usize>,
}

impl Planner for AnyPlanner {
    type Plan = AnyPlan;

    fn library(&mut self, _: Op, _: &BoundAttrs, ins: &[Shape], outs: &[Shape]) -> Result<Planned<AnyPlan>, Error> {
        let bytes = |shapes: &[Shape]| shapes.iter().map(Shape::bytes).collect();
        Ok(Planned { plan: AnyPlan { ins: bytes(ins), outs: bytes(outs) }, scratch: ins.len() * 40 })
    }

    fn fused(&mut self, it: BoundLoop) -> Result<Planned<AnyPlan>, Error> {
        let load = |load: &BoundLoad| {
            let last = it.extents.iter().zip(&load.strides).map(|(&n, &stride)| (n as i64 - 1) * stride.max(0)).sum::<i64>();
            if it.extents.contains(&0) { 0 } else { (load.offset + last + 1) as usize * load.dtype.size() }
        };
        let store = |store: &BoundStore| {
            let kept = it.extents.iter().enumerate().filter(|(i, _)| store.mask >> i & 1 == 0);
            kept.map(|(_, n)| n).product::<usize>() * store.dtype.size()
        };
        let (ins, outs) = (it.loads.iter().map(load).collect(), it.stores.iter().map(store).collect());
        Ok(Planned { plan: AnyPlan { ins, outs }, scratch: 0 })
    }
}

/// What every kernel computes here: bytes that depend on all bytes read.
fn compute(ins: &[&[u8]], outs: &[usize]) -> Vec<Vec<u8>> {
    let mut hash = 17_u64;
    for bytes in ins {
        hash = bytes.iter().fold(hash ^ bytes.len() as u64, |hash, &byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
    }
    outs.iter().enumerate().map(|(i, &bytes)| (0..bytes).map(|k| (hash >> (k % 8 * 8)) as u8 ^ (i + k) as u8).collect()).collect()
}

const TRIPS: usize = 3;

/// A buffer for every slot.
fn run_naive(program: &Program, region: &Region, args: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let sizes = |slot: u32| {
        let slot = &region.slots[slot as usize];
        let dims = slot.dims.iter().map(|&dim| match program.exprs[dim as usize] {
            Expr::Const(value) => value as usize,
            _ => unreachable!("random programs have constant sizes"),
        });
        dims.product::<usize>() * slot.dtype.size()
    };
    let mut slots: HashMap<u32, Vec<u8>> = args.iter().cloned().enumerate().map(|(i, arg)| (i as u32, arg)).collect();
    for record in &region.records {
        let (outs, values): (Vec<u32>, Vec<Vec<u8>>) = match record {
            Record::Constant { slot, index } => {
                let range = program.consts[*index as usize];
                (vec![*slot], vec![program.bytes[range.offset..range.offset + range.length].to_vec()])
            }
            Record::Alias { from, to } => (vec![*to], vec![slots[from].clone()]),
            Record::Loop(it) => {
                let ins: Vec<&[u8]> = it.loads.iter().map(|load| slots[&load.slot].as_slice()).collect();
                let outs: Vec<u32> = it.stores.iter().map(|store| store.slot).collect();
                let sizes: Vec<usize> = outs.iter().map(|&slot| sizes(slot)).collect();
                (outs, compute(&ins, &sizes))
            }
            Record::Library { op, ins, outs, regions, .. } => {
                let args: Vec<Vec<u8>> = ins.iter().map(|slot| slots[slot].clone()).collect();
                let values = match op {
                    Op::Cond => run_naive(program, &regions[usize::from(args[0][0] & 1 == 0)], &args[1..]),
                    Op::Call => run_naive(program, &regions[0], &args),
                    Op::WhileLoop => {
                        let mut carry = args;
                        for _ in 0..TRIPS {
                            if run_naive(program, &regions[0], &carry)[0][0] & 1 == 0 {
                                break;
                            }
                            let next = run_naive(program, &regions[1], &carry);
                            carry.splice(..next.len(), next);
                        }
                        carry[..outs.len()].to_vec()
                    }
                    _ => {
                        let args: Vec<&[u8]> = args.iter().map(Vec::as_slice).collect();
                        compute(&args, &outs.iter().map(|&slot| sizes(slot)).collect::<Vec<_>>())
                    }
                };
                (outs.clone(), values)
            }
        };
        slots.extend(outs.into_iter().zip(values));
    }
    region.results.iter().map(|slot| slots[slot].clone()).collect()
}

/// All memory of a placed run: buffers by number, and the arena.
struct Memory<'a> {
    buffers: Vec<Vec<u8>>,
    program: &'a Program,
}

/// Where parameters, results and the arena of a frame begin: (buffer, byte).
struct Places {
    params: Vec<(usize, usize)>,
    results: Vec<(usize, usize)>,
    arena: (usize, usize),
}

const CONST: usize = usize::MAX;

impl Places {
    fn of(&self, loc: Loc) -> (usize, usize) {
        match loc {
            Loc::Arena(offset) => (self.arena.0, self.arena.1 + offset),
            Loc::Const(offset) => (CONST, offset),
            Loc::Param(i) => self.params[i],
            Loc::Result(i) => self.results[i],
        }
    }

    fn all(&self, locs: &[Loc]) -> Vec<(usize, usize)> {
        locs.iter().map(|&loc| self.of(loc)).collect()
    }
}

impl Memory<'_> {
    fn read(&self, (buffer, at): (usize, usize), bytes: usize) -> &[u8] {
        match buffer {
            CONST => &self.program.bytes[at..at + bytes],
            _ => &self.buffers[buffer][at..at + bytes],
        }
    }

    fn write(&mut self, (buffer, at): (usize, usize), bytes: &[u8]) {
        self.buffers[buffer][at..at + bytes.len()].copy_from_slice(bytes);
    }

    fn run(&mut self, frame: &Frame<AnyPlan>, places: &Places) {
        for step in &frame.steps {
            let inside = |arena: usize| (places.arena.0, places.arena.1 + arena);
            match step {
                Step::Kernel { plan, ins, outs, scratch, op } => {
                    let values = {
                        let ins: Vec<&[u8]> = places.all(ins).iter().zip(&plan.ins).map(|(&at, &n)| self.read(at, n)).collect();
                        compute(&ins, &plan.outs)
                    };
                    if op.is_some() {
                        self.write(inside(*scratch), &vec![0xcc; plan.ins.len() * 40]);
                    }
                    places.all(outs).into_iter().zip(values).for_each(|(at, value)| self.write(at, &value));
                }
                Step::Cond { predicate, args, outs, branches, arena } => {
                    let branch = usize::from(self.read(places.of(*predicate), 1)[0] & 1);
                    let (params, results) = (places.all(args), places.all(outs));
                    self.nested(&branches[branch], Places { params, results, arena: inside(*arena) });
                }
                Step::Call { args, outs, frame, arena } => {
                    let (params, results) = (places.all(args), places.all(outs));
                    self.nested(frame, Places { params, results, arena: inside(*arena) });
                }
                Step::While { args, outs, spare, predicate, frames, arena } => {
                    let (mut params, turns) = (places.all(args), [places.all(outs), places.all(spare)]);
                    for trip in 0..TRIPS {
                        let results = vec![places.of(*predicate)];
                        self.nested(&frames[0], Places { params: params.clone(), results, arena: inside(*arena) });
                        if self.read(places.of(*predicate), 1)[0] & 1 == 0 {
                            break;
                        }
                        let results = turns[trip % 2].clone();
                        self.nested(&frames[1], Places { params: params.clone(), results: results.clone(), arena: inside(*arena) });
                        params.splice(..results.len(), results);
                    }
                    for ((&from, &to), shape) in params.iter().zip(&turns[0]).zip(&frames[1].results) {
                        let value = self.read(from, shape.bytes()).to_vec();
                        self.write(to, &value);
                    }
                }
                Step::Print { .. } | Step::Assert { .. } => {}
            }
        }
    }

    /// Runs a frame and copies the results that lie elsewhere.
    fn nested(&mut self, frame: &Frame<AnyPlan>, places: Places) {
        self.run(frame, &places);
        for (i, (source, shape)) in frame.sources.iter().zip(&frame.results).enumerate() {
            let from = match *source {
                Source::Own => continue,
                Source::Param(param) => places.params[param],
                Source::Const(offset) => (CONST, offset),
                Source::Same(earlier) => places.results[earlier],
            };
            let value = self.read(from, shape.bytes()).to_vec();
            self.write(places.results[i], &value);
        }
    }
}

/// Runs a bound program; the storage of the parameters in `donated` may be taken.
fn run_placed(program: &Program, bound: &Bound<AnyPlan>, args: &[Vec<u8>], donated: &[bool]) -> Vec<Vec<u8>> {
    let mut memory = Memory { buffers: args.to_vec(), program };
    let params: Vec<(usize, usize)> = (0..args.len()).map(|i| (i, 0)).collect();
    let mut results = Vec::new();
    for (i, shape) in bound.main.results.iter().enumerate() {
        match bound.takeovers.iter().find(|it| it.result == i && donated[it.param]) {
            Some(takeover) => results.push((takeover.param, 0)),
            None => {
                memory.buffers.push(vec![0xdd; shape.bytes()]);
                results.push((memory.buffers.len() - 1, 0));
            }
        }
    }
    memory.buffers.push(vec![0xee; bound.main.arena]);
    let arena = (memory.buffers.len() - 1, 0);
    memory.nested(&bound.main, Places { params, results: results.clone(), arena });
    results.iter().zip(&bound.main.results).map(|(&at, shape)| memory.read(at, shape.bytes()).to_vec()).collect()
}

#[test]
fn placed_programs_compute_what_separate_buffers_do() {
    let mut takeovers = 0;
    for seed in 0..4000 {
        let program = Program::decode(&random_program(seed)).unwrap();
        let bound = bind(&program, &[], &mut AnyPlanner).unwrap();
        let mut rng = Rng::new(seed);
        let args: Vec<Vec<u8>> =
            bound.main.params.iter().map(|shape| (0..shape.bytes()).map(|_| rng.next() as u8).collect()).collect();
        let want = run_naive(&program, &program.main, &args);
        let donated: Vec<bool> = args.iter().map(|_| rng.below(2) == 0).collect();
        assert_eq!(run_placed(&program, &bound, &args, &donated), want, "seed {seed}");
        assert_eq!(run_placed(&program, &bound, &args, &vec![true; args.len()]), want, "seed {seed}, all donated");
        takeovers += bound.takeovers.len();
    }
    assert!(takeovers > 300, "{takeovers} takeovers");
}

/// How often: MILLRACE_FUZZ, or 50,000 times.
#[test]
fn damaged_programs_are_refused_or_run() {
    let count: u64 = std::env::var("MILLRACE_FUZZ").ok().and_then(|text| text.parse().ok()).unwrap_or(50_000);
    let samples: Vec<Vec<u8>> = (0..64).map(random_program).collect();
    let mut rng = Rng::new(99);
    let (mut refused, mut ran) = (0, 0);
    for _ in 0..count {
        let mut bytes = samples[rng.below(samples.len())].clone();
        for _ in 0..1 + rng.below(3) {
            damage(&mut rng, &mut bytes);
        }
        let bound = Program::decode(&bytes).and_then(|program| {
            let sizes = vec![3; program.symbols];
            bind(&program, &sizes, &mut AnyPlanner).map(|bound| (program, bound))
        });
        let Ok((program, bound)) = bound else {
            refused += 1;
            continue;
        };
        let shapes = bound.main.params.iter().chain(&bound.main.results);
        if shapes.map(Shape::bytes).fold(bound.main.arena, usize::saturating_add) < 1 << 16 {
            let args: Vec<Vec<u8>> = bound.main.params.iter().map(|shape| vec![1; shape.bytes()]).collect();
            run_placed(&program, &bound, &args, &vec![true; args.len()]);
            ran += 1;
        }
    }
    assert!(refused > count / 10 && ran > count / 100, "{refused} refused, {ran} ran");
}

fn damage(rng: &mut Rng, bytes: &mut Vec<u8>) {
    let word = rng.below(bytes.len() / 4) * 4;
    match rng.below(6) {
        0 => bytes.truncate(rng.below(bytes.len()).max(8)),
        1 => {
            let at = rng.below(bytes.len());
            bytes[at] ^= 1 << rng.below(8);
        }
        2 => bytes[word..word + 4].copy_from_slice(&[0xff; 4]),
        3 => {
            let from = rng.below(bytes.len() / 4) * 4;
            bytes.copy_within(from..from + 4, word);
        }
        4 => {
            let value = u32::from_le_bytes([bytes[word], bytes[word + 1], bytes[word + 2], bytes[word + 3]]);
            let value = if rng.below(2) == 0 { value.wrapping_add(1) } else { value.wrapping_sub(1) };
            bytes[word..word + 4].copy_from_slice(&value.to_le_bytes());
        }
        _ => bytes[word..word + 4].copy_from_slice(&(rng.below(8) as u32).to_le_bytes()),
    }
}

/// y = x + x over a symbolic size n, and its sum.
fn doubled() -> Vec<u8> {
    let mut builder = Builder::new();
    let (zero, one) = (builder.size(0), builder.size(1));
    let n = builder.symbol();
    let limit = builder.size(100);
    builder.guard(1, n, limit);
    let mut main = RegionBuilder::new();
    let x = main.param(DType::Float32, &[n]);
    let y = main.slot(DType::Float32, &[n]);
    let total = main.slot(DType::Float32, &[]);
    main.fused(&[n], &[(x, zero, &[one])], &[(Op::Add, DType::Float32, &[0, 0], 0)], &[(y, 1, None, 0)]);
    main.fused(&[n], &[(y, zero, &[one])], &[], &[(total, 0, Some(Op::ReduceSum), 1)]);
    builder.finish(&main.finish(&[y, total]))
}

fn code<T>(result: Result<T, Error>) -> Option<Code> {
    result.err().map(|error| error.code)
}

#[test]
fn sizes_are_bound_and_guarded() {
    let program = Program::decode(&doubled()).unwrap();
    let bound = bind(&program, &[7], &mut AnyPlanner).unwrap();
    assert_eq!(bound.main.results[0].dims(), [7]);
    assert_eq!(bound.takeovers, [Takeover { result: 0, param: 0, step: 0 }]);
    assert_eq!(bind(&program, &[0], &mut AnyPlanner).unwrap().main.results[0].bytes(), 0);
    assert_eq!(code(bind(&program, &[101], &mut AnyPlanner)), Some(Code::Guard));
    assert_eq!(code(bind(&program, &[], &mut AnyPlanner)), Some(Code::Argument));
    assert_eq!(code(bind(&program, &[-1], &mut AnyPlanner)), Some(Code::Shape));
}

#[test]
fn other_versions_are_named() {
    let mut bytes = doubled();
    bytes[4] = 2;
    assert_eq!(code(Program::decode(&bytes)), Some(Code::Version));
    bytes[4] = 1;
    bytes[8] ^= 1;
    assert_eq!(code(Program::decode(&bytes)), Some(Code::Version));
    assert_eq!(code(Program::decode(&bytes[..3])), Some(Code::Format));
    assert_eq!(code(Program::decode(b"no program at all")), Some(Code::Format));
}

#[test]
fn a_load_must_stay_inside_its_buffer() {
    for (offset, stride, fits) in [(0, 1, true), (7, -1, true), (1, 1, false), (0, 2, false), (6, -1, false), (-1, 1, false), (0, i64::MAX, false)] {
        let mut builder = Builder::new();
        let (n, offset_at, stride_at) = (builder.size(8), builder.size(offset), builder.size(stride));
        let mut main = RegionBuilder::new();
        let x = main.param(DType::Int32, &[n]);
        let y = main.slot(DType::Int32, &[n]);
        main.fused(&[n], &[(x, offset_at, &[stride_at])], &[(Op::Neg, DType::Int32, &[0], 0)], &[(y, 1, None, 0)]);
        let program = Program::decode(&builder.finish(&main.finish(&[y]))).unwrap();
        let bound = bind(&program, &[], &mut AnyPlanner);
        assert_eq!(bound.is_ok(), fits, "offset {offset}, stride {stride}");
        if let Ok(bound) = bound {
            assert_eq!(bound.takeovers.len(), usize::from(stride == 1), "only a dense load may be overwritten");
        }
    }
}

#[test]
fn a_class_read_in_two_ways_is_not_overwritten() {
    let mut builder = Builder::new();
    let (zero, one, n, last, back) = (builder.size(0), builder.size(1), builder.size(8), builder.size(7), builder.size(-1));
    let mut main = RegionBuilder::new();
    let x = main.param(DType::Float32, &[n]);
    let alias = main.slot(DType::Float32, &[n]);
    let y = main.slot(DType::Float32, &[n]);
    main.alias(x, alias);
    main.fused(
        &[n],
        &[(x, zero, &[one]), (alias, last, &[back])],
        &[(Op::Add, DType::Float32, &[0, 1], 0)],
        &[(y, 2, None, 0)],
    );
    let program = Program::decode(&builder.finish(&main.finish(&[y]))).unwrap();
    assert_eq!(bind(&program, &[], &mut AnyPlanner).unwrap().takeovers, []);
}

#[test]
fn nothing_is_taken_over_before_an_assertion() {
    let mut builder = Builder::new();
    let (zero, one, n) = (builder.size(0), builder.size(1), builder.size(8));
    let mut main = RegionBuilder::new();
    let (x, ok) = (main.param(DType::Float32, &[n]), main.param(DType::Bool, &[]));
    let (y, z) = (main.slot(DType::Float32, &[n]), main.slot(DType::Float32, &[n]));
    main.fused(&[n], &[(x, zero, &[one])], &[(Op::Neg, DType::Float32, &[0], 0)], &[(y, 1, None, 0)]);
    main.library(Op::Assert, &[ok, y], &[z], &[("message", attr::string("positive"))], &[]);
    let program = Program::decode(&builder.finish(&main.finish(&[z]))).unwrap();
    assert_eq!(bind(&program, &[], &mut AnyPlanner).unwrap().takeovers, []);
}
