//! Random programs for tests.

use crate::testing::{Builder, RegionBuilder, Rng, TestStore, Words, attr};
use crate::{DType, Op};

/// Draws programs whose sizes are constant.
struct Random {
    rng: Rng,
    builder: Builder,
    sizes: Vec<u32>,
}

const DTYPES_USED: [DType; 4] = [DType::Float32, DType::Int32, DType::Float64, DType::Bool];

impl Random {
    fn new(seed: u64) -> Random {
        let mut builder = Builder::new();
        let sizes = [0, 1, 2, 4, 8, 30].map(|size| builder.size(size)).to_vec();
        Random { rng: Rng::new(seed), builder, sizes }
    }

    fn aval(&mut self) -> (DType, Vec<u32>) {
        let dims = (0..self.rng.below(3)).map(|_| self.sizes[1 + self.rng.below(5) % 4]).collect();
        (DTYPES_USED[self.rng.below(4)], dims)
    }

    /// A region with these parameters and, where given, results of these avals; the result avals come back.
    fn region(&mut self, params: &[Aval], wanted: Option<&[Aval]>, depth: usize) -> (Words, Vec<Aval>) {
        let mut it = RegionBuilder::new();
        let mut known: Vec<(u32, Aval)> = params.iter().map(|p| (it.param(p.0, &p.1), p.clone())).collect();
        for _ in 0..1 + self.rng.below(9) {
            self.record(&mut it, &mut known, depth);
        }
        let avals: Vec<Aval> = match wanted {
            Some(avals) => avals.to_vec(),
            None => (0..self.rng.below(4)).map(|_| known[self.rng.below(known.len())].1.clone()).collect(),
        };
        let mut results = Vec::new();
        for aval in &avals {
            let same: Vec<u32> = known.iter().filter(|it| it.1 == *aval).map(|it| it.0).collect();
            if !same.is_empty() && self.rng.below(4) > 0 {
                results.push(same[self.rng.below(same.len())]);
            } else {
                results.push(self.library(&mut it, &mut known, aval.clone()));
            }
        }
        (it.finish(&results), avals)
    }

    fn library(&mut self, it: &mut RegionBuilder, known: &mut Vec<(u32, Aval)>, out: Aval) -> u32 {
        let ins: Vec<u32> = (0..self.rng.below(3)).filter_map(|_| self.any(known).map(|it| it.0)).collect();
        let slot = it.slot(out.0, &out.1);
        it.library(Op::DotGeneral, &ins, &[slot], &[("axes", attr::ints(&[1, 2]))], &[]);
        known.push((slot, out));
        slot
    }

    fn any(&mut self, known: &[(u32, Aval)]) -> Option<(u32, Aval)> {
        (!known.is_empty()).then(|| known[self.rng.below(known.len())].clone())
    }

    fn record(&mut self, it: &mut RegionBuilder, known: &mut Vec<(u32, Aval)>, depth: usize) {
        let choice = self.rng.below(if depth == 0 { 7 } else { 11 });
        let Some((from, aval)) = self.any(known).filter(|_| choice > 1) else {
            let out = self.aval();
            self.library(it, known, out);
            return;
        };
        match choice {
            2 => {
                let to = it.slot(aval.0, &aval.1);
                it.alias(from, to);
                known.push((to, aval));
            }
            3..=5 => self.elementwise(it, known, from, aval),
            6 => {
                let index = self.builder.constant(&[1; 8]);
                let slot = it.slot(DType::Float64, &[]);
                it.constant(slot, index);
                known.push((slot, (DType::Float64, vec![])));
            }
            _ => self.control(it, known, choice, depth),
        }
    }

