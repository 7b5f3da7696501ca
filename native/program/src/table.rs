//! Look-ups in the generated tables.

use crate::generated::{DTYPES, DType, Kind, OPS, Op};

impl DType {
    pub fn from_id(id: u32) -> Option<DType> {
        DTYPES.get(id as usize).map(|entry| entry.0)
    }

    pub fn from_name(name: &str) -> Option<DType> {
        DTYPES.iter().find(|entry| entry.1 == name).map(|entry| entry.0)
    }

    pub fn name(self) -> &'static str {
        DTYPES[self as usize].1
    }

    /// Bytes of one element.
    pub fn size(self) -> usize {
        DTYPES[self as usize].2
    }

    /// Whether it has a fraction.
    pub fn is_float(self) -> bool {
        DTYPES[self as usize].3
    }
}

impl Op {
    pub fn from_id(id: u32) -> Option<Op> {
        OPS.get(id as usize).map(|entry| entry.0)
    }

    pub fn from_name(name: &str) -> Option<Op> {
        OPS.binary_search_by(|entry| entry.1.cmp(name)).ok().map(|at| OPS[at].0)
    }

    pub fn name(self) -> &'static str {
        OPS[self as usize].1
    }

    pub fn version(self) -> u32 {
        OPS[self as usize].2
    }

    pub fn kind(self) -> Kind {
        OPS[self as usize].3
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generated::OP_TABLE_HASH;

    #[test]
    fn ids_are_positions_and_names_are_sorted() {
        for (i, entry) in OPS.iter().enumerate() {
            assert_eq!(entry.0 as usize, i);
            assert_eq!(Op::from_name(entry.1), Some(entry.0));
        }
        assert!(OPS.windows(2).all(|pair| pair[0].1 < pair[1].1));
        assert!(DTYPES.iter().enumerate().all(|(i, entry)| entry.0 as usize == i));
    }

    #[test]
    fn hash_is_fnv1a_of_names_and_versions() {
        let text: String = OPS.iter().map(|entry| format!("{}@{}\n", entry.1, entry.2)).collect();
        let hash = text
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        assert_eq!(hash, OP_TABLE_HASH);
    }
}
