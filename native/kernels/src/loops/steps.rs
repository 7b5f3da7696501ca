//! From the instructions of a loop to the steps of a tile: chains of float32 arithmetic, and single instructions. Where
//! the path has FMA, a product that only a sum or a difference reads is not rounded.

use super::chain::{Code, Link};
use super::elementwise::{self, Step};
use super::registers::Compare;
use crate::Error;
use crate::isa::Isa;
use millrace_program::{BoundLoop, DType, Instr, NONE, Op};

pub enum TileStep {
    One { run: Step, ins: [u32; 3], out: u32 },
    Chain { links: Vec<Link>, outs: Vec<u32> },
}

impl TileStep {
    /// The values that it makes in memory.
    pub fn outs(&self) -> &[u32] {
        match self {
            TileStep::One { out, .. } => std::slice::from_ref(out),
            TileStep::Chain { outs, .. } => outs,
        }
    }

    /// The values that it reads from memory.
    pub fn reads(&self) -> Vec<u32> {
        match self {
            TileStep::One { ins, .. } => ins.iter().copied().filter(|&v| v != NONE).collect(),
            TileStep::Chain { links, .. } => links.iter().flat_map(|link| link.reads()).copied().collect(),
        }
    }

    /// Those that it reads when it has begun to write `out`.
    pub fn reads_after(&self, out: u32) -> Vec<u32> {
        match self {
            TileStep::One { .. } => self.reads(),
            TileStep::Chain { links, .. } => {
                let stored = |link: &&Link| link.code == Code::Store && link.args[0] == out;
                links.iter().skip_while(|link| !stored(link)).flat_map(|link| link.reads()).copied().collect()
            }
        }
    }
}

/// What an instruction is in a chain.
#[derive(Clone, Copy)]
enum Kind {
    Add,
    Sub,
    Mul,
    Div,
    Max,
    Min,
    Sqrt,
    /// x · y + z, x · y - z, z - x · y
    MulAdd,
    MulSub,
    SubMul,
    /// x ? y : z where the question is of x and y; else w
    Select(Compare),
}

/// An instruction that may be in a chain, with what it has taken in: a product or a comparison that it alone reads.
#[derive(Clone, Copy)]
struct Form {
    kind: Kind,
    args: [u32; 4],
    /// The instructions that it stands for.
    count: usize,
}

impl Form {
    fn of(kernel: &BoundLoop, instr: &Instr) -> Option<Form> {
        let floats = |args: &[u32]| args.iter().all(|&v| v == NONE || kernel.value_dtype(v) == DType::Float32);
        let kind = match instr.op {
            Op::Add => Kind::Add,
            Op::Sub => Kind::Sub,
            Op::Mul => Kind::Mul,
            Op::Div => Kind::Div,
            Op::Max => Kind::Max,
            Op::Min => Kind::Min,
            Op::Sqrt => Kind::Sqrt,
            _ => return None,
        };
        let [x, y, _] = instr.args;
        (instr.dtype == DType::Float32 && floats(&instr.args)).then_some(Form {
            kind,
            args: [x, y, NONE, NONE],
            count: 1,
        })
    }

    /// The form of `second` with `first`, which makes its operand `at` and is read by it alone.
    fn pair(kernel: &BoundLoop, first: &Instr, second: &Instr, at: usize) -> Option<Form> {
        let [x, y, _] = first.args;
        let floats = |args: &[u32]| args.iter().all(|&v| kernel.value_dtype(v) == DType::Float32);
        let fused = |kind, z, w| Some(Form { kind, args: [x, y, z, w], count: 2 });
        if second.dtype != DType::Float32 || first.args[1] == NONE || !floats(&[x, y]) {
            return None;
        }
        if second.op == Op::Select && at == 0 {
            let compare = match first.op {
                Op::Gt => Compare::Gt,
                Op::Ge => Compare::Ge,
                Op::Lt => Compare::Lt,
                Op::Le => Compare::Le,
                Op::Eq => Compare::Eq,
                Op::Ne => Compare::Ne,
                _ => return None,
            };
            return fused(Kind::Select(compare), second.args[1], second.args[2]);
        }
        let kind = match (first.op, second.op, at) {
            (Op::Mul, Op::Add, _) => Kind::MulAdd,
            (Op::Mul, Op::Sub, 0) => Kind::MulSub,
            (Op::Mul, Op::Sub, _) => Kind::SubMul,
            _ => return None,
        };
        let other = second.args[1 - at];
        if floats(&[other]) { fused(kind, other, NONE) } else { None }
    }

