//! Programs built by hand, and a random number generator, for tests.

use crate::generated::{DType, OP_TABLE_HASH, Op};

/// xorshift64*.
pub struct Rng(u64);

impl Rng {
    pub fn new(seed: u64) -> Rng {
        Rng(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn draw(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// Below `limit`, which is above 0.
    pub fn below(&mut self, limit: usize) -> usize {
        (self.draw() % limit as u64) as usize
    }
}

/// The words of one list, record or region.
#[derive(Clone, Default)]
pub struct Words(pub Vec<u32>);

impl Words {
    pub fn of(words: &[u32]) -> Words {
        Words(words.to_vec())
    }

    pub fn u32(mut self, word: u32) -> Words {
        self.0.push(word);
        self
    }

    pub fn u64(self, value: u64) -> Words {
        self.u32(value as u32).u32((value >> 32) as u32)
    }

    pub fn list(mut self, items: &[u32]) -> Words {
        self.0.push(items.len() as u32);
        self.0.extend_from_slice(items);
        self
    }

    pub fn join(mut self, other: &Words) -> Words {
        self.0.extend_from_slice(&other.0);
        self
    }

    pub fn lists(mut self, items: &[Words]) -> Words {
        self.0.push(items.len() as u32);
        items.iter().for_each(|item| self.0.extend_from_slice(&item.0));
        self
    }

    pub fn string(mut self, text: &str) -> Words {
        self.0.push(text.len() as u32);
        for chunk in text.as_bytes().chunks(4) {
            let mut bytes = [0; 4];
            bytes[..chunk.len()].copy_from_slice(chunk);
            self.0.push(u32::from_le_bytes(bytes));
        }
        self
    }
}

/// Expressions, guards and constants of a program in the making.
#[derive(Default)]
pub struct Builder {
    pub symbols: u32,
    exprs: Vec<Words>,
    guards: Vec<Words>,
    consts: Vec<Vec<u8>>,
}

/// A region in the making.
#[derive(Clone, Default)]
pub struct RegionBuilder {
    slots: Vec<Words>,
    params: u32,
    records: Vec<Words>,
}

/// A load by slot, offset expression and stride expressions.
pub type TestLoad<'a> = (u32, u32, &'a [u32]);
/// An instruction by op, dtype, operands and immediate.
pub type TestInstr<'a> = (Op, DType, &'a [u32], u64);
/// A store by slot, value, reduction and mask.
pub type TestStore = (u32, u32, Option<Op>, u32);

impl Builder {
    pub fn new() -> Builder {
        Builder::default()
    }

    fn expr(&mut self, words: Words) -> u32 {
        self.exprs.push(words);
        self.exprs.len() as u32 - 1
    }

    pub fn size(&mut self, value: i64) -> u32 {
        self.expr(Words::of(&[0]).u64(value as u64))
    }

    pub fn symbol(&mut self) -> u32 {
        self.symbols += 1;
        self.expr(Words::of(&[1, self.symbols - 1, 0]))
    }

    /// 2 a + b, 3 a · b, 4 floor(a / b), 5 a mod b, 6 max, 7 min.
    pub fn binary(&mut self, tag: u32, a: u32, b: u32) -> u32 {
        self.expr(Words::of(&[tag, a, b]))
    }

    pub fn guard(&mut self, kind: u32, a: u32, b: u32) {
        self.guards.push(Words::of(&[kind, a, b]));
    }

    pub fn constant(&mut self, bytes: &[u8]) -> u32 {
        self.consts.push(bytes.to_vec());
        self.consts.len() as u32 - 1
    }

