//! Packing: panels of `width` rows of a (or columns of b), one step of k after another, zero where the matrix ends.

/// to[p · width + i] = from[i · across + p · along] for i < count <= width, p < k.
///
/// # Safety
/// The elements of `from` exist; `to` has k · width elements.
#[inline(always)]
pub unsafe fn panel<T: super::Scalar>(
    to: *mut T,
    from: *const T,
    across: isize,
    along: isize,
    count: usize,
    k: usize,
    width: usize,
) {
    // SAFETY: by the caller.
    unsafe {
        if across == 1 && count == width {
            for p in 0..k {
                from.offset(p as isize * along).copy_to_nonoverlapping(to.add(p * width), width);
            }
            return;
        }
        if count < width {
            for p in 0..k {
                for i in count..width {
                    to.add(p * width + i).write(T::ZERO);
                }
            }
        }
        // Eight steps at a time: a cache line of each row of `from` is used while it is there.
        const STEPS: usize = 8;
        let mut p = 0;
        while p + STEPS <= k {
            for i in 0..count {
                let row = from.offset(i as isize * across + p as isize * along);
                let mut held = [T::ZERO; STEPS];
                for (q, x) in held.iter_mut().enumerate() {
                    *x = row.offset(q as isize * along).read();
                }
                for (q, &x) in held.iter().enumerate() {
                    to.add((p + q) * width + i).write(x);
                }
            }
            p += STEPS;
        }
        while p < k {
            for i in 0..count {
                to.add(p * width + i).write(from.offset(i as isize * across + p as isize * along).read());
            }
            p += 1;
        }
    }
}

/// Packs `count` rows (or columns) as panels of `width`, each of k · width elements.
///
/// # Safety
/// As for [`panel`]; `to` has k · width elements for each panel begun.
pub unsafe fn panels<T: super::Scalar>(
    to: *mut T,
    from: *const T,
    across: isize,
    along: isize,
    count: usize,
    k: usize,
    width: usize,
) {
    for (number, first) in (0..count).step_by(width).enumerate() {
        // SAFETY: by the caller.
        unsafe {
            let from = from.offset(first as isize * across);
            panel(to.add(number * k * width), from, across, along, width.min(count - first), k, width);
        }
    }
}
