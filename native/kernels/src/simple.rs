//! Ops that a loop kernel expresses, as library records: elementwise ops, reductions, and moves by strides.

use crate::check::{distinct_axes, expect, expect_ins, expect_out, sizes};
use crate::{Error, KernelTable, LibraryKernel, LoopPlan, Plan};
use millrace_program::{BoundAttrs, BoundLoad, BoundLoop, BoundStore, DType, Instr, Kind, NONE, OPS, Op, Shape};

fn strides(shape: &Shape) -> Vec<i64> {
    shape.strides().into_iter().map(|s| s as i64).collect()
}

fn plan(kernel: &BoundLoop) -> Result<Box<dyn Plan>, Error> {
    Ok(Box::new(LoopPlan::new(kernel)?))
}

/// The kernel of an op whose kind says it all; `None` where it does not.
pub fn by_kind(op: Op) -> Option<&'static dyn LibraryKernel> {
    match op.kind() {
        Kind::Unary | Kind::Binary | Kind::Compare | Kind::Select | Kind::Cast => Some(&ELEMENTWISE[op as usize]),
        Kind::Reduce => Some(&REDUCE[op as usize]),
        _ => None,
    }
}

/// Made from each op; those of other kinds are not looked up.
macro_rules! of_each_op {
    ($kernel:ident) => {{
        let mut all = [const { $kernel(OPS[0].0) }; OPS.len()];
        let mut i = 0;
        while i < OPS.len() {
            all[i] = $kernel(OPS[i].0);
            i += 1;
        }
        all
    }};
}

static ELEMENTWISE: [Elementwise; OPS.len()] = of_each_op!(Elementwise);
static REDUCE: [Reduce; OPS.len()] = of_each_op!(Reduce);

/// unary, binary, compare, select, cast: equal shapes, one instruction.
struct Elementwise(Op);

impl LibraryKernel for Elementwise {
    fn check(&self, ins: &[Shape], outs: &[Shape], attrs: &BoundAttrs) -> Result<Box<dyn Plan>, Error> {
        let name = self.0.name();
        let arity = match self.0.kind() {
            Kind::Unary | Kind::Cast => 1,
            Kind::Select => 3,
            _ => 2,
        };
        let [out] = outs else { return Err(Error::argument(format!("{name}: one result is needed"))) };
        expect(ins.len() == arity && ins.iter().all(|x| x.dims() == out.dims()), || {
            format!("{name}: {arity} operands of the shape of {out} are needed")
        })?;
        if self.0.kind() == Kind::Cast && attrs.dtype("dtype")? != out.dtype() {
            return Err(Error::dtype(format!("{name}: the result is {out}")));
        }
        let mut args = [NONE; 3];
        (0..arity).for_each(|i| args[i] = i as u32);
        // LoopPlan knows which dtypes go together.
        plan(&BoundLoop {
            extents: vec![out.numel()],
            loads: ins.iter().map(|x| BoundLoad { dtype: x.dtype(), offset: 0, strides: vec![1] }).collect(),
            instrs: vec![Instr { op: self.0, dtype: out.dtype(), args, immediate: 0 }],
            stores: vec![BoundStore { dtype: out.dtype(), value: arity as u32, reduce: None, mask: 0 }],
        })
    }
}

/// reduceSum and its kin.
struct Reduce(Op);

impl LibraryKernel for Reduce {
    fn check(&self, ins: &[Shape], outs: &[Shape], attrs: &BoundAttrs) -> Result<Box<dyn Plan>, Error> {
        let ([x], [out]) = expect_ins(self.0.name(), ins, outs)?;
        let axes = distinct_axes(attrs, "axes", x.rank())?;
        let kept: Vec<usize> = (0..x.rank()).filter(|k| !axes.contains(k)).map(|k| x.dims()[k]).collect();
        expect_out(self.0.name(), out, x.dtype(), &kept)?;
        let mask = axes.iter().fold(0, |mask, axis| mask | 1 << axis);
        plan(&BoundLoop {
            extents: x.dims().to_vec(),
            loads: vec![BoundLoad { dtype: x.dtype(), offset: 0, strides: strides(x) }],
            instrs: vec![],
            stores: vec![BoundStore { dtype: x.dtype(), value: 0, reduce: Some(self.0), mask }],
        })
    }
}

/// iota, and the ops that read one operand at other places: transpose, broadcastInDim, slice, reverse.
struct Move(Op);

pub const KERNELS: KernelTable = &[
    (Op::BroadcastInDim, &Move(Op::BroadcastInDim)),
    (Op::Iota, &Move(Op::Iota)),
    (Op::Reverse, &Move(Op::Reverse)),
    (Op::Slice, &Move(Op::Slice)),
    (Op::Transpose, &Move(Op::Transpose)),
];

