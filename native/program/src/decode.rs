//! Decoding: a buffer becomes a `Program` whose structure is legal. Shapes wait for `bind`.

use crate::aligned::AlignedBytes;
use crate::error::{Code, Error};
use crate::generated::{DType, OP_TABLE_HASH, Op};
use crate::loops::{Instr, NONE};
use crate::reader::Reader;
use crate::rules;
use crate::shape::MAX_RANK;

const MAGIC: u32 = 0x5052_4c4d;
const FORMAT: u32 = 1;
/// How deep regions and attribute lists may nest.
const MAX_DEPTH: usize = 32;
const MAX_SYMBOLS: u32 = 1 << 16;
/// Constants start at multiples of this.
pub const CONST_ALIGN: u64 = 64;

/// A decoded program. Every index in it is in range, every slot is defined once and before it is used.
#[derive(Debug)]
pub struct Program {
    pub symbols: usize,
    pub exprs: Vec<Expr>,
    pub guards: Vec<Guard>,
    pub consts: Vec<Const>,
    pub main: Region,
    /// The whole buffer; constants are ranges of it.
    pub bytes: AlignedBytes,
}

/// An operand is the index of an earlier expression.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Expr {
    Const(i64),
    Symbol(u32),
    Add(u32, u32),
    Mul(u32, u32),
    FloorDiv(u32, u32),
    Mod(u32, u32),
    Max(u32, u32),
    Min(u32, u32),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Guard {
    Equal(u32, u32),
    LessEqual(u32, u32),
}

/// A range of the program's bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Const {
    pub offset: usize,
    pub length: usize,
}

#[derive(Debug)]
pub struct Region {
    /// The first `params` slots are the parameters.
    pub slots: Vec<Slot>,
    pub params: usize,
    pub results: Vec<u32>,
    pub records: Vec<Record>,
}

#[derive(Debug)]
pub struct Slot {
    pub dtype: DType,
    /// Indices of expressions.
    pub dims: Vec<u32>,
}

#[derive(Debug)]
pub enum Record {
    Constant { slot: u32, index: u32 },
    Alias { from: u32, to: u32 },
    Library { op: Op, ins: Vec<u32>, outs: Vec<u32>, attrs: Vec<(String, Value)>, regions: Vec<Region> },
    Loop(Loop),
}

#[derive(Debug)]
pub enum Value {
    Int(i64),
    Float(f64),
    Bool(bool),
    Str(String),
    List(Vec<Value>),
    Expr(u32),
    Bytes(Vec<u8>),
}

#[derive(Debug)]
pub struct Loop {
    /// Indices of expressions.
    pub extents: Vec<u32>,
    pub loads: Vec<Load>,
    pub instrs: Vec<Instr>,
    pub stores: Vec<Store>,
}

/// `offset` and `strides` are indices of expressions.
#[derive(Debug)]
pub struct Load {
    pub slot: u32,
    pub offset: u32,
    pub strides: Vec<u32>,
}

#[derive(Debug)]
pub struct Store {
    pub slot: u32,
    pub value: u32,
    pub reduce: Option<Op>,
    pub mask: u32,
}

impl Program {
    /// Copies and checks `bytes`. Fails with `E_VERSION` for another format or op table, else with `E_FORMAT`.
    pub fn decode(bytes: &[u8]) -> Result<Program, Error> {
        let mut reader = Reader::new(bytes);
        if reader.u32()? != MAGIC {
            return Err(Error::format("not a program: the magic number is missing"));
        }
        let format = reader.u32()?;
        if format != FORMAT {
            return Err(Error::new(
                Code::Version,
                format!(
                    "the program has format {format}, @millrace/cpu-native reads {FORMAT}: install one version of both"
                ),
            ));
        }
        if reader.u64()? != OP_TABLE_HASH {
            return Err(Error::new(
                Code::Version,
                "the ops of @millrace/core and @millrace/cpu-native differ: install one version of both packages",
            ));
        }
        if reader.u64()? != bytes.len() as u64 {
            return Err(Error::format(format!("the program says another length than its {} bytes", bytes.len())));
        }
        let symbols = reader.u32()?;
        if symbols > MAX_SYMBOLS {
            return Err(Error::format(format!("{symbols} symbols, at most {MAX_SYMBOLS}")));
        }
        let mut index = 0;
        let exprs = reader.list(12, |reader| {
            index += 1;
            expr(reader, index - 1, symbols)
        })?;
        let guards = reader.list(12, |reader| guard(reader, exprs.len()))?;
        let consts = reader.list(16, |reader| constant(reader, bytes.len()))?;
        let tables = Tables { exprs: exprs.len(), consts: consts.len() };
        let main = region(&mut reader, &tables, 0)?;
        let end = reader.position();
        if consts.iter().any(|range| range.length > 0 && range.offset < end) {
            return Err(Error::format("a constant overlaps the records"));
        }
        let data = consts.iter().map(|range| range.offset + range.length).max().unwrap_or(end).max(end);
        if bytes.len() - data >= CONST_ALIGN as usize {
            return Err(Error::format(format!("{} bytes follow the last constant", bytes.len() - data)));
        }
        Ok(Program { symbols: symbols as usize, exprs, guards, consts, main, bytes: AlignedBytes::copy(bytes)? })
    }
}

