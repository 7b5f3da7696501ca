//! Where the values of a tile lie: in buffers, which are used again, or where they are stored.

use super::canon::{Pass, Source, SourceKind, Walk};
use super::chain::LONGEST;
use super::steps::TileStep;

/// Bytes of tile buffers that a pass aims at: most of a first-level cache.
const TILE_MEMORY: usize = 32 * 1024;
const MIN_TILE: usize = 64;

impl Pass {
    /// Linear scan: a buffer is free after the last step that reads its value.
    pub fn allocate_buffers(&mut self) {
        let (sources, values) = (self.sources.len(), self.sizes.len());
        let mut last = vec![0usize; values];
        let mut in_chains = vec![true; values];
        for (i, step) in self.steps.iter().enumerate() {
            for v in step.reads() {
                last[v as usize] = i;
                in_chains[v as usize] &= matches!(step, TileStep::Chain { .. });
            }
        }
        for v in self.dense.iter().map(|s| s.value).chain(self.reduces.iter().map(|s| s.value)) {
            (last[v as usize], in_chains[v as usize]) = (usize::MAX, false);
        }
        // Filled once, kept.
        let kept = |source: &Source| matches!(source.walk, Walk::Splat | Walk::Periodic);
        (0..sources).filter(|&v| kept(&self.sources[v])).for_each(|v| last[v] = usize::MAX);
        let short = |v: usize| v < sources && self.sources[v].walk == Walk::Splat && in_chains[v];
        self.walks = (0..values).map(|v| if short(v) { 0 } else { usize::MAX }).collect();
        let (mut next, mut buffers) = (0, vec![0; values]);
        for v in (0..sources).filter(|&v| self.walks[v] != 0) {
            (buffers[v], next) = (next, next + 1);
        }
        let mut free = Vec::new();
        for (i, step) in self.steps.iter().enumerate() {
            for &v in step.outs() {
                buffers[v as usize] = free.pop().unwrap_or_else(|| {
                    next += 1;
                    next - 1
                });
            }
            for v in step.reads() {
                if last[v as usize] == i {
                    last[v as usize] = usize::MAX; // freed once
                    if self.walks[v as usize] != 0 {
                        free.push(buffers[v as usize]);
                    }
                }
            }
        }
        let widest = self.sizes.iter().copied().max().unwrap_or(1);
        while self.tile > MIN_TILE && next * self.tile * widest > TILE_MEMORY {
            self.tile /= 2;
        }
        let total: usize = self.extents.iter().product();
        self.tile = self.tile.min(total.next_multiple_of(16).max(16));
        self.fit_tile_to_vectors();
        let bytes = (self.tile * widest).next_multiple_of(64);
        self.places = buffers.into_iter().map(|buffer| buffer * bytes).collect();
        self.buffer_bytes = next * bytes;
        for v in (0..values).filter(|&v| self.walks[v] == 0) {
            self.places[v] = self.buffer_bytes;
            self.buffer_bytes += LONGEST * size_of::<f32>();
        }
    }

    /// Which values may be made where they are stored.
    pub fn find_direct(&mut self) {
        let mut placed = vec![false; self.sizes.len()];
        for store in &mut self.dense {
            let Some(made) = self.steps.iter().position(|step| step.outs().contains(&store.value)) else { continue };
            if std::mem::replace(&mut placed[store.value as usize], true) {
                continue;
            }
            let later = self.steps[made + 1..].iter().flat_map(TileStep::reads);
            let input = |v: u32| match self.sources.get(v as usize).map(|source| &source.kind) {
                Some(SourceKind::Load { input, .. }) => Some(*input),
                _ => None,
            };
            store.direct =
                Some(self.steps[made].reads_after(store.value).into_iter().chain(later).filter_map(input).collect());
        }
    }
}
