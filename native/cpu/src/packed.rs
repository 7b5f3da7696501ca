//! Packed forms of weights, so that a kernel does not pack its operand at each run: of a program's constants from their
//! first run on, of a parameter's storage from the second run that sees it unchanged, so that training never pays.
//!
//! Programs of a device run one at a time and in order. So a form is written by the first run that has it, before the
//! kernel that wants it, and read by later ones. It is forgotten before its storage is written or used for another
//! tensor; a program in the queue keeps what it needs.

use crate::executable::{BoundProgram, Kernel};
use crate::queue::Arena;
use crate::storage::{Memory, StorageId};
use millrace_kernels::{Packing, Pool};
use millrace_program::{Loc, Step};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::*};

/// Bytes that the forms of one device take at most.
const LIMIT: usize = 512 << 20;

/// A step whose kernel reads a weight packed.
pub struct Wish {
    step: usize,
    weight: Loc,
    packing: Packing,
}

/// What the steps of a program wish that read a parameter or a constant.
pub fn wishes(steps: &[Step<Kernel>]) -> Vec<Wish> {
    let wish = |(step, it): (usize, &Step<Kernel>)| {
        let Step::Kernel { plan, ins, .. } = it else { return None };
        let packing = plan.packing()?;
        let weight = ins[packing.operand];
        matches!(weight, Loc::Param(_) | Loc::Const(_)).then_some(Wish { step, weight, packing })
    };
    steps.iter().enumerate().filter_map(wish).collect()
}

/// One packed form.
pub struct Form {
    memory: Arena,
    is_written: AtomicBool,
}

// SAFETY: one run at a time uses it, see above.
unsafe impl Sync for Form {}

impl Form {
    /// The form; `plan` writes it from `operand` where none has.
    ///
    /// # Safety
    /// As for `Plan::pack`, with the packing that this was made for.
    pub unsafe fn of(&self, plan: &Kernel, operand: *const u8, pool: &Pool) -> *const u8 {
        let to = self.memory.start();
        if !self.is_written.load(Acquire) {
            // SAFETY: by the caller.
            unsafe { plan.pack(operand, to, pool) };
            self.is_written.store(true, Release);
        }
        to
    }
}

/// The forms that one run uses, by step.
pub type Forms = Vec<(usize, Arc<Form>)>;

/// Whose bytes are packed.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Owner {
    Storage(StorageId),
    /// A byte of the executable of this number.
    Const(u64, usize),
}

struct Entry {
    form: Arc<Form>,
    bytes: usize,
    used: u64,
}

/// The forms of a device, the least recently used of which go first.
#[derive(Default)]
pub struct PackedForms {
    entries: HashMap<(Owner, [usize; 8]), Entry>,
    /// What they take together.
    pub bytes: usize,
    clock: u64,
}

impl Memory {
    /// The forms that a run of `it` on these storages has.
    pub fn forms(&mut self, it: &BoundProgram, inputs: &[StorageId]) -> Forms {
        let mut forms = Vec::new();
        let limit = LIMIT.min(self.room());
        for wish in &it.wishes {
            let (owner, is_steady) = match wish.weight {
                Loc::Param(param) => (Owner::Storage(inputs[param]), self.get(inputs[param]).was_read),
                Loc::Const(offset) => (Owner::Const(it.executable, offset), true),
                Loc::Arena(_) | Loc::Result(_) => continue,
            };
            if let Some(form) = self.packed.form((owner, wish.packing.layout), wish.packing.bytes, is_steady, limit) {
                forms.push((wish.step, form));
            }
        }
        for wish in &it.wishes {
            if let Loc::Param(param) = wish.weight {
                self.get_mut(inputs[param]).was_read = true;
            }
        }
        forms
    }

    /// A storage has other bytes from now on.
    pub fn rewrite(&mut self, id: StorageId) {
        if std::mem::take(&mut self.get_mut(id).was_read) {
            self.packed.forget_storage(id);
        }
    }
}

type Key = (Owner, [usize; 8]);

impl PackedForms {
    /// A form that there is, or a new one where its weight is steady.
    fn form(&mut self, key: Key, bytes: usize, is_steady: bool, limit: usize) -> Option<Arc<Form>> {
        if is_steady && !self.entries.contains_key(&key) && bytes <= limit {
            while self.bytes + bytes > limit {
                let (&oldest, _) = self.entries.iter().min_by_key(|(_, entry)| entry.used)?;
                self.remove(|key| *key == oldest);
            }
            // Without memory the kernel packs for itself.
            let memory = Arena::new(bytes).ok()?;
            let form = Arc::new(Form { memory, is_written: AtomicBool::new(false) });
            self.entries.insert(key, Entry { form, bytes, used: 0 });
            self.bytes += bytes;
        }
        self.clock += 1;
        let entry = self.entries.get_mut(&key)?;
        entry.used = self.clock;
        Some(entry.form.clone())
    }

    fn remove(&mut self, which: impl Fn(&Key) -> bool) {
        let gone = self.entries.extract_if(|key, _| which(key));
        self.bytes -= gone.map(|(_, entry)| entry.bytes).sum::<usize>();
    }

    pub fn forget_storage(&mut self, id: StorageId) {
        self.remove(|key| key.0 == Owner::Storage(id));
    }

    /// Forgets the forms of a program's constants.
    pub fn forget_program(&mut self, executable: u64) {
        self.remove(|key| matches!(key.0, Owner::Const(number, _) if number == executable));
    }

    pub fn clear(&mut self) {
        self.remove(|_| true);
    }
}
