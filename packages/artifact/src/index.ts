/**
 * Saved graphs: functions with their weights as a directory, written whole, checked on load, and run anywhere.
 * @packageDocumentation
 */
export {};
