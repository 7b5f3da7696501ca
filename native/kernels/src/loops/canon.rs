//! From a loop kernel to a pass: which stores go together, in which order the space is walked, what each tile computes.

use super::chain;
use super::elementwise;
use super::order::{dense_strides, order};
use super::reduce::Reducer;
use super::steps::{TileStep, steps};
use super::stream;
use super::transpose::StridedCopy;
use crate::Error;
use crate::isa::Isa;
use millrace_program::{BoundLoop, DType, NONE, Op};

const MAX_TILE: usize = 1024;
/// Estimated ns of work that a chunk aims at, and the bounds of its elements.
const CHUNK_NS: f64 = 15_000.0;
const GRAIN: std::ops::RangeInclusive<usize> = 4096..=65536;

/// One walk over the iteration space `[outer, run, inner]`, row-major, in tiles of flat positions. `run` is reduced (1
/// without reductions); each of the three may stand for several merged extents, which `extents` keeps apart where a
/// source needs it.
pub struct Pass {
    pub extents: Vec<usize>,
    pub outer: usize,
    pub run: usize,
    pub inner: usize,
    pub sources: Vec<Source>,
    pub steps: Vec<TileStep>,
    /// The bytes of an element of each value: sources first, then what steps make.
    pub sizes: Vec<usize>,
    /// Where the buffer of each value is, in bytes, and how many all have.
    pub places: Vec<usize>,
    pub buffer_bytes: usize,
    /// Of each value what chains want to know: see `Chained`.
    pub walks: Vec<usize>,
    pub run_chain: chain::Run,
    pub tile: usize,
    pub dense: Vec<DenseStore>,
    pub reduces: Vec<ReduceStore>,
    /// Operands and results are far larger than the caches: see stream.rs.
    pub streams: bool,
    pub write_around: unsafe fn(stream::Write),
    /// Estimated ns an element.
    pub element_cost: f64,
    /// Elements that a chunk aims at, a multiple of the tile.
    pub grain: usize,
}

/// A value that a tile starts from.
pub struct Source {
    pub kind: SourceKind,
    pub dtype: DType,
    /// One a canonical extent, in elements.
    pub strides: Vec<i64>,
    pub walk: Walk,
    /// Brings a transposed operand into iteration order first, at this byte of the scratch memory.
    pub copy: Option<(StridedCopy, usize)>,
}

pub enum SourceKind {
    /// Element `offset + Σ index · stride` of an input.
    Load {
        input: usize,
        offset: i64,
    },
    /// The number Σ index · stride itself.
    Iota,
    Constant(u64),
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Walk {
    /// The same element everywhere.
    Splat,
    /// The same elements in every tile: a vector along the innermost extent, of which a tile holds a multiple.
    Periodic,
    /// Flat position p is element p.
    Dense,
    Strided,
}

pub struct DenseStore {
    pub value: u32,
    pub out: usize,
    pub size: usize,
    /// Steps may write the value where it is stored, unless that is where one of these inputs lies.
    pub direct: Option<Vec<usize>>,
}

pub struct ReduceStore {
    pub value: u32,
    pub out: usize,
    pub reducer: Reducer,
}

fn malformed(what: &str) -> Error {
    Error::argument(format!("loop kernel: {what}"))
}

impl Pass {
    /// Without `copies` every operand is read where it lies, so the pass needs no scratch memory for them.
    pub fn new(kernel: &BoundLoop, stores: &[usize], mask: u32, copies: bool, isa: Isa) -> Result<Pass, Error> {
        let rank = kernel.extents.len();
        if rank < 32 && mask >> rank != 0 {
            return Err(malformed("a mask names an extent that is not there"));
        }
        let bytes = kernel.extents.iter().try_fold(8usize, |n, &e| n.checked_mul(e.max(1)));
        bytes.filter(|&n| isize::try_from(n).is_ok()).ok_or_else(|| malformed("too many elements"))?;
        let order = order(&kernel.extents, mask);
        let mut pass = Pass {
            extents: order.iter().map(|&k| kernel.extents[k]).collect(),
            outer: 1,
            run: 1,
            inner: 1,
            sources: Vec::new(),
            steps: Vec::new(),
            sizes: Vec::new(),
            places: Vec::new(),
            buffer_bytes: 0,
            walks: Vec::new(),
            run_chain: chain::runner(isa),
            tile: MAX_TILE,
            dense: Vec::new(),
            reduces: Vec::new(),
            streams: false,
            write_around: stream::writer(isa),
            element_cost: 0.0,
            grain: 0,
        };
        let first_reduced = order.iter().position(|&k| mask >> k & 1 == 1).unwrap_or(order.len());
        for (at, &k) in order.iter().enumerate() {
            let part = match (mask >> k & 1 == 1, at < first_reduced) {
                (true, _) => &mut pass.run,
                (false, true) => &mut pass.outer,
                (false, false) => &mut pass.inner,
            };
            *part *= kernel.extents[k];
        }
        pass.translate(kernel, stores, &order, isa)?;
        let reduced: Vec<bool> = order.iter().map(|&k| mask >> k & 1 == 1).collect();
        pass.merge(reduced);
        pass.choose_walks(copies);
        pass.streams = pass.reduces.is_empty() && pass.streamed_bytes() >= stream::WORTH;
        if pass.streams {
            pass.tile = stream::TILE;
        }
        pass.allocate_buffers();
        pass.find_direct();
        let wanted = CHUNK_NS / pass.element_cost.max(0.01);
        pass.grain = (wanted as usize).clamp(*GRAIN.start(), *GRAIN.end()).next_multiple_of(pass.tile);
        Ok(pass)
    }

