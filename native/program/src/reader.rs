//! A reader of little-endian words that checks every length before it is believed.

use crate::error::Error;

pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader { bytes, at: 0 }
    }

    pub fn position(&self) -> usize {
        self.at
    }

    pub fn take(&mut self, count: usize) -> Result<&'a [u8], Error> {
        let rest = &self.bytes[self.at..];
        let taken = rest.get(..count).ok_or_else(|| self.truncated())?;
        self.at += count;
        Ok(taken)
    }

    fn truncated(&self) -> Error {
        Error::format(format!("the program ends within a value at byte {}", self.at))
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    pub fn u32(&mut self) -> Result<u32, Error> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    pub fn u64(&mut self) -> Result<u64, Error> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    /// The count of a list whose items take at least `item_bytes` each.
    pub fn count(&mut self, item_bytes: usize) -> Result<usize, Error> {
        let count = self.u32()? as usize;
        if count > (self.bytes.len() - self.at) / item_bytes {
            return Err(Error::format(format!("a list of {count} at byte {} is longer than the program", self.at - 4)));
        }
        Ok(count)
    }

    /// A list of items of at least `item_bytes` each.
    pub fn list<T>(
        &mut self,
        item_bytes: usize,
        mut item: impl FnMut(&mut Reader<'a>) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        let count = self.count(item_bytes)?;
        // Items may be larger in memory than in the program: the rest of a long list grows as it is read.
        let mut items = Vec::with_capacity(count.min(1024));
        for _ in 0..count {
            items.push(item(self)?);
        }
        Ok(items)
    }

    /// A list of indices below `limit`.
    pub fn indices(&mut self, what: &str, limit: usize) -> Result<Vec<u32>, Error> {
        self.list(4, |reader| reader.index(what, limit))
    }

    pub fn index(&mut self, what: &str, limit: usize) -> Result<u32, Error> {
        let index = self.u32()?;
        if index as usize >= limit {
            return Err(Error::format(format!("{what} {index} of {limit} at byte {}", self.at - 4)));
        }
        Ok(index)
    }

    /// A count of bytes, the bytes, zeros up to a multiple of 4.
    pub fn bytes(&mut self) -> Result<&'a [u8], Error> {
        let count = self.count(1)?;
        let bytes = self.take(count)?;
        if self.take(count.next_multiple_of(4) - count)?.iter().any(|&byte| byte != 0) {
            return Err(Error::format(format!("padding before byte {} is not zero", self.at)));
        }
        Ok(bytes)
    }

    pub fn string(&mut self) -> Result<String, Error> {
        let at = self.at;
        let bytes = self.bytes()?;
        let text = std::str::from_utf8(bytes).map_err(|_| Error::format(format!("no UTF-8 at byte {at}")))?;
        Ok(text.to_owned())
    }
}
