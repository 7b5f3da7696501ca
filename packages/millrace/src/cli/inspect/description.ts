/** What is said of a file: for people, and for programs. */
export interface Description {
  readonly lines: readonly string[];
  readonly json: Readonly<Record<string, unknown>>;
}
