//! Shapes and attributes with every size known.

use crate::error::Error;
use crate::generated::DType;
use std::fmt;

/// A dtype and sizes. The byte length is known to fit `isize`: only `Shape::new` makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    dtype: DType,
    dims: Vec<usize>,
}

/// The most dimensions a shape may have.
pub const MAX_RANK: usize = 32;

impl Shape {
    /// Fails with `E_SHAPE` above rank 32, or where the size in bytes, with zero sizes counted as one,
    /// does not fit `isize`.
    pub fn new(dtype: DType, dims: Vec<usize>) -> Result<Shape, Error> {
        if dims.len() > MAX_RANK {
            return Err(Error::shape(format!("rank {} is above {MAX_RANK}", dims.len())));
        }
        let bytes = dims.iter().try_fold(dtype.size(), |bytes, &dim| bytes.checked_mul(dim.max(1)));
        match bytes {
            Some(bytes) if isize::try_from(bytes).is_ok() => Ok(Shape { dtype, dims }),
            _ => Err(Error::shape(format!("{}{dims:?} has too many elements", dtype.name()))),
        }
    }

    pub fn dtype(&self) -> DType {
        self.dtype
    }

    pub fn dims(&self) -> &[usize] {
        &self.dims
    }

    pub fn rank(&self) -> usize {
        self.dims.len()
    }

    /// Number of elements: 1 for a scalar.
    pub fn numel(&self) -> usize {
        self.dims.iter().product()
    }

    pub fn bytes(&self) -> usize {
        self.numel() * self.dtype.size()
    }

    /// Row-major strides in elements.
    pub fn strides(&self) -> Vec<usize> {
        let mut strides = vec![1; self.dims.len()];
        for i in (1..self.dims.len()).rev() {
            strides[i - 1] = strides[i] * self.dims[i].max(1);
        }
        strides
    }
}

/// As in messages: `float32[2,3]`.
impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[", self.dtype.name())?;
        for (i, dim) in self.dims.iter().enumerate() {
            write!(f, "{}{dim}", if i > 0 { "," } else { "" })?;
        }
        write!(f, "]")
    }
}

/// The value of an attribute. Size expressions have been evaluated to `Int`.
#[derive(Clone, Debug, PartialEq)]
pub enum BoundValue {
    Int(i64),
    Float(f64),
    Bool(bool),
    Str(String),
    List(Vec<BoundValue>),
    Bytes(Vec<u8>),
}

/// The attributes of one record, sorted by name. The getters fail with `E_ARGUMENT`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BoundAttrs(pub Vec<(String, BoundValue)>);

impl BoundAttrs {
    pub fn get(&self, name: &str) -> Option<&BoundValue> {
        self.0.iter().find(|entry| entry.0 == name).map(|entry| &entry.1)
    }

    fn expect<'a, T>(
        &'a self,
        name: &str,
        what: &str,
        read: impl FnOnce(&'a BoundValue) -> Option<T>,
    ) -> Result<T, Error> {
        self.get(name).and_then(read).ok_or_else(|| Error::argument(format!("attribute {name} must be {what}")))
    }

    pub fn int(&self, name: &str) -> Result<i64, Error> {
        self.expect(name, "an integer", BoundValue::as_int)
    }

    /// An integer or a float.
    pub fn float(&self, name: &str) -> Result<f64, Error> {
        self.expect(name, "a number", |value| match value {
            BoundValue::Float(x) => Some(*x),
            BoundValue::Int(x) => Some(*x as f64),
            _ => None,
        })
    }

    pub fn bool(&self, name: &str) -> Result<bool, Error> {
        self.expect(name, "true or false", |value| match value {
            BoundValue::Bool(x) => Some(*x),
            _ => None,
        })
    }

    pub fn str(&self, name: &str) -> Result<&str, Error> {
        self.expect(name, "a string", |value| match value {
            BoundValue::Str(x) => Some(x.as_str()),
            _ => None,
        })
    }

    pub fn dtype(&self, name: &str) -> Result<DType, Error> {
        self.expect(name, "the name of a dtype", |value| match value {
            BoundValue::Str(x) => DType::from_name(x),
            _ => None,
        })
    }

    /// An axis of a tensor of `rank` dimensions: 0 ≤ axis < rank.
    pub fn axis(&self, name: &str, rank: usize) -> Result<usize, Error> {
        self.expect(name, &format!("an axis below {rank}"), |value| {
            value.as_int().and_then(|x| usize::try_from(x).ok()).filter(|&x| x < rank)
        })
    }

    pub fn ints(&self, name: &str) -> Result<Vec<i64>, Error> {
        self.expect(name, "a list of integers", |value| match value {
            BoundValue::List(items) => items.iter().map(BoundValue::as_int).collect(),
            _ => None,
        })
    }

    /// A list of sizes: integers that are not negative.
    pub fn sizes(&self, name: &str) -> Result<Vec<usize>, Error> {
        self.expect(name, "a list of sizes", |value| match value {
            BoundValue::List(items) => {
                items.iter().map(|item| item.as_int().and_then(|x| usize::try_from(x).ok())).collect()
            }
            _ => None,
        })
    }
}

impl BoundValue {
    fn as_int(&self) -> Option<i64> {
        match self {
            BoundValue::Int(x) => Some(*x),
            _ => None,
        }
    }
}