    /// Takes over the values that `stores` need, with fresh numbers.
    fn translate(&mut self, kernel: &BoundLoop, stores: &[usize], order: &[usize], isa: Isa) -> Result<(), Error> {
        let loads = kernel.loads.len();
        let count = loads + kernel.instrs.len();
        let mut needed = vec![false; count];
        for &s in stores {
            let value = kernel.stores[s].value as usize;
            *needed.get_mut(value).ok_or_else(|| malformed("a store of an unknown value"))? = true;
        }
        for i in (0..kernel.instrs.len()).rev() {
            let instr = &kernel.instrs[i];
            let arity = elementwise::arity(instr.op).ok_or_else(|| malformed("an op that is not elementwise"))?;
            for (n, &arg) in instr.args.iter().enumerate() {
                if (n < arity) != (arg != NONE) || (arg != NONE && arg as usize >= loads + i) {
                    return Err(malformed("an operand of an instruction"));
                }
                if arg != NONE && needed[loads + i] {
                    needed[arg as usize] = true;
                }
            }
        }
        // Sources first, so that steps can be numbered after them.
        let mut number = vec![NONE; count];
        for (input, load) in kernel.loads.iter().enumerate() {
            if load.strides.len() != kernel.extents.len() {
                return Err(malformed("a load with another rank"));
            }
            if needed[input] {
                number[input] = self.sources.len() as u32;
                let strides = order.iter().map(|&k| load.strides[k]).collect();
                self.add_source(SourceKind::Load { input, offset: load.offset }, load.dtype, strides);
            }
        }
        for (i, instr) in kernel.instrs.iter().enumerate().filter(|&(i, _)| needed[loads + i]) {
            match instr.op {
                Op::Constant => {
                    number[loads + i] = self.sources.len() as u32;
                    let bits = match instr.dtype {
                        DType::Bool => u64::from(instr.immediate & 0xff != 0),
                        _ => instr.immediate,
                    };
                    self.add_source(SourceKind::Constant(bits), instr.dtype, vec![0; order.len()]);
                }
                Op::Iota => {
                    let axis = usize::try_from(instr.immediate).ok().filter(|&axis| axis < kernel.extents.len());
                    let axis = axis.ok_or_else(|| malformed("an iota along an extent that is not there"))?;
                    number[loads + i] = self.sources.len() as u32;
                    self.add_source(
                        SourceKind::Iota,
                        instr.dtype,
                        order.iter().map(|&k| i64::from(k == axis)).collect(),
                    );
                }
                _ => {}
            }
        }
        self.sizes = self.sources.iter().map(|source| source.dtype.size()).collect();
        self.steps = steps(kernel, stores, &needed, &mut number, &mut self.sizes, isa)?;
        for (instr, _) in kernel.instrs.iter().zip(&needed[loads..]).filter(|(_, needed)| **needed) {
            let operand = instr.args[(instr.op == Op::Select) as usize];
            if operand != NONE {
                self.element_cost += elementwise::cost(instr.op, kernel.value_dtype(operand));
            }
        }
        for &s in stores {
            let store = &kernel.stores[s];
            let value = number[store.value as usize];
            if kernel.value_dtype(store.value) != store.dtype {
                return Err(Error::dtype("loop kernel: a store of another dtype"));
            }
            self.element_cost += 0.05 * store.dtype.size() as f64;
            match store.reduce {
                None => self.dense.push(DenseStore { value, out: s, size: store.dtype.size(), direct: None }),
                Some(op) => {
                    let reducer = Reducer::new(isa, op, store.dtype)
                        .ok_or_else(|| Error::dtype(format!("loop kernel: {} of {}", op.name(), store.dtype.name())))?;
                    self.reduces.push(ReduceStore { value, out: s, reducer });
                }
            }
        }
        Ok(())
    }

