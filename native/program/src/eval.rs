//! Size expressions and guards.

use crate::decode::{Expr, Guard, Program};
use crate::error::{Code, Error};

/// The value of every expression of a program. One that overflowed or divided by zero has none, and fails where it is
/// used.
pub struct Values(Vec<Option<i64>>);

impl Values {
    /// Gives the symbols their values and checks the guards: `E_GUARD`. Symbols may stand for offsets too, so a value
    /// may be negative.
    pub fn new(program: &Program, sizes: &[i64]) -> Result<Values, Error> {
        if sizes.len() != program.symbols {
            return Err(Error::argument(format!("{} sizes for {} symbols", sizes.len(), program.symbols)));
        }
        let mut values: Vec<Option<i64>> = Vec::with_capacity(program.exprs.len());
        for &expr in &program.exprs {
            let binary = |a: u32, b: u32, f: fn(i64, i64) -> Option<i64>| f(values[a as usize]?, values[b as usize]?);
            let value = match expr {
                Expr::Const(value) => Some(value),
                Expr::Symbol(index) => Some(sizes[index as usize]),
                Expr::Add(a, b) => binary(a, b, i64::checked_add),
                Expr::Mul(a, b) => binary(a, b, i64::checked_mul),
                Expr::FloorDiv(a, b) => binary(a, b, floor_div),
                Expr::Mod(a, b) => binary(a, b, |a, b| floor_div(a, b)?.checked_mul(b).and_then(|x| a.checked_sub(x))),
                Expr::Max(a, b) => binary(a, b, |a, b| Some(a.max(b))),
                Expr::Min(a, b) => binary(a, b, |a, b| Some(a.min(b))),
            };
            values.push(value);
        }
        let values = Values(values);
        for (i, &guard) in program.guards.iter().enumerate() {
            values.check(i, guard)?;
        }
        Ok(values)
    }

    fn check(&self, index: usize, guard: Guard) -> Result<(), Error> {
        let (a, b, sign) = match guard {
            Guard::Equal(a, b) => (a, b, "="),
            Guard::LessEqual(a, b) => (a, b, "<="),
        };
        let holds = match (self.0[a as usize], self.0[b as usize]) {
            (Some(x), Some(y)) => {
                if sign == "=" {
                    x == y
                } else {
                    x <= y
                }
            }
            _ => false,
        };
        if holds {
            return Ok(());
        }
        let show = |expr: u32| self.0[expr as usize].map_or("undefined".to_owned(), |x| x.to_string());
        Err(Error::new(
            Code::Guard,
            format!("guard {index}: {} {sign} {} does not hold for these sizes", show(a), show(b)),
        ))
    }

    pub fn get(&self, expr: u32) -> Result<i64, Error> {
        self.0[expr as usize]
            .ok_or_else(|| Error::shape(format!("size expression {expr} overflows or divides by zero for these sizes")))
    }

    /// A value that must be a size: not negative.
    pub fn size(&self, expr: u32) -> Result<usize, Error> {
        let value = self.get(expr)?;
        usize::try_from(value).map_err(|_| Error::shape(format!("size expression {expr} is {value}")))
    }
}

fn floor_div(a: i64, b: i64) -> Option<i64> {
    let quotient = a.checked_div(b)?;
    Some(if a % b != 0 && (a < 0) != (b < 0) { quotient - 1 } else { quotient })
}
