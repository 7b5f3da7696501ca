//! Small programs on float32 vectors, for tests.

use millrace_program::testing::{Builder, RegionBuilder, TestInstr, TestStore, attr};
use millrace_program::{DType, Op};

pub const F32: DType = DType::Float32;

/// A region under construction on float32 [n], and its scalars.
pub struct Vectors {
    pub builder: Builder,
    pub n: u32,
    pub zero: u32,
    pub one: u32,
}

impl Vectors {
    pub fn new() -> Vectors {
        let mut builder = Builder::new();
        let (zero, one) = (builder.size(0), builder.size(1));
        let n = builder.symbol();
        Vectors { builder, n, zero, one }
    }

    /// One elementwise loop over vectors.
    pub fn map(&self, it: &mut RegionBuilder, ins: &[u32], instrs: &[TestInstr], outs: &[(u32, u32)]) {
        let strides = [self.one];
        let loads: Vec<_> = ins.iter().map(|&slot| (slot, self.zero, &strides[..])).collect();
        let stores: Vec<TestStore> = outs.iter().map(|&(slot, value)| (slot, value, None, 0)).collect();
        it.fused(&[self.n], &loads, instrs, &stores);
    }

    /// `out = op(a, b)`.
    pub fn binary(&self, it: &mut RegionBuilder, op: Op, a: u32, b: u32) -> u32 {
        let out = it.slot(F32, &[self.n]);
        self.map(it, &[a, b], &[(op, F32, &[0, 1], 0)], &[(out, 2)]);
        out
    }

    /// `limit > sum(x)`, a scalar bool.
    pub fn sum_below(&self, it: &mut RegionBuilder, x: u32, limit: f32) -> u32 {
        let (sum, below) = (it.slot(F32, &[]), it.slot(DType::Bool, &[]));
        it.fused(&[self.n], &[(x, self.zero, &[self.one])], &[], &[(sum, 0, Some(Op::ReduceSum), 1)]);
        let bits = u64::from(limit.to_bits());
        let instrs: [TestInstr; 2] = [(Op::Constant, F32, &[], bits), (Op::Lt, DType::Bool, &[0, 1], 0)];
        it.fused(&[], &[(sum, self.zero, &[])], &instrs, &[(below, 2, None, 0)]);
        below
    }
}

pub fn add() -> Vec<u8> {
    let it = Vectors::new();
    let mut main = RegionBuilder::new();
    let (a, b) = (main.param(F32, &[it.n]), main.param(F32, &[it.n]));
    let sum = it.binary(&mut main, Op::Add, a, b);
    it.builder.finish(&main.finish(&[sum]))
}

/// while sum(x) < limit: (x, y) = (x + y, y), then x and y.
pub fn accumulate(limit: f32) -> Vec<u8> {
    let it = Vectors::new();
    let dims = [it.n];
    let mut condition = RegionBuilder::new();
    let x = condition.param(F32, &dims);
    condition.param(F32, &dims);
    let below = it.sum_below(&mut condition, x, limit);
    let mut body = RegionBuilder::new();
    let (x, y) = (body.param(F32, &dims), body.param(F32, &dims));
    let sum = it.binary(&mut body, Op::Add, x, y);
    let mut main = RegionBuilder::new();
    let (x, y) = (main.param(F32, &dims), main.param(F32, &dims));
    let (out_x, out_y) = (main.slot(F32, &dims), main.slot(F32, &dims));
    let regions = [condition.finish(&[below]), body.finish(&[sum, y])];
    main.library(Op::WhileLoop, &[x, y], &[out_x, out_y], &[("carried", attr::int(2))], &regions);
    it.builder.finish(&main.finish(&[out_x, out_y]))
}

/// while sum(x) < 1e6: x = 1e7, having asserted that sum(x) < 10. In a loop, so that it fails late.
pub fn asserting() -> Vec<u8> {
    let it = Vectors::new();
    let dims = [it.n];
    let mut condition = RegionBuilder::new();
    let x = condition.param(F32, &dims);
    let goes_on = it.sum_below(&mut condition, x, 1e6);
    let mut body = RegionBuilder::new();
    let x = body.param(F32, &dims);
    let below = it.sum_below(&mut body, x, 10.0);
    let (big, checked) = (body.slot(F32, &dims), body.slot(F32, &dims));
    it.map(&mut body, &[], &[(Op::Constant, F32, &[], u64::from(1e7_f32.to_bits()))], &[(big, 0)]);
    body.library(Op::Assert, &[below, big], &[checked], &[("message", attr::string("small"))], &[]);
    let mut main = RegionBuilder::new();
    let x = main.param(F32, &dims);
    let out = main.slot(F32, &dims);
    let regions = [condition.finish(&[goes_on]), body.finish(&[checked])];
    main.library(Op::WhileLoop, &[x], &[out], &[("carried", attr::int(1))], &regions);
    it.builder.finish(&main.finish(&[out]))
}