    /// The link where value `held` is in the registers, if that is one of the operands that may be there.
    fn link(&self, held: u32) -> Option<(Code, [u32; 3])> {
        let [x, y, z, w] = self.args;
        let first = x == held;
        let other = if first { y } else { x };
        let either = |code| (first || y == held).then_some((code, [other, z, w]));
        let or = |code, reversed| either(if first { code } else { reversed });
        let of_third = |code, product| if z == held { Some((product, [x, y, w])) } else { either(code) };
        match self.kind {
            Kind::Add => either(Code::Add),
            Kind::Sub => or(Code::Sub, Code::SubFrom),
            Kind::Mul => either(Code::Mul),
            Kind::Div => or(Code::Div, Code::DivFrom),
            Kind::Max => either(Code::Max),
            Kind::Min => either(Code::Min),
            Kind::Sqrt => first.then_some((Code::Sqrt, [x; 3])),
            Kind::MulAdd => of_third(Code::MulAdd, Code::AddProduct),
            Kind::MulSub => of_third(Code::MulSub, Code::SubFromProduct),
            Kind::SubMul => of_third(Code::MulSubFrom, Code::SubProduct),
            Kind::Select(compare) => first.then_some((Code::Select(compare), [y, z, w])),
        }
    }
}

/// The form of each instruction that may be in a chain, and which ones are taken in by another.
fn forms(kernel: &BoundLoop, needed: &[bool], uses: &[u32]) -> (Vec<Option<Form>>, Vec<bool>) {
    let loads = kernel.loads.len();
    let mut taken = vec![false; kernel.instrs.len()];
    let mut forms: Vec<Option<Form>> = kernel.instrs.iter().map(|instr| Form::of(kernel, instr)).collect();
    for (i, second) in kernel.instrs.iter().enumerate().filter(|&(i, _)| needed[loads + i]) {
        for (at, &arg) in second.args.iter().enumerate().filter(|&(_, &arg)| arg != NONE) {
            let Some(first) = (arg as usize).checked_sub(loads) else { continue };
            // What has taken in another is taken in by nobody.
            let is_single = !taken[first] && forms[first].is_none_or(|form| form.count == 1);
            if uses[arg as usize] != 1 || !is_single {
                continue;
            }
            if let Some(form) = Form::pair(kernel, &kernel.instrs[first], second, at) {
                (taken[first], forms[i]) = (true, Some(form));
                break;
            }
        }
    }
    (forms, taken)
}

/// How often each value is read or stored.
fn uses(kernel: &BoundLoop, stores: &[usize], needed: &[bool]) -> Vec<u32> {
    let mut uses = vec![0; needed.len()];
    for (instr, _) in kernel.instrs.iter().zip(&needed[kernel.loads.len()..]).filter(|(_, needed)| **needed) {
        instr.args.iter().filter(|&&arg| arg != NONE).for_each(|&arg| uses[arg as usize] += 1);
    }
    stores.iter().for_each(|&s| uses[kernel.stores[s].value as usize] += 1);
    uses
}