    fn add_source(&mut self, kind: SourceKind, dtype: DType, strides: Vec<i64>) {
        self.element_cost += 0.05 * dtype.size() as f64;
        self.sources.push(Source { kind, dtype, strides, walk: Walk::Strided, copy: None });
    }

    /// Drops extents of one and merges neighbours that every source walks as one.
    fn merge(&mut self, mut reduced: Vec<bool>) {
        let mut k = 0;
        while k < self.extents.len() {
            if self.extents[k] == 1 {
                self.extents.remove(k);
                reduced.remove(k);
                for source in &mut self.sources {
                    source.strides.remove(k);
                }
            } else {
                k += 1;
            }
        }
        let mut k = 1;
        while k < self.extents.len() {
            let extent = self.extents[k] as i64;
            let joins = |source: &Source| source.strides[k - 1] == source.strides[k].wrapping_mul(extent);
            if reduced[k - 1] == reduced[k] && self.sources.iter().all(joins) {
                self.extents[k] *= self.extents[k - 1];
                self.extents.remove(k - 1);
                reduced.remove(k - 1);
                for source in &mut self.sources {
                    source.strides.remove(k - 1);
                }
            } else {
                k += 1;
            }
        }
    }

    fn choose_walks(&mut self, copies: bool) {
        let mut scratch = 0;
        let dense = dense_strides(&self.extents);
        let maps = self.reduces.is_empty();
        for source in &mut self.sources {
            let load = matches!(source.kind, SourceKind::Load { .. });
            if load
                && copies
                && let Some((copy, strides)) = StridedCopy::wanted(&self.extents, &source.strides, source.dtype.size())
            {
                source.strides = strides;
                let bytes = copy.bytes().next_multiple_of(64);
                source.copy = Some((copy, scratch));
                scratch += bytes;
            }
            source.walk = if source.strides.iter().all(|&s| s == 0) {
                Walk::Splat
            } else if load && source.strides == dense {
                Walk::Dense
            } else if load && maps && self.extents.len() > 1 && is_vector(&source.strides) {
                Walk::Periodic // if it suits the tile
            } else {
                Walk::Strided
            };
        }
    }

    /// Makes the tile a multiple of the innermost extent where vectors along it are wanted, or gives those up.
    pub fn fit_tile_to_vectors(&mut self) {
        let Some(&period) = self.extents.last() else { return };
        // A multiple of 16 too: it is walked in whole vectors.
        let unit = period.max(1) << (4 - period.trailing_zeros().min(4));
        let fits = unit <= self.tile;
        let mut any = false;
        for source in self.sources.iter_mut().filter(|source| source.walk == Walk::Periodic) {
            any = true;
            if !fits {
                source.walk = Walk::Strided;
            }
        }
        if any && fits {
            self.tile -= self.tile % unit;
        }
    }

    fn streamed_bytes(&self) -> usize {
        let dense = self.sources.iter().filter(|source| source.walk == Walk::Dense).map(|source| source.dtype.size());
        let bytes: usize = dense.chain(self.dense.iter().map(|store| store.size)).sum();
        bytes * self.extents.iter().product::<usize>()
    }

    /// Bytes of scratch that copies of transposed operands take; partial results of reductions follow them.
    pub fn copy_bytes(&self) -> usize {
        let ends = self.sources.iter().filter_map(|source| source.copy.as_ref());
        ends.map(|(copy, at)| at + copy.bytes().next_multiple_of(64)).max().unwrap_or(0)
    }
}

/// Whether only the innermost extent moves, by one.
fn is_vector(strides: &[i64]) -> bool {
    strides.split_last().is_some_and(|(&inner, outer)| inner == 1 && outer.iter().all(|&s| s == 0))
}