/// What indices in a region refer to.
struct Tables {
    exprs: usize,
    consts: usize,
}

fn expr(reader: &mut Reader, index: usize, symbols: u32) -> Result<Expr, Error> {
    let tag = reader.u32()?;
    match tag {
        0 => Ok(Expr::Const(reader.u64()? as i64)),
        1 => {
            let symbol = reader.index("symbol", symbols as usize)?;
            if reader.u32()? != 0 {
                return Err(Error::format("a symbol has a second operand"));
            }
            Ok(Expr::Symbol(symbol))
        }
        2..=7 => {
            let (a, b) = (reader.index("expression", index)?, reader.index("expression", index)?);
            Ok(match tag {
                2 => Expr::Add(a, b),
                3 => Expr::Mul(a, b),
                4 => Expr::FloorDiv(a, b),
                5 => Expr::Mod(a, b),
                6 => Expr::Max(a, b),
                _ => Expr::Min(a, b),
            })
        }
        _ => Err(Error::format(format!("no expression has tag {tag}"))),
    }
}

fn guard(reader: &mut Reader, exprs: usize) -> Result<Guard, Error> {
    let kind = reader.u32()?;
    let (lhs, rhs) = (reader.index("expression", exprs)?, reader.index("expression", exprs)?);
    match kind {
        0 => Ok(Guard::Equal(lhs, rhs)),
        1 => Ok(Guard::LessEqual(lhs, rhs)),
        _ => Err(Error::format(format!("no guard has kind {kind}"))),
    }
}

fn constant(reader: &mut Reader, total: usize) -> Result<Const, Error> {
    let (offset, length) = (reader.u64()?, reader.u64()?);
    let end = offset.checked_add(length).filter(|&end| end <= total as u64);
    if end.is_none() || offset % CONST_ALIGN != 0 {
        return Err(Error::format(format!("a constant of {length} bytes at byte {offset} of {total}")));
    }
    Ok(Const { offset: offset as usize, length: length as usize })
}

fn region(reader: &mut Reader, tables: &Tables, depth: usize) -> Result<Region, Error> {
    if depth > MAX_DEPTH {
        return Err(Error::format(format!("regions nest deeper than {MAX_DEPTH}")));
    }
    let slots = reader.list(8, |reader| slot(reader, tables))?;
    let params = reader.u32()? as usize;
    if params > slots.len() {
        return Err(Error::format(format!("{params} parameters in {} slots", slots.len())));
    }
    let results = reader.indices("slot", slots.len())?;
    let mut defined = vec![false; slots.len()];
    defined[..params].fill(true);
    let mut scope = Scope { slots: &slots, defined };
    let records = reader.list(8, |reader| record(reader, tables, &mut scope, depth))?;
    for &slot in &results {
        scope.read(slot)?;
    }
    Ok(Region { slots, params, results, records })
}

fn slot(reader: &mut Reader, tables: &Tables) -> Result<Slot, Error> {
    let dtype = dtype(reader)?;
    let dims = reader.indices("expression", tables.exprs)?;
    if dims.len() > MAX_RANK {
        return Err(Error::format(format!("a slot of rank {}, at most {MAX_RANK}", dims.len())));
    }
    Ok(Slot { dtype, dims })
}

fn dtype(reader: &mut Reader) -> Result<DType, Error> {
    let id = reader.u32()?;
    DType::from_id(id).ok_or_else(|| Error::format(format!("no dtype has number {id}")))
}

fn op(reader: &mut Reader) -> Result<Op, Error> {
    let id = reader.u32()?;
    Op::from_id(id).ok_or_else(|| {
        Error::new(Code::Version, format!("the program holds op {id}, which @millrace/cpu-native does not know"))
    })
}

/// Which slots of a region are defined so far.
struct Scope<'a> {
    slots: &'a [Slot],
    defined: Vec<bool>,
}

impl Scope<'_> {
    fn read(&self, slot: u32) -> Result<(), Error> {
        if self.defined[slot as usize] {
            return Ok(());
        }
        Err(Error::format(format!("slot {slot} is read before it is written")))
    }

    fn write(&mut self, slot: u32) -> Result<(), Error> {
        if std::mem::replace(&mut self.defined[slot as usize], true) {
            return Err(Error::format(format!("slot {slot} is written twice")));
        }
        Ok(())
    }
}

