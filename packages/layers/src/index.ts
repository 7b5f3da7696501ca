/** Keras-style layers, models, losses, metrics and optimizers for Millrace. */
export {};