impl LibraryKernel for Move {
    fn check(&self, ins: &[Shape], outs: &[Shape], attrs: &BoundAttrs) -> Result<Box<dyn Plan>, Error> {
        let name = self.0.name();
        let [out] = outs else { return Err(Error::argument(format!("{name}: one result is needed"))) };
        let store = BoundStore { dtype: out.dtype(), value: 0, reduce: None, mask: 0 };
        let extents = out.dims().to_vec();
        if self.0 == Op::Iota {
            let axis = attrs.axis("axis", out.rank())?;
            expect_out(name, out, attrs.dtype("dtype")?, &attrs.sizes("shape")?)?;
            expect(ins.is_empty() && out.dtype() != DType::Bool, || format!("{name}: no kernel for {out}"))?;
            let count = Instr { op: Op::Iota, dtype: out.dtype(), args: [NONE; 3], immediate: axis as u64 };
            return plan(&BoundLoop { extents, loads: vec![], instrs: vec![count], stores: vec![store] });
        }
        let ([x], [out]) = expect_ins(name, ins, outs)?;
        let (offset, strides, dims) = match self.0 {
            Op::Transpose => transpose(x, attrs)?,
            Op::BroadcastInDim => broadcast(x, attrs)?,
            Op::Slice => slice(x, attrs)?,
            _ => reverse(x, attrs)?,
        };
        expect_out(name, out, x.dtype(), &dims)?;
        let load = BoundLoad { dtype: x.dtype(), offset, strides };
        plan(&BoundLoop { extents, loads: vec![load], instrs: vec![], stores: vec![store] })
    }
}

/// Offset and strides of the operand, and the shape of the result.
type Moved = Result<(i64, Vec<i64>, Vec<usize>), Error>;

fn transpose(x: &Shape, attrs: &BoundAttrs) -> Moved {
    let perm = distinct_axes(attrs, "perm", x.rank())?;
    expect(perm.len() == x.rank(), || format!("transpose: {perm:?} does not permute {x}"))?;
    let own = strides(x);
    Ok((0, perm.iter().map(|&k| own[k]).collect(), perm.iter().map(|&k| x.dims()[k]).collect()))
}

fn broadcast(x: &Shape, attrs: &BoundAttrs) -> Moved {
    let shape = attrs.sizes("shape")?;
    let dims = sizes(attrs, "dims", x.rank(), 0)?;
    let rises = dims.windows(2).all(|pair| pair[0] < pair[1]);
    let fits = dims.iter().zip(x.dims()).all(|(&to, &size)| to < shape.len() && (size == 1 || size == shape[to]));
    expect(rises && fits, || format!("broadcastInDim: {x} does not go to {shape:?} by {dims:?}"))?;
    let mut all = vec![0; shape.len()];
    for (k, stride) in strides(x).into_iter().enumerate().filter(|&(k, _)| x.dims()[k] != 1) {
        all[dims[k]] = stride;
    }
    Ok((0, all, shape))
}

fn slice(x: &Shape, attrs: &BoundAttrs) -> Moved {
    let (start, limit) = (sizes(attrs, "start", x.rank(), 0)?, sizes(attrs, "limit", x.rank(), 0)?);
    let steps = sizes(attrs, "strides", x.rank(), 1)?;
    let inside = (0..x.rank()).all(|k| start[k] <= limit[k] && limit[k] <= x.dims()[k]);
    expect(inside, || format!("slice: {start:?} to {limit:?} is not inside {x}"))?;
    let dims: Vec<usize> = (0..x.rank()).map(|k| (limit[k] - start[k]).div_ceil(steps[k])).collect();
    let own = strides(x);
    let offset = if dims.contains(&0) { 0 } else { (0..x.rank()).map(|k| start[k] as i64 * own[k]).sum() };
    let strides = (0..x.rank()).map(|k| if dims[k] > 1 { own[k] * steps[k] as i64 } else { 0 }).collect();
    Ok((offset, strides, dims))
}

