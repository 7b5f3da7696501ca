/** One line of the doctor's findings. */
export interface Check {
  readonly name: string;
  readonly status: "ok" | "warn" | "fail";
  /** What was found. */
  readonly found: string;
  /** What to do, where something is wrong. */
  readonly advice?: string;
  /** What was found as numbers, for programs. */
  readonly values?: Readonly<Record<string, number | string | null>>;
}