/// The steps that make the `needed` values of a loop. `number` has the number of each source and gets those of what is
/// made, from `sizes.len()` on; `sizes` gets the bytes of an element of each.
pub fn steps(
    kernel: &BoundLoop,
    stores: &[usize],
    needed: &[bool],
    number: &mut [u32],
    sizes: &mut Vec<usize>,
    isa: Isa,
) -> Result<Vec<TileStep>, Error> {
    let loads = kernel.loads.len();
    let uses = uses(kernel, stores, needed);
    let (forms, taken) = forms(kernel, needed, &uses);
    let mut made = Maker { kernel, number, sizes, steps: Vec::new(), chain: None };
    let computed = |&i: &usize| needed[loads + i] && !matches!(kernel.instrs[i].op, Op::Constant | Op::Iota);
    let mut order = (0..kernel.instrs.len()).filter(computed).peekable();
    while let Some(i) = order.next() {
        let run = single(kernel, &kernel.instrs[i], isa)?;
        if taken[i] {
            continue;
        }
        let value = (loads + i) as u32;
        let next = order.clone().find(|&i| !taken[i]).and_then(|i| forms[i]);
        match forms[i] {
            // Its only reader may take it from the registers.
            Some(form) => {
                let stays = uses[value as usize] == 1 && next.is_some_and(|next| next.link(value).is_some());
                made.join(form, value, run, !stays);
            }
            None => {
                made.close();
                made.one(run, value);
            }
        }
    }
    made.close();
    Ok(made.steps)
}

/// The step of an instruction by itself.
fn single(kernel: &BoundLoop, instr: &Instr, isa: Isa) -> Result<Step, Error> {
    let select = instr.op == Op::Select;
    let operand = kernel.value_dtype(instr.args[select as usize]);
    let alike = instr.args.iter().skip(1).filter(|&&arg| arg != NONE).all(|&arg| kernel.value_dtype(arg) == operand);
    let fits = !select || kernel.value_dtype(instr.args[0]) == DType::Bool && operand == instr.dtype;
    let run = elementwise::step(isa, instr.op, operand, instr.dtype).filter(|_| alike && fits);
    run.ok_or_else(|| Error::dtype(format!("loop kernel: {} on {}", instr.op.name(), operand.name())))
}

struct Maker<'a> {
    kernel: &'a BoundLoop,
    number: &'a mut [u32],
    sizes: &'a mut Vec<usize>,
    steps: Vec<TileStep>,
    chain: Option<Chain>,
}

/// A chain that grows.
struct Chain {
    links: Vec<Link>,
    outs: Vec<u32>,
    /// The value in the registers.
    held: u32,
    /// Its instructions, and the first of them by itself.
    count: usize,
    first: (Step, u32),
}

impl Maker<'_> {
    /// Gives a value of the loop a number.
    fn make(&mut self, value: u32) -> u32 {
        let number = self.sizes.len() as u32;
        self.sizes.push(self.kernel.value_dtype(value).size());
        self.number[value as usize] = number;
        number
    }

    fn one(&mut self, run: Step, value: u32) {
        let args = self.kernel.instrs[value as usize - self.kernel.loads.len()].args;
        let ins = args.map(|arg| if arg == NONE { NONE } else { self.number[arg as usize] });
        let out = self.make(value);
        self.steps.push(TileStep::One { run, ins, out });
    }

    /// Lengthens the chain by what makes `value`; stores it for others if it is `kept`.
    fn join(&mut self, form: Form, value: u32, run: Step, kept: bool) {
        let empty = || Chain { links: vec![], outs: vec![], held: NONE, count: 0, first: (run, value) };
        let mut chain = self.chain.take().unwrap_or_else(empty);
        let mut push = |code: Code, args: [u32; 3], number: &[u32]| {
            let args = std::array::from_fn(|n| if n < code.operands() { number[args[n] as usize] } else { 0 });
            chain.links.push(Link { code, args });
        };
        let (code, args) = form.link(chain.held).unwrap_or_else(|| {
            push(Code::Load, [form.args[0]; 3], self.number);
            form.link(form.args[0]).expect("the first operand may be in the registers")
        });
        push(code, args, self.number);
        if kept {
            let out = self.make(value);
            chain.links.push(Link { code: Code::Store, args: [out; 3] });
            chain.outs.push(out);
        }
        chain.count += form.count;
        chain.held = value;
        self.chain = Some(chain);
    }

    /// Ends the chain. A single instruction needs none.
    fn close(&mut self) {
        let Some(Chain { links, outs, count, first: (run, value), .. }) = self.chain.take() else { return };
        if count > 1 {
            return self.steps.push(TileStep::Chain { links, outs });
        }
        self.sizes.pop();
        self.one(run, value);
    }
}
