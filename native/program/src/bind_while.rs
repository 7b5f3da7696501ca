//! Binding loops over trips: what is carried has two places, or one where the body writes it in place.

use crate::bind::{Binder, DraftStep, fits};
use crate::bound::{Frame, Loc, Planner};
use crate::decode::Region;
use crate::error::Error;
use crate::generated::DType;
use crate::shape::{BoundAttrs, Shape};

/// A record of a loop: its operands and results as slots and as shapes.
#[derive(Clone, Copy)]
pub(crate) struct LoopOperands<'a> {
    pub slots: (&'a [u32], &'a [u32]),
    pub ins: &'a [Shape],
    pub outs: &'a [Shape],
    pub regions: &'a [Region],
    pub attrs: &'a BoundAttrs,
}

/// The step of a loop, which of its operands and results may lie in one place, and the bytes of its temporaries.
pub(crate) struct Drafted<P> {
    pub step: DraftStep<P>,
    pub in_place: Vec<(u32, u32)>,
    pub temporaries: Vec<usize>,
}

impl<P: Planner> Binder<'_, P> {
    pub(crate) fn while_loop(&mut self, it: LoopOperands) -> Result<Drafted<P::Plan>, Error> {
        let LoopOperands { ins, outs, regions, attrs, .. } = it;
        let [condition, body] = regions else { return Err(Error::format("whileLoop takes two regions")) };
        let carried = attrs.int("carried")?;
        if carried != outs.len() as i64 || ins.get(..outs.len()) != Some(outs) {
            return Err(Error::format(format!("whileLoop carries {carried} values and has {} results", outs.len())));
        }
        let condition = self.nested(condition, ins, &[Shape::new(DType::Bool, vec![])?])?;
        let (body, in_place) = self.body(body, ins, outs)?;
        let mut temporaries = vec![condition.arena.max(body.arena), 1];
        temporaries.extend(spare(outs, &in_place));
        let pairs = pairs(it.slots.0, it.slots.1, &in_place);
        let step = DraftStep::While(Box::new([condition, body]), in_place);
        Ok(Drafted { step, in_place: pairs, temporaries })
    }

    pub(crate) fn while_back(&mut self, it: LoopOperands) -> Result<Drafted<P::Plan>, Error> {
        let LoopOperands { ins, outs, regions, attrs, .. } = it;
        let [condition, body, back] = regions else { return Err(Error::format("whileLoopBack takes three regions")) };
        let carried = usize::try_from(attrs.int("carried")?).ok();
        let Some((carried, state)) =
            carried.zip(ins.len().checked_sub(outs.len())).filter(|it| it.0 <= it.1 && ins[it.1..] == *outs)
        else {
            return Err(Error::format("whileLoopBack: the last operands are not those of the results"));
        };
        let kept = attrs.sizes("kept")?;
        if kept.iter().any(|&i| i >= carried) {
            return Err(Error::format("whileLoopBack keeps what it does not carry"));
        }
        let (carry, of_loop) = (&ins[..carried], &ins[..state]);
        let mut of_back: Vec<Shape> = outs.to_vec();
        of_back.extend(kept.iter().map(|&i| ins[i].clone()));
        of_back.extend_from_slice(&ins[carried..state]);
        let condition = self.nested(condition, of_loop, &[Shape::new(DType::Bool, vec![])?])?;
        let (body, carry_in_place) = self.body(body, of_loop, carry)?;
        let (back, state_in_place) = self.body(back, &of_back, outs)?;
        let mut temporaries = vec![condition.arena.max(body.arena).max(back.arena), 1];
        temporaries.extend(carry.iter().map(Shape::bytes));
        temporaries.extend(spare(carry, &carry_in_place));
        temporaries.extend(spare(outs, &state_in_place));
        let frames = Box::new([condition, body, back]);
        // What the loop reads too is there to its end.
        let (of_loop, of_state) = it.slots.0.split_at(state);
        let mut pairs = pairs(of_state, it.slots.1, &state_in_place);
        pairs.retain(|pair| !of_loop.contains(&pair.0));
        let step = DraftStep::WhileBack(frames, kept, state, [carry_in_place, state_in_place]);
        Ok(Drafted { step, in_place: pairs, temporaries })
    }

    /// The body of a loop, and which of its results may be written over the parameters with their numbers.
    fn body(
        &mut self,
        region: &Region,
        params: &[Shape],
        results: &[Shape],
    ) -> Result<(Frame<P::Plan>, Vec<bool>), Error> {
        let (frame, takeovers) = self.frame(region, true)?;
        let frame = fits(frame, params, results)?;
        Ok((frame, (0..results.len()).map(|i| takeovers.iter().any(|it| it.result == i)).collect()))
    }
}

/// The bytes of second places for values that are not written in place.
fn spare<'a>(values: &'a [Shape], in_place: &'a [bool]) -> impl Iterator<Item = usize> + 'a {
    values.iter().zip(in_place).map(|(value, &in_place)| if in_place { 0 } else { value.bytes() })
}

/// The second places: the first ones for what is written in place.
pub(crate) fn turns(first: &[Loc], spare: &[usize], in_place: &[bool]) -> Vec<Loc> {
    let places = first.iter().zip(spare).zip(in_place);
    places.map(|((&first, &spare), &in_place)| if in_place { first } else { Loc::Arena(spare) }).collect()
}

/// Operands and results with one number, those that no other operand is the same as.
fn pairs(ins: &[u32], outs: &[u32], in_place: &[bool]) -> Vec<(u32, u32)> {
    let alone = |slot: u32| ins.iter().filter(|&&it| it == slot).count() == 1;
    let all = ins.iter().zip(outs).enumerate().filter(|&(i, (&from, _))| in_place[i] && alone(from));
    all.map(|(_, (&from, &to))| (from, to)).collect()
}
