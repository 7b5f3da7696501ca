//! Runs programs for tests, on kernels that hash what they read: placed by `bind`, and with a buffer for every slot.

use crate::*;
use std::collections::HashMap;

/// Takes every record; its plan remembers how many bytes it reads and writes.
pub struct AnyPlanner;

#[derive(Debug)]
pub struct AnyPlan {
    ins: Vec<usize>,
    outs: Vec<usize>,
    /// How many of the operands are those of a kernel with a tail.
    pub kernel_ins: Option<usize>,
}

impl Planner for AnyPlanner {
    type Plan = AnyPlan;

    fn library(&mut self, _: Op, _: &BoundAttrs, ins: &[Shape], outs: &[Shape]) -> Result<Planned<AnyPlan>, Error> {
        let bytes = |shapes: &[Shape]| -> Vec<usize> { shapes.iter().map(Shape::bytes).collect() };
        let (ins, outs) = (bytes(ins), bytes(outs));
        // These kernels read all before they write.
        let overwrites = ins.iter().position(|&bytes| outs == [bytes]);
        let scratch = ins.len() * 40;
        Ok(Planned { plan: AnyPlan { ins, outs, kernel_ins: None }, scratch, overwrites })
    }

    fn fused(&mut self, it: BoundLoop) -> Result<Planned<AnyPlan>, Error> {
        let load = |load: &BoundLoad| {
            let last =
                it.extents.iter().zip(&load.strides).map(|(&n, &stride)| (n as i64 - 1) * stride.max(0)).sum::<i64>();
            if it.extents.contains(&0) { 0 } else { (load.offset + last + 1) as usize * load.dtype.size() }
        };
        let store = |store: &BoundStore| {
            let kept = it.extents.iter().enumerate().filter(|(i, _)| store.mask >> i & 1 == 0);
            kept.map(|(_, n)| n).product::<usize>() * store.dtype.size()
        };
        let (ins, outs) = (it.loads.iter().map(load).collect(), it.stores.iter().map(store).collect());
        Ok(Planned { plan: AnyPlan { ins, outs, kernel_ins: None }, scratch: 0, overwrites: None })
    }

    fn with_tail(
        &mut self,
        mut kernel: AnyPlan,
        kernel_ins: usize,
        tail: &BoundLoop,
    ) -> Result<Planned<AnyPlan>, AnyPlan> {
        let Ok(Planned { plan, .. }) = self.fused(tail.clone()) else { return Err(kernel) };
        let scratch = kernel.ins.len() * 40;
        kernel.kernel_ins = Some(kernel_ins);
        kernel.ins.extend(plan.ins);
        kernel.outs.extend(plan.outs);
        Ok(Planned { plan: kernel, scratch, overwrites: None })
    }
}

