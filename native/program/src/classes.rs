//! Which slots share bytes, how long these live, and where they lie.

use crate::bound::{Loc, Source, Takeover};
use crate::error::Error;
use crate::place::{Block, Placement, place};
use crate::shape::Shape;
use std::collections::HashMap;

const UNDEFINED: usize = usize::MAX;
/// The last use of what a frame returns.
const FOREVER: usize = usize::MAX;

#[derive(Clone, Copy)]
enum Origin {
    Param(usize),
    Const(usize),
    /// Written by a step.
    Made,
}

/// The slots that share bytes, by aliasing.
struct Class {
    origin: Origin,
    bytes: usize,
    /// The last step that reads or writes it; `None` for a parameter or constant never read.
    last: Option<usize>,
    result: Option<usize>,
}

#[derive(Default)]
struct Step {
    reads: Vec<usize>,
    outs: Vec<usize>,
    /// Classes (read, written): the step may write into what it reads.
    in_place: Vec<(usize, usize)>,
    temporaries: Vec<usize>,
}

pub struct Classes<'a> {
    shapes: &'a [Shape],
    class_of: Vec<usize>,
    classes: Vec<Class>,
    steps: Vec<Step>,
}

/// Classes one after the other in the same bytes.
struct Chain {
    first: usize,
    start: usize,
    end: usize,
    bytes: usize,
    result: Option<usize>,
}

/// Which results may take over the storage of which parameters.
#[derive(Clone, Copy)]
pub enum Taking {
    /// Any of any, by steps after the last that can fail.
    AfterStep(Option<usize>),
    /// Each that of the parameter with its number: what a loop carries.
    Own,
}

pub struct Placed {
    locs: Vec<Loc>,
    class_of: Vec<usize>,
    pub sources: Vec<Source>,
    pub takeovers: Vec<Takeover>,
    /// For each step the arena offsets of its temporaries.
    pub temporaries: Vec<Vec<usize>>,
    pub arena: usize,
    pub live: usize,
}

impl Placed {
    pub fn loc(&self, slot: u32) -> Loc {
        self.locs[self.class_of[slot as usize]]
    }
}