fn record(reader: &mut Reader, tables: &Tables, scope: &mut Scope, depth: usize) -> Result<Record, Error> {
    let kind = reader.u32()?;
    let words = reader.count(4)?;
    let start = reader.position();
    let slots = scope.slots.len();
    let record = match kind {
        0 => {
            let slot = reader.index("slot", slots)?;
            let index = reader.index("constant", tables.consts)?;
            scope.write(slot)?;
            Record::Constant { slot, index }
        }
        1 => {
            let (from, to) = (reader.index("slot", slots)?, reader.index("slot", slots)?);
            scope.read(from)?;
            scope.write(to)?;
            Record::Alias { from, to }
        }
        2 => library(reader, tables, scope, depth)?,
        3 => Record::Loop(fused(reader, tables, scope)?),
        _ => return Err(Error::format(format!("no record has kind {kind}"))),
    };
    if reader.position() - start != words * 4 {
        let read = (reader.position() - start) / 4;
        return Err(Error::format(format!("a record of {words} words at byte {start} holds {read}")));
    }
    Ok(record)
}

fn library(reader: &mut Reader, tables: &Tables, scope: &mut Scope, depth: usize) -> Result<Record, Error> {
    let op = op(reader)?;
    let version = reader.u32()?;
    if version != op.version() {
        let (name, known) = (op.name(), op.version());
        return Err(Error::new(
            Code::Version,
            format!("the program holds {name} version {version}, @millrace/cpu-native knows version {known}"),
        ));
    }
    let ins = reader.indices("slot", scope.slots.len())?;
    for &slot in &ins {
        scope.read(slot)?;
    }
    let outs = reader.indices("slot", scope.slots.len())?;
    for &slot in &outs {
        scope.write(slot)?;
    }
    let attrs = reader.list(8, |reader| Ok((reader.string()?, value(reader, tables, 0)?)))?;
    if !attrs.windows(2).all(|pair| pair[0].0 < pair[1].0) {
        return Err(Error::format(format!("the attributes of {} are not sorted", op.name())));
    }
    let regions = reader.list(16, |reader| region(reader, tables, depth + 1))?;
    if !regions.is_empty() && !matches!(op, Op::Cond | Op::WhileLoop | Op::WhileLoopBack | Op::Call) {
        return Err(Error::format(format!("{} has no regions", op.name())));
    }
    Ok(Record::Library { op, ins, outs, attrs, regions })
}

fn value(reader: &mut Reader, tables: &Tables, depth: usize) -> Result<Value, Error> {
    if depth > MAX_DEPTH {
        return Err(Error::format(format!("attributes nest deeper than {MAX_DEPTH}")));
    }
    let tag = reader.u32()?;
    Ok(match tag {
        0 => Value::Int(reader.u64()? as i64),
        1 => Value::Float(f64::from_bits(reader.u64()?)),
        2 => Value::Bool(reader.index("bool", 2)? == 1),
        3 => Value::Str(reader.string()?),
        4 => Value::List(reader.list(8, |reader| value(reader, tables, depth + 1))?),
        5 => Value::Expr(reader.index("expression", tables.exprs)?),
        6 => Value::Bytes(reader.bytes()?.to_vec()),
        _ => return Err(Error::format(format!("no attribute value has tag {tag}"))),
    })
}

fn fused(reader: &mut Reader, tables: &Tables, scope: &mut Scope) -> Result<Loop, Error> {
    let slots = scope.slots;
    let extents = reader.indices("expression", tables.exprs)?;
    if extents.len() > MAX_RANK {
        return Err(Error::format(format!("a loop of {} extents, at most {MAX_RANK}", extents.len())));
    }
    let mut dtypes = Vec::new();
    let loads = reader.list(12, |reader| {
        let slot = reader.index("slot", slots.len())?;
        scope.read(slot)?;
        let offset = reader.index("expression", tables.exprs)?;
        let strides = reader.indices("expression", tables.exprs)?;
        if strides.len() != extents.len() {
            return Err(Error::format(format!("{} strides in a loop of {} extents", strides.len(), extents.len())));
        }
        dtypes.push(slots[slot as usize].dtype);
        Ok(Load { slot, offset, strides })
    })?;
    let instrs = reader.list(28, |reader| {
        let (op, dtype) = (op(reader)?, dtype(reader)?);
        let args = [reader.u32()?, reader.u32()?, reader.u32()?];
        let instr = Instr { op, dtype, args, immediate: reader.u64()? };
        rules::instr(&instr, &dtypes, extents.len())?;
        dtypes.push(dtype);
        Ok(instr)
    })?;
    let stores = reader.list(16, |reader| {
        let slot = reader.index("slot", slots.len())?;
        scope.write(slot)?;
        let value = reader.index("value", dtypes.len())?;
        let reduce = match reader.u32()? {
            NONE => None,
            id => Some(Op::from_id(id).ok_or_else(|| Error::format(format!("no reduction has number {id}")))?),
        };
        let mask = reader.u32()?;
        rules::store(slots[slot as usize].dtype, dtypes[value as usize], reduce, mask, extents.len())?;
        // A reduction over no extents is a copy.
        Ok(Store { slot, value, reduce: reduce.filter(|_| mask != 0), mask })
    })?;
    Ok(Loop { extents, loads, instrs, stores })
}