/// What every kernel computes here: bytes that depend on all bytes read.
fn compute(ins: &[&[u8]], outs: &[usize]) -> Vec<Vec<u8>> {
    let mut hash = 17_u64;
    for bytes in ins {
        hash = bytes
            .iter()
            .fold(hash ^ bytes.len() as u64, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    }
    outs.iter()
        .enumerate()
        .map(|(i, &bytes)| (0..bytes).map(|k| (hash >> (k % 8 * 8)) as u8 ^ (i + k) as u8).collect())
        .collect()
}

const TRIPS: usize = 3;

/// A buffer for every slot.
pub fn run_naive(program: &Program, region: &Region, args: &[Vec<u8>]) -> Vec<Vec<u8>> {
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
            Record::Library { op, ins, outs, regions, attrs } => {
                let args: Vec<Vec<u8>> = ins.iter().map(|slot| slots[slot].clone()).collect();
                let values = match op {
                    Op::Cond => run_naive(program, &regions[usize::from(args[0][0] & 1 == 0)], &args[1..]),
                    Op::Call => run_naive(program, &regions[0], &args),
                    Op::WhileLoop => naive_trips(program, regions, args, outs.len()).pop().unwrap_or_default(),
                    Op::WhileLoopBack => {
                        let (mut of_loop, carried) = (args, attr_ints(attrs, "carried")[0]);
                        let mut state = of_loop.split_off(of_loop.len() - outs.len());
                        let trips = naive_trips(program, regions, of_loop.clone(), carried);
                        for carry in trips.iter().rev().skip(1) {
                            let kept = attr_ints(attrs, "kept").into_iter().map(|i| carry[i].clone());
                            state.extend(kept.chain(of_loop[carried..].iter().cloned()));
                            state = run_naive(program, &regions[2], &state);
                        }
                        state
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

/// What a loop carries at the start of each trip, and after the last.
fn naive_trips(program: &Program, regions: &[Region], args: Vec<Vec<u8>>, carried: usize) -> Vec<Vec<Vec<u8>>> {
    let mut values = args;
    let mut trips = vec![values[..carried].to_vec()];
    for _ in 0..TRIPS {
        if run_naive(program, &regions[0], &values)[0][0] & 1 == 0 {
            break;
        }
        let next = run_naive(program, &regions[1], &values);
        trips.push(next.clone());
        values.splice(..carried, next);
    }
    trips
}

fn attr_ints(attrs: &[(String, Value)], name: &str) -> Vec<usize> {
    let int = |value: &Value| if let Value::Int(x) = value { *x as usize } else { unreachable!("{name} is integers") };
    match attrs.iter().find(|it| it.0 == name) {
        Some((_, Value::List(items))) => items.iter().map(int).collect(),
        Some((_, value)) => vec![int(value)],
        None => unreachable!("there is no {name}"),
    }
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

    /// A kernel and its tail work in turns: what the kernel reads is there to the end, as is its scratch, and what else
    /// the tail reads is there after the kernel has written its result.
    fn run_with_tail(
        &mut self,
        plan: &AnyPlan,
        kernel_ins: usize,
        ins: &[(usize, usize)],
        outs: &[(usize, usize)],
        scratch: (usize, usize),
    ) {
        let computed =
            |values: &[Vec<u8>], bytes: &[usize]| compute(&values.iter().map(Vec::as_slice).collect::<Vec<_>>(), bytes);
        let reads = |it: &Self, which: &[usize]| -> Vec<Vec<u8>> {
            which.iter().map(|&i| it.read(ins[i], plan.ins[i]).to_vec()).collect()
        };
        let of_kernel: Vec<usize> = (0..kernel_ins).collect();
        let of_tail: Vec<usize> = (kernel_ins..ins.len()).collect();
        let others: Vec<usize> = of_tail.iter().copied().filter(|&i| ins[i] != outs[0]).collect();
        let (operands, rest) = (reads(self, &of_kernel), reads(self, &others));
        let result = computed(&operands, &plan.outs[..1]);
        self.write(outs[0], &result[0]);
        self.write(scratch, &vec![0xcc; kernel_ins * 40]);
        assert_eq!(reads(self, &others), rest, "a kernel writes where its tail reads");
        let stores = computed(&reads(self, &of_tail), &plan.outs[1..]);
        outs[1..].iter().zip(&stores).for_each(|(&at, value)| self.write(at, value));
        assert_eq!(reads(self, &of_kernel), operands, "a tail stores where its kernel reads");
        assert!(self.read(scratch, kernel_ins * 40).iter().all(|&byte| byte == 0xcc), "a tail stores into scratch");
    }

    fn run(&mut self, frame: &Frame<AnyPlan>, places: &Places) {
        for step in &frame.steps {
            let inside = |arena: usize| (places.arena.0, places.arena.1 + arena);
            match step {
                Step::Kernel { plan: plan @ AnyPlan { kernel_ins: Some(count), .. }, ins, outs, scratch, .. } => {
                    let (ins, outs) = (places.all(ins), places.all(outs));
                    self.run_with_tail(plan, *count, &ins, &outs, inside(*scratch));
                }
                Step::Kernel { plan, ins, outs, scratch, op } => {
                    let values = {
                        let ins: Vec<&[u8]> =
                            places.all(ins).iter().zip(&plan.ins).map(|(&at, &n)| self.read(at, n)).collect();
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
                    let turns = [places.all(outs), places.all(spare)];
                    let params = places.all(args);
                    let (predicate, arena) = (places.of(*predicate), inside(*arena));
                    let end = self.trips(&frames[..2], params, &turns, predicate, arena, |_, _| ());
                    self.settle(&end, &turns[0], &frames[1].results);
                }
                Step::WhileBack { args, state, carry, spare_carry, outs, spare, kept, predicate, frames, arena } => {
                    let (predicate, arena) = (places.of(*predicate), inside(*arena));
                    let turns = [places.all(carry), places.all(spare_carry)];
                    let (params, constants) = (places.all(args), places.all(&args[carry.len()..]));
                    let mut stack = Vec::new();
                    self.trips(&frames[..2], params, &turns, predicate, arena, |it, carry| {
                        let row = |&i: &usize| it.read(carry[i], frames[0].params[i].bytes()).to_vec();
                        stack.push(kept.iter().map(row).collect::<Vec<_>>());
                    });
                    let turns = [places.all(outs), places.all(spare)];
                    let mut now = self.begin(places.all(state), &turns, &frames[2].results);
                    for (trip, row) in stack.into_iter().rev().enumerate() {
                        let first = self.buffers.len();
                        let mut params = now.clone();
                        params.extend((0..row.len()).map(|i| (first + i, 0)));
                        params.extend(&constants);
                        self.buffers.extend(row);
                        let results = turns[trip % 2].clone();
                        self.nested(&frames[2], Places { params, results: results.clone(), arena });
                        self.buffers.truncate(first);
                        now = results;
                    }
                    self.settle(&now, &turns[0], &frames[2].results);
                }
                Step::Print { .. } | Step::Assert { .. } => {}
            }
        }
    }

    /// Where the first trip of a loop finds what it carries: what is written in place has been copied there.
    fn begin(
        &mut self,
        mut args: Vec<(usize, usize)>,
        turns: &[Vec<(usize, usize)>; 2],
        shapes: &[Shape],
    ) -> Vec<(usize, usize)> {
        for (i, shape) in shapes.iter().enumerate() {
            if turns[0][i] == turns[1][i] {
                let value = self.read(args[i], shape.bytes()).to_vec();
                self.write(turns[0][i], &value);
                args[i] = turns[0][i];
            }
        }
        args
    }

    /// Brings what a loop carries at its end to its results.
    fn settle(&mut self, from: &[(usize, usize)], to: &[(usize, usize)], shapes: &[Shape]) {
        for ((&from, &to), shape) in from.iter().zip(to).zip(shapes) {
            let value = self.read(from, shape.bytes()).to_vec();
            self.write(to, &value);
        }
    }

    /// The trips of a loop; `each` sees what it carries at the start of each.
    fn trips(
        &mut self,
        frames: &[Frame<AnyPlan>],
        args: Vec<(usize, usize)>,
        turns: &[Vec<(usize, usize)>; 2],
        predicate: (usize, usize),
        arena: (usize, usize),
        mut each: impl FnMut(&Self, &[(usize, usize)]),
    ) -> Vec<(usize, usize)> {
        let mut params = self.begin(args, turns, &frames[1].results);
        for trip in 0..TRIPS {
            self.nested(&frames[0], Places { params: params.clone(), results: vec![predicate], arena });
            if self.read(predicate, 1)[0] & 1 == 0 {
                break;
            }
            each(self, &params);
            let results = turns[trip % 2].clone();
            self.nested(&frames[1], Places { params: params.clone(), results: results.clone(), arena });
            params.splice(..results.len(), results);
        }
        params
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
pub fn run_placed(program: &Program, bound: &Bound<AnyPlan>, args: &[Vec<u8>], donated: &[bool]) -> Vec<Vec<u8>> {
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
