//! Tensors in mapped files.

use crate::programs::{accumulate, add};
use crate::tests::{bind, device, read, run, upload};
use crate::{DONATE, Device};
use millrace_program::Code;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// A file that is removed at the end of its test.
struct TestFile(PathBuf);

impl TestFile {
    fn new(bytes: &[u8]) -> TestFile {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("millrace-{}-{}", std::process::id(), NEXT.fetch_add(1, Relaxed));
        let path = std::env::temp_dir().join(name);
        fs::write(&path, bytes).unwrap();
        TestFile(path)
    }

    fn of(values: &[f32]) -> TestFile {
        TestFile::new(&values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>())
    }
}

impl Drop for TestFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn map(device: &mut Device, path: &Path, offset: usize, count: usize) -> i32 {
    device.map(path, offset, 4 * count, 4).unwrap()
}

#[test]
fn values_are_those_of_the_file_and_all_is_given_back() {
    let file = TestFile::of(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    let mut device = device();
    let sum = bind(&mut device, &add(), &[3]);
    let (a, b) = (map(&mut device, &file.0, 0, 3), map(&mut device, &file.0, 12, 3));
    assert_eq!(read(&mut device, b), [4.0, 5.0, 6.0]);
    let memory = device.stats().memory;
    assert_eq!((memory.live, memory.mapped, memory.storages), (0, 24, 2));
    assert_eq!(device.memory.mapped_files(), 1, "both share one mapping");
    let direct = device.run_small(sum, [a, b]).unwrap();
    let general = run(&mut device, sum, &[a, b])[0];
    assert_eq!(read(&mut device, direct), [5.0, 7.0, 9.0]);
    assert_eq!(read(&mut device, general), [5.0, 7.0, 9.0]);
    for handle in [a, b, direct, general] {
        device.free(handle).unwrap();
    }
    let memory = device.stats().memory;
    assert_eq!((memory.live, memory.mapped, memory.storages), (0, 0, 0));
    assert_eq!(device.memory.mapped_files(), 0);
}

#[test]
fn a_donated_file_is_never_written() {
    let file = TestFile::of(&[1.0; 4]);
    let mut device = device();
    let sum = bind(&mut device, &add(), &[4]);
    let (weight, other) = (map(&mut device, &file.0, 0, 4), map(&mut device, &file.0, 0, 4));
    let step = upload(&mut device, &[0.5; 4]);
    let first = run(&mut device, sum, &[weight | DONATE, step])[0];
    let trained = run(&mut device, sum, &[first | DONATE, step])[0];
    assert_eq!(read(&mut device, trained), [2.0; 4]);
    assert_eq!(device.read(first).unwrap_err().code, Code::Disposed, "what is no file is taken over");
    assert_eq!(read(&mut device, other), [1.0; 4]);
    assert_eq!(read(&mut device, weight), [1.0; 4]);
    assert_eq!(fs::read(&file.0).unwrap(), [0, 0, 128, 63].repeat(4));
}

#[test]
fn bytes_that_are_not_aligned_are_copied() {
    let mut bytes = vec![0; 2];
    bytes.extend([7.0_f32, 8.0].iter().flat_map(|value| value.to_le_bytes()));
    let file = TestFile::new(&bytes);
    let mut device = device();
    let x = map(&mut device, &file.0, 2, 2);
    assert_eq!(read(&mut device, x), [7.0, 8.0]);
    let memory = device.stats().memory;
    assert_eq!((memory.live, memory.mapped), (8, 0));
    // Whoever claims that the elements are narrower cannot compute with them.
    let sum = bind(&mut device, &add(), &[2]);
    let narrow = device.map(&file.0, 2, 8, 1).unwrap();
    assert_eq!(device.stats().memory.mapped, 8);
    assert_eq!(device.run_small(sum, [narrow, narrow]).unwrap_err().code, Code::Argument);
    assert_eq!(device.run(sum, &[narrow, x], &mut Vec::new()).unwrap_err().code, Code::Argument);
}

#[test]
fn a_queued_program_keeps_the_file() {
    let file = TestFile::of(&[1.0; 4]);
    let mut device = device();
    let bound = bind(&mut device, &accumulate(1000.0), &[4]);
    let y = map(&mut device, &file.0, 0, 4);
    let x = upload(&mut device, &[0.0; 4]);
    let results = run(&mut device, bound, &[x, y]);
    device.free(y).unwrap();
    assert_eq!(read(&mut device, results[0]), [250.0; 4]);
    assert_eq!(read(&mut device, results[1]), [1.0; 4], "a result that is the parameter is the file too");
    for handle in [x, results[0], results[1]] {
        device.free(handle).unwrap();
    }
    assert_eq!((device.stats().memory.mapped, device.memory.mapped_files()), (0, 0));
}

// Windows keeps a mapped file from being replaced.
#[cfg(unix)]
#[test]
fn a_file_that_was_replaced_is_another() {
    let file = TestFile::of(&[1.0; 4]);
    let mut device = device();
    let old = map(&mut device, &file.0, 0, 4);
    let replacement = TestFile::of(&[2.0; 4]);
    fs::rename(&replacement.0, &file.0).unwrap();
    let new = map(&mut device, &file.0, 0, 4);
    assert_eq!(read(&mut device, old), [1.0; 4]);
    assert_eq!(read(&mut device, new), [2.0; 4]);
    drop(device);
}

#[test]
fn what_cannot_be_mapped_is_refused() {
    let file = TestFile::of(&[1.0; 4]);
    let mut device = device();
    let mut code = |path: &Path, offset, bytes, element| device.map(path, offset, bytes, element).unwrap_err().code;
    assert_eq!(code(&file.0, 0, 17, 1), Code::Format);
    assert_eq!(code(&file.0, 17, 0, 1), Code::Format);
    assert_eq!(code(&file.0, usize::MAX, 1, 1), Code::Format);
    assert_eq!(code(&file.0, 0, usize::MAX, 1), Code::Format);
    assert_eq!(code(&file.0, 0, 4, 3), Code::Argument);
    assert_eq!(code(&file.0, 0, 4, 0), Code::Argument);
    assert_eq!(code(&file.0, 0, 4, 128), Code::Argument);
    assert_eq!(code(&std::env::temp_dir(), 0, 4, 4), Code::File);
    assert_eq!(code(Path::new("millrace-is-not-here"), 0, 4, 4), Code::File);
    assert_eq!(code(Path::new("a\0b"), 0, 4, 4), Code::File);
    assert_eq!(code(Path::new(""), 0, 4, 4), Code::File);
    let empty = TestFile::new(&[]);
    let nothing = device.map(&empty.0, 0, 0, 4).unwrap();
    assert_eq!(device.read(nothing).unwrap(), [0_u8; 0]);
    let end = device.map(&file.0, 16, 0, 4).unwrap();
    assert_eq!(device.read(end).unwrap(), [0_u8; 0]);
    assert_eq!((device.stats().memory.mapped, device.memory.mapped_files()), (0, 0));
}

#[cfg(target_os = "linux")]
mod linux {
    use super::*;

    /// Bytes of a mapped file that are in memory; `None` where it is not mapped.
    fn resident(path: &Path) -> Option<usize> {
        let maps = fs::read_to_string("/proc/self/smaps").unwrap();
        let mut lines = maps.lines().skip_while(|line| !line.ends_with(path.to_str().unwrap()));
        let rss = lines.find_map(|line| line.strip_prefix("Rss:"))?;
        Some(rss.trim().strip_suffix(" kB")?.parse::<usize>().ok()? << 10)
    }

    #[test]
    fn nothing_is_read_before_it_is_used() {
        let file = TestFile::new(&[]);
        let bytes = 256 << 20;
        fs::File::options().write(true).open(&file.0).unwrap().set_len(bytes as u64).unwrap();
        // Less than the file: it counts for nothing.
        let mut device = Device::new(1 << 20);
        let handles: Vec<i32> = (0..4).map(|i| map(&mut device, &file.0, i * bytes / 4, bytes / 16)).collect();
        assert_eq!(resident(&file.0), Some(0));
        let sum = bind(&mut device, &add(), &[1000]);
        let head = map(&mut device, &file.0, 0, 1000);
        let zeros = run(&mut device, sum, &[head, head])[0];
        assert_eq!(read(&mut device, zeros), [0.0; 1000]);
        let touched = resident(&file.0).unwrap();
        assert!((4000..1 << 20).contains(&touched), "{touched} bytes for 4000");
        for handle in handles.into_iter().chain([head]) {
            device.free(handle).unwrap();
        }
        assert_eq!(resident(&file.0), None);
    }

    #[test]
    fn a_pipe_is_refused_and_not_waited_for() {
        let file = TestFile::new(&[]);
        let path = file.0.with_extension("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
        let refused = device().map(&path, 0, 4, 4).unwrap_err();
        fs::remove_file(&path).unwrap();
        assert_eq!(refused.code, Code::File);
    }
}
