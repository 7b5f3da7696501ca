//! bfloat16: the upper half of a float32.

/// The float32 of these bits.
#[inline(always)]
pub fn widen(bits: u16) -> f32 {
    f32::from_bits(u32::from(bits) << 16)
}

/// The nearest bfloat16, ties to even; NaN becomes the one with bits 0x7fc0.
#[inline(always)]
pub fn round(x: f32) -> u16 {
    let bits = x.to_bits();
    // A carry goes on into the exponent, up to that of infinity.
    let nearest = (bits.wrapping_add(0x7fff + (bits >> 16 & 1)) >> 16) as u16;
    if x.is_nan() { 0x7fc0 } else { nearest }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The one of the two neighbours that is nearer in float64, the even one of a tie.
    #[test]
    fn rounds_to_the_nearest() {
        for bits in (0..u32::MAX).step_by(4099) {
            let x = f32::from_bits(bits);
            let got = round(x);
            if x.is_nan() {
                assert_eq!(got, 0x7fc0);
                continue;
            }
            // Beyond the largest number stands the one that the next exponent would give.
            let value = |bits: u16| match widen(bits).is_finite() {
                true => f64::from(widen(bits)),
                false => 2f64.powi(128).copysign(f64::from(x)),
            };
            let low = (bits >> 16) as u16;
            let (below, above) = (value(low), value(low + 1));
            let (down, up) = ((f64::from(x) - below).abs(), (above - f64::from(x)).abs());
            let want = if x.is_infinite() || down < up || down == up && low.is_multiple_of(2) { low } else { low + 1 };
            assert_eq!(got, want, "{x:e}");
            assert_eq!(round(widen(want)), want);
        }
    }
}
