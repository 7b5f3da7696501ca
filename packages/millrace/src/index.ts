/** Machine learning in TypeScript: tensors, layers and training as one namespace. */
export {};