    pub fn finish(&self, main: &Words) -> Vec<u8> {
        let mut data = Vec::new();
        let head = 7 + 1 + 3 * self.exprs.len() + 1 + 3 * self.guards.len() + 1 + 4 * self.consts.len();
        let start = ((head + main.0.len()) * 4).next_multiple_of(64);
        let mut consts = Vec::new();
        for bytes in &self.consts {
            consts.push(Words::default().u64((start + data.len()) as u64).u64(bytes.len() as u64));
            data.extend_from_slice(bytes);
            data.resize(data.len().next_multiple_of(64), 0);
        }
        let words = Words::of(&[0x5052_4c4d, 1]).u64(OP_TABLE_HASH).u64((start + data.len()) as u64);
        let words = words.u32(self.symbols).lists(&self.exprs).lists(&self.guards).lists(&consts).join(main);
        let mut bytes: Vec<u8> = words.0.iter().flat_map(|word| word.to_le_bytes()).collect();
        bytes.resize(start, 0);
        bytes.extend(data);
        bytes
    }
}

impl RegionBuilder {
    pub fn new() -> RegionBuilder {
        RegionBuilder::default()
    }

    /// The next slot; `dims` are expressions.
    pub fn slot(&mut self, dtype: DType, dims: &[u32]) -> u32 {
        self.slots.push(Words::of(&[dtype as u32]).list(dims));
        self.slots.len() as u32 - 1
    }

    /// The next parameter; before any other slot.
    pub fn param(&mut self, dtype: DType, dims: &[u32]) -> u32 {
        self.params += 1;
        self.slot(dtype, dims)
    }

    fn record(&mut self, kind: u32, words: Words) {
        self.records.push(Words::of(&[kind, words.0.len() as u32]).join(&words));
    }

    pub fn constant(&mut self, slot: u32, index: u32) {
        self.record(0, Words::of(&[slot, index]));
    }

    pub fn alias(&mut self, from: u32, to: u32) {
        self.record(1, Words::of(&[from, to]));
    }

    /// `attrs` are encoded values by name, sorted.
    pub fn library(&mut self, op: Op, ins: &[u32], outs: &[u32], attrs: &[(&str, Words)], regions: &[Words]) {
        let attrs: Vec<Words> = attrs.iter().map(|(name, value)| Words::default().string(name).join(value)).collect();
        let words = Words::of(&[op as u32, op.version()]).list(ins).list(outs).lists(&attrs).lists(regions);
        self.record(2, words);
    }

    pub fn fused(&mut self, extents: &[u32], loads: &[TestLoad], instrs: &[TestInstr], stores: &[TestStore]) {
        let loads: Vec<Words> = loads.iter().map(|it| Words::of(&[it.0, it.1]).list(it.2)).collect();
        let instrs: Vec<Words> = instrs
            .iter()
            .map(|it| {
                let arg = |i: usize| it.2.get(i).copied().unwrap_or(u32::MAX);
                Words::of(&[it.0 as u32, it.1 as u32, arg(0), arg(1), arg(2)]).u64(it.3)
            })
            .collect();
        let stores: Vec<Words> =
            stores.iter().map(|it| Words::of(&[it.0, it.1, it.2.map_or(u32::MAX, |op| op as u32), it.3])).collect();
        self.record(3, Words::default().list(extents).lists(&loads).lists(&instrs).lists(&stores));
    }

    pub fn finish(&self, results: &[u32]) -> Words {
        Words::default().lists(&self.slots).u32(self.params).list(results).lists(&self.records)
    }
}

/// Encoded attribute values.
pub mod attr {
    use super::Words;

    pub fn int(value: i64) -> Words {
        Words::of(&[0]).u64(value as u64)
    }

    pub fn string(value: &str) -> Words {
        Words::of(&[3]).string(value)
    }

    pub fn ints(values: &[i64]) -> Words {
        Words::of(&[4]).lists(&values.iter().map(|&value| int(value)).collect::<Vec<_>>())
    }

    pub fn exprs(values: &[u32]) -> Words {
        Words::of(&[4]).lists(&values.iter().map(|&value| Words::of(&[5, value])).collect::<Vec<_>>())
    }
}
