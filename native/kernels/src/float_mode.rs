//! How a thread's floating-point unit treats subnormal numbers. Programs count them as zero, operands and results, as
//! TensorFlow's do: a parameter without a gradient has moments that fade to subnormal numbers, and the processor takes
//! ten times as long for each of these.

use std::marker::PhantomData;

/// The control register of this thread's floating-point unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FloatMode(u64);

#[cfg(target_arch = "x86_64")]
mod register {
    use std::arch::asm;

    /// Results (flush to zero) and operands (denormals are zero).
    pub const FLUSH: u64 = 1 << 15 | 1 << 6;

    #[inline]
    pub fn read() -> u64 {
        let mut value = 0_u32;
        // SAFETY: stores the register in `value`.
        unsafe { asm!("stmxcsr [{}]", in(reg) &raw mut value, options(nostack, preserves_flags)) }
        u64::from(value)
    }

    #[inline]
    pub fn write(value: u64) {
        let value = value as u32;
        // SAFETY: loads what `read` gave, but for `FLUSH`. Rust's own code gives other results for subnormal numbers
        // only: no other bit changes, exceptions stay masked.
        unsafe { asm!("ldmxcsr [{}]", in(reg) &raw const value, options(nostack, readonly, preserves_flags)) }
    }
}

#[cfg(target_arch = "aarch64")]
mod register {
    use std::arch::asm;

    /// Operands and results.
    pub const FLUSH: u64 = 1 << 24;

    #[inline]
    pub fn read() -> u64 {
        let value;
        // SAFETY: reads a register that every thread may read.
        unsafe { asm!("mrs {}, fpcr", out(reg) value, options(nomem, nostack, preserves_flags)) }
        value
    }

    #[inline]
    pub fn write(value: u64) {
        // SAFETY: writes what `read` gave, but for `FLUSH`.
        unsafe { asm!("msr fpcr, {}", in(reg) value, options(nomem, nostack, preserves_flags)) }
    }
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
mod register {
    pub const FLUSH: u64 = 0;

    pub fn read() -> u64 {
        0
    }

    pub fn write(_: u64) {}
}

impl FloatMode {
    #[inline]
    pub fn current() -> FloatMode {
        FloatMode(register::read())
    }

    /// This mode until the guard is dropped. It must be dropped on this thread, and in the order of guards.
    #[inline]
    pub fn enter(self) -> Entered {
        let before = FloatMode::current();
        if before != self {
            register::write(self.0);
        }
        Entered { before, now: self, thread: PhantomData }
    }

    /// The mode of programs: subnormal numbers count as zero.
    #[inline]
    pub fn of_programs() -> FloatMode {
        FloatMode(register::read() | register::FLUSH)
    }
}

/// Gives the thread its old mode back when dropped.
pub struct Entered {
    before: FloatMode,
    now: FloatMode,
    /// Stays on its thread.
    thread: PhantomData<*const ()>,
}

impl Drop for Entered {
    #[inline]
    fn drop(&mut self) {
        if self.before != self.now {
            register::write(self.before.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Pool;
    use std::hint::black_box;
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

    fn halved() -> f32 {
        black_box(f32::MIN_POSITIVE) * black_box(0.5)
    }

    #[test]
    fn subnormal_numbers_are_zero_while_it_is_entered_on_every_thread_of_a_job() {
        assert!(halved() > 0.0);
        let pool = Pool::new(3);
        let flushed = AtomicUsize::new(0);
        let count = |_| {
            flushed.fetch_add(usize::from(halved() == 0.0), Relaxed);
        };
        {
            let _mode = FloatMode::of_programs().enter();
            pool.for_chunks(1000, count);
            assert_eq!(halved() == 0.0, register::FLUSH != 0);
        }
        assert_eq!(flushed.swap(0, Relaxed), if register::FLUSH == 0 { 0 } else { 1000 });
        assert!(halved() > 0.0);
        pool.for_chunks(1000, count);
        assert_eq!(flushed.load(Relaxed), 0);
    }
}
