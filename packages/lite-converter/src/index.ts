/**
 * From models and saved graphs to TFLite files.
 * @packageDocumentation
 */
export {};