fn reverse(x: &Shape, attrs: &BoundAttrs) -> Moved {
    let axes = distinct_axes(attrs, "axes", x.rank())?;
    let mut all = strides(x);
    let mut offset = 0;
    for &k in &axes {
        offset += (x.dims()[k].max(1) as i64 - 1) * all[k];
        all[k] = -all[k];
    }
    Ok((if x.numel() == 0 { 0 } else { offset }, all, x.dims().to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{attrs, bytes, list, numbers, run_library, shape};
    use crate::{Pool, library};
    use millrace_program::BoundValue;

    fn run(op: Op, ins: &[Shape], out: Shape, attrs: &BoundAttrs, data: &[Vec<u8>]) -> Vec<u8> {
        run_library(op, ins, &[out], attrs, data, Pool::global()).remove(0)
    }

    #[test]
    fn one_op_loops() {
        let i = |dims: &[usize]| shape(DType::Int32, dims);
        let x = bytes(&[1i32, 2, 3, 4, 5, 6]);
        let with = |entries: &[(&str, BoundValue)], op, out: &[usize]| {
            numbers::<i32>(&run(op, &[i(&[2, 3])], i(out), &attrs(entries), std::slice::from_ref(&x)))
        };
        assert_eq!(with(&[], Op::Neg, &[2, 3]), [-1, -2, -3, -4, -5, -6]);
        assert_eq!(with(&[("axes", list(&[0]))], Op::ReduceSum, &[3]), [5, 7, 9]);
        assert_eq!(with(&[("axes", list(&[0, 1]))], Op::ReduceMax, &[]), [6]);
        assert_eq!(with(&[("perm", list(&[1, 0]))], Op::Transpose, &[3, 2]), [1, 4, 2, 5, 3, 6]);
        assert_eq!(with(&[("axes", list(&[1]))], Op::Reverse, &[2, 3]), [3, 2, 1, 6, 5, 4]);
        let cut = [("start", list(&[0, 1])), ("limit", list(&[2, 3])), ("strides", list(&[1, 2]))];
        assert_eq!(with(&cut, Op::Slice, &[2, 1]), [2, 5]);
        let wide = [("shape", list(&[2, 2, 3])), ("dims", list(&[0, 2]))];
        assert_eq!(with(&wide, Op::BroadcastInDim, &[2, 2, 3]), [1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6]);
        let count = attrs(&[
            ("axis", BoundValue::Int(1)),
            ("dtype", BoundValue::Str("float32".into())),
            ("shape", list(&[2, 2])),
        ]);
        assert_eq!(
            numbers::<f32>(&run(Op::Iota, &[], shape(DType::Float32, &[2, 2]), &count, &[])),
            [0.0, 1.0, 0.0, 1.0]
        );
        let select = run(
            Op::Select,
            &[shape(DType::Bool, &[2]), i(&[2]), i(&[2])],
            i(&[2]),
            &attrs(&[]),
            &[vec![1, 0], bytes(&[1, 2]), bytes(&[3, 4])],
        );
        assert_eq!(numbers::<i32>(&select), [1, 4]);
        let to = attrs(&[("dtype", BoundValue::Str("bool".into()))]);
        assert_eq!(run(Op::Cast, &[i(&[2])], shape(DType::Bool, &[2]), &to, &[bytes(&[0, 7])]), [0, 1]);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let f = |dims: &[usize]| shape(DType::Float32, dims);
        let refused = |op, ins: &[Shape], out: Shape, entries: &[(&str, BoundValue)]| {
            library(op).unwrap().check(ins, &[out], &attrs(entries)).is_err()
        };
        assert!(refused(Op::Add, &[f(&[2]), f(&[3])], f(&[2]), &[]));
        assert!(refused(Op::Add, &[f(&[2])], f(&[2]), &[]));
        assert!(refused(Op::Add, &[f(&[2]), shape(DType::Int32, &[2])], f(&[2]), &[]));
        assert!(refused(Op::Lt, &[f(&[2]), f(&[2])], f(&[2]), &[]));
        assert!(refused(Op::Cast, &[f(&[2])], f(&[2]), &[("dtype", BoundValue::Str("int32".into()))]));
        assert!(refused(Op::ReduceSum, &[f(&[2, 3])], f(&[2]), &[("axes", list(&[0]))]));
        assert!(refused(Op::Transpose, &[f(&[2, 3])], f(&[3, 2]), &[("perm", list(&[1, 1]))]));
        assert!(refused(Op::BroadcastInDim, &[f(&[2])], f(&[3]), &[("shape", list(&[3])), ("dims", list(&[0]))]));
        assert!(refused(
            Op::Slice,
            &[f(&[2])],
            f(&[3]),
            &[("start", list(&[0])), ("limit", list(&[3])), ("strides", list(&[1]))]
        ));
        assert!(refused(Op::Reverse, &[f(&[2])], f(&[2]), &[("axes", list(&[1]))]));
        assert!(refused(
            Op::Iota,
            &[],
            f(&[2]),
            &[("axis", BoundValue::Int(1)), ("dtype", BoundValue::Str("float32".into())), ("shape", list(&[2]))]
        ));
    }
}
