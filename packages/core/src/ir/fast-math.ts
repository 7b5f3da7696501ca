/** Whether ops may be computed by what rounds otherwise and does not keep to the rules of ∞ and NaN: tf.config.setFastMath. */
export const fastMath: { on: boolean } = { on: false };
