/**
 * Rules of eslint for code that uses Millrace.
 *
 *     import millrace from "@millrace/eslint-plugin";
 *     export default [...tseslint.configs.recommendedTypeChecked, millrace.configs.recommended];
 * @packageDocumentation
 */
import { noTensorCondition } from "./no-tensor-condition.js";

/** A rule, for any version of eslint. */
export interface PluginRule {
  readonly meta: object;
  // boundary: eslint's context and visitors, whose types are of the version that is installed
  create(context: any): any;
}

/** What an eslint configuration takes as a plugin. */
export interface MillracePlugin {
  readonly meta: { readonly name: string };
  readonly rules: { readonly "no-tensor-condition": PluginRule };
  readonly configs: {
    readonly recommended: {
      readonly name: string;
      readonly plugins: Record<string, { readonly rules: Record<string, PluginRule> }>;
      readonly rules: Record<string, "error">;
    };
  };
}

const meta = { name: "@millrace/eslint-plugin" };
const rules = { "no-tensor-condition": noTensorCondition };

/** The rules, and `configs.recommended`, which turns them on. They need type information: see typescript-eslint. */
const plugin: MillracePlugin = {
  meta,
  rules,
  configs: {
    recommended: {
      name: "@millrace/recommended",
      plugins: { "@millrace": { rules } },
      rules: { "@millrace/no-tensor-condition": "error" },
    },
  },
};
export default plugin;