impl<'a> Classes<'a> {
    pub fn new(shapes: &'a [Shape], params: usize) -> Classes<'a> {
        let mut it =
            Classes { shapes, class_of: vec![UNDEFINED; shapes.len()], classes: Vec::new(), steps: Vec::new() };
        for slot in 0..params {
            it.add(slot, Origin::Param(slot), None);
        }
        it
    }

    fn add(&mut self, slot: usize, origin: Origin, last: Option<usize>) -> usize {
        self.class_of[slot] = self.classes.len();
        self.classes.push(Class { origin, bytes: self.shapes[slot].bytes(), last, result: None });
        self.classes.len() - 1
    }

    pub fn constant(&mut self, slot: u32, offset: usize) -> Result<(), Error> {
        self.add(slot as usize, Origin::Const(offset), None);
        Ok(())
    }

    pub fn alias(&mut self, from: u32, to: u32) -> Result<(), Error> {
        let (a, b) = (&self.shapes[from as usize], &self.shapes[to as usize]);
        if a.bytes() != b.bytes() {
            return Err(Error::shape(format!("{a} has other bytes than {b}")));
        }
        // An argument may be aligned to its own elements only.
        if a.dtype().size() != b.dtype().size() {
            return Err(Error::dtype(format!("{a} has elements of another width than {b}")));
        }
        self.class_of[to as usize] = self.class_of[from as usize];
        Ok(())
    }

    /// Whether two slots have the same bytes.
    pub fn share(&self, a: u32, b: u32) -> bool {
        self.class_of[a as usize] == self.class_of[b as usize]
    }

    /// The next step. Of `in_place` (slot read, slot written) those pairs count for which all that is read of a class
    /// may be overwritten.
    pub fn step(&mut self, ins: &[u32], outs: &[u32], in_place: &[(u32, u32)], temporaries: &[usize]) {
        self.steps.push(Step::default());
        self.join(ins, outs, in_place, temporaries);
    }

    /// What runs in turns with the last step, part by part: nothing that either reads dies before both end, and what
    /// the step so far reads is not overwritten. `temporaries` are those of both.
    pub fn join(&mut self, ins: &[u32], outs: &[u32], in_place: &[(u32, u32)], temporaries: &[usize]) {
        let Some(step) = self.steps.len().checked_sub(1) else { return };
        let class = |slot: u32| self.class_of[slot as usize];
        let reads: Vec<usize> = ins.iter().map(|&slot| class(slot)).collect();
        let mut by_class: Vec<(usize, u32)> = ins.iter().map(|&slot| (class(slot), slot)).collect();
        by_class.sort_unstable();
        by_class.dedup();
        // Whether a class is read through one slot only, as nearly all are.
        let alone = |class: usize| {
            let first = by_class.partition_point(|it| it.0 < class);
            by_class.get(first + 1).is_none_or(|next| next.0 != class)
        };
        let mut pairs = Vec::with_capacity(in_place.len());
        for &(from, to) in in_place {
            let alone = alone(class(from));
            let whole = alone || ins.iter().all(|&slot| class(slot) != class(from) || in_place.contains(&(slot, to)));
            let is_new = alone || !pairs.contains(&(class(from), to));
            if whole && is_new && !self.steps[step].reads.contains(&class(from)) {
                pairs.push((class(from), to));
            }
        }
        for &read in &reads {
            self.classes[read].last = Some(step);
        }
        for &slot in outs {
            let out = self.add(slot as usize, Origin::Made, Some(step));
            self.steps[step].outs.push(out);
        }
        let pairs = pairs.into_iter().map(|(from, to)| (from, self.class_of[to as usize]));
        self.steps[step].in_place.extend(pairs);
        self.steps[step].reads.extend(reads);
        self.steps[step].temporaries = temporaries.to_vec();
    }

    /// Places everything.
    pub fn place(mut self, results: &[u32], taking: Taking) -> Result<Placed, Error> {
        let sources = self.sources(results);
        let (chains, chain_of) = self.chains();
        let takeovers = self.takeovers(&chains, taking);
        let mut blocks = Vec::new();
        let mut block_of = Vec::with_capacity(chains.len());
        for chain in &chains {
            block_of.push(blocks.len());
            if chain.result.is_none() {
                blocks.push(Block { bytes: chain.bytes, start: chain.start, end: chain.end });
            }
        }
        let held = blocks.len();
        for (start, step) in self.steps.iter().enumerate() {
            blocks.extend(step.temporaries.iter().map(|&bytes| Block { bytes, start, end: start }));
        }
        let Placement { offsets, arena, live } = place(&blocks)?;
        let mut rest = offsets[held..].iter().copied();
        let temporaries = self.steps.iter().map(|step| rest.by_ref().take(step.temporaries.len()).collect()).collect();
        let locs = self.classes.iter().enumerate().map(|(class, it)| match it.origin {
            Origin::Param(param) => Loc::Param(param),
            Origin::Const(offset) => Loc::Const(offset),
            Origin::Made => match chains[chain_of[class]].result {
                Some(result) => Loc::Result(result),
                None => Loc::Arena(offsets[block_of[chain_of[class]]]),
            },
        });
        Ok(Placed { locs: locs.collect(), class_of: self.class_of, sources, takeovers, temporaries, arena, live })
    }

    fn sources(&mut self, results: &[u32]) -> Vec<Source> {
        let mut sources = Vec::with_capacity(results.len());
        for (index, &slot) in results.iter().enumerate() {
            let class = &mut self.classes[self.class_of[slot as usize]];
            class.last = Some(FOREVER);
            sources.push(match (class.origin, class.result) {
                (Origin::Param(param), _) => Source::Param(param),
                (Origin::Const(offset), _) => Source::Const(offset),
                (Origin::Made, Some(earlier)) => Source::Same(earlier),
                (Origin::Made, None) => Source::Own,
            });
            if matches!(class.origin, Origin::Made) && class.result.is_none() {
                class.result = Some(index);
            }
        }
        sources
    }

    /// Lets a class written in place continue the chain of the class it overwrites.
    fn chains(&self) -> (Vec<Chain>, Vec<usize>) {
        let mut chains: Vec<Chain> = Vec::new();
        let mut chain_of = vec![UNDEFINED; self.classes.len()];
        for (start, step) in self.steps.iter().enumerate() {
            let mut taken = Vec::new();
            for &out in &step.outs {
                let class = &self.classes[out];
                let dying =
                    |from: usize| self.classes[from].last == Some(start) && self.classes[from].bytes == class.bytes;
                let from = step.in_place.iter().filter(|pair| pair.1 == out && dying(pair.0)).map(|pair| pair.0);
                let from: Vec<usize> = from.collect();
                // A result had better take over a parameter than the arena's bytes.
                let param = class.result.is_some() && from.iter().any(|&from| self.is_param(from));
                let made = from.iter().copied().find(|&from| chain_of[from] != UNDEFINED && !taken.contains(&from));
                let end = class.last.unwrap_or(start);
                chain_of[out] = match made.filter(|_| !param) {
                    Some(from) => {
                        taken.push(from);
                        let chain = &mut chains[chain_of[from]];
                        (chain.end, chain.result) = (end, class.result);
                        chain_of[from]
                    }
                    None => {
                        chains.push(Chain { first: out, start, end, bytes: class.bytes, result: class.result });
                        chains.len() - 1
                    }
                };
            }
        }
        (chains, chain_of)
    }

    fn is_param(&self, class: usize) -> bool {
        matches!(self.classes[class].origin, Origin::Param(_))
    }

    fn takeovers(&self, chains: &[Chain], taking: Taking) -> Vec<Takeover> {
        let mut takeovers: Vec<Takeover> = Vec::new();
        let mut free: HashMap<usize, Vec<(usize, usize)>> = HashMap::new();
        for (class, it) in self.classes.iter().enumerate() {
            if let Origin::Param(param) = it.origin
                && it.bytes > 0
                && it.last != Some(FOREVER)
            {
                free.entry(it.bytes).or_default().push((param, class));
            }
        }
        // First those that a step may overwrite as it reads them, then those that nothing reads any more.
        for overwrite in [true, false] {
            for chain in chains {
                let Some(result) = chain.result else { continue };
                let is_late = !matches!(taking, Taking::AfterStep(failing) if failing >= Some(chain.start));
                if !is_late || takeovers.iter().any(|it| it.result == result) {
                    continue;
                }
                let Some(params) = free.get_mut(&chain.bytes) else { continue };
                let fits = |&(param, class): &(usize, usize)| {
                    if matches!(taking, Taking::Own) && param != result {
                        return false;
                    }
                    let last = self.classes[class].last;
                    if overwrite {
                        last == Some(chain.start) && self.steps[chain.start].in_place.contains(&(class, chain.first))
                    } else {
                        last < Some(chain.start)
                    }
                };
                if let Some(at) = params.iter().position(fits) {
                    let (param, _) = params.swap_remove(at);
                    takeovers.push(Takeover { result, param, step: chain.start });
                }
            }
        }
        takeovers
    }
}
