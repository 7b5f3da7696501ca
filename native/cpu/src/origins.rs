//! Where live memory came from: a number that the user of a device gives to storages and to the results of programs,
//! and reads back with what is live of each. Its meaning is theirs.

use crate::device::Device;
use millrace_program::Error;
use std::collections::HashMap;
use std::sync::atomic::Ordering::Relaxed;

/// 0 is that of memory which nobody has given one.
pub type Origin = u64;

/// What is live of one origin.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Live {
    pub storages: usize,
    pub bytes: usize,
}

impl Device {
    /// The results of a bound program are of `first`, `first + 1` … from the next run on, but those that are an argument
    /// or an earlier result passed through. With 0 all are of 0.
    pub fn set_bound_origin(&mut self, bound: i32, first: Origin) -> Result<(), Error> {
        self.bounds.get(bound)?.origin.store(first, Relaxed);
        Ok(())
    }

    /// The memory of a tensor is of `origin` from now on; with `from`, only where it was of that.
    pub fn set_origin(&mut self, handle: i32, origin: Origin, from: Option<Origin>) -> Result<(), Error> {
        let storage = self.memory.get_mut(*self.tensors.get(handle)?);
        if from.is_none_or(|from| storage.origin == from) {
            storage.origin = origin;
        }
        Ok(())
    }

    /// What is live, by origin: together the storages and bytes of `stats`.
    pub fn live_by_origin(&mut self) -> HashMap<Origin, Live> {
        self.retire();
        let mut found: HashMap<Origin, Live> = HashMap::new();
        for storage in self.memory.live() {
            let live = found.entry(storage.origin).or_default();
            live.storages += 1;
            live.bytes += storage.bytes;
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DONATE;
    use crate::programs::{F32, Vectors, accumulate, add};
    use crate::tests::{bind, device, run, upload};
    use millrace_program::testing::RegionBuilder;
    use millrace_program::{Code, Op};

    /// What is live, sorted; held against `stats`.
    fn live(device: &mut Device) -> Vec<(Origin, usize, usize)> {
        let mut rows: Vec<_> = device.live_by_origin().into_iter().map(|(o, it)| (o, it.storages, it.bytes)).collect();
        rows.sort();
        let stats = device.stats().memory;
        assert_eq!(rows.iter().map(|row| row.1).sum::<usize>(), stats.storages);
        assert_eq!(rows.iter().map(|row| row.2).sum::<usize>(), stats.live);
        rows
    }

    #[test]
    fn results_are_of_their_program_and_uploads_of_what_is_said() {
        let mut device = device();
        let bound = bind(&mut device, &add(), &[4]);
        let (a, b) = (upload(&mut device, &[1.0; 4]), upload(&mut device, &[2.0; 4]));
        device.set_origin(a, 7, None).unwrap();
        device.run_small(bound, [a, b]).unwrap();
        device.set_bound_origin(bound, 100).unwrap();
        let direct = device.run_small(bound, [a, b]).unwrap();
        let general = run(&mut device, bound, &[a, b])[0];
        assert_eq!(live(&mut device), [(0, 2, 32), (7, 1, 16), (100, 2, 32)]);
        device.set_origin(direct, 8, Some(99)).unwrap();
        device.set_origin(general, 9, Some(100)).unwrap();
        device.release_bound(bound).unwrap();
        assert_eq!(live(&mut device), [(0, 2, 32), (7, 1, 16), (9, 1, 16), (100, 1, 16)]);
        device.free(direct).unwrap();
        assert_eq!(device.set_origin(direct, 1, None).unwrap_err().code, Code::Disposed);
        assert_eq!(device.set_bound_origin(bound, 1).unwrap_err().code, Code::Disposed);
        let reused = device.upload(&[0; 16]).unwrap();
        assert_eq!(live(&mut device), [(0, 3, 48), (7, 1, 16), (9, 1, 16)]);
        device.free(reused).unwrap();
    }

    #[test]
    fn memory_that_is_passed_through_keeps_its_origin_and_taken_over_gets_the_new_one() {
        let it = Vectors::new();
        let mut main = RegionBuilder::new();
        let (a, b) = (main.param(F32, &[it.n]), main.param(F32, &[it.n]));
        let sum = it.binary(&mut main, Op::Add, a, b);
        let bytes = it.builder.finish(&main.finish(&[b, sum, sum]));
        let mut device = device();
        let bound = bind(&mut device, &bytes, &[4]);
        let (a, b) = (upload(&mut device, &[1.0; 4]), upload(&mut device, &[2.0; 4]));
        device.set_origin(a, 1, None).unwrap();
        device.set_origin(b, 2, None).unwrap();
        for handle in run(&mut device, bound, &[a, b]) {
            assert_eq!(live(&mut device)[0], (0, 1, 16));
            device.free(handle).unwrap();
        }
        device.set_bound_origin(bound, 10).unwrap();
        run(&mut device, bound, &[a, b]);
        assert_eq!(live(&mut device), [(1, 1, 16), (2, 1, 16), (11, 1, 16)]);
        run(&mut device, bound, &[a | DONATE, b]);
        // What the handle of the donated one still holds is empty.
        assert_eq!(live(&mut device), [(0, 1, 0), (2, 1, 16), (11, 2, 32)]);
        device.free(a).unwrap();
        assert_eq!(live(&mut device), [(2, 1, 16), (11, 2, 32)]);
    }

    #[test]
    fn memory_that_only_the_queue_uses_is_live() {
        let mut device = device();
        let bound = bind(&mut device, &accumulate(f32::INFINITY), &[4]);
        device.set_bound_origin(bound, 10).unwrap();
        let (x, zero) = (upload(&mut device, &[0.0; 4]), upload(&mut device, &[0.0; 4]));
        device.set_origin(x, 1, None).unwrap();
        let results = run(&mut device, bound, &[x, zero]);
        device.free(x).unwrap();
        device.free(results[1]).unwrap();
        assert_eq!(live(&mut device), [(0, 1, 16), (1, 1, 16), (10, 1, 16), (11, 1, 16)]);
        device.cancel(results[0], "").unwrap();
        while device.stats().queued > 0 {
            std::thread::yield_now();
        }
        assert_eq!(live(&mut device), [(0, 1, 16), (10, 1, 16)]);
    }
}
