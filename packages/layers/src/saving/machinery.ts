// What is loaded when the first model is saved or loaded.
export * as formats from "./formats.js";
export * as hdf5 from "./hdf5-reader.js";
export * as kerasFile from "./keras-file.js";
export * as sources from "./sources.js";
