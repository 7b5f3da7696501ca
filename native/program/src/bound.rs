//! What binding makes: frames of steps, each with its kernel and the places of its operands; and who chooses kernels.

use crate::error::Error;
use crate::generated::Op;
use crate::loops::BoundLoop;
use crate::shape::{BoundAttrs, Shape};

/// Chooses kernels. A plan may be run on any buffers of the shapes it was made for.
pub trait Planner {
    type Plan;
    /// Checks the shapes and attributes of a library kernel.
    fn library(
        &mut self,
        op: Op,
        attrs: &BoundAttrs,
        ins: &[Shape],
        outs: &[Shape],
    ) -> Result<Planned<Self::Plan>, Error>;
    fn fused(&mut self, it: BoundLoop) -> Result<Planned<Self::Plan>, Error>;
    /// A plan that runs `kernel`, which takes `kernel_ins` operands and has one result, and `tail` on each part of this
    /// result as it is finished: the operands and results of both, one after the other. `tail` reads the result at the
    /// index that it is at and stores densely. Gives the kernel back where it does not do that.
    fn with_tail(
        &mut self,
        kernel: Self::Plan,
        kernel_ins: usize,
        tail: &BoundLoop,
    ) -> Result<Planned<Self::Plan>, Self::Plan>;
}

pub struct Planned<P> {
    pub plan: P,
    /// Bytes of working memory while it runs, aligned to 64.
    pub scratch: usize,
    /// The operand that the only result may be written over, where all else that it does not change stays as it is.
    pub overwrites: Option<usize>,
}

/// A program for one tuple of sizes.
#[derive(Debug)]
pub struct Bound<P> {
    pub main: Frame<P>,
    /// Donated parameters whose storage a result may take.
    pub takeovers: Vec<Takeover>,
}

/// A region for one tuple of sizes.
#[derive(Debug)]
pub struct Frame<P> {
    pub params: Vec<Shape>,
    pub results: Vec<Shape>,
    pub sources: Vec<Source>,
    pub steps: Vec<Step<P>>,
    /// Bytes of the arena, those of nested frames included.
    pub arena: usize,
    /// The most bytes of it that hold values at one step.
    pub live: usize,
}

/// The first byte of a buffer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Loc {
    /// A byte of the frame's arena.
    Arena(usize),
    /// A byte of the program.
    Const(usize),
    Param(usize),
    Result(usize),
}

/// Where the bytes of a result are when a frame has run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Source {
    /// In the result's own buffer.
    Own,
    Param(usize),
    /// In the program, from this byte.
    Const(usize),
    /// In the buffer of an earlier result.
    Same(usize),
}

/// Result `result` may be written into the donated storage of `param`: from step `step` on, which writes it first, no
/// step reads the parameter otherwise than element by element, and none can fail.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Takeover {
    pub result: usize,
    pub param: usize,
    pub step: usize,
}

#[derive(Debug)]
pub enum Step<P> {
    /// `op` is `None` for a loop.
    Kernel {
        op: Option<Op>,
        plan: P,
        ins: Vec<Loc>,
        outs: Vec<Loc>,
        scratch: usize,
    },
    /// `args` are the parameters of both branches (else, then).
    Cond {
        predicate: Loc,
        args: Vec<Loc>,
        outs: Vec<Loc>,
        branches: Box<[Frame<P>; 2]>,
        arena: usize,
    },
    /// `outs` and `spare` take the carried values by turns; `args` are those of trip 0 and the constants. Where both are
    /// one place, the body writes a value over the one before.
    While {
        args: Vec<Loc>,
        outs: Vec<Loc>,
        spare: Vec<Loc>,
        predicate: Loc,
        frames: Box<[Frame<P>; 2]>,
        arena: usize,
    },
    /// The trips of a loop walked back. `carry` and `spare_carry` take the carried values of the loop by turns, those
    /// of `kept` are pushed on a stack at each trip; `outs` and `spare` take the state of the walk back.
    WhileBack {
        args: Vec<Loc>,
        state: Vec<Loc>,
        carry: Vec<Loc>,
        spare_carry: Vec<Loc>,
        outs: Vec<Loc>,
        spare: Vec<Loc>,
        kept: Vec<usize>,
        predicate: Loc,
        frames: Box<[Frame<P>; 3]>,
        arena: usize,
    },
    Call {
        args: Vec<Loc>,
        outs: Vec<Loc>,
        frame: Box<Frame<P>>,
        arena: usize,
    },
    Print {
        message: String,
        shape: Shape,
        value: Loc,
    },
    Assert {
        message: String,
        predicate: Loc,
    },
}
