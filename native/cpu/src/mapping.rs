//! Files whose bytes are tensors. They are mapped privately and only read: a page is loaded when it is first used.
//!
//! Whoever maps a file promises that it is not changed in place while it is mapped: a file that is cut short then ends
//! the process with a bus error at the first page that is gone. One that is replaced by renaming is safe.

use memmap2::{Mmap, MmapOptions};
use millrace_program::{Code, Error};
use std::collections::HashMap;
use std::fs::{File, Metadata};
use std::path::Path;
use std::rc::{Rc, Weak};
use std::time::SystemTime;

/// The mapped files that storages use.
#[derive(Default)]
pub struct Mappings {
    files: HashMap<Version, Weak<Mmap>>,
}

/// A file as it was when it was mapped.
#[derive(PartialEq, Eq, Hash)]
struct Version {
    file: FileId,
    bytes: u64,
    modified: Option<SystemTime>,
}

#[cfg(unix)]
type FileId = (u64, u64);

#[cfg(unix)]
fn file_id(_: &Path, file: &Metadata) -> FileId {
    use std::os::unix::fs::MetadataExt;
    (file.dev(), file.ino())
}

#[cfg(not(unix))]
type FileId = std::path::PathBuf;

#[cfg(not(unix))]
fn file_id(path: &Path, _: &Metadata) -> FileId {
    path.canonicalize().unwrap_or_else(|_| path.to_path_buf())
}

impl Mappings {
    /// The bytes of a regular file: one mapping for all that use it now. `E_FILE` where it cannot be opened.
    pub fn open(&mut self, path: &Path) -> Result<Rc<Mmap>, Error> {
        let failed = |error| Error::new(Code::File, format!("cannot map {}: {error}", path.display()));
        let irregular = || failed(std::io::Error::other("it is no regular file"));
        // Asked before it is opened as well: opening a pipe waits for a writer.
        if !path.metadata().map_err(failed)?.is_file() {
            return Err(irregular());
        }
        let file = File::open(path).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        if !metadata.is_file() {
            return Err(irregular());
        }
        let version =
            Version { file: file_id(path, &metadata), bytes: metadata.len(), modified: metadata.modified().ok() };
        if let Some(mapping) = self.files.get(&version).and_then(Weak::upgrade) {
            return Ok(mapping);
        }
        let too_large = |_| Error::new(Code::Memory, format!("{} has no place in memory", path.display()));
        let bytes = usize::try_from(version.bytes).map_err(too_large)?;
        // SAFETY: that nobody changes the file is the caller's promise, see above; nobody writes to the mapping.
        let mapping = unsafe { MmapOptions::new().len(bytes).map_copy_read_only(&file) };
        let mapping = Rc::new(mapping.map_err(|error| {
            Error::new(Code::Memory, format!("cannot map the {bytes} bytes of {}: {error}", path.display()))
        })?);
        self.files.retain(|_, known| known.strong_count() > 0);
        self.files.insert(version, Rc::downgrade(&mapping));
        Ok(mapping)
    }
}