    /// out = in + in, densely; of two where another has the same aval.
    fn elementwise(&mut self, it: &mut RegionBuilder, known: &mut Vec<(u32, Aval)>, from: u32, aval: Aval) {
        let others: Vec<u32> = known.iter().filter(|it| it.1 == aval).map(|it| it.0).collect();
        let other = others[self.rng.below(others.len())];
        let sizes: Vec<i64> = aval.1.iter().map(|&dim| [0, 1, 2, 4, 8, 30][dim as usize]).collect();
        let strides: Vec<u32> =
            (0..sizes.len()).map(|i| sizes[i + 1..].iter().product()).map(|stride| self.builder.size(stride)).collect();
        let loads = [(from, self.sizes[0], &strides[..]), (other, self.sizes[0], &strides[..])];
        let op = if aval.0 == DType::Bool { Op::And } else { Op::Add };
        let outs: Vec<u32> = (0..1 + self.rng.below(2)).map(|_| it.slot(aval.0, &aval.1)).collect();
        let stores: Vec<TestStore> = outs.iter().map(|&out| (out, 2, None, 0)).collect();
        it.fused(&aval.1, &loads, &[(op, aval.0, &[0, 1], 0)], &stores);
        known.extend(outs.into_iter().map(|out| (out, aval.clone())));
    }

    fn control(&mut self, it: &mut RegionBuilder, known: &mut Vec<(u32, Aval)>, choice: usize, depth: usize) {
        let args: Vec<(u32, Aval)> = (0..1 + self.rng.below(3)).filter_map(|_| self.any(known)).collect();
        let (mut ins, avals): (Vec<u32>, Vec<Aval>) = args.into_iter().unzip();
        let (op, regions, results, attrs) = match choice {
            7 => {
                let predicate = self.library(it, known, (DType::Bool, vec![]));
                ins.insert(0, predicate);
                let (then, results) = self.region(&avals, None, depth - 1);
                let (other, _) = self.region(&avals, Some(&results), depth - 1);
                (Op::Cond, vec![then, other], results, vec![])
            }
            8 => {
                let carried = 1 + self.rng.below(avals.len());
                let (condition, _) = self.region(&avals, Some(&[(DType::Bool, vec![])]), depth - 1);
                let (body, results) = self.region(&avals, Some(&avals[..carried]), depth - 1);
                (Op::WhileLoop, vec![condition, body], results, vec![("carried", attr::int(carried as i64))])
            }
            9 => {
                let carried = 1 + self.rng.below(avals.len());
                let (condition, _) = self.region(&avals, Some(&[(DType::Bool, vec![])]), depth - 1);
                let (body, _) = self.region(&avals, Some(&avals[..carried]), depth - 1);
                let kept: Vec<usize> = (0..carried).filter(|_| self.rng.below(2) == 0).collect();
                let state: Vec<(u32, Aval)> = (0..1 + self.rng.below(2)).filter_map(|_| self.any(known)).collect();
                let (state_ins, results): (Vec<u32>, Vec<Aval>) = state.into_iter().unzip();
                let mut given = results.clone();
                given.extend(kept.iter().map(|&i| avals[i].clone()).chain(avals[carried..].iter().cloned()));
                let (back, _) = self.region(&given, Some(&results), depth - 1);
                ins.extend(state_ins);
                let kept: Vec<i64> = kept.into_iter().map(|i| i as i64).collect();
                let attrs = vec![("carried", attr::int(carried as i64)), ("kept", attr::ints(&kept))];
                (Op::WhileLoopBack, vec![condition, body, back], results, attrs)
            }
            _ => {
                let (body, results) = self.region(&avals, None, depth - 1);
                (Op::Call, vec![body], results, vec![])
            }
        };
        let outs: Vec<u32> = results.iter().map(|aval| it.slot(aval.0, &aval.1)).collect();
        it.library(op, &ins, &outs, &attrs, &regions);
        known.extend(outs.into_iter().zip(results));
    }
}

type Aval = (DType, Vec<u32>);

pub fn random_program(seed: u64) -> Vec<u8> {
    let mut it = Random::new(seed);
    let params: Vec<Aval> = (0..it.rng.below(4)).map(|_| it.aval()).collect();
    let (main, _) = it.region(&params, None, 2);
    it.builder.finish(&main)
}
