//! AMX: products of tiles of 16 rows of 64 bytes. Its intrinsics are not stable in Rust, so its instructions are here as
//! assembly. The compiler knows nothing of tiles and uses none.

/// Two strips of a and two panels of b, each a row of `count` tiles, and the 32 x 32 sums that their product is.
#[derive(Clone, Copy)]
pub struct Block {
    pub a: [*const u8; 2],
    pub b: [*const u8; 2],
    pub count: usize,
    pub sums: *mut u8,
}

/// Whether the machine has tiles of bytes and of bfloat16, and the system lets this process use them: asks for that.
pub fn is_permitted() -> bool {
    #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
    return x86::is_permitted();
    #[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
    false
}

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
pub use x86::{begin, bfloat16, end, int8};

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod x86 {
    use super::Block;
    use std::arch::asm;
    use std::arch::x86_64::__cpuid_count;

    /// Bits of leaf 7 in edx: bfloat16, tiles, bytes.
    const FEATURES: u32 = 1 << 22 | 1 << 24 | 1 << 25;
    /// arch_prctl(ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA)
    const ARCH_PRCTL: i64 = 158;
    const REQUEST_PERMISSION: u64 = 0x1023;
    const TILE_DATA: u64 = 18;

    pub fn is_permitted() -> bool {
        if __cpuid_count(7, 0).edx & FEATURES != FEATURES {
            return false;
        }
        let mut result = ARCH_PRCTL;
        // SAFETY: a system call that touches no memory of ours; old kernels answer that they do not know it.
        unsafe {
            asm!(
                "syscall",
                inlateout("rax") result,
                in("rdi") REQUEST_PERMISSION,
                in("rsi") TILE_DATA,
                out("rcx") _,
                out("r11") _,
                options(nostack),
            );
        }
        result == 0
    }

    /// Palette 1, eight tiles of 16 rows of 64 bytes.
    #[repr(align(64))]
    struct Config([u8; 64]);

    static CONFIG: Config = {
        let mut bytes = [0; 64];
        bytes[0] = 1;
        let mut tile = 0;
        while tile < 8 {
            bytes[16 + 2 * tile] = 64;
            bytes[48 + tile] = 16;
            tile += 1;
        }
        Config(bytes)
    };

    /// Configures the tiles of this thread.
    ///
    /// # Safety
    /// [`is_permitted`] said so.
    pub unsafe fn begin() {
        // SAFETY: by the caller; it reads the 64 bytes of the configuration.
        unsafe { asm!("ldtilecfg [{}]", in(reg) CONFIG.0.as_ptr(), options(nostack)) }
    }

    /// Gives the tiles back: a thread that is switched out with tiles in use saves 8 KB more.
    ///
    /// # Safety
    /// As of [`begin`].
    pub unsafe fn end() {
        // SAFETY: by the caller.
        unsafe { asm!("tilerelease", options(nostack)) }
    }

    macro_rules! product {
        ($(#[$about:meta])* $name:ident, $instruction:literal) => {
            $(#[$about])*
            ///
            /// # Safety
            /// Between [`begin`] and [`end`]. Operands have `count` tiles of 1 KB, the sums 4 KB.
            pub unsafe fn $name(block: Block) {
                let Block { a: [a0, a1], b: [b0, b1], count, sums } = block;
                // SAFETY: by the caller. Tiles are the assembly's alone.
                unsafe {
                    asm!(
                        "tilezero tmm0",
                        "tilezero tmm1",
                        "tilezero tmm2",
                        "tilezero tmm3",
                        "test {count}, {count}",
                        "jz 3f",
                        "2:",
                        "tileloadd tmm6, [{b0} + {row}]",
                        "tileloadd tmm4, [{a0} + {row}]",
                        "tileloadd tmm7, [{b1} + {row}]",
                        "tileloadd tmm5, [{a1} + {row}]",
                        concat!($instruction, " tmm0, tmm4, tmm6"),
                        concat!($instruction, " tmm1, tmm4, tmm7"),
                        concat!($instruction, " tmm2, tmm5, tmm6"),
                        concat!($instruction, " tmm3, tmm5, tmm7"),
                        "add {a0}, 1024",
                        "add {a1}, 1024",
                        "add {b0}, 1024",
                        "add {b1}, 1024",
                        "dec {count}",
                        "jnz 2b",
                        "3:",
                        "add {row}, {row}",
                        "tilestored [{sums} + {row}], tmm0",
                        "tilestored [{sums} + {row} + 64], tmm1",
                        "add {sums}, 2048",
                        "tilestored [{sums} + {row}], tmm2",
                        "tilestored [{sums} + {row} + 64], tmm3",
                        a0 = inout(reg) a0 => _,
                        a1 = inout(reg) a1 => _,
                        b0 = inout(reg) b0 => _,
                        b1 = inout(reg) b1 => _,
                        count = inout(reg) count => _,
                        sums = inout(reg) sums => _,
                        row = inout(reg) 64usize => _,
                        options(nostack),
                    );
                }
            }
        };
    }
    product!(
        /// Sums in int32 of products of int8.
        int8,
        "tdpbssd"
    );
    product!(
        /// Sums in float32 of products of bfloat16. Subnormal numbers are zeros.
        bfloat16,
        "tdpbf16ps"
    );
}
