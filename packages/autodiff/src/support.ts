/**
 * `@millrace/core/support`, for the packages above this one: they need no other.
 * @packageDocumentation
 */
export * from "@millrace/core/support";
